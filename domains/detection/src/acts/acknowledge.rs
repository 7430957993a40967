use garrison_base::AlertId;
use garrison_kernel::{Act, Done, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AlertChanged;
use crate::model::AlertState;
use crate::problem::AlertError;
use crate::store;

/// Says that somebody looks at an alert.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeAlert {
    /// Which.
    pub alert: AlertId,
}

impl Act for AcknowledgeAlert {
    const VERB: Verb = Verb::new("alert:acknowledge");
    type Output = AlertChanged;
    type Fact = ();
    type Error = AlertError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.alert.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, AlertError> {
        let alert = store::alert(tx, self.alert).await?;
        let sentence = format!("acknowledge the alert `{}` on {}", alert.title, alert.entity);
        Ok(Preview::sentence(sentence).change("state", alert.state, AlertState::Acknowledged))
    }

    async fn perform(&self, _: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, AlertError> {
        let alert = store::alert(&mut tx.read(), self.alert).await?;
        if alert.state != AlertState::Open {
            return Err(AlertError::State { alert: alert.id, state: alert.state, wanted: "acknowledged" });
        }
        tx.touch(&self.alert.into()).await?;
        let revision = store::set_state(tx, alert.id, AlertState::Acknowledged, None).await?;
        let summary = Summary::of(format!("acknowledged the alert `{}` on {}", alert.title, alert.entity));
        Ok(Done::new(AlertChanged { changed: true, revision }, summary, ()))
    }
}
