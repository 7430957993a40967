use garrison_base::{InvitationId, PersonId, Timestamp};
use garrison_kernel::{
    Act, ActorId, Done, Holder, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::credential::{Kind as _, Shown, fresh_secret};
use crate::model::INVITATION_TIME;
use crate::problem::AccessError;
use crate::store::{Invitation, put_invitation};

/// Makes a one-time link by which a person chooses a password and sets up an authenticator app: for a new
/// account, or instead of what was lost. What was there counts until the link is used.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Invite {
    /// For whom. Absent only for the first administrator of a tenant.
    pub person: PersonId,
}

/// A one-time link. It is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invited {
    /// The secret of the link.
    pub invitation: String,
    /// What follows the server's address in the link.
    pub path: String,
    /// Until when it opens something.
    #[schema(value_type = String, format = DateTime)]
    pub expires: Timestamp,
}

impl Invited {
    /// Makes the link and writes its row.
    pub(crate) async fn make<A: Act>(
        permit: &Permit<A>,
        tx: &mut WriteTx<'_>,
        person: Option<PersonId>,
    ) -> Result<Self, KernelError> {
        let id = InvitationId::new(permit.now(), tx.entropy());
        let shown = Shown { tenant: permit.tenant(), id, secret: fresh_secret(tx.entropy()) };
        let expires = permit.now().saturating_add(INVITATION_TIME).unwrap_or(permit.now());
        let row = Invitation {
            id,
            node: permit.node(),
            person,
            tag: tx.tag(InvitationId::PURPOSE, &shown.tagged()),
            expires,
            state: "open".to_owned(),
        };
        put_invitation(tx, &row).await?;
        let invitation = shown.to_string();
        Ok(Self { path: format!("/activate/{invitation}"), invitation, expires })
    }
}

impl Act for Invite {
    const VERB: Verb = Verb::new("account:invite");
    // By a link its maker can become the person; a token only takes away from what its owner may.
    const NEEDS_LOGIN: bool = true;
    type Output = Invited;
    type Fact = ();
    type Error = AccessError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.person.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, AccessError> {
        let name = tx.name_of(Holder::Actor(ActorId::Person(self.person)));
        Ok(Preview::sentence(format!(
            "let {name} choose a new password and second factor by a one-time link"
        )))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, AccessError> {
        let holder = Holder::Actor(ActorId::Person(self.person));
        if !tx.read().is_active(holder) {
            return Err(KernelError::Invalid("the person is disabled; enable them first".into()).into());
        }
        let name = tx.read().name_of(holder);
        let invited = Invited::make(permit, tx, Some(self.person)).await?;
        Ok(Done::new(invited, Summary::of(format!("made a one-time link for {name}")), ()))
    }
}
