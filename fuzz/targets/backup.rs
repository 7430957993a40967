//! The manifest of a backup that a stranger made, and what its objects may be called.
#![no_main]

use garrison_backup::{Manifest, ObjectName};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = Manifest::parse(data);
    if let Some(name) = str::from_utf8(data).ok().and_then(|text| text.parse::<ObjectName>().ok()) {
        assert!(name.as_str().split('/').all(|part| !matches!(part, "" | "." | "..")));
    }
});
