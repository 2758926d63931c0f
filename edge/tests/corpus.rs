//! Replays the committed corpora through the fuzz targets, and what random changes make of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "common/corpus.rs"]
mod corpus;

#[test]
fn every_corpus_and_what_chance_makes_of_it_is_survived() {
    corpus::replay(env!("CARGO_MANIFEST_DIR"), anju_edge::fuzzed::TARGETS);
}
