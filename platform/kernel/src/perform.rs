//! How an act is performed: resolve, authorise, wait or do, record, publish; one transaction.

mod repeat;

use std::any::Any;
use std::sync::Arc;

use garrison_base::{NodeId, RequestId, Timestamp};
use serde_json::{Value as Json, json};

use crate::act::{ErasedAct, ErasedDone, FactBytes, Permitted, Summary};
use crate::audit::{self, LOG};
use crate::authz::Located;
use crate::authz::rows::Changes;
use crate::db::{Statement, Tx, Value};
use crate::kernel::{Heads, Inner};
use crate::record::{envelope, refusal, told};
use crate::tx::locate;
use crate::waiting::{Approved, PlacedSlot};
use crate::{Actor, ActorId, KernelError, ObjectRef, Outcome, Problem, WriteTx};

/// How often an act is tried when the database asks for it.
///
/// Writers of one process take turns; only those of several processes get in each other's way.
pub(crate) const TRIES: usize = 12;

/// What came of an act.
pub(crate) enum Finished {
    Done { output: Json, typed: Box<dyn Any + Send> },
    Waiting(RequestId),
    Repeated(Outcome<Json>),
}

/// What is settled together with an act, in its transaction.
#[derive(Clone)]
pub(crate) enum Settle {
    Nothing,
    /// A timer has fired.
    Due(String),
    /// A follower follows the fact of this number; with the last act that follows it, it has.
    Follower {
        name: &'static str,
        seq: i64,
        last: bool,
    },
    /// The waiting act that this is.
    Approved(Approved),
}

/// How many acts are at work at the same time, most of them waiting for the turn or for the journal. The others
/// wait before they take a thread.
pub(crate) const AT_WORK: usize = 16;

/// Performs an act. The work goes on when the caller goes away: half an act is none, but a whole one that
/// nobody waits for is still recorded.
///
/// It has a thread of its own: each statement goes to the thread of the connection and back, and to wake a thread
/// is a third of the price of waking a task.
pub(crate) async fn perform(
    inner: &Arc<Inner>,
    actor: &Actor,
    act: Arc<dyn ErasedAct>,
) -> Result<Finished, Box<dyn Problem>> {
    let (inner, actor) = (inner.clone(), actor.clone());
    let at_work = inner.at_work.clone().acquire_owned().await;
    let handle = tokio::runtime::Handle::current();
    let act = async move {
        let (finished, complete) = run(&inner, &actor, &act, Settle::Nothing).await?;
        // The last slot of these was filled just now: they are authorised again, and run.
        for request in complete {
            crate::waiting::run(&inner, actor.tenant, request).await?;
        }
        drop(at_work);
        Ok(finished)
    };
    let work = tokio::task::spawn_blocking(move || handle.block_on(act));
    work.await.unwrap_or_else(|error| Err(KernelError::BrokeOff(error.to_string()).into()))
}

/// The same without a task of its own; also tells which waiting acts are complete now.
pub(crate) async fn run(
    inner: &Arc<Inner>,
    actor: &Actor,
    act: &Arc<dyn ErasedAct>,
    settle: Settle,
) -> Result<(Finished, Vec<RequestId>), Box<dyn Problem>> {
    inner.ready().await?;
    let mut tries = 0;
    loop {
        tries += 1;
        let (tx, turn) = inner.db.write().await.map_err(KernelError::from)?;
        let mut attempt = Attempt::new(inner, (actor, act), &settle, tx);
        let said = attempt.go().await;
        let head = attempt.head.take();
        let ended = match said {
            _ if attempt.tx.again => Err(Ended::Again(said.err())),
            Err(error) => Err(Ended::Broken(error)),
            Ok(said) => match attempt.tx.commit().await {
                Ok(()) => Ok(said),
                Err(crate::DbError::Again) => Err(Ended::Again(None)),
                Err(error) => Err(Ended::Broken(error.into())),
            },
        };
        match ended {
            Ok(said) => {
                inner.committed(&said.changes).map_err(KernelError::from)?;
                let seq = head.as_ref().map(|head| head.seq);
                if head.is_some() {
                    inner.seen().log = head;
                }
                drop(turn);
                if let Some(seq) = seq {
                    inner.keep(seq).await?;
                }
                inner.wake.notify_one();
                return said.answer.map(|finished| (finished, said.complete));
            }
            Err(Ended::Again(_)) if tries < TRIES => {
                tracing::debug!(verb = %act.verb(), tries, "trying again");
            }
            Err(Ended::Again(why)) => {
                return Err(why.unwrap_or(KernelError::Database(crate::DbError::Again)).into());
            }
            Err(Ended::Broken(error)) => {
                tracing::error!(verb = %act.verb(), request = %actor.origin.request, %error, "an act broke off");
                return Err(error.into());
            }
        }
    }
}

