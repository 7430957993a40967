use garrison_base::AlertId;
use garrison_kernel::{Act, Done, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AlertChanged;
use crate::model::AlertState;
use crate::problem::AlertError;
use crate::store;

/// Opens an alert again that was acknowledged or closed. Why it was closed stays in the record only.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReopenAlert {
    /// Which.
    pub alert: AlertId,
}

impl Act for ReopenAlert {
    const VERB: Verb = Verb::new("alert:reopen");
    type Output = AlertChanged;
    type Fact = ();
    type Error = AlertError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.alert.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, AlertError> {
        let alert = store::alert(tx, self.alert).await?;
        let sentence = format!("open the alert `{}` on {} again", alert.title, alert.entity);
        Ok(Preview::sentence(sentence).change("state", alert.state, AlertState::Open))
    }

    async fn perform(&self, _: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, AlertError> {
        let alert = store::alert(&mut tx.read(), self.alert).await?;
        if alert.state == AlertState::Open {
            return Err(AlertError::State { alert: alert.id, state: alert.state, wanted: "reopened" });
        }
        tx.touch(&self.alert.into()).await?;
        let revision = store::set_state(tx, alert.id, AlertState::Open, None).await?;
        let summary = Summary::of(format!("opened the alert `{}` on {} again", alert.title, alert.entity));
        Ok(Done::new(AlertChanged { changed: true, revision }, summary, ()))
    }
}
