//! From bytes to events: recognises and decodes log formats, event by event.
//!
//! [`Framer`] cuts a stream into events, [`Decoder`] tells what each one says. The format is recognised
//! for each event by itself, so a file may mix formats; what nothing here understands stays as it is and
//! is told as [`Kind::Text`]. Nothing does I/O, and everything a stranger can make long, deep or many is
//! bounded by [`garrison_base::limits`].

mod access;
mod auditd;
pub mod evtx;
mod framing;
mod json;
mod pairs;
mod programs;
mod record;
mod syslog;
mod template;
pub mod time;
mod windows;
mod xml;

use std::borrow::Cow;

use garrison_base::Fields;

pub use framing::{Frame, Framer};
pub use json::flatten;
pub use record::{Column, Format, Kind, Record, column};

/// Decodes events. Keeps what must be joined: the lines of auditd events.
#[derive(Debug, Default)]
pub struct Decoder {
    audit: auditd::Assembler,
    verbatim: bool,
}

impl Decoder {
    /// A decoder that leaves the names of JSON fields as they are.
    pub fn verbatim() -> Self {
        Self { verbatim: true, ..Self::default() }
    }

    /// Decodes one event that begins on `line`. `emit` is called once, except for lines that are part of an
    /// event that is not complete.
    pub fn decode(&mut self, bytes: &[u8], line: u64, emit: &mut dyn FnMut(&Record<'_>)) {
        // The strict check is several times faster than the lossy one, and nearly always enough.
        let text = std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed);
        let text = text.trim_start_matches('\u{feff}').trim_end_matches(['\0', '\r']);
        if let Some(audit) = audit_part(text) {
            self.audit.take(audit, line, emit);
            return;
        }
        let decoded = decode(text, self.verbatim);
        let Decoded { format, kind, stamp, fields } = decoded;
        emit(&Record { format, kind, line, raw: Cow::Borrowed(bytes), stamp, fields });
    }

    /// Decodes the JSON form of a record of a Windows event file.
    pub fn decode_evtx(&mut self, json: &str, number: u64, emit: &mut dyn FnMut(&Record<'_>)) {
        let Decoded { kind, stamp, fields, .. } = decode(json, self.verbatim);
        let raw = Cow::Borrowed(json.as_bytes());
        emit(&Record { format: Format::Evtx, kind, line: number, raw, stamp, fields });
    }

    /// The source has ended: tells the events that still waited for a part.
    pub fn finish(&mut self, emit: &mut dyn FnMut(&Record<'_>)) {
        self.audit.finish(emit);
    }
}

struct Decoded<'t> {
    format: Format,
    kind: Kind,
    stamp: Option<Cow<'t, str>>,
    fields: Fields<'t>,
}

fn decode(text: &str, verbatim: bool) -> Decoded<'_> {
    let start = text.trim_start();
    let decoded = match start.as_bytes().first() {
        Some(b'{') => flatten(start).map(|fields| classify(fields, verbatim)),
        Some(b'<') if start.starts_with("<Event") => xml::flatten(start).map(|fields| Decoded {
            format: Format::Xml,
            kind: Kind::Windows,
            stamp: None,
            fields: windows::normalise(fields, windows::Shape::Xml),
        }),
        _ => None,
    };
    decoded
        .or_else(|| access(text))
        .or_else(|| syslog_line(text))
        .or_else(|| pair_line(text))
        .unwrap_or_else(|| raw(text))
}

/// Tells what kind of event a JSON object is, by the names it has.
fn classify(fields: Fields<'_>, verbatim: bool) -> Decoded<'_> {
    let plain = |kind, fields| Decoded { format: Format::Json, kind, stamp: None, fields };
    if verbatim {
        return plain(Kind::Json, fields);
    }
    if let Some(shape) = windows::shape(&fields) {
        return plain(Kind::Windows, windows::normalise(fields, shape));
    }
    if fields.has("__REALTIME_TIMESTAMP") {
        return journal(fields);
    }
    let kind = if fields.has("eventSource") && fields.has("eventName") {
        Kind::CloudTrail
    } else if fields.has("_path") || (fields.has("uid") && fields.has("id.orig_h")) {
        Kind::Zeek
    } else {
        Kind::Json
    };
    plain(kind, fields)
}

/// A journal entry: its message is decoded as the same message by syslog would be.
fn journal(mut fields: Fields<'_>) -> Decoded<'_> {
    let text = |name: &str| fields.text(name).map(str::to_owned);
    let program = text("SYSLOG_IDENTIFIER").or_else(|| text("_COMM")).unwrap_or_default();
    let message = text("MESSAGE").unwrap_or_default();
    let more = [("host", text("_HOSTNAME")), ("pid", text("_PID").or_else(|| text("SYSLOG_PID")))];
    for (name, value) in more {
        if let Some(value) = value {
            fields.push(name, value);
        }
    }
    let mut content = Fields::default();
    let kind = syslog::content(&program, &message, &mut content);
    fields.push("program", program);
    for (name, value) in content.iter() {
        fields.push(name.to_owned(), value.to_owned_value());
    }
    fields.push("message", message);
    Decoded { format: Format::Json, kind, stamp: None, fields }
}

/// The audit record in a line: the line itself, or what audisp's syslog plug-in or the kernel wraps.
fn audit_part(text: &str) -> Option<&str> {
    if text.starts_with("type=") || text.starts_with("node=") {
        return auditd::is_audit(text).then_some(text);
    }
    if text.starts_with(['{', '<']) && !text.contains(" msg=audit(") {
        return None;
    }
    let start = text.find(": type=").map(|place| place + 2)?;
    text.get(start..).filter(|part| part.contains(" msg=audit(") && auditd::is_audit(part))
}

fn access(text: &str) -> Option<Decoded<'_>> {
    let (stamp, fields) = access::decode(text)?;
    Some(Decoded { format: Format::Access, kind: Kind::Access, stamp: Some(Cow::Borrowed(stamp)), fields })
}

fn syslog_line(text: &str) -> Option<Decoded<'_>> {
    let line = syslog::decode(text).or_else(|| relayed_cisco(text))?;
    Some(Decoded { format: line.format, kind: line.kind, stamp: line.stamp, fields: line.fields })
}

