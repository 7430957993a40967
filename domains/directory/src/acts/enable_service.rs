use garrison_base::ServiceId;
use garrison_kernel::{
    Act, ActorId, Done, Holder, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Changed;
use crate::store;

/// Enables a service account again.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnableService {
    /// Which.
    pub service: ServiceId,
}

impl EnableService {
    fn holder(&self) -> Holder {
        Holder::Actor(ActorId::Service(self.service))
    }
}

impl Act for EnableService {
    const VERB: Verb = Verb::new("service:enable");
    type Output = Changed;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.service.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("enable {}", tx.name_of(self.holder()))))
    }

    async fn perform(&self, _: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        tx.set_active(self.holder(), true).await?;
        store::set_service_state(tx, self.service, "active").await?;
        let summary = Summary::of(format!("enabled {}", tx.read().name_of(self.holder())));
        Ok(Done::new(Changed::yes(), summary, ()))
    }
}
