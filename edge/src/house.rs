//! Loads the household's configuration for the daemon: leniently, with the last good copy as the
//! way back. A bad file must never leave a home unguarded.

use std::path::{Path, PathBuf};

use anju_model::config::{self, Fault, Household};
use thiserror::Error;

/// Why there is no configuration at all.
#[derive(Debug, Error)]
#[error("{}: {reason}; and there is no last good copy in {}", config.display(), copy.display())]
pub struct NoHousehold {
    config: PathBuf,
    copy: PathBuf,
    reason: String,
}

/// What was loaded.
#[derive(Debug)]
pub struct Loaded {
    /// The home.
    pub household: Household,
    /// Parts that could not be used, `FILE:LINE:COL: what; the mend`.
    pub faults: Vec<String>,
    /// The text that was used.
    pub text: String,
}

/// The last good copy, in the data folder.
const LAST_GOOD: &str = "last-good.toml";

/// Where the last good copy lies.
pub fn last_good(data: &Path) -> PathBuf {
    data.join(LAST_GOOD)
}

/// One fault as people and tools read it.
pub fn line(name: &str, fault: &Fault) -> String {
    format!("{name}:{}:{}: {}; {}", fault.line, fault.col, fault.message, fault.mend)
}

/// Loads the configuration, or the last good copy if it can not be used at all.
///
/// # Errors
/// [`NoHousehold`] when neither can be used.
pub fn load(config: &Path, data: &Path) -> Result<Loaded, NoHousehold> {
    let reason = match read(config) {
        Ok(loaded) => return Ok(loaded),
        Err(reason) => reason,
    };
    let copy = last_good(data);
    match read(&copy) {
        Ok(mut loaded) => {
            let fault = format!("{}: {reason}; the last good copy is in use", config.display());
            loaded.faults.insert(0, fault);
            Ok(loaded)
        }
        Err(_) => Err(NoHousehold { config: config.to_owned(), copy, reason }),
    }
}

fn read(path: &Path) -> Result<Loaded, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let name = path.display().to_string();
    let parsed = config::parse(&text, &name);
    let faults: Vec<String> = parsed.faults.iter().map(|fault| line(&name, fault)).collect();
    match parsed.household {
        Some(household) => Ok(Loaded { household, faults, text }),
        None => Err(faults.first().cloned().unwrap_or_else(|| "nothing usable in it".into())),
    }
}

/// Keeps a configuration without faults as the last good copy. Failing to is no reason to stop.
pub fn keep(loaded: &Loaded, data: &Path) {
    if !loaded.faults.is_empty() {
        return;
    }
    if std::fs::read_to_string(last_good(data)).is_ok_and(|kept| kept == loaded.text) {
        return;
    }
    let kept = anju_journal::replace_file(data, LAST_GOOD, None, loaded.text.as_bytes());
    if let Err(error) = kept {
        tracing::warn!(%error, "the last good copy of the configuration could not be kept");
    }
}

/// Tells versions of a configuration apart: CRC-like, not secret.
pub fn digest(text: &str) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
