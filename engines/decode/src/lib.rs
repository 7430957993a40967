//! From bytes to events: recognises and decodes log formats, event by event.
//!
//! [`Framer`] cuts a stream into events, [`Decoder`] tells what each one says. The format is recognised
//! for each event by itself, so a file may mix formats; what nothing here understands stays as it is and
//! is told as [`Kind::Text`]. Nothing does I/O, and everything a stranger can make long, deep or many is
//! bounded by [`garrison_base::limits`].

mod access;
mod auditd;
mod events;
pub mod evtx;
mod framing;
mod json;
mod pairs;
mod programs;
mod record;
mod stream;
mod syslog;
mod template;
pub mod time;
mod windows;
mod xml;

use std::borrow::Cow;

use garrison_base::{Fields, Value};

pub use events::Events;
pub use framing::{Frame, Framer};
pub use json::flatten;
pub use record::{Column, Format, Kind, Record, column};
pub use stream::SyslogFramer;

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

    /// Decodes one event that begins on `line`. `emit` is called once, but for lines that are part of an
    /// event that is not complete, and for several JSON objects in one line.
    pub fn decode(&mut self, bytes: &[u8], line: u64, emit: &mut dyn FnMut(&Record<'_>)) {
        // The strict check is several times faster than the lossy one, and nearly always enough.
        let text = std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed);
        // A crash can leave a run of NUL bytes in front of what was written next.
        let text = text.trim_matches(['\0', '\u{feff}', '\r']);
        if let Some(audit) = audit_part(text) {
            self.audit.take(&audit, line, emit);
            return;
        }
        let mut tell = |decoded: Decoded<'_>, raw| {
            let Decoded { format, kind, stamp, fields } = decoded;
            emit(&Record { format, kind, line, raw, stamp, fields });
        };
        if let Some(objects) = several_objects(text) {
            for object in objects {
                tell(decode(object, self.verbatim), Cow::Borrowed(object.as_bytes()));
            }
            return;
        }
        tell(decode(text, self.verbatim), Cow::Borrowed(bytes));
    }

    /// Decodes the JSON form of a record of a Windows event file.
    pub fn decode_evtx(&mut self, json: &str, number: u64, emit: &mut dyn FnMut(&Record<'_>)) {
        let Decoded { kind, stamp, fields, .. } = decode(json, self.verbatim);
        let raw = Cow::Borrowed(json.as_bytes());
        emit(&Record { format: Format::Evtx, kind, line: number, raw, stamp, fields });
    }

    /// Whether an event waits for a part.
    pub fn is_waiting(&self) -> bool {
        self.audit.is_waiting()
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
        Some(b'<') if xml::is_event(start) => xml::flatten(start).map(|fields| Decoded {
            format: Format::Xml,
            kind: Kind::Windows,
            stamp: None,
            fields: windows::normalise(fields, windows::Shape::Xml),
        }),
        _ => None,
    };
    decoded
        .or_else(|| syslog_line(text))
        .or_else(|| access(text))
        .or_else(|| pair_line(text))
        .unwrap_or_else(|| raw(text))
}

/// The objects of a line that holds more than one, as HTTP collectors write them.
fn several_objects(text: &str) -> Option<Vec<&str>> {
    if !text.starts_with('{') || !(text.contains("}{") || text.contains("} {")) {
        return None;
    }
    framing::objects(text).filter(|objects| objects.len() > 1)
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
    if fields.has("eventSource") && fields.has("eventName") {
        return plain(Kind::CloudTrail, fields);
    }
    match zeek_path(&fields) {
        Some(path) => {
            let mut fields = fields;
            if !fields.has("_path") {
                fields.push("_path", path);
            }
            plain(Kind::Zeek, fields)
        }
        None => plain(Kind::Json, fields),
    }
}

