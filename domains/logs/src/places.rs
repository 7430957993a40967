//! Places for the connections of senders that nobody knows: so many in all, and so many for one address. Honest senders
//! keep a connection for days and say nothing, so silence alone ends none. Where there is no place left, the connection
//! that has been silent the longest ends for the new one.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Connections at the same time.
const ALL: usize = 512;
/// Of these, connections of one address.
const SHARE: usize = 64;
/// A connection that said something within this time does not end for another: senders that are all at work would
/// only push each other out, and lose what is under way.
const SILENCE: Duration = Duration::from_mins(1);

/// All places.
#[derive(Default)]
pub(crate) struct Places(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    last: u64,
    open: HashMap<u64, Open>,
}

/// A connection that has a place.
struct Open {
    share: IpAddr,
    /// Since when it has been listened to; nothing while what it said is being kept.
    silent: Option<Instant>,
    end: CancellationToken,
}

impl Places {
    /// A place for a connection from this address. Nothing where all that could end for it were heard just now.
    pub(crate) fn take(self: &Arc<Self>, from: IpAddr, now: Instant) -> Option<Place> {
        let (share, end) = (share(from), CancellationToken::new());
        let mut taken = self.lock();
        let own = taken.open.values().filter(|open| open.share == share).count();
        if own >= SHARE {
            taken.end_one(now, |open| open.share == share)?;
        } else if taken.open.len() >= ALL {
            taken.end_one(now, |_| true)?;
        }
        taken.last += 1;
        let id = taken.last;
        taken.open.insert(id, Open { share, silent: None, end: end.clone() });
        Some(Place { places: self.clone(), id, end })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Ends the one of these that has been silent the longest, if it has been long enough.
    fn end_one(&mut self, now: Instant, these: impl Fn(&Open) -> bool) -> Option<()> {
        let these = self.open.iter().filter(|(_, open)| these(open));
        let (since, id) = these.filter_map(|(id, open)| Some((open.silent?, *id))).min()?;
        if now.duration_since(since) < SILENCE {
            return None;
        }
        self.open.remove(&id)?.end.cancel();
        Some(())
    }
}

/// The place of a connection, until it is dropped or has to end for another.
pub(crate) struct Place {
    places: Arc<Places>,
    id: u64,
    end: CancellationToken,
}

impl Place {
    /// Listens; nothing where the connection has to end for another.
    pub(crate) async fn listen<T>(&self, word: impl Future<Output = T>) -> Option<T> {
        self.silent(Some(Instant::now()));
        let heard = tokio::select! {
            word = word => Some(word),
            () = self.end.cancelled() => None,
        };
        self.silent(None);
        heard
    }

    fn silent(&self, since: Option<Instant>) {
        if let Some(open) = self.places.lock().open.get_mut(&self.id) {
            open.silent = since;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().open.remove(&self.id);
    }
}

/// Whose share it is: an IPv4 address, or the /64 of an IPv6 address, since whoever has one of its addresses has them all.
fn share(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits((ip.to_bits() >> 64) << 64).into(),
        ip @ IpAddr::V4(_) => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(host: usize) -> IpAddr {
        Ipv6Addr::from_bits((0x2001_0db8 << 96) + ((host as u128) << 64) + 1).into()
    }

    /// So many connections of so many addresses, silent since `now` and later, the first the longest.
    fn silent(places: &Arc<Places>, (count, addresses): (usize, usize), now: Instant) -> Vec<Place> {
        let place = |number: usize| {
            let place = places.take(address(number % addresses), now).unwrap();
            place.silent(Some(now + Duration::from_secs(number as u64)));
            place
        };
        (0..count).map(place).collect()
    }

    fn ended(places: &[Place]) -> Vec<usize> {
        (0..).zip(places).filter(|(_, place)| place.end.is_cancelled()).map(|(number, _)| number).collect()
    }

    #[test]
    fn the_longest_silent_ends_for_a_new_one() {
        let (places, now) = (Arc::new(Places::default()), Instant::now());
        let open = silent(&places, (ALL, 16), now);
        let soon = now + SILENCE - Duration::from_secs(1);
        assert!(places.take(address(99), soon).is_none(), "all were heard just now");
        // What is being kept is no silence.
        open[0].silent(None);
        let later = now + Duration::from_hours(1);
        let new = [places.take(address(99), later).unwrap(), places.take(address(99), later).unwrap()];
        assert_eq!((ended(&open), ended(&new)), (vec![1, 2], vec![]));
        assert_eq!(places.lock().open.len(), ALL);
        drop((open, new));
        assert_eq!(places.lock().open.len(), 0);
    }

    #[test]
    fn an_address_that_has_its_share_takes_no_place_of_others() {
        let (places, now) = (Arc::new(Places::default()), Instant::now());
        let other = silent(&places, (1, 1), now);
        let greedy = |now| places.take(address(7), now);
        let open: Vec<Place> = (0..SHARE).map(|_| greedy(now).unwrap()).collect();
        let later = now + Duration::from_hours(1);
        assert!(greedy(later).is_none(), "none of its own is silent");
        open[3].silent(Some(now));
        let neighbour = IpAddr::from([0x2001, 0xdb8, 0, 7, 8, 8, 8, 8]);
        assert!(places.take(neighbour, later).is_some(), "the same network");
        assert_eq!((ended(&other), ended(&open)), (vec![], vec![3]));
        assert!(places.take(address(8), later).is_some());
    }

    #[tokio::test]
    async fn who_has_to_end_is_told() {
        let (places, now) = (Arc::new(Places::default()), Instant::now());
        let open: Vec<Place> = (0..SHARE).map(|_| places.take(address(1), now).unwrap()).collect();
        assert_eq!(open[0].listen(async { 7 }).await, Some(7));
        let new = async { places.take(address(1), now + Duration::from_hours(1)).is_some() };
        let (heard, taken) = tokio::join!(biased; open[0].listen(std::future::pending::<()>()), new);
        assert_eq!((heard, taken), (None, true));
    }
}
