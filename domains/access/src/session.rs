//! How a session begins.

use garrison_base::{PersonId, SessionId, Timestamp};
use garrison_kernel::{Act, ActorId, KernelError, Permit, WriteTx};
use jiff::SignedDuration;

use crate::credential::{Kind as _, Shown, fresh_secret};
use crate::model::{SessionKind, SessionLimits};
use crate::store::{Session, put_session};

/// When a session that is used now ends: idle, and in any case if it began now.
pub(crate) fn ends(now: Timestamp, limits: SessionLimits) -> (Timestamp, Timestamp) {
    let after = |span: SignedDuration| now.saturating_add(span).unwrap_or(now);
    (
        after(SignedDuration::from_mins(i64::from(limits.idle_minutes))),
        after(SignedDuration::from_hours(i64::from(limits.absolute_hours))),
    )
}

/// Begins a session of a person who has proven everything; returns its secret.
pub(crate) async fn start_session<A: Act>(
    permit: &Permit<A>,
    tx: &mut WriteTx<'_>,
    (person, kind): (PersonId, SessionKind),
    limits: SessionLimits,
) -> Result<String, KernelError> {
    let now = permit.now();
    let id = SessionId::new(now, tx.entropy());
    let shown = Shown { tenant: permit.tenant(), id, secret: fresh_secret(tx.entropy()) };
    let tag = tx.tag(SessionId::PURPOSE, &shown.tagged());
    let (idle_until, absolute_until) = ends(now, limits);
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
    Ok(shown.to_string())
}
