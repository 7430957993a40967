//! Who carries notices: the targets of the configuration with their addresses and secrets, ready to send.

use std::collections::BTreeMap;
use std::sync::Arc;

use garrison_base::Timestamp;
use lettre::message::Mailbox;
use ureq::Agent;
use ureq::tls::TlsConfig;

use crate::config::{BadNotices, Notices};
use crate::mail::{self, Relay};
use crate::model::{Channel, Notice};
use crate::store::Due;
use crate::webhook::{self, Receiver};

/// Carries notices to where the configuration says. Cheap to clone.
#[derive(Clone)]
pub struct Couriers(Arc<Inner>);

struct Inner {
    agent: Agent,
    receivers: BTreeMap<String, Receiver>,
    relay: Option<Relay>,
    people: BTreeMap<String, Vec<Mailbox>>,
}

impl Couriers {
    /// For a configuration; `tls` says whom webhooks trust. No connection is made yet.
    pub fn new(config: &Notices, tls: TlsConfig) -> Result<Self, BadNotices> {
        config.check()?;
        let mut receivers = BTreeMap::new();
        for webhook in &config.webhooks {
            let key = webhook.key().map_err(BadNotices)?;
            receivers.insert(webhook.name.clone(), Receiver { url: webhook.url.clone(), key });
        }
        let mut people = BTreeMap::new();
        for mail in &config.mails {
            people.insert(mail.name.clone(), mail::people(&mail.to)?);
        }
        let relay = config.smtp.as_ref().map(Relay::new).transpose()?;
        Ok(Self(Arc::new(Inner { agent: webhook::agent(tls), receivers, relay, people })))
    }

    /// Carries one notice; blocks, ten seconds and more. The error is told to people.
    pub(crate) fn carry(&self, due: &Due, now: Timestamp) -> Result<(), String> {
        let gone = || "no target of this name is configured".to_owned();
        let inner = &self.0;
        match due.channel {
            Channel::Webhook => {
                let receiver = inner.receivers.get(&due.target).ok_or_else(gone)?;
                receiver.send(&inner.agent, (due.id, now), &due.body)
            }
            Channel::Mail => {
                let to = inner.people.get(&due.target).ok_or_else(gone)?;
                let relay = inner.relay.as_ref().ok_or("no mail server is configured")?;
                let notice: Notice =
                    serde_json::from_str(&due.body).map_err(|_| "what is stored cannot be read")?;
                relay.send(to, (due.id, now), &notice)
            }
        }
    }
}
