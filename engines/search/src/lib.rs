//! The filter language of `garrison log search`.
//!
//! Pure: it turns text into a [`Query`] and back, says where a query is wrong, and defines what a pattern
//! matches. Times stay text, because only the caller has a clock; [`time()`] reads them, told what is now.

mod complete;
mod error;
mod finder;
mod matching;
mod moment;
mod parse;
mod pattern;
mod query;
mod ready;
mod scan;

pub use complete::{Completion, complete};
pub use error::SyntaxError;
pub use finder::Finder;
pub use matching::{matches_text, matches_value};
pub use moment::time;
pub use parse::{MOST_BYTES, MOST_NESTED, MOST_TERMS, parse};
pub use pattern::{Part, Pattern, lower, words};
pub use query::{Op, Query, Test};
pub use ready::Ready;
