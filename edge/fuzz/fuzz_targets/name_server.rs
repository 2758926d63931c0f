#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| anju_uplinks::fuzzed(bytes));
