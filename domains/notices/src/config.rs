//! Where notices go: the section `notices` of the configuration.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use garrison_base::PathName;
use garrison_facts::AlertLevel;
use lettre::message::Mailbox;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use ureq::http::Uri;

use crate::model::{Channel, Target};
use crate::webhook::Key;

/// How many targets there may be of each kind.
const TARGETS: usize = 50;
/// How many people one mail goes to.
const PEOPLE: usize = 50;

/// Who is told of new alerts.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Notices {
    /// Programs that are told by a signed HTTP request (Standard Webhooks): `name`, `url`, and `secret`, or
    /// `secret_file` with the path of a file that holds it; perhaps `min_level` and `node`
    pub webhooks: Vec<Webhook>,
    /// People who are told by mail
    pub mails: Vec<Mail>,
    /// The server that takes the mails. Better than a `password` in this file: `password_file` with the path of
    /// a file that holds it
    pub smtp: Option<Smtp>,
}

/// A program that is told by a signed HTTP request.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// A name of its own; deliveries show it
    pub name: String,
    /// Where the request goes; https, or http on this machine. It is kept secret, as it may hold a token
    pub url: Secret,
    /// What requests are signed with: `whsec_` and 24 to 64 bytes in Base64
    pub secret: Option<Secret>,
    /// A file that holds the secret, in its place
    #[schemars(extend("format" = "path"))]
    pub secret_file: Option<PathBuf>,
    /// Nothing less severe is told: informational, low, medium, high or critical
    #[serde(default = "usual_level")]
    #[schemars(with = "String")]
    pub min_level: AlertLevel,
    /// Only what is at this node and below is told: a path such as acme/shop, or an id
    pub node: Option<String>,
}

/// People who are told by mail.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// A name of its own; deliveries show it
    pub name: String,
    /// The addresses
    pub to: Vec<String>,
    /// Nothing less severe is told: informational, low, medium, high or critical
    #[serde(default = "usual_level")]
    #[schemars(with = "String")]
    pub min_level: AlertLevel,
    /// Only what is at this node and below is told: a path such as acme/shop, or an id
    pub node: Option<String>,
}

fn usual_level() -> AlertLevel {
    AlertLevel::High
}

/// The server that takes the mails.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// Its name or address
    pub host: String,
    /// Its port; usually 587 with `starttls`, 465 with `tls`, 25 without
    pub port: u16,
    /// Who the mails come from, such as "Garrison <garrison@example.org>"
    pub from: String,
    /// How the connection is protected: starttls, tls, or off
    #[serde(default)]
    pub tls: SmtpTls,
    /// The account there, if it wants one
    pub user: Option<String>,
    /// The password of the account
    pub password: Option<Secret>,
    /// A file that holds the password, in its place
    #[schemars(extend("format" = "path"))]
    pub password_file: Option<PathBuf>,
}

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SmtpTls {
    /// Not at all
    Off,
    /// It begins in the clear and must change to TLS before anything is said
    #[default]
    Starttls,
    /// TLS from the first byte
    Tls,
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

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(Self::SHOWN)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(Self::SHOWN)
    }
}

/// What cannot work: the key and the reason, never a secret.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadNotices(pub(crate) String);

impl Notices {
    /// The targets, without addresses and secrets.
    pub(crate) fn targets(&self) -> Vec<Target> {
        let webhooks = self.webhooks.iter().map(|webhook| Target {
            channel: Channel::Webhook,
            name: webhook.name.clone(),
            min_level: webhook.min_level,
            node: webhook.node.clone(),
        });
        let mails = self.mails.iter().map(|mail| Target {
            channel: Channel::Mail,
            name: mail.name.clone(),
            min_level: mail.min_level,
            node: mail.node.clone(),
        });
        webhooks.chain(mails).collect()
    }

    /// Takes the secrets that stand in files of their own. Once, when the configuration is read.
    pub fn read_secrets(&mut self) -> Result<(), BadNotices> {
        for webhook in &mut self.webhooks {
            let key = format!("notices.webhooks `{}`: secret", webhook.name);
            from_file(&key, &mut webhook.secret, webhook.secret_file.as_deref())?;
        }
        let Some(smtp) = &mut self.smtp else { return Ok(()) };
        from_file("notices.smtp: password", &mut smtp.password, smtp.password_file.as_deref())
    }

    /// Refuses what cannot work.
    pub fn check(&self) -> Result<(), BadNotices> {
        self.checked().map_err(BadNotices)
    }

    fn checked(&self) -> Result<(), String> {
        if self.webhooks.len() > TARGETS || self.mails.len() > TARGETS {
            return Err(format!("notices: at most {TARGETS} webhooks and {TARGETS} mails"));
        }
        let mut names = BTreeSet::new();
        for target in self.targets() {
            let key = format!("notices.{}s `{}`", target.channel, target.name);
            target.name.parse::<PathName>().map_err(|bad| format!("{key}: name: {bad}"))?;
            if !names.insert((target.channel, target.name)) {
                return Err(format!("{key}: the name is there twice"));
            }
        }
        self.webhooks.iter().try_for_each(Webhook::check)?;
        self.mails.iter().try_for_each(Mail::check)?;
        match &self.smtp {
            Some(smtp) => smtp.check(),
            None if self.mails.is_empty() => Ok(()),
            None => Err("notices.mails: `notices.smtp` must say which server takes the mails".into()),
        }
    }
}

