//! Places for whoever follows the logs: so many in all, and so many for one person or service account. Each of them is
//! shown all that comes, and looked at every second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use garrison_base::TenantId;
use garrison_kernel::{Actor, ActorId};
use garrison_web::{Answer, Refusal};

use crate::problem;

/// At the same time.
const ALL: usize = 256;
/// Of these, of one actor.
const SHARE: usize = 16;

type Taken = HashMap<(TenantId, ActorId), usize>;

/// All places.
#[derive(Default)]
pub(crate) struct Followers(Mutex<Taken>);

impl Followers {
    /// A place, or why there is none.
    pub(crate) fn take(self: &Arc<Self>, actor: &Actor) -> Answer<Follower> {
        let who = (actor.tenant, actor.id);
        let mut taken = self.lock();
        let own = taken.get(&who).copied().unwrap_or(0);
        let words = if own >= SHARE {
            format!("you follow the logs {SHARE} times already; end one of them")
        } else if taken.values().sum::<usize>() >= ALL {
            format!("the logs are followed {ALL} times already")
        } else {
            taken.insert(who, own + 1);
            return Ok(Follower { places: self.clone(), who });
        };
        Err(Refusal::new(&problem::BUSY, words).retry_after(30))
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of somebody who follows, until it is dropped.
pub(crate) struct Follower {
    places: Arc<Followers>,
    who: (TenantId, ActorId),
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        let left = taken.get(&self.who).map_or(0, |own| own.saturating_sub(1));
        if left == 0 {
            taken.remove(&self.who);
        } else {
            taken.insert(self.who, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use garrison_kernel::{Origin, System};

    use super::*;

    #[test]
    fn nobody_takes_the_places_of_all() {
        let places = Arc::new(Followers::default());
        let tenant = |number: u8| TenantId::from_bytes([number; 16]);
        let actor = |number: u8| Actor::system(System::LOGS, tenant(number), Origin::system("test"));
        let why =
            |number: u8| places.take(&actor(number)).map(drop).map_err(|refusal| refusal.detail().to_owned());
        let mut all: Vec<Follower> = (0..SHARE).map(|_| places.take(&actor(1)).unwrap()).collect();
        assert_eq!(why(1), Err("you follow the logs 16 times already; end one of them".to_owned()));
        assert_eq!(why(2), Ok(()));
        for number in 2..=16 {
            all.extend((0..SHARE).map(|_| places.take(&actor(number)).unwrap()));
        }
        assert_eq!(why(17), Err("the logs are followed 256 times already".to_owned()));
        all.truncate(ALL - 1);
        assert_eq!(why(17), Ok(()));
        drop(all);
        assert!(places.lock().is_empty(), "nothing is kept of whoever has left");
    }
}
