//! Syslog on a stream: however the bytes are cut, the same messages come out.
#![no_main]

use garrison_decode::{Events, SyslogFramer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((size, bytes)) = data.split_first() else { return };
    let read = |size: usize| {
        let (mut framer, mut events) = (SyslogFramer::default(), Events::default());
        bytes.chunks(size.max(1)).for_each(|chunk| framer.push(chunk, &mut events));
        framer.finish(&mut events);
        let events: Vec<Vec<u8>> = events.iter().map(<[u8]>::to_vec).collect();
        (events, framer.take_refused())
    };
    assert_eq!(read(bytes.len()), read(usize::from(*size)));
});
