//! The first administrator of a tenant, by the link that the server printed.

use garrison_base::{PersonId, TenantId};
use garrison_directory::acts::{CreatePerson, DisablePerson, EnablePerson};
use garrison_kernel::{Actor, ActorId, Holder, Origin, System};

use crate::login::{Profile, Tried, done};
use crate::{Access, store};

impl Access {
    /// Makes the person known who wants to be the first administrator. They become it with the second factor that
    /// they prove; until then nobody can log in, and whoever tries another name is that one instead.
    pub(crate) async fn founder(
        &self,
        tenant: TenantId,
        profile: &Profile,
        origin: &Origin,
    ) -> Tried<PersonId> {
        let setup = Actor::system(System::SETUP, tenant, origin.clone());
        let mut founder = None;
        for (person, name, active) in self.persons(tenant, origin).await? {
            let wanted = name == profile.name.as_str();
            if wanted {
                founder = Some(person);
            }
            if wanted && !active {
                self.kernel.act(&setup, EnablePerson { person }).await?;
            } else if active && !wanted {
                self.kernel.act(&setup, DisablePerson { person }).await?;
            }
        }
        if let Some(person) = founder {
            return Ok(person);
        }
        let create = CreatePerson {
            name: profile.name.clone(),
            full_name: profile.full_name.clone(),
            email: profile.email.clone(),
        };
        Ok(done(self.kernel.act(&setup, create).await?)?.person)
    }

    /// All persons there are, and whether they are active: where nobody can log in, those whose names were tried.
    async fn persons(&self, tenant: TenantId, origin: &Origin) -> Tried<Vec<(PersonId, String, bool)>> {
        let mut tx = self.look(tenant, origin).await?;
        let persons = store::persons(&mut tx).await?;
        let active = |person| tx.is_active(Holder::Actor(ActorId::Person(person)));
        Ok(persons.into_iter().map(|(person, name)| (person, name, active(person))).collect())
    }
}
