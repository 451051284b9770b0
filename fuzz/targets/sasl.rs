#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ldapgate_fuzz::sasl(data));
