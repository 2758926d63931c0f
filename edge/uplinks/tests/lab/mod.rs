//! A home's network in namespaces of its own: the real NetworkManager on a bus of its own with two
//! cables, and behind each cable the same far side.

#![allow(dead_code, reason = "each test uses its own part")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The far side's own address, behind both cables.
pub const FAR: &str = "10.9.0.1";

/// Says inside which test this process is.
const INSIDE: &str = "ANJU_TEST_NAMESPACE";

/// Runs a test in namespaces of its own: network, mounts and processes. The test binary starts itself
/// again there; whatever the test leaves behind ends with it. Without the right to do that the test is
/// left out and says so, which under CI is a failure.
pub fn inside(test: &str, run: impl Future<Output = ()>) {
    if std::env::var_os(INSIDE).is_some() {
        mounts();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(run);
        return;
    }
    if let Some(reason) = lacking() {
        println!("{test}: SKIPPED: {reason}");
        assert!(std::env::var_os("CI").is_none(), "under CI that is a failure: {reason}");
        return;
    }
    let done = unshare()
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(INSIDE, test)
        .status();
    assert!(done.unwrap().success(), "{test} inside its namespaces; see above");
}

/// Root in new namespaces; in one of users too, NetworkManager takes no plugins, whose owner is
/// somebody else there.
fn unshare() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]);
    command
}

fn lacking() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("not root".to_owned());
    }
    let there = |tool: &&str| {
        !["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
            .iter()
            .any(|dir| Path::new(dir).join(tool).exists())
    };
    let tools = ["NetworkManager", "dbus-daemon", "ip", "nsenter", "python3", "unshare"];
    let missing: Vec<&str> = tools.into_iter().filter(there).collect();
    if !missing.is_empty() {
        return Some(format!("missing: {}", missing.join(", ")));
    }
    let tried = unshare().args(["mount", "-t", "sysfs", "-o", "ro", "sysfs", "/sys"]).output();
    match tried {
        Ok(tried) if tried.status.success() => None,
        Ok(tried) => Some(String::from_utf8_lossy(&tried.stderr).trim().to_owned()),
        Err(error) => Some(error.to_string()),
    }
}

