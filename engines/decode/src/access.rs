//! Access logs of nginx and Apache: the common and combined formats, and Apache's with the virtual host.
//!
//! `203.0.113.24 - alice [22/Nov/2026:10:00:00 +0000] "GET /a?b=c HTTP/1.1" 200 512 "referer" "agent"`
//!
//! Fields have the names of the W3C extended log format, as rules for web servers use them.

use std::borrow::Cow;
use std::net::IpAddr;

use garrison_base::{Fields, Value};

/// Decodes one line: its time and fields. `None` if it is not an access log line.
pub(crate) fn decode(text: &str) -> Option<(&str, Fields<'_>)> {
    // Servers escape quotes, so the first one begins the request. The user in front of the time is
    // whatever the client says, blanks and brackets included: the time is the last bracket before it.
    let (head, rest) = text.split_once('"')?;
    let (head, stamp) = head.strip_suffix("] ")?.rsplit_once(" [")?;
    if stamp.as_bytes().get(2) != Some(&b'/') {
        return None;
    }
    let (virtual_host, client, user) = who(head)?;
    let (request, rest) = quoted(rest)?;
    let mut tail = rest.trim_start().split(' ');
    let status: i64 = tail.next()?.parse().ok()?;
    let size = tail.next().unwrap_or("-");

    let mut fields = Fields::with_capacity(16);
    fields.push("c-ip", client);
    if let Some(host) = virtual_host {
        let port = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        fields.push("cs-host", port.map_or(host, |(host, _)| host));
    }
    if user != "-" {
        fields.push("cs-username", user);
    }
    push_request(request, &mut fields);
    fields.push("sc-status", status);
    if let Ok(size) = size.parse::<i64>() {
        fields.push("sc-bytes", size);
    }
    let mut rest = rest;
    for name in ["cs-referer", "cs-user-agent"] {
        let Some((value, after)) = rest.split_once('"').and_then(|(_, after)| quoted(after)) else { break };
        fields.push(name, value);
        rest = after;
    }
    Some((stamp, fields))
}

/// Takes `host:port client, proxy - user` apart; the host and the proxies may be missing.
fn who(head: &str) -> Option<(Option<&str>, &str, &str)> {
    let (first, rest) = head.split_once(' ')?;
    let is_address = |word: &str| word.trim_end_matches(',').parse::<IpAddr>().is_ok();
    let (virtual_host, client, mut rest) = match rest.split_once(' ') {
        Some((second, behind)) if !is_address(first) && is_address(second) => (Some(first), second, behind),
        _ => (None, first, rest),
    };
    let mut listed = client.ends_with(',');
    while listed {
        let (proxy, behind) = rest.split_once(' ')?;
        listed = proxy.ends_with(',');
        rest = behind;
    }
    let (_ident, user) = rest.split_once(' ')?;
    Some((virtual_host, client.trim_end_matches(','), user))
}

/// The text up to the closing quote; servers escape quotes inside with a backslash.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    let end = text.bytes().position(|byte| {
        let end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        end
    })?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

fn push_request<'t>(request: &'t str, fields: &mut Fields<'t>) {
    let Some((method, rest)) = request.split_once(' ') else {
        fields.push("c-uri", request);
        return;
    };
    let (target, version) = rest.rsplit_once(' ').unwrap_or((rest, ""));
    fields.push("cs-method", method);
    push_decoded("c-uri", target, fields);
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    push_decoded("cs-uri-stem", path, fields);
    if let Some(query) = query {
        push_decoded("cs-uri-query", query, fields);
    }
    if !version.is_empty() {
        fields.push("cs-version", version);
    }
}

