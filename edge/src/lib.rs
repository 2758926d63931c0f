//! The parts of the daemon that stand alone: parsers that tests and fuzzers reach from outside.

pub mod ask;
pub mod fuzzed;
