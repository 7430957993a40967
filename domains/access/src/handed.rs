//! Handing a session over: from the command line to a browser of the same person, by a one-time link.

use garrison_base::HandOverId;
use garrison_kernel::{Actor, ActorId, Holder, KernelError, Origin, ReadTx, System};
use jiff::SignedDuration;

use crate::Access;
use crate::acts::EnterSession;
use crate::credential::{Kind as _, Shown};
use crate::gate::{same, session_lives};
use crate::login::{Tried, done, unknown};
use crate::model::{HAND_OVER_TIME, SessionKind};
use crate::problem::AccessError;
use crate::store::{self, HandOver, Session};

impl Access {
    /// A link that hands a session over, if it still does. Looking at it uses nothing up.
    pub(crate) async fn open_hand_over(
        &self,
        link: &str,
        origin: &Origin,
    ) -> Tried<(Shown<HandOverId>, HandOver)> {
        let shown: Shown<HandOverId> = link.parse().map_err(|()| AccessError::HandedOver)?;
        let mut tx =
            self.look(shown.tenant, origin).await.map_err(|error| unknown(error, AccessError::HandedOver))?;
        let row = store::hand_over(&mut tx, &shown.id).await?.ok_or(AccessError::HandedOver)?;
        let tag = self.kernel.tag(HandOverId::PURPOSE, &shown.tagged());
        if !same(&tag, &row.tag) || session_of(&mut tx, &row).await?.is_none() {
            return Err(AccessError::HandedOver.into());
        }
        Ok((shown, row))
    }

    /// Opens a browser's session by a link, once; returns the session's secret.
    pub async fn enter(&self, link: &str, origin: &Origin) -> Tried<String> {
        let (shown, _) = self.open_hand_over(link, origin).await?;
        let origin = Origin { method: SessionKind::Web.method(), ..origin.clone() };
        let login = Actor::system(System::LOGIN, shown.tenant, origin);
        let act = EnterSession { link: shown.id, limits: self.limits };
        Ok(done(self.kernel.act(&login, act).await?)?.session)
    }
}

/// The session that a link was made from, if the link still opens something.
pub(crate) async fn session_of(tx: &mut ReadTx<'_>, link: &HandOver) -> Result<Option<Session>, KernelError> {
    let now = tx.now();
    // One that ends later than any does was made by a clock that was ahead.
    let left = link.expires.duration_since(now);
    let lives = link.state == "open" && left > SignedDuration::ZERO && left <= HAND_OVER_TIME;
    if !lives || !tx.is_active(Holder::Actor(ActorId::Person(link.person))) {
        return Ok(None);
    }
    let session = store::session(tx, &link.session).await?;
    Ok(session.filter(|session| session.person == link.person && session_lives(session, now)))
}
