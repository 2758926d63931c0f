//! Asks another program, with a time limit.

use std::process::Stdio;
use std::time::Duration;

use thiserror::Error;
use tokio::process::Command;
use tokio::time::timeout;

const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Why a program gave nothing.
#[derive(Debug, Error)]
pub(super) enum Failed {
    /// Not installed.
    #[error("it is not installed")]
    Missing,
    /// It said so, or hung.
    #[error("{0}")]
    Otherwise(String),
}

/// What it prints.
pub(super) async fn output(program: &str, arguments: &[&str]) -> Result<String, Failed> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let done = match timeout(ANSWERS_WITHIN, command.output()).await {
        Ok(Ok(done)) => done,
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Failed::Missing);
        }
        Ok(Err(error)) => return Err(Failed::Otherwise(error.to_string())),
        Err(_) => {
            let why = format!("no answer within {} s", ANSWERS_WITHIN.as_secs());
            return Err(Failed::Otherwise(why));
        }
    };
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    let first = said.lines().next().unwrap_or("it gave no reason");
    Err(Failed::Otherwise(first.chars().take(200).collect()))
}
