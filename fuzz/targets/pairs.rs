//! key=value lines.
#![no_main]

use garrison_decode::Decoder;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut decoder = Decoder::default();
    for (number, line) in (1..).zip(data.split(|byte| *byte == b'\n')) {
        let line = [&b"a=1 "[..], line].concat();
        decoder.decode(&line, number, &mut |record| {
            for &column in garrison_decode::column::ALL {
                let _ = record.column(column);
            }
        });
    }
    decoder.finish(&mut |_| {});
});
