//! Recovery at the machine's own console: for the day when the last administrator has lost everything.

use garrison_base::TenantId;
use garrison_directory::acts::EnablePerson;
use garrison_kernel::{Actor, ActorId, Holder, KernelError, Origin, Outcome, Problem, System};

use crate::acts::{CreateGrant, Invite, Invited};
use crate::login::line;
use crate::{Access, store};

/// Whom to let in again.
#[derive(Debug, Clone)]
pub struct Recovery {
    /// The account's name.
    pub name: String,
    /// Whether the person is to be administrator of the tenant, and is not any more.
    pub administrator: bool,
}

impl Access {
    /// Enables a person, makes them administrator where that is asked for, and makes a one-time link. Each is an
    /// act of the system actor `console`, and recorded.
    pub async fn recover(
        &self,
        tenant: TenantId,
        recovery: Recovery,
        origin: Origin,
    ) -> Result<Invited, Box<dyn Problem>> {
        let console = Actor::system(System::CONSOLE, tenant, origin.clone());
        let mut tx = self.look(tenant, &origin).await?;
        let person = store::person_named(&mut tx, &recovery.name).await?.ok_or(KernelError::NotFound)?;
        let holder = Holder::Actor(ActorId::Person(person));
        let (active, node) = (tx.is_active(holder), tx.root()?);
        drop(tx);
        if !active {
            self.kernel.act(&console, EnablePerson { person }).await?;
        }
        if recovery.administrator {
            let grant = CreateGrant {
                holder,
                role: "administrator".into(),
                node,
                until: None,
                duty: line("recovery")?,
                reason: line("recovered at the machine's console")?,
            };
            self.kernel.act(&console, grant).await?;
        }
        match self.kernel.act(&console, Invite { person }).await? {
            Outcome::Done(invited) => Ok(invited),
            Outcome::Waiting(request) => Err(KernelError::Invalid(format!("it waits as {request}")).into()),
        }
    }
}
