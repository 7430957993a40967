//! Linux audit records, joined to events.
//!
//! One event is several lines with one `msg=audit(SECONDS.MILLIS:SERIAL)`. Lines of different events are
//! interleaved; an event is complete at its `EOE` record, or two seconds of event time later, which is
//! what `libauparse` waits (`end_of_event_timeout`).

mod names;

use std::collections::VecDeque;
use std::net::{Ipv4Addr, Ipv6Addr};

use garrison_base::{Fields, limits};

use jiff::Timestamp;
use jiff::tz::Offset;

use crate::record::{Format, Kind, Record};
use crate::time::{self, Guess};

/// Joins audit lines. Bounded in events and in bytes: beyond that, the oldest event is told as it is.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    pending: VecDeque<Pending>,
    bytes: usize,
}

#[derive(Debug)]
struct Pending {
    node: String,
    id: String,
    seconds: i64,
    first_line: u64,
    lines: Vec<String>,
}

/// The head of an audit line.
struct Head<'t> {
    node: &'t str,
    kind: &'t str,
    id: &'t str,
    seconds: i64,
    body: &'t str,
}

/// Whether the line begins as an audit record does.
pub(crate) fn is_audit(text: &str) -> bool {
    head(text).is_some()
}

/// Interpreted times have no zone. Any one will do to put them in order.
const INTERPRETED: Guess = Guess { latest: Timestamp::UNIX_EPOCH, zone: Offset::UTC };

fn head(text: &str) -> Option<Head<'_>> {
    // The kernel's own log and audisp put the record behind a head of their own.
    let start = text.find("type=").filter(|start| *start == 0 || text.starts_with("node="))?;
    let node = text.get(..start)?.strip_prefix("node=").unwrap_or("").trim();
    let (kind, rest) = text.get(start + 5..)?.split_once(" msg=audit(")?;
    let (id, body) = rest.split_once(')')?;
    let stamp = id.rsplit_once(':')?.0;
    let seconds = match stamp.split_once('.')?.0.parse() {
        Ok(seconds) => seconds,
        // `ausearch --interpret` writes the time as a date.
        Err(_) => time::parse(stamp, &INTERPRETED)?.at.as_second(),
    };
    if kind.is_empty() || kind.contains(' ') {
        return None;
    }
    Some(Head { node, kind, id, seconds, body: body.trim_start_matches([':', ' ']) })
}

/// A record as the kernel logs it when no auditd runs: `audit: type=1400 audit(1700000000.123:42): ...`.
pub(crate) fn from_kernel(message: &str) -> Option<String> {
    // The kernel's own time may stand in front, and nothing else.
    let record = match message.strip_prefix('[').and_then(|text| text.split_once("] ")) {
        Some((_, record)) => record,
        None => message,
    };
    let (number, rest) = record.strip_prefix("audit: type=")?.split_once(" audit(")?;
    let name = names::record_type(number).unwrap_or(number);
    Some(format!("type={name} msg=audit({rest}")).filter(|record| is_audit(record))
}

/// Records that the kernel writes as parts of one event. Others stand alone.
const PARTS: &[&str] = &[
    "SYSCALL",
    "EXECVE",
    "CWD",
    "PATH",
    "PROCTITLE",
    "SOCKADDR",
    "SOCKETCALL",
    "IPC",
    "OBJ_PID",
    "BPRM_FCAPS",
    "CAPSET",
    "MMAP",
    "NETFILTER_CFG",
    "AVC",
    "FD_PAIR",
    "KERN_MODULE",
    "CONFIG_CHANGE",
    "INTEGRITY_RULE",
    "EOE",
    "MQ_OPEN",
    "BPF",
    "OPENAT2",
    "URINGOP",
    "TTY",
    "APPARMOR",
];

