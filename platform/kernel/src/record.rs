//! What a record says beyond the act itself, and the recording of questions.

use std::sync::Arc;

use garrison_base::{NodeId, Timestamp};
use serde_json::json;

use crate::audit::{self, LOG, Record, RecordActor, RecordObject, RecordSource};
use crate::authz::{self, Located};
use crate::kernel::Inner;
use crate::perform::TRIES;
use crate::tx::locate;
use crate::{Actor, Holder, KernelError, Problem, ReadAct, Verb};

/// Why the actor may not do this there. What the actor cannot see is not found.
pub(crate) fn refusal(
    inner: &Inner,
    actor: &Actor,
    verb: Verb,
    at: &Located,
    now: Timestamp,
) -> Option<KernelError> {
    let index = inner.index();
    if authz::decide(&index, &inner.policies, actor, (verb, at), now).allowed {
        return None;
    }
    if !authz::sees(&index, actor, at, now) {
        return Some(KernelError::NotFound);
    }
    let why = authz::explain(&index, &inner.policies, actor, (verb, at), now).why;
    Some(KernelError::Denied { verb: verb.to_string(), object: format!("{} {}", at.kind, at.id), why })
}

/// Where the actor may ask this: the nodes below which a read shows rows. Refused where that is nowhere.
pub(crate) fn places(
    inner: &Inner,
    actor: &Actor,
    verb: Verb,
    now: Timestamp,
) -> Result<Vec<NodeId>, KernelError> {
    let index = inner.index();
    let roots = authz::roots(&index, &inner.policies, actor, verb, now);
    if !roots.is_empty() {
        return Ok(roots);
    }
    let root = index.tenants.get(&actor.tenant).map(|(_, root)| *root).ok_or(KernelError::NotFound)?;
    let id = actor.tenant.to_string();
    let at = Located { kind: "tenant".to_owned(), id: id.clone(), node: root, owner: None };
    let why = authz::explain(&index, &inner.policies, actor, (verb, &at), now).why;
    Err(KernelError::Denied { verb: verb.to_string(), object: format!("tenant {id}"), why })
}

/// A record with everything but what is told of the act itself.
pub(crate) fn envelope(
    inner: &Inner,
    actor: &Actor,
    (verb, object): (Verb, Option<&Located>),
    now: Timestamp,
) -> Record {
    let index = inner.index();
    let known = index.known.get(&Holder::Actor(actor.id));
    let groups = index.holders(actor.id).filter_map(|holder| match holder {
        Holder::Group(_) => index.known.get(&holder).map(|group| group.name.clone()),
        Holder::Actor(_) => None,
    });
    let root = index.tenants.get(&actor.tenant).map(|(_, root)| *root);
    let node: NodeId = object.map(|at| at.node).or(root).unwrap_or_else(|| NodeId::new(now, &*inner.entropy));
    Record {
        log_id: LOG.to_owned(),
        seq: 0,
        received: now,
        tenant: actor.tenant,
        node,
        stream: "audit".to_owned(),
        tag: "operation".to_owned(),
        actor: RecordActor {
            id: actor.id,
            name: known.map_or_else(|| actor.id.to_string(), |known| known.name.clone()),
            groups: std::iter::once("everyone".to_owned()).chain(groups).collect(),
            kind: actor.id.kind().to_owned(),
        },
        source: RecordSource {
            ip: actor.origin.ip,
            port: actor.origin.port,
            sender: told(&actor.origin.agent),
        },
        operation: verb.to_string(),
        method: actor.origin.method,
        object: RecordObject {
            kind: object.map_or_else(|| "tenant".to_owned(), |at| at.kind.clone()),
            id: object.map_or_else(|| actor.tenant.to_string(), |at| at.id.clone()),
            component: inner.component(verb).to_owned(),
        },
        content: json!({}),
        result: String::new(),
        reason: String::new(),
        session: told(&actor.origin.session),
        request: told(&actor.origin.request),
        approvals: Vec::new(),
        rights: None,
    }
}

/// No field of a record is empty: what was not told says so.
pub(crate) fn told(text: &str) -> String {
    if text.trim().is_empty() { "none".to_owned() } else { text.to_owned() }
}

/// Records that a question was asked, or denied, before anything is answered.
pub(crate) async fn record_question<R: ReadAct>(
    inner: &Arc<Inner>,
    actor: &Actor,
    question: &R,
) -> Result<(), Box<dyn Problem>> {
    for _ in 1..TRIES {
        match try_question(inner, actor, question).await {
            Err(KernelError::Database(crate::DbError::Again)) => {}
            said => return said.map_err(Into::into),
        }
    }
    Ok(try_question(inner, actor, question).await?)
}

async fn try_question<R: ReadAct>(
    inner: &Arc<Inner>,
    actor: &Actor,
    question: &R,
) -> Result<(), KernelError> {
    inner.ready().await?;
    let (mut tx, turn) = inner.db.write().await.map_err(KernelError::from)?;
    let now = inner.clock.now();
    let work = async {
        let heads = inner.catch_up(&mut tx).await?;
        let mut refused = None;
        let mut first = None;
        for target in question.targets() {
            if target.kind == "anywhere" {
                refused = refused.or_else(|| places(inner, actor, R::VERB, now).err());
                continue;
            }
            match locate(&mut tx, inner, actor.tenant, &target).await {
                Ok(at) => {
                    refused = refused.or_else(|| refusal(inner, actor, R::VERB, &at, now));
                    first = first.or(Some(at));
                }
                Err(error) => refused = Some(error),
            }
        }
        let mut record = envelope(inner, actor, (R::VERB, first.as_ref()), now);
        record.content = serde_json::to_value(question).map_err(KernelError::Stored)?;
        (record.result, record.reason) = match &refused {
            None => ("success".to_owned(), "the question was allowed".to_owned()),
            Some(refused) => ("denied".to_owned(), refused.to_string()),
        };
        let seen = inner.seen().log.clone();
        let ends = (&heads.log, seen.as_ref());
        let head = audit::append(&mut tx, &inner.keys.audit, ends, &mut record, Vec::new()).await?;
        let seq = head.seq;
        tx.commit().await?;
        inner.seen().log = Some(head);
        Ok((seq, refused))
    };
    let done: Result<_, KernelError> = work.await;
    drop(turn);
    let (seq, refused) = done?;
    inner.keep(seq).await?;
    refused.map_or(Ok(()), Err)
}
