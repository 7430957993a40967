//! The whole state at one moment, for backups.

use std::io;
use std::sync::Arc;

use garrison_base::TenantId;

use crate::db::{Copied, CopyError, Tx, export};
use crate::kernel::Inner;
use crate::record::places;
use crate::{Actor, Kernel, KernelError, ReadTx, Verb};

/// A transaction that reads everything, all of it as it was when the snapshot was taken.
pub struct Snapshot {
    tx: Tx<'static>,
    inner: Arc<Inner>,
    records: i64,
}

impl Kernel {
    /// Takes a snapshot. When this returns, the moment is fixed: what is committed later is not in it.
    pub async fn snapshot(&self) -> Result<Snapshot, KernelError> {
        let mut tx = self.0.db.read().await?;
        // Both databases fix the moment with the first statement, not with the beginning of the transaction.
        let heads = self.0.catch_up(&mut tx).await?;
        Ok(Snapshot { tx, inner: self.0.clone(), records: heads.log.seq })
    }
}

impl Snapshot {
    /// The number of the last record in it.
    pub fn records(&self) -> i64 {
        self.records
    }

    /// The tenants, in order; one that was founded since may be among them, and has nothing.
    pub fn tenants(&self) -> Vec<TenantId> {
        let mut tenants: Vec<TenantId> = self.inner.index().tenants.keys().copied().collect();
        tenants.sort_unstable();
        tenants
    }

    /// What an actor sees of the snapshot by this verb; refused where that is not its whole tenant.
    pub fn read(&mut self, actor: &Actor, verb: Verb) -> Result<ReadTx<'_>, KernelError> {
        let now = self.inner.clock.now();
        let roots = places(&self.inner, actor, verb, now)?;
        let root = self.inner.index().tenants.get(&actor.tenant).map(|(_, root)| *root);
        if root.is_none() || roots.first().copied() != root {
            return Err(KernelError::NotFound);
        }
        Ok(ReadTx::within(&mut self.tx, self.inner.clone(), actor, now))
    }

    /// Tells the whole state in lines of JSON, each with its line end, which [`fill_database`](crate::fill_database) reads.
    pub async fn export(
        &mut self,
        out: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<Copied, CopyError> {
        export(&mut self.tx, self.records, out).await
    }
}
