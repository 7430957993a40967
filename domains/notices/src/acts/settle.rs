use garrison_base::{DeliveryId, Timestamp};
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};

use crate::model::{ATTEMPTS, DeliveryState, ERROR, pause};
use crate::store::{self, Settled};

/// Notes what came of an attempt to deliver. One that does not wait any more stays as it is: another process was
/// first.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettleDelivery {
    /// Which.
    pub delivery: DeliveryId,
    /// What came of it.
    pub outcome: DeliveryOutcome,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryOutcome {
    /// The other side took it.
    Sent,
    /// It did not.
    Failed {
        /// Why, in words without secrets.
        why: String,
    },
}

impl SettleDelivery {
    /// What the delivery becomes after `attempts` attempts.
    fn settled(&self, attempts: i64, now: Timestamp, random: u32) -> Settled {
        let DeliveryOutcome::Failed { why } = &self.outcome else {
            return Settled { state: DeliveryState::Sent, next: now, error: None, sent: Some(now) };
        };
        let given_up = attempts >= ATTEMPTS;
        let state = if given_up { DeliveryState::Failed } else { DeliveryState::Waiting };
        let next = now.saturating_add(pause(attempts, random)).unwrap_or(now);
        let error = Some(why.chars().filter(|char| *char != '\0').take(ERROR).collect());
        Settled { state, next, error, sent: None }
    }
}

impl Act for SettleDelivery {
    const VERB: Verb = Verb::new("delivery:settle");
    type Output = Option<DeliveryState>;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("note what came of the delivery {}", self.delivery)))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let object = ObjectRef::new("delivery", self.delivery);
        let Some(before) = store::attempts(tx, self.delivery).await? else {
            let summary = Summary::of("nothing: the delivery does not wait").object(object);
            return Ok(Done::new(None, summary, ()));
        };
        let mut random = [0; 4];
        tx.entropy().fill(&mut random);
        let settled = self.settled(before + 1, permit.now(), u32::from_be_bytes(random));
        store::settle(tx, self.delivery, &settled).await?;
        let attempt = format!("attempt {}", before + 1);
        let summary = match (&settled.error, settled.state) {
            (None, _) => Summary::of(format!("delivered at {attempt}")),
            (Some(why), DeliveryState::Failed) => {
                Summary::failure(format!("given up after {attempt}: {why}"))
            }
            (Some(why), _) => Summary::failure(format!("{attempt}: {why}")),
        };
        Ok(Done::new(Some(settled.state), summary.object(object), ()))
    }
}
