//! Text that people type, limited where it comes in.

use std::fmt;

/// Declares text types: what they accept is checked when they are read, and never again.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident, $max:literal, $words:literal, $fits:expr;)*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadText;

            fn try_from(text: String) -> Result<Self, BadText> {
                let fits: fn(&str) -> bool = $fits;
                let length = text.chars().count();
                if (1..=$max).contains(&length) && fits(&text) { Ok(Self(text)) } else { Err(BadText { words: $words }) }
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadText;

            fn from_str(text: &str) -> Result<Self, BadText> {
                text.to_owned().try_into()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::schema::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some($words))
                    .min_length(Some(1))
                    .max_length(Some($max))
                    .into()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {}
    )* };
}

/// Text that is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadText {
    words: &'static str,
}

impl fmt::Display for BadText {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "expected {}", self.words)
    }
}

impl std::error::Error for BadText {}

/// Whether a character shows as itself: no control characters, none that change how others are shown.
pub fn is_plain(char: char) -> bool {
    let format = matches!(char,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    !char.is_control() && !format
}

texts! {
    /// One line of words: a title, a reason.
    Line, 500, "1 to 500 characters on one line, without control characters", |text| {
        text.chars().all(is_plain) && !text.trim().is_empty()
    };
    /// The name of an element of a path.
    PathName, 100, "1 to 100 characters without `/`, control characters, or blanks at the ends", |text| {
        text.trim() == text && !text.contains('/') && text.chars().all(is_plain) && !matches!(text, "." | "..")
    };
    /// The name of an account or a group: what people type to log in.
    AccountName, 64, "1 to 64 of a-z, 0-9, `.`, `_`, `-`, beginning with a letter or digit; not `me`, and nothing that looks like an id", |text| {
        let taken = ["sys_", "per_", "svc_", "grp_"].iter().any(|prefix| text.starts_with(prefix));
        !taken && !["me", "everyone"].contains(&text) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte))
            && text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
    };
    /// An address for mail; whether it receives is found out by writing to it.
    Email, 254, "an address such as name@example.org", |text| {
        let parts = text.split_once('@');
        parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
            && text.chars().all(|char| is_plain(char) && !char.is_whitespace())
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_may_type() {
        assert!("Müller & 李".parse::<Line>().is_ok());
        for bad in ["", "  ", "a\nb", "a\u{202e}b", "a\u{61c}b", "a\u{e0041}b", "a\u{0}"] {
            assert!(bad.parse::<Line>().is_err(), "{bad:?}");
        }
        assert!("check out".parse::<PathName>().is_ok());
        for bad in ["a/b", " a", "..", "", "a\u{200b}"] {
            assert!(bad.parse::<PathName>().is_err(), "{bad:?}");
        }
        assert!("anna.berg-2".parse::<AccountName>().is_ok());
        for bad in ["Anna", "-anna", "anna berg", "änna", "me", "everyone", "sys_login", "per_1"] {
            assert!(bad.parse::<AccountName>().is_err(), "{bad:?}");
        }
        assert!(
            "a@b".parse::<Email>().is_ok()
                && "a@b@c".parse::<Email>().is_err()
                && "@b".parse::<Email>().is_err()
        );
    }
}
