//! What follows when a rotation or a destruction of keys was asked for.
//!
//! `key:rotate` and `key:destroy` change the state and nothing else: an act has no hands outside the database (I6), and may
//! wait for approvals for days while keys come and go. What they ask for is done here, step by step:
//!
//! 1. What the destruction took off the lists is forgotten in memory.
//! 2. The tenant's key gets a new version in the key store. `key:rewrap` notes which; from then on no key is listed any more
//!    that an older version wraps (`store::add_key`), so that none comes to the list behind our back and is lost.
//! 3. All listed keys of the class are wrapped by the new version.
//! 4. Of a destruction: all older versions are destroyed in the key store, unless a listed key still needs one. Whoever has
//!    copies of the rows of the destroyed days has nothing that opens them.
//! 5. `key:settle` notes what was destroyed. With that the row of the change is the certificate.
//!
//! Each step may be done twice. A process that ends between two of them leaves the change open, and the next one begins
//! again: before the fourth step nothing is destroyed, and after the third no listed key needs an older version. An old
//! copy of the key store that is put back does not know the new version, so that the server does not start with it where a
//! key needs that. Where none does, the version is made again, and what is below that of the last destruction is destroyed
//! again. No row of the state, however it came about, makes the fourth step destroy what a listed key needs.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use garrison_base::{Day, KeyChangeId, Line, TenantId, Timestamp};
use garrison_kernel::{Act, Kernel, KernelError, Problem};
use garrison_lake::FileId;
use garrison_secrets::{Class, KeyError};
use serde::Serialize;
use tokio::time::sleep;
use utoipa::ToSchema;

use crate::ReadableBackup;
use crate::acts::{DestroyedVersion, RewrapKeys, Rewrapped, SettleKeys};
use crate::keys::DataKey;
use crate::model::Name;
use crate::{Logs, reads, store, system};

/// How often it is looked whether something was asked for.
const LOOK: Duration = Duration::from_secs(2);
/// After a failure.
const AGAIN: Duration = Duration::from_secs(10);
/// Keys that one act lists anew: the act stands in the record whole.
const PART: usize = 500;

/// What a certificate says of copies.
pub(crate) const BEYOND: &str = "Whoever has a copy of the folder of keys from before the versions were destroyed, and a copy \
     of the data from before, can still read what was destroyed. Garrison knows of the backups that it made itself, and of no \
     other copies; a backup can be read until it is deleted, also when it has expired. The beginnings of events that alerts \
     show are security records of their own, and stay.";

/// A rotation of a tenant's key, or a destruction with its certificate.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct KeyChange {
    /// Its id.
    pub id: KeyChangeId,
    /// `rotation` or `destruction`.
    pub kind: String,
    /// For which data: `security` or `customer`.
    #[schema(value_type = String)]
    pub class: Class,
    /// The stream whose data is destroyed.
    pub stream: Option<Name>,
    /// From which day on; absent where it is from the first.
    pub from_day: Option<Day>,
    /// Up to which day.
    pub to_day: Option<Day>,
    /// Why.
    pub reason: Option<String>,
    /// Who asked for it.
    pub asked_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub asked: Timestamp,
    /// How many days were destroyed.
    pub days: i64,
    /// Their files.
    pub files: i64,
    /// Their events.
    pub events: i64,
    /// The bytes of the files.
    pub bytes: i64,
    /// `open` until it is done, then `done`.
    pub state: String,
    /// When it was done.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub settled: Option<Timestamp>,
    /// The version that wraps all other keys now.
    pub version: Option<u32>,
    /// The versions that were destroyed.
    pub destroyed: Vec<DestroyedVersion>,
    /// The backups that have a destroyed version of the key, and so can still read it, until they expire.
    pub backups: Vec<ReadableBackup>,
    /// What Garrison cannot know; absent for a rotation.
    pub beyond: Option<String>,
}

/// A change that is asked for.
pub(crate) struct NewChange<'n> {
    pub(crate) class: Class,
    pub(crate) stream: Option<&'n Name>,
    pub(crate) from: Option<Day>,
    pub(crate) to: Option<Day>,
    pub(crate) reason: Option<&'n Line>,
    pub(crate) days: u64,
    pub(crate) files: u64,
    pub(crate) events: u64,
    pub(crate) bytes: u64,
}

