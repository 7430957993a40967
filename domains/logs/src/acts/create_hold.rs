use garrison_base::{Day, HoldId, Line};
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::Name;
use crate::retention::scope;
use crate::store;

/// Keeps logs whatever their age, until the hold is ended.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateHold {
    /// Those of this stream; of all where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<Name>,
    /// Those received on this day or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_day: Option<Day>,
    /// Those received on this day or earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_day: Option<Day>,
    /// Why.
    pub reason: Line,
}

/// A hold that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedHold {
    /// The id.
    pub hold: HoldId,
}

impl CreateHold {
    async fn check(&self, tx: &mut ReadTx<'_>) -> Result<(), KernelError> {
        if let (Some(from), Some(to)) = (self.from_day, self.to_day)
            && from > to
        {
            return Err(KernelError::Invalid(format!("{from} is after {to}")));
        }
        match &self.stream {
            Some(stream) => store::known_stream(tx, stream).await,
            None => Ok(()),
        }
    }

    fn scope(&self) -> String {
        scope(self.stream.as_ref(), self.from_day, self.to_day)
    }
}

impl Act for CreateHold {
    const VERB: Verb = Verb::new("hold:create");
    type Output = CreatedHold;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        self.check(tx).await?;
        Ok(Preview::sentence(format!("keep {} whatever their age: {}", self.scope(), self.reason)))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        self.check(&mut tx.read()).await?;
        let hold = HoldId::new(permit.now(), tx.entropy());
        tx.register(&hold.into(), permit.node(), None).await?;
        store::add_hold(tx, permit, hold, self).await?;
        let summary = Summary::of(format!("holds {}", self.scope())).object(hold);
        Ok(Done::new(CreatedHold { hold }, summary, ()))
    }
}
