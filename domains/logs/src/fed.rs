//! Answers without an end, each made by a task of its own. A body is asked for more only while its reader takes what there
//! is. So it is here that the end of the server, of the right and of the time is noticed where nothing is taken.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream::unfold;
use garrison_web::HangUp;
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long a reader may take nothing until it is looked at.
const PATIENCE: Duration = Duration::from_secs(1);

/// Somebody who follows something.
pub(crate) trait Follow: Send + 'static {
    /// The next bytes; nothing at the end.
    fn next(&mut self) -> impl Future<Output = Option<Bytes>> + Send;

    /// Whether what was given last may still be taken, and more come after it.
    fn goes_on(&mut self) -> impl Future<Output = bool> + Send;
}

/// The body of an answer to whoever follows.
pub(crate) fn fed(follow: impl Follow, hang_up: HangUp) -> Body {
    // One piece waits to be taken; the next is made when it was.
    let (sender, receiver) = channel(1);
    let over = CancellationToken::new();
    tokio::spawn(feed(follow, sender, (over.clone(), hang_up)));
    Body::from_stream(unfold((receiver, over), async |(mut receiver, over)| {
        let bytes = tokio::select! {
            biased;
            () = over.cancelled() => None,
            bytes = receiver.recv() => bytes,
        };
        Some((Ok::<_, Infallible>(bytes?), (receiver, over)))
    }))
}

async fn feed(mut follow: impl Follow, sender: Sender<Bytes>, (over, hang_up): (CancellationToken, HangUp)) {
    loop {
        let place = match timeout(PATIENCE, sender.reserve()).await {
            Ok(Ok(place)) => place,
            // Whoever followed is gone.
            Ok(Err(_)) => return,
            Err(_) => {
                if follow.goes_on().await {
                    continue;
                }
                // What waits is not for them any more.
                over.cancel();
                hang_up.now();
                return;
            }
        };
        let bytes = tokio::select! {
            bytes = follow.next() => bytes,
            () = sender.closed() => return,
        };
        let Some(bytes) = bytes else { return };
        place.send(bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use futures_util::StreamExt as _;

    use super::*;

    /// Counts, for as long as a number is not reached.
    struct Counting {
        made: Arc<AtomicU64>,
        looks: u64,
    }

    impl Follow for Counting {
        async fn next(&mut self) -> Option<Bytes> {
            let made = self.made.fetch_add(1, Ordering::SeqCst);
            (made < 5).then(|| made.to_string().into())
        }

        async fn goes_on(&mut self) -> bool {
            self.looks += 1;
            self.looks < 3
        }
    }

    async fn text(body: Body) -> String {
        let pieces: Vec<Bytes> = body.into_data_stream().map(Result::unwrap).collect().await;
        String::from_utf8(pieces.concat()).unwrap()
    }

    #[tokio::test]
    async fn whoever_reads_is_told_all() {
        let made = Arc::new(AtomicU64::new(0));
        let body = fed(Counting { made: made.clone(), looks: 0 }, HangUp::default());
        assert_eq!((text(body).await.as_str(), made.load(Ordering::SeqCst)), ("01234", 6));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_takes_nothing_ends_when_they_may_no_longer() {
        let (made, hang_up) = (Arc::new(AtomicU64::new(0)), HangUp::default());
        let body = fed(Counting { made: made.clone(), looks: 0 }, hang_up.clone());
        hang_up.asked().await;
        assert_eq!(made.load(Ordering::SeqCst), 1, "no more is made than is taken");
        assert_eq!(text(body).await, "", "what waited is not given any more");
    }
}
