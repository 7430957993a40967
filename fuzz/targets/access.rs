//! Access log lines.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::lines(b"192.0.2.1 - - [22/Nov/2026:10:00:00 +0000] \"", data));
