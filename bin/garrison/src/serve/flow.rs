//! Logs on their way through the server: from the sockets to alerts, and from alerts to people.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail, ensure};
use garrison_base::{SystemClock, TenantId, Timestamp};
use garrison_detection::{Event, Judge, Live, Rules};
use garrison_kernel::{Kernel, Problem};
use garrison_logs::{Followed, Forward, Logs, NamedSource, Seen, Sockets, Watch};
use garrison_notices::{Couriers, Notices};
use garrison_secrets::{KeyStore, SystemEntropy};
use garrison_sigma::Level;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::client::wire;
use crate::config::{Config, Detection, ForwardFormat};
use crate::rule::load;

/// The size of a segment of the log of events, in bytes.
const SEGMENT: u64 = 64 << 20;
/// How often folders of rules are looked at.
const LOOK: Duration = Duration::from_secs(10);
/// How long a message waits at most when nothing happens.
const PULSE: Duration = Duration::from_secs(1);

/// How many rules judge, and how many were refused, as they were last read.
#[derive(Debug, Default)]
pub struct RuleTally {
    loaded: AtomicUsize,
    refused: AtomicUsize,
}

impl RuleTally {
    /// How many judge, and how many were refused.
    pub fn counts(&self) -> (usize, usize) {
        (self.loaded.load(Ordering::Relaxed), self.refused.load(Ordering::Relaxed))
    }
}

/// What is open and does not flow yet.
pub struct Flow {
    logs: Logs,
    live: Live,
    rules: Arc<RuleTally>,
    stop: CancellationToken,
}

/// What flows, until the server stops.
pub struct Flowing {
    tasks: JoinSet<()>,
    logs: Logs,
}

impl Flowing {
    /// Waits until all has ended. What was not written to files stands in the log.
    pub async fn wait(mut self) {
        while self.tasks.join_next().await.is_some() {}
        drop(self.logs);
    }
}

impl Flow {
    /// Opens the log of events, the lake and the rules.
    pub async fn open(
        config: &Config,
        kernel: &Kernel,
        keys: &Arc<KeyStore>,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let reached = garrison_logs::reached(kernel).await?;
        let (log, recovered) = garrison_journal::Log::open(garrison_journal::Options {
            dir: config.data.dir.join("log"),
            name: "events".to_owned(),
            key: keys.base().seal("journal/events"),
            entropy: Arc::new(SystemEntropy),
            segment: SEGMENT,
            first: reached + 1,
        })?;
        ensure!(
            recovered.next > reached,
            "the log of events ends at {}, and events up to {reached} are known: {} is an older copy, or of another \
             Garrison; put the right one back, or move it away to go on without what was not yet in files",
            recovered.next - 1,
            config.data.dir.join("log").display()
        );
        if let Some(torn) = recovered.torn {
            tracing::info!(file = %torn.path.display(), offset = torn.offset, "a write of events was cut off; nothing that was answered is lost");
        }
        let parts: (Arc<dyn garrison_base::Clock>, Arc<dyn garrison_base::Entropy>) =
            (Arc::new(SystemClock), Arc::new(SystemEntropy));
        let lake = config.data.dir.join("lake");
        let logs = Logs::open(kernel, (&lake, keys.clone()), Arc::new(log), parts, stop.clone()).await?;
        let tally = Arc::new(RuleTally::default());
        let live = Live::new(kernel.clone(), rules(&config.detection, &tally)?, stop.clone());
        Ok(Self { logs, live, rules: tally, stop })
    }

    /// The logs.
    pub fn logs(&self) -> &Logs {
        &self.logs
    }

    /// How many rules judge.
    pub fn rules(&self) -> &Arc<RuleTally> {
        &self.rules
    }

