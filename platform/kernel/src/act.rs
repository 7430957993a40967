//! What an act is.

use std::any::Any;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use garrison_base::{NodeId, TenantId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::{Actor, ObjectRef, Problem, ReadTx, Verb, WriteTx};

/// One operation that changes state: the value is the request, and the only way to a [`WriteTx`].
pub trait Act: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its name.
    const VERB: Verb;
    /// The version of its stored form: waiting acts outlive an upgrade.
    const VERSION: u16 = 1;
    /// Whether no API token does this for a person, whatever its verbs: by it somebody would get more than the token, or
    /// would answer for what they have not seen.
    const NEEDS_LOGIN: bool = false;
    /// What the caller is answered.
    type Output: Serialize + Send + 'static;
    /// What other domains are told.
    type Fact: Fact;
    /// Why it cannot be done.
    type Error: Problem;

    /// What it is about, ids only: the kernel finds tenant and node itself, inside the transaction. The first
    /// is the record's object. All of them must be allowed.
    fn targets(&self) -> Vec<ObjectRef>;

    /// The approver's sentence and the difference, from what is true now.
    fn preview(&self, tx: &mut ReadTx<'_>) -> impl Future<Output = Result<Preview, Self::Error>> + Send;

    /// Changes the state. Nothing outside the database happens here (I6).
    fn perform(
        &self,
        permit: &Permit<Self>,
        tx: &mut WriteTx<'_>,
    ) -> impl Future<Output = Result<Done<Self>, Self::Error>> + Send;
}

/// What other domains are told of a performed act; `()` where there is nothing to tell.
pub trait Fact: Serialize + Send + 'static {
    /// The name, such as `person-disabled`; empty where there is nothing to tell.
    const KIND: &'static str;
    /// The version of the form.
    const VERSION: u16 = 1;
}

impl Fact for () {
    const KIND: &'static str = "";
}

/// A fact that only some performances bring.
impl<F: Fact> Fact for Option<F> {
    const KIND: &'static str = F::KIND;
    const VERSION: u16 = F::VERSION;
}

/// A question that reads customer content or the record itself: authorised, and recorded before a row is
/// released (I5).
pub trait ReadAct: Serialize + Send + Sync + 'static {
    /// Its name.
    const VERB: Verb;
    /// The answer.
    type Output: Send + 'static;
    /// Why it cannot be answered.
    type Error: Problem;

    /// What it is about.
    fn targets(&self) -> Vec<ObjectRef>;

    /// Reads.
    fn read(&self, tx: &mut ReadTx<'_>) -> impl Future<Output = Result<Self::Output, Self::Error>> + Send;
}

/// What an approver sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Preview {
    /// One sentence.
    pub sentence: String,
    /// What changes.
    pub changes: Vec<Change>,
}

/// One line of the difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Change {
    /// What.
    pub what: String,
    /// As it is.
    pub before: String,
    /// As it will be.
    pub after: String,
}

impl Preview {
    /// A sentence without a difference.
    pub fn sentence(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), changes: Vec::new() }
    }

    /// Adds a line to the difference.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "names, numbers and texts read better where they are given"
    )]
    pub fn change(mut self, what: &str, before: impl ToString, after: impl ToString) -> Self {
        self.changes.push(Change {
            what: what.to_owned(),
            before: before.to_string(),
            after: after.to_string(),
        });
        self
    }
}

/// Proof that policy allowed this act, on all its targets, in this transaction. Only the kernel makes one.
pub struct Permit<A> {
    context: Permitted,
    act: PhantomData<fn() -> Box<A>>,
}

/// What the kernel found out before it allowed.
#[derive(Clone)]
pub(crate) struct Permitted {
    pub(crate) actor: Actor,
    pub(crate) node: NodeId,
    pub(crate) now: Timestamp,
}

impl<A> Permit<A> {
    pub(crate) fn new(context: Permitted) -> Self {
        Self { context, act: PhantomData }
    }

    /// Who acts.
    pub fn actor(&self) -> &Actor {
        &self.context.actor
    }

    /// In which tenant.
    pub fn tenant(&self) -> TenantId {
        self.context.actor.tenant
    }

    /// The node of the first target.
    pub fn node(&self) -> NodeId {
        self.context.node
    }