/// A Cisco line behind a relay's own head: `172.16.5.10 6705: Feb 17 13:40:03.673: %PARSER-5-...`.
fn relayed_cisco(text: &str) -> Option<syslog::Line<'_>> {
    let place = text.find(": %")?;
    let (head, body) = text.split_at(place);
    let (relay, stamp) = head.split_once(": ")?;
    let mut fields = Fields::default();
    if let Some(host) = relay.split(' ').next().filter(|host| !host.is_empty()) {
        fields.push("host", host);
    }
    syslog::cisco(body, stamp, fields)
}

fn pair_line(text: &str) -> Option<Decoded<'_>> {
    let fields = pairs::decode(text)?;
    Some(Decoded { format: Format::Pairs, kind: Kind::Pairs, stamp: None, fields })
}

/// What is not understood keeps its text as the one field `message`, and a time if it begins with one.
fn raw(text: &str) -> Decoded<'_> {
    let mut fields = Fields::with_capacity(1);
    fields.push("message", text);
    let stamp = text
        .get(..19)
        .filter(|stamp| stamp.as_bytes().get(4) == Some(&b'-') || stamp.as_bytes().get(4) == Some(&b'/'));
    Decoded { format: Format::Raw, kind: Kind::Text, stamp: stamp.map(Cow::Borrowed), fields }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Format, Kind)> {
        let mut kinds = Vec::new();
        let mut decoder = Decoder::default();
        let mut emit = |record: &Record<'_>| kinds.push((record.format, record.kind));
        for (line, text) in (1..).zip(text.lines()) {
            decoder.decode(text.as_bytes(), line, &mut emit);
        }
        decoder.finish(&mut emit);
        kinds
    }

    #[test]
    fn a_file_may_mix_formats() {
        let text = concat!(
            "Nov 22 10:00:01 h sshd[1]: x\n",
            "{\"Channel\":\"Security\",\"EventID\":4624}\n",
            "{\"__REALTIME_TIMESTAMP\":\"1\",\"SYSLOG_IDENTIFIER\":\"sudo\",\"MESSAGE\":\"a : b\"}\n",
            "{\"eventSource\":\"s\",\"eventName\":\"n\"}\n",
            "{\"_path\":\"conn\"}\n",
            "{\"a\":1}\n",
            "1.2.3.4 - - [22/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.0\" 200 1\n",
            "level=info msg=x\n",
            "prose\n",
            "{\"broken\": \n",
            "Nov 22 10:00:01 h audispd: type=USER_LOGIN msg=audit(1.0:1): res=failed\n",
        );
        let names: Vec<String> =
            kinds(text).iter().map(|(format, kind)| format!("{format}/{kind}")).collect();
        assert_eq!(
            names,
            [
                "rfc3164/sshd",
                "json/windows",
                "json/sudo",
                "json/cloudtrail",
                "json/zeek",
                "json/json",
                "access/access",
                "pairs/pairs",
                "raw/text",
                "raw/text",
                "auditd/auditd"
            ]
        );
    }

    #[test]
    fn invalid_utf8_and_nothing_at_all() {
        let mut seen = 0;
        for bytes in [&b"\xff\xfe\x00"[..], b"", b"\0", b"<34>\xff", b"{\"a\":\"\xff\"}"] {
            Decoder::default().decode(bytes, 1, &mut |record| {
                assert_eq!(record.raw, bytes);
                seen += 1;
            });
        }
        assert_eq!(seen, 5);
    }
}
