//! Evidence packs: nobody without the key makes one that holds under it, and what holds is made again to the byte.
#![no_main]

use garrison_evidence::verify;
use garrison_transparency::Verifier;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(key) = Verifier::new("log.example", [7; 32]) else { return };
    assert!(verify(data, Some(&key)).is_err(), "nobody has the secret of this key");
    // Under a key of its own a pack may hold; then no byte of it is free.
    if verify(data, None).is_ok() {
        let longer = [data, b"\0"].concat();
        assert!(verify(&longer, None).is_err(), "nothing stands behind a pack");
    }
});
