//! `garrison serve`: the server, put together from its parts.

mod health;
mod house;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use garrison_access::{Access, SessionLimits};
use garrison_base::{Clock as _, Exit, SystemClock};
use garrison_kernel::{Actor, DatabaseUrl, Kernel, Module, Options, Origin, Outcome, System};
use garrison_secrets::{RootKey, SystemEntropy};
use garrison_web::{Proxies, Routes, Web, layered};
use tokio_util::sync::CancellationToken;

use crate::cli::ServeArgs;
use crate::config::{Config, Engine, Tls};
use crate::say;
use crate::server::{listen, logs, metrics::Metrics, tls};

/// The domains, in the order in which their schemas are brought up to date.
pub fn modules() -> Vec<Module> {
    vec![garrison_directory::module(), garrison_access::module(), health::module()]
}

/// All routes, with the API's document at `/api/v1/openapi.json`.
pub fn routes(access: Access) -> Routes {
    let routes = garrison_directory::routes().merge(garrison_access::routes(access));
    let document = garrison_web::document(&routes);
    routes.page("/api/v1/openapi.json", axum::routing::get(async move || axum::Json(document)))
}

/// Opens the state that the configuration names.
pub async fn open(config: &Config) -> anyhow::Result<(Kernel, RootKey)> {
    let root_key = RootKey::open(&config.keys.dir)?;
    let database = match config.engine().context("the database is not configured")? {
        Engine::Sqlite(path) => DatabaseUrl::Sqlite(path),
        Engine::Postgres(url) => DatabaseUrl::Postgres(url.expose().to_owned()),
    };
    let options = Options {
        database,
        connections: config.database.connections,
        root_key: &root_key,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
    };
    let kernel = Kernel::open(options, modules()).await?;
    Ok((kernel, root_key))
}

/// How long sessions live.
pub fn limits(config: &Config) -> SessionLimits {
    SessionLimits { idle_minutes: config.session.idle_minutes, absolute_hours: config.session.absolute_hours }
}

/// `garrison serve`
pub fn run(args: &ServeArgs) -> anyhow::Result<Exit> {
    let config = args.config.load()?.config;
    logs::start(&config.log)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    let exit = runtime.block_on(serve(config));
    // At the second signal nothing is waited for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    exit
}

async fn serve(config: Config) -> anyhow::Result<Exit> {
    let metrics = Metrics::install()?;
    let (kernel, _root_key) = open(&config).await?;
    let access = Access::new(kernel.clone(), limits(&config));
    let web = Web {
        kernel: kernel.clone(),
        gate: Arc::new(access.clone()),
        proxies: Arc::new(Proxies(config.server.trusted_proxies.clone())),
    };
    let served = routes(access.clone()).merge(health::routes(&config, SystemClock.now(), metrics.clone()));
    let stop = CancellationToken::new();
    let certificate = certificate(&config)?;
    let (tls, current) = certificate.map(|loaded| (loaded.config, loaded.current)).unzip();
    let jobs = house::keep(&config, kernel.clone(), metrics, current, stop.clone());
    invite_first(&config, &kernel, &access).await?;
    let ready = |address| tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "ready");
    let done = tokio::select! {
        done = listen::serve(&config.server, tls, layered(served, web), stop.clone(), ready) => done.map(|()| Exit::Ok),
        ended = listen::stop_signals(stop.clone()) => ended.map(|()| Exit::Interrupted).context("waiting for signals"),
    };
    stop.cancel();
    jobs.wait().await;
    kernel.close().await;
    done
}

fn certificate(config: &Config) -> anyhow::Result<Option<tls::Loaded>> {
    let (dir, now) = (config.tls_dir(), SystemClock.now());
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
