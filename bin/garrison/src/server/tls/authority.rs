//! A certificate authority of our own: for a server that has no certificate from elsewhere.
//!
//! The folder holds `ca.pem`, which clients are told to trust, `ca.key`, `server.pem` and `server.key`.
//! Every file is replaced as a whole (written beside, synced, renamed), so that a crash leaves the old one
//! or the new one. A crash between a certificate and its key leaves two that do not fit;
//! [`renew_if_due`] sees that and issues both again.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use anyhow::{Context as _, anyhow, bail, ensure};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, ToSpan as _};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData as _, date_time_ymd,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, DnsName};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;

use super::certified;

/// The certificate of the server.
pub const CERTIFICATE: &str = "server.pem";

/// The key of the server.
pub const KEY: &str = "server.key";

/// The certificate of the authority.
pub const CA_CERTIFICATE: &str = "ca.pem";

const CA_KEY: &str = "ca.key";

const CA_YEARS: i16 = 10;

/// Browsers refuse certificates of public authorities beyond 398 days; ours keep to it as well.
const DAYS: i32 = 397;

/// A certificate is issued again when it has fewer days left.
const RENEW_DAYS: i64 = 30;

/// Makes an authority in `dir` and a certificate of the server for `localhost`, `127.0.0.1`, `::1`, the
/// name of this machine, and `names`. Keys are readable by their owner only.
///
/// # Errors
/// An authority that is already there, a name that is none, a folder that cannot be written.
pub fn make(dir: &Path, names: &[String], now: Timestamp) -> anyhow::Result<()> {
    ensure!(
        !dir.join(CA_CERTIFICATE).exists(),
        "{} already holds a certificate authority: whoever trusts it would not trust a new one",
        dir.display()
    );
    let names = all_names(names)?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("making the folder {}", dir.display()))?;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).context("making the key of the authority")?;
    let secret = key.serialize_pem();
    let authority =
        CertifiedIssuer::self_signed(authority(&key, now)?, key).context("signing the authority")?;
    replace(dir, CA_KEY, &secret, 0o600)?;
    issue(dir, &authority, &names, now)?;
    // Last, because it is what says that the folder is complete.
    replace(dir, CA_CERTIFICATE, &authority.pem(), 0o644)
}

/// Issues the certificate of the server again where it has fewer than 30 days left, is for other names, or
/// cannot be used. Returns the reason, `None` where nothing was done.
///
/// # Errors
/// An authority that cannot be read or has expired; the key of the authority is only read when it is needed.
pub fn renew_if_due(dir: &Path, names: &[String], now: Timestamp) -> anyhow::Result<Option<String>> {
    let names = all_names(names)?;
    let pem = read(dir, CA_CERTIFICATE)?;
    let ca = CertificateDer::from_pem_slice(pem.as_bytes())
        .map_err(|error| anyhow!("{}: {error}", dir.join(CA_CERTIFICATE).display()))?;
    let Some(reason) = due(dir, &ca, &names, now) else { return Ok(None) };
    let (start, end) = validity(&ca)?;
    ensure!(
        start <= now && now < end,
        "the authority {} is valid from {start} to {end}, and now is {now}: look at the clock, or move the \
         files of the authority away and make a new one",
        dir.join(CA_CERTIFICATE).display()
    );
    let key = KeyPair::from_pem(&read(dir, CA_KEY)?)
        .with_context(|| format!("reading the key {}", dir.join(CA_KEY).display()))?;
    ensure!(
        parsed(&ca)?.public_key().subject_public_key.data.as_ref() == key.der_bytes(),
        "the key {} does not fit the authority beside it",
        dir.join(CA_KEY).display()
    );
    let issuer = Issuer::from_ca_cert_der(&ca, key).context("reading the authority")?;
    issue(dir, &issuer, &names, now)?;
    Ok(Some(reason))
}

/// From when to when a certificate is valid.
pub fn validity(certificate: &CertificateDer<'_>) -> anyhow::Result<(Timestamp, Timestamp)> {
    let certificate = parsed(certificate)?;
    let validity = certificate.validity();
    let time = |time: &x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp());
    Ok((time(&validity.not_before)?, time(&validity.not_after)?))
}

/// The names and addresses that a certificate is good for, sorted, and when it ends.
pub fn good_for(certificate: &CertificateDer<'_>) -> anyhow::Result<(Vec<String>, Timestamp)> {
    let (_, until) = validity(certificate)?;
    Ok((names_of(&parsed(certificate)?), until))
}

