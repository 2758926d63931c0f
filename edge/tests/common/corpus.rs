//! Runs fuzz targets over their committed corpora, without a fuzzer.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Changes made of each seed.
const CHANGES: u64 = 40;

/// No input may hold a decoder up for longer; a target does each input's work several times, and a
/// debug build on a loaded machine is slow.
const LONGEST: Duration = Duration::from_secs(10);

/// A small generator of numbers (Marsaglia's xorshift64), so that a failure can be had again.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }

    /// Breaks some bytes in one of several ways.
    pub fn change(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        match self.below(6) {
            0 => bytes.truncate(self.below(seed.len())),
            1 => {
                let at = self.below(seed.len());
                bytes.splice(at..at, self.next().to_le_bytes());
            }
            2 => bytes.extend_from_within(self.below(seed.len())..),
            3 => {
                let at = self.below(seed.len());
                let end = (at + self.below(16)).min(seed.len());
                bytes.drain(at..end);
            }
            _ => {
                for _ in 0..=self.below(8) {
                    let at = self.below(seed.len());
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = self.next() as u8;
                    }
                }
            }
        }
        bytes
    }
}

/// What a target is: its name and what takes the bytes.
type Target = (&'static str, fn(&[u8]));

/// Replays `fuzz/corpus/<target>` of a package. Every target has a wrapper and a corpus, and there
/// is no corpus or wrapper without its target.
pub fn replay(package: &str, targets: &[Target]) {
    let fuzz = Path::new(package).join("fuzz");
    let mut names: Vec<String> = targets.iter().map(|(name, _)| (*name).to_owned()).collect();
    names.sort();
    assert_eq!(listed(&fuzz.join("corpus"), ""), names, "one corpus for each target");
    assert_eq!(listed(&fuzz.join("fuzz_targets"), ".rs"), names, "one wrapper for each target");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for (name, target) in targets {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} has no [[bin]]");
        let mut seeds = Vec::new();
        for entry in fs::read_dir(fuzz.join("corpus").join(name)).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            run(target, &bytes, &path.display().to_string());
            seeds.push((path.display().to_string(), bytes));
        }
        assert!(!seeds.is_empty(), "the corpus of {name} is empty");
        seeds.sort();
        for (path, seed) in &seeds {
            let mut chance = Chance::new(seed.len() as u64);
            for round in 0..CHANGES {
                let changed = chance.change(seed);
                run(target, &changed, &format!("change {round} of {path}: {}", show(&changed)));
            }
        }
        let mut chance = Chance::new(7);
        for size in [0, 1, 2, 3, 10, 100, 1_000, 20_000] {
            let bytes = chance.bytes(size);
            run(target, &bytes, &format!("{name}, {size} random bytes"));
        }
        // Far longer than anything the wire carries, and made of sound parts.
        let long: Vec<u8> = seeds
            .iter()
            .cycle()
            .take(200)
            .flat_map(|(_, s)| s.iter().copied())
            .take(200_000)
            .collect();
        run(target, &long, &format!("{name}, {} bytes of seeds", long.len()));
    }
}

fn run(target: &fn(&[u8]), bytes: &[u8], what: &str) {
    let began = Instant::now();
    let result = std::panic::catch_unwind(|| target(bytes));
    assert!(result.is_ok(), "it panicked on {what}");
    assert!(began.elapsed() < LONGEST, "{what} took {:?}", began.elapsed());
}

fn show(bytes: &[u8]) -> String {
    bytes
        .iter()
        .take(400)
        .flat_map(|byte| std::ascii::escape_default(*byte))
        .map(char::from)
        .collect()
}

fn listed(folder: &Path, ending: &str) -> Vec<String> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            entry
                .unwrap()
                .file_name()
                .into_string()
                .unwrap()
                .strip_suffix(ending)
                .map(str::to_owned)
        })
        .collect();
    names.sort();
    names
}
