//! What a domain brings to the kernel, as data.

use foldhash::HashMap;
use garrison_base::TenantId;

use crate::act::ErasedAct;
use crate::db::Migration;
use crate::{Act, ReadAct, Verb};

pub(crate) type Restore = fn(&[u8]) -> Result<Box<dyn ErasedAct>, serde_json::Error>;

/// A fact, as it stands in the outbox.
#[derive(Debug, Clone)]
pub struct StoredFact {
    /// Its place in the audit sequence.
    pub seq: i64,
    /// Its own id; the same fact always has the same.
    pub id: String,
    /// The tenant.
    pub tenant: TenantId,
    /// Its name.
    pub kind: String,
    /// The version of its form.
    pub version: i64,
    /// Its JSON.
    pub body: Vec<u8>,
}

type Follow = Box<dyn Fn(&StoredFact) -> Vec<FollowUp> + Send + Sync>;

/// What a domain does when another domain tells something: which acts follow.
pub struct Subscription {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) follow: Follow,
}

/// What a domain does when a time has come: which act follows. The act finds out what is true then.
pub struct Timer {
    pub(crate) kind: &'static str,
    pub(crate) fire: fn(&str) -> Option<FollowUp>,
}

/// An act that a system actor is to perform.
pub struct FollowUp(pub(crate) Box<dyn ErasedAct>);

impl FollowUp {
    /// This act.
    pub fn new<A: Act>(act: A) -> Self {
        Self(Box::new(act))
    }
}

/// A domain: its schema, its policies, its acts. Folded into the kernel when it opens.
pub struct Module {
    pub(crate) name: &'static str,
    pub(crate) migrations: &'static [Migration],
    pub(crate) policy: &'static str,
    pub(crate) verbs: Vec<Verb>,
    pub(crate) need_login: Vec<Verb>,
    pub(crate) acts: HashMap<(&'static str, u16), Restore>,
    pub(crate) subscriptions: Vec<Subscription>,
    pub(crate) timers: Vec<Timer>,
}

impl Module {
    /// A domain by its name, with its schema and the text of its `policy.cedar`.
    pub fn new(name: &'static str, migrations: &'static [Migration], policy: &'static str) -> Self {
        Self {
            name,
            migrations,
            policy,
            verbs: Vec::new(),
            need_login: Vec::new(),
            acts: HashMap::default(),
            subscriptions: Vec::new(),
            timers: Vec::new(),
        }
    }

    /// An act of the domain.
    #[must_use]
    pub fn act<A: Act>(mut self) -> Self {
        self.verbs.push(A::VERB);
        if A::NEEDS_LOGIN {
            self.need_login.push(A::VERB);
        }
        self.older::<A>()
    }

    /// The form that an act had before: stored acts of that version can still be run.
    #[must_use]
    pub fn older<A: Act>(mut self) -> Self {
        let restore: Restore = |bytes| Ok(Box::new(serde_json::from_slice::<A>(bytes)?));
        self.acts.insert((A::VERB.as_str(), A::VERSION), restore);
        self
    }

    /// A question whose asking is recorded.
    #[must_use]
    pub fn read_act<R: ReadAct>(self) -> Self {
        self.read(R::VERB)
    }

    /// A verb of ordinary reads.
    #[must_use]
    pub fn read(mut self, verb: Verb) -> Self {
        self.verbs.push(verb);
        self
    }

    /// Follows facts of a kind. `name` keeps the place, and must never change.
    #[must_use]
    pub fn follow(
        mut self,
        name: &'static str,
        kind: &'static str,
        follow: impl Fn(&StoredFact) -> Vec<FollowUp> + Send + Sync + 'static,
    ) -> Self {
        self.subscriptions.push(Subscription { name, kind, follow: Box::new(follow) });
        self
    }

    /// Does something when a time has come. `kind` is what [`WriteTx::remind`](crate::WriteTx::remind) was given.
    #[must_use]
    pub fn timer(mut self, kind: &'static str, fire: fn(&str) -> Option<FollowUp>) -> Self {
        self.timers.push(Timer { kind, fire });
        self
    }
}
