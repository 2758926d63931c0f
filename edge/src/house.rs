//! Loads the household's configuration for the daemon: leniently, with the last good copy as the
//! way back. A bad file must never leave a home unguarded.

use std::collections::btree_map::Entry;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use anju_model::config::{self, Device, Fault, Household, Parsed};
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

/// Reads a configuration with what the drivers of this version serve.
pub fn parse(bytes: &[u8], name: &str) -> Parsed {
    config::parse_bytes(bytes, name, &anju_drivers::catalogue::serves)
}

/// Loads the configuration. What a damaged text lost comes from the last good copy, or all of it if
/// the text can not be used at all.
///
/// # Errors
/// [`NoHousehold`] when neither can be used.
pub fn load(config: &Path, data: &Path) -> Result<Loaded, NoHousehold> {
    let copy = last_good(data);
    let reason = match read(config) {
        Ok((mut loaded, damaged)) => {
            let home = &loaded.household;
            // A file cut short between rows looks whole.
            let suspect = damaged || home.devices.is_empty() || home.contacts.is_empty();
            if suspect && let Ok((good, _)) = read(&copy) {
                let taken = fill(&mut loaded.household, good.household, damaged);
                if !taken.is_empty() {
                    let (config, copy, taken) =
                        (config.display(), copy.display(), taken.join(", "));
                    loaded.faults.push(format!(
                        "{config}: {taken} are no longer in it and stay as they were in the last \
                         good copy; mend the file, or remove {copy} if they are to go"
                    ));
                }
            }
            return Ok(loaded);
        }
        Err(reason) => reason,
    };
    match read(&copy) {
        Ok((mut loaded, _)) => {
            let fault = format!("{}: {reason}; the last good copy is in use", config.display());
            loaded.faults.insert(0, fault);
            Ok(loaded)
        }
        Err(_) => Err(NoHousehold { config: config.to_owned(), copy, reason }),
    }
}

/// Takes over from the last good copy what a damaged text lost; and, from any text that has no
/// device or no contact left, those. Says what was taken.
fn fill(home: &mut Household, good: Household, damaged: bool) -> Vec<String> {
    let mut taken = Vec::new();
    if damaged || home.devices.is_empty() {
        for (id, link) in good.links {
            if let Entry::Vacant(place) = home.links.entry(id) {
                taken.push(format!("`{}`", place.key()));
                place.insert(link);
            }
        }
        let lost = lost(&home.devices, good.devices, |device| &device.id, &mut taken);
        // A row that only lost its id is no device of its own.
        let same = |a: &Device, b: &Device| a.link == b.link && a.binding == b.binding;
        home.devices.retain(|device| lost.iter().all(|old| !same(old, device)));
        home.devices.extend(lost);
    }
    if damaged || home.contacts.is_empty() {
        let lost = lost(&home.contacts, good.contacts, |contact| &contact.id, &mut taken);
        home.contacts.extend(lost);
    }
    if damaged {
        let lost = lost(&home.persons, good.persons, |person| &person.id, &mut taken);
        home.persons.extend(lost);
        if home.upstream.is_none() && good.upstream.is_some() {
            taken.push("[upstream]".to_owned());
            home.upstream = good.upstream;
        }
        let channels = home.channels.clone().or(&good.channels);
        if channels != home.channels {
            taken.push("[channels]".to_owned());
            home.channels = channels;
        }
    }
    taken
}

/// The rows of the last good copy whose ids are not there any more; their ids are noted.
fn lost<T, I: PartialEq + Display>(
    now: &[T],
    good: Vec<T>,
    id: impl Fn(&T) -> &I,
    taken: &mut Vec<String>,
) -> Vec<T> {
    let gone = |old: &T| now.iter().all(|row| id(row) != id(old));
    let lost: Vec<T> = good.into_iter().filter(gone).collect();
    taken.extend(lost.iter().map(|row| format!("`{}`", id(row))));
    lost
}

