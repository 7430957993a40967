use garrison_base::Timestamp;
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};

use super::Changed;
use crate::store;

/// Notes that logs are taken again after a time in which the server was not there, or that the clock was set back. Days of
/// the calendar that such a time touches are not whole.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResumeLogs {
    /// When the server was there the last time; absent where nobody knows, and later than `at` where the clock was set back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// From when on it is there again.
    pub at: Timestamp,
}

impl ResumeLogs {
    fn sentence(&self) -> String {
        match self.since {
            Some(since) if self.at < since => {
                format!("the clock was set back from {since:.0} to {:.0}", self.at)
            }
            Some(since) => format!("the server took no logs from {since:.0} to {:.0}", self.at),
            None => format!("nobody knows when the server took logs before {:.0}", self.at),
        }
    }
}

impl Act for ResumeLogs {
    const VERB: Verb = Verb::new("log:resume");
    type Output = Changed;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(self.sentence()))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        if self.since.is_some_and(|since| self.at < since) {
            store::shorten_outages(tx, permit, self.at).await?;
        } else {
            store::add_outage(tx, permit, self).await?;
        }
        Ok(Done::new(Changed { changed: true }, Summary::of(self.sentence()), ()))
    }
}
