use garrison_base::Day;
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Changed;
use crate::model::Name;
use crate::retention::{LEAST, MOST, Rules};
use crate::store;

/// Sets for how long the logs of a stream are kept. A shorter time counts for what is there already: what it makes due
/// is deleted within a day.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRetention {
    /// The stream.
    pub stream: Name,
    /// Days, 180 to 36,500. A day counts from its end: an event is kept for this long at least, and a day more at most.
    pub days: i64,
}

impl SetRetention {
    async fn check(&self, tx: &mut ReadTx<'_>) -> Result<(), KernelError> {
        if self.days < LEAST {
            let words = format!("logs are kept for {LEAST} days at least, and {} are fewer", self.days);
            return Err(KernelError::Invalid(words));
        }
        if self.days > MOST {
            return Err(KernelError::Invalid(format!("logs are kept for {MOST} days at most")));
        }
        store::known_stream(tx, &self.stream).await
    }
}

impl Act for SetRetention {
    const VERB: Verb = Verb::new("retention:set");
    type Output = Changed;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        self.check(tx).await?;
        let (stream, days) = (self.stream.as_str(), self.days);
        let (rules, files) = (Rules::read(tx).await?, store::files(tx).await?);
        let (count, events) = rules.newly_due(&rules.with(stream, days), &files, Day::of(tx.now()));
        Ok(Preview::sentence(format!("keep the logs of the stream `{stream}` for {days} days"))
            .change("days", rules.days(stream), days)
            .change("files that become due", 0, count)
            .change("events that become due", 0, events))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        self.check(&mut tx.read()).await?;
        let before = Rules::read(&mut tx.read()).await?.days(self.stream.as_str());
        store::set_retention(tx, permit, self).await?;
        let words = format!("the stream `{}` is kept for {} days, before {before}", self.stream, self.days);
        Ok(Done::new(Changed { changed: before != self.days }, Summary::of(words), ()))
    }
}
