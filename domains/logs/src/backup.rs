//! What a backup needs to know of the logs, and what the state knows of backups: so that a certificate of destruction can
//! name the copies that still can be read.

use garrison_base::{BackupId, Line, TenantId, Timestamp};
use garrison_kernel::{Kernel, KernelError, Snapshot};
use garrison_lake::FileEntry;
use garrison_secrets::Class;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::renewal::KeyChange;
use crate::{reads, store, system};

/// A backup, as the record tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotedBackup {
    /// Its id, which is the name of its folder.
    pub backup: BackupId,
    /// When it was begun.
    pub made: Timestamp,
    /// When it should be gone.
    pub expires: Timestamp,
    /// Where it was put, in words.
    pub place: Line,
    /// How many records it has.
    pub records: u64,
    /// The versions of the tenant's keys that it has.
    pub keys: Vec<HeldKey>,
}

/// A version of a tenant's key that a backup has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldKey {
    /// For which data.
    pub class: Class,
    /// Which.
    pub version: u32,
}

/// A backup that the state of a tenant knows of.
#[derive(Debug, Clone)]
pub struct KnownBackup {
    /// What was noted.
    pub noted: NotedBackup,
    /// When somebody said that it is gone.
    pub forgotten: Option<Timestamp>,
}

/// A backup that can still read what was destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReadableBackup {
    /// Its id.
    pub backup: BackupId,
    /// When it should be gone.
    #[schema(value_type = String, format = DateTime)]
    pub expires: Timestamp,
    /// Where it was put.
    pub place: String,
}

impl KnownBackup {
    /// Itself, where it has a version that the change destroyed, has not expired, and nobody said that it is gone.
    pub(crate) fn reads(&self, change: &KeyChange, now: Timestamp) -> Option<ReadableBackup> {
        let destroyed = |key: &HeldKey| {
            key.class == change.class && change.destroyed.iter().any(|gone| gone.version == key.version)
        };
        let NotedBackup { backup, expires, place, keys, .. } = &self.noted;
        let there = self.forgotten.is_none() && *expires > now;
        (there && keys.iter().any(destroyed)).then(|| ReadableBackup {
            backup: *backup,
            expires: *expires,
            place: place.to_string(),
        })
    }
}

/// The files of these tenants that a snapshot lists.
pub async fn catalogue(snapshot: &mut Snapshot, tenants: &[TenantId]) -> Result<Vec<FileEntry>, KernelError> {
    let mut files = Vec::new();
    for tenant in tenants {
        let mut tx = snapshot.read(&system(*tenant), reads::SOURCES)?;
        files.extend(store::files(&mut tx).await?);
    }
    Ok(files)
}

/// The backups that each tenant knows of, the newest first: for whoever looks after the machine.
pub async fn backups(kernel: &Kernel) -> Result<Vec<(TenantId, KnownBackup)>, KernelError> {
    let mut all = Vec::new();
    for (tenant, _) in kernel.tenants().await? {
        let mut tx = kernel.read(&system(tenant), reads::SOURCES).await?;
        all.extend(store::backups(&mut tx).await?.into_iter().map(|known| (tenant, known)));
    }
    Ok(all)
}
