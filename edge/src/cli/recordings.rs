//! `anju recordings`: names in the family's own voices. A running daemon uses them at once.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anju_model::config::Household;
use anju_respond::out::speaker::recording::MOST_BYTES;
use anju_respond::out::speaker::slot::Slot;
use anju_respond::texts::Texts;
use clap::Subcommand;
use serde_json::json;

use super::parts::{Config, Data};
use super::{CliError, plan};
use crate::control::{self, Ask};
use crate::recordings::{self, Refused, Row};

#[derive(Debug, Subcommand)]
pub enum RecordingsCommand {
    /// The names that can be recorded, and which are.
    List {
        #[command(flatten)]
        config: Config,
        #[command(flatten)]
        data: Data,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Takes a sound file as the recording of a name: WAV of 16 bits or Ogg Vorbis, one name, at most
    /// six seconds.
    Add {
        /// The file, named after what it says, such as `contact-daughter.wav`.
        file: PathBuf,
        /// What it says, if the file has another name: `person-ID`, `contact-ID` or `room-ID`.
        #[arg(long)]
        slot: Option<Slot>,
        #[command(flatten)]
        config: Config,
        #[command(flatten)]
        data: Data,
    },
    /// Removes the recording of a name.
    Remove {
        /// Which: `person-ID`, `contact-ID` or `room-ID`.
        slot: Slot,
        #[command(flatten)]
        config: Config,
        #[command(flatten)]
        data: Data,
    },
}

/// Carries it out.
pub fn run(command: RecordingsCommand) -> Result<ExitCode, CliError> {
    let mut out = std::io::stdout().lock();
    match command {
        RecordingsCommand::List { config, data, json } => {
            let home = plan::household(&config.file)?;
            let texts = Texts::new(home.language);
            for row in recordings::list(&data.folder, &home) {
                let Row { slot, recorded, .. } = &row;
                if json {
                    let words = words(&row, &texts);
                    let line =
                        json!({"slot": slot.to_string(), "name": words, "recorded": recorded});
                    writeln!(out, "{line}")?;
                } else {
                    let key = if *recorded { "recording-there" } else { "recording-missing" };
                    let (slot, name) = (slot.to_string(), words(&row, &texts));
                    writeln!(out, "{}", texts.format(key, &[("slot", &slot), ("name", &name)]))?;
                }
            }
        }
        RecordingsCommand::Add { file, slot, config, data } => {
            let home = plan::household(&config.file)?;
            let texts = Texts::new(home.language);
            let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let slot = slot
                .map_or_else(|| stem.parse::<Slot>(), Ok)
                .map_err(|error| CliError::Recording(error.to_string()))?;
            let sound = read(&file)?;
            let seconds = recordings::add(&data.folder, &home, &slot, &sound)
                .map_err(|refused| refusal(&refused, &home, &texts))?;
            let (slot, seconds) = (slot.to_string(), format!("{seconds:.1}"));
            let kept = texts.format("recording-kept", &[("slot", &slot), ("seconds", &seconds)]);
            writeln!(out, "{kept} {}", tell(&data.folder, &texts))?;
        }
        RecordingsCommand::Remove { slot, config, data } => {
            let texts = Texts::new(plan::household(&config.file)?.language);
            let removed = recordings::remove(&data.folder, &slot)?;
            let slot = slot.to_string();
            if !removed {
                writeln!(out, "{}", texts.format("recording-none", &[("slot", &slot)]))?;
                return Ok(ExitCode::FAILURE);
            }
            let gone = texts.format("recording-removed", &[("slot", &slot)]);
            writeln!(out, "{gone} {}", tell(&data.folder, &texts))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The words of a name; a room's as people call it.
fn words(row: &Row, texts: &Texts) -> String {
    let key = row.slot.to_string();
    match row.slot {
        Slot::Room(_) if texts.has(&key) => texts.get(&key),
        _ => row.words.clone(),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    let failed =
        |error: std::io::Error| CliError::Recording(format!("{}: {error}", file.display()));
    let mut sound = Vec::new();
    File::open(file).map_err(failed)?.take(MOST_BYTES).read_to_end(&mut sound).map_err(failed)?;
    Ok(sound)
}

fn refusal(refused: &Refused, home: &Household, texts: &Texts) -> CliError {
    CliError::Recording(match refused {
        Refused::NotOfThisHome(slot) => {
            let known: Vec<String> = anju_respond::out::speaker::slot::slots(home)
                .into_iter()
                .map(|(slot, _)| slot.to_string())
                .collect();
            let (slot, known) = (slot.to_string(), known.join(", "));
            texts.format("recording-unknown", &[("slot", &slot), ("known", &known)])
        }
        Refused::Unusable(unusable) => {
            format!("{} ({unusable})", texts.get(unusable.key()))
        }
        Refused::Disk(error) => error.to_string(),
    })
}

/// Tells a running daemon; what is to be known of that.
fn tell(data: &Path, texts: &Texts) -> String {
    match control::ask(data, &Ask::Recordings, |_| Ok(())) {
        Some(Ok(())) => texts.get("recording-in-use"),
        Some(Err(why)) => why,
        None => texts.get("recording-later"),
    }
}
