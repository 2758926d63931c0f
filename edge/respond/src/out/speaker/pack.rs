//! A pack of recordings that are heard instead of the built-in prompts: a dialect, or the family's
//! own voices. A folder of sound files: `<id of a prompt>` (`smoke.ogg`), and a slot (`room-<room>`,
//! `contact-<id>`, `person-<id>`) for names that the box has no prompt for; Ogg Vorbis of one channel
//! or WAV of 16 bits. It is read once, beside the sound thread, and kept in memory, so that no alarm ever
//! waits for a disk. What is missing, broken or too large is left out, and the prompt is heard.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::samples::from_wav;
use super::slot::Slot;
use crate::prompts::{Pcm, PromptId, decode};

/// Largest file, in bytes: a minute of WAV at 24 kHz.
const MOST_BYTES: u64 = 3 * 1024 * 1024;
/// Most bytes of a whole pack.
const MOST_ALL_BYTES: u64 = 32 * 1024 * 1024;
/// Most files that are looked at.
const MOST_FILES: usize = 1000;

/// The recordings by their names.
#[derive(Debug, Default)]
pub struct Pack {
    sounds: BTreeMap<String, Vec<u8>>,
}

/// A file of a pack that can not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// Its name.
    pub file: String,
    /// Why, and the mend.
    pub why: String,
}

impl Pack {
    /// Reads a folder. May wait for the disk. What can not be used is told, the rest is used.
    pub fn read(folder: &Path) -> (Self, Vec<Unfit>) {
        let (mut pack, mut unfit, mut all_bytes) = (Self::default(), Vec::new(), 0);
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                let why = format!("the folder can not be read: {error}");
                return (pack, vec![Unfit { file: folder.display().to_string(), why }]);
            }
        };
        let mut files: Vec<_> =
            entries.flatten().take(MOST_FILES).map(|entry| entry.path()).collect();
        files.sort();
        for path in files {
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let (Some(name), Some("ogg" | "wav")) = (
                path.file_stem().and_then(|s| s.to_str()),
                path.extension().and_then(|e| e.to_str()),
            ) else {
                // A licence, or a list of who speaks.
                continue;
            };
            match sound(&path, name, MOST_ALL_BYTES - all_bytes) {
                Ok(bytes) => {
                    all_bytes += bytes.len() as u64;
                    pack.sounds.insert(name.to_owned(), bytes);
                }
                Err(why) => unfit.push(Unfit { file, why }),
            }
        }
        (pack, unfit)
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sounds.keys().map(String::as_str)
    }

    /// How many recordings there are.
    pub fn len(&self) -> usize {
        self.sounds.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sounds.is_empty()
    }

    /// Prompts that nobody recorded.
    pub fn missing(&self) -> impl Iterator<Item = PromptId> {
        PromptId::ALL.iter().copied().filter(|id| !self.sounds.contains_key(id.as_str()))
    }

    fn get(&self, name: &str) -> Option<Pcm> {
        heard(self.sounds.get(name)?).ok()
    }
}

/// The bytes of one recording, if they can be heard.
fn sound(path: &Path, name: &str, room: u64) -> Result<Vec<u8>, String> {
    if !is_known(name) {
        return Err("no prompt has that name; see the list of prompts".to_owned());
    }
    let read = |error: std::io::Error| format!("it can not be read: {error}");
    let size = std::fs::metadata(path).map_err(read)?.len();
    if size > MOST_BYTES.min(room) {
        return Err(format!("it has {size} bytes; make it shorter, or a smaller Ogg Vorbis file"));
    }
    let bytes = std::fs::read(path).map_err(read)?;
    heard(&bytes).map(|_| bytes)
}

fn is_known(name: &str) -> bool {
    name.parse::<PromptId>().is_ok() || name.parse::<Slot>().is_ok()
}

