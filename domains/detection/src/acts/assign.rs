use garrison_base::{AlertId, PersonId};
use garrison_kernel::{
    Act, ActorId, Done, Holder, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AlertChanged;
use crate::model::AlertState;
use crate::problem::AlertError;
use crate::store;

/// Gives an alert to a person, or to nobody.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignAlert {
    /// Which.
    pub alert: AlertId,
    /// To whom; `null` for nobody. It must be said: leaving it out must not take the alert from somebody.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true)]
    pub to: Option<PersonId>,
}

impl AssignAlert {
    fn actor(&self) -> Option<ActorId> {
        self.to.map(ActorId::Person)
    }

    fn words(&self, tx: &ReadTx<'_>) -> String {
        self.actor().map_or_else(|| "nobody".to_owned(), |actor| tx.name_of(Holder::Actor(actor)))
    }
}

impl Act for AssignAlert {
    const VERB: Verb = Verb::new("alert:assign");
    type Output = AlertChanged;
    type Fact = ();
    type Error = AlertError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.alert.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, AlertError> {
        let alert = store::alert(tx, self.alert).await?;
        let name = |actor| tx.name_of(Holder::Actor(actor));
        let before = alert.assignee.map_or_else(|| "nobody".to_owned(), name);
        let after = self.words(tx);
        let sentence = format!("give the alert `{}` on {} to {after}", alert.title, alert.entity);
        Ok(Preview::sentence(sentence).change("assignee", before, after))
    }

    async fn perform(&self, _: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, AlertError> {
        let alert = store::alert(&mut tx.read(), self.alert).await?;
        if alert.state == AlertState::Closed {
            return Err(AlertError::State { alert: alert.id, state: alert.state, wanted: "assigned" });
        }
        if let Some(person) = self.to
            && !tx.read().is_active(Holder::Actor(ActorId::Person(person)))
        {
            return Err(AlertError::Assignee(person));
        }
        let words = self.words(&tx.read());
        let changed = alert.assignee != self.actor();
        let mut revision = alert.revision;
        if changed {
            tx.touch(&self.alert.into()).await?;
            revision = store::set_assignee(tx, alert.id, self.actor()).await?;
        }
        let summary = Summary::of(format!("gave the alert `{}` on {} to {words}", alert.title, alert.entity));
        Ok(Done::new(AlertChanged { changed, revision }, summary, ()))
    }
}