/// Why the certificate of the server must be issued again.
fn due(dir: &Path, ca: &CertificateDer<'_>, names: &[String], now: Timestamp) -> Option<String> {
    let pair = match certified(&dir.join(CERTIFICATE), &dir.join(KEY)) {
        Ok(pair) => pair,
        Err(error) => return Some(format!("{error:#}")),
    };
    let certificate = pair.end_entity_cert().ok()?;
    let (Ok(ours), Ok(ca), Ok((start, end))) = (parsed(certificate), parsed(ca), validity(certificate))
    else {
        return Some("it cannot be read".to_owned());
    };
    let left = end.duration_since(now);
    if ours.issuer().as_raw() != ca.subject().as_raw() {
        Some("it is from another authority".to_owned())
    } else if now < start {
        Some(format!("it is valid from {start} only"))
    } else if left < SignedDuration::from_hours(24 * RENEW_DAYS) {
        Some(format!("it ends at {end}"))
    } else {
        let was = names_of(&ours);
        (was != names).then(|| format!("it is for {}, not for {}", was.join(", "), names.join(", ")))
    }
}

fn authority(key: &KeyPair, now: Timestamp) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::default();
    let day = valid(&mut params, now, CA_YEARS.years())?;
    // Some clients find the issuer by its name alone, so that no two of ours may have the same.
    let mark: String = params.key_identifier(key).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    params.distinguished_name.push(DnType::CommonName, format!("Garrison CA {day} {mark}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn issue(dir: &Path, issuer: &Issuer<'_, KeyPair>, names: &[String], now: Timestamp) -> anyhow::Result<()> {
    // A new key each time: the serial number is its digest, and no number may come twice.
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).context("making the key of the server")?;
    let mut params = CertificateParams::new(names).context("naming the server")?;
    valid(&mut params, now, DAYS.days())?;
    params.distinguished_name.push(DnType::CommonName, "Garrison server");
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, issuer).context("signing the certificate of the server")?;
    replace(dir, KEY, &key.serialize_pem(), 0o600)?;
    replace(dir, CERTIFICATE, &certificate.pem(), 0o644)
}

/// Valid for so long from the day before, because the clocks of clients may be behind. Returns that day.
fn valid(params: &mut CertificateParams, now: Timestamp, long: Span) -> anyhow::Result<Date> {
    let start = now.to_zoned(TimeZone::UTC).date().yesterday()?;
    let end = start.checked_add(long)?;
    let midnight = |date: Date| {
        date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    (params.not_before, params.not_after) = (midnight(start), midnight(end));
    Ok(start)
}

/// What the certificate is for, sorted: this machine's own names, and those given.
fn all_names(names: &[String]) -> anyhow::Result<Vec<String>> {
    let is_name = |name: &str| DnsName::try_from(name.strip_prefix("*.").unwrap_or(name)).is_ok();
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    // A machine may be called what no client could call it.
    let host = Some(host.trim().to_owned()).filter(|host| is_name(host));
    let own = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut all = Vec::new();
    for name in own.into_iter().chain(host).chain(names.iter().cloned()) {
        match name.parse::<IpAddr>() {
            Ok(address) => all.push(address.to_string()),
            Err(_) if is_name(&name) => all.push(name.to_lowercase()),
            Err(_) => bail!("{name:?} is neither a DNS name nor an address"),
        }
    }
    all.sort();
    all.dedup();
    Ok(all)
}

fn names_of(certificate: &X509Certificate<'_>) -> Vec<String> {
    let extension = certificate.subject_alternative_name().ok().flatten();
    let names = extension.into_iter().flat_map(|extension| &extension.value.general_names);
    let mut names: Vec<String> = names
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => match <[u8; 4]>::try_from(*bytes) {
                Ok(four) => Some(IpAddr::from(four).to_string()),
                Err(_) => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
            },
            _ => None,
        })
        .collect();
    names.sort();
    names
}

fn parsed<'a>(certificate: &'a CertificateDer<'_>) -> anyhow::Result<X509Certificate<'a>> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate)
        .map_err(|error| anyhow!("this is not an X.509 certificate: {error}"))?;
    Ok(certificate)
}

fn read(dir: &Path, name: &str) -> anyhow::Result<String> {
    let path = dir.join(name);
    fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
}

