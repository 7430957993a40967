//! How a session begins.

use garrison_base::{PersonId, SessionId, Timestamp};
use garrison_kernel::{Act, ActorId, KernelError, Permit, WriteTx};
use jiff::SignedDuration;

use crate::credential::{Kind as _, Shown, fresh_secret};
use crate::model::{SessionKind, SessionLimits};
use crate::store::{self, Session, put_session, take_opened};

/// When a session that is used now ends: idle, and in any case if it began now.
pub(crate) fn ends(now: Timestamp, limits: SessionLimits) -> (Timestamp, Timestamp) {
    let after = |span: SignedDuration| now.saturating_add(span).unwrap_or(now);
    (
        after(SignedDuration::from_mins(i64::from(limits.idle_minutes))),
        after(SignedDuration::from_hours(i64::from(limits.absolute_hours))),
    )
}

/// Begins a session of a person who has proven everything, with its two ends; returns its id and its secret.
pub(crate) async fn start_session<A: Act>(
    permit: &Permit<A>,
    tx: &mut WriteTx<'_>,
    (person, kind): (PersonId, SessionKind),
    (idle_until, absolute_until): (Timestamp, Timestamp),
) -> Result<(SessionId, String), KernelError> {
    let now = permit.now();
    let id = SessionId::new(now, tx.entropy());
    let shown = Shown { tenant: permit.tenant(), id, secret: fresh_secret(tx.entropy()) };
    let tag = tx.tag(SessionId::PURPOSE, &shown.tagged());
    let origin = &permit.actor().origin;
    let row = Session {
        id,
        node: permit.node(),
        person,
        kind,
        tag_before: tag.clone(),
        tag,
        renewed: now,
        idle_until: idle_until.min(absolute_until),
        absolute_until,
        created: now,
        address: origin.ip.to_string(),
        agent: origin.agent.clone(),
        state: "active".to_owned(),
    };
    put_session(tx, &row).await?;
    tx.register(&id.into(), permit.node(), Some(ActorId::Person(person))).await?;
    Ok((id, shown.to_string()))
}

/// Ends a session, and all that were handed over from it, and from those; tells how many were active.
pub(crate) async fn end_with_handed(tx: &mut WriteTx<'_>, session: SessionId) -> Result<u64, KernelError> {
    let (mut all, mut ended) = (vec![session], 0);
    // Each takes the links from it away, so this has an end.
    while let Some(id) = all.pop() {
        if let Some(session) = store::session(&mut tx.read(), &id).await? {
            ended += u64::from(session.state == "active");
            put_session(tx, &Session { state: "ended".to_owned(), ..session }).await?;
        }
        all.extend(take_opened(tx, id).await?);
    }
    Ok(ended)
}
