//! `anju acceptance`: what the page's buttons do, for scripts.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anju_model::DeviceId;
use clap::Subcommand;
use serde_json::Value;

use super::CliError;
use super::parts::{By, Data};
use crate::acceptance::Ask;
use crate::control;

/// How often a script that waits looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);

#[derive(Debug, Subcommand)]
pub enum AcceptanceCommand {
    /// What is to be done with each device.
    List {
        #[command(flatten)]
        data: Data,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Takes a device, or all of them one after another.
    Start {
        /// Which device, or `all`.
        device: String,
        /// Ends only with the result: exit status 0 if all passed.
        #[arg(long)]
        wait: bool,
        #[command(flatten)]
        by: By,
        #[command(flatten)]
        data: Data,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// How it stands.
    Status {
        #[command(flatten)]
        data: Data,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ends what runs and forgets what waits.
    Stop {
        #[command(flatten)]
        data: Data,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

pub fn run(command: AcceptanceCommand) -> Result<ExitCode, CliError> {
    let (json, report) = match command {
        AcceptanceCommand::List { data, json } | AcceptanceCommand::Status { data, json } => {
            (json, ask(&data.folder, Ask::Status)?)
        }
        AcceptanceCommand::Stop { data, json } => (json, ask(&data.folder, Ask::Stop)?),
        AcceptanceCommand::Start { device, wait, by, data, json } => {
            let device = match device.as_str() {
                "all" => None,
                id => Some(DeviceId::new(id).map_err(|e| CliError::Refused(e.to_string()))?),
            };
            let start = Ask::Start { device: device.clone(), by: by.who };
            let report = ask(&data.folder, start)?;
            if wait {
                return wait_for(&data.folder, device.as_ref(), json);
            }
            (json, report)
        }
    };
    print(&report, json)?;
    Ok(ExitCode::SUCCESS)
}

fn wait_for(data: &Path, device: Option<&DeviceId>, json: bool) -> Result<ExitCode, CliError> {
    loop {
        let report = ask(data, Ask::Status)?;
        let wanted = |row: &Value| device.is_none_or(|id| row["device"] == id.as_str());
        let busy = |row: &Value| {
            report["running"] == row["device"]
                || report["waiting"].as_array().is_some_and(|w| w.contains(&row["device"]))
        };
        let rows: Vec<&Value> =
            report["devices"].as_array().into_iter().flatten().filter(|r| wanted(r)).collect();
        if !rows.iter().any(|row| busy(row)) {
            print(&report, json)?;
            let passed = rows.iter().all(|row| row["result"] == "passed");
            return Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn ask(data: &Path, ask: Ask) -> Result<Value, CliError> {
    let mut report = Value::Null;
    super::ask(data, &control::Ask::Acceptance { act: ask }, |line| {
        report = serde_json::from_str(line)?;
        Ok(())
    })?;
    Ok(report)
}

fn print(report: &Value, json: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        return writeln!(out, "{report}");
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for row in report["devices"].as_array().into_iter().flatten() {
        let state = if report["running"] == row["device"] {
            format!("running, {} s left", report["seconds_left"])
        } else if report["waiting"].as_array().is_some_and(|w| w.contains(&row["device"])) {
            "waiting".to_owned()
        } else {
            row["result"].as_str().unwrap_or("not yet").to_owned()
        };
        writeln!(out, "{:<24} {:<18} {state}", text(&row["device"]), text(&row["kind"]))?;
        let instruction = &row["instruction"];
        writeln!(out, "    {}", text(&instruction["zh-CN"]))?;
        writeln!(out, "    {}", text(&instruction["en"]))?;
    }
    Ok(())
}
