//! The configuration: what the files, the environment and the command line say.
//!
//! A section is a struct with a default for every key. To add the section of another crate, add one field
//! to [`Config`] with a doc comment. The struct derives what the ones below derive and carries
//! `#[serde(default, deny_unknown_fields)]`. Its doc comments become the text of the schema and of the
//! starter file. A path is marked `#[schemars(extend("format" = "path"))]`, so that it is read relative to
//! the file that names it; a secret is a [`Secret`]. Everything else follows from the struct: files,
//! environment, `--set`, hints for misspelt keys, `config show`, the schema, the starter file. What depends
//! on more than one key is refused in `check.rs`.

mod check;
mod load;
mod refusal;
mod server;
mod shape;
mod show;
mod starter;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use garrison_access::SessionLimits;
use garrison_notices::Notices;
use garrison_secrets::{KeyFileError, Passphrase};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

pub use load::{Loaded, Sources, load};
pub use server::{Server, Tls};
pub use shape::schema;
pub use show::Setting;
pub use starter::starter;

/// Everything that can be configured.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The server: console and API
    pub server: Server,
    /// What the server stores
    pub data: Data,
    /// The database
    pub database: Database,
    /// The keys of the server
    pub keys: Keys,
    /// How long people stay logged in
    pub session: Session,
    /// What the server says of itself, on standard error
    pub log: Log,
    /// Where logs of other machines come in, beside HTTP
    pub intake: Intake,
    /// Judging logs by rules
    pub detection: Detection,
    /// Who is told of alerts
    pub notices: Notices,
    /// The record of what was done, and who else knows how far it goes
    pub journal: Journal,
    /// Copies of everything, sealed
    pub backup: Backup,
}

/// What the server stores.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Data {
    /// The folder for everything that the server stores
    #[schemars(extend("format" = "path"))]
    pub dir: PathBuf,
}

/// The database.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// `sqlite` is the file garrison.db in the data folder; else `sqlite:PATH` or
    /// `postgres://USER:PASSWORD@HOST/NAME`. Better than a password in this file: the variable
    /// `GARRISON__DATABASE__URL_FILE` with the path of a file that holds the URL
    #[schemars(extend("format" = "database-url", "default" = "sqlite"))]
    pub url: Secret,
    /// How many connections may be open at the same time
    pub connections: u32,
}

/// The keys of the server.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    /// The folder for keys. Outside the data folder, so that a copy of the data is not a copy of the keys
    #[schemars(extend("format" = "path"))]
    pub dir: PathBuf,
    /// A file with the passphrase that seals the root key, where one does. Nobody but the user of the server may read it;
    /// a credential of systemd is such a file
    #[schemars(extend("format" = "path"), example = "/run/credentials/garrison.service/passphrase")]
    pub passphrase_file: Option<PathBuf>,
}

impl Keys {
    /// What seals the root key. Read from its file when it is needed.
    pub fn passphrase(&self) -> Result<Passphrase, KeyFileError> {
        self.passphrase_file.as_deref().map_or(Ok(Passphrase::None), Passphrase::read)
    }
}

/// The record of what was done.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Journal {
    /// Files on other storage that hold the last checkpoint of the record. Without one, nobody finds out that an older
    /// copy of everything was put back
    #[schemars(extend("items" = {"type": "string", "format": "path"}))]
    pub witnesses: Vec<PathBuf>,
}

/// Copies of everything.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Backup {
    /// The recovery key that backups are sealed to: its public half, as `garrison backup key` tells it
    #[schemars(example = "garrison-recovery-v1:j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8=")]
    pub recovery: Option<String>,
}

/// How long people stay logged in.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Session {
    /// Minutes without a request after which a session ends
    pub idle_minutes: u32,
    /// Hours after which a session ends in any case
    pub absolute_hours: u32,
}

impl Default for Session {
    fn default() -> Self {
        let SessionLimits { idle_minutes, absolute_hours } = SessionLimits::default();
        Self { idle_minutes, absolute_hours }
    }
}

/// What the server says of itself.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// How lines look: text for people, json for programs
    pub format: LogFormat,
    /// The least level that is written: error, warn, info, debug, trace, off. Levels for parts of the
    /// program follow behind commas, as in "info,garrison=debug"
    pub level: String,
}

/// Where logs of other machines come in, beside HTTP.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Intake {
    /// Syslog: messages are taken from whoever reaches the address
    pub syslog: Syslog,
    /// Files of this machine that are followed
    pub files: Vec<FollowedFile>,
    /// Other systems that every event is passed on to
    pub forward: Vec<Forward>,
}

