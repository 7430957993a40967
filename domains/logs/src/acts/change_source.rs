use garrison_base::{Line, SourceId};
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Changed;
use crate::store;

/// Changes what a source is, how fast it may be and when it counts as silent. What is left out stays; a number of 0
/// takes a limit away.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeSource {
    /// Which.
    pub source: SourceId,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Line>,
    /// Events that it may bring in a second, up to 10,000,000; 0 for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<i64>,
    /// After so many minutes without an event it counts as silent, up to 100,000; 0 for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence_minutes: Option<i64>,
}

impl Act for ChangeSource {
    const VERB: Verb = Verb::new("source:change");
    type Output = Changed;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.source.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        let source = store::source(tx, self.source).await?;
        let number =
            |number: Option<i64>| number.map_or_else(|| "none".to_owned(), |number| number.to_string());
        let mut preview = Preview::sentence(format!("change the source `{}`", source.name));
        if let Some(purpose) = &self.purpose {
            preview = preview.change("purpose", source.purpose, purpose);
        }
        if let Some(rate) = self.rate_limit {
            preview = preview.change("rate_limit", number(source.rate_limit), rate);
        }
        if let Some(silence) = self.silence_minutes {
            preview = preview.change("silence_minutes", number(source.silence_minutes), silence);
        }
        Ok(preview)
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let some = |number: Option<i64>| number.filter(|number| *number != 0);
        super::create_source::check(some(self.rate_limit), some(self.silence_minutes))?;
        tx.touch(&self.source.into()).await?;
        store::change_source(tx, permit, self).await?;
        let name = store::source(&mut tx.read(), self.source).await?.name;
        Ok(Done::new(Changed { changed: true }, Summary::of(format!("changed the source `{name}`")), ()))
    }
}
