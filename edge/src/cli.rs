//! The command line.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anju_edge::ask::Ask;
use anju_model::command::{Command as Act, Request};
use anju_model::{AlertId, DeviceKind, Language, Outcome};
use clap::{Parser, Subcommand};
use thiserror::Error;

mod accept;
mod check;
mod parts;
mod plan;
mod recordings;

use crate::control;
use parts::{By, Config, Data};

/// Anju: the home-safety box.
#[derive(Debug, Parser)]
#[command(name = "anju", version)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The daemon.
    Run {
        #[command(flatten)]
        config: Config,
        #[command(flatten)]
        data: Data,
    },
    /// The simulated home.
    #[cfg(feature = "demo")]
    Demo {
        /// End by itself after the alarm was announced, seen upstream and accepted.
        #[arg(long)]
        once: bool,
    },
    /// Checks a configuration strictly.
    Check {
        #[command(flatten)]
        config: Config,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Lists the device kinds and what serves them.
    Catalogue {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Reads the journal, beside a running daemon too.
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Runs the rules over an export of a journal and prints the alerts that they raise.
    Replay {
        /// What `anju journal export` wrote.
        file: PathBuf,
        #[command(flatten)]
        config: Config,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Accepts an alert.
    Accept {
        /// The alert's id.
        id: String,
        /// Minutes until somebody is there.
        #[arg(long)]
        minutes: Option<u32>,
        #[command(flatten)]
        by: By,
        #[command(flatten)]
        data: Data,
    },
    /// The acceptance of devices: each is made to do what it is there for.
    #[command(subcommand)]
    Acceptance(accept::AcceptanceCommand),
    /// Says that somebody is there.
    Arrived {
        /// The alert's id.
        id: String,
        #[command(flatten)]
        by: By,
        #[command(flatten)]
        data: Data,
    },
    /// Says how the person is after a closed alert.
    FollowUp {
        /// The alert's id.
        id: String,
        /// In words.
        #[arg(long, default_value = "")]
        note: String,
        #[command(flatten)]
        by: By,
        #[command(flatten)]
        data: Data,
    },
    /// Says that nobody will be at home.
    Away {
        /// Until when, such as `2026-12-01T18:00:00+08:00`.
        #[arg(long, required_unless_present = "back")]
        until: Option<jiff::Timestamp>,
        /// Somebody is at home again.
        #[arg(long, conflicts_with = "until")]
        back: bool,
        #[command(flatten)]
        by: By,
        #[command(flatten)]
        data: Data,
    },
    /// Says something in the home.
    Speak {
        /// The words.
        text: String,
        #[command(flatten)]
        by: By,
        #[command(flatten)]
        data: Data,
    },
    /// Looks whether everything is there that the box needs, and says what to do where not.
    Doctor {
        #[command(flatten)]
        config: Config,
        #[command(flatten)]
        data: Data,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Tells what would happen at a time of day: who would be tried when, over what, and when each
    /// way last worked.
    Plan {
        /// The time of day in the household's zone.
        #[arg(long, default_value = "03:00", value_parser = plan::time)]
        at: jiff::civil::Time,
        /// What would happen: the name of a rule.
        #[arg(long, default_value = "fall", value_parser = plan::rule)]
        rule: anju_model::Rule,
        /// The configuration, for when no daemon runs.
        #[arg(long, default_value = "/etc/anju/anju.toml")]
        config: PathBuf,
        #[command(flatten)]
        data: Data,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Makes sure of the ways to people: of all of them without waking anybody, or by a test message
    /// to one contact that asks for an answer. Exit status 1 if a way fails.
    Prove {
        /// The contact to be asked.
        contact: Option<anju_model::ContactId>,
        #[command(flatten)]
        data: Data,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Names of people and rooms in the family's own voices.
    #[command(subcommand)]
    Recordings(recordings::RecordingsCommand),
    /// Closes an alert.
    Close {
        /// The alert's id.
        id: String,
        /// How it ended: real, false, test, cancelled.
        #[arg(long, value_parser = outcome)]
        outcome: Outcome,
        /// In words.
        #[arg(long, default_value = "")]
        note: String,
        #[command(flatten)]
        by: By,
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Debug, Subcommand)]
enum JournalCommand {
    /// The newest entries.
    Tail {
        #[command(flatten)]
        data: Data,
        /// How many.
        #[arg(long, short = 'n', default_value_t = 20)]
        count: usize,
        /// One JSON object a line (always).
        #[arg(long)]
        json: bool,
    },
    /// All entries, one JSON object a line, oldest first.
    Export {
        #[command(flatten)]
        data: Data,
        /// One JSON object a line (always).
        #[arg(long)]
        json: bool,
    },
    /// Figures.
    Stats {
        #[command(flatten)]
        data: Data,
        /// As JSON (always).
        #[arg(long)]
        json: bool,
    },
}

/// Why a command failed.
#[derive(Debug, Error)]
pub enum CliError {
    /// The daemon could not start.
    #[error(transparent)]
    Start(#[from] crate::app::StartError),
    /// Input or output.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The journal can not be read.
    #[error("{0}")]
    Journal(String),
    /// The simulated home.
    #[cfg(feature = "demo")]
    #[error(transparent)]
    Demo(#[from] crate::demo::DemoError),
    /// A recording that is not taken.
    #[error("{0}")]
    Recording(String),
    /// There is no plan to tell.
    #[error("{0}")]
    Plan(String),
    /// What should be replayed can not be.
    #[error("{0}")]
    Replay(String),
    /// The daemon refused.
    #[error("{0}")]
    Refused(String),
    /// No daemon to ask.
    #[error("no daemon is running on {0}; start it with `anju run`")]
    NotRunning(String),
    /// Not an alert's id.
    #[error("`{0}` is not an alert's id; copy it from `anju journal tail`")]
    NotAnAlert(String),
}

fn outcome(text: &str) -> Result<Outcome, String> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|_| "use real, false, test or cancelled".to_owned())
}

/// Carries out the command line.
///
/// # Errors
/// [`CliError`] says what failed and the mend.
pub fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    match arguments.command {
        Command::Run { config, data } => {
            crate::allocator::settle();
            let runtime = runtime()?;
            runtime.block_on(crate::app::run(config.file, data.folder))?;
            runtime.shutdown_background();
            Ok(ExitCode::SUCCESS)
        }
        #[cfg(feature = "demo")]
        Command::Demo { once } => {
            let runtime = runtime()?;
            let played = runtime.block_on(crate::demo::run(once));
            runtime.shutdown_background();
            played?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Check { config, json } => check::run(&config.file, json),
        Command::Catalogue { json } => catalogue(json),
        Command::Journal(command) => journal(command),
        Command::Replay { file, config, json } => replay(&file, &config.file, json),
        Command::Acceptance(command) => accept::run(command),
        Command::Recordings(command) => recordings::run(command),
        Command::Accept { id, minutes, by, data } => {
            let alert = alert(&id)?;
            act(&data.folder, by.who, Act::Accept { alert, minutes })
        }
        Command::Arrived { id, by, data } => {
            let alert = alert(&id)?;
            act(&data.folder, by.who, Act::Arrived { alert })
        }
        Command::FollowUp { id, note, by, data } => {
            let alert = alert(&id)?;
            act(&data.folder, by.who, Act::FollowUp { alert, note })
        }
        Command::Away { until, by, data, .. } => act(&data.folder, by.who, Act::Away { until }),
        Command::Speak { text, by, data } => act(&data.folder, by.who, Act::Speak { text }),
        Command::Doctor { config, data, json } => {
            let runtime = runtime()?;
            let sound = runtime.block_on(crate::doctor::run(&config.file, &data.folder, json));
            runtime.shutdown_background();
            Ok(if sound? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Prove { contact, data, json } => prove(contact, &data.folder, json),
        Command::Plan { at, rule, config, data, json } => {
            plan::run(at, rule, &config, &data.folder, json)
        }
        Command::Close { id, outcome, note, by, data } => {
            let alert = alert(&id)?;
            act(&data.folder, by.who, Act::Close { alert, outcome, note })
        }
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

fn alert(id: &str) -> Result<AlertId, CliError> {
    AlertId::from_wire(id).ok_or_else(|| CliError::NotAnAlert(id.to_owned()))
}

fn catalogue(json: bool) -> Result<ExitCode, CliError> {
    let mut out = std::io::stdout().lock();
    let mut rows = Vec::new();
    for kind in DeviceKind::ALL {
        let serves: Vec<_> = anju_drivers::catalogue::serving(kind)
            .map(|s| serde_json::json!({"link": s.link.as_str(), "protocol": s.protocol}))
            .collect();
        if json {
            rows.push(serde_json::json!({
                "kind": kind, "number": kind.number(), "core": kind.core(),
                "category": kind.category(),
                "name": {"zh-CN": kind.name(Language::ZhCn), "en": kind.name(Language::En)},
                "serves": serves,
            }));
        } else {
            let ways: Vec<String> = anju_drivers::catalogue::serving(kind)
                .map(|s| format!("{}/{}", s.link.as_str(), s.protocol))
                .collect();
            let (zh, en) = (kind.name(Language::ZhCn), kind.name(Language::En));
            let core = if kind.core() { "*" } else { " " };
            writeln!(
                out,
                "{:>2}{core} {kind:<20} {zh} ({en}): {}",
                kind.number(),
                ways.join(", ")
            )?;
        }
    }
    if json {
        writeln!(out, "{}", serde_json::Value::Array(rows))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn journal(command: JournalCommand) -> Result<ExitCode, CliError> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let (data, question) = match command {
        JournalCommand::Tail { data, count, .. } => (data, Ask::Tail { count }),
        JournalCommand::Export { data, .. } => (data, Ask::Export),
        JournalCommand::Stats { data, .. } => (data, Ask::Stats),
    };
    let asked = control::ask(&data.folder, &question, |line| writeln!(out, "{line}"));
    match asked {
        Some(result) => result.map_err(CliError::Refused)?,
        None => offline(&data.folder, &question, &mut out)?,
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Reads a journal that no daemon has open.
fn offline(data: &std::path::Path, question: &Ask, out: &mut impl Write) -> Result<(), CliError> {
    let reader = anju_journal::Reader::open(data).map_err(|e| CliError::Journal(e.to_string()))?;
    match question {
        Ask::Export => {
            let mut from = 0;
            loop {
                let chunk = reader.read_merged(from, 1024);
                let Some(last) = chunk.last() else { break };
                from = last.number.seq + 1;
                for record in &chunk {
                    out.write_all(&crate::export::line(&record.body))?;
                }
            }
        }
        Ask::Tail { count } => {
            for record in reader.tail(*count) {
                out.write_all(&crate::export::line(&record.body))?;
            }
        }
        Ask::Stats => {
            writeln!(out, "{}", crate::export::stats_at_rest(&reader.stats()))?;
        }
        Ask::Command { .. }
        | Ask::Recordings
        | Ask::Acceptance { .. }
        | Ask::Plan { .. }
        | Ask::Prove { .. } => {
            return Err(CliError::NotRunning(data.display().to_string()));
        }
    }
    Ok(())
}

/// Prints what the rules find in a recorded journal, and on stderr how that differs from what was
/// recorded.
fn replay(
    file: &std::path::Path,
    config: &std::path::Path,
    json: bool,
) -> Result<ExitCode, CliError> {
    let bytes = std::fs::read(config)
        .map_err(|error| CliError::Replay(format!("{}: {error}", config.display())))?;
    let parsed = crate::house::parse(&bytes, &config.display().to_string());
    let household = parsed.household.ok_or_else(|| {
        CliError::Replay("the configuration has no usable home; run `anju check`".into())
    })?;
    let export = std::fs::read(file)
        .map_err(|error| CliError::Replay(format!("{}: {error}", file.display())))?;
    let mut entries = Vec::new();
    // Some editors put a byte-order mark before a text that they save.
    let export = export.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&export);
    for (index, line) in export.split(|b| *b == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let entry = anju_model::entry::decode(line).map_err(|error| {
            CliError::Replay(format!("{}:{}: {error}", file.display(), index + 1))
        })?;
        entries.push(entry);
    }
    let replay = anju_guard::replay(entries, std::sync::Arc::new(household));
    let mut out = std::io::stdout().lock();
    for alert in &replay.found {
        if json {
            let line = serde_json::to_string(alert).map_err(std::io::Error::from)?;
            writeln!(out, "{line}")?;
        } else {
            let device = alert.device.as_ref().map_or("-", |device| device.as_str());
            writeln!(
                out,
                "{}  {}  {}  {device}  {} times",
                alert.alert,
                alert.class,
                alert.rule,
                alert.repeats + 1
            )?;
        }
    }
    let (new, gone) = (replay.only_found().count(), replay.only_recorded().count());
    if new + gone > 0 {
        eprintln!("{new} found that were not recorded, {gone} recorded that were not found");
    }
    Ok(ExitCode::SUCCESS)
}

fn act(data: &std::path::Path, by: String, command: Act) -> Result<ExitCode, CliError> {
    let id = format!("command-line-{}", jiff::Timestamp::now().as_nanosecond());
    let request = Request { id, by, via: "command-line".into(), command };
    ask(data, &Ask::Command { request }, |_| Ok(()))?;
    Ok(ExitCode::SUCCESS)
}

/// Asks the daemon, which has to run.
fn ask(
    data: &std::path::Path,
    question: &Ask,
    line: impl FnMut(&str) -> std::io::Result<()>,
) -> Result<(), CliError> {
    match control::ask(data, question, line) {
        Some(answer) => answer.map_err(CliError::Refused),
        None => Err(CliError::NotRunning(data.display().to_string())),
    }
}

/// Has the ways proved and prints what came of each.
fn prove(
    contact: Option<anju_model::ContactId>,
    data: &std::path::Path,
    json: bool,
) -> Result<ExitCode, CliError> {
    let (mut out, mut failed) = (std::io::stdout().lock(), false);
    ask(data, &Ask::Prove { contact }, |line| {
        let way: serde_json::Value = serde_json::from_str(line)?;
        failed |= way["result"] == "failed";
        if json {
            return writeln!(out, "{line}");
        }
        let text = |key: &str| way[key].as_str().unwrap_or_default().to_owned();
        writeln!(out, "{:<10} {:<8} {}", text("channel"), text("result"), text("reason"))
    })?;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
