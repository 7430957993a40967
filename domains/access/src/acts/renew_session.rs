use garrison_base::SessionId;
use garrison_kernel::{Act, Done, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};

use crate::credential::{Kind as _, Shown, fresh_secret};
use crate::model::{RENEWAL, SessionKind, SessionLimits};
use crate::problem::AccessError;
use crate::session::ends;
use crate::store::{self, Session, put_session};

/// Moves the idle end of a session that is used; a browser's gets a new secret with it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenewSession {
    /// Which.
    pub session: SessionId,
    /// How long it may live.
    pub limits: SessionLimits,
}

/// A session that was renewed.
#[derive(Debug, Serialize)]
pub struct Renewed {
    /// The new secret, where there is one.
    pub secret: Option<String>,
}

impl Act for RenewSession {
    const VERB: Verb = Verb::new("session:renew");
    type Output = Renewed;
    type Fact = ();
    type Error = AccessError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.session.into()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, AccessError> {
        Ok(Preview::sentence("renew a session"))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, AccessError> {
        let session = store::session(&mut tx.read(), &self.session).await?.ok_or(AccessError::Ended)?;
        let since = permit.now().duration_since(session.renewed);
        if session.state != "active" || since < RENEWAL {
            // Another request of the same session was first.
            return Ok(Done::new(
                Renewed { secret: None },
                Summary::of("the session was renewed already"),
                (),
            ));
        }
        let (idle_until, _) = ends(permit.now(), self.limits);
        let person = session.person;
        let mut renewed =
            Session { idle_until: idle_until.min(session.absolute_until), renewed: permit.now(), ..session };
        let mut secret = None;
        if renewed.kind == SessionKind::Web {
            let shown =
                Shown { tenant: permit.tenant(), id: self.session, secret: fresh_secret(tx.entropy()) };
            renewed.tag_before =
                std::mem::replace(&mut renewed.tag, tx.tag(SessionId::PURPOSE, &shown.tagged()));
            secret = Some(shown.to_string());
        }
        put_session(tx, &renewed).await?;
        let name = store::name_of(&mut tx.read(), person).await?;
        Ok(Done::new(
            Renewed { secret },
            Summary::of(format!("a session of `{name}` goes on")).object(person),
            (),
        ))
    }
}
