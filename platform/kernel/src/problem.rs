//! What went wrong, for the person who asked (RFC 9457).

use garrison_base::Exit;

/// A kind of problem: one row of the registry that the API, the command line and the documents share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProblemType {
    /// `noun/adjective`
    pub name: &'static str,
    /// In a few words, the same every time.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The exit code of the command line.
    pub exit: Exit,
    /// What to do next.
    pub advice: &'static str,
}

/// An error that a person is told of.
pub trait Problem: std::error::Error + Send + Sync + 'static {
    /// Its kind. `Display` tells the details: what was being done, with ids, without secrets.
    fn kind(&self) -> &'static ProblemType;

    /// When it makes sense to try again, where that is known.
    fn retry_at(&self) -> Option<garrison_base::Timestamp> {
        None
    }
}

/// Declares problem types and the registry of them.
#[macro_export]
macro_rules! problem_types {
    ($($(#[$doc:meta])* $name:ident = $kind:literal, $title:literal, $status:literal, $exit:ident, $advice:literal;)*) => {
        $(
            $(#[$doc])*
            pub static $name: $crate::ProblemType = $crate::ProblemType {
                name: $kind, title: $title, status: $status, exit: $crate::Exit::$exit, advice: $advice,
            };
        )*
        /// All of them.
        pub static ALL: &[&$crate::ProblemType] = &[$(&$name),*];
    };
}

/// The kernel's own problems.
pub mod problems {
    crate::problem_types! {
        /// Nobody is logged in, or the session has ended.
        UNAUTHENTICATED = "session/missing", "nobody is logged in", 401, Denied,
            "log in with `garrison login`, or send an API token";
        /// Policy says no.
        DENIED = "access/denied", "not allowed", 403, Denied,
            "`garrison access explain` tells which grant is missing; ask the node's owner for it";
        /// It does not exist, or may not be seen.
        NOT_FOUND = "object/not-found", "not found", 404, NotFound,
            "check the id; what you may not see is not found either";
        /// Somebody changed it meanwhile.
        CHANGED = "object/changed", "it was changed meanwhile", 409, Conflict,
            "look at it again, then decide again";
        /// The name is taken.
        EXISTS = "object/exists", "it exists already", 409, Conflict,
            "choose another name, or use the one that is there";
        /// The request cannot be understood.
        MALFORMED = "request/malformed", "the request cannot be understood", 400, Usage,
            "the detail tells the place; the API's document tells the form";
        /// The request is understood and makes no sense.
        INVALID = "request/invalid", "a value is not valid", 422, Usage,
            "the detail tells which value and what it may be";
        /// The request is too large.
        TOO_LARGE = "request/too-large", "the request is too large", 413, Usage,
            "send less at once";
        /// The body is not JSON.
        MEDIA_TYPE = "request/media-type", "the body must be JSON", 415, Usage,
            "send `Content-Type: application/json`";
        /// There is no such method here.
        METHOD = "request/method", "this method does not exist here", 405, Usage,
            "the API's document tells which do";
        /// The same idempotency key came with another request.
        KEY_REUSED = "idempotency/reused", "the idempotency key belongs to another request", 422, Usage,
            "use a new key for a new request";
        /// The waiting act was decided already.
        REQUEST_DECIDED = "approval/decided", "the request was decided already", 409, Conflict,
            "look at the request: its state tells what came of it";
        /// What a waiting act rests on has changed.
        REQUEST_VOID = "approval/void", "what the request rests on has changed", 409, Conflict,
            "ask again: approvers must see what will really be done";
        /// Nobody may approve what he asked for, nor twice.
        NOT_AN_APPROVER = "approval/not-yours", "you cannot fill a slot of this request", 403, Denied,
            "the request tells which roles its open slots demand";
        /// It needs a login, not a token.
        NEEDS_LOGIN = "session/needs-login", "an API token cannot do this", 403, Denied,
            "log in with `garrison login`";
        /// Too many at once.
        TOO_MANY = "rate/exceeded", "too many attempts", 429, Denied,
            "wait as long as `Retry-After` tells";
        /// The database does not answer.
        UNAVAILABLE = "server/unavailable", "the server cannot do this now", 503, Failed,
            "try again; if it lasts, `garrison doctor` on the machine tells why";
        /// The journal does not take records.
        JOURNAL = "server/journal", "the journal does not take records", 503, Failed,
            "nothing more is done until it does; `garrison doctor` on the machine tells why; then look whether this was done";
        /// A defect of ours.
        INTERNAL = "server/defect", "something went wrong that should not", 500, Failed,
            "the request id finds the cause in the server's log; please report it";
        /// The data was changed by hand.
        TAMPERED = "server/tampered", "data was changed outside Garrison", 500, Failed,
            "do not trust this row; `garrison doctor` tells which it is";
    }
}
