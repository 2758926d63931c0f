//! `anju check`: every fault of a configuration with its place and its mend. Faults go to stdout; a
//! warning is no fault, and so not among them, except in JSON, where each has its own list.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anju_model::config::Fault;
use serde_json::{Value, json};

use super::CliError;

/// Checks a file. Exit status 1 if there are faults.
pub fn run(path: &Path, json: bool) -> Result<ExitCode, CliError> {
    let name = path.display().to_string();
    let (faults, warnings) = match std::fs::read(path) {
        Ok(bytes) => {
            let parsed = crate::house::parse(&bytes, &name);
            (parsed.faults, parsed.warnings)
        }
        Err(error) => (vec![unreadable(&name, &error)], Vec::new()),
    };
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", report(&name, &faults, &warnings))?;
    } else {
        for fault in &faults {
            writeln!(out, "{}", crate::house::line(&name, fault))?;
        }
        for warning in &warnings {
            eprintln!("warning: {}", crate::house::line(&name, warning));
        }
    }
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn unreadable(name: &str, error: &std::io::Error) -> Fault {
    Fault {
        line: 1,
        col: 1,
        path: name.to_owned(),
        message: format!("it can not be read: {error}"),
        mend: "check the path".to_owned(),
    }
}

fn report(name: &str, faults: &[Fault], warnings: &[Fault]) -> Value {
    let all = |faults: &[Fault]| -> Vec<Value> {
        let one = |fault: &Fault| {
            json!({"file": name, "line": fault.line, "col": fault.col,
                "message": fault.message, "mend": fault.mend})
        };
        faults.iter().map(one).collect()
    };
    json!({"faults": all(faults), "warnings": all(warnings)})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_and_warnings_are_told_with_their_place() {
        let fault = |line| Fault {
            line,
            col: 2,
            path: "box.id".to_owned(),
            message: "wrong".to_owned(),
            mend: "mend it".to_owned(),
        };
        let told = |line: u32| json!({"file": "a.toml", "line": line, "col": 2, "message": "wrong", "mend": "mend it"});
        assert_eq!(
            report("a.toml", &[fault(1), fault(3)], &[fault(2)]),
            json!({"faults": [told(1), told(3)], "warnings": [told(2)]})
        );
    }
}
