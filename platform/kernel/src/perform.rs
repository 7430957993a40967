//! How an act is performed: resolve, authorise, wait or do, record, publish; one transaction.

use std::any::Any;
use std::sync::Arc;

use garrison_base::{NodeId, RequestId, Timestamp};
use serde_json::{Value as Json, json};

use crate::act::{ErasedAct, ErasedDone, FactBytes, Permitted, Summary};
use crate::audit::{self, LOG};
use crate::authz::Located;
use crate::authz::rows::Changes;
use crate::db::{Tx, Value};
use crate::kernel::Inner;
use crate::record::{envelope, refusal, told};
use crate::tx::locate;
use crate::waiting::{Approved, PlacedSlot};
use crate::{Actor, ActorId, Holder, KernelError, ObjectRef, Outcome, Problem, WriteTx};

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
    /// A follower has followed up to this number.
    Consumer(&'static str, i64),
    /// The waiting act that this is.
    Approved(Approved),
}

/// Performs an act. The work goes on when the caller goes away: half an act is none, but a whole one that
/// nobody waits for is still recorded.
pub(crate) async fn perform(
    inner: &Arc<Inner>,
    actor: &Actor,
    act: Arc<dyn ErasedAct>,
) -> Result<Finished, Box<dyn Problem>> {
    let (inner, actor) = (inner.clone(), actor.clone());
    let work = tokio::spawn(async move {
        let (finished, complete) = run(&inner, &actor, &act, Settle::Nothing).await?;
        // The last slot of these was filled just now: they are authorised again, and run.
        for request in complete {
            crate::waiting::run(&inner, actor.tenant, request).await?;
        }
        Ok(finished)
    });
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
        let mut attempt = Attempt {
            inner,
            actor,
            act,
            settle: &settle,
            tx,
            now: inner.clock.now(),
            head: None,
            rights: None,
        };
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
}