impl Assembler {
    pub(crate) fn is_waiting(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Takes an audit line.
    pub(crate) fn take(&mut self, text: &str, line: u64, emit: &mut dyn FnMut(&Record<'_>)) {
        let Some(head) = head(text) else { return };
        if !PARTS.contains(&head.kind) {
            tell(&[text], line, emit);
            return;
        }
        while self.pending.front().is_some_and(|oldest| oldest.seconds.saturating_add(2) < head.seconds) {
            self.tell_oldest(emit);
        }
        let place = self.pending.iter().position(|event| event.id == head.id && event.node == head.node);
        self.bytes += text.len();
        match place.and_then(|place| self.pending.get_mut(place)) {
            Some(event) => event.lines.push(text.to_owned()),
            None => self.pending.push_back(Pending {
                node: head.node.to_owned(),
                id: head.id.to_owned(),
                seconds: head.seconds,
                first_line: line,
                lines: vec![text.to_owned()],
            }),
        }
        if head.kind == "EOE"
            && let Some(event) = place.and_then(|place| self.pending.remove(place))
        {
            self.tell(&event, emit);
        }
        while self.pending.len() > limits::AUDIT_PENDING || self.bytes > limits::AUDIT_BYTES {
            self.tell_oldest(emit);
        }
    }

    /// Tells all events that still wait.
    pub(crate) fn finish(&mut self, emit: &mut dyn FnMut(&Record<'_>)) {
        while !self.pending.is_empty() {
            self.tell_oldest(emit);
        }
    }

    fn tell_oldest(&mut self, emit: &mut dyn FnMut(&Record<'_>)) {
        if let Some(event) = self.pending.pop_front() {
            self.tell(&event, emit);
        }
    }

    fn tell(&mut self, event: &Pending, emit: &mut dyn FnMut(&Record<'_>)) {
        let lines: Vec<&str> = event.lines.iter().map(String::as_str).collect();
        self.bytes = self.bytes.saturating_sub(lines.iter().map(|line| line.len()).sum());
        tell(&lines, event.first_line, emit);
    }
}

fn tell(lines: &[&str], line: u64, emit: &mut dyn FnMut(&Record<'_>)) {
    let mut event = Event::default();
    for text in lines {
        if let Some(head) = head(text) {
            event.add(&head);
        }
    }
    let stamp = lines
        .first()
        .and_then(|text| head(text))
        .and_then(|head| head.id.rsplit_once(':'))
        .map(|(stamp, _)| stamp);
    let kind = event.kind();
    emit(&Record {
        format: Format::Auditd,
        kind,
        line,
        raw: lines.join("\n").into_bytes().into(),
        stamp: stamp.map(Into::into),
        fields: event.fields(),
    });
}

/// The records of one event.
#[derive(Default)]
struct Event<'t> {
    fields: Fields<'t>,
    types: Vec<&'t str>,
    arguments: Vec<String>,
    cwd: Option<String>,
    created: Vec<String>,
    connects: bool,
}

impl<'t> Event<'t> {
    fn add(&mut self, head: &Head<'t>) {
        if self.types.is_empty() && !head.node.is_empty() {
            self.fields.push("node", head.node);
        }
        self.types.push(head.kind);
        if head.kind == "EOE" {
            return;
        }
        self.fields.push("type", head.kind);
        let pairs = pairs(head.body);
        let text = |wanted: &str| pairs.iter().find(|pair| pair.name == wanted);
        match head.kind {
            "EXECVE" => add_arguments(&pairs, &mut self.arguments),
            "CWD" => self.cwd = text("cwd").map(Pair::decoded),
            "PATH" if text("nametype").is_some_and(|pair| pair.value == "CREATE") => {
                self.created.extend(text("name").map(Pair::decoded));
            }
            "SOCKADDR" => self.address(text("saddr")),
            "SYSCALL" => {
                let x86_64 = text("arch").is_some_and(|pair| pair.value.eq_ignore_ascii_case("c000003e"));
                let name = text("syscall").filter(|_| x86_64).and_then(|pair| names::system_call(pair.value));
                self.connects |= name == Some("connect");
                if let Some(name) = name {
                    self.fields.push("syscall", name);
                }
            }
            _ => {}
        }
        for pair in &pairs {
            let hex = pair.may_be_hex(head.kind);
            self.fields.push(pair.name, if hex { pair.decoded() } else { pair.value.to_owned() });
        }
    }

    /// `struct sockaddr` in hexadecimal: family (little endian), port (big endian), address.
    fn address(&mut self, saddr: Option<&Pair<'t>>) {
        let bytes = saddr.and_then(|pair| unhex(pair.value)).unwrap_or_default();
        match bytes.as_slice() {
            [2, 0, high, low, a, b, c, d, ..] => {
                self.fields.push("dst_port", u16::from_be_bytes([*high, *low]).to_string());
                self.fields.push("dst_ip", Ipv4Addr::new(*a, *b, *c, *d).to_string());
            }
            [10, 0, high, low, _, _, _, _, rest @ ..] => {
                let Some(address) = rest.first_chunk::<16>() else { return };
                self.fields.push("dst_port", u16::from_be_bytes([*high, *low]).to_string());
                self.fields.push("dst_ip", Ipv6Addr::from(*address).to_string());
            }
            _ => {}
        }
    }

    fn kind(&self) -> Kind {
        if !self.arguments.is_empty() {
            Kind::AuditdExec
        } else if !self.created.is_empty() {
            Kind::AuditdFile
        } else if self.connects && self.fields.has("dst_ip") {
            Kind::AuditdNetwork
        } else {
            Kind::Auditd
        }
    }

    fn fields(mut self) -> Fields<'t> {
        if !self.arguments.is_empty() {
            self.fields.push("cmdline", self.arguments.join(" "));
        }
        for path in self.created {
            let directory = self.cwd.as_deref().filter(|_| !path.starts_with('/'));
            let path =
                directory.map_or_else(|| path.clone(), |cwd| format!("{}/{path}", cwd.trim_end_matches('/')));
            self.fields.push("created", path);
        }
        self.fields
    }
}

/// One `name=value` of a record.
struct Pair<'t> {
    name: &'t str,
    value: &'t str,
    quoted: bool,
}

impl Pair<'_> {
    /// Whether auditd may have written the value in hexadecimal: text that a user chose is, when it has
    /// blanks, quotes or control characters. Numbers and addresses are hexadecimal in their own right.
    fn may_be_hex(&self, kind: &str) -> bool {
        const TEXTS: &[&str] = &[
            "comm",
            "exe",
            "name",
            "cwd",
            "proctitle",
            "cmd",
            "acct",
            "key",
            "data",
            "path",
            "vm",
            "grp",
            "new-disk",
            "dir",
        ];
        let argument = kind == "EXECVE" && argument_piece(self.name).is_some();
        !self.quoted && (argument || TEXTS.contains(&self.name))
    }

    /// The text behind the hexadecimal form, if it has one. Arguments of a program are parted by NUL there.
    fn decoded(&self) -> String {
        let bytes = if self.quoted { None } else { unhex(self.value) };
        bytes
            .map_or_else(|| self.value.to_owned(), |bytes| String::from_utf8_lossy(&bytes).replace('\0', " "))
    }
}

/// Splits a record into pairs. Values are bare, in double quotes, or in single quotes, which hold pairs of
/// their own; the names that `log_format = ENRICHED` adds stand behind a group separator.
fn pairs(body: &str) -> Vec<Pair<'_>> {
    let mut pairs = Vec::new();
    let mut rest = body;
    while let Some((name, after)) = rest.trim_start_matches([' ', '\u{1d}', '\'']).split_once('=') {
        let name = name.rsplit([' ', '\u{1d}']).next().unwrap_or(name);
        let (value, after, quoted) = match after.strip_prefix('"').and_then(|text| text.split_once('"')) {
            Some((value, after)) => (value, after, true),
            None if after.starts_with('\'') => {
                rest = after;
                continue;
            }
            None => {
                let end = after.find([' ', '\u{1d}', '\'']).unwrap_or(after.len());
                let (value, after) = after.split_at(end);
                (value, after, false)
            }
        };
        pairs.push(Pair { name, value, quoted });
        rest = after;
    }
    pairs
}

/// Adds the arguments of an `EXECVE` record. Long lists go on in further records, and long arguments come
/// in pieces `a1[0]=`, `a1[1]=`.
fn add_arguments(pairs: &[Pair<'_>], arguments: &mut Vec<String>) {
    for pair in pairs {
        match (argument_piece(pair.name), arguments.last_mut()) {
            (Some(piece), Some(last)) if piece > 0 => last.push_str(&pair.decoded()),
            (Some(_), _) => arguments.push(pair.decoded()),
            (None, _) => {}
        }
    }
}

/// For the names of arguments, which piece of the argument it is: 0 for `a1` and `a1[0]`, 1 for `a1[1]`.
fn argument_piece(name: &str) -> Option<u32> {
    let number = name.strip_prefix('a')?;
    let (number, piece) = number.split_once('[').unwrap_or((number, "0]"));
    let _: u32 = number.parse().ok()?;
    piece.strip_suffix(']')?.parse().ok()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str) -> Vec<(u64, Kind, String)> {
        let mut events = Vec::new();
        let mut assembler = Assembler::default();
        let mut emit = |record: &Record<'_>| {
            let pairs: Vec<_> =
                record.fields.iter().map(|(name, value)| format!("{name}={}", value.to_text())).collect();
            events.push((record.line, record.kind, pairs.join("|")));
        };
        for (line, text) in (1..).zip(text.lines()) {
            assert!(is_audit(text), "{text}");
            assembler.take(text, line, &mut emit);
        }
        assembler.finish(&mut emit);
        events
    }

