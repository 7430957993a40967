//! The certificate of the server: loaded, checked, and exchanged while connections come in.

mod authority;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context as _, anyhow, bail, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use jiff::{SignedDuration, Timestamp};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, version};

use crate::config::{Server, Tls};

pub use authority::{make, renew_if_due};

/// From how many days before its end a certificate from a file is warned of.
const WARN_DAYS: i64 = 14;

/// What a listener needs.
pub struct Loaded {
    /// For the listener: TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
    pub config: ServerConfig,
    /// The certificate in that configuration.
    pub current: Arc<Current>,
    /// What is doubtful, for the log.
    pub warnings: Vec<String>,
    /// The names and addresses that the certificate is good for.
    pub names: Vec<String>,
    /// When it ends.
    pub until: Timestamp,
}

/// The certificate that is shown to clients. It can be exchanged while the server runs.
#[derive(Debug)]
pub struct Current(RwLock<Arc<CertifiedKey>>);

/// Loads what `server.tls` says; `None` where it is off. `dir` is the folder of the own authority.
///
/// # Errors
/// A file that cannot be read or holds something else, a key of another certificate, a certificate that
/// is not valid at `now`.
pub fn load(server: &Server, dir: &Path, now: Timestamp) -> anyhow::Result<Option<Loaded>> {
    if server.tls == Tls::Off {
        return Ok(None);
    }
    let (pair, warnings) = pair(server, dir, now)?;
    let (names, until) = authority::good_for(pair.end_entity_cert()?)?;
    let current = Arc::new(Current(RwLock::new(Arc::new(pair))));
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(Loaded { config, current, warnings, names, until }))
}

/// The certificate of the own authority, which clients are told to trust.
pub fn authority_file(dir: &Path) -> PathBuf {
    dir.join(authority::CA_CERTIFICATE)
}

impl Current {
    /// Loads the files again, for new connections; returns what is doubtful. Where this fails, the
    /// certificate stays the one that it was.
    pub fn reload(&self, server: &Server, dir: &Path, now: Timestamp) -> anyhow::Result<Vec<String>> {
        let (pair, warnings) = pair(server, dir, now)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(pair);
        Ok(warnings)
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// SHA-256 of the first certificate in a PEM text, as `openssl x509 -fingerprint -sha256` counts it: pairs
/// of hexadecimal digits with colons between, here in lower case.
pub fn fingerprint(pem: &str) -> anyhow::Result<String> {
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
        .map_err(|error| anyhow!("this is not a certificate in PEM: {error}"))?;
    let pairs =
        digest(&SHA256, &certificate).as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>();
    Ok(pairs.join(":"))
}

fn pair(server: &Server, dir: &Path, now: Timestamp) -> anyhow::Result<(CertifiedKey, Vec<String>)> {
    let (certificate, key) = match (server.tls, &server.certificate, &server.key) {
        (Tls::Files, Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
        (Tls::Files, ..) => bail!("`server.certificate` and `server.key` must both be set"),
        _ => (dir.join(authority::CERTIFICATE), dir.join(authority::KEY)),
    };
    let pair = certified(&certificate, &key)?;
    let mut warnings = Vec::new();
    let mode = fs::metadata(&key).with_context(|| format!("reading {}", key.display()))?.permissions().mode();
    if mode & 0o007 != 0 {
        warnings.push(format!("the key {} is open to every user: chmod o-rwx it", key.display()));
    }
    warnings.extend(expiry(&pair, &certificate, now)?);
    Ok((pair, warnings))
}

/// A certificate with its chain, and the key that fits it.
fn certified(certificate: &Path, key: &Path) -> anyhow::Result<CertifiedKey> {
    let (shown, key_shown) = (certificate.display(), key.display());
    let pem = fs::read(certificate).with_context(|| format!("reading the certificate {shown}"))?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| anyhow!("the certificate {shown} is not in PEM: {error}"))?;
    ensure!(
        !chain.is_empty(),
        "there is no certificate in {shown}: it must begin with -----BEGIN CERTIFICATE-----"
    );
    let pem = fs::read(key).with_context(|| format!("reading the key {key_shown}"))?;
    let der = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|error| anyhow!("there is no private key without a password in {key_shown}: {error}"))?;
    CertifiedKey::from_der(chain, der, &default_provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            anyhow!("the key {key_shown} does not fit the certificate {shown}: it belongs to another one")
        }
        error => anyhow!("the key {key_shown} with the certificate {shown}: {error}"),
    })
}

