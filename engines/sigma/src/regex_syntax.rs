//! Regular expressions are written for Python's `re`; the `regex` crate reads some of that differently.

/// Rewrites what means something else to the `regex` crate: `[`, `&&`, `--` and `~~` inside a class (set
/// operations there), `\<` and `\>` (word boundaries there), `\Z`, `$`, `{,m}`, and a brace that repeats
/// nothing. `multiline` tells that `$` means the end of a line.
pub(crate) fn from_python(source: &str, multiline: bool) -> String {
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
            ('{', None) if source[place..].starts_with("{,") && is_repetition(&source[place..]) => {
                out.push_str("{0");
            }
            ('{', None) if !is_repetition(&source[place..]) => out.push_str("\\{"),
            // Python's end of text is also before a last line feed.
            ('$', None) if !multiline => out.push_str("(?:\\n?\\z)"),
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
    (!low.is_empty() || !high.is_empty()) && digits(low) && digits(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_rewritten() {
        assert_eq!(from_python(r"[[a&&b]", false), r"[\[a\&\&b]");
        assert_eq!(from_python(r"\$\{a}{2,3}{x}", false), r"\$\{a}{2,3}\{x}");
        assert_eq!(from_python(r"[]a]\<\Z", false), r"[\]a]<\z");
        assert_eq!(from_python(r"clip]::\(\s\\", false), r"clip]::\(\s\\");
        assert_eq!(from_python("trailing\\", false), "trailing\\");
    }

    #[test]
    fn ends_and_open_repetitions_are_python_s() {
        let matches =
            |source: &str, text: &str| regex::Regex::new(&from_python(source, false)).unwrap().is_match(text);
        assert!(matches("foo$", "foo\n") && matches("foo$", "foo") && !matches("foo$", "foo\nbar"));
        assert!(matches("^a{,3}b$", "aab") && !matches("^a{,3}b$", "aaaab"));
    }

    #[test]
    fn the_result_compiles() {
        for source in [r"[[a&&b]", r"\$\{a}{2,3}{x}", r"[^]~~a-z--]", r"(?i)\$\{`?e`?n`?v`?:`?p\}", "[+--]"] {
            regex::Regex::new(&from_python(source, false)).unwrap();
        }
    }
}
