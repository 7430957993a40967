//! Sources that the configuration names.

use garrison_base::{Line, TenantId};
use garrison_kernel::{Kernel, KernelError, Outcome};

use crate::intake::Target;
use crate::model::Name;
use crate::{Logs, OpenError, acts, receive, store, system};

/// A source that the configuration names. It is looked up whenever events come, so that disabling or limiting it counts at
/// once.
#[derive(Clone)]
pub struct NamedSource {
    kernel: Kernel,
    tenant: TenantId,
    name: Name,
}

impl NamedSource {
    /// Where events go now; nothing while the source is disabled, or nobody can tell.
    pub(crate) async fn target(&self) -> Option<Target> {
        let mut tx = self.kernel.read(&system(self.tenant), receive::SEND).await.ok()?;
        store::target(&mut tx, self.name.as_str()).await.ok()?
    }
}

impl Logs {
    /// The source that the configuration names, made where it is missing.
    pub async fn named_source(
        &self,
        tenant: TenantId,
        name: Name,
        purpose: &Line,
    ) -> Result<NamedSource, OpenError> {
        self.configured(tenant, &name, purpose).await?;
        Ok(NamedSource { kernel: self.0.kernel.clone(), tenant, name })
    }

    /// The source of this name in a tenant, made where it is missing; nothing where it is disabled.
    pub async fn configured(
        &self,
        tenant: TenantId,
        name: &Name,
        purpose: &Line,
    ) -> Result<Option<Target>, OpenError> {
        let actor = system(tenant);
        let mut tx = self.0.kernel.read(&actor, receive::SEND).await?;
        if store::knows(&mut tx, name.as_str()).await? {
            return Ok(store::target(&mut tx, name.as_str()).await?);
        }
        let node = tx.root()?;
        drop(tx);
        let act = acts::CreateSource {
            node,
            name: name.clone(),
            purpose: purpose.clone(),
            stream: None,
            rate_limit: None,
            silence_minutes: None,
        };
        let Outcome::Done(_) = self.0.kernel.act(&actor, act).await.map_err(OpenError::Act)? else {
            return Err(KernelError::NotFound.into());
        };
        let mut tx = self.0.kernel.read(&actor, receive::SEND).await?;
        Ok(store::target(&mut tx, name.as_str()).await?)
    }
}
