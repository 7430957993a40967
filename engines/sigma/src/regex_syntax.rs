//! Regular expressions are written for Python's `re`; the `regex` crate reads some of that differently.

/// Rewrites what means something else to the `regex` crate: `[`, `&&`, `--` and `~~` inside a class (set
/// operations there), `\<` and `\>` (word boundaries there), `\Z`, and a brace that repeats nothing.
pub(crate) fn from_python(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 8);
    let mut chars = source.char_indices().peekable();
    let mut class: Option<usize> = None;
    while let Some((place, char)) = chars.next() {
        match (char, class) {
            ('\\', _) => {
                let Some((_, escaped)) = chars.next() else {
                    out.push('\\');
                    break;
                };
                push_escape(&mut out, escaped);
            }
            ('[', None) => {
                out.push('[');
                if let Some((_, caret)) = chars.next_if(|(_, next)| *next == '^') {
                    out.push(caret);
                }
                // A bracket right after the opening one is itself.
                if chars.next_if(|(_, next)| *next == ']').is_some() {
                    out.push_str("\\]");
                }
                class = Some(out.len());
            }
            (']', Some(_)) => {
                out.push(']');
                class = None;
            }
            ('[' | '&' | '~', Some(_)) => out.extend(['\\', char]),
            ('-', Some(start)) if out.len() > start && chars.peek().is_some_and(|(_, next)| *next == '-') => {
                // `a--` is the range from `a` to `-` in Python; the crate would subtract.
                chars.next();
                out.push_str("-\\-");
            }
            ('{', None) if !is_repetition(&source[place..]) => out.push_str("\\{"),
            _ => out.push(char),
        }
    }
    out
}

fn push_escape(out: &mut String, escaped: char) {
    match escaped {
        '<' | '>' | ' ' | '"' | '\'' | '/' | '`' | ',' | ';' | ':' | '=' | '@' | '%' | '!' | '_' => {
            out.push(escaped);
        }
        'Z' => out.push_str("\\z"),
        other => out.extend(['\\', other]),
    }
}

/// Whether the text begins with `{n}`, `{n,}`, `{,m}` or `{n,m}`.
fn is_repetition(text: &str) -> bool {
    let Some((inside, _)) = text.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
        return false;
    };
    let (low, high) = inside.split_once(',').unwrap_or((inside, inside));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !low.is_empty() && digits(low) && digits(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_rewritten() {
        assert_eq!(from_python(r"[[a&&b]"), r"[\[a\&\&b]");
        assert_eq!(from_python(r"\$\{a}{2,3}{x}"), r"\$\{a}{2,3}\{x}");
        assert_eq!(from_python(r"[]a]\<\Z"), r"[\]a]<\z");
        assert_eq!(from_python(r"clip]::\(\s\\"), r"clip]::\(\s\\");
        assert_eq!(from_python("trailing\\"), "trailing\\");
    }

    #[test]
    fn the_result_compiles() {
        for source in [r"[[a&&b]", r"\$\{a}{2,3}{x}", r"[^]~~a-z--]", r"(?i)\$\{`?e`?n`?v`?:`?p\}", "[+--]"] {
            regex::Regex::new(&from_python(source)).unwrap();
        }
    }
}
