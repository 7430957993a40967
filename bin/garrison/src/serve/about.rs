//! What the server tells those who look after it: how it runs, and how it is configured.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Extension, Json};
use garrison_base::Timestamp;
use garrison_journal::Records;
use garrison_kernel::{KernelError, Module, Verb, problems};
use garrison_web::{Answer, Caller, Refusal, Routes, Web};
use rustix::fs::StatVfs;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};

use super::flow::RuleTally;
use crate::config::{Config, Engine, Secret, Setting, Tls};
use crate::server::metrics::resident_memory;

const SHOW: Verb = Verb::new("server:show");
const CONFIG: Verb = Verb::new("server:config");

const POLICY: &str = r#"
@id("whoever-looks-after-the-server-or-over-it-sees-how-it-runs")
permit (principal, action == Action::"server:show", resource)
when {
    principal in Role::"administrator" || principal in Role::"operator" || principal in Role::"viewer"
    || principal in Role::"auditor"
};

@id("administrators-see-how-the-server-is-configured")
permit (principal in Role::"administrator", action == Action::"server:config", resource);
"#;

/// The verbs.
pub fn module() -> Module {
    Module::new("about", &[], POLICY).read(SHOW).read(CONFIG)
}

/// What the answers are made from.
pub struct About {
    /// When the server started.
    pub since: Timestamp,
    /// The name of the log that its checkpoints are signed under: it follows from the keys.
    pub node: String,
    /// How it is configured.
    pub config: Config,
    /// The same, key by key, with origins and without secrets.
    pub settings: Vec<Setting>,
    /// The journal of the records.
    pub journal: Arc<Records>,
    /// How many rules judge.
    pub rules: Arc<RuleTally>,
}

/// How the server runs.
#[derive(Debug, Serialize, ToSchema)]
struct ServerState {
    /// The version of the program.
    version: &'static str,
    /// When it started.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// The name of the log that its checkpoints are signed under.
    node: String,
    /// Where its certificate comes from: `own-ca`, `files` or `off`.
    #[schema(value_type = String)]
    tls: Tls,
    /// Address and port that it listens on. This, the folder and the journal are told where there is one tenant, to
    /// whoever sees all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    listen: Option<String>,
    /// Where browsers and programs reach it, where that is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    public_url: Option<String>,
    /// `sqlite` or `postgres`.
    database: &'static str,
    /// The folder for everything that it stores.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_dir: Option<String>,
    /// The disk under that.
    disk: ServerDisk,
    /// Its memory.
    memory: ServerMemory,
    /// The rules that judge.
    rules: ServerRules,
    /// The journal of the records.
    #[serde(skip_serializing_if = "Option::is_none")]
    journal: Option<ServerJournal>,
    /// Whether anybody is told of new alerts.
    notices: bool,
}

/// A disk, in bytes; absent where the system does not tell.
#[derive(Debug, Serialize, ToSchema)]
struct ServerDisk {
    /// What the server may still write.
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<u64>,
    /// Its size.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
}

/// Memory, in bytes; absent where the system does not tell.
#[derive(Debug, Serialize, ToSchema)]
struct ServerMemory {
    /// What is in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    resident: Option<u64>,
}

/// Rules, as they were last read.
#[derive(Debug, Serialize, ToSchema)]
struct ServerRules {
    /// How many judge.
    loaded: usize,
    /// How many were refused.
    refused: usize,
}

/// The journal.
#[derive(Debug, Serialize, ToSchema)]
struct ServerJournal {
    /// The number of its last record.
    seq: u64,
}

/// A key of the configuration.
#[derive(Debug, Serialize, ToSchema)]
struct ServerSetting {
    /// The key, such as `server.listen`.
    key: String,
    /// Its value; `(secret)` stands in the place of what is not shown.
    value: String,
    /// Where the value came from: `default`, a file, a variable of the environment, the command line.
    origin: String,
    /// Whether something of the value is not shown.
    secret: bool,
}

impl From<&Setting> for ServerSetting {
    fn from(setting: &Setting) -> Self {
        Self {
            key: setting.key.clone(),
            value: setting.value.clone(),
            origin: setting.origin.clone().unwrap_or_default(),
            secret: setting.value.contains(Secret::SHOWN),
        }
    }
}

