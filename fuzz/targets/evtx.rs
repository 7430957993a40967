//! A Windows event file: one header, then the input as chunks.
#![no_main]

use garrison_decode::{Decoder, evtx};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut file = evtx::MAGIC.to_vec();
    file.resize(4096, 0);
    // Chunks begin as real ones do, or nothing behind the first check would be reached.
    file.extend_from_slice(b"ElfChnk\0");
    file.extend_from_slice(data);
    file.resize(4096 + 65_536, 0);
    let mut decoder = Decoder::default();
    let mut reader = evtx::Reader::default();
    reader.push(&file, &mut |record| {
        if let Ok((number, json)) = record {
            decoder.decode_evtx(&json, number, &mut |_| {});
        }
    });
    reader.finish(&mut |_| {});
});
