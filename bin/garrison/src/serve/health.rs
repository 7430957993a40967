//! What monitoring asks: alive, ready, figures; and the authority that clients must trust.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json};
use garrison_base::Timestamp;
use garrison_kernel::{Module, Verb};
use garrison_web::{Answer, Caller, Routes, Web};

use crate::config::{Config, Tls};
use crate::machine::status::Readiness;
use crate::server::metrics::Metrics;
use crate::server::tls::authority_file;

const METRICS: Verb = Verb::new("metrics:read");

const POLICY: &str = r#"
@id("whoever-looks-after-the-machine-reads-its-figures")
permit (principal, action == Action::"metrics:read", resource)
when { principal in Role::"administrator" || principal in Role::"operator" || principal in Role::"viewer" };
"#;

/// The verb of the figures.
pub fn module() -> Module {
    Module::new("server", &[], POLICY).read(METRICS)
}

/// The routes. Alive and ready tell nothing that an address scan would not.
pub fn routes(config: &Config, since: Timestamp, metrics: Metrics) -> Routes {
    let authority = match config.server.tls {
        Tls::OwnCa => std::fs::read(authority_file(&config.tls_dir())).ok(),
        Tls::Files | Tls::Off => None,
    };
    Routes::new()
        .page("/healthz", get(async || "ok\n"))
        .page("/readyz", get(ready).layer(Extension(since)))
        .page("/metrics", get(figures).layer(Extension(metrics)))
        .page("/ca.pem", get(ca).layer(Extension(Arc::new(authority))))
}

async fn ready(State(web): State<Web>, Extension(since): Extension<Timestamp>) -> Response {
    let tenants = web.kernel.tenants().await;
    let ready = tenants.is_ok();
    let readiness = Readiness {
        ready,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        since,
        database: if ready { "ok" } else { "it does not answer" }.to_owned(),
        tenants: tenants.map_or(0, |tenants| tenants.len()),
    };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

async fn figures(
    State(web): State<Web>,
    Caller(actor): Caller,
    Extension(metrics): Extension<Metrics>,
) -> Answer<Response> {
    web.kernel.read(&actor, METRICS).await?;
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, metrics.render()).into_response())
}

async fn ca(Extension(authority): Extension<Arc<Option<Vec<u8>>>>) -> Response {
    match &*authority {
        Some(pem) => ([(header::CONTENT_TYPE, "application/x-pem-file")], pem.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
