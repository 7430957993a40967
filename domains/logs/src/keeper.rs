//! From memory to files: what was gathered is written, then committed, then let go of in memory and in the log.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use garrison_base::{Day, TenantId};
use garrison_kernel::{KernelError, Problem};
use garrison_lake::{FileEntry, FileId, GRACE};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use crate::acts::{CompactLogs, KeepLogs, KeptFile};
use crate::pipeline::Clean;
use crate::{Logs, SettleError, reads, renewal, retention, store, system, tally};

/// Rows and bytes in memory at which they are written, and how old they become at most.
const ROWS: usize = 64 << 10;
const BYTES: usize = 128 << 20;
const AGE: Duration = Duration::from_mins(1);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(250);
/// How often files are joined.
const ROUND: Duration = Duration::from_mins(5);
/// After a failure: it is tried again, and nothing is lost meanwhile.
const AGAIN: Duration = Duration::from_secs(2);

/// Why nothing was kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeepError {
    #[error("{0}")]
    Lake(#[from] garrison_lake::LakeError),
    #[error("{0}")]
    Act(Box<dyn Problem>),
    #[error("{0}")]
    Settle(SettleError),
    #[error("the log: {0}")]
    Log(#[from] garrison_journal::OpenError),
    #[error("it could not be noted how long the server was away: {0}")]
    Pause(String),
    #[error("it broke off")]
    BrokeOff,
}

/// Keeps what comes until the end. What is in memory then is in the log too, and is found again at the next start.
pub(crate) async fn run(logs: Logs) {
    let mut since = Instant::now();
    loop {
        tokio::select! {
            () = logs.stop().cancelled() => break,
            () = sleep(LOOK) => {}
        }
        let (rows, bytes) = logs.lake().hot();
        if rows == 0 {
            since = Instant::now();
        }
        if rows >= ROWS || bytes >= BYTES || (rows > 0 && since.elapsed() >= AGE) {
            since = Instant::now();
            if let Err(error) = keep(&logs).await {
                metrics::counter!("garrison_keep_failures_total").increment(1);
                tracing::error!(%error, "events could not be written to files; they stay in the log and in memory");
                sleep(AGAIN).await;
            }
        }
    }
}

/// Joins files from time to time, and deletes once a day what is due.
pub(crate) async fn join(logs: Logs) {
    let mut expired = None;
    loop {
        tokio::select! {
            () = logs.stop().cancelled() => return,
            () = sleep(ROUND) => {}
        }
        if let Err(error) = compact(&logs).await {
            tracing::warn!(%error, "files of logs could not be joined");
        }
        let today = Day::of(logs.0.kernel.now());
        if expired != Some(today) {
            match retention::expire(&logs).await {
                Ok(()) => expired = Some(today),
                Err(error) => tracing::error!(%error, "logs that are due stay; it is tried again"),
            }
        }
        logs.lake().tidy(GRACE);
    }
}

/// Writes all that is in memory now.
pub(crate) async fn keep(logs: &Logs) -> Result<(), KeepError> {
    // Behind this number nothing waits for a part, and all up to it is in memory or in files.
    let (ask, answer) = oneshot::channel();
    logs.0.clean.send(ask).await.map_err(|_| KeepError::BrokeOff)?;
    let Clean { upto, heard } = answer.await.map_err(|_| KeepError::BrokeOff)?;
    tally::gather(logs, heard);
    logs.settle(upto).await.map_err(KeepError::Settle)?;
    let mut done = Ok(());
    for tenant in logs.lake().hot_tenants() {
        // One that cannot be kept does not hold up the others, but the log keeps its events.
        done = done.and(keep_tenant(logs, tenant, upto).await);
    }
    done?;
    let log = logs.0.log.clone();
    tokio::task::spawn_blocking(move || log.release(upto)).await.map_err(|_| KeepError::BrokeOff)??;
    Ok(())
}

async fn keep_tenant(logs: &Logs, tenant: TenantId, upto: u64) -> Result<(), KeepError> {
    // A key that goes with the last file of its day must not seal another one meanwhile.
    let _filing = logs.0.filing.lock().await;
    learn(logs, tenant).await?;
    let lake = Arc::clone(logs.lake());
    let written = tokio::task::spawn_blocking(move || lake.write(tenant, upto)).await;
    let (count, files) = written.map_err(|_| KeepError::BrokeOff)??;
    if count == 0 {
        return Ok(());
    }
    let sums = tally::take(logs, tenant);
    let keys = logs.0.keys.unlisted(tenant);
    let act = KeepLogs {
        upto,
        files: files.iter().map(KeptFile::from).collect(),
        keys: keys.clone(),
        counted: sums.counted.clone(),
        days: sums.days.clone(),
        refused: sums.refused.clone(),
    };
    let done = logs.0.kernel.act(&system(tenant), act).await.map(|_| ()).map_err(KeepError::Act);
    if done.is_ok() || are_listed(logs, tenant, &files).await? {
        logs.0.keys.listed(tenant, &keys);
        logs.lake().adopt(tenant, count, files);
    } else {
        tally::give_back(logs, tenant, sums);
        logs.lake().discard(&files);
    }
    done
}

/// Whether files count although their act failed: it is committed before its record goes into the journal, which may
/// refuse it. Waits until the state can tell, since files that count must stay, and their events must not be kept again.
pub(crate) async fn are_listed(
    logs: &Logs,
    tenant: TenantId,
    files: &[FileEntry],
) -> Result<bool, KeepError> {
    loop {
        match listed(logs, tenant).await {
            Ok(listed) => return Ok(files.iter().any(|file| listed.contains(&file.id))),
            Err(error) => tracing::error!(%error, "nobody can tell whether files of logs count"),
        }
        tokio::select! {
            () = logs.stop().cancelled() => return Err(KeepError::BrokeOff),
            () = sleep(AGAIN) => {}
        }
    }
}

async fn listed(logs: &Logs, tenant: TenantId) -> Result<HashSet<FileId>, KernelError> {
    let mut tx = logs.0.kernel.read(&system(tenant), reads::SOURCES).await?;
    Ok(store::files(&mut tx).await?.into_iter().map(|file| file.id).collect())
}

/// Finds out what the streams hold: the keys of what is written next are made by that.
async fn learn(logs: &Logs, tenant: TenantId) -> Result<(), KeepError> {
    renewal::learn(logs, tenant).await.map_err(|error| KeepError::Act(error.into()))
}

/// Joins what is worth joining.
pub(crate) async fn compact(logs: &Logs) -> Result<(), KeepError> {
    let tenants = logs.0.kernel.tenants().await.map_err(|error| KeepError::Act(error.into()))?;
    let mut done = Ok(());
    for (tenant, _) in tenants {
        // One whose files cannot be joined does not hold up the others.
        done = done.and(compact_tenant(logs, tenant).await);
    }
    done
}

async fn compact_tenant(logs: &Logs, tenant: TenantId) -> Result<(), KeepError> {
    learn(logs, tenant).await?;
    let hour = || logs.0.kernel.now().as_second().div_euclid(3600);
    while let Some(compacted) = logs.lake().compact(tenant, hour()).await? {
        if logs.stop().is_cancelled() {
            return Ok(());
        }
        let keys = logs.0.keys.unlisted(tenant);
        let act = CompactLogs {
            old: compacted.old.iter().map(ToString::to_string).collect(),
            new: compacted.new.iter().map(KeptFile::from).collect(),
            keys: keys.clone(),
        };
        let done = logs.0.kernel.act(&system(tenant), act).await.map(|_| ()).map_err(KeepError::Act);
        if done.is_ok() || are_listed(logs, tenant, &compacted.new).await? {
            logs.0.keys.listed(tenant, &keys);
            logs.lake().replace(tenant, &compacted.old, compacted.new);
        } else {
            logs.lake().discard(&compacted.new);
        }
        done?;
    }
    Ok(())
}
