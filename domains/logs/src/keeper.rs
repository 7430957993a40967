//! From memory to files: what was gathered is written, then committed, then let go of in memory and in the log.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use garrison_base::TenantId;
use garrison_kernel::{KernelError, Problem};
use garrison_lake::{FileEntry, FileId};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use crate::acts::{CompactLogs, Counted, KeepLogs, KeptFile};
use crate::{Logs, SettleError, reads, store, system};

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

/// Joins files from time to time.
pub(crate) async fn join(logs: Logs) {
    loop {
        tokio::select! {
            () = logs.stop().cancelled() => return,
            () = sleep(ROUND) => {}
        }
        if let Err(error) = compact(&logs).await {
            tracing::warn!(%error, "files of logs could not be joined");
        }
    }
}

/// Writes all that is in memory now.
pub(crate) async fn keep(logs: &Logs) -> Result<(), KeepError> {
    // Behind this number nothing waits for a part, and all up to it is in memory or in files.
    let (ask, answer) = oneshot::channel();
    logs.0.clean.send(ask).await.map_err(|_| KeepError::BrokeOff)?;
    let upto = answer.await.map_err(|_| KeepError::BrokeOff)?;
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
    let lake = Arc::clone(logs.lake());
    let written = tokio::task::spawn_blocking(move || lake.write(tenant, upto)).await;
    let (count, files) = written.map_err(|_| KeepError::BrokeOff)??;
    if count == 0 {
        return Ok(());
    }
    let counted = counted(logs, tenant);
    let act = KeepLogs { upto, files: files.iter().map(KeptFile::from).collect(), counted: counted.clone() };
    let done = logs.0.kernel.act(&system(tenant), act).await.map(|_| ()).map_err(KeepError::Act);
    if done.is_ok() || are_listed(logs, tenant, &files).await? {
        logs.lake().adopt(tenant, count, files);
    } else {
        give_back(logs, tenant, &counted);
        logs.lake().discard(&files);
    }
    done
}

/// Whether files count although their act failed: it is committed before its record goes into the journal, which may
/// refuse it. Waits until the state can tell, since files that count must stay, and their events must not be kept again.
async fn are_listed(logs: &Logs, tenant: TenantId, files: &[FileEntry]) -> Result<bool, KeepError> {
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

/// What was heard since the last time, taken from the meters.
fn counted(logs: &Logs, tenant: TenantId) -> Vec<Counted> {
    let skews = logs.progress().skews().clone();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "milliseconds of a clock that is off; `as` saturates"
    )]
    let skew = |source| skews.get(&(tenant, source)).map(|seconds| (seconds * 1_000.0) as i64);
    let mut meters = logs.intake().meters();
    let of_tenant = meters.iter_mut().filter(|((whose, _), meter)| *whose == tenant && meter.fresh.0 > 0);
    of_tenant
        .filter_map(|((_, source), meter)| {
            let (events, bytes) = std::mem::take(&mut meter.fresh);
            let last_seen = meter.last?.as_microsecond();
            Some(Counted { source: *source, events, bytes, last_seen, skew: skew(*source) })
        })
        .collect()
}

fn give_back(logs: &Logs, tenant: TenantId, counted: &[Counted]) {
    let mut meters = logs.intake().meters();
    for Counted { source, events, bytes, .. } in counted {
        if let Some(meter) = meters.get_mut(&(tenant, *source)) {
            meter.fresh = (meter.fresh.0 + events, meter.fresh.1 + bytes);
        }
    }
}

/// Joins what is worth joining.
pub(crate) async fn compact(logs: &Logs) -> Result<(), KeepError> {
    let tenants = logs.0.kernel.tenants().await.map_err(|error| KeepError::Act(error.into()))?;
    for (tenant, _) in tenants {
        while let Some(compacted) =
            logs.lake().compact(tenant, logs.0.kernel.now().as_second().div_euclid(3600)).await?
        {
            if logs.stop().is_cancelled() {
                return Ok(());
            }
            let act = CompactLogs {
                old: compacted.old.iter().map(ToString::to_string).collect(),
                new: compacted.new.iter().map(KeptFile::from).collect(),
            };
            let done = logs.0.kernel.act(&system(tenant), act).await.map(|_| ()).map_err(KeepError::Act);
            if done.is_ok() || are_listed(logs, tenant, &compacted.new).await? {
                logs.lake().replace(tenant, &compacted.old, compacted.new);
            } else {
                logs.lake().discard(&compacted.new);
            }
            done?;
        }
    }
    logs.lake().tidy();
    Ok(())
}
