//! The first administrator of a tenant, by the link that the server printed.

use garrison_base::{InvitationId, NodeId, PersonId, TenantId};
use garrison_directory::acts::CreatePerson;
use garrison_kernel::{Actor, ActorId, Holder, Origin, System};

use crate::acts::{CreateGrant, EndGrant, Invite};
use crate::credential::Shown;
use crate::login::{Profile, Tried, done, line};
use crate::problem::AccessError;
use crate::{Access, store};

impl Access {
    /// Makes the first administrator known, with the grant, and a link of their own. Until the link is used
    /// nobody can log in, and the first link goes on to open: whoever tries another name is that one instead.
    pub(crate) async fn first_administrator(
        &self,
        tenant: TenantId,
        root: NodeId,
        profile: &Profile,
        origin: &Origin,
    ) -> Tried<(InvitationId, PersonId)> {
        let setup = Actor::system(System::SETUP, tenant, origin.clone());
        let known = store::person_named(&mut self.look(tenant, origin).await?, profile.name.as_str()).await?;
        let person = if let Some(person) = known {
            person
        } else {
            let create = CreatePerson {
                name: profile.name.clone(),
                full_name: profile.full_name.clone(),
                email: profile.email.clone(),
            };
            done(self.kernel.act(&setup, create).await?)?.person
        };
        self.alone_administrator(&setup, root, person).await?;
        let invited = done(self.kernel.act(&setup, Invite { person }).await?)?;
        let own: Shown<InvitationId> = invited.invitation.parse().map_err(|()| AccessError::Link)?;
        Ok((own.id, person))
    }

    /// Grants the person the whole tenant, and ends what was granted under names that were tried before.
    async fn alone_administrator(&self, setup: &Actor, root: NodeId, person: PersonId) -> Tried<()> {
        let holder = Holder::Actor(ActorId::Person(person));
        let mut tx = self.look(setup.tenant, &setup.origin).await?;
        let grants = tx.grants((None, Some(root)), false, ("", 100)).await?;
        drop(tx);
        let granted = grants.iter().any(|grant| grant.holder == holder);
        for grant in grants.into_iter().filter(|grant| grant.holder != holder) {
            self.kernel
                .act(setup, EndGrant { grant: grant.id, reason: line("another name was given")? })
                .await?;
        }
        if !granted {
            let grant = CreateGrant {
                holder,
                role: "administrator".into(),
                node: root,
                until: None,
                duty: line("founding of the tenant")?,
                reason: line("the first administrator, by the link that the server printed")?,
            };
            self.kernel.act(setup, grant).await?;
        }
        Ok(())
    }
}
