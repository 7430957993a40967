//! Times in every form.
#![no_main]

use garrison_decode::time::{Guess, parse};
use jiff::Timestamp;
use jiff::tz::Offset;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let guess = Guess { latest: Timestamp::UNIX_EPOCH, zone: Offset::UTC };
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = parse(text, &guess);
    }
});
