//! What a refused request had still to say.
//!
//! A refusal may come before the body was read. If the connection then simply ended, a client that is still
//! writing would see a broken connection in place of the answer, and one that has written would send its next
//! request into a connection that is closing. A short rest is therefore read and thrown away; where there is
//! more, the answer says that the connection ends (RFC 9112, sections 9.3 and 9.6).

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, Version, header};
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt as _, Limited};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// As many bytes of a rest are read.
const LIMIT: usize = 64 * 1024;

/// As long a rest is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// A body that comes back when it is dropped before its end.
struct Lent {
    body: Body,
    back: Option<oneshot::Sender<Body>>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        // A body of unknown length tells its end only here.
        if matches!(polled, Poll::Ready(None)) {
            self.back = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(back) = self.back.take()
            && !self.body.is_end_stream()
        {
            // Nobody waits for it when the request itself was given up.
            let _ = back.send(std::mem::take(&mut self.body));
        }
    }
}

/// Lends the body to the handler and reads what is left of it.
pub async fn drain(request: Request, next: Next) -> Response {
    // HTTP/2 ends a stream and not the connection.
    if request.version() > Version::HTTP_11 || request.body().is_end_stream() {
        return next.run(request).await;
    }
    // Whoever waits for leave to send the body must not get it now.
    let waits = request.headers().contains_key(header::EXPECT);
    let (back, mut rest) = oneshot::channel();
    let mut response = next.run(request.map(|body| Body::new(Lent { body, back: Some(back) }))).await;
    if let Ok(rest) = rest.try_recv()
        && (waits || !ends(rest).await)
    {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn ends(rest: Body) -> bool {
    timeout(PATIENCE, Limited::new(rest, LIMIT).collect()).await.is_ok_and(|read| read.is_ok())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::routing::post;
    use futures_util::{StreamExt as _, stream};
    use tower::ServiceExt as _;

    use super::*;

    /// Whether the answer to such a body says that the connection ends.
    async fn closes(path: &str, body: Body, expect: bool) -> bool {
        let router = Router::new()
            .route("/refuse", post(async || "no"))
            .route("/read", post(async |body: Bytes| body.len().to_string()))
            .layer(axum::middleware::from_fn(drain));
        let mut request = Request::post(path);
        if expect {
            request = request.header(header::EXPECT, "100-continue");
        }
        let response = router.oneshot(request.body(body).unwrap()).await.unwrap();
        assert_eq!(response.status(), 200);
        response.headers().get(header::CONNECTION).is_some_and(|value| value == "close")
    }

    /// Pieces of 1 KiB, none of which is there at once, then the end or never the end; `read` counts those taken.
    fn late(pieces: usize, ends: bool, read: &Arc<AtomicUsize>) -> Body {
        let read = read.clone();
        let pieces = stream::iter(0..pieces).then(move |_| {
            let read = read.clone();
            async move {
                tokio::task::yield_now().await;
                read.fetch_add(1, Ordering::Relaxed);
                Ok::<_, std::io::Error>(Bytes::from_static(&[0; 1024]))
            }
        });
        if ends { Body::from_stream(pieces) } else { Body::from_stream(pieces.chain(stream::pending())) }
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_rest_is_read_and_for_a_long_one_the_connection_ends() {
        let read = Arc::new(AtomicUsize::new(0));
        // Path, pieces, whether they end, whether the client waits for leave; pieces read, whether it closes.
        for (path, pieces, ends, expect, taken, close) in [
            ("/refuse", 64, true, false, 64, false),
            ("/refuse", 1_000, true, false, 65, true),
            ("/refuse", 3, false, false, 3, true),
            ("/refuse", 3, true, true, 0, true),
            ("/read", 100, true, false, 100, false),
            ("/read", 3, true, true, 3, false),
        ] {
            let closed = closes(path, late(pieces, ends, &read), expect).await;
            assert_eq!(
                (read.swap(0, Ordering::Relaxed), closed),
                (taken, close),
                "{path} {pieces} {ends} {expect}"
            );
        }
        assert!(!closes("/refuse", Body::empty(), false).await);
        assert!(!closes("/refuse", Body::from("{}"), false).await);
    }
}
