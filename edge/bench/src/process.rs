//! What the kernel says of a process.

use crate::failure::{Failure, Outcome, io};

/// Proportional set size, MiB.
pub fn pss_mib(pid: u32) -> Outcome<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
        .map_err(io("reading smaps_rollup"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<f64>().ok());
    kib.map(|kib| kib / 1024.0).ok_or_else(|| Failure::Missed("smaps_rollup has no Pss".into()))
}

/// Processor time used so far, seconds.
pub fn cpu_seconds(pid: u32) -> Outcome<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).map_err(io("reading stat"))?;
    // The name, in brackets, may hold spaces; utime and stime are fields 14 and 15 (proc(5)).
    let rest = text.rsplit_once(") ").map(|(_, rest)| rest).unwrap_or_default();
    let ticks: Vec<f64> = rest.split(' ').skip(11).take(2).filter_map(|t| t.parse().ok()).collect();
    let per_second = rustix::param::clock_ticks_per_second() as f64;
    match ticks[..] {
        [user, system] => Ok((user + system) / per_second),
        _ => Err(Failure::Missed("stat has no times".into())),
    }
}

/// What was measured on.
pub fn machine() -> serde_json::Value {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let field = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(": ")).map(|(_, value)| value.to_owned())
    };
    serde_json::json!({
        "processor": field("model name").or_else(|| field("Model")),
        "cores": std::thread::available_parallelism().map(std::num::NonZero::get).ok(),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "load": read("/proc/loadavg").trim(),
    })
}