impl NewChange<'static> {
    /// A new version, and nothing else.
    pub(crate) fn rotation(class: Class) -> Self {
        Self {
            class,
            stream: None,
            from: None,
            to: None,
            reason: None,
            days: 0,
            files: 0,
            events: 0,
            bytes: 0,
        }
    }
}

/// Why keys were not renewed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RenewError {
    #[error(transparent)]
    Kernel(#[from] KernelError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("{0}")]
    Act(Box<dyn Problem>),
    #[error("the key of the stream `{stream}` and {day} needs an older version: nothing is destroyed")]
    Needed { stream: String, day: Day },
}

impl Logs {
    /// Does now what was asked of the keys of tenants.
    pub async fn settle_keys(&self) -> Result<(), String> {
        settle(self).await.map_err(|error| error.to_string())
    }
}

/// Does what is asked for until the end.
pub(crate) async fn run(logs: Logs) {
    loop {
        let done = settle(&logs).await;
        if let Err(error) = &done {
            metrics::counter!("garrison_key_failures_total").increment(1);
            tracing::error!(%error, "keys could not be renewed; it is tried again");
        }
        tokio::select! {
            () = logs.stop().cancelled() => return,
            () = sleep(if done.is_ok() { LOOK } else { AGAIN }) => {}
        }
    }
}

async fn settle(logs: &Logs) -> Result<(), RenewError> {
    let mut done = Ok(());
    for (tenant, _) in logs.0.kernel.tenants().await? {
        // One whose keys cannot be renewed does not hold up the others.
        done = done.and(settle_tenant(logs, tenant).await);
    }
    done
}

async fn settle_tenant(logs: &Logs, tenant: TenantId) -> Result<(), RenewError> {
    let keys = &logs.0.keys;
    let (open, certified) = asked(logs, tenant).await?;
    let back = certified.filter(|version| keys.has_below(tenant, *version));
    if open.is_empty() && back.is_none() {
        return Ok(());
    }
    // One at a time, and no key goes meanwhile.
    let _filing = logs.0.filing.lock().await;
    if let Some(version) = back {
        // They were destroyed, and are there again.
        destroy(logs, tenant, version).await?;
        keys.renew_unlisted(tenant, Class::Customer)?;
    }
    for change in asked(logs, tenant).await?.0 {
        renew(logs, tenant, &change).await?;
    }
    Ok(())
}

/// What is open, and the version below which certificates say that all were destroyed.
async fn asked(logs: &Logs, tenant: TenantId) -> Result<(Vec<KeyChange>, Option<u32>), RenewError> {
    let mut tx = logs.0.kernel.read(&system(tenant), reads::SOURCES).await?;
    Ok((store::open_changes(&mut tx).await?, store::destroyed_below(&mut tx).await?))
}

async fn renew(logs: &Logs, tenant: TenantId, change: &KeyChange) -> Result<(), RenewError> {
    let keys = &logs.0.keys;
    forget(logs, tenant, change).await?;
    let version = keys.version_for(change, tenant, logs.0.kernel.now())?;
    act(logs, tenant, RewrapKeys { change: change.id, version, keys: Vec::new() }).await?;
    keys.renew_unlisted(tenant, change.class)?;
    rewrap(logs, tenant, (change, version)).await?;
    let destroyed = if change.to_day.is_some() { destroy(logs, tenant, version).await? } else { Vec::new() };
    act(logs, tenant, SettleKeys { change: change.id, destroyed }).await?;
    tracing::info!(change = %change.id, version, "the keys of a tenant were renewed");
    Ok(())
}

