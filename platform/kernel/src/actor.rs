//! Who acts, and from where.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use garrison_base::{BadId, GroupId, NodeId, PersonId, ServiceId, TenantId};
use serde::{Deserialize, Serialize};

use crate::Verb;

/// A part of Garrison that acts by itself. Each is named, so that the record tells which one it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct System(&'static str);

impl System {
    /// Sets up a tenant.
    pub const SETUP: Self = Self("setup");
    /// Proves who somebody is.
    pub const LOGIN: Self = Self("login");
    /// Does what is due.
    pub const TIMER: Self = Self("timer");
    /// Follows facts of other domains.
    pub const FOLLOWER: Self = Self("follower");
    /// Somebody at the machine's own console, who may read the key file.
    pub const CONSOLE: Self = Self("console");
    /// Keeps logs.
    pub const LOGS: Self = Self("logs");
    /// Judges logs.
    pub const DETECTION: Self = Self("detection");
    /// Tells people and other systems.
    pub const NOTICES: Self = Self("notices");
    /// Puts the record before those who review it.
    pub const COMPLIANCE: Self = Self("compliance");

    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::SETUP,
        Self::LOGIN,
        Self::TIMER,
        Self::FOLLOWER,
        Self::CONSOLE,
        Self::LOGS,
        Self::DETECTION,
        Self::NOTICES,
        Self::COMPLIANCE,
    ];
}

/// The id of whoever acts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActorId {
    /// A person.
    Person(PersonId),
    /// A service account.
    Service(ServiceId),
    /// Garrison itself.
    System(System),
}

impl ActorId {
    /// `person`, `service` or `system`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Service(_) => "service",
            Self::System(_) => "system",
        }
    }
}

impl fmt::Display for ActorId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => id.fmt(out),
            Self::Service(id) => id.fmt(out),
            Self::System(System(name)) => write!(out, "sys_{name}"),
        }
    }
}

impl fmt::Debug for ActorId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for ActorId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = BadId { prefix: "per_... or svc" };
        match text.split_once('_') {
            Some(("per", _)) => text.parse().map(Self::Person),
            Some(("svc", _)) => text.parse().map(Self::Service),
            Some(("sys", name)) => {
                System::ALL.into_iter().find(|system| system.0 == name).map(Self::System).ok_or(bad)
            }
            _ => Err(bad),
        }
    }
}

/// Who can hold a grant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// One actor.
    Actor(ActorId),
    /// All members of a group.
    Group(GroupId),
}

impl fmt::Display for Holder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Actor(id) => id.fmt(out),
            Self::Group(id) => id.fmt(out),
        }
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for Holder {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        if text.starts_with("grp_") { text.parse().map(Self::Group) } else { text.parse().map(Self::Actor) }
            .map_err(|_| BadId { prefix: "per_..., svc_... or grp" })
    }
}

macro_rules! text_serde {
    ($name:ident, $pattern:literal) => {
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                garrison_base::id::deserialize(from)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::schema::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some($pattern))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

text_serde!(ActorId, "^((per|svc)_[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}|sys_[a-z]+)$");
text_serde!(Holder, "^(per|svc|grp)_[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$");
crate::text_cells!(ActorId, Holder);

/// How a request came in: the record's access method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// The web page.
    Console,
    /// A program, with an API token.
    Api,
    /// The command line.
    Cli,
    /// The bastion.
    Ssh,
    /// An agent on a host.
    Agent,
    /// Garrison itself.
    System,
}

/// Where a request came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// How.
    pub method: Method,
    /// The address of the other end.
    pub ip: IpAddr,
    /// Its port.
    pub port: u16,
    /// What it says it is: a program's name and version.
    pub agent: String,
    /// The session or token; `none` where there is none.
    pub session: String,
    /// One request, in the record, the answer and the program's own log.
    pub request: String,
    /// The caller's name for this request: the same name never acts twice.
    pub idempotency_key: Option<String>,
}

impl Origin {
    /// Garrison itself.
    pub fn system(request: impl Into<String>) -> Self {
        Self {
            method: Method::System,
            ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            agent: "garrison".into(),
            session: "none".into(),
            request: request.into(),
            idempotency_key: None,
        }
    }
}

/// What an API token may do at most: it never adds a right, it only takes away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenLimits {
    /// Only these verbs; a verb may end in `:*`. Empty means none.
    pub verbs: Vec<String>,
    /// Only at this node and below.
    pub node: NodeId,
}

impl TokenLimits {
    /// Whether the token reaches the verb.
    pub fn reach(&self, verb: Verb) -> bool {
        self.verbs.iter().any(|known| match known.strip_suffix(":*") {
            Some(noun) => verb.noun() == noun,
            None => known == "*" || known == verb.as_str(),
        })
    }
}

/// Who acts, now: an identity that was proven, and where the request came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Who.
    pub id: ActorId,
    /// The tenant, outside of which nothing exists for this actor.
    pub tenant: TenantId,
    /// From where.
    pub origin: Origin,
    /// The limits of the token that was shown, if it was one.
    pub limits: Option<TokenLimits>,
}

impl Actor {
    /// A part of Garrison acts in a tenant.
    pub fn system(system: System, tenant: TenantId, origin: Origin) -> Self {
        Self { id: ActorId::System(system), tenant, origin, limits: None }
    }
}
