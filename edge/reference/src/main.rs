//! Writes the reference into the folder given, or beside this crate.

use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("pages");
    let folder = std::env::args_os().nth(1).map_or_else(beside, PathBuf::from);
    if folder.join("events").exists() {
        std::fs::remove_dir_all(folder.join("events"))?;
    }
    std::fs::create_dir_all(folder.join("events"))?;
    for page in anju_reference::pages() {
        std::fs::write(folder.join(&page.name), &page.text)?;
    }
    Ok(())
}
