//! Stores once what the sound files of all prompts begin with: the encoder's tables, which are most
//! of a short one. `OUT_DIR/prompts/head` is that beginning, and `<language>/<id>` the rest of each.

use std::io;
use std::path::{Path, PathBuf};

const LANGUAGES: [&str; 2] = ["zh-CN", "en"];

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=prompts");
    let out = std::env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    let out = Path::new(&out).join("prompts");
    let mut sounds: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for language in LANGUAGES {
        std::fs::create_dir_all(out.join(language))?;
        for file in std::fs::read_dir(Path::new("prompts").join(language))? {
            let path = file?.path();
            if let (Some(id), Some("ogg")) =
                (path.file_stem(), path.extension().and_then(|extension| extension.to_str()))
            {
                sounds.push((out.join(language).join(id), std::fs::read(&path)?));
            }
        }
    }
    let first = sounds.first().map(|(_, bytes)| bytes.clone()).unwrap_or_default();
    let alike = |bytes: &[u8]| first.iter().zip(bytes).take_while(|(a, b)| a == b).count();
    let head = sounds.iter().map(|(_, bytes)| alike(bytes)).min().unwrap_or(0);
    std::fs::write(out.join("head"), first.get(..head).unwrap_or_default())?;
    for (path, bytes) in &sounds {
        std::fs::write(path, bytes.get(head..).unwrap_or_default())?;
    }
    Ok(())
}
