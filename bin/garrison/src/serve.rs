//! `garrison serve`: the server, put together from its parts.

mod about;
mod flow;
mod health;
mod house;
mod memory;
pub mod seal;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use garrison_access::{Access, SessionLimits};
use garrison_base::{Clock as _, Exit, SystemClock};
use garrison_detection::Live;
use garrison_journal::{LogError, Records, Sealer};
use garrison_kernel::{Actor, DatabaseUrl, Journal, Kernel, Module, Options, Origin, Outcome, System};
use garrison_logs::Logs;
use garrison_secrets::{KeyStore, Passphrase, RootKey, SystemEntropy};

use garrison_web::{Proxies, Routes, Streams, Web, layered};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::cli::ServeArgs;
use crate::config::{Config, Engine, Setting, Tls};
use crate::say;
use crate::server::{listen, logs, metrics::Metrics, tls};

use about::About;
use flow::Flow;

/// The size of a segment of the journal, in bytes: some ten thousand records, and room for the largest one.
const SEGMENT: u64 = 16 << 20;
/// How often it is looked whether the logs can still be written.
const LOOK: Duration = Duration::from_secs(1);

/// The domains, in the order in which their schemas are brought up to date.
pub fn modules(config: &Config) -> Vec<Module> {
    vec![
        garrison_directory::module(),
        garrison_access::module(),
        garrison_detection::module(),
        garrison_logs::module(),
        garrison_notices::module(&config.notices),
        garrison_compliance::module(),
        health::module(),
        about::module(),
    ]
}

/// All routes, with the API's document at `/api/v1/openapi.json`.
pub fn routes(access: Access, logs: Logs, live: Live, sealer: Arc<Sealer>, about: About) -> Routes {
    let routes = garrison_directory::routes()
        .merge(garrison_access::routes(
            access,
            &[
                garrison_detection::problem::types::ALL,
                garrison_logs::problem::ALL,
                garrison_compliance::problem::ALL,
            ],
        ))
        .merge(garrison_detection::routes(live))
        .merge(garrison_logs::routes(logs))
        .merge(garrison_notices::routes())
        .merge(garrison_compliance::routes(sealer))
        .merge(about::routes(about));
    let document = garrison_web::document(&routes);
    #[cfg(feature = "console")]
    let routes = routes.otherwise(axum::routing::any(crate::server::console::otherwise));
    // Without the console there are the pages that need no script.
    #[cfg(not(feature = "console"))]
    let routes = routes.page("/", axum::routing::get(async || axum::response::Redirect::to("/account")));
    routes.page("/api/v1/openapi.json", axum::routing::get(async move || axum::Json(document)))
}

/// Opens the state that the configuration names, for a command: what it records, the server puts into the journal.
pub async fn open(config: &Config) -> anyhow::Result<(Kernel, KeyStore)> {
    let keys = keys(config)?;
    let kernel = open_with(config, keys.base(), None).await?;
    Ok((kernel, keys))
}

/// Opens the state, beside a journal where there is one.
pub async fn open_with(
    config: &Config,
    root_key: &RootKey,
    journal: Option<Arc<dyn Journal>>,
) -> anyhow::Result<Kernel> {
    Ok(Kernel::open(options(config, root_key, journal)?, modules(config)).await?)
}

/// Opens the state to look at it beside a journal: nothing is done.
pub async fn look(config: &Config, root_key: &RootKey, journal: Arc<dyn Journal>) -> anyhow::Result<Kernel> {
    Ok(Kernel::look(options(config, root_key, Some(journal))?, modules(config)).await?)
}

fn options<'k>(
    config: &Config,
    root_key: &'k RootKey,
    journal: Option<Arc<dyn Journal>>,
) -> anyhow::Result<Options<'k>> {
    Ok(Options {
        database: database(config)?,
        connections: config.database.connections,
        root_key,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        journal,
    })
}

/// Where the configuration says that the database is.
pub fn database(config: &Config) -> anyhow::Result<DatabaseUrl> {
    Ok(match config.engine().context("the database is not configured")? {
        Engine::Sqlite(path) => DatabaseUrl::Sqlite(path),
        Engine::Postgres(url) => DatabaseUrl::Postgres(url.expose().to_owned()),
    })
}

/// The keys of this installation. Whoever opens them, in whatever command, leaves no core dump with them.
pub fn keys(config: &Config) -> anyhow::Result<KeyStore> {
    keys_under(config, &config.keys.passphrase()?)
}

/// The same, where the root key is sealed by this passphrase.
pub fn keys_under(config: &Config, passphrase: &Passphrase) -> anyhow::Result<KeyStore> {
    memory::keep_private()?;
    Ok(KeyStore::open(&config.keys.dir, passphrase, Box::new(SystemEntropy))?)
}

/// Opens the journal of the records.
pub fn journal(config: &Config, root_key: &RootKey) -> anyhow::Result<Arc<Records>> {
    let dir = config.data.dir.join("journal");
    let (log, recovered) = garrison_journal::Log::open(garrison_journal::Options {
        dir: dir.clone(),
        name: "acts".to_owned(),
        key: root_key.seal("journal/acts"),
        entropy: Arc::new(SystemEntropy),
        segment: SEGMENT,
        first: 1,
    })?;
    if let Some(torn) = recovered.torn {
        tracing::info!(file = %torn.path.display(), offset = torn.offset, "a write was cut off; nothing that was answered is lost");
    }
    Ok(Arc::new(Records::new(log)))
}

/// How long sessions live.
pub fn limits(config: &Config) -> SessionLimits {
    SessionLimits { idle_minutes: config.session.idle_minutes, absolute_hours: config.session.absolute_hours }
}

