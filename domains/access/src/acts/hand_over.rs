use garrison_base::{HandOverId, SessionId, Timestamp};
use garrison_kernel::{Act, ActorId, Done, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::credential::{Kind as _, Shown, fresh_secret};
use crate::gate::session_lives;
use crate::model::HAND_OVER_TIME;
use crate::problem::AccessError;
use crate::store::{self, forget_hand_overs, put_hand_over};

/// Makes a one-time link by which whoever is logged in opens a session of their own in a browser. That one ends
/// with the session that the link was made from: when it is ended, and at its absolute end in any case.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOver {}

/// A link that hands a session over. It is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct HandedOver {
    /// What follows the server's address in the link.
    pub path: String,
    /// Until when it opens something.
    #[schema(value_type = String, format = DateTime)]
    pub expires: Timestamp,
}

impl Act for HandOver {
    const VERB: Verb = Verb::new("session:hand-over");
    const NEEDS_LOGIN: bool = true;
    type Output = HandedOver;
    type Fact = ();
    type Error = AccessError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, AccessError> {
        Ok(Preview::sentence("make a link that opens one's own session in a browser"))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, AccessError> {
        let actor = permit.actor();
        let own = actor.origin.session.parse::<SessionId>().ok();
        let (ActorId::Person(person), Some(session)) = (actor.id, own) else {
            return Err(AccessError::NeedsLogin("handing a session over"));
        };
        let session = store::session(&mut tx.read(), &session).await?.ok_or(AccessError::HandedOver)?;
        // One that waited for approvals may have outlived the session.
        if session.person != person || !session_lives(&session, permit.now()) {
            return Err(AccessError::HandedOver);
        }
        forget_hand_overs(tx, permit.now()).await?;
        let id = HandOverId::new(permit.now(), tx.entropy());
        let shown = Shown { tenant: permit.tenant(), id, secret: fresh_secret(tx.entropy()) };
        let expires = permit.now().saturating_add(HAND_OVER_TIME).unwrap_or(permit.now());
        let expires = expires.min(session.absolute_until);
        let row = store::HandOver {
            id,
            node: permit.node(),
            person,
            session: session.id,
            tag: tx.tag(HandOverId::PURPOSE, &shown.tagged()),
            expires,
            state: "open".to_owned(),
            opened: None,
        };
        put_hand_over(tx, &row).await?;
        let name = store::name_of(&mut tx.read(), person).await?;
        let summary = Summary::of(format!("made a link by which `{name}` opens a browser's session"));
        Ok(Done::new(HandedOver { path: format!("/enter/{shown}"), expires }, summary.object(session.id), ()))
    }
}
