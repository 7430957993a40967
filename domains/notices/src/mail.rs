//! Mails to people, by the server that the configuration names.

use std::time::{Duration, SystemTime};

use garrison_base::{DeliveryId, Timestamp, is_plain};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{SmtpTransport, Transport as _};

use crate::config::{BadNotices, Smtp, SmtpTls};
use crate::model::Notice;

/// For each step of the conversation.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a subject may be, in characters.
const SUBJECT: usize = 200;

/// The mail server.
pub(crate) struct Relay {
    transport: SmtpTransport,
    from: Mailbox,
}

/// The addresses of a target.
pub(crate) fn people(to: &[String]) -> Result<Vec<Mailbox>, BadNotices> {
    let address = |text: &String| text.parse().map_err(|_| BadNotices(format!("{text:?} is no address")));
    to.iter().map(address).collect()
}

impl Relay {
    /// Prepares connections; none is made yet. Whom TLS trusts the system says.
    pub(crate) fn new(config: &Smtp) -> Result<Self, BadNotices> {
        let bad = |what: &str| BadNotices(format!("notices.smtp: {what}"));
        let trusted = || {
            TlsParameters::new(config.host.clone()).map_err(|_| bad("TLS cannot be prepared for this host"))
        };
        let tls = match config.tls {
            SmtpTls::Off => Tls::None,
            SmtpTls::Starttls => Tls::Required(trusted()?),
            SmtpTls::Tls => Tls::Wrapper(trusted()?),
        };
        let mut builder = SmtpTransport::builder_dangerous(config.host.clone())
            .port(config.port)
            .tls(tls)
            .timeout(Some(PATIENCE));
        if let (Some(user), Some(password)) = (&config.user, &config.password) {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
        }
        let from = config.from.parse().map_err(|_| bad("from: that is no address"))?;
        Ok(Self { transport: builder.build(), from })
    }

    /// Sends a mail; blocks. The error is words without what the server said, which may quote anything.
    pub(crate) fn send(
        &self,
        to: &[Mailbox],
        (id, now): (DeliveryId, Timestamp),
        notice: &Notice,
    ) -> Result<(), String> {
        let message = self.message(to, (id, now), notice);
        let message = message.map_err(|_| "the mail could not be written".to_owned())?;
        self.transport.send(&message).map(|_| ()).map_err(|error| words(&error))
    }

    fn message(
        &self,
        to: &[Mailbox],
        (id, now): (DeliveryId, Timestamp),
        notice: &Notice,
    ) -> Result<Message, lettre::error::Error> {
        // A mail that is sent again has the same id. Nobody's holiday notice answers one that was made by itself.
        let own = format!("<{id}@{}>", self.from.email.domain());
        let by_itself = HeaderName::new_from_ascii_str("Auto-Submitted");
        let empty = Message::builder()
            .from(self.from.clone())
            .subject(subject(notice))
            .message_id(Some(own))
            .date(SystemTime::from(now))
            .raw_header(HeaderValue::new(by_itself, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN);
        to.iter().fold(empty, |mail, to| mail.to(to.clone())).body(text(notice))
    }
}

fn plain(text: &str) -> String {
    text.chars().map(|char| if is_plain(char) { char } else { '\u{fffd}' }).collect()
}

fn subject(notice: &Notice) -> String {
    let data = &notice.data;
    let subject = format!("[{}] {} ({} {})", data.level, data.title, data.entity_kind, data.entity);
    plain(&subject).chars().take(SUBJECT).collect()
}

fn text(notice: &Notice) -> String {
    let data = &notice.data;
    let lines = [
        ("Level", data.level.to_string()),
        ("About", format!("{} {}", data.entity_kind, data.entity)),
        ("Where", data.path.clone()),
        ("Rule", data.rule.clone()),
        ("First seen", data.first_seen.to_string()),
        ("Alert", data.alert.to_string()),
    ];
    let lines: Vec<String> =
        lines.into_iter().map(|(name, value)| format!("{name}: {}\n", plain(&value))).collect();
    format!("{}\n\n{}", plain(&data.title), lines.concat())
}

fn words(error: &smtp::Error) -> String {
    if let Some(code) = error.status() {
        return format!("the mail server answered {code}");
    }
    if error.is_timeout() {
        return format!("the mail server did not answer within {} seconds", PATIENCE.as_secs());
    }
    let words = if error.is_tls() {
        "no TLS connection to the mail server could be made; is its certificate trusted here?"
    } else if error.is_response() {
        "the mail server does not speak SMTP"
    } else if error.is_client() {
        "the mail server does not offer what is needed, such as STARTTLS or a way to log in"
    } else {
        "there is no connection to the mail server"
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use garrison_facts::{AlertLevel, EntityKind};

    use super::*;
    use crate::model::NoticeData;

    fn notice() -> Notice {
        Notice {
            kind: "alert.raised".into(),
            timestamp: Timestamp::UNIX_EPOCH,
            data: NoticeData {
                alert: "alr_7ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse().unwrap(),
                rule: "rule-1".into(),
                title: "Something happened".into(),
                level: AlertLevel::High,
                node: "node_7ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse().unwrap(),
                path: "acme/shop".into(),
                entity_kind: EntityKind::User,
                entity: "eve\r\nBcc: all@example.org".into(),
                first_seen: Timestamp::UNIX_EPOCH,
            },
        }
    }

    #[test]
    fn a_name_that_a_stranger_chose_adds_no_header() {
        let smtp = Smtp {
            host: "localhost".into(),
            port: 25,
            from: "Garrison <garrison@example.org>".into(),
            tls: SmtpTls::Off,
            user: None,
            password: None,
            password_file: None,
        };
        let relay = Relay::new(&smtp).unwrap();
        let to = people(&["Ann <ann@example.org>".into()]).unwrap();
        let id = "dlv_7ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse().unwrap();
        let message = relay.message(&to, (id, Timestamp::UNIX_EPOCH), &notice()).unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        let (headers, _) = text.split_once("\r\n\r\n").unwrap();
        assert!(!headers.lines().any(|line| line.to_lowercase().starts_with("bcc")), "{headers}");
        assert!(
            headers.contains("Message-ID: <dlv_7ZZZ") && headers.contains("Auto-Submitted: auto-generated")
        );
        assert!(!subject(&notice()).contains('\n'));
        assert!(super::text(&notice()).contains("Where: acme/shop\n"));
    }
}
