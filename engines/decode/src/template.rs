//! Message templates: how programs word their messages, written as data.
//!
//! `"Failed {method} for {user*} from {src_ip} port {src_port}"` names what stands between fixed texts.
//! A plain capture is one word. One capture may be marked `*`: it takes as much as it can, because its
//! text is chosen by whoever logs in, and must not be able to pass for the fixed text behind it. The
//! last one may be marked `>`: it takes the rest of the line. Text behind the template is not looked at.

use std::net::IpAddr;

use garrison_base::Fields;

/// A template and what a match of it means besides.
pub(crate) struct Template {
    /// The wording.
    pub(crate) text: &'static str,
    /// Fields with fixed values.
    pub(crate) means: &'static [(&'static str, &'static str)],
}

/// Matches the first fitting template of a table and adds its fields.
pub(crate) fn apply<'t>(table: &'static [Template], text: &'t str, fields: &mut Fields<'t>) -> bool {
    let mut captures = Vec::new();
    for template in table {
        captures.clear();
        if matches(template.text, text, &mut captures).is_some() {
            for (name, value) in template.means {
                fields.push(*name, *value);
            }
            for (name, value) in captures.drain(..).filter(|(name, _)| *name != "_") {
                fields.push(name, value);
            }
            return true;
        }
    }
    false
}

fn matches<'t>(
    template: &'static str,
    text: &'t str,
    captures: &mut Vec<(&'static str, &'t str)>,
) -> Option<()> {
    let (fixed, mut template) = template.split_once('{').unwrap_or((template, ""));
    let mut text = text.strip_prefix(fixed)?;
    while let Some((name, after)) = template.split_once('}') {
        let (fixed, next) = after.split_once('{').unwrap_or((after, ""));
        if let Some(name) = name.strip_suffix('>') {
            captures.push((name, text));
            return Some(());
        }
        if let Some(name) = name.strip_suffix('*') {
            return greedy(name, after, text, captures);
        }
        let end = if fixed.is_empty() { word_end(text) } else { text.find(fixed)? };
        let (value, rest) = text.split_at(end);
        if value.is_empty() || value.contains(' ') {
            return None;
        }
        captures.push((name, value));
        text = rest.strip_prefix(fixed)?;
        template = next;
    }
    Some(())
}

/// Matches the rest of a template from its end, so that the greedy capture takes the most.
fn greedy<'t>(
    name: &'static str,
    mut template: &'static str,
    mut text: &'t str,
    captures: &mut Vec<(&'static str, &'t str)>,
) -> Option<()> {
    while let Some((before, capture)) = template.rsplit_once('{') {
        let (capture, fixed) = capture.split_once('}')?;
        // Of the fixed text before the capture, the last place counts.
        let (_, separator) = before.rsplit_once('}').unwrap_or(("", before));
        let end = if fixed.is_empty() { text.len() } else { text.rfind(fixed)? };
        let head = text.get(..end)?;
        let start = head.rfind(separator)?;
        let value = head.get(start + separator.len()..)?;
        let (capture, value) = match capture.strip_suffix('>') {
            Some(capture) => (capture, value),
            None => (capture, value.get(..word_end(value))?),
        };
        if value.is_empty() {
            return None;
        }
        captures.push((capture, value));
        text = text.get(..start)?;
        template = before.strip_suffix(separator)?;
    }
    let end = if template.is_empty() { text.len() } else { text.rfind(template)? };
    captures.push((name, text.get(..end)?));
    Some(())
}

/// A word ends at a blank or a comma. `40000:11:` is a port with something behind it, unlike an address.
fn word_end(text: &str) -> usize {
    let end = text.find([' ', ',']).unwrap_or(text.len());
    let word = text.get(..end).unwrap_or(text).trim_end_matches(':');
    let digits = word.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    match word.find(':') {
        Some(place) if digits && place > 0 && word.parse::<IpAddr>().is_err() => place,
        _ => word.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(template: &'static str, text: &str) -> Option<String> {
        let mut captures = Vec::new();
        matches(template, text, &mut captures)?;
        Some(captures.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn words_and_the_rest() {
        assert_eq!(
            captured("({user}) CMD ({command>}", "(root) CMD (a b)").unwrap(),
            "user=root command=a b)"
        );
        assert_eq!(
            captured("new user: name={user}, UID={uid}", "new user: name=eve, UID=7, GID=7").unwrap(),
            "user=eve uid=7"
        );
        assert_eq!(
            captured("from {ip} port {p}", "from 2001:db8::1%eth0 port 40000:11: x").unwrap(),
            "ip=2001:db8::1%eth0 p=40000"
        );
        assert_eq!(captured("x {a}", "y 1"), None);
        assert_eq!(captured("x {a} y", "x 1 2 y"), None, "a plain capture is one word");
    }

    #[test]
    fn a_chosen_name_cannot_pass_for_the_text_behind_it() {
        let template = "Failed {method} for invalid user {user*} from {src_ip} port {src_port}";
        let line = "Failed password for invalid user a from 192.0.2.1 port 1 from 203.0.113.24 port 55 ssh2";
        assert_eq!(
            captured(template, line).unwrap(),
            "method=password src_port=55 src_ip=203.0.113.24 user=a from 192.0.2.1 port 1"
        );
        assert_eq!(captured("{user*} left", "a b left").unwrap(), "user=a b");
        assert_eq!(
            captured("{user*} from {ip} not, {why>}", "a from 1 not, it is b").unwrap(),
            "why=it is b ip=1 user=a"
        );
    }
}
