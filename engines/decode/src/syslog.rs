//! The heads of syslog lines: RFC 3164, RFC 5424, and rsyslog's form between the two.

use std::borrow::Cow;

use garrison_base::{Fields, limits};

use crate::record::{Format, Kind};
use crate::{access, json, programs, xml};

/// A line whose head was understood.
pub(crate) struct Line<'t> {
    pub(crate) format: Format,
    pub(crate) kind: Kind,
    pub(crate) stamp: Option<Cow<'t, str>>,
    pub(crate) fields: Fields<'t>,
}

/// Decodes one line; `None` if it has no syslog head.
pub(crate) fn decode(text: &str) -> Option<Line<'_>> {
    let mut fields = Fields::with_capacity(16);
    let rest = priority(text, &mut fields);
    if let Some(body) = rest.strip_prefix("1 ").filter(|_| rest.len() < text.len()) {
        return rfc5424(body, fields);
    }
    let (stamp, body) = stamp(rest)?;
    let format = if stamp.starts_with(|first: char| first.is_ascii_digit()) {
        Format::Rsyslog
    } else {
        Format::Rfc3164
    };
    if body.trim_start_matches([':', ' ']).starts_with('%') {
        return cisco(body, stamp, fields);
    }
    let body = body.trim_start();
    let (host, behind) = body.split_once(' ')?;
    // Senders on the same machine may leave the host out.
    let tag = host.ends_with("]:")
        || (host.ends_with(':') && !behind.split(' ').next().is_some_and(|word| word.ends_with(':')));
    let body = if tag { body } else { behind };
    if !tag {
        fields.push("host", host.trim_end_matches(':'));
    }
    let kind = tagged(body, &mut fields)?;
    Some(Line { format, kind, stamp: Some(Cow::Borrowed(stamp)), fields })
}

const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
    "local7",
];
const SEVERITIES: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

/// Reads `<34>`; answers what is behind it, or the whole text if it is not there.
fn priority<'t>(text: &'t str, fields: &mut Fields<'t>) -> &'t str {
    let Some((number, rest)) = text.strip_prefix('<').and_then(|text| text.split_once('>')) else {
        return text;
    };
    let Some(number) = number.parse::<usize>().ok().filter(|number| *number < 192) else { return text };
    if let (Some(facility), Some(severity)) = (FACILITIES.get(number / 8), SEVERITIES.get(number % 8)) {
        fields.push("facility", *facility);
        fields.push("severity", *severity);
    }
    rest
}

/// Splits the time off the front: `Oct 11 22:14:15`, `Oct 11 2026 22:14:15` or an RFC 3339 time.
fn stamp(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    if bytes.get(4) == Some(&b'-')
        && bytes.get(10) == Some(&b'T')
        && bytes.first().is_some_and(u8::is_ascii_digit)
    {
        return text.split_once(' ');
    }
    // A blank instead of the T is also how applications begin their own lines: a tag must follow.
    let civil = bytes.get(4) == Some(&b'-') && bytes.get(10) == Some(&b' ') && bytes.get(13) == Some(&b':');
    if let Some((date, rest)) = text.split_once(' ').filter(|_| civil) {
        let (time, body) = rest.split_once(' ')?;
        let tagged = body.split(' ').nth(1).is_some_and(|tag| tag.ends_with(':'));
        return tagged.then(|| (text.get(..date.len() + 1 + time.len()).unwrap_or(text), body));
    }
    let mut end = 0;
    let mut words = 0;
    for word in text.split(' ') {
        end += word.len() + 1;
        if word.is_empty() {
            continue;
        }
        words += 1;
        let fits = match words {
            1 => word.trim_start_matches(['*', '.']).len() == 3 && word.is_ascii(),
            2 => word.len() <= 2 && word.bytes().all(|byte| byte.is_ascii_digit()),
            _ => word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.')),
        };
        if !fits || words > 4 {
            return None;
        }
        if words > 2 && word.bytes().filter(|byte| *byte == b':').count() >= 2 {
            return Some((text.get(..end - 1)?, text.get(end..)?));
        }
    }
    None
}

/// Reads `program[pid]: message` and what the program says.
fn tagged<'t>(body: &'t str, fields: &mut Fields<'t>) -> Option<Kind> {
    let tag_end = body.find([':', ' ', '['])?;
    let (program, rest) = body.split_at(tag_end);
    let (pid, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((pid, rest)) => (Some(pid), rest),
        None => (None, rest),
    };
    // Some programs leave out the colon; then the text begins at the word that would be the tag.
    let (program, message) = match rest.strip_prefix(':') {
        Some(message) => (program, message.strip_prefix(' ').unwrap_or(message)),
        None => ("", body),
    };
    if !program.is_empty() {
        fields.push("program", program);
        if let Some(pid) = pid {
            fields.push("pid", pid);
        }
    }
    fields.push("message", message);
    Some(content(program, message, fields))
}