/// Syslog, RFC 3164 and RFC 5424.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Syslog {
    /// Address and port for datagrams; nothing is taken where it is not set
    #[schemars(example = "127.0.0.1:5514")]
    pub udp: Option<SocketAddr>,
    /// Address and port for connections, by line feed or octet count
    #[schemars(example = "127.0.0.1:5514")]
    pub tcp: Option<SocketAddr>,
    /// The source that messages belong to; made where it is missing
    pub source: String,
    /// The tenant of the source; may be left out where there is one
    #[schemars(example = &"main")]
    pub tenant: Option<String>,
}

impl Default for Syslog {
    fn default() -> Self {
        Self { udp: None, tcp: None, source: "syslog".to_owned(), tenant: None }
    }
}

/// A file that is followed, also over its rotation.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowedFile {
    /// The file
    #[schemars(extend("format" = "path"))]
    pub path: PathBuf,
    /// The source that its lines belong to; made where it is missing
    pub source: String,
    /// The tenant of the source; may be left out where there is one
    pub tenant: Option<String>,
}

/// A system that events are passed on to.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// A name of its own
    pub name: String,
    /// Host and port of the system; a TCP connection
    pub to: String,
    /// How events are passed on: syslog (RFC 5424 with octet count), or json (one object a line)
    #[serde(default)]
    pub format: ForwardFormat,
    /// Only events of this tenant; may be left out where there is one
    pub tenant: Option<String>,
}

/// How events are passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardFormat {
    /// RFC 5424 with octet count
    #[default]
    Syslog,
    /// One JSON object a line
    Json,
}

/// Judging logs by rules.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Detection {
    /// Folders of Sigma rules, with their whole paths; looked at again every ten seconds
    pub rules: Vec<PathBuf>,
    /// Whether the rules that come with Garrison judge too
    pub starter_rules: bool,
    /// The least level of a rule that judges: informational, low, medium, high, critical
    pub min_level: String,
}

impl Default for Detection {
    fn default() -> Self {
        Self { rules: Vec::new(), starter_rules: true, min_level: "low".to_owned() }
    }
}

/// How lines of the log look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// One line for people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// Which database is meant.
#[derive(Clone, PartialEq, Eq)]
pub enum Engine {
    /// The file of a `sqlite` database.
    Sqlite(PathBuf),
    /// The URL of a `postgres` database. It may hold a password.
    Postgres(Secret),
}

impl Default for Data {
    fn default() -> Self {
        Self { dir: PathBuf::from("./garrison/data") }
    }
}

impl Default for Database {
    fn default() -> Self {
        Self { url: Secret::new("sqlite"), connections: 10 }
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self { dir: PathBuf::from("./garrison/keys"), passphrase_file: None }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::default(), level: "info".to_owned() }
    }
}

impl Config {
    /// The folder of the own certificate authority.
    pub fn tls_dir(&self) -> PathBuf {
        self.keys.dir.join("tls")
    }

    /// The database that `database.url` means; `None` where it means none.
    pub fn engine(&self) -> Option<Engine> {
        let url = self.database.url.expose();
        if url == "sqlite" {
            return Some(Engine::Sqlite(self.data.dir.join("garrison.db")));
        }
        if let Some(path) = url.strip_prefix("sqlite:") {
            // `sqlite://host` is what other programs write; here it would be a file of that name.
            return (!path.is_empty() && !path.starts_with("//")).then(|| Engine::Sqlite(path.into()));
        }
        let postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
        postgres.then(|| Engine::Postgres(self.database.url.clone()))
    }
}

/// A text that is never printed, neither by `Debug` nor when the configuration is shown.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(inline, extend("writeOnly" = true))]
pub struct Secret(String);

impl Secret {
    /// What is shown in its place.
    pub const SHOWN: &str = "(secret)";

    /// Keeps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::SHOWN)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Self::SHOWN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_is_one_of_two() {
        let engine = |url: &str| {
            let database = Database { url: Secret::new(url), ..Database::default() };
            Config { database, ..Config::default() }.engine()
        };
        let sqlite = |path: &str| Some(Engine::Sqlite(path.into()));
        assert!(engine("sqlite") == sqlite("./garrison/data/garrison.db"));
        assert!(engine("sqlite:/srv/g.db") == sqlite("/srv/g.db"));
        assert!(engine("postgres://g@db/g") == Some(Engine::Postgres(Secret::new("postgres://g@db/g"))));
        for url in ["", "sqlite:", "sqlite://g.db", "mysql://db", "postgres"] {
            assert!(engine(url).is_none(), "{url}");
        }
    }

    #[test]
    fn a_secret_is_not_printed() {
        let config = Config {
            database: Database { url: Secret::new("postgres://g:hunter2@db/g"), connections: 1 },
            ..Config::default()
        };
        let printed = [format!("{config:?}"), serde_json::to_string(&config).unwrap()];
        for text in printed {
            assert!(text.contains(Secret::SHOWN) && !text.contains("hunter2"), "{text}");
        }
    }
}
