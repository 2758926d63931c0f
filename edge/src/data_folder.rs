//! The data folder: made where it is missing, and closed to other users whatever the umask is, since
//! it holds who lives here and what happened to them. It must never close a folder that is not the
//! daemon's own, or that is everybody's.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

/// Only for its owner.
const MODE: u32 = 0o700;

/// Of a folder that all users share, such as `/tmp`.
const STICKY: u32 = 0o1000;

/// Makes the folder with all above it, or closes the one that is there.
///
/// # Errors
/// When it can not be made or closed.
pub fn make(folder: &Path) -> io::Result<()> {
    if let Some(above) = folder.parent() {
        fs::create_dir_all(above)?;
    }
    match fs::DirBuilder::new().mode(MODE).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made,
    }
    let metadata = fs::metadata(folder)?;
    let ours = metadata.uid() == rustix::process::geteuid().as_raw();
    let mode = metadata.mode() & 0o7777;
    if ours && mode & STICKY == 0 && mode != MODE {
        fs::set_permissions(folder, Permissions::from_mode(MODE))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn the_folder_is_closed_to_others_whether_it_was_there_or_not() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("above").join("data");
        make(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        make(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
        fs::set_permissions(&folder, Permissions::from_mode(0o1777)).unwrap();
        make(&folder).unwrap();
        assert_eq!(mode(&folder), 0o1777, "a folder that all share is left alone");
    }
}