enum Ended {
    Again(Option<KernelError>),
    Broken(KernelError),
}

/// What an attempt came to, before the commit.
struct Said {
    answer: Result<Finished, Box<dyn Problem>>,
    changes: Changes,
    complete: Vec<RequestId>,
}

impl Said {
    fn only(answer: Result<Finished, Box<dyn Problem>>) -> Self {
        Self { answer, changes: Changes::default(), complete: Vec::new() }
    }
}

struct Attempt<'a> {
    inner: &'a Arc<Inner>,
    actor: &'a Actor,
    act: &'a Arc<dyn ErasedAct>,
    settle: &'a Settle,
    tx: Tx<'static>,
    now: Timestamp,
    /// The end of the log that this attempt makes.
    head: Option<audit::Head>,
    /// The generation of the rights that it makes.
    rights: Option<i64>,
    /// Where rights and record stood when it began; taken by the record.
    heads: Option<Heads>,
    /// What is done together with the record.
    with: Vec<Statement>,
}

impl<'a> Attempt<'a> {
    fn new(
        inner: &'a Arc<Inner>,
        (actor, act): (&'a Actor, &'a Arc<dyn ErasedAct>),
        settle: &'a Settle,
        tx: Tx<'static>,
    ) -> Self {
        let now = inner.clock.now();
        Self { inner, actor, act, settle, tx, now, head: None, rights: None, heads: None, with: Vec::new() }
    }

    /// Undoes what was done so far, and begins anew.
    async fn begin_again(&mut self) -> Result<(), KernelError> {
        self.tx.restart().await?;
        self.catch_up().await
    }

    async fn go(&mut self) -> Result<Said, KernelError> {
        self.catch_up().await?;
        if let Some(repeated) = self.repeated().await? {
            return Ok(Said::only(repeated.map_err(Into::into)));
        }
        if let Settle::Follower { name, seq, .. } = self.settle
            && crate::jobs::place_of(&mut self.tx, name).await? >= Some(*seq)
        {
            // Another process was first.
            return Ok(Said::only(Ok(Finished::Repeated(Outcome::Done(Json::Null)))));
        }
        let located = match self.authorise().await? {
            Ok(located) => located,
            Err((refused, object)) => return self.refuse(refused, object.as_ref(), "denied").await,
        };
        if self.act.needs_login() && self.actor.limits.is_some() {
            let refused = KernelError::NeedsLogin(self.act.verb());
            return self.refuse(refused, located.first(), "denied").await;
        }
        if let Settle::Approved(approved) = self.settle
            && let Err(void) = approved.still_holds(self.inner, &mut self.tx, self.actor, self.act).await?
        {
            let object = located.first().cloned();
            return self.refuse(KernelError::Void(void), object.as_ref(), "denied").await;
        }
        let slots = self.slots(&located);
        if !slots.is_empty() && matches!(self.settle, Settle::Nothing) {
            return self.wait(&located, slots).await;
        }
        self.perform(&located).await
    }

    async fn catch_up(&mut self) -> Result<(), KernelError> {
        let heads = self.inner.catch_up(&mut self.tx).await?;
        if heads.behind {
            // A transaction that began too early is right the next time; older rows that were put back are not.
            self.tx.again = true;
            return Err(crate::authz::rows::put_back().into());
        }
        self.heads = Some(heads);
        Ok(())
    }

    /// Where rights and record stand; known once the attempt has begun.
    fn heads(&self) -> Result<&Heads, KernelError> {
        self.heads.as_ref().ok_or_else(|| KernelError::BrokeOff("the heads were not read".into()))
    }

