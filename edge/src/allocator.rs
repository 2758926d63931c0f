//! How the C library's allocator gives memory back. It reads its settings once, when a program
//! starts, so the daemon starts itself again with them. Must never keep the daemon from starting.

use std::env;
use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStringExt;

use nix::unistd::execve;

/// From which size on, bytes, a block is mapped by itself and unmapped when it is freed. Left
/// alone, glibc raises it to the largest block that was ever freed (mallopt(3), `M_MMAP_THRESHOLD`):
/// after the first prompt's sound, a megabyte and more would stay with the allocator for good.
const MAP_FROM: (&str, &str) = ("MALLOC_MMAP_THRESHOLD_", "131072");

/// Starts this program again with the allocator's settings unless it has them, or others of the
/// maintainer's. Returns only then, or if that can not be done (as where an emulator runs a program
/// of another machine): it runs as well, only larger.
pub fn settle() {
    let (name, value) = MAP_FROM;
    if env::var_os(name).is_some() {
        return;
    }
    let path = env::current_exe().ok().and_then(|path| text(path.into_os_string()));
    let arguments: Option<Vec<CString>> = env::args_os().map(text).collect();
    let settings = env::vars_os().map(|(mut name, value)| {
        name.push("=");
        name.push(value);
        name
    });
    let settings = settings.chain([OsString::from(format!("{name}={value}"))]);
    let settings: Option<Vec<CString>> = settings.map(text).collect();
    let (Some(path), Some(arguments), Some(settings)) = (path, arguments, settings) else { return };
    // No search by a shell: one would take a file that the kernel refuses for a script.
    let Err(error) = execve(&path, &arguments, &settings);
    tracing::debug!(%error, "the allocator keeps its own settings");
}

fn text(text: OsString) -> Option<CString> {
    CString::new(text.into_vec()).ok()
}