/// `garrison serve`
pub fn run(args: &ServeArgs) -> anyhow::Result<Exit> {
    let loaded = args.config.load()?;
    logs::start(&loaded.config.log)?;
    let settings = loaded.show(true)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    let exit = runtime.block_on(serve(loaded.config, settings));
    // At the second signal nothing is waited for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    exit
}

async fn serve(config: Config, settings: Vec<Setting>) -> anyhow::Result<Exit> {
    let metrics = Metrics::install()?;
    if let Some(Engine::Sqlite(path)) = config.engine() {
        ensure!(
            path.exists(),
            "there is no database {}: `garrison init` makes a new Garrison; if there was one, put it back, or look \
             whether its disk is mounted",
            path.display()
        );
    }
    let keys = Arc::new(keys(&config)?);
    keys.hold()?;
    let journal = journal(&config, keys.base())?;
    let kernel = open_with(&config, keys.base(), Some(journal.clone() as Arc<dyn Journal>)).await?;
    ensure!(
        !kernel.tenants().await?.is_empty(),
        "the database is empty: is it the right one? `garrison tenant create NAME` makes a first tenant in it"
    );
    let access = Access::new(kernel.clone(), limits(&config));
    let sealer = seal::open(&config, keys.base(), journal.clone())?;
    let stop = CancellationToken::new();
    let flow = Flow::open(&config, &kernel, &keys, stop.clone()).await?;
    let web = Web {
        kernel: kernel.clone(),
        gate: Arc::new(access.clone()),
        proxies: Arc::new(Proxies(config.server.trusted_proxies.clone())),
        streams: Streams::default(),
    };
    let about = about(&config, settings, (&journal, &sealer), &flow);
    let health = health::routes(&config, about.since, metrics.clone());
    let served =
        routes(access.clone(), flow.logs().clone(), flow.live().clone(), sealer.clone(), about).merge(health);
    let certificate = certificate(&config)?;
    let (tls, current) = certificate.map(|loaded| (loaded.config, loaded.current)).unzip();
    let jobs = house::keep(&config, kernel.clone(), metrics, current, stop.clone());
    let logs = flow.logs().clone();
    let flowing = flow.start(&config, &kernel).await?;
    let sealed = CancellationToken::new();
    let sealing = tokio::spawn(seal::run(sealer, sealed.clone()));
    invite_first(&config, &kernel, &access).await?;
    let signals = listen::stop_signals(stop.clone()).context("listening for signals")?;
    let ready = |address| tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "ready");
    let done = tokio::select! {
        done = listen::serve(&config.server, tls, layered(served, web), stop.clone(), ready) => done.map(|()| Exit::Ok),
        why = broken(&journal, &logs) => Err(anyhow!(
            "{why}; this server ends, so that the next one looks what is on the disk"
        )),
        () = signals => Ok(Exit::Interrupted),
    };
    stop.cancel();
    jobs.wait().await;
    flowing.wait().await;
    kernel.close().await;
    // Only now is nothing recorded any more.
    sealed.cancel();
    let _ = sealing.await;
    done
}

/// What the server tells of itself. It starts now.
fn about(
    config: &Config,
    settings: Vec<Setting>,
    (journal, sealer): (&Arc<Records>, &Arc<Sealer>),
    flow: &Flow,
) -> About {
    About {
        since: SystemClock.now(),
        node: sealer.checkpoint().1.name().to_owned(),
        config: config.clone(),
        settings,
        journal: journal.clone(),
        rules: flow.rules().clone(),
    }
}

/// Comes when a log has failed: the process that was told of a failed write does not know what is on the disk, and
/// nothing it could still do is worth more than a new start.
async fn broken(journal: &Records, logs: &Logs) -> LogError {
    loop {
        if let Some(why) = journal.failed().or_else(|| logs.failed()) {
            return why;
        }
        sleep(LOOK).await;
    }
}

fn certificate(config: &Config) -> anyhow::Result<Option<tls::Loaded>> {
    let (dir, now) = (config.tls_dir(), SystemClock.now());
    if config.server.tls == Tls::OwnCa && !dir.exists() {
        tls::make(&dir, &config.server.reached_by(), now)?;
        tracing::warn!(folder = %dir.display(), "a new authority was made: clients must be told to trust it");
    }
    if config.server.tls == Tls::OwnCa
        && let Some(reason) = tls::renew_if_due(&dir, &config.server.reached_by(), now)?
    {
        tracing::info!(reason, "the server's certificate was made anew");
    }
    let loaded = tls::load(&config.server, &dir, now)?;
    for warning in loaded.iter().flat_map(|loaded| &loaded.warnings) {
        tracing::warn!("{warning}");
    }
    Ok(loaded)
}

/// Prints a one-time link for the first administrator of every tenant where nobody can log in yet.
async fn invite_first(config: &Config, kernel: &Kernel, access: &Access) -> anyhow::Result<()> {
    for (tenant, name) in kernel.tenants().await? {
        if !access.awaits_first(tenant).await? {
            continue;
        }
        let actor = Actor::system(System::SETUP, tenant, Origin::system("start"));
        let invited = kernel.act(&actor, garrison_access::acts::InviteFirst {}).await;
        let Outcome::Done(invited) = invited.map_err(|problem| anyhow::anyhow!("{problem}"))? else {
            continue;
        };
        say!("");
        say!(
            "Nobody can log in to the tenant `{name}` yet. Its first administrator opens, within 24 hours and once:"
        );
        say!("  {}{}", config.server.origin(), invited.path);
        say!("or runs: garrison login --link '{}{}'", config.server.origin(), invited.path);
        say!("");
    }
    Ok(())
}
