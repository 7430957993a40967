//! `key=value` pairs: logfmt, and the logs of many devices.

use std::borrow::Cow;

use garrison_base::{Fields, limits};

/// Decodes a line of pairs. A value may stand in double quotes, with backslash escapes. At least two pairs
/// must be there, and pairs must be most of the line, or it is text that happens to hold an equals sign.
pub(crate) fn decode(text: &str) -> Option<Fields<'_>> {
    let mut fields = Fields::default();
    let (mut pairs, mut words) = (0, 0);
    let mut rest = text.trim_start();
    while !rest.is_empty() && fields.len() < limits::FIELDS {
        let end = rest.find([' ', '=', '\t', '"']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if let Some(after) = after.strip_prefix('=').filter(|_| is_name(name)) {
            let (value, after) = value(after);
            fields.push(name, value);
            pairs += 1;
            rest = after;
        } else {
            words += 1;
            rest = after.split_once([' ', '\t']).map_or("", |(_, after)| after);
        }
        rest = rest.trim_start_matches([' ', '\t', ',', ';']);
    }
    (pairs >= 2 && pairs >= words).then_some(fields)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.@/".contains(&byte))
}

fn value(text: &str) -> (Cow<'_, str>, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '\t']).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return (Cow::Borrowed(value.trim_end_matches([',', ';'])), rest);
    };
    let mut escaped = false;
    let mut plain = String::new();
    for (place, char) in quoted.char_indices() {
        match char {
            '"' if !escaped => {
                let rest = quoted.get(place + 1..).unwrap_or_default();
                let verbatim = quoted.get(..place).unwrap_or_default();
                let value = if plain == verbatim { Cow::Borrowed(verbatim) } else { Cow::Owned(plain) };
                return (value, rest);
            }
            '\\' if !escaped => escaped = true,
            char => {
                plain.push(match char {
                    'n' if escaped => '\n',
                    't' if escaped => '\t',
                    char => char,
                });
                escaped = false;
            }
        }
    }
    (Cow::Borrowed(quoted), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        let fields = decode(text)?;
        Some(
            fields
                .iter()
                .map(|(name, value)| format!("{name}={}", value.to_text()))
                .collect::<Vec<_>>()
                .join("|"),
        )
    }

    #[test]
    fn pairs_and_quotes() {
        assert_eq!(shown(r#"level=info msg="a \"b\" c" n=1"#).unwrap(), "level=info|msg=a \"b\" c|n=1");
        assert_eq!(shown("date=2026-11-22, srcip=1.2.3.4; x=").unwrap(), "date=2026-11-22|srcip=1.2.3.4|x=");
        assert_eq!(shown(r#"a="unclosed b=c"#), None);
    }

    #[test]
    fn prose_is_not_pairs() {
        assert_eq!(shown("the value x=1 is what we saw here, and y=2 there"), None);
        assert_eq!(shown("x=1"), None);
        assert_eq!(shown(""), None);
    }
}
