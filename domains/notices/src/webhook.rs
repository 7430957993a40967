//! Signed HTTP requests, as Standard Webhooks says (<https://www.standardwebhooks.com>, version 1): the receiver
//! knows the sender by an HMAC-SHA-256 over id, time and body, and a repeated request by its id.

use std::io;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use garrison_base::{DeliveryId, Timestamp};
use ureq::Agent;
use ureq::tls::TlsConfig;
use zeroize::Zeroizing;

use crate::config::Secret;

/// For the whole request.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of an answer is read; nothing of it is kept.
const ANSWER_BYTES: u64 = 64 << 10;
const UNPROTECTED: &str = "no TLS connection could be made; is the receiver's certificate trusted here?";

/// What requests are signed with.
pub(crate) struct Key(hmac::Key);

impl Key {
    /// From `whsec_` and 24 to 64 bytes in Base64; the prefix may be missing.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.strip_prefix("whsec_").unwrap_or(text);
        let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
        (24..=64).contains(&bytes.len()).then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    fn sign(&self, id: &str, seconds: i64, body: &str) -> String {
        let signed = hmac::sign(&self.0, format!("{id}.{seconds}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(signed.as_ref()))
    }
}

/// A program that is told.
pub(crate) struct Receiver {
    pub(crate) url: Secret,
    pub(crate) key: Key,
}

/// Makes connections as `tls` says. No redirects: the configuration names where secrets go, not the other side. No
/// proxy: none is configured, and the environment is not asked.
pub(crate) fn agent(tls: TlsConfig) -> Agent {
    Agent::config_builder()
        .tls_config(tls)
        .user_agent(concat!("garrison/", env!("CARGO_PKG_VERSION")))
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .build()
        .new_agent()
}

impl Receiver {
    /// Sends a body; blocks. The error is words without the address, which may be a secret.
    pub(crate) fn send(
        &self,
        agent: &Agent,
        (id, now): (DeliveryId, Timestamp),
        body: &str,
    ) -> Result<(), String> {
        let (id, seconds) = (id.to_string(), now.as_second());
        let answer = agent
            .post(self.url.expose())
            .header("content-type", "application/json")
            .header("webhook-id", id.as_str())
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", self.key.sign(&id, seconds, body))
            .send(body);
        let mut answer = answer.map_err(|error| words(&error))?;
        let status = answer.status().as_u16();
        // Read to the end, so that the connection can be used again; what it says is of no interest.
        let _ = answer.body_mut().with_config().limit(ANSWER_BYTES).read_to_vec();
        if (200..300).contains(&status) { Ok(()) } else { Err(format!("the receiver answered {status}")) }
    }
}

/// Why it could not be sent: the kind of the error only, for its text may quote the address.
fn words(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => format!("no answer within {} seconds", PATIENCE.as_secs()),
        ureq::Error::HostNotFound => "the name of the receiver's host is not known".into(),
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => UNPROTECTED.into(),
        ureq::Error::Io(error) => format!("the connection failed: {}", error.kind()),
        ureq::Error::ConnectionFailed => "no connection could be made".into(),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::TlsRequired => UNPROTECTED.into(),
        ureq::Error::Protocol(_) => "the receiver does not speak HTTP".into(),
        _ => "the request could not be sent".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_specification() {
        let key = Key::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_key_has_24_to_64_bytes() {
        for (bytes, right) in [(23, false), (24, true), (64, true), (65, false)] {
            assert_eq!(Key::read(&STANDARD.encode(vec![7; bytes])).is_some(), right, "{bytes}");
        }
        assert!(Key::read("whsec_not base64").is_none());
    }

    #[test]
    fn an_error_does_not_quote_the_address() {
        let error = ureq::Error::BadUri("https://chat.example/hunter2".into());
        assert!(!words(&error).contains("hunter2"));
    }
}
