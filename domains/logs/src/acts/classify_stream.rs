use garrison_base::Day;
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use garrison_secrets::Class;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::keys::Classified;
use crate::model::Name;
use crate::store;

/// Says what a stream holds: security records, whose keys are never destroyed, or data of a customer. It counts from the
/// next day on (UTC), so that what was received as a security record stays one. A stream that nobody classified holds
/// security records.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassifyStream {
    /// Which.
    pub stream: Name,
    /// `security` or `customer`.
    #[schema(value_type = String, pattern = "^(security|customer)$")]
    pub class: Class,
}

/// A stream that was classified.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClassifiedStream {
    /// Whether anything is different now.
    pub changed: bool,
    /// The first day on which it counts.
    pub from: Day,
}

impl ClassifyStream {
    /// What somebody said of the stream before.
    async fn before(&self, tx: &mut ReadTx<'_>) -> Result<Option<Classified>, KernelError> {
        store::known_stream(tx, &self.stream).await?;
        let all = store::classes(tx).await?;
        Ok(all.into_iter().find(|classified| classified.stream == self.stream.as_str()))
    }
}

impl Act for ClassifyStream {
    const VERB: Verb = Verb::new("stream:classify");
    type Output = ClassifiedStream;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        let before = self.before(tx).await?.map(|classified| classified.class).unwrap_or_default();
        let words = format!("say what the stream `{}` holds, from the next day on", self.stream);
        Ok(Preview::sentence(words).change("class", before, self.class))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let tomorrow = Day::of(permit.now()).plus(1);
        let before = self.before(&mut tx.read()).await?;
        let class = before.as_ref().map(|classified| classified.class).unwrap_or_default();
        let changed = class != self.class;
        if changed {
            store::classify(tx, permit, self, tomorrow).await?;
        }
        let from = before.filter(|_| !changed).map_or(tomorrow, |classified| classified.from);
        let words = format!("the stream `{}` holds {} data from {from} on", self.stream, self.class);
        Ok(Done::new(ClassifiedStream { changed, from }, Summary::of(words), ()))
    }
}
