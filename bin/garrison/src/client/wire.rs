//! Requests and answers.

mod stream;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use garrison_base::{Clock as _, SystemClock, id};
use garrison_secrets::SystemEntropy;
use rustls::CertificateError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value as Json;
use ureq::http::Response;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body};

use crate::client::address::Address;
use crate::client::context::variable;
use crate::client::failure::Failure;

pub use stream::{Lines, Next, Sent};

/// For a whole answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Until somebody is there to speak with.
const CONNECT: Duration = Duration::from_secs(10);

/// No answer is longer: a tree of a million nodes fits.
const ANSWER_BYTES: u64 = 512 << 20;

/// Where systems keep the authorities that they trust, as one file: Debian, Red Hat, SUSE, Alpine.
const SYSTEM_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Whose certificates count.
pub enum Trust<'a> {
    /// Those of the authorities of the system.
    System,
    /// Those of the authorities in this PEM text.
    Only(&'a str),
    /// Everybody's: nothing that is received may be believed, and no secret sent.
    Nobody,
}

/// What came of an act.
pub enum Answer {
    /// It was done.
    Done(Json),
    /// It waits for approvals, by this id.
    Waiting(String),
}

/// A server that can be asked.
pub struct Wire {
    agent: Agent,
    address: Address,
    secret: Option<String>,
}

struct Request {
    url: String,
    body: Option<Vec<u8>>,
    key: Option<String>,
}

struct Said {
    status: u16,
    text: String,
}

/// TLS to whomever this system trusts.
pub fn system_tls() -> anyhow::Result<TlsConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let roots = roots(&system_roots(), "the authorities of this system")?;
    Ok(TlsConfig::builder().unversioned_rustls_crypto_provider(provider).root_certs(roots).build())
}

