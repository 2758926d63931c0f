//! The family's recordings of names, in the data folder: of who lives in the home, of who comes, of
//! the rooms. What is added was made fit before, and a file is there whole or not at all. Whoever
//! changes them tells the daemon (`Ask::Recordings`).

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anju_model::config::Household;
use anju_respond::out::speaker::pack::Pack;
use anju_respond::out::speaker::recording::{Unusable, recording};
use anju_respond::out::speaker::slot::{Slot, slots};
use thiserror::Error;

/// Where they lie.
pub fn folder(data: &Path) -> PathBuf {
    data.join("voices")
}

/// A name that can be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which.
    pub slot: Slot,
    /// Its words.
    pub words: String,
    /// Whether it is recorded.
    pub recorded: bool,
}

/// Why a recording was not taken.
#[derive(Debug, Error)]
pub enum Refused {
    /// Nobody and no room of that name.
    #[error("this home has no `{0}`")]
    NotOfThisHome(Slot),
    /// The sound.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// The disk.
    #[error("{0}")]
    Disk(#[from] std::io::Error),
}

/// All names of a home, and which are recorded. May wait for the disk, as all here.
pub fn list(data: &Path, home: &Household) -> Vec<Row> {
    let folder = folder(data);
    let pack = if folder.is_dir() { Pack::read(&folder).0 } else { Pack::default() };
    let rows = slots(home).into_iter().map(|(slot, words)| {
        let name = slot.to_string();
        Row { slot, words, recorded: pack.names().any(|recorded| recorded == name) }
    });
    rows.collect()
}

/// Takes a recording in the place of one that is there; its length in seconds.
///
/// # Errors
/// [`Refused`] says why not.
pub fn add(data: &Path, home: &Household, slot: &Slot, sound: &[u8]) -> Result<f64, Refused> {
    if !slots(home).iter().any(|(known, _)| known == slot) {
        return Err(Refused::NotOfThisHome(slot.clone()));
    }
    let made = recording(sound)?;
    let folder = folder(data);
    std::fs::create_dir_all(&folder)?;
    let name = format!("{slot}.wav");
    anju_journal::replace_file(&folder, &name, None, &made.wav)?;
    // The daemon reads it, whoever recorded it; the data folder is closed to others.
    std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o644))?;
    // One in another form would go before it.
    forget(&folder, slot, "ogg")?;
    Ok(made.seconds)
}

/// Removes a recording. Whether there was one.
///
/// # Errors
/// When it is there and can not be removed.
pub fn remove(data: &Path, slot: &Slot) -> std::io::Result<bool> {
    let folder = folder(data);
    let (wav, ogg) = (forget(&folder, slot, "wav")?, forget(&folder, slot, "ogg")?);
    Ok(wav || ogg)
}

fn forget(folder: &Path, slot: &Slot, form: &str) -> std::io::Result<bool> {
    match std::fs::remove_file(folder.join(format!("{slot}.{form}"))) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
