//! What every HTTP route shares. A domain lists its acts and questions in [`Routes`]; parsing, identity, paging,
//! problem answers, idempotency keys and the `OpenAPI` document follow from their types.

mod body;
mod caller;
mod document;
pub mod events;
mod follow;
mod hang_up;
mod layers;
mod leftover;
mod origin;
mod problem;
mod question;
mod routes;

pub use body::Body;
pub use caller::{
    Caller, Client, Confirming, Credential, Gate, Identified, Identifying, SESSION_COOKIE, from_this_site,
    session_cookie,
};
pub use document::document;
pub use follow::{Follow, StreamPlace, Streams, fed};
pub use hang_up::HangUp;
pub use layers::layered;
pub use origin::Proxies;
pub use problem::{Answer, Refusal};
pub use question::{MAX_PAGE, Page, Question, page_limit};
pub use routes::{Endpoint, Routes, query_parameters};

use std::sync::Arc;

use garrison_kernel::Kernel;

/// What routes stand on.
#[derive(Clone)]
pub struct Web {
    /// The door to the state.
    pub kernel: Kernel,
    /// Who finds out who somebody is.
    pub gate: Arc<dyn Gate>,
    /// Whose word about the client's address counts.
    pub proxies: Arc<Proxies>,
    /// The answers that go on.
    pub streams: Streams,
}
