//! A follower's place, in a small file of its own: two slots, written in turn.
//!
//! `DIR/cursors/<name>.<lane>` holds two slots of 32 bytes: generation, journal id, seq, CRC (u64
//! three times, u32, four zero bytes; little-endian). The newer whole slot counts. A write goes to
//! the page cache at once, so that it survives the death of the process; forcing it to the disk
//! is someone else's business and happens off the hot path.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::types::Lane;

const SLOT: usize = 32;

/// Who follows: one cursor for each pair.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    pub name: String,
    pub lane: Lane,
}

impl Key {
    /// Names become file names: `[a-z0-9-]{1,64}`.
    pub fn new(name: &str, lane: Lane) -> Option<Key> {
        let fits = (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        fits.then(|| Key { name: name.to_owned(), lane })
    }

    pub fn file_name(&self) -> String {
        format!("{}.{}", self.name, self.lane)
    }

    fn from_file_name(file: &str) -> Option<Key> {
        let (name, lane) = file.rsplit_once('.')?;
        let lane = Lane::ALL.into_iter().find(|l| l.name() == lane)?;
        Key::new(name, lane)
    }
}

/// An open cursor file.
#[derive(Debug)]
pub(crate) struct CursorFile {
    file: File,
    generation: u64,
    /// What was written last: journal, seq.
    written: Option<(u64, u64)>,
}

fn slot(generation: u64, journal: u64, seq: u64) -> [u8; SLOT] {
    let mut bytes = [0; SLOT];
    bytes[..8].copy_from_slice(&generation.to_le_bytes());
    bytes[8..16].copy_from_slice(&journal.to_le_bytes());
    bytes[16..24].copy_from_slice(&seq.to_le_bytes());
    let crc = crc32fast::hash(&bytes[..24]);
    bytes[24..28].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// Generation, journal, seq of a whole slot.
fn parse(bytes: &[u8]) -> Option<(u64, u64, u64)> {
    let word =
        |at: usize| bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
    let crc = bytes.get(24..28).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes)?;
    if crc != crc32fast::hash(bytes.get(..24)?) {
        return None;
    }
    Some((word(0)?, word(8)?, word(16)?))
}

impl CursorFile {
    /// Opens or creates; returns the file and where it stands (journal id, seq), if anywhere.
    pub fn open(dir: &Path, key: &Key) -> io::Result<(CursorFile, Option<(u64, u64)>)> {
        let path = dir.join(key.file_name());
        let file =
            File::options().read(true).write(true).create(true).truncate(false).open(&path)?;
        let bytes = fs::read(&path)?;
        let best = bytes.chunks(SLOT).take(2).filter_map(parse).max();
        let generation = best.map_or(0, |(generation, _, _)| generation);
        let written = best.map(|(_, journal, seq)| (journal, seq));
        Ok((CursorFile { file, generation, written }, written))
    }

    /// Writes the place unless the file is there or further already.
    pub fn advance(&mut self, journal: u64, seq: u64) -> io::Result<()> {
        match self.written {
            Some((of, at)) if of == journal && at >= seq => Ok(()),
            _ => self.write(journal, seq),
        }
    }

    /// Writes the place, back or forth, and forces it to the disk.
    pub fn set(&mut self, journal: u64, seq: u64) -> io::Result<()> {
        if self.written != Some((journal, seq)) {
            self.write(journal, seq)?;
            rustix::fs::fdatasync(&self.file)?;
        }
        Ok(())
    }

    /// Writes the place to the older slot.
    pub fn write(&mut self, journal: u64, seq: u64) -> io::Result<()> {
        self.generation += 1;
        let bytes = slot(self.generation, journal, seq);
        let at = (self.generation % 2) * SLOT as u64;
        let written = rustix::io::pwrite(&self.file, &bytes, at)?;
        if written != SLOT {
            return Err(io::Error::new(io::ErrorKind::WriteZero, "cursor slot written in part"));
        }
        self.written = Some((journal, seq));
        Ok(())
    }

    /// A second descriptor of the file, to force it to the disk without holding any lock.
    pub fn second(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}

/// All cursors there are.
pub(crate) fn list(dir: &Path) -> io::Result<Vec<Key>> {
    let mut keys = Vec::new();
    for entry in fs::read_dir(dir)? {
        if let Some(key) = entry?.file_name().to_str().and_then(Key::from_file_name) {
            keys.push(key);
        }
    }
    keys.sort();
    Ok(keys)
}

/// The folder of cursors.
pub(crate) fn folder(dir: &Path) -> PathBuf {
    dir.join("cursors")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newer_whole_slot_counts() -> io::Result<()> {
        let dir = tempfile::tempdir()?;
        let key = Key::new("upstream", Lane::Alerts).ok_or(io::ErrorKind::InvalidInput)?;
        let (mut file, place) = CursorFile::open(dir.path(), &key)?;
        assert_eq!(place, None);
        for seq in [5, 9, 14] {
            file.write(77, seq)?;
            let (_, place) = CursorFile::open(dir.path(), &key)?;
            assert_eq!(place, Some((77, seq)));
        }
        // Tear the newest slot (generation 3, the second one): the one before it is found.
        let path = dir.path().join(key.file_name());
        let mut bytes = fs::read(&path)?;
        bytes[SLOT + 17] ^= 1;
        fs::write(&path, &bytes)?;
        let (mut file, place) = CursorFile::open(dir.path(), &key)?;
        assert_eq!(place, Some((77, 9)));
        file.write(77, 20)?;
        assert_eq!(CursorFile::open(dir.path(), &key)?.1, Some((77, 20)));
        assert_eq!(list(dir.path())?, vec![key]);
        Ok(())
    }

    #[test]
    fn names_are_file_names() {
        assert!(Key::new("live-view-2", Lane::Events).is_some());
        for bad in ["", "..", "a/b", "A", "名", &"x".repeat(65)] {
            assert!(Key::new(bad, Lane::Events).is_none(), "{bad}");
        }
    }
}