    /// Finds every target and asks policy about each.
    async fn authorise(
        &mut self,
    ) -> Result<Result<Vec<Located>, (KernelError, Option<Located>)>, KernelError> {
        let mut located = Vec::new();
        for target in self.act.targets() {
            match locate(&mut self.tx, self.inner, self.actor.tenant, &target).await {
                Ok(at) => located.push(at),
                Err(KernelError::NotFound) => {
                    let named = self.named(&target);
                    return Ok(Err((KernelError::NotFound, named)));
                }
                Err(error) => return Err(error),
            }
        }
        for at in &located {
            if let Some(refused) = refusal(self.inner, self.actor, self.act.verb(), at, self.now) {
                return Ok(Err((refused, Some(at.clone()))));
            }
        }
        Ok(Ok(located))
    }

    /// An object that was not found, as the record names it: at the root of the actor's tenant.
    fn named(&self, target: &ObjectRef) -> Option<Located> {
        let root = self.inner.index().tenants.get(&self.actor.tenant).map(|(_, root)| *root)?;
        Some(Located { kind: target.kind.to_owned(), id: target.id.clone(), node: root, owner: None })
    }

    /// The slots that the rules of all targets demand, each at the node of its target. Two that have one name
    /// are two slots nevertheless.
    fn slots(&self, located: &[Located]) -> Vec<PlacedSlot> {
        if matches!(self.actor.id, ActorId::System(_)) {
            return Vec::new();
        }
        let index = self.inner.index();
        let mut slots: Vec<PlacedSlot> = Vec::new();
        let mut nodes: Vec<NodeId> = Vec::new();
        for at in located.iter().filter(|at| index.rule(at.node, self.act.verb()).is_some()) {
            if nodes.contains(&at.node) {
                continue;
            }
            nodes.push(at.node);
            for slot in index.rule(at.node, self.act.verb()).into_iter().flatten() {
                let mut name = slot.name.clone();
                while slots.iter().any(|other| other.name == name) {
                    name.push_str("-2");
                }
                slots.push(PlacedSlot { name, role: slot.role.clone(), node: at.node });
            }
        }
        slots
    }

    async fn refuse(
        &mut self,
        refused: KernelError,
        object: Option<&Located>,
        result: &'static str,
    ) -> Result<Said, KernelError> {
        if let Settle::Approved(approved) = self.settle {
            approved.close(self.inner, &mut self.tx, "refused", &refused.to_string()).await?;
        }
        self.settle().await?;
        let summary = Summary { result, sentence: refused.to_string(), object: None };
        self.record(&summary, object).await?;
        Ok(Said::only(Err(refused.into())))
    }

    /// Stores the act as it will run, with what approvers see.
    async fn wait(&mut self, located: &[Located], slots: Vec<PlacedSlot>) -> Result<Said, KernelError> {
        let first = located.first().ok_or(KernelError::NotFound)?;
        let preview = crate::waiting::preview(self.inner, &mut self.tx, self.actor, self.act).await?;
        let preview = match preview {
            Ok(preview) => preview,
            Err(problem) => return self.failed(problem, Some(first)).await,
        };
        let sentence = format!("waits for approval: {}", preview.sentence);
        let waiting =
            crate::waiting::NewRequest { actor: self.actor, act: self.act, preview, slots, node: first.node };
        let rights = self.heads()?.rights;
        let request = waiting.store(self.inner, &mut self.tx, (self.now, rights)).await?;
        self.remember(&Outcome::Waiting(request)).await?;
        let summary = Summary { result: "waiting", sentence, object: None };
        self.record_as(&summary, Some(first), &[request.to_string()]).await?;
        Ok(Said::only(Ok(Finished::Waiting(request))))
    }

    async fn perform(&mut self, located: &[Located]) -> Result<Said, KernelError> {
        let first = located.first().ok_or(KernelError::NotFound)?;
        let permitted = Permitted { actor: self.actor.clone(), node: first.node, now: self.now };
        let rights = self.heads()?.rights;
        let mut lent = WriteTx::new(&mut self.tx, self.inner, (self.actor, self.now), rights);
        let done = self.act.perform(permitted, &mut lent).await;
        let (changes, complete) = lent.finish();
        match done {
            Ok(done) => self.succeeded(done, (changes, complete), first).await,
            Err(problem) => {
                // What it did is undone; that it failed is recorded. The turn is still ours.
                if !self.tx.again {
                    self.begin_again().await?;
                }
                self.failed(problem, Some(first)).await
            }
        }
    }

