//! What the server does by itself: what is due, what follows, reviews of the record, the certificate, and looking
//! whether anything was changed by hand.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use garrison_base::{Clock as _, SystemClock};
use garrison_kernel::Kernel;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Tls};
use crate::machine::backup;
use crate::server::metrics::Metrics;
use crate::server::tls::{self, Current};

/// How long what is due waits at most, when nothing else happens.
const PULSE: Duration = Duration::from_secs(1);
/// How often everything stored is verified, and what is no longer needed thrown away.
const ROUND: Duration = Duration::from_hours(1);
/// How often it is looked whether a day is over whose records are to be reviewed.
const LOOK: Duration = Duration::from_mins(1);
/// How often the certificate is looked at.
const DAY: Duration = Duration::from_hours(24);

/// The tasks, until the server stops.
pub struct Jobs(JoinSet<()>);

impl Jobs {
    /// Waits until all have ended.
    pub async fn wait(mut self) {
        while self.0.join_next().await.is_some() {}
    }
}

/// Starts them.
pub fn keep(
    config: &Config,
    kernel: Kernel,
    metrics: Metrics,
    certificate: Option<Arc<Current>>,
    stop: CancellationToken,
) -> Jobs {
    let mut jobs = JoinSet::new();
    jobs.spawn(work(kernel.clone(), stop.clone()));
    jobs.spawn(rounds(kernel.clone(), config.data.dir.clone(), stop.clone()));
    jobs.spawn(reviews(kernel, stop.clone()));
    let ended = stop.clone();
    jobs.spawn(async move {
        tokio::select! { () = metrics.keep_up() => {}, () = ended.cancelled() => {} }
    });
    if let Some(current) = certificate {
        jobs.spawn(renew(config.clone(), current, stop));
    }
    Jobs(jobs)
}

async fn work(kernel: Kernel, stop: CancellationToken) {
    loop {
        match kernel.work().await {
            Ok(0) => {}
            Ok(acts) => metrics::counter!("garrison_jobs_total").increment(acts as u64),
            Err(error) => tracing::error!(%error, "what is due could not be done"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = kernel.wait_for_acts() => {}
            () = tokio::time::sleep(PULSE) => {}
        }
    }
}

async fn rounds(kernel: Kernel, data: PathBuf, stop: CancellationToken) {
    loop {
        let_go(data.clone()).await;
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(ROUND) => {}
        }
        match kernel.verify().await {
            Ok(records) => tracing::info!(records, "the state and the audit log were verified"),
            Err(error) => {
                metrics::counter!("garrison_verification_failures_total").increment(1);
                tracing::error!(%error, "the state or the audit log was changed outside Garrison");
            }
        }
        if let Err(error) = kernel.tidy().await {
            tracing::warn!(%error, "what is no longer needed could not be thrown away");
        }
    }
}

/// Gives back the room that a backup still takes that was killed.
async fn let_go(data: PathBuf) {
    match tokio::task::spawn_blocking(move || backup::let_go(&data)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(error = format!("{error:#}"), "what a backup holds that was killed takes room");
        }
        Err(error) => tracing::error!(%error, "looking after backups that were killed broke off"),
    }
}

/// Opens reviews, soon after midnight and for days on which the server was not there.
async fn reviews(kernel: Kernel, stop: CancellationToken) {
    loop {
        match garrison_compliance::open_reviews(&kernel).await {
            Ok(0) => {}
            Ok(opened) => tracing::info!(opened, "reviews of the record were opened"),
            Err(problem) => {
                tracing::error!(why = %problem, "the record could not be put before its auditors");
            }
        }
        match garrison_compliance::overdue_reviews(&kernel).await {
            Ok(overdue) => {
                #[expect(clippy::cast_precision_loss, reason = "a gauge; reviews are far below 2^53")]
                metrics::gauge!("garrison_reviews_overdue").set(overdue as f64);
            }
            Err(error) => tracing::warn!(%error, "it is not known how many reviews are overdue"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

async fn renew(config: Config, current: Arc<Current>, stop: CancellationToken) {
    let dir = config.tls_dir();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(DAY) => {}
        }
        let now = SystemClock.now();
        if config.server.tls == Tls::OwnCa {
            match tls::renew_if_due(&dir, &config.server.reached_by(), now) {
                Ok(Some(reason)) => tracing::info!(reason, "the server's certificate was made anew"),
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(error = format!("{error:#}"), "the certificate could not be made anew");
                }
            }
        }
        match current.reload(&config.server, &dir, now) {
            Ok(warnings) => warnings.iter().for_each(|warning| tracing::warn!("{warning}")),
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the certificate could not be read again");
            }
        }
    }
}