/// What a message tells: a program's own wording, or JSON or XML carried in it.
pub(crate) fn content<'t>(program: &str, message: &'t str, fields: &mut Fields<'t>) -> Kind {
    let inner = message.trim_start();
    let inner = inner.strip_prefix("@cee:").map_or(inner, str::trim_start);
    if xml::is_event(inner)
        && let Some(event) = xml::flatten(inner)
    {
        let event = crate::windows::normalise(event, crate::windows::Shape::Xml);
        event.iter().for_each(|(name, value)| fields.push(name.to_owned(), value.clone()));
        return Kind::Windows;
    }
    // A program that has a wording of its own is known by its name; only others may carry anything else.
    let kind = programs::decode(program, message, fields);
    if kind != Kind::Syslog {
        return kind;
    }
    if let Some(object) = json::flatten(inner) {
        let decoded = crate::classify(object, false);
        decoded.fields.iter().for_each(|(name, value)| fields.push(name.to_owned(), value.clone()));
        return if decoded.kind == Kind::Json { Kind::Syslog } else { decoded.kind };
    }
    if let Some((_, request)) = access::decode(inner) {
        request.iter().for_each(|(name, value)| fields.push(name.to_owned(), value.clone()));
        return Kind::Access;
    }
    if let Some(pairs) = crate::pairs::decode(inner) {
        pairs.iter().for_each(|(name, value)| fields.push(name.to_owned(), value.to_owned_value()));
    }
    kind
}

/// RFC 5424 behind the version: `time host app procid msgid [data] text`, `-` for what is absent.
fn rfc5424<'t>(body: &'t str, mut fields: Fields<'t>) -> Option<Line<'t>> {
    let mut rest = body;
    let mut head = [""; 5];
    for word in &mut head {
        (*word, rest) = rest.split_once(' ')?;
    }
    let [stamp, host, program, pid, message_id] = head;
    for (name, value) in [("host", host), ("program", program), ("pid", pid), ("message_id", message_id)] {
        if value != "-" {
            fields.push(name, value);
        }
    }
    let message = structured_data(rest, &mut fields);
    let message = message.trim_start_matches(' ').trim_start_matches('\u{feff}');
    fields.push("message", message);
    let kind = content(program, message, &mut fields);
    let stamp = (stamp != "-").then_some(Cow::Borrowed(stamp));
    Some(Line { format: Format::Rfc5424, kind, stamp, fields })
}

/// Reads `[id name="value" ...]...` into `id.name`; answers what is behind it.
fn structured_data<'t>(text: &'t str, fields: &mut Fields<'t>) -> &'t str {
    if let Some(rest) = text.strip_prefix('-') {
        return rest;
    }
    let mut rest = text;
    while let Some(element) = rest.strip_prefix('[') {
        let Some(end) = element.find([' ', ']']) else { return rest };
        let (id, mut params) = element.split_at(end);
        loop {
            params = params.trim_start_matches(' ');
            if let Some(after) = params.strip_prefix(']') {
                rest = after;
                break;
            }
            let Some((name, value)) = params.split_once("=\"") else { return rest };
            let Some(end) = unescaped_quote(value) else { return rest };
            let (value, after) = value.split_at(end);
            if fields.is_full() || id.len() > limits::NAME_BYTES {
                fields.mark_cut();
                return rest;
            }
            let value = if value.contains('\\') { Cow::Owned(unescape(value)) } else { Cow::Borrowed(value) };
            fields.push(format!("{id}.{name}"), value);
            params = after.strip_prefix('"').unwrap_or(after);
        }
    }
    rest
}

fn unescaped_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(place, char)| {
        let end = char == '"' && !escaped;
        escaped = char == '\\' && !escaped;
        end.then_some(place)
    })
}

/// RFC 5424 section 6.3.3: a backslash escapes `"`, `\` and `]`, and is itself before anything else.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' => plain.push(chars.next_if(|next| matches!(next, '"' | '\\' | ']')).unwrap_or('\\')),
            other => plain.push(other),
        }
    }
    plain
}

