//! The acts, one to a file.

mod mark_overdue;
mod note;
mod open;
mod sign;

pub use mark_overdue::MarkOverdue;
pub use note::{NoteReview, ReviewNoted};
pub use open::{OpenReviews, Opened};
pub use sign::{ReviewSigned, SignReview};
