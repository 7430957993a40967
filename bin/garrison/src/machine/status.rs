//! `garrison status`: the running server is asked at its own address.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use garrison_base::{Exit, Timestamp};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::cli::StatusArgs;
use crate::config::{Config, Server, Tls};
use crate::output::{Column, Printer, Row};
use crate::say;

/// For the whole answer. The server may be busy; it is on the same machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// No answer is longer.
const ANSWER_BYTES: u64 = 64 * 1024;

/// What `/readyz` answers, with status 200 where it is ready and 503 where it is not.
#[derive(Debug, Serialize, Deserialize)]
pub struct Readiness {
    /// Whether requests are served.
    pub ready: bool,
    /// The version of the program.
    pub version: String,
    /// When the server started.
    pub since: Timestamp,
    /// `ok`, or what is wrong with the database.
    pub database: String,
    /// How many tenants there are.
    pub tenants: usize,
}

/// What came of asking.
pub enum Asked {
    /// A Garrison answered.
    Garrison(Readiness),
    /// Something answered that is none.
    Other(anyhow::Error),
    /// Nothing answered.
    Nobody(anyhow::Error),
}

impl Row for Readiness {
    const COLUMNS: &'static [Column] = &[
        Column::new("READY", 5),
        Column::new("VERSION", 10),
        Column::whole("SINCE", 20),
        Column::new("TENANTS", 7),
        Column::new("DATABASE", 10),
    ];

    fn cells(&self) -> Vec<String> {
        let ready = if self.ready { "yes" } else { "no" };
        let since = format!("{:.0}", self.since);
        vec![ready.into(), self.version.clone(), since, self.tenants.to_string(), self.database.clone()]
    }
}

/// `garrison status`
pub fn run(args: &StatusArgs) -> anyhow::Result<Exit> {
    let config = args.config.load()?.config;
    let readiness = match ask(&config)? {
        Asked::Garrison(readiness) => readiness,
        Asked::Other(error) => return Err(error.context("something else listens there")),
        Asked::Nobody(error) => {
            say!(
                "garrison: {error:#}; `garrison serve` starts the server, `garrison doctor` looks for causes"
            );
            return Ok(Exit::Unreachable);
        }
    };
    let mut printer = Printer::stdout(args.output.output);
    printer.row(&readiness)?;
    printer.finish::<Readiness>()?;
    Ok(if readiness.ready { Exit::Ok } else { Exit::Failed })
}

/// Asks the server that the configuration describes.
///
/// # Errors
/// A certificate authority that is there and cannot be read.
pub fn ask(config: &Config) -> anyhow::Result<Asked> {
    // Not the public address: behind that may be a proxy.
    let own = Server { public_url: None, ..config.server.clone() };
    let url = format!("{}/readyz", own.origin());
    let agent = agent(config)?;
    let mut answer = match agent.get(&url).call() {
        Ok(answer) => answer,
        Err(error) if nobody(&error) => {
            return Ok(Asked::Nobody(anyhow!(error).context(format!("{url} does not answer"))));
        }
        Err(error) => return Ok(Asked::Other(anyhow!(error).context(format!("asking {url}")))),
    };
    let text = answer.body_mut().with_config().limit(ANSWER_BYTES).read_to_string();
    let read = text
        .map_err(anyhow::Error::from)
        .and_then(|text| Ok(serde_json::from_str(&text)?))
        .with_context(|| format!("{url} answers what no Garrison does, with status {}", answer.status()));
    Ok(read.map_or_else(Asked::Other, Asked::Garrison))
}

/// Whether nobody was there to speak with.
fn nobody(error: &ureq::Error) -> bool {
    match error {
        // What rustls refuses was said by somebody; it arrives as invalid data.
        ureq::Error::Io(error) => error.kind() != io::ErrorKind::InvalidData,
        ureq::Error::ConnectionFailed | ureq::Error::HostNotFound | ureq::Error::Timeout(_) => true,
        _ => false,
    }
}

fn agent(config: &Config) -> anyhow::Result<Agent> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = TlsConfig::builder().unversioned_rustls_crypto_provider(provider);
    let tls = match config.server.tls {
        Tls::OwnCa => tls.root_certs(authority(config)?),
        // The certificate is for the public name, which may lead elsewhere. No secret is sent, and nothing
        // rests on the answer.
        Tls::Files | Tls::Off => tls.disable_verification(true),
    };
    let agent = Agent::config_builder()
        .tls_config(tls.build())
        // What the environment names is for the world outside of this machine.
        .proxy(None)
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .max_redirects(0)
        .build();
    Ok(agent.new_agent())
}

fn authority(config: &Config) -> anyhow::Result<RootCerts> {
    let path = crate::server::tls::authority_file(&config.tls_dir());
    let read = CertificateDer::pem_file_iter(&path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let read = read.map_err(|error| anyhow!("reading the authority {}: {error}", path.display()))?;
    ensure!(!read.is_empty(), "there is no certificate in {}", path.display());
    let certificates: Vec<_> = read.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    Ok(RootCerts::new_with_certs(&certificates))
}
