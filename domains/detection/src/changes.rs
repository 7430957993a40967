//! The number of a tenant's last change, for all who follow its alerts: one task looks for it while there is anybody.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use garrison_base::TenantId;
use garrison_kernel::{Actor, Kernel, KernelError, Origin, System};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{LOOK, store};

/// How often it is looked for changes.
const OFTEN: Duration = Duration::from_millis(250);

/// The last changes of those tenants whose alerts somebody follows.
#[derive(Clone)]
pub(crate) struct Changes(Arc<Shared>);

struct Shared {
    kernel: Kernel,
    stop: CancellationToken,
    last: Mutex<HashMap<TenantId, watch::Sender<i64>>>,
}

impl Changes {
    pub(crate) fn new(kernel: Kernel, stop: CancellationToken) -> Self {
        Self(Arc::new(Shared { kernel, stop, last: Mutex::default() }))
    }

    /// The number of a tenant's last change, as it grows; it may be behind by a moment. `known` is one that there was
    /// already. It closes when the server stops.
    pub(crate) fn of(&self, tenant: TenantId, known: i64) -> watch::Receiver<i64> {
        let mut last = self.last();
        let sender = last.entry(tenant).or_insert_with(|| {
            tokio::spawn(self.clone().look(tenant));
            watch::Sender::new(known)
        });
        sender.subscribe()
    }

    /// Looks until nobody follows the tenant's alerts any more.
    async fn look(self, tenant: TenantId) {
        let actor = Actor::system(System::DETECTION, tenant, Origin::system("detection"));
        while self.is_wanted(tenant) {
            match self.now(&actor).await {
                Ok(now) => self.tell(tenant, now),
                Err(error) => tracing::warn!(%error, "it could not be looked for changed alerts"),
            }
            tokio::select! {
                () = self.0.stop.cancelled() => {}
                () = tokio::time::sleep(OFTEN) => {}
            }
        }
    }

    /// Whether anybody follows. If not, that is the end of the look, and whoever comes next begins another one.
    fn is_wanted(&self, tenant: TenantId) -> bool {
        let mut last = self.last();
        let is_followed = last.get(&tenant).is_some_and(|sender| sender.receiver_count() > 0);
        let is_wanted = is_followed && !self.0.stop.is_cancelled();
        if !is_wanted {
            last.remove(&tenant);
        }
        is_wanted
    }

    async fn now(&self, actor: &Actor) -> Result<i64, KernelError> {
        let mut tx = self.0.kernel.read(actor, LOOK).await?;
        store::last_change(&mut tx).await
    }

    fn tell(&self, tenant: TenantId, now: i64) {
        if let Some(sender) = self.last().get(&tenant) {
            sender.send_if_modified(|last| {
                let is_new = now > *last;
                *last = now.max(*last);
                is_new
            });
        }
    }

    fn last(&self) -> MutexGuard<'_, HashMap<TenantId, watch::Sender<i64>>> {
        self.0.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