/// Adds the text, and its percent-decoded forms where they differ: what the application sees, also when
/// it decodes twice.
fn push_decoded<'t>(name: &'static str, text: &'t str, fields: &mut Fields<'t>) {
    fields.push(name, text);
    let mut seen = Cow::Borrowed(text);
    for _ in 0..2 {
        let Some(decoded) = percent_decoded(&seen) else { return };
        fields.push(name, Value::from(decoded.clone()));
        seen = Cow::Owned(decoded);
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    if !text.contains('%') {
        return None;
    }
    let digit = |byte: Option<&u8>| {
        byte.and_then(|byte| char::from(*byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok())
    };
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while let Some(byte) = bytes.get(place) {
        let code = digit(bytes.get(place + 1)).zip(digit(bytes.get(place + 2))).filter(|_| *byte == b'%');
        decoded.push(code.map_or(*byte, |(high, low)| high << 4 | low));
        place += if code.is_some() { 3 } else { 1 };
    }
    let decoded = String::from_utf8_lossy(&decoded).into_owned();
    (decoded != text).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let (stamp, fields) = decode(text).unwrap_or_else(|| panic!("{text} is not read"));
        let pairs: Vec<_> =
            fields.iter().map(|(name, value)| format!("{name}={}", value.to_text())).collect();
        format!("[{stamp}] {}", pairs.join(" "))
    }

    #[test]
    fn combined_common_and_virtual_host() {
        assert_eq!(
            shown(
                r#"203.0.113.24 - alice [22/Nov/2026:10:00:00 +0000] "GET /a?b=%2e HTTP/1.1" 200 512 "-" "curl/8 \"x\"""#
            ),
            r#"[22/Nov/2026:10:00:00 +0000] c-ip=203.0.113.24 cs-username=alice cs-method=GET c-uri=/a?b=%2e c-uri=/a?b=. cs-uri-stem=/a cs-uri-query=b=%2e cs-uri-query=b=. cs-version=HTTP/1.1 sc-status=200 sc-bytes=512 cs-referer=- cs-user-agent=curl/8 \"x\""#
        );
        assert!(
            shown(r#"::1 - - [22/Nov/2026:10:00:00 +0000] "GET / HTTP/1.0" 304 -"#)
                .ends_with("sc-status=304")
        );
        assert!(
            shown(r#"shop:443 1.2.3.4 - - [22/Nov/2026:10:00:00 +0000] "GET / HTTP/1.0" 200 1"#)
                .contains("cs-host=shop")
        );
    }

    #[test]
    fn the_user_is_chosen_by_the_client() {
        let line = |user: &str| {
            format!("203.0.113.24 - {user} [22/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 1")
        };
        for user in ["10.9.9.9 - -", "a [b", "john doe", "x [22/Nov/2026:10:00:00 +0000]"] {
            let text = line(user);
            assert!(
                shown(&text).starts_with(&format!(
                    "[22/Nov/2026:10:00:00 +0000] c-ip=203.0.113.24 cs-username={user} "
                )),
                "{user}"
            );
        }
        let text = line("-").replace("203.0.113.24", "[2001:db8::1]:80 203.0.113.9, 10.0.0.1");
        assert!(shown(&text).contains("c-ip=203.0.113.9 cs-host=[2001:db8::1] cs-method"));
    }

    #[test]
    fn hostile_requests_are_kept() {
        assert!(
            shown(r#"1.2.3.4 - - [22/Nov/2026:10:00:00 +0000] "\x16\x03\x01" 400 0 "-" "-""#)
                .contains(r"c-uri=\x16\x03\x01")
        );
        assert!(
            shown(r#"1.2.3.4 - - [22/Nov/2026:10:00:00 +0000] "GET /%252e%252e/ HTTP/1.1" 400 0"#)
                .contains("cs-uri-stem=/../")
        );
        assert!(
            shown(r#"1.2.3.4 - - [22/Nov/2026:10:00:00 +0000] "GET /%ff% HTTP/1.1" 400 0"#)
                .contains("sc-status=400")
        );
    }

    #[test]
    fn other_lines_are_none() {
        for text in
            ["", "a [b] \"c\" d", "1.2.3.4 - - [22/Nov/2026:10:00:00 +0000] \"GET", "x [22/Nov] \"a\" 1 2"]
        {
            assert!(decode(text).is_none(), "{text}");
        }
    }
}