/// The file as a whole, or as it was.
fn replace(dir: &Path, name: &str, text: &str, mode: u32) -> anyhow::Result<()> {
    let (path, beside) = (dir.join(name), dir.join(format!("{name}.new")));
    let write = || {
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // `create_new`: nobody else may have opened it, or laid a link in its place.
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, &path)?;
        File::open(dir)?.sync_all()
    };
    write().with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn made() -> (tempfile::TempDir, Timestamp) {
        let (dir, now) = (tempfile::tempdir().unwrap(), at("2026-11-20T12:00:00Z"));
        make(&dir.path().join("tls"), &["SIEM.example".into()], now).unwrap();
        (dir, now)
    }

    fn certificate(dir: &Path, name: &str) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(dir.join(name)).unwrap()
    }

    #[test]
    fn keys_are_for_their_owner_and_certificates_say_what_they_are_for() {
        let (dir, now) = made();
        let dir = dir.path().join("tls");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&dir), 0o700);
        assert_eq!(mode(&dir.join(CA_KEY)), 0o600);
        assert_eq!(mode(&dir.join(KEY)), 0o600);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 4);

        let (ca, server) = (certificate(&dir, CA_CERTIFICATE), certificate(&dir, CERTIFICATE));
        assert_eq!(validity(&ca).unwrap(), (at("2026-11-19T00:00:00Z"), at("2036-11-19T00:00:00Z")));
        let (start, end) = validity(&server).unwrap();
        assert_eq!(end.duration_since(start), SignedDuration::from_hours(24 * 397));
        let (ca, server) = (parsed(&ca).unwrap(), parsed(&server).unwrap());
        let limits = ca.basic_constraints().unwrap().unwrap();
        assert!(limits.critical && limits.value.ca && limits.value.path_len_constraint == Some(0));
        assert!(!server.basic_constraints().unwrap().unwrap().value.ca);
        let names = names_of(&server);
        for name in ["localhost", "127.0.0.1", "::1", "siem.example"] {
            assert!(names.iter().any(|found| found == name), "{name} is not in {names:?}");
        }
        let again = make(&dir, &[], now).unwrap_err().to_string();
        assert!(again.contains("already holds a certificate authority"), "{again}");
    }

    #[test]
    fn a_certificate_is_issued_again_when_it_is_due() {
        let (dir, now) = made();
        let dir = dir.path().join("tls");
        let names = ["siem.example".to_owned()];
        let days = |days: i64| now + SignedDuration::from_hours(24 * days);
        let renew = |names: &[String], now| renew_if_due(&dir, names, now).unwrap();
        let serial = || parsed(&certificate(&dir, CERTIFICATE)).unwrap().raw_serial_as_string();
        let (first, ca) = (serial(), fs::read(dir.join(CA_CERTIFICATE)).unwrap());
        assert_eq!(renew(&names, now), None);
        assert_eq!(renew(&names, days(365)), None);
        assert_eq!(serial(), first);
        assert_eq!(renew(&names, days(366)).unwrap(), "it ends at 2027-12-21T00:00:00Z");
        assert_ne!(serial(), first);
        assert_eq!(renew(&names, days(366)), None);
        assert!(renew(&[], days(366)).unwrap().contains("not for"));
        assert_eq!(renew(&[], days(300)).unwrap(), "it is valid from 2027-11-20T00:00:00Z only");
        assert_eq!(fs::read(dir.join(CA_CERTIFICATE)).unwrap(), ca);
    }

    #[test]
    fn what_cannot_be_used_is_issued_again() {
        let (dir, now) = made();
        let dir = dir.path().join("tls");
        let (other, _) = made();
        let other = other.path().join("tls");
        let copy = |name: &str| fs::copy(other.join(name), dir.join(name)).unwrap();
        let renew = || renew_if_due(&dir, &["siem.example".into()], now).unwrap();
        copy(KEY);
        assert!(renew().unwrap().contains("does not fit"));
        fs::write(dir.join(CERTIFICATE), "x").unwrap();
        assert!(renew().unwrap().contains("there is no certificate in"));
        copy(CERTIFICATE);
        copy(KEY);
        assert_eq!(renew().unwrap(), "it is from another authority");
        assert_eq!(renew(), None);
    }

    #[test]
    fn an_authority_that_cannot_sign_is_refused() {
        let (dir, now) = made();
        let dir = dir.path().join("tls");
        let late = now + SignedDuration::from_hours(24 * 3660);
        let renew = |now| format!("{:#}", renew_if_due(&dir, &[], now).unwrap_err());
        assert!(renew(late).contains("is valid from 2026-11-19T00:00:00Z to 2036-11-19T00:00:00Z"));
        fs::copy(dir.join(KEY), dir.join(CA_KEY)).unwrap();
        assert!(renew(now).ends_with("ca.key does not fit the authority beside it"));
        fs::remove_file(dir.join(CA_KEY)).unwrap();
        assert!(renew(now).contains("ca.key: No such file"));
        let wrong = make(&dir.join("new"), &["a b".into()], now).unwrap_err().to_string();
        assert_eq!(wrong, "\"a b\" is neither a DNS name nor an address");
    }
}