/// What a file gave, and whether its text is damaged.
fn read(path: &Path) -> Result<(Loaded, bool), String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let name = path.display().to_string();
    let parsed = parse(&bytes, &name);
    let faults: Vec<String> = parsed.faults.iter().map(|fault| line(&name, fault)).collect();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    match parsed.household {
        Some(household) => Ok((Loaded { household, faults, text }, parsed.damaged)),
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    const HOME: &str = r#"schema = 1
[box]
id = "hz-1"
[[contact]]
id = "daughter"
role = "family"
channels = ["ntfy"]
ntfy_topic = "t"
[channels.ntfy]
url = "http://127.0.0.1:1"
[links.pins]
kind = "gpio"
[links.zigbee]
kind = "mqtt"
url = "mqtt://127.0.0.1:1883"
dialect = "zigbee2mqtt"
[[device]]
id = "sos"
kind = "fixed-alarm"
link = "zigbee"
address = "0x00158d0001e52fbb"
[[device]]
id = "hall"
kind = "motion"
link = "zigbee"
address = "0x00158d0001e52fbc"
"#;

    /// A home whose last good copy is `HOME`, and whose file was changed since.
    fn loaded(now: &[u8]) -> Loaded {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("anju.toml");
        std::fs::write(&file, HOME).unwrap();
        let first = load(&file, dir.path()).unwrap();
        assert_eq!(first.faults, [""; 0]);
        keep(&first, dir.path());
        std::fs::write(&file, now).unwrap();
        let loaded = load(&file, dir.path()).unwrap();
        keep(&loaded, dir.path());
        assert_eq!(std::fs::read_to_string(last_good(dir.path())).unwrap() == HOME, {
            !loaded.faults.is_empty()
        });
        loaded
    }

    fn devices(loaded: &Loaded) -> Vec<&str> {
        let mut ids: Vec<&str> = loaded.household.devices.iter().map(|d| d.id.as_str()).collect();
        ids.sort_unstable();
        ids
    }

    #[test]
    fn a_damaged_text_loses_no_device_and_nobody_who_is_told() {
        let cut = |at: &str| HOME.as_bytes()[..HOME.find(at).unwrap()].to_vec();
        let mut zeros = cut("[links.pins]");
        zeros.resize(HOME.len(), 0);
        let texts = [
            HOME.replace("[links.zigbee]", "[links.zigbee").into_bytes(),
            HOME.replace("id = \"sos\"", "id = sos").into_bytes(),
            HOME.replace("[[device]]\nid = \"hall\"", "[[device]\nid = \"hall\"").into_bytes(),
            cut("\"0x00158d0001e52fbb\""),
            // Cut between rows it is a sound text.
            cut("[[device]]\nid = \"sos\""),
            cut("[[contact]]"),
            zeros,
            [cut("[links.pins]"), vec![0xc9, 0xfa, b'\n']].concat(),
        ];
        for text in texts {
            let loaded = loaded(&text);
            let shown = String::from_utf8_lossy(&text).into_owned();
            assert_eq!(devices(&loaded), ["hall", "sos"], "{shown}");
            assert!(loaded.household.contact("daughter").is_some(), "{shown}");
            assert!(!loaded.faults.is_empty(), "{shown}");
        }
    }

    #[test]
    fn what_somebody_takes_out_of_a_sound_text_is_gone() {
        let without = &HOME[..HOME.find("[[device]]\nid = \"hall\"").unwrap()];
        let loaded = loaded(without.as_bytes());
        assert_eq!((devices(&loaded), loaded.faults.len()), (vec!["sos"], 0));
    }

    #[test]
    fn a_kind_that_nothing_serves_over_its_link_is_a_fault() {
        for (kind, serves) in [("water-leak", true), ("camera", false), ("blood-pressure", false)] {
            let text = HOME.replace("\"motion\"", &format!("\"{kind}\""));
            let faults = parse(text.as_bytes(), "anju.toml").faults;
            let told = faults.iter().any(|fault| fault.message.contains("no driver"));
            assert_eq!(told, !serves, "{kind}: {faults:?}");
        }
    }

    #[test]
    fn a_text_in_another_encoding_is_told_with_its_place() {
        let mut text = HOME.replace("\"daughter\"", "\"daughter\"\nname = \"??\"").into_bytes();
        let at = text.windows(2).position(|two| two == b"??").unwrap();
        text[at..at + 2].copy_from_slice(&[0xb6, 0xf9]);
        let faults = parse(&text, "anju.toml").faults;
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!((faults[0].line, faults[0].col), (6, 9));
        assert_eq!(faults[0].mend, "save it as UTF-8");
    }
}
