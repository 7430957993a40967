use garrison_base::SearchId;
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Changed;
use crate::store;

/// Forgets a saved search.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteSearch {
    /// Which.
    pub search: SearchId,
}

impl Act for DeleteSearch {
    const VERB: Verb = Verb::new("search:delete");
    type Output = Changed;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.search.into()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("forget the saved search {}", self.search)))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        if !store::remove_search(tx, permit, self.search).await? {
            return Err(KernelError::NotFound);
        }
        tx.touch(&self.search.into()).await?;
        Ok(Done::new(Changed { changed: true }, Summary::of("forgot a saved search"), ()))
    }
}