pub(super) fn heard(bytes: &[u8]) -> Result<Pcm, String> {
    if bytes.starts_with(b"RIFF") {
        let pcm = from_wav(bytes).filter(|pcm| !pcm.samples.is_empty());
        return pcm.ok_or_else(|| "save it as WAV of 16 bits".to_owned());
    }
    decode(bytes).map_err(|error| error.to_string())
}

/// A pack that may still be on its way from the disk; until then there is none.
#[derive(Debug, Clone, Default)]
pub(super) struct Coming(Arc<OnceLock<Pack>>);

impl Coming {
    /// Begins to read the family's recordings, which go first, and a pack, in a thread of its own. A
    /// family that recorded nothing has no folder.
    pub(super) fn begin(recordings: Option<PathBuf>, pack: Option<PathBuf>) -> Self {
        let coming = Self::default();
        let place = coming.0.clone();
        if recordings.is_none() && pack.is_none() {
            // Nobody else sets it, here and below.
            let _ = place.set(Pack::default());
            return coming;
        }
        let reading = std::thread::Builder::new().name("voices".to_owned()).spawn(move || {
            let mut all = Pack::default();
            let recordings = recordings.filter(|folder| folder.is_dir());
            for folder in recordings.into_iter().chain(pack) {
                let (pack, unfit) = Pack::read(&folder);
                for Unfit { file, why } in unfit {
                    tracing::warn!(file, why, "a recording is left out; the built-in one is said");
                }
                let (recordings, folder) = (pack.len(), folder.display());
                tracing::info!(recordings, %folder, "voices are read");
                for (name, sound) in pack.sounds {
                    all.sounds.entry(name).or_insert(sound);
                }
            }
            let _ = place.set(all);
        });
        if let Err(error) = reading {
            tracing::warn!(%error, "no thread to read the voices; the built-in prompts are said");
        }
        coming
    }

    /// A recording of that name.
    pub(super) fn get(&self, name: &str) -> Option<Pcm> {
        self.0.get()?.get(name)
    }

    /// Waits until it is read. Whether it has one of that name.
    pub(super) fn wait_for(&self, name: &str) -> bool {
        self.0.wait().sounds.contains_key(name)
    }
}

#[cfg(test)]
mod tests {
    use anju_model::Language;

    use super::*;
    use crate::prompts::ogg;

    fn wav(samples: &[i16]) -> Vec<u8> {
        let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
        bytes.extend(16_000_u32.to_le_bytes());
        bytes.extend(32_000_u32.to_le_bytes());
        bytes.extend([2, 0, 16, 0]);
        bytes.extend(b"data");
        bytes.extend((samples.len() as u32 * 2).to_le_bytes());
        bytes.extend(samples.iter().flat_map(|s| s.to_le_bytes()));
        bytes
    }

    #[test]
    fn what_can_be_heard_is_taken_and_the_rest_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
        write("smoke.ogg", &ogg(PromptId::RoomHall, Language::En));
        write("contact-daughter.wav", &wav(&[1, 2, 3]));
        write("room-attic.wav", &wav(&[4; 100]));
        write("README.txt", b"who speaks");
        write("gas.ogg", b"no sound at all");
        write("gaz.ogg", &ogg(PromptId::Gas, Language::En));
        write("leak.wav", &vec![0; 4 << 20]);
        std::fs::create_dir(folder.path().join("test.ogg")).unwrap();
        let (pack, unfit) = Pack::read(folder.path());
        assert_eq!(pack.len(), 3);
        assert_eq!(pack.get("contact-daughter").unwrap().samples, [1, 2, 3]);
        assert_eq!(pack.get("gas"), None);
        assert_eq!(pack.missing().count(), PromptId::ALL.len() - 1);
        let told: Vec<&str> = unfit.iter().map(|unfit| unfit.file.as_str()).collect();
        assert_eq!(told, ["gas.ogg", "gaz.ogg", "leak.wav", "test.ogg"]);
        let (none, told) = Pack::read(&folder.path().join("nowhere"));
        assert!(none.is_empty() && told.len() == 1);
    }
}
