//! Why a command on the server failed, and the exit code that tells it.

use std::fmt;
use std::io;

use garrison_base::Exit;
use serde::Deserialize;
use ureq::{Error, Timeout};

/// A failure with an exit code of its own. What has none is an ordinary error.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// The server's name for the kind of problem; empty where the server said nothing.
    pub kind: String,
    words: String,
}

/// What the server says when it refuses (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    advice: String,
    #[serde(default)]
    exit: u64,
}

impl Failure {
    /// A failure found on this side.
    pub fn new(exit: Exit, words: impl Into<String>) -> Self {
        Self { exit, kind: String::new(), words: words.into() }
    }

    /// What the caller gave makes no sense.
    pub fn usage(words: impl Into<String>) -> Self {
        Self::new(Exit::Usage, words)
    }

    /// An answer that is no success.
    pub fn answered(status: u16, body: &str, url: &str) -> Self {
        let Ok(problem) = serde_json::from_str::<Problem>(body) else {
            return Self::new(
                Exit::Failed,
                format!("{url} answers what no Garrison does, with status {status}"),
            );
        };
        // A detail of several lines points at a place: its columns must stay below each other.
        let pointing = problem.detail.contains('\n');
        let (colon, semicolon) = if pointing { (":\n", "\n") } else { (": ", "; ") };
        let mut words = problem.title;
        if !problem.detail.is_empty() && problem.detail != words {
            words = format!("{words}{colon}{}", problem.detail);
        }
        if !problem.advice.is_empty() {
            words = format!("{words}{semicolon}{}", problem.advice);
        }
        Self { exit: exit(problem.exit), kind: problem.kind, words }
    }

    /// No answer at all.
    pub fn unanswered(error: &Error, url: &str) -> Self {
        match error {
            Error::Timeout(Timeout::Connect | Timeout::Resolve)
            | Error::HostNotFound
            | Error::ConnectionFailed => {
                Self::new(Exit::Unreachable, format!("{url} does not answer: {error}"))
            }
            Error::Io(cause) if cause.kind() != io::ErrorKind::InvalidData => {
                Self::new(Exit::Unreachable, format!("{url} does not answer: {cause}"))
            }
            Error::Timeout(_) => Self::new(Exit::TimedOut, format!("{url} took too long: {error}")),
            // What rustls refuses was said by somebody.
            _ => Self::new(Exit::Failed, format!("asking {url}: {error}")),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.words)
    }
}

impl std::error::Error for Failure {}

/// The exit code of a number; a refusal is never 0.
fn exit(number: u64) -> Exit {
    const REFUSALS: [Exit; 9] = [
        Exit::Usage,
        Exit::Found,
        Exit::NotFound,
        Exit::Denied,
        Exit::Waiting,
        Exit::Conflict,
        Exit::TimedOut,
        Exit::Partial,
        Exit::Unreachable,
    ];
    REFUSALS.into_iter().find(|exit| u64::from(*exit as u8) == number).unwrap_or(Exit::Failed)
}

/// Whether a failure is of this kind.
pub fn is(error: &anyhow::Error, kind: &str) -> bool {
    error.downcast_ref::<Failure>().is_some_and(|failure| failure.kind == kind)
}

/// The exit code that an error carries, where it carries one.
pub fn exit_of(error: &anyhow::Error) -> Option<Exit> {
    error.downcast_ref::<Failure>().map(|failure| failure.exit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_tells_its_exit_code() {
        let body = r#"{"type":"object/not-found","title":"not found","status":404,
            "detail":"no node of that path","advice":"check the id","exit":4}"#;
        let failure = Failure::answered(404, body, "https://x");
        assert_eq!((failure.exit, failure.kind.as_str()), (Exit::NotFound, "object/not-found"));
        assert_eq!(failure.to_string(), "not found: no node of that path; check the id");
        for (number, wanted) in
            [(0, Exit::Failed), (1, Exit::Failed), (6, Exit::Waiting), (10, Exit::Unreachable)]
        {
            assert_eq!(exit(number), wanted, "{number}");
        }
    }

    #[test]
    fn a_detail_that_points_keeps_its_lines() {
        let body = r#"{"type":"log/query","title":"not understood","status":422,
            "detail":"a or\n  ^^","advice":"mend it","exit":2}"#;
        let failure = Failure::answered(422, body, "https://x");
        assert_eq!(failure.to_string(), "not understood:\na or\n  ^^\nmend it");
    }

    #[test]
    fn an_answer_of_somebody_else_is_a_plain_failure() {
        let failure = Failure::answered(502, "<html>", "https://x");
        assert_eq!(failure.exit, Exit::Failed);
        assert!(failure.to_string().contains("no Garrison") && failure.to_string().contains("502"));
    }

    #[test]
    fn silence_and_slowness_are_two_things() {
        let refused = Error::Io(io::Error::from(io::ErrorKind::ConnectionRefused));
        assert_eq!(Failure::unanswered(&refused, "u").exit, Exit::Unreachable);
        assert_eq!(Failure::unanswered(&Error::Timeout(Timeout::Connect), "u").exit, Exit::Unreachable);
        assert_eq!(Failure::unanswered(&Error::Timeout(Timeout::Global), "u").exit, Exit::TimedOut);
        let untrusted = Error::Io(io::Error::from(io::ErrorKind::InvalidData));
        assert_eq!(Failure::unanswered(&untrusted, "u").exit, Exit::Failed);
    }

    #[test]
    fn words_around_a_failure_leave_its_exit_code() {
        let error = anyhow::Error::from(Failure::new(Exit::NotFound, "x")).context("a").context("b");
        assert_eq!(exit_of(&error), Some(Exit::NotFound));
    }
}
