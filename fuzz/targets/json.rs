//! JSON objects: Windows in every shape, journal, CloudTrail, Zeek, others.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::lines(b"{\"", data));
