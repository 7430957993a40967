//! Lines with a syslog priority: RFC 3164, RFC 5424, programs, firewall, Cisco.
#![no_main]

use garrison_decode::Decoder;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut decoder = Decoder::default();
    for (number, line) in (1..).zip(data.split(|byte| *byte == b'\n')) {
        let line = [&b"<34>"[..], line].concat();
        decoder.decode(&line, number, &mut |record| {
            for &column in garrison_decode::column::ALL {
                let _ = record.column(column);
            }
        });
    }
    decoder.finish(&mut |_| {});
});