impl Wire {
    /// Prepares connections; none is made yet.
    pub fn new(address: Address, trust: &Trust<'_>, secret: Option<String>) -> anyhow::Result<Self> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = TlsConfig::builder().unversioned_rustls_crypto_provider(provider);
        let tls = match trust {
            Trust::System => tls.root_certs(roots(&system_roots(), "the authorities of this system")?),
            Trust::Only(pem) => {
                let roots = certificates(pem, "the authority of this server")?;
                ensure!(!roots.is_empty(), "the authority of this server holds no certificate");
                tls.root_certs(RootCerts::new_with_certs(&roots))
            }
            Trust::Nobody => tls.disable_verification(true),
        };
        let agent = Agent::config_builder()
            .tls_config(tls.build())
            .user_agent(concat!("garrison/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(PATIENCE))
            .timeout_connect(Some(CONNECT))
            .http_status_as_error(false)
            .max_redirects(0);
        // A proxy is for the world outside of this machine.
        let agent = if address.is_local() { agent.proxy(None) } else { agent };
        Ok(Self { agent: agent.build().new_agent(), address, secret })
    }

    /// Where the server is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Asks a question of the API.
    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Json> {
        let request = Request { url: self.url(path, query), body: None, key: None };
        let said = self.send(&request, true)?;
        read(&said, &request.url)
    }

    /// Performs an act of the API, at most once: the same key is shown when it must be sent again.
    pub fn act(&self, path: &str, body: &Json) -> anyhow::Result<Answer> {
        let key = id::encode(id::fresh(SystemClock.now(), &SystemEntropy));
        let request =
            Request { url: self.url(path, &[]), body: Some(serde_json::to_vec(body)?), key: Some(key) };
        let said = self.send(&request, true)?;
        let answer = read(&said, &request.url)?;
        if said.status != 202 {
            return Ok(Answer::Done(answer));
        }
        let id = answer.get("approval").and_then(Json::as_str);
        Ok(Answer::Waiting(id.context("the server does not tell which request waits")?.to_owned()))
    }

    /// Sends a step of a login, once: the server counts each of them.
    pub fn step(&self, path: &str, body: &Json) -> anyhow::Result<Json> {
        let request = Request { url: self.url(path, &[]), body: Some(serde_json::to_vec(body)?), key: None };
        let said = self.send(&request, false)?;
        read(&said, &request.url)
    }

    /// Asks for a text outside of the API; `None` where there is none. The error is the transport's own.
    pub fn text(&self, path: &str) -> Result<Option<String>, ureq::Error> {
        let request = Request { url: format!("{}{path}", self.address.as_str()), body: None, key: None };
        let said = self.attempt(&request)?;
        Ok((said.status == 200).then_some(said.text))
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> String {
        let pairs = query.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
        let query = pairs.collect::<Vec<_>>().join("&");
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}/api/v1/{path}{mark}{query}", self.address.as_str())
    }

    fn send(&self, request: &Request, again: bool) -> anyhow::Result<Said> {
        let first = self.attempt(request);
        let said = match first {
            Err(error) if again && broke(&error) => self.attempt(request),
            first => first,
        };
        said.map_err(|error| {
            if is_untrusted(&error) {
                let words = "its certificate comes from an authority that is not trusted; \
                             `garrison login` tells which, and asks whether to trust it";
                return anyhow!("{}: {words}", self.address.as_str());
            }
            Failure::unanswered(&error, self.address.as_str()).into()
        })
    }

    fn attempt(&self, request: &Request) -> Result<Said, ureq::Error> {
        let bearer = self.secret.as_ref().map(|secret| format!("Bearer {secret}"));
        let headers = [("authorization", bearer.as_ref()), ("idempotency-key", request.key.as_ref())];
        let headers = headers.into_iter().filter_map(|(name, value)| Some((name, value?.as_str())));
        let mut answer: Response<Body> = if let Some(body) = &request.body {
            let post = self.agent.post(&request.url).header("content-type", "application/json");
            headers.fold(post, |post, (name, value)| post.header(name, value)).send(body.as_slice())?
        } else {
            let get = self.agent.get(&request.url);
            headers.fold(get, |get, (name, value)| get.header(name, value)).call()?
        };
        let text = answer.body_mut().with_config().limit(ANSWER_BYTES).read_to_string()?;
        Ok(Said { status: answer.status().as_u16(), text })
    }
}

fn read(said: &Said, url: &str) -> anyhow::Result<Json> {
    if !(200..300).contains(&said.status) {
        return Err(Failure::answered(said.status, &said.text, url).into());
    }
    serde_json::from_str(&said.text).with_context(|| format!("{url} answers what no Garrison does"))
}

/// Whether the connection broke after it was made, so that nobody knows what the server has done.
fn broke(error: &ureq::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let ureq::Error::Io(error) = error else { return false };
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

/// Whether nobody who is trusted has signed the server's certificate.
pub fn is_untrusted(error: &ureq::Error) -> bool {
    let cause = match error {
        ureq::Error::Rustls(cause) => Some(cause),
        ureq::Error::Io(error) => error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()),
        _ => None,
    };
    let unknown = |error: &CertificateError| {
        matches!(error, CertificateError::UnknownIssuer | CertificateError::BadSignature)
    };
    matches!(cause, Some(rustls::Error::InvalidCertificate(error)) if unknown(error))
}

/// Percent-encodes everything that means something in a path or query (RFC 3986).
pub fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

fn system_roots() -> String {
    let named = variable("SSL_CERT_FILE").and_then(|path| std::fs::read_to_string(path).ok());
    let usual = || SYSTEM_ROOTS.iter().find_map(|path| std::fs::read_to_string(path).ok());
    named.or_else(usual).unwrap_or_default()
}

fn roots(pem: &str, what: &str) -> anyhow::Result<RootCerts> {
    Ok(RootCerts::new_with_certs(&certificates(pem, what)?))
}

fn certificates(pem: &str, what: &str) -> anyhow::Result<Vec<Certificate<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let read = read.map_err(|error| anyhow!("reading {what}: {error}"))?;
    Ok(read.iter().map(|der| Certificate::from_der(der).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_value_can_change_the_address() {
        let address = Address::parse("https://x").unwrap();
        let wire = Wire::new(address, &Trust::Nobody, None).unwrap();
        assert_eq!(
            wire.url("node-at", &[("path", "a b/ü&c=d+")]),
            "https://x/api/v1/node-at?path=a%20b%2F%C3%BC%26c%3Dd%2B"
        );
        assert_eq!(wire.url("whoami", &[]), "https://x/api/v1/whoami");
    }

    #[test]
    fn only_a_connection_that_broke_is_tried_again() {
        let of = |kind: io::ErrorKind| broke(&ureq::Error::Io(kind.into()));
        assert!(of(io::ErrorKind::ConnectionReset) && of(io::ErrorKind::UnexpectedEof));
        assert!(!of(io::ErrorKind::ConnectionRefused) && !of(io::ErrorKind::InvalidData));
        assert!(!broke(&ureq::Error::Timeout(ureq::Timeout::Global)));
    }
}
