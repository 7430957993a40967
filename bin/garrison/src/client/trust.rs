//! Which authority a server's certificate must come from, when one logs in for the first time.

use std::path::Path;

use anyhow::Context as _;
use garrison_base::Exit;

use crate::client::address::Address;
use crate::client::failure::Failure;
use crate::client::prompt::Prompt;
use crate::client::wire::{Trust, Wire, is_untrusted};
use crate::say;
use crate::server::tls::fingerprint;

const END: &str = "-----END CERTIFICATE-----";

/// What is known and wanted before the first connection.
pub struct Before<'a> {
    /// The file that the command line names.
    pub file: Option<&'a Path>,
    /// The fingerprint that the command line names.
    pub trust: Option<&'a str>,
    /// The authority that was trusted before, in PEM.
    pub known: Option<String>,
}

/// The authority to verify the server with, in PEM; `None` for those of the system.
///
/// # Errors
/// The authority is not the one that was named, or nobody could be asked.
pub fn decide(address: &Address, before: Before<'_>, prompt: &Prompt) -> anyhow::Result<Option<String>> {
    if let Some(file) = before.file {
        let pem = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        fingerprint(&pem).with_context(|| format!("reading {}", file.display()))?;
        return Ok(Some(pem));
    }
    if !address.is_encrypted() {
        return Ok(None);
    }
    if let Some(wanted) = before.trust {
        let pem = offered(address)?;
        compare(&fingerprint(&pem)?, wanted)?;
        return Ok(Some(pem));
    }
    let trust = before.known.as_deref().map_or(Trust::System, Trust::Only);
    match Wire::new(address.clone(), &trust, None)?.text("/healthz") {
        Ok(_) => Ok(before.known),
        Err(error) if is_untrusted(&error) && before.known.is_some() => {
            let words = format!(
                "the certificate of {} comes from another authority than before: somebody may be in between; \
                 if the server was made anew, give --trust or --ca",
                address.as_str()
            );
            Err(Failure::new(Exit::Denied, words).into())
        }
        Err(error) if is_untrusted(&error) => ask(address, prompt).map(Some),
        Err(error) => Err(Failure::unanswered(&error, address.as_str()).into()),
    }
}

fn ask(address: &Address, prompt: &Prompt) -> anyhow::Result<String> {
    let pem = offered(address)?;
    let shown = fingerprint(&pem)?;
    say!("{} has a certificate of its own authority, which this machine does not know.", address.as_str());
    say!("SHA-256 of the authority: {shown}");
    if !prompt.is_terminal() {
        let words = format!(
            "compare it with what `garrison init` told on the server, and give --trust sha256:{shown}"
        );
        return Err(Failure::usage(words).into());
    }
    say!("Compare it with what `garrison init` told on the server.");
    if prompt.confirm("Are the two the same?")? {
        Ok(pem)
    } else {
        Err(Failure::new(Exit::Denied, "the authority was not trusted; nothing was sent").into())
    }
}

/// The authority that whoever answers there calls theirs.
fn offered(address: &Address) -> anyhow::Result<String> {
    let wire = Wire::new(address.clone(), &Trust::Nobody, None)?;
    let pem = wire.text("/ca.pem").map_err(|error| Failure::unanswered(&error, address.as_str()))?;
    let pem = pem.with_context(|| {
        format!("{} has no authority of its own: give that of its certificate with --ca", address.as_str())
    })?;
    first(&pem)
}

/// The first certificate alone: its fingerprint says nothing about others that follow.
fn first(pem: &str) -> anyhow::Result<String> {
    let (one, _) = pem.split_once(END).context("what the server calls its authority is no certificate")?;
    let one = format!("{one}{END}\n");
    fingerprint(&one)?;
    Ok(one)
}

/// Whether a fingerprint is the one that was written, with or without `sha256:`, colons and capitals.
fn compare(shown: &str, wanted: &str) -> Result<(), Failure> {
    let digits = |text: &str| {
        let lower = text.trim().to_lowercase();
        let bare = ["sha256:", "sha-256:"].iter().find_map(|prefix| lower.strip_prefix(prefix));
        bare.unwrap_or(&lower).chars().filter(|char| *char != ':').collect::<String>()
    };
    let wanted = digits(wanted);
    if wanted.len() != 64 || !wanted.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Failure::usage("--trust: write sha256: and 64 hexadecimal digits"));
    }
    if digits(shown) == wanted {
        return Ok(());
    }
    let words = format!(
        "the server's authority has another fingerprint, {shown}: it was not trusted, and nothing sent"
    );
    Err(Failure::new(Exit::Denied, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_compared_by_their_digits() {
        let shown = vec!["ab"; 32].join(":");
        let bare = "AB".repeat(32);
        for same in [&shown, &format!("sha256:{shown}"), &format!("SHA256:{bare}"), &bare] {
            assert!(compare(&shown, same).is_ok(), "{same}");
        }
        let other = format!("sha256:{}ac", "ab".repeat(31));
        assert_eq!(compare(&shown, &other).unwrap_err().exit, Exit::Denied);
        for bad in ["", "sha256:", "sha256:abab", &"xy".repeat(32)] {
            assert_eq!(compare(&shown, bad).unwrap_err().exit, Exit::Usage, "{bad}");
        }
    }

    #[test]
    fn only_the_certificate_of_the_fingerprint_is_kept() {
        let make = || {
            let key = rcgen::KeyPair::generate().unwrap();
            rcgen::CertificateParams::new(vec!["x".to_owned()]).unwrap().self_signed(&key).unwrap().pem()
        };
        let (good, bad) = (make(), make());
        let kept = first(&format!("{good}{bad}")).unwrap();
        assert_eq!(fingerprint(&kept).unwrap(), fingerprint(&good).unwrap());
        assert_eq!(kept.matches("BEGIN").count(), 1);
        assert!(first("x").is_err());
    }
}