/// Refuses a certificate outside its time, and warns before its end.
fn expiry(pair: &CertifiedKey, path: &Path, now: Timestamp) -> anyhow::Result<Option<String>> {
    let shown = path.display();
    let (start, end) = authority::validity(pair.end_entity_cert()?)
        .with_context(|| format!("reading the certificate {shown}"))?;
    ensure!(
        now >= start,
        "the certificate {shown} is valid from {start} only, and now is {now}: look at the clock of this machine"
    );
    ensure!(now <= end, "the certificate {shown} has expired at {end}: put a new one in its place");
    let soon = end.duration_since(now) < SignedDuration::from_hours(24 * WARN_DAYS);
    Ok(soon.then(|| format!("the certificate {shown} expires at {end}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    /// A folder with an authority, and a server that names its files as if they were from elsewhere.
    fn files() -> (tempfile::TempDir, Server) {
        let dir = tempfile::tempdir().unwrap();
        make(dir.path(), &[], now()).unwrap();
        let path = |name: &str| Some(dir.path().join(name));
        let (certificate, key) = (path("server.pem"), path("server.key"));
        (dir, Server { tls: Tls::Files, certificate, key, ..Server::default() })
    }

    fn warnings(server: &Server, now: Timestamp) -> Vec<String> {
        load(server, Path::new("/nowhere"), now).unwrap().unwrap().warnings
    }

    fn refused(server: &Server, now: Timestamp) -> String {
        format!("{:#}", load(server, Path::new("/nowhere"), now).err().unwrap())
    }

    #[test]
    fn a_fingerprint_is_what_openssl_says() {
        // Made by `openssl req -x509 -newkey ed25519`.
        let pem = "
-----BEGIN CERTIFICATE-----
MIIBNjCB6aADAgECAhRppM9mSUoemJnIgT4tLD0IpgzDEjAFBgMrZXAwETEPMA0G
A1UEAwwGc2FtcGxlMB4XDTI2MTEyMjA2MTYwNFoXDTM2MTExOTA2MTYwNFowETEP
MA0GA1UEAwwGc2FtcGxlMCowBQYDK2VwAyEASa/lR0AZGxDC81LGh1eTBemDklG6
0bMTiGi8NtbmhJOjUzBRMB0GA1UdDgQWBBSoDhrk8/B3cKSrAoELhV9+8wSwaDAf
BgNVHSMEGDAWgBSoDhrk8/B3cKSrAoELhV9+8wSwaDAPBgNVHRMBAf8EBTADAQH/
MAUGAytlcANBAPL1jpFNHViL9jUcCunEgjZdOs6ame/Bql0f9Ih/pnjjU0iTSD6J
qGpJhtNut9oYgpR48AAhm4pIkrD3tGc2NwU=
-----END CERTIFICATE-----";
        let openssl =
            "21:2b:8b:d5:b3:20:be:5d:93:8b:b5:84:fc:5c:25:4b:70:be:52:81:3b:b8:c6:41:27:15:4b:55:32:68:c4:a9";
        assert_eq!(fingerprint(pem).unwrap(), openssl);
        assert!(fingerprint("x").unwrap_err().to_string().starts_with("this is not a certificate"));
    }

    #[test]
    fn good_files_load_and_doubts_are_told() {
        let (dir, server) = files();
        assert_eq!(warnings(&server, now()), Vec::<String>::new());
        let loaded = load(&Server::default(), dir.path(), now()).unwrap().unwrap();
        assert_eq!(loaded.config.alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
        assert!(load(&Server { tls: Tls::Off, ..Server::default() }, dir.path(), now()).unwrap().is_none());

        fs::set_permissions(dir.path().join("server.key"), fs::Permissions::from_mode(0o644)).unwrap();
        let late = now() + SignedDuration::from_hours(24 * 390);
        let told = warnings(&server, late);
        assert!(told[0].contains("server.key is open to every user"), "{told:?}");
        assert!(told[1].contains("server.pem expires at 2027-12-21T00:00:00Z"), "{told:?}");
    }

    #[test]
    fn bad_files_are_refused_by_name() {
        let (dir, mut server) = files();
        let day = |days: i64| now() + SignedDuration::from_hours(24 * days);
        assert!(refused(&server, day(400)).contains("server.pem has expired at 2027-12-21T00:00:00Z"));
        assert!(refused(&server, day(-2)).contains("server.pem is valid from 2026-11-19T00:00:00Z only"));
        let path = |name: &str| Some(dir.path().join(name));
        server.key = path("ca.key");
        assert!(refused(&server, now()).contains("ca.key does not fit the certificate"));
        server.key = path("ca.pem");
        assert!(refused(&server, now()).contains("no private key without a password in"));
        server.key = path("none");
        assert!(refused(&server, now()).contains("reading the key"));
        server.certificate = path("server.key");
        assert!(refused(&server, now()).contains("there is no certificate in"));
    }

    #[test]
    fn a_new_certificate_takes_the_place_of_the_old_one() {
        let (dir, server) = files();
        let current = load(&server, dir.path(), now()).unwrap().unwrap().current;
        let shown = || current.0.read().unwrap().end_entity_cert().unwrap().to_vec();
        let first = shown();
        renew_if_due(dir.path(), &["siem.example".into()], now()).unwrap().unwrap();
        assert_eq!(shown(), first);
        current.reload(&server, dir.path(), now()).unwrap();
        let second = shown();
        assert_ne!(second, first);
        fs::write(dir.path().join("server.pem"), "x").unwrap();
        current.reload(&server, dir.path(), now()).unwrap_err();
        assert_eq!(shown(), second);
    }
}
