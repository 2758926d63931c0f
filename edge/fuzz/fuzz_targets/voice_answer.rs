#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| anju_respond::out::speaker::tts::fuzzed(bytes));
