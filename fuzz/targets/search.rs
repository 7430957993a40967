//! The filter language: any text is a query or an error that points into it, a query's own text means the same,
//! and its words are found as they are defined. Any text is a moment or an error.
#![no_main]

use garrison_search::{Finder, complete, matches_text, parse, time};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = time(text, Timestamp::UNIX_EPOCH);
    let _ = complete(text, text.len(), &["host", "user"], &|_| vec!["a b".to_owned()]);
    match parse(text) {
        Err(error) => {
            let _ = error.pointed(text);
        }
        Ok(query) => {
            let canonical = query.to_string();
            if let Ok(again) = parse(&canonical) {
                assert_eq!(query, again, "{canonical}");
            } else {
                assert!(canonical.len() > text.len(), "{canonical}");
            }
            if let garrison_search::Query::Text(pattern) = &query {
                assert_eq!(Finder::new(pattern.clone()).matches(text), matches_text(pattern, text), "{text}");
            }
        }
    }
});
