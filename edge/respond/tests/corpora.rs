//! What fuzzing found, and where it begins, is read again with each test.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

fn replay(target: &str, read: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(!files.is_empty());
    files.iter().for_each(|file| read(&std::fs::read(file).unwrap()));
}

#[test]
fn replies_of_ntfy() {
    replay("ntfy_replies", anju_respond::out::ntfy::wire::fuzzed);
}

#[test]
fn answers_of_robots() {
    replay("robot_answer", anju_respond::out::robot::fuzzed);
}

#[test]
fn answers_by_text() {
    replay("sms_answer", anju_respond::out::sms::fuzzed);
}

#[test]
fn answers_of_voice_services() {
    replay("voice_answer", anju_respond::out::speaker::tts::fuzzed);
}
