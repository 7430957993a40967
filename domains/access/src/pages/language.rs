//! In which language a page is read: as a link chose it, as a cookie remembers it, else as the browser prefers.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};

use super::words::{EN, Words, ZH};

/// A language that pages are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lang {
    English,
    Chinese,
}

impl Lang {
    /// Its tag (BCP 47).
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// What it calls itself.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Chinese => "简体中文",
        }
    }

    /// The one that a reader may change to.
    pub(super) fn other(self) -> Self {
        match self {
            Self::English => Self::Chinese,
            Self::Chinese => Self::English,
        }
    }

    pub(super) fn words(self) -> &'static Words {
        match self {
            Self::English => &EN,
            Self::Chinese => &ZH,
        }
    }

    /// The one that a tag asks for. Whoever reads any Chinese is better served by Chinese than by English.
    fn of_tag(tag: &str) -> Option<Self> {
        let language = tag.trim().split('-').next().unwrap_or_default();
        if language.eq_ignore_ascii_case("en") {
            return Some(Self::English);
        }
        language.eq_ignore_ascii_case("zh").then_some(Self::Chinese)
    }
}

/// Who reads a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reader {
    pub(super) lang: Lang,
    /// Whether the language was chosen just now, and is to be remembered.
    chosen: bool,
}

impl Reader {
    /// The cookie that remembers the language, where one is due. It is no secret; the console sets it too.
    pub(super) fn cookie(self) -> Option<HeaderValue> {
        let remember = |lang| match lang {
            Lang::English => "lang=en; Path=/; Max-Age=31536000; SameSite=Lax; Secure",
            Lang::Chinese => "lang=zh-CN; Path=/; Max-Age=31536000; SameSite=Lax; Secure",
        };
        self.chosen.then(|| HeaderValue::from_static(remember(self.lang)))
    }

    fn of(query: Option<&str>, headers: &HeaderMap) -> Self {
        let asked = query.unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("lang="));
        if let Some(lang) = asked.and_then(Lang::of_tag) {
            return Self { lang, chosen: true };
        }
        let texts = |name| headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        let cookies = texts(header::COOKIE).flat_map(|value| value.split(';'));
        let mut named = cookies.filter_map(|pair| pair.trim().strip_prefix("lang="));
        let remembered = named.find_map(Lang::of_tag);
        let lang = remembered.or_else(|| texts(header::ACCEPT_LANGUAGE).find_map(preferred));
        Self { lang: lang.unwrap_or(Lang::English), chosen: false }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Reader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts.uri.query(), &parts.headers))
    }
}

/// The one of our languages that is liked best (RFC 9110, section 12.5.4); of two that are liked alike, the first.
fn preferred(accept: &str) -> Option<Lang> {
    let liked = accept.split(',').filter_map(|range| {
        let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
        let weight: f32 = weight.trim().strip_prefix("q=")?.parse().ok()?;
        Lang::of_tag(tag).filter(|_| weight > 0.0).map(|lang| (lang, weight))
    });
    liked.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(lang, _)| lang)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_s_preference_counts() {
        for (accept, lang) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Some(Lang::Chinese)),
            ("en-US,en;q=0.9,zh-CN;q=0.8", Some(Lang::English)),
            ("de-DE, de;q=0.9, zh;q=0.2, en;q=0.5", Some(Lang::English)),
            ("ZH-hant-TW", Some(Lang::Chinese)),
            ("zh;q=0, en;q=0.1", Some(Lang::English)),
            ("fr, zh;q=x", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(preferred(accept), lang, "{accept}");
        }
    }

    #[test]
    fn what_was_chosen_counts_before_what_is_remembered_before_what_is_preferred() {
        let headers = |pairs: &[(header::HeaderName, &'static str)]| {
            pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
        };
        let chinese: HeaderMap =
            headers(&[(header::COOKIE, "a=b; lang=zh-CN"), (header::ACCEPT_LANGUAGE, "en")]);
        let reader = |lang, chosen| Reader { lang, chosen };
        assert_eq!(Reader::of(Some("next=/x&lang=en"), &chinese), reader(Lang::English, true));
        assert_eq!(Reader::of(Some("lang=fr"), &chinese), reader(Lang::Chinese, false));
        assert_eq!(Reader::of(None, &chinese), reader(Lang::Chinese, false));
        let nonsense: HeaderMap =
            headers(&[(header::COOKIE, "xlang=zh; lang="), (header::ACCEPT_LANGUAGE, "zh")]);
        assert_eq!(Reader::of(None, &nonsense), reader(Lang::Chinese, false));
        assert_eq!(Reader::of(None, &HeaderMap::new()), reader(Lang::English, false));
        assert_eq!(reader(Lang::English, false).cookie(), None);
        assert!(reader(Lang::Chinese, true).cookie().unwrap().to_str().unwrap().starts_with("lang=zh-CN;"));
    }
}