/// Cisco IOS: `%FACILITY-SEVERITY-MNEMONIC: text`.
pub(crate) fn cisco<'t>(body: &'t str, stamp: &'t str, mut fields: Fields<'t>) -> Option<Line<'t>> {
    let body = body.trim_start_matches([':', ' ']);
    let (code, message) = body.strip_prefix('%')?.split_once(": ")?;
    let (facility, mnemonic) = code.split_once('-')?;
    let (severity, mnemonic) = mnemonic.split_once('-')?;
    fields.push("facility", facility);
    fields.push("severity", severity);
    fields.push("mnemonic", mnemonic);
    if let Some((user, command)) =
        message.strip_prefix("User:").and_then(|text| text.split_once("logged command:"))
    {
        fields.push("user", user.trim());
        fields.push("command", command);
    }
    fields.push("message", message);
    Some(Line { format: Format::Rfc3164, kind: Kind::Cisco, stamp: Some(Cow::Borrowed(stamp)), fields })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let line = decode(text).unwrap_or_else(|| panic!("{text} is not read"));
        let pairs: Vec<_> =
            line.fields.iter().map(|(name, value)| format!("{name}={}", value.to_text())).collect();
        format!("{} {} [{}] {}", line.format, line.kind, line.stamp.unwrap_or_default(), pairs.join(" "))
    }

    #[test]
    fn rfc3164() {
        assert_eq!(
            shown("<86>Nov  2 10:00:01 web-1 crond[77]: hello"),
            "rfc3164 cron [Nov  2 10:00:01] facility=authpriv severity=info host=web-1 program=crond pid=77 message=hello"
        );
        assert_eq!(
            shown("Nov 22 2026 10:00:01 fw app: x"),
            "rfc3164 syslog [Nov 22 2026 10:00:01] host=fw program=app message=x"
        );
        assert_eq!(
            shown("Nov 22 10:00:01 h no colon here"),
            "rfc3164 syslog [Nov 22 10:00:01] host=h message=no colon here"
        );
    }

    #[test]
    fn rfc5424_with_structured_data() {
        assert_eq!(
            shown(r#"<165>1 2003-10-11T22:14:15.003Z host app 42 ID47 [x@1 a="1\"]" b="\n"][y c=""] text"#),
            r#"rfc5424 syslog [2003-10-11T22:14:15.003Z] facility=local4 severity=notice host=host program=app pid=42 message_id=ID47 x@1.a=1"] x@1.b=\n y.c= message=text"#
        );
        assert_eq!(shown("<13>1 - - - - - -"), "rfc5424 syslog [] facility=user severity=notice message=");
    }

    #[test]
    fn rsyslog_and_journalctl() {
        assert!(
            shown("2026-11-22T10:00:01.1+01:00 h sshd[1]: x")
                .starts_with("rsyslog sshd [2026-11-22T10:00:01.1+01:00] host=h")
        );
        assert!(shown("2026-11-22T10:00:01+0000 h kernel: x").starts_with("rsyslog kernel"));
    }

    #[test]
    fn a_missing_host_a_blank_in_the_time_and_content_of_other_kinds() {
        assert_eq!(
            shown("<13>Nov 22 10:00:01 sshd[1]: x"),
            "rfc3164 sshd [Nov 22 10:00:01] facility=user severity=notice program=sshd pid=1 message=x"
        );
        assert!(
            shown("2026-11-22 10:00:01 h sshd[1]: x")
                .starts_with("rsyslog sshd [2026-11-22 10:00:01] host=h")
        );
        assert!(decode("2026-11-22 10:00:01 INFO started").is_none());
        assert!(
            shown("Nov 22 10:00:01 h w: {\"Channel\":\"C\",\"EventID\":1}").starts_with("rfc3164 windows")
        );
        assert!(
            shown(
                "Nov 22 10:00:01 h nginx: 192.0.2.1 - - [22/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 1"
            )
            .contains("c-ip=192.0.2.1")
        );
    }

    #[test]
    fn cisco_with_and_without_a_relay() {
        let line = "Feb 17 13:40:03.673: %PARSER-5-CFGLOG_LOGGEDCMD: User:admin  logged command:no aaa";
        assert!(shown(line).contains("mnemonic=CFGLOG_LOGGEDCMD user=admin command=no aaa"));
    }

    #[test]
    fn what_has_no_head_is_none() {
        for text in [
            "",
            "hello world",
            "<999>x",
            "Nov 22",
            "Nov 22 10:00:01",
            "<34>",
            "November 22 10:00:01 h a: b",
            "<1>1 a",
        ] {
            assert!(decode(text).is_none(), "{text}");
        }
    }
}