    /// When.
    pub fn now(&self) -> Timestamp {
        self.context.now
    }
}

/// A performed act: what is answered, recorded and told. There is no success without all three.
pub struct Done<A: Act> {
    pub(crate) output: A::Output,
    pub(crate) summary: Summary,
    pub(crate) fact: A::Fact,
}

impl<A: Act> Done<A> {
    /// Success.
    pub fn new(output: A::Output, summary: Summary, fact: A::Fact) -> Self {
        Self { output, summary, fact }
    }
}

/// What the record tells of a performed act beyond the act itself.
#[derive(Debug, Clone)]
pub struct Summary {
    pub(crate) result: &'static str,
    pub(crate) sentence: String,
    pub(crate) object: Option<ObjectRef>,
}

impl Summary {
    /// What was done, in one sentence.
    pub fn of(sentence: impl Into<String>) -> Self {
        Self { result: "success", sentence: sentence.into(), object: None }
    }

    /// The act records that somebody else failed: a wrong password, for instance.
    pub fn failure(sentence: impl Into<String>) -> Self {
        Self { result: "failure", sentence: sentence.into(), object: None }
    }

    /// The object, where the act made it or found it out.
    #[must_use]
    pub fn object(mut self, object: impl Into<ObjectRef>) -> Self {
        self.object = Some(object.into());
        self
    }
}

pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An act whose type is not known: one that was stored, or one on its way through the kernel.
pub(crate) trait ErasedAct: Send + Sync {
    fn verb(&self) -> Verb;
    fn version(&self) -> u16;
    fn needs_login(&self) -> bool;
    fn targets(&self) -> Vec<ObjectRef>;
    fn content(&self) -> Result<Json, serde_json::Error>;
    fn preview<'a>(&'a self, tx: &'a mut ReadTx<'_>) -> Boxed<'a, Result<Preview, Box<dyn Problem>>>;
    fn perform<'a>(
        &'a self,
        permitted: Permitted,
        tx: &'a mut WriteTx<'_>,
    ) -> Boxed<'a, Result<ErasedDone, Box<dyn Problem>>>;
}

pub(crate) struct ErasedDone {
    pub(crate) output: Json,
    pub(crate) typed: Box<dyn Any + Send>,
    pub(crate) summary: Summary,
    pub(crate) fact: Option<FactBytes>,
}

pub(crate) struct FactBytes {
    pub(crate) kind: &'static str,
    pub(crate) version: u16,
    pub(crate) body: Vec<u8>,
}

impl<A: Act> ErasedAct for A {
    fn verb(&self) -> Verb {
        A::VERB
    }

    fn version(&self) -> u16 {
        A::VERSION
    }

    fn needs_login(&self) -> bool {
        A::NEEDS_LOGIN
    }

    fn targets(&self) -> Vec<ObjectRef> {
        Act::targets(self)
    }

    fn content(&self) -> Result<Json, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn preview<'a>(&'a self, tx: &'a mut ReadTx<'_>) -> Boxed<'a, Result<Preview, Box<dyn Problem>>> {
        Box::pin(
            async move { Act::preview(self, tx).await.map_err(|error| Box::new(error) as Box<dyn Problem>) },
        )
    }

    fn perform<'a>(
        &'a self,
        permitted: Permitted,
        tx: &'a mut WriteTx<'_>,
    ) -> Boxed<'a, Result<ErasedDone, Box<dyn Problem>>> {
        Box::pin(async move {
            let permit = Permit::<A>::new(permitted);
            let done =
                Act::perform(self, &permit, tx).await.map_err(|error| Box::new(error) as Box<dyn Problem>)?;
            erase(done).map_err(|error| Box::new(crate::KernelError::Stored(error)) as Box<dyn Problem>)
        })
    }
}

fn erase<A: Act>(done: Done<A>) -> Result<ErasedDone, serde_json::Error> {
    let body = serde_json::to_vec(&done.fact)?;
    // Nothing is told where there is no fact, or where this performance brought none.
    let told = !A::Fact::KIND.is_empty() && body != b"null";
    let fact = told.then_some(FactBytes { kind: A::Fact::KIND, version: A::Fact::VERSION, body });
    let output = serde_json::to_value(&done.output)?;
    Ok(ErasedDone { output, typed: Box::new(done.output), summary: done.summary, fact })
}
