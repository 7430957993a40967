use garrison_base::SourceId;
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Changed;
use crate::store;

/// Takes nothing more from a source. What it brought stays.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisableSource {
    /// Which.
    pub source: SourceId,
}

/// Takes events of a source again.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnableSource {
    /// Which.
    pub source: SourceId,
}

macro_rules! switch {
    ($act:ident, $verb:literal, $state:literal, $preview:literal, $done:literal) => {
        impl Act for $act {
            const VERB: Verb = Verb::new($verb);
            type Output = Changed;
            type Fact = ();
            type Error = KernelError;

            fn targets(&self) -> Vec<ObjectRef> {
                vec![self.source.into()]
            }

            async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
                let source = store::source(tx, self.source).await?;
                Ok(Preview::sentence(format!($preview, source.name)))
            }

            async fn perform(
                &self,
                permit: &Permit<Self>,
                tx: &mut WriteTx<'_>,
            ) -> Result<Done<Self>, KernelError> {
                let source = store::source(&mut tx.read(), self.source).await?;
                let changed = source.state != $state;
                if changed {
                    tx.touch(&self.source.into()).await?;
                    store::switch_source(tx, permit, self.source, $state).await?;
                    store::add_switch(tx, permit, self.source, $state).await?;
                }
                Ok(Done::new(Changed { changed }, Summary::of(format!($done, source.name)), ()))
            }
        }
    };
}

switch!(
    DisableSource,
    "source:disable",
    "disabled",
    "take nothing more from the source `{}`",
    "disabled the source `{}`"
);
switch!(
    EnableSource,
    "source:enable",
    "active",
    "take logs from the source `{}` again",
    "enabled the source `{}`"
);
