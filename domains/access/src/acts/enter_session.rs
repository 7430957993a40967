use garrison_base::HandOverId;
use garrison_kernel::{Act, Done, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};

use crate::handed::session_of;
use crate::model::{SessionKind, SessionLimits};
use crate::problem::AccessError;
use crate::session::{ends, start_session};
use crate::store::{self, HandOver, put_hand_over};

/// Opens a browser's session by a link that was shown and is right; uses the link up.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnterSession {
    /// Which link.
    pub link: HandOverId,
    /// How long the session may live.
    pub limits: SessionLimits,
}

/// A session that was opened.
#[derive(Debug, Serialize)]
pub struct Entered {
    /// Its secret.
    pub session: String,
}

impl Act for EnterSession {
    const VERB: Verb = Verb::new("session:enter");
    type Output = Entered;
    type Fact = ();
    type Error = AccessError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, AccessError> {
        Ok(Preview::sentence("open a browser's session by a link"))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, AccessError> {
        let link = store::hand_over(&mut tx.read(), &self.link).await?.ok_or(AccessError::HandedOver)?;
        let from = session_of(&mut tx.read(), &link).await?.ok_or(AccessError::HandedOver)?;
        let person = link.person;
        let (idle_until, absolute_until) = ends(permit.now(), self.limits);
        // Nobody stays longer by this than they would have.
        let ends = (idle_until, absolute_until.min(from.absolute_until));
        let (opened, session) = start_session(permit, tx, (person, SessionKind::Web), ends).await?;
        // It ends when that one is ended.
        let used = HandOver { state: "used".to_owned(), opened: Some(opened), expires: ends.1, ..link };
        put_hand_over(tx, &used).await?;
        let name = store::name_of(&mut tx.read(), person).await?;
        let words = format!("`{name}` opened a browser's session by a link made from {}", from.id);
        Ok(Done::new(Entered { session }, Summary::of(words).object(person), ()))
    }
}