/// Which of Zeek's logs an object is from. Zeek's own JSON writer leaves the name to the file, so it is
/// told by the fields that only this log has.
fn zeek_path(fields: &Fields<'_>) -> Option<&'static str> {
    const LOGS: [(&str, [&str; 2]); 12] = [
        ("dns", ["query", "qtype"]),
        ("http", ["method", "uri"]),
        ("ssl", ["cipher", "curve"]),
        ("ssh", ["auth_attempts", "client"]),
        ("rdp", ["cookie", "security_protocol"]),
        ("kerberos", ["request_type", "service"]),
        ("dce_rpc", ["endpoint", "operation"]),
        ("smb_files", ["action", "name"]),
        ("smb_mapping", ["path", "share_type"]),
        ("conn", ["conn_state", "proto"]),
        ("files", ["fuid", "mime_type"]),
        ("x509", ["certificate.serial", "certificate.subject"]),
    ];
    let connection = fields.has("uid") && fields.has("id.orig_h");
    let unconnected = fields.has("fuid") || fields.has("certificate.serial");
    if fields.has("_path") {
        return Some("");
    }
    let log = LOGS.iter().find(|(_, names)| names.iter().all(|name| fields.has(name))).map(|(log, _)| *log);
    log.filter(|_| fields.has("ts") && (connection || unconnected)).or(connection.then_some("unknown"))
}

/// A journal entry: its message is decoded as the same message by syslog would be.
fn journal(mut fields: Fields<'_>) -> Decoded<'_> {
    let text = |name: &str| fields.text(name).map(str::to_owned);
    let program = text("SYSLOG_IDENTIFIER").or_else(|| text("_COMM")).unwrap_or_default();
    let message = text("MESSAGE").unwrap_or_else(|| bytes_of(&fields, "MESSAGE"));
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

/// A field that the journal gives as a list of bytes, because it is not UTF-8 or has control characters.
fn bytes_of(fields: &Fields<'_>, name: &str) -> String {
    let byte = |(path, value): (&str, &Value<'_>)| match value {
        Value::Int(byte) if path == name => u8::try_from(*byte).ok(),
        _ => None,
    };
    String::from_utf8_lossy(&fields.iter().filter_map(byte).collect::<Vec<u8>>()).into_owned()
}

/// The audit record in a line: the line itself, or what auditd's dispatcher or the kernel passed on to syslog. Nowhere
/// else: whoever may choose the text of a message must not be able to pass it for a record.
fn audit_part(text: &str) -> Option<Cow<'_, str>> {
    if text.starts_with("type=") || text.starts_with("node=") {
        return auditd::is_audit(text).then_some(Cow::Borrowed(text));
    }
    if text.starts_with('{') || !text.contains(" msg=audit(") && !text.contains("audit: type=") {
        return None;
    }
    let line = syslog::decode(text)?;
    let message = line.fields.text("message")?.trim_start();
    let record = match line.fields.text("program")? {
        "kernel" => auditd::from_kernel(message),
        "audispd" | "audisp-syslog" | "auditd" | "audit" => {
            auditd::is_audit(message).then(|| message.to_owned())
        }
        _ => None,
    };
    record.map(Cow::Owned)
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
    let behind_priority = text.strip_prefix('<').and_then(|text| text.split_once('>')).map(|(_, rest)| rest);
    let fields = pairs::decode(behind_priority.unwrap_or(text))?;
    // Some devices tell the date and the time apart.
    let stamp =
        fields.text("date").zip(fields.text("time")).map(|(date, time)| Cow::Owned(format!("{date} {time}")));
    Some(Decoded { format: Format::Pairs, kind: Kind::Pairs, stamp, fields })
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
    fn chosen_text_cannot_pass_for_another_kind() {
        let audit = ": type=USER msg=audit(1.0:1): x=1";
        for (line, kind) in [
            (format!("Nov 22 10:00:01 h sshd[1]: Invalid user x{audit} from 192.0.2.1 port 4"), Kind::Sshd),
            (format!("1.2.3.4 - - [22/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.0\" 200 1 \"-\" \"{audit}\""), Kind::Access),
            (format!("{{\"Channel\":\"C\",\"EventID\":1,\"CommandLine\":\"{audit}\"}}"), Kind::Windows),
            ("Nov 22 10:00:01 h sshd[1]: Invalid user x - - [22/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 1 from 192.0.2.1 port 4".to_owned(), Kind::Sshd),
        ] {
            assert_eq!(kinds(&line)[0].1, kind, "{line}");
        }
    }

    #[test]
    fn pairs_with_a_date_and_audit_records_of_the_kernel() {
        let guess = time::Guess { latest: jiff::Timestamp::UNIX_EPOCH, zone: jiff::tz::Offset::UTC };
        Decoder::default().decode(
            b"<189>date=2026-11-22 time=10:00:01 devname=fw srcip=192.0.2.1",
            1,
            &mut |record| {
                assert_eq!(record.kind, Kind::Pairs);
                assert_eq!(record.claimed(&guess).unwrap().at.to_string(), "2026-11-22T10:00:01Z");
            },
        );
        let kernel = "Nov 22 10:00:01 h kernel: [1.0] audit: type=1400 audit(1.0:1): apparmor=\"DENIED\" profile=\"x\"";
        assert_eq!(kinds(kernel), [(Format::Auditd, Kind::Auditd)]);
    }

    #[test]
    fn several_objects_bytes_of_the_journal_and_nul_bytes() {
        assert_eq!(kinds("{\"a\":1}{\"b\":2} {\"c\":3}").len(), 3);
        for line in ["x } { y", "{\"a\":1} x {\"b\":2}", "{\"a\":\"} {\"}"] {
            assert_eq!(kinds(line).len(), 1, "{line}");
        }
        let journal = r#"{"__REALTIME_TIMESTAMP":"1","SYSLOG_IDENTIFIER":"su","MESSAGE":[40,116,111,32,255,41,32,97,32,111,110,32,98]}"#;
        Decoder::default().decode(journal.as_bytes(), 1, &mut |record| {
            assert_eq!(record.fields.text("target_user"), Some("\u{fffd}"));
        });
        assert_eq!(kinds("\0\0\0Nov 22 10:00:01 h sshd[1]: x")[0].1, Kind::Sshd);
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