impl Attempt<'_> {
    async fn go(&mut self) -> Result<Said, KernelError> {
        if self.inner.catch_up(&mut self.tx).await? {
            // A transaction that began too early is right the next time; older rows that were put back are not.
            self.tx.again = true;
            return Err(crate::authz::rows::put_back().into());
        }
        if let Some(repeated) = self.repeated().await? {
            return Ok(Said::only(repeated.map_err(Into::into)));
        }
        let located = match self.authorise().await? {
            Ok(located) => located,
            Err((refused, object)) => return self.refuse(refused, object.as_ref(), "denied").await,
        };
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
        let request = waiting.store(self.inner, &mut self.tx, self.now).await?;
        self.remember(&Outcome::Waiting(request)).await?;
        let summary = Summary { result: "waiting", sentence, object: None };
        self.record_as(&summary, Some(first), &[request.to_string()]).await?;
        Ok(Said::only(Ok(Finished::Waiting(request))))
    }

    async fn perform(&mut self, located: &[Located]) -> Result<Said, KernelError> {
        let first = located.first().ok_or(KernelError::NotFound)?;
        let permitted = Permitted { actor: self.actor.clone(), node: first.node, now: self.now };
        self.tx.run("SAVEPOINT act", Vec::new()).await?;
        let mut lent = WriteTx::new(&mut self.tx, self.inner, self.actor, self.now);
        let done = self.act.perform(permitted, &mut lent).await;
        let (changes, complete) = lent.finish();
        match done {
            Ok(done) => {
                self.tx.run("RELEASE SAVEPOINT act", Vec::new()).await?;
                self.succeeded(done, (changes, complete), first).await
            }
            Err(problem) => {
                self.tx.run("ROLLBACK TO SAVEPOINT act", Vec::new()).await?;
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
        let seq = self.record(&done.summary, object.as_ref().or(Some(first))).await?;
        changes.finish(&mut self.tx, &self.inner.keys.rows, seq).await?;
        if let Some(fact) = &done.fact {
            self.publish(seq, fact).await?;
        }
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
            Settle::Consumer(name, seq) => crate::jobs::place(&mut self.tx, name, *seq).await?,
            Settle::Nothing | Settle::Approved(_) => {}
        }
        Ok(())
    }

    async fn publish(&mut self, seq: i64, fact: &FactBytes) -> Result<(), KernelError> {
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
        self.tx.run(sql, args).await?;
        Ok(())
    }

    async fn record(&mut self, summary: &Summary, object: Option<&Located>) -> Result<i64, KernelError> {
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
    ) -> Result<i64, KernelError> {
        let content = self.act.content().map_err(KernelError::Stored)?;
        let mut record = envelope(self.inner, self.actor, (self.act.verb(), object), self.now);
        record.content = if content.is_null() { json!({}) } else { content };
        summary.result.clone_into(&mut record.result);
        record.reason = told(&summary.sentence);
        record.approvals = approvals.to_vec();
        record.rights = self.rights;
        let seen = self.inner.seen().log.clone();
        let head = audit::append(&mut self.tx, &self.inner.keys.audit, seen.as_ref(), &mut record).await?;
        let seq = head.seq;
        self.head = Some(head);
        Ok(seq)
    }

    /// The key that came with the request, within the session or token that it came with; and what it was for.
    fn key(&self) -> Option<(String, [u8; 32])> {
        let key = self.actor.origin.idempotency_key.as_deref()?;
        let key = format!("{}/{key}", self.actor.origin.session);
        let content = serde_json::to_vec(&self.act.content().ok()?).ok()?;
        Some((
            key,
            garrison_secrets::digest(&[self.act.verb().as_str().as_bytes(), b"\0", &content].concat()),
        ))
    }

    /// What the same request was answered before, if it was.
    async fn repeated(&mut self) -> Result<Option<Result<Finished, KernelError>>, KernelError> {
        let Some((key, digest)) = self.key() else { return Ok(None) };
        // Whoever is disabled is answered nothing any more, not even what was answered before.
        let active =
            self.inner.index().known.get(&Holder::Actor(self.actor.id)).is_none_or(|known| known.active);
        if !active {
            return Ok(None);
        }
        let place = self.key_place(&key);
        let args = vec![Value::text(self.actor.tenant), Value::text(self.actor.id), key.into()];
        let sql = "SELECT digest, answer FROM idempotency WHERE tenant = $1 AND actor = $2 AND idempotency_key = $3";
        let Some(row) = self.tx.row(sql, args).await? else { return Ok(None) };
        if row.get::<Vec<u8>>(0)? != digest {
            return Ok(Some(Err(KernelError::KeyReused)));
        }
        let answer = self.inner.keys.outputs.open(&place, &row.get::<Vec<u8>>(1)?);
        let answer = answer.map_err(|_| {
            KernelError::Database(crate::DbError::Tampered { table: "idempotency", row: place })
        })?;
        let answer: (Option<RequestId>, Json) =
            serde_json::from_slice(&answer).map_err(KernelError::Stored)?;
        Ok(Some(Ok(Finished::Repeated(match answer {
            (Some(request), _) => Outcome::Waiting(request),
            (None, output) => Outcome::Done(output),
        }))))
    }

    async fn remember(&mut self, outcome: &Outcome<Json>) -> Result<(), KernelError> {
        let Some((key, digest)) = self.key() else { return Ok(()) };
        let answer = match outcome {
            Outcome::Done(output) => (None, output.clone()),
            Outcome::Waiting(request) => (Some(*request), Json::Null),
        };
        let answer = serde_json::to_vec(&answer).map_err(KernelError::Stored)?;
        let sealed = self.inner.keys.outputs.seal(&self.key_place(&key), &answer, &*self.inner.entropy);
        let args = vec![
            Value::text(self.actor.tenant),
            Value::text(self.actor.id),
            key.into(),
            digest.into(),
            sealed.into(),
            self.now.into(),
        ];
        let sql = "INSERT INTO idempotency (tenant, actor, idempotency_key, digest, answer, created)
                   VALUES ($1, $2, $3, $4, $5, $6)";
        self.tx.run(sql, args).await?;
        Ok(())
    }

    fn key_place(&self, key: &str) -> String {
        format!("idempotency/{}/{}/{key}", self.actor.tenant, self.actor.id)
    }
}

impl<P: Problem> From<P> for Box<dyn Problem> {
    fn from(problem: P) -> Self {
        Box::new(problem)
    }
}