/// Lets go of what a destruction took off the lists.
async fn forget(logs: &Logs, tenant: TenantId, change: &KeyChange) -> Result<(), RenewError> {
    let (Some(stream), Some(to)) = (&change.stream, change.to_day) else { return Ok(()) };
    let days = change.from_day.unwrap_or(Day::FIRST).number()..=to.number();
    // First what is here, then what is listed: what comes to the lists in between stays.
    let mut files = logs.lake().files(tenant);
    files.retain(|file| file.stream == stream.as_str() && days.contains(&file.day()));
    let mut held = logs.0.keys.listed_days(tenant, stream.as_str());
    held.retain(|day| days.contains(day));
    let mut tx = logs.0.kernel.read(&system(tenant), reads::SOURCES).await?;
    let listed: HashSet<FileId> = store::files(&mut tx).await?.into_iter().map(|file| file.id).collect();
    let keys = store::keys(&mut tx).await?;
    drop(tx);
    let gone = files.iter().filter(|file| !listed.contains(&file.id)).map(|file| file.id.clone());
    logs.lake().replace(tenant, &gone.collect::<Vec<_>>(), Vec::new());
    held.retain(|day| !keys.iter().any(|key| key.stream == stream.as_str() && key.day == *day));
    logs.0.keys.forget(tenant, stream.as_str(), &held);
    Ok(())
}

/// Lists all keys of the class as the new version wraps them. What an older version wraps that was destroyed stays.
async fn rewrap(
    logs: &Logs,
    tenant: TenantId,
    (change, version): (&KeyChange, u32),
) -> Result<(), RenewError> {
    let mut tx = logs.0.kernel.read(&system(tenant), reads::SOURCES).await?;
    let mut old = store::keys(&mut tx).await?;
    drop(tx);
    old.retain(|key| key.class == change.class && key.version < version);
    for part in old.chunks(PART) {
        let again = |row: &DataKey| {
            let key = logs.0.keys.rewrap(tenant, row)?;
            Ok::<_, KeyError>(key.map(|key| Rewrapped { from: row.version, key }))
        };
        let keys: Vec<Rewrapped> =
            part.iter().filter_map(|row| again(row).transpose()).collect::<Result<_, _>>()?;
        if !keys.is_empty() {
            act(logs, tenant, RewrapKeys { change: change.id, version, keys }).await?;
        }
    }
    Ok(())
}

/// Destroys all versions of a customer's key below this one; tells of those that no certificate names yet.
async fn destroy(logs: &Logs, tenant: TenantId, version: u32) -> Result<Vec<DestroyedVersion>, RenewError> {
    let keys = &logs.0.keys;
    let mut tx = logs.0.kernel.read(&system(tenant), reads::SOURCES).await?;
    let (listed, certified) = (store::keys(&mut tx).await?, store::destroyed_below(&mut tx).await?);
    drop(tx);
    for row in listed.iter().filter(|row| row.class == Class::Customer) {
        if keys.is_readable(tenant, row)? && row.version < version {
            let day = Day::FIRST.plus(row.day);
            return Err(RenewError::Needed { stream: row.stream.clone(), day });
        }
    }
    keys.destroy_below(tenant, version, logs.0.kernel.now())?;
    Ok(keys.destroyed(tenant, certified.unwrap_or(0)..version))
}

async fn act<A: Act>(logs: &Logs, tenant: TenantId, act: A) -> Result<(), RenewError> {
    logs.0.kernel.act(&system(tenant), act).await.map(|_| ()).map_err(RenewError::Act)
}

/// What the streams of a tenant hold, for the keys that are made next.
pub(crate) async fn learn(logs: &Logs, tenant: TenantId) -> Result<(), KernelError> {
    let mut tx = logs.0.kernel.read(&system(tenant), reads::SOURCES).await?;
    logs.0.keys.learn(tenant, store::classes(&mut tx).await?);
    Ok(())
}

/// How many keys of streams and days each version of the tenants' keys wraps: for whoever looks after the machine.
pub async fn wrapped(kernel: &Kernel) -> Result<Vec<(TenantId, Class, u32, u64)>, KernelError> {
    let mut counts = HashMap::new();
    for (tenant, _) in kernel.tenants().await? {
        let mut tx = kernel.read(&system(tenant), reads::SOURCES).await?;
        for key in store::keys(&mut tx).await? {
            *counts.entry((tenant, key.class, key.version)).or_default() += 1;
        }
    }
    Ok(counts.into_iter().map(|((tenant, class, version), count)| (tenant, class, version, count)).collect())
}
