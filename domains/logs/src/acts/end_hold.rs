use garrison_base::{Day, HoldId, Line};
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Changed;
use crate::model::Hold;
use crate::retention::Rules;
use crate::store;

/// Ends a hold: what it covered is kept for as long as its stream, and deleted where that is over.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndHold {
    /// Which.
    pub hold: HoldId,
    /// Why.
    pub reason: Line,
}

impl EndHold {
    async fn open(&self, tx: &mut ReadTx<'_>) -> Result<Hold, KernelError> {
        let hold = store::hold(tx, self.hold).await?;
        match hold.ended {
            Some(ended) => Err(KernelError::Invalid(format!("the hold has ended on {}", Day::of(ended)))),
            None => Ok(hold),
        }
    }
}

impl Act for EndHold {
    const VERB: Verb = Verb::new("hold:end");
    type Output = Changed;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.hold.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        let hold = self.open(tx).await?;
        let (rules, files) = (Rules::read(tx).await?, store::files(tx).await?);
        let (count, events) = rules.newly_due(&rules.without(self.hold), &files, Day::of(tx.now()));
        Ok(Preview::sentence(format!("hold {} no longer: {}", hold.scope(), self.reason))
            .change("files that become due", 0, count)
            .change("events that become due", 0, events))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let hold = self.open(&mut tx.read()).await?;
        tx.touch(&self.hold.into()).await?;
        store::end_hold(tx, permit, self).await?;
        let words = format!("holds {} no longer", hold.scope());
        Ok(Done::new(Changed { changed: true }, Summary::of(words), ()))
    }
}