pub fn run(command: &str) -> String {
    let mut words = command.split_whitespace();
    let output = Command::new(words.next().unwrap()).args(words).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What NetworkManager reads and writes is the test's own; a read-only `/sys` tells it that nobody
/// runs udev here.
fn mounts() {
    run("mount --make-rprivate /");
    run("mount -t sysfs -o ro sysfs /sys");
    for dir in ["/run", "/var/lib/NetworkManager", "/etc/NetworkManager"] {
        run(&format!("mount -t tmpfs tmpfs {dir}"));
    }
    for dir in ["conf.d", "dispatcher.d", "system-connections"] {
        std::fs::create_dir_all(Path::new("/etc/NetworkManager").join(dir)).unwrap();
    }
    // The system's own resolver asks the far side too.
    std::fs::write("/run/resolv.conf", format!("nameserver {FAR}\noptions timeout:1\n")).unwrap();
    run("mount --bind /run/resolv.conf /etc/resolv.conf");
}

/// A child that ends with the test.
pub struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The network.
pub struct Network {
    bus: String,
    far: Killed,
    manager: Option<Killed>,
    _server: Killed,
}

impl Network {
    /// Two cables, `eth1` and `eth2`, and what is behind them; NetworkManager does not run yet.
    pub fn new(bus: &str) -> Self {
        run("ip link set lo up");
        let mut far = Command::new("unshare")
            .args(["--net", "--", "sh", "-c", "echo there; exec sleep 600"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut there = String::new();
        BufReader::new(far.stdout.take().unwrap()).read_line(&mut there).unwrap();
        let far = Killed(far);
        let pid = far.0.id();
        for number in [1, 2] {
            run(&format!("ip link add eth{number} type veth peer name far{number}"));
            run(&format!("ip link set far{number} netns {pid}"));
        }
        let enter = format!("nsenter --net --target {pid}");
        run(&format!("{enter} ip link set lo up"));
        run(&format!("{enter} ip address add {FAR}/32 dev lo"));
        for number in [1, 2] {
            run(&format!("{enter} ip link set far{number} up"));
            run(&format!("{enter} ip address add 10.{number}.0.1/24 dev far{number}"));
        }
        let script = Path::new("/run/far.py");
        std::fs::write(script, include_str!("far.py")).unwrap();
        let mut server = Command::new("nsenter")
            .args(["--net", "--target", &pid.to_string(), "python3"])
            .arg(script)
            .arg(FAR)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        assert_eq!(ready, "ready\n");
        let config = "[main]\nplugins=keyfile\ndns=none\nrc-manager=unmanaged\nauth-polkit=false\n\
                      no-auto-default=*\n[keyfile]\nunmanaged-devices=interface-name:detour0\n\
                      [logging]\nlevel=INFO\n";
        std::fs::write("/etc/NetworkManager/NetworkManager.conf", config).unwrap();
        for number in [1, 2] {
            let profile = format!(
                "[connection]\nid=cable-{number}\ntype=ethernet\ninterface-name=eth{number}\n\
                 [ipv4]\nmethod=manual\naddress1=10.{number}.0.2/24,10.{number}.0.1\ndns={FAR};\n\
                 [ipv6]\nmethod=disabled\n"
            );
            let path = profile_path(&format!("cable-{number}"));
            std::fs::write(&path, profile).unwrap();
            // NetworkManager takes none that others may read.
            run(&format!("chmod 600 {path}"));
        }
        Self { bus: bus.to_owned(), far, manager: None, _server: Killed(server) }
    }

    /// Starts NetworkManager.
    pub fn start(&mut self) {
        let log = std::fs::File::create("/run/manager.log").unwrap();
        let child = Command::new("NetworkManager")
            .arg("--debug")
            .env("DBUS_SYSTEM_BUS_ADDRESS", &self.bus)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.manager = Some(Killed(child));
    }

    /// As a crash of it would.
    pub fn kill(&mut self) {
        self.manager = None;
    }

    /// The router behind a cable goes dead, or works again; the cable's carrier stays.
    pub fn router(&self, number: u8, works: bool) {
        let (pid, act) = (self.far.0.id(), if works { "add" } else { "del" });
        run(&format!(
            "nsenter --net --target {pid} ip address {act} 10.{number}.0.1/24 dev far{number}"
        ));
    }

    /// Pulls a cable out, or plugs it in again.
    pub fn plugged(&self, number: u8, there: bool) {
        let (pid, state) = (self.far.0.id(), if there { "up" } else { "down" });
        run(&format!("nsenter --net --target {pid} ip link set far{number} {state}"));
    }

    /// A way out that NetworkManager knows nothing of, or its end.
    pub fn detour(&self, there: bool) {
        if !there {
            run("ip link delete detour0");
            return;
        }
        let pid = self.far.0.id();
        let enter = format!("nsenter --net --target {pid}");
        run("ip link add detour0 type veth peer name far3");
        run(&format!("ip link set far3 netns {pid}"));
        run(&format!("{enter} ip link set far3 up"));
        run(&format!("{enter} ip address add 10.3.0.1/24 dev far3"));
        run("ip link set detour0 up");
        run("ip address add 10.3.0.2/24 dev detour0");
        run(&format!("ip route add {FAR}/32 via 10.3.0.1 dev detour0"));
    }

    /// What NetworkManager said.
    pub fn log() -> String {
        std::fs::read_to_string("/run/manager.log").unwrap()
    }
}

/// Where the profile of that name lies.
pub fn profile_path(name: &str) -> String {
    format!("/etc/NetworkManager/system-connections/{name}.nmconnection")
}

/// The interface that the kernel takes for what leaves.
pub fn default_route() -> String {
    let route = run(&format!("ip -4 route get {FAR}"));
    let mut words = route.split_whitespace().skip_while(|word| *word != "dev");
    words.nth(1).unwrap().to_owned()
}
