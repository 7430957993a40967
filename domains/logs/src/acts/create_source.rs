use garrison_base::{Line, NodeId, SourceId};
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::Name;
use crate::store;

/// Makes a source of logs at a node: whoever may send there may send to it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateSource {
    /// Where: who may see this node sees its events.
    pub node: NodeId,
    /// Its name, of which there is one in a tenant.
    pub name: Name,
    /// What it is.
    pub purpose: Line,
    /// The stream that its events go to: what is kept together, and as long. `logs` where nothing is said; events of
    /// `auth` and `network` are sorted by address, all others by host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<Name>,
    /// Events that it may bring in a second, 1 to 10,000,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<i64>,
    /// After so many minutes without an event it counts as silent, 1 to 100,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence_minutes: Option<i64>,
}

/// A source that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedSource {
    /// The id.
    pub source: SourceId,
}

/// Refuses numbers that make no sense.
pub(super) fn check(rate: Option<i64>, silence: Option<i64>) -> Result<(), KernelError> {
    if rate.is_some_and(|rate| !(1..=10_000_000).contains(&rate)) {
        return Err(KernelError::Invalid("rate_limit is 1 to 10,000,000 events a second".into()));
    }
    if silence.is_some_and(|minutes| !(1..=100_000).contains(&minutes)) {
        return Err(KernelError::Invalid("silence_minutes is 1 to 100,000".into()));
    }
    Ok(())
}

impl Act for CreateSource {
    const VERB: Verb = Verb::new("source:create");
    type Output = CreatedSource;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.node.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        let at = tx.path(self.node);
        Ok(Preview::sentence(format!("take logs from a source `{}` at {at}: {}", self.name, self.purpose)))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        check(self.rate_limit, self.silence_minutes)?;
        let source = SourceId::new(permit.now(), tx.entropy());
        tx.register(&source.into(), self.node, None).await?;
        store::add_source(tx, permit, source, self).await?;
        store::add_switch(tx, permit, source, "created").await?;
        let summary = Summary::of(format!("made the source `{}`", self.name)).object(source);
        Ok(Done::new(CreatedSource { source }, summary, ()))
    }
}