impl About {
    /// How it runs; `whole`: for somebody whom all of the machine concerns.
    fn state(&self, whole: bool) -> ServerState {
        let Config { server, data, notices, .. } = &self.config;
        let disk = rustix::fs::statvfs(&data.dir).ok();
        let bytes = |blocks: fn(&StatVfs) -> u64| {
            disk.as_ref().map(|disk| blocks(disk).saturating_mul(disk.f_frsize))
        };
        let (loaded, refused) = self.rules.counts();
        ServerState {
            version: env!("CARGO_PKG_VERSION"),
            since: self.since,
            node: self.node.clone(),
            tls: server.tls,
            listen: whole.then(|| server.listen.to_string()),
            public_url: server.public_url.clone(),
            database: match self.config.engine() {
                Some(Engine::Postgres(_)) => "postgres",
                Some(Engine::Sqlite(_)) | None => "sqlite",
            },
            data_dir: whole.then(|| data.dir.display().to_string()),
            disk: ServerDisk { free: bytes(|disk| disk.f_bavail), total: bytes(|disk| disk.f_blocks) },
            memory: ServerMemory { resident: resident_memory() },
            rules: ServerRules { loaded, refused },
            journal: whole.then(|| ServerJournal { seq: self.journal.reached() }),
            notices: !notices.webhooks.is_empty() || !notices.mails.is_empty(),
        }
    }
}

/// The routes.
pub fn routes(about: About) -> Routes {
    let shared = Extension(Arc::new(about));
    Routes::new()
        .own(
            "/api/v1/server",
            (HttpMethod::Get, get(show).layer(shared.clone())),
            Some(SHOW),
            answers::<ServerState>("server_show", "How the server runs."),
        )
        .own(
            "/api/v1/server/config",
            (HttpMethod::Get, get(config).layer(shared)),
            Some(CONFIG),
            answers::<Vec<ServerSetting>>("server_config", "How the server is configured, without secrets."),
        )
        .schema::<ServerState>()
        .schema::<ServerSetting>()
}

async fn show(
    State(web): State<Web>,
    Extension(about): Extension<Arc<About>>,
    Caller(actor): Caller,
) -> Answer<Json<ServerState>> {
    let tx = web.kernel.read(&actor, SHOW).await?;
    let whole = tx.visible().is_none();
    drop(tx);
    let whole = whole && web.kernel.tenants().await?.len() == 1;
    // The disk may be one of a network that does not answer.
    let state = tokio::task::spawn_blocking(move || about.state(whole)).await;
    state.map(Json).map_err(|error| KernelError::BrokeOff(error.to_string()).into())
}

async fn config(
    State(web): State<Web>,
    Extension(about): Extension<Arc<About>>,
    Caller(actor): Caller,
) -> Answer<Json<Vec<ServerSetting>>> {
    let tx = web.kernel.read(&actor, CONFIG).await?;
    if tx.visible().is_some() {
        let why = "the configuration is that of the whole machine; a role at the root of the tree shows it";
        return Err(Refusal::new(&problems::DENIED, why));
    }
    drop(tx);
    // It names tenants, and where their alerts go; for each other they do not exist.
    if web.kernel.tenants().await?.len() > 1 {
        let why = "the configuration is that of several tenants; on the machine, `garrison config show --origin` \
                   shows it";
        return Err(Refusal::new(&problems::DENIED, why));
    }
    Ok(Json(about.settings.iter().map(ServerSetting::from).collect()))
}

fn answers<T: ToSchema>(id: &str, summary: &str) -> Operation {
    let content = ContentBuilder::new().schema(Some(T::schema())).build();
    let done = ResponseBuilder::new().description("The answer.").content("application/json", content).build();
    OperationBuilder::new()
        .tag("server")
        .operation_id(Some(id))
        .summary(Some(summary))
        .response("200", done)
        .response("default", RefOr::Ref(Ref::from_response_name("Problem")))
        .build()
}

#[cfg(test)]
mod tests {
    use garrison_base::PersonId;
    use garrison_kernel::{ActorId, Asked, PolicyTable};
    use garrison_secrets::SystemEntropy;

    use super::*;

    #[test]
    fn who_sees_how_it_runs_and_how_it_is_configured() {
        let policies = PolicyTable::of(&[module()]).unwrap();
        let actor = ActorId::Person(PersonId::new(Timestamp::UNIX_EPOCH, &SystemEntropy));
        let ask = |role: &str, verb| {
            policies.allows(&Asked {
                actor,
                roles: &[role],
                verb,
                object: "node",
                own: false,
                production: false,
            })
        };
        for (role, show, config) in [
            ("administrator", true, true),
            ("operator", true, false),
            ("viewer", true, false),
            ("auditor", true, false),
            ("analyst", false, false),
            ("owner", false, false),
        ] {
            assert_eq!((ask(role, SHOW), ask(role, CONFIG)), (show, config), "{role}");
        }
    }

    #[test]
    fn what_is_secret_is_said_to_be() {
        let setting = |value: &str| Setting {
            key: "database.url".into(),
            value: value.into(),
            origin: Some("garrison.toml".into()),
        };
        let shown = |value: &str| ServerSetting::from(&setting(value)).secret;
        assert!(shown("(secret)") && shown(r#"[{"name":"chat","url":"(secret)"}]"#));
        assert!(!shown("sqlite") && !shown(""));
    }
}
