#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ekernel_fuzz::data(data));
