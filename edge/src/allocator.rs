//! How the C library's allocator gives memory back. It reads its settings once, when a program
//! starts, so the daemon starts itself again with them. Must never keep the daemon from starting.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// From which size on, bytes, a block is mapped by itself and unmapped when it is freed. Left
/// alone, glibc raises it to the largest block that was ever freed (mallopt(3), `M_MMAP_THRESHOLD`):
/// after the first prompt's sound, a megabyte and more would stay with the allocator for good.
const MAP_FROM: (&str, &str) = ("MALLOC_MMAP_THRESHOLD_", "131072");

/// Starts this program again with the allocator's settings unless it has them, or others of the
/// maintainer's. Returns only then, or if that can not be done: it runs as well, only larger.
pub fn settle() {
    let (name, value) = MAP_FROM;
    if env::var_os(name).is_some() {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut arguments = env::args_os();
    let name_of_ours = arguments.next().unwrap_or_else(|| program.clone().into_os_string());
    let mut again = Command::new(&program);
    let error = again.arg0(name_of_ours).args(arguments).env(name, value).exec();
    tracing::debug!(%error, "the allocator keeps its own settings");
}
