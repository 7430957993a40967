//! Typed ids: `UUIDv7` (RFC 9562) as prefixed Crockford base 32 text, `node_01JDG4Q4ZK8V3T6W0R2Y5X7B9C`.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

/// Where randomness comes from. A parameter wherever it matters (invariant I7).
pub trait Entropy: Send + Sync {
    /// Fills the whole slice.
    fn fill(&self, bytes: &mut [u8]);
}

/// Text that is not the id it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadId {
    /// What was expected, such as `node`.
    pub prefix: &'static str,
}

impl fmt::Display for BadId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "not an id of this kind: `{}_` and 26 characters of base 32 are expected", self.prefix)
    }
}

impl std::error::Error for BadId {}

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The 26 characters of an id.
#[doc(hidden)]
pub fn encode(value: u128) -> String {
    (0..26)
        .rev()
        .map(|place| {
            ALPHABET.get((value >> (place * 5)) as usize & 31).map_or('0', |digit| char::from(*digit))
        })
        .collect()
}

/// The number behind 26 characters; lower case is accepted.
#[doc(hidden)]
pub fn decode(text: &str) -> Option<u128> {
    if text.len() != 26 {
        return None;
    }
    text.bytes().try_fold(0_u128, |value, byte| {
        let digit = ALPHABET.iter().position(|&known| known == byte.to_ascii_uppercase())?;
        // 26 digits hold 130 bits: the first may only be 0 to 7.
        value.checked_mul(32)?.checked_add(digit as u128)
    })
}

/// A new number: 48 bits of milliseconds, 74 bits of randomness.
#[doc(hidden)]
pub fn fresh(now: Timestamp, entropy: &dyn Entropy) -> u128 {
    let mut random = [0; 10];
    entropy.fill(&mut random);
    let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().as_u128()
}

/// Declares id types: one newtype for each kind of thing, its prefix the type.
#[macro_export]
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// What stands before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A new id; ids that are made later sort later.
            pub fn new(now: $crate::Timestamp, entropy: &dyn $crate::Entropy) -> Self {
                Self($crate::id::fresh(now, entropy))
            }

            /// The 16 bytes of the `UUIDv7`, for binary forms.
            pub fn to_bytes(self) -> [u8; 16] {
                self.0.to_be_bytes()
            }

            /// The id of 16 bytes.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(u128::from_be_bytes(bytes))
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, out: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(out, concat!($prefix, "_{}"), $crate::id::encode(self.0))
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, out: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(self, out)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::BadId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then($crate::id::decode)
                    .map(Self)
                    .ok_or($crate::BadId { prefix: $prefix })
            }
        }

        impl $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.collect_str(self)
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $crate::id::deserialize(from)
            }
        }

        #[cfg(feature = "openapi")]
        impl $crate::utoipa::PartialSchema for $name {
            fn schema() -> $crate::utoipa::openapi::RefOr<$crate::utoipa::openapi::schema::Schema> {
                $crate::id::schema($prefix)
            }
        }

        #[cfg(feature = "openapi")]
        impl $crate::utoipa::ToSchema for $name {}
    )* };
}

#[doc(hidden)]
pub fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: FromStr<Err = BadId>,
    D: serde::Deserializer<'de>,
{
    let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(from)?;
    text.parse().map_err(serde::de::Error::custom)
}

/// What the API's document says of an id.
#[cfg(feature = "openapi")]
#[doc(hidden)]
pub fn schema(prefix: &str) -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
    utoipa::openapi::schema::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .pattern(Some(format!("^{prefix}_[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{{25}}$")))
        .into()
}

ids! {
    /// A tenant: a company of its own, whose rows no other sees.
    TenantId = "ten";
    /// A node of the service tree.
    NodeId = "node";
    /// A person.
    PersonId = "per";
    /// A service account.
    ServiceId = "svc";
    /// A group of persons and service accounts.
    GroupId = "grp";
    /// A post: a named place on a node that a person fills.
    PostId = "pst";
    /// A grant: somebody holds a role at a node until a time, for a reason.
    GrantId = "grt";
    /// An act that waits for approvals.
    RequestId = "req";
    /// A login under way.
    LoginId = "lgn";
    /// A session.
    SessionId = "ses";
    /// An API token.
    TokenId = "tok";
    /// A one-time link to set up an account.
    InvitationId = "inv";
    /// A one-time link that hands a session over to a browser.
    HandOverId = "hov";
    /// A secret put down for an act that is to come.
    DepositId = "dep";
    /// A source of logs.
    SourceId = "src";
    /// A saved search.
    SearchId = "sch";
    /// A hold: what it covers is kept whatever its age.
    HoldId = "hold";
    /// A rotation of a tenant's key, or a destruction by it.
    KeyChangeId = "kch";
    /// A backup.
    BackupId = "bak";
    /// An alert.
    AlertId = "alr";
    /// A message to somewhere else.
    DeliveryId = "dlv";
    /// A review of the records of a day at a node.
    ReviewId = "rev";
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Ones;
    impl Entropy for Ones {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0xff);
        }
    }

    #[test]
    fn text_and_back() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let id = NodeId::new(now, &Ones);
        let text = id.to_string();
        assert_eq!(text.len(), "node_".len() + 26);
        assert_eq!(text.parse::<NodeId>().unwrap(), id);
        assert_eq!(text.to_ascii_lowercase().parse::<NodeId>().unwrap(), id);
        assert!(text.parse::<PersonId>().is_err());
        let later = NodeId::new("2026-11-22T10:00:01Z".parse().unwrap(), &Ones);
        assert!(later.to_string() > text);
    }

    #[test]
    fn nothing_else_is_an_id() {
        for text in
            ["", "node_", "node_8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "node_01JDG4Q4ZK8V3T6W0R2Y5X7B9U", "node_é"]
        {
            assert!(text.parse::<NodeId>().is_err(), "{text}");
        }
        assert_eq!("node_7ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse::<NodeId>().unwrap(), NodeId(u128::MAX));
    }
}
