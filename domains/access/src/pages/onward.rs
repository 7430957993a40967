//! Where one goes after a login.

use std::fmt;

use serde::Deserialize;

/// No address of a page of ours is longer, in bytes.
const LONGEST: usize = 2_000;

/// Where a page or a form was asked to lead, as it came.
#[derive(Deserialize)]
pub(super) struct Asked {
    pub(super) next: Option<String>,
}

/// A path of this site, perhaps with a query; never an address that leads elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Onward(String);

impl Onward {
    /// What was asked for, where it is a path of this site; else the first page.
    pub(super) fn read(asked: Option<&str>) -> Self {
        Self(asked.filter(|path| is_of_this_site(path)).unwrap_or("/").to_owned())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of the login that leads there.
    pub(super) fn login(&self) -> String {
        self.behind("/login")
    }

    /// The address of a page that leads there.
    pub(super) fn behind(&self, page: &str) -> String {
        if self.0 == "/" {
            return page.to_owned();
        }
        format!("{page}?next={}", encoded(&self.0))
    }
}

impl fmt::Display for Onward {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Browsers take `//host` and `/\host` for another host, and pass over tabs and line feeds (WHATWG URL). So only visible
/// ASCII is taken, and no backslash; whatever else an address may hold stands there encoded.
fn is_of_this_site(path: &str) -> bool {
    path.len() <= LONGEST
        && path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

/// As the value of a parameter (RFC 3986).
fn encoded(path: &str) -> String {
    let mut text = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_are_followed() {
        for path in ["/", "/alert", "/alert?state=open&from=2026-11-22T10:00:00Z#a", "/a%2F%2Fb", "/a//b"] {
            assert_eq!(Onward::read(Some(path)).as_str(), path);
        }
        let long = format!("/{}", "a".repeat(LONGEST));
        for elsewhere in [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "javascript:alert(1)",
            "evil.example",
            " /alert",
            "/alert\r\nset-cookie: a=b",
            "/搜索",
            "",
            &long,
        ] {
            assert_eq!(Onward::read(Some(elsewhere)).as_str(), "/", "{elsewhere:?}");
        }
        assert_eq!(Onward::read(None).as_str(), "/");
    }

    #[test]
    fn a_page_leads_there() {
        assert_eq!(Onward::read(None).login(), "/login");
        let search = Onward::read(Some("/search?q=a%20b&x=1#y"));
        assert_eq!(search.login(), "/login?next=/search%3Fq%3Da%2520b%26x%3D1%23y");
        assert_eq!(search.behind("/enter/x"), "/enter/x?next=/search%3Fq%3Da%2520b%26x%3D1%23y");
    }
}
