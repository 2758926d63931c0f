//! The printed reference is what the code says now, so that a change of the interface is seen.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

#[test]
fn the_reference_is_what_the_code_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pages");
    let pages = anju_reference::pages();
    for page in &pages {
        let written = std::fs::read_to_string(folder.join(&page.name)).unwrap_or_default();
        assert!(written == page.text, "{} is not current; run `make reference`", page.name);
    }
    let events = pages.iter().filter(|page| page.name.starts_with("events/")).count();
    assert_eq!(std::fs::read_dir(folder.join("events")).unwrap().count(), events);
}
