use garrison_base::SearchId;
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::Name;
use crate::store;

/// Saves a search under a name, for everybody who may search.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveSearch {
    /// The name, of which there is one in a tenant.
    pub name: Name,
    /// The filter.
    #[schema(max_length = 16384)]
    pub query: String,
}

/// A search that was saved.
#[derive(Debug, Serialize, ToSchema)]
pub struct SavedAs {
    /// The id.
    pub search: SearchId,
}

impl Act for SaveSearch {
    const VERB: Verb = Verb::new("search:save");
    type Output = SavedAs;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("save the search `{}`: {}", self.name, self.query)))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        garrison_search::parse(&self.query)
            .map_err(|error| KernelError::Invalid(format!("{error}\n{}", error.pointed(&self.query))))?;
        let search = SearchId::new(permit.now(), tx.entropy());
        tx.register(&search.into(), permit.node(), Some(permit.actor().id)).await?;
        store::add_search(tx, permit, search, self).await?;
        let summary = Summary::of(format!("saved the search `{}`", self.name)).object(search);
        Ok(Done::new(SavedAs { search }, summary, ()))
    }
}