    #[test]
    fn the_lines_of_interleaved_events_are_joined() {
        let events = events(concat!(
            "type=SYSCALL msg=audit(1700000000.100:7): arch=c000003e syscall=59 success=yes a0=55 exe=\"/usr/bin/curl\" key=(null)\n",
            "type=SYSCALL msg=audit(1700000000.101:8): arch=c000003e syscall=42 exe=\"/bin/nc\"\n",
            "type=EXECVE msg=audit(1700000000.100:7): argc=3 a0=\"curl\" a1=612062 a2=\"x\"\n",
            "type=SOCKADDR msg=audit(1700000000.101:8): saddr=02000050CB0071180000000000000000\n",
            "type=EOE msg=audit(1700000000.101:8): \n",
        ));
        assert_eq!(events[0].0, 2, "complete first");
        assert_eq!(events[0].1, Kind::AuditdNetwork);
        assert!(
            events[0].2.ends_with("dst_port=80|dst_ip=203.0.113.24|saddr=02000050CB0071180000000000000000")
        );
        assert_eq!((events[1].0, events[1].1), (1, Kind::AuditdExec));
        assert!(
            events[1].2.contains("syscall=execve|")
                && events[1].2.ends_with("a1=a b|a2=x|cmdline=curl a b x")
        );
        assert!(events[1].2.contains("|a0=55|"), "registers are not text");
    }