    async fn succeeded(
        &mut self,
        done: ErasedDone,
        (changes, complete): (Changes, Vec<RequestId>),
        first: &Located,
    ) -> Result<Said, KernelError> {
        self.remember(&Outcome::Done(done.output.clone())).await?;
        if let Settle::Approved(approved) = self.settle {
            approved.done(self.inner, &mut self.tx, &done.output).await?;
        }
        self.settle().await?;
        let object = done.summary.object.as_ref().map(|object| Located {
            kind: object.kind.to_owned(),
            id: object.id.clone(),
            node: first.node,
            owner: None,
        });
        self.rights = changes.head().map(|(generation, _)| generation);
        let seq = self.heads()?.log.seq + 1;
        let head = changes.finish(&self.inner.keys.rows, seq);
        self.with.extend(head.into_iter().chain(done.fact.as_ref().map(|fact| self.published(seq, fact))));
        self.record(&done.summary, object.as_ref().or(Some(first))).await?;
        let finished = Finished::Done { output: done.output, typed: done.typed };
        Ok(Said { answer: Ok(finished), changes, complete })
    }

    async fn failed(
        &mut self,
        problem: Box<dyn Problem>,
        first: Option<&Located>,
    ) -> Result<Said, KernelError> {
        let why = problem.to_string();
        if let Settle::Approved(approved) = self.settle {
            approved.close(self.inner, &mut self.tx, "failed", &why).await?;
        }
        self.settle().await?;
        self.record(&Summary::failure(why), first).await?;
        Ok(Said::only(Err(problem)))
    }

    /// Commits the place of a follower, or the end of a timer, with the effect.
    async fn settle(&mut self) -> Result<(), KernelError> {
        match self.settle {
            Settle::Due(id) => {
                // Only the firing that is being settled: the act may have set the timer anew.
                let sql = "DELETE FROM due WHERE due_id = $1 AND due_at <= $2";
                self.tx.run(sql, vec![id.as_str().into(), self.now.into()]).await?;
            }
            Settle::Follower { name, seq, last: true } => {
                crate::jobs::place(&mut self.tx, name, *seq).await?;
            }
            Settle::Nothing | Settle::Approved(_) | Settle::Follower { .. } => {}
        }
        Ok(())
    }

    fn published(&self, seq: i64, fact: &FactBytes) -> Statement {
        let args = vec![
            seq.into(),
            format!("{LOG}/{seq}").into(),
            Value::text(self.actor.tenant),
            fact.kind.into(),
            i64::from(fact.version).into(),
            fact.body.clone().into(),
        ];
        let sql =
            "INSERT INTO outbox (seq, fact_id, tenant, kind, version, body) VALUES ($1, $2, $3, $4, $5, $6)";
        (sql.into(), args)
    }

    async fn record(&mut self, summary: &Summary, object: Option<&Located>) -> Result<(), KernelError> {
        let approvals = match self.settle {
            Settle::Approved(approved) => approved.names(),
            _ => Vec::new(),
        };
        self.record_as(summary, object, &approvals).await
    }

    async fn record_as(
        &mut self,
        summary: &Summary,
        object: Option<&Located>,
        approvals: &[String],
    ) -> Result<(), KernelError> {
        let content = self.act.content().map_err(KernelError::Stored)?;
        let mut record = envelope(self.inner, self.actor, (self.act.verb(), object), self.now);
        record.content = if content.is_null() { json!({}) } else { content };
        summary.result.clone_into(&mut record.result);
        record.reason = told(&summary.sentence);
        record.approvals = approvals.to_vec();
        record.rights = self.rights;
        let seen = self.inner.seen().log.clone();
        let heads = self.heads.take().ok_or_else(|| KernelError::BrokeOff("recorded twice".into()))?;
        let (ends, with) = ((&heads.log, seen.as_ref()), std::mem::take(&mut self.with));
        let head = audit::append(&mut self.tx, &self.inner.keys.audit, ends, &mut record, with).await?;
        self.head = Some(head);
        Ok(())
    }
}

impl<P: Problem> From<P> for Box<dyn Problem> {
    fn from(problem: P) -> Self {
        Box::new(problem)
    }
}