impl Webhook {
    fn check(&self) -> Result<(), String> {
        let key = format!("notices.webhooks `{}`", self.name);
        let wrong = || format!("{key}: url: write https://, a host, and nothing like user:password@");
        let url: Uri = self.url.expose().parse().map_err(|_| wrong())?;
        let (Some(scheme), Some(authority)) = (url.scheme_str(), url.authority()) else {
            return Err(wrong());
        };
        if authority.as_str().contains('@') || !matches!(scheme, "http" | "https") {
            return Err(wrong());
        }
        if scheme == "http" && !is_here(authority.host()) {
            return Err(format!("{key}: url: what is told would travel in the clear; write https://"));
        }
        self.key().map(|_| ())
    }

    /// What its requests are signed with.
    pub(crate) fn key(&self) -> Result<Key, String> {
        let key = format!("notices.webhooks `{}`", self.name);
        let secret = self.secret.as_ref().ok_or_else(|| format!("{key}: write `secret` or `secret_file`"))?;
        Key::read(secret.expose()).ok_or_else(|| {
            format!("{key}: secret: write `whsec_` and 24 to 64 random bytes in Base64; `openssl rand -base64 32` makes some")
        })
    }
}

impl Mail {
    fn check(&self) -> Result<(), String> {
        let key = format!("notices.mails `{}`", self.name);
        if self.to.is_empty() || self.to.len() > PEOPLE {
            return Err(format!("{key}: to: 1 to {PEOPLE} addresses"));
        }
        let bad = self.to.iter().find(|to| to.parse::<Mailbox>().is_err());
        bad.map_or(Ok(()), |bad| Err(format!("{key}: to: {bad:?} is no address")))
    }
}

impl Smtp {
    fn check(&self) -> Result<(), String> {
        if self.host.trim().is_empty() {
            return Err("notices.smtp: host: the name of the mail server is missing".into());
        }
        if self.from.parse::<Mailbox>().is_err() {
            return Err(format!("notices.smtp: from: {:?} is no address", self.from));
        }
        if self.user.is_some() != self.password.is_some() {
            return Err("notices.smtp: `user` and `password` belong together".into());
        }
        if self.password.is_some() && self.tls == SmtpTls::Off && !is_here(&self.host) {
            return Err(
                "notices.smtp: tls: the password would travel in the clear; write starttls or tls".into()
            );
        }
        Ok(())
    }
}

/// Takes a secret from the file that is named in its place.
fn from_file(key: &str, secret: &mut Option<Secret>, file: Option<&Path>) -> Result<(), BadNotices> {
    let Some(file) = file else { return Ok(()) };
    let bad = |words: String| BadNotices(format!("{key}: {words}"));
    let shown = file.display();
    if secret.is_some() {
        return Err(bad(format!("it is there, and the file {shown} is named too; only one can count")));
    }
    let text = fs::read_to_string(file).map_err(|error| bad(format!("reading the file {shown}: {error}")))?;
    *secret = Some(Secret::new(text.trim()));
    Ok(())
}

/// Whether a host is this machine.
fn is_here(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        [[webhooks]]
        name = "chat"
        url = "https://chat.example/hooks/hunter2"
        secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        min_level = "medium"
        node = "acme/shop"
        [[mails]]
        name = "soc"
        to = ["Ann <ann@example.org>", "bob@example.org"]
        [smtp]
        host = "mail.example"
        port = 587
        from = "Garrison <garrison@example.org>"
        user = "garrison"
        password = "hunter3"
    "#;

    fn read(text: &str) -> Notices {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn what_is_right_is_taken_and_no_secret_is_printed() {
        let notices = read(GOOD);
        notices.check().unwrap();
        assert_eq!(notices.targets().len(), 2);
        assert_eq!(notices.mails[0].min_level, AlertLevel::High);
        for text in [format!("{notices:?}"), serde_json::to_string(&notices).unwrap()] {
            assert!(!text.contains("hunter") && !text.contains("MfKQ9"), "{text}");
        }
        Notices::default().check().unwrap();
    }

    #[test]
    fn what_cannot_work_is_refused_without_the_secret() {
        let wrong = [
            ("https://chat.example", "http://chat.example", "in the clear"),
            ("https://chat.example", "https://u:p@chat.example", "user:password@"),
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_hunter2", "24 to 64"),
            ("bob@example.org", "bob", "is no address"),
            ("garrison@example.org", "garrison", "is no address"),
            ("user = \"garrison\"", "", "belong together"),
            ("port = 587", "port = 25\n        tls = \"off\"", "in the clear"),
            ("name = \"chat\"", "name = \"a/b\"", "name"),
        ];
        for (right, wrong, words) in wrong {
            assert!(GOOD.contains(right), "{right}");
            let why = read(&GOOD.replace(right, wrong)).check().unwrap_err().to_string();
            assert!(why.contains(words) && !why.contains("hunter"), "{why}");
        }
        let without = Notices { smtp: None, ..read(GOOD) };
        assert!(without.check().unwrap_err().to_string().contains("notices.smtp"));
        let twice = read(GOOD).webhooks;
        let twice = Notices { webhooks: [twice.clone(), twice].concat(), ..read(GOOD) };
        assert!(twice.check().unwrap_err().to_string().contains("twice"));
        assert!(toml::from_str::<Notices>("webhook = []").is_err());
    }
}