    #[test]
    fn created_files_user_messages_and_enriched_names() {
        let created = events(concat!(
            "type=CWD msg=audit(1.0:1): cwd=\"/etc/cron.d\"\n",
            "type=PATH msg=audit(1.0:1): item=0 name=\"/etc/cron.d\" nametype=PARENT\n",
            "type=PATH msg=audit(1.0:1): item=1 name=\"job\" nametype=CREATE\n",
        ));
        assert_eq!(created[0].1, Kind::AuditdFile);
        assert!(created[0].2.ends_with("created=/etc/cron.d/job"));
        let login = events(
            "node=h type=USER_LOGIN msg=audit(1.0:2): pid=1 msg='op=login acct=\"root\" exe=\"/usr/sbin/sshd\" addr=203.0.113.24 res=failed'\u{1d}UID=\"root\" AUID=\"unset\"",
        );
        assert_eq!(
            login[0].2,
            "node=h|type=USER_LOGIN|pid=1|op=login|acct=root|exe=/usr/sbin/sshd|addr=203.0.113.24|res=failed|UID=root|AUID=unset"
        );
    }

    #[test]
    fn interpreted_records_are_joined_too() {
        let events = events(concat!(
            "type=SYSCALL msg=audit(11/22/2026 10:00:00.123:42) : arch=x86_64 syscall=execve exe=/usr/bin/curl\n",
            "type=EXECVE msg=audit(11/22/2026 10:00:00.123:42) : argc=2 a0=curl a1=-o\n",
        ));
        assert_eq!((events.len(), events[0].1), (1, Kind::AuditdExec));
        assert!(events[0].2.ends_with("cmdline=curl -o"));
    }

    #[test]
    fn waiting_is_bounded() {
        let mut assembler = Assembler::default();
        let mut told = 0;
        for serial in 0..2000 {
            let line = format!("type=SYSCALL msg=audit(1.0:{serial}): {}", "x".repeat(100));
            assembler.take(&line, 1, &mut |_| told += 1);
        }
        assert_eq!(assembler.pending.len(), limits::AUDIT_PENDING);
        assert_eq!(told, 2000 - limits::AUDIT_PENDING);
        let later = "type=SYSCALL msg=audit(9.0:1): x=1";
        assembler.take(later, 1, &mut |_| {});
        assert_eq!((assembler.pending.len(), assembler.bytes), (1, later.len()));
    }
}
