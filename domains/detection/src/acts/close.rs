use garrison_base::{AlertId, Line};
use garrison_kernel::{Act, Done, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AlertChanged;
use crate::model::{AlertState, CloseReason};
use crate::problem::AlertError;
use crate::store;

/// Closes an alert. What comes after is a new one.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseAlert {
    /// Which.
    pub alert: AlertId,
    /// What it turned out to be.
    pub reason: CloseReason,
    /// What was found out.
    pub note: Line,
}

impl Act for CloseAlert {
    const VERB: Verb = Verb::new("alert:close");
    type Output = AlertChanged;
    type Fact = ();
    type Error = AlertError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.alert.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, AlertError> {
        let alert = store::alert(tx, self.alert).await?;
        let sentence = format!(
            "close the alert `{}` on {} as {}: {}",
            alert.title, alert.entity, self.reason, self.note
        );
        Ok(Preview::sentence(sentence).change("state", alert.state, AlertState::Closed))
    }

    async fn perform(&self, _: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, AlertError> {
        let alert = store::alert(&mut tx.read(), self.alert).await?;
        if alert.state == AlertState::Closed {
            return Err(AlertError::State { alert: alert.id, state: alert.state, wanted: "closed" });
        }
        tx.touch(&self.alert.into()).await?;
        let closing = Some((self.reason, &self.note));
        let revision = store::set_state(tx, alert.id, AlertState::Closed, closing).await?;
        let summary = Summary::of(format!(
            "closed the alert `{}` on {} as {}: {}",
            alert.title, alert.entity, self.reason, self.note
        ));
        Ok(Done::new(AlertChanged { changed: true, revision }, summary, ()))
    }
}
