//! Ending a connection whose reader takes nothing.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tokio::sync::Notify;

/// The way to end the connection that a request came by. A handler cannot end an answer that nobody reads: its body is
/// not asked for more. Where several requests share the connection, nothing happens.
#[derive(Debug, Clone, Default)]
pub struct HangUp(Arc<Notify>);

impl HangUp {
    /// Ends the connection.
    pub fn now(&self) {
        self.0.notify_one();
    }

    /// Waits until it is to end.
    pub async fn asked(&self) {
        self.0.notified().await;
    }
}

impl<S: Send + Sync> FromRequestParts<S> for HangUp {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}
