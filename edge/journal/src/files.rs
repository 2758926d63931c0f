//! Small files that must be whole or absent: temporary, fsync, rename, fsync of the folder.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Forces a folder's entries to the disk.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Writes `bytes` to `dir/name` so that a reader sees the old or the new content, never a mixture.
/// With `keep`, the old content goes on under that name. Only its owner can read it, whatever the
/// umask is.
///
/// # Errors
/// When the folder can not be written.
pub fn replace(dir: &Path, name: &str, keep: Option<&str>, bytes: &[u8]) -> io::Result<()> {
    let temporary = dir.join(format!("{name}.new"));
    let mut open = OpenOptions::new();
    let mut file = open.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    // One that was left over keeps the mode it had.
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    if let Some(keep) = keep {
        match fs::rename(dir.join(name), dir.join(keep)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    fs::rename(&temporary, dir.join(name))?;
    sync_dir(dir)
}

/// Removes a file durably; one that is not there is fine.
pub(crate) fn remove(dir: &Path, name: &str) -> io::Result<()> {
    match fs::remove_file(dir.join(name)) {
        Ok(()) => sync_dir(dir),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
    }
}

/// A file's content; `None` when it is not there.
pub(crate) fn read(dir: &Path, name: &str) -> io::Result<Option<Vec<u8>>> {
    match fs::read(dir.join(name)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// A line of words with their CRC at the end, readable by people.
pub(crate) fn seal(words: &str) -> Vec<u8> {
    format!("{words} {:08x}\n", crc32fast::hash(words.as_bytes())).into_bytes()
}

/// Undoes [`seal`]; `None` when the line is not whole.
pub(crate) fn unseal(bytes: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
    let (words, crc) = line.rsplit_once(' ')?;
    let crc = (crc.len() == 8).then(|| u32::from_str_radix(crc, 16).ok())??;
    (crc == crc32fast::hash(words.as_bytes())).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_its_owner_s_alone() {
        let dir = tempfile::tempdir().unwrap();
        let left_over = dir.path().join("name.new");
        fs::write(&left_over, b"half").unwrap();
        fs::set_permissions(&left_over, Permissions::from_mode(0o666)).unwrap();
        replace(dir.path(), "name", None, b"whole").unwrap();
        let metadata = fs::metadata(dir.path().join("name")).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read(dir.path().join("name")).unwrap(), b"whole");
    }
}
