//! Answers without an end: how many there may be, and a task of its own that feeds each. A body is asked for more only
//! while its reader takes what there is. So it is here that the end of the server, of the right and of the time is noticed
//! where nothing is taken.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use futures_util::stream::{Stream, unfold};
use garrison_base::TenantId;
use garrison_kernel::{Actor, ActorId, problems};
use tokio::sync::Notify;
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::timeout;

use crate::{Answer, HangUp, Refusal};

/// How long a reader may take nothing until it is looked at.
const PATIENCE: Duration = Duration::from_secs(1);
/// Answers that go on at the same time, of all callers and of one.
const MOST: usize = 512;
const OWN: usize = 16;

/// Somebody who follows something.
pub trait Follow: Send + 'static {
    /// The next bytes; nothing at the end.
    fn next(&mut self) -> impl Future<Output = Option<Bytes>> + Send;

    /// Whether what was given last may still be taken, and more come after it.
    fn goes_on(&mut self) -> impl Future<Output = bool> + Send;
}

/// The answers that go on, and whose they are.
#[derive(Clone, Default)]
pub struct Streams(Arc<Mutex<HashMap<(TenantId, ActorId), usize>>>);

/// A place among them, for as long as it is kept.
pub struct StreamPlace {
    streams: Streams,
    of: (TenantId, ActorId),
}

impl Streams {
    /// A place for one more of this actor, unless there are too many.
    pub fn place(&self, actor: &Actor) -> Answer<StreamPlace> {
        let of = (actor.tenant, actor.id);
        let mut open = self.open();
        let all: usize = open.values().sum();
        let own = open.entry(of).or_default();
        if *own >= OWN {
            return Err(too_many(&format!("you follow {OWN} things already")));
        }
        if all >= MOST {
            return Err(too_many(&format!("{MOST} things are being followed already")));
        }
        *own += 1;
        drop(open);
        Ok(StreamPlace { streams: self.clone(), of })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<(TenantId, ActorId), usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let mut open = self.streams.open();
        if let Some(own) = open.get_mut(&self.of) {
            *own = own.saturating_sub(1);
        }
        // Nobody is remembered who follows nothing, nor who was refused when others took all.
        open.retain(|_, own| *own > 0);
    }
}

fn too_many(detail: &str) -> Refusal {
    Refusal::new(&problems::TOO_MANY, detail).retry_after(5)
}

/// What somebody who follows is told, as it is taken. The place is kept until the end.
pub fn fed(follow: impl Follow, (place, hang_up): (StreamPlace, HangUp)) -> impl Stream<Item = Bytes> + Send {
    // One piece waits to be taken; the next is made when it was.
    let (sender, receiver) = channel(1);
    let over = Arc::new(Notify::new());
    tokio::spawn(feed(follow, sender, (place, over.clone(), hang_up)));
    unfold((receiver, over), async |(mut receiver, over)| {
        let bytes = tokio::select! {
            biased;
            () = over.notified() => None,
            bytes = receiver.recv() => bytes,
        };
        Some((bytes?, (receiver, over)))
    })
}

async fn feed(
    mut follow: impl Follow,
    sender: Sender<Bytes>,
    (place, over, hang_up): (StreamPlace, Arc<Notify>, HangUp),
) {
    loop {
        // First the room, then the piece: what somebody might no longer see is not kept for a reader who is slow.
        let room = match timeout(PATIENCE, sender.reserve()).await {
            Ok(Ok(room)) => room,
            // Whoever followed is gone.
            Ok(Err(_)) => break,
            Err(_) => {
                if follow.goes_on().await {
                    continue;
                }
                // What waits is not for them any more.
                over.notify_one();
                hang_up.now();
                break;
            }
        };
        let bytes = tokio::select! {
            bytes = follow.next() => bytes,
            () = sender.closed() => break,
        };
        let Some(bytes) = bytes else { break };
        room.send(bytes);
    }
    drop(place);
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use futures_util::StreamExt as _;
    use garrison_kernel::{Origin, System};

    use super::*;

    fn actor(system: System) -> Actor {
        let tenant = "ten_7ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse().unwrap();
        Actor::system(system, tenant, Origin::system("test"))
    }

    fn count(streams: &Streams) -> usize {
        streams.open().values().sum()
    }

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

    /// Is told nothing, and may follow for ever.
    struct Waiting;

    impl Follow for Waiting {
        async fn next(&mut self) -> Option<Bytes> {
            std::future::pending().await
        }

        async fn goes_on(&mut self) -> bool {
            true
        }
    }

    async fn text(pieces: impl Stream<Item = Bytes>) -> String {
        let pieces: Vec<Bytes> = pieces.collect().await;
        String::from_utf8(pieces.concat()).unwrap()
    }

    #[test]
    fn there_are_so_many_places_for_one_and_for_all() {
        let streams = Streams::default();
        let (one, other) = (actor(System::DETECTION), actor(System::CONSOLE));
        let mut places: Vec<_> = (0..OWN).map(|_| streams.place(&one).unwrap()).collect();
        let refused = streams.place(&one).err().unwrap();
        assert_eq!((refused.kind().status, refused.detail()), (429, "you follow 16 things already"));
        drop(streams.place(&other).unwrap());
        places.pop();
        places.push(streams.place(&one).unwrap());
        assert_eq!(count(&streams), OWN);
        streams.open().insert((other.tenant, actor(System::SETUP).id), MOST - OWN);
        let refused = streams.place(&other).err().unwrap();
        assert_eq!(refused.detail(), "512 things are being followed already");
        drop(places);
        assert_eq!(count(&streams), MOST - OWN, "each gives its own place back");
    }

    #[tokio::test]
    async fn whoever_reads_is_told_all() {
        let (streams, made) = (Streams::default(), Arc::new(AtomicU64::new(0)));
        let place = streams.place(&actor(System::DETECTION)).unwrap();
        let pieces = fed(Counting { made: made.clone(), looks: 0 }, (place, HangUp::default()));
        assert_eq!((text(pieces).await.as_str(), made.load(Ordering::SeqCst)), ("01234", 6));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_takes_nothing_ends_when_they_may_no_longer() {
        let (streams, made, hang_up) = (Streams::default(), Arc::new(AtomicU64::new(0)), HangUp::default());
        let place = streams.place(&actor(System::DETECTION)).unwrap();
        let pieces = fed(Counting { made: made.clone(), looks: 0 }, (place, hang_up.clone()));
        hang_up.asked().await;
        assert_eq!(made.load(Ordering::SeqCst), 1, "no more is made than is taken");
        assert_eq!(text(pieces).await, "", "what waited is not given any more");
        assert_eq!(count(&streams), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_who_has_gone_leaves_a_place() {
        let streams = Streams::default();
        let place = streams.place(&actor(System::DETECTION)).unwrap();
        let pieces = fed(Waiting, (place, HangUp::default()));
        tokio::time::sleep(PATIENCE * 3).await;
        assert_eq!(count(&streams), 1, "nothing came, so nothing had to be taken");
        drop(pieces);
        tokio::time::sleep(PATIENCE).await;
        assert_eq!(count(&streams), 0);
    }
}
