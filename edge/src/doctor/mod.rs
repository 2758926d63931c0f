//! `anju doctor`: is everything there that the box needs, and what is to be done where not. One
//! small numbered check a file. It only looks: it changes nothing, works beside a running daemon
//! and without one, waits for nothing longer than a check's limit, and never shows a secret.

mod c01_configuration;
mod c02_clock;
mod c03_disk;
mod c04_daemon;
mod c05_links;
mod c06_upstream;
mod c07_channels;
mod c08_secrets;
mod c09_modem;
mod c10_speaker;
mod c11_update;
mod c12_kit;
mod c13_uplinks;
mod program;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anju_model::config::{Fault, Household};
use serde::Serialize;
use serde_json::Value;

use crate::control::{self, Ask};

/// Longest time of one check.
const LIMIT: Duration = Duration::from_secs(10);

/// What a check found about one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Verdict {
    /// In order.
    Ok {
        /// What was seen.
        what: String,
    },
    /// Not in order.
    Problem {
        /// What is wrong.
        what: String,
        /// What to do.
        mend: String,
    },
    /// This home does not have it.
    NotApplicable {
        /// Why not.
        what: String,
    },
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which: a link's, a channel's or a file's name; empty if the check has only one.
    pub about: String,
    /// How it is.
    #[serde(flatten)]
    pub verdict: Verdict,
}

fn ok(about: impl Into<String>, what: impl Into<String>) -> Finding {
    Finding { about: about.into(), verdict: Verdict::Ok { what: what.into() } }
}

fn problem(about: impl Into<String>, what: impl Into<String>, mend: impl Into<String>) -> Finding {
    let verdict = Verdict::Problem { what: what.into(), mend: mend.into() };
    Finding { about: about.into(), verdict }
}

fn not_applicable(what: impl Into<String>) -> Finding {
    Finding { about: String::new(), verdict: Verdict::NotApplicable { what: what.into() } }
}

/// What all checks look at.
pub struct Case {
    config: PathBuf,
    data: PathBuf,
    /// What could be read of the configuration.
    household: Option<Household>,
    faults: Vec<Fault>,
    /// Why the file itself can not be read.
    unreadable: Option<String>,
    /// Figures of a running daemon's journal.
    running: Option<Value>,
}

type Findings = Pin<Box<dyn Future<Output = Vec<Finding>> + Send>>;

/// One check.
struct Check {
    number: u32,
    name: &'static str,
    run: fn(Arc<Case>) -> Findings,
}

/// The list of checks, each with its number, name and file.
macro_rules! checks {
    ($($number:literal $name:literal $module:ident,)*) => {
        &[$(Check { number: $number, name: $name, run: |case| Box::pin($module::check(case)) }),*]
    };
}

const CHECKS: &[Check] = checks![
    1 "configuration" c01_configuration,
    2 "clock" c02_clock,
    3 "disk" c03_disk,
    4 "daemon" c04_daemon,
    5 "links" c05_links,
    6 "upstream" c06_upstream,
    7 "channels" c07_channels,
    8 "secrets" c08_secrets,
    9 "modem" c09_modem,
    10 "speaker" c10_speaker,
    11 "update" c11_update,
    12 "kit" c12_kit,
    13 "uplinks" c13_uplinks,
];

impl Case {
    fn read(config: &Path, data: &Path) -> Self {
        let mut case = Self {
            config: config.to_owned(),
            data: data.to_owned(),
            household: None,
            faults: Vec::new(),
            unreadable: None,
            running: None,
        };
        match std::fs::read(config) {
            Ok(bytes) => {
                let name = config.display().to_string();
                let parsed = crate::house::parse(&bytes, &name);
                (case.household, case.faults) = (parsed.household, parsed.faults);
            }
            Err(error) => case.unreadable = Some(error.to_string()),
        }
        case
    }
}

/// Asks a running daemon for its journal's figures, without waiting long for one that hangs.
async fn running(data: PathBuf) -> Option<Value> {
    let asked = tokio::task::spawn_blocking(move || {
        let mut figures = None;
        let asked = control::ask(&data, &Ask::Stats, |line| {
            figures = serde_json::from_str(line).ok();
            Ok(())
        });
        asked.and_then(Result::ok).and(figures)
    });
    tokio::time::timeout(Duration::from_secs(3), asked).await.ok()?.ok()?
}

/// Makes all checks, at once with each other.
async fn examine(config: &Path, data: &Path) -> Vec<(u32, &'static str, Vec<Finding>)> {
    let (path, folder) = (config.to_owned(), data.to_owned());
    let read = tokio::task::spawn_blocking(move || Case::read(&path, &folder));
    let mut case = read.await.unwrap_or_else(|_| Case::read(config, data));
    case.running = running(case.data.clone()).await;
    let case = Arc::new(case);
    let tasks: Vec<_> = CHECKS
        .iter()
        .map(|check| {
            let made = tokio::spawn((check.run)(case.clone()));
            (check, tokio::spawn(tokio::time::timeout(LIMIT, made)))
        })
        .collect();
    let mut all = Vec::new();
    for (check, task) in tasks {
        let findings = match task.await {
            Ok(Ok(Ok(findings))) => findings,
            Ok(Err(_)) => {
                let what = format!("no answer within {} s", LIMIT.as_secs());
                vec![problem("", what, "look at what it names; something there hangs")]
            }
            _ => vec![problem("", "the check itself failed", "report this with the log")],
        };
        all.push((check.number, check.name, findings));
    }
    all
}

/// Makes all checks and prints what they found. Whether everything is in order.
///
/// # Errors
/// When it can not be printed.
pub async fn run(config: &Path, data: &Path, json: bool) -> std::io::Result<bool> {
    let all = examine(config, data).await;
    let mut out = std::io::stdout().lock();
    let mut problems = 0;
    for (number, name, findings) in &all {
        for finding in findings {
            problems += u32::from(matches!(finding.verdict, Verdict::Problem { .. }));
            if !json {
                writeln!(out, "{}", line(*number, name, finding))?;
            }
        }
    }
    if json {
        let checks: Vec<Value> = all
            .iter()
            .map(|(number, name, findings)| {
                serde_json::json!({"number": number, "check": name, "findings": findings})
            })
            .collect();
        writeln!(out, "{}", serde_json::json!({"ok": problems == 0, "checks": checks}))?;
    }
    Ok(problems == 0)
}

fn line(number: u32, name: &str, finding: &Finding) -> String {
    let about = match finding.about.as_str() {
        "" => name.to_owned(),
        about => format!("{name} {about}"),
    };
    match &finding.verdict {
        Verdict::Ok { what } => format!("{number:>2} ok       {about}: {what}"),
        Verdict::NotApplicable { what } => format!("{number:>2} -        {about}: {what}"),
        Verdict::Problem { what, mend } => {
            format!("{number:>2} PROBLEM  {about}: {what}\n            to do: {mend}")
        }
    }
}
