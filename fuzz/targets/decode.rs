//! A stream of anything: framing and every decoder.
#![no_main]

use garrison_decode::{Decoder, Framer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut framer = Framer::default();
    let mut decoder = Decoder::default();
    // The first byte chooses how the stream is cut into chunks.
    let size = usize::from(data.first().copied().unwrap_or(1)).max(1);
    for chunk in data.chunks(size) {
        framer.push(chunk, &mut |frame| decoder.decode(frame.bytes, frame.line, &mut |_| {}));
    }
    framer.finish(&mut |frame| decoder.decode(frame.bytes, frame.line, &mut |_| {}));
    decoder.finish(&mut |_| {});
});