    /// Detection.
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// Lets it flow.
    pub async fn start(self, config: &Config, kernel: &Kernel) -> anyhow::Result<Flowing> {
        let Self { logs, live, rules, stop } = self;
        let watch = Box::new(Wired(live.judge().await?));
        let mut tasks = logs.start(watch, Arc::new(Settled(live.clone())));
        tasks.spawn(live.clone().run());
        tasks.spawn(reload(live, (config.detection.clone(), rules), stop.clone()));
        let couriers = couriers(&config.notices).context("preparing to tell people of alerts")?;
        tasks.spawn(deliver(couriers, kernel.clone(), stop.clone()));
        let syslog = &config.intake.syslog;
        if syslog.udp.is_some() || syslog.tcp.is_some() {
            let source = source(&logs, kernel, &syslog.source, syslog.tenant.as_deref()).await?;
            let sockets = Sockets::bind(syslog.udp, syslog.tcp).await?;
            sockets.tell(
                |kind, address| tracing::info!(%address, kind, source = %syslog.source, "syslog is taken"),
            );
            tasks.spawn(sockets.serve(logs.intake().clone(), source, stop.clone()));
        }
        for file in &config.intake.files {
            let source = source(&logs, kernel, &file.source, file.tenant.as_deref()).await?;
            let mark = garrison_secrets::digest(file.path.as_os_str().as_encoded_bytes());
            let mark: String = mark.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            let note = config.data.dir.join("follow").join(format!("{mark}.json"));
            let followed = Followed { path: file.path.clone(), note, source };
            tasks.spawn(followed.run(logs.intake().clone(), stop.clone()));
        }
        for forward in &config.intake.forward {
            let forward = Forward {
                name: forward.name.clone(),
                to: forward.to.clone(),
                json: forward.format == ForwardFormat::Json,
                tenant: tenant(kernel, forward.tenant.as_deref()).await?,
                note: config.data.dir.join("forward").join(format!("{}.json", forward.name)),
            };
            tasks.spawn(logs.clone().forward(forward));
        }
        Ok(Flowing { tasks, logs })
    }
}

/// The tenant that the configuration names, or the only one.
async fn tenant(kernel: &Kernel, name: Option<&str>) -> anyhow::Result<TenantId> {
    let tenants = kernel.tenants().await?;
    match (name, tenants.as_slice()) {
        (None, [(only, _)]) => Ok(*only),
        (None, _) => bail!("intake: there are several tenants: name one by `tenant`"),
        (Some(name), all) => {
            let found = all.iter().find(|(_, known)| known == name).map(|(id, _)| *id);
            found.with_context(|| format!("intake: there is no tenant `{name}`"))
        }
    }
}

/// The source that the configuration names.
async fn source(
    logs: &Logs,
    kernel: &Kernel,
    named: &str,
    tenant: Option<&str>,
) -> anyhow::Result<NamedSource> {
    let id = self::tenant(kernel, tenant).await?;
    let name = named.parse().map_err(|words| anyhow!("intake: the source {named:?}: {words}"))?;
    let purpose = "named by the configuration".parse().context("naming the source")?;
    Ok(logs.named_source(id, name, &purpose).await?)
}

/// Detection, as the logs show events to it.
struct Wired(Judge);

impl Watch for Wired {
    fn event(&mut self, seen: &Seen<'_>) {
        let received = Timestamp::from_microsecond(seen.batch.received).unwrap_or_default();
        self.0.event(&Event {
            id: seen.id,
            seq: seen.seq,
            tenant: seen.tenant,
            node: seen.batch.origin.node(),
            source: &seen.batch.origin.name,
            received,
            claimed: seen.claimed,
            record: seen.record,
            late: seen.late,
        });
    }

    fn shown(&mut self, _: u64) {
        self.0.shown();
    }
}

struct Settled(Live);

impl garrison_logs::Settle for Settled {
    fn settle(&self, upto: u64) -> Pin<Box<dyn Future<Output = Result<(), Box<dyn Problem>>> + Send + '_>> {
        Box::pin(self.0.settle(upto))
    }
}

fn rules(config: &Detection, tally: &RuleTally) -> anyhow::Result<Rules> {
    let least: Level = config.min_level.parse().map_err(|_| anyhow!("detection.min_level is no level"))?;
    let (rules, refused) = load::for_server(&config.rules, config.starter_rules, least)?;
    tracing::info!(rules = rules.set.rules().len(), refused = refused.len(), "rules judge what comes");
    tally.loaded.store(rules.set.rules().len(), Ordering::Relaxed);
    tally.refused.store(refused.len(), Ordering::Relaxed);
    for reason in refused.iter().take(20) {
        tracing::warn!("rule refused: {reason}");
    }
    Ok(rules)
}

/// Reads the folders of rules again when something in them changed.
async fn reload(live: Live, (config, tally): (Detection, Arc<RuleTally>), stop: CancellationToken) {
    let mut known = load::fingerprint(&config.rules);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let now = load::fingerprint(&config.rules);
        if now == known {
            continue;
        }
        known = now;
        match rules(&config, &tally) {
            Ok(rules) => live.reload(rules),
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "rules could not be read again; the ones from before judge"
                );
            }
        }
    }
}

fn couriers(config: &Notices) -> anyhow::Result<Couriers> {
    Ok(Couriers::new(config, wire::system_tls()?)?)
}

/// Sends what waits to be sent.
async fn deliver(couriers: Couriers, kernel: Kernel, stop: CancellationToken) {
    loop {
        if let Err(error) = garrison_notices::deliver(&kernel, &couriers).await {
            tracing::error!(%error, "messages could not be sent");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PULSE) => {}
        }
    }
}
