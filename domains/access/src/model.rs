//! The words of access: how a login goes on, how long a session lives, how long one must wait.

use std::net::IpAddr;

use garrison_base::{NodeId, PersonId, SessionId, Timestamp, TokenId};
use garrison_kernel::{ActorId, Method};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How long sessions and logins live. Part of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionLimits {
    /// Minutes without a request after which a session ends.
    pub idle_minutes: u32,
    /// Hours after which a session ends in any case.
    pub absolute_hours: u32,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { idle_minutes: 30, absolute_hours: 12 }
    }
}

/// How long one login may take.
pub(crate) const LOGIN_TIME: SignedDuration = SignedDuration::from_mins(10);
/// How long a one-time link opens something.
pub(crate) const INVITATION_TIME: SignedDuration = SignedDuration::from_hours(24);
/// How long a link that hands a session over opens something.
pub(crate) const HAND_OVER_TIME: SignedDuration = SignedDuration::from_mins(10);
/// After how long a session that is used gets a new secret and a new idle end.
pub(crate) const RENEWAL: SignedDuration = SignedDuration::from_mins(5);
/// For how long the secret before still counts: requests may be under way.
pub(crate) const OVERLAP: SignedDuration = SignedDuration::from_secs(60);
/// How long an API token lives at most.
pub(crate) const TOKEN_DAYS: u32 = 365;

/// What a session is used from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionKind {
    /// A browser.
    #[default]
    Web,
    /// The command line.
    Cli,
}

impl SessionKind {
    /// The access method of what is done from there.
    pub(crate) fn method(self) -> Method {
        match self {
            Self::Web => Method::Console,
            Self::Cli => Method::Cli,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Cli => "cli",
        }
    }
}

/// Where a login stands. Each stage carries what was proven so far; none can be skipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "stage")]
pub(crate) enum Stage {
    /// Nothing is proven. `wrong`: how often it was tried.
    Password { wrong: u8 },
    /// The password is proven.
    Code { wrong: u8 },
    /// The link is proven; a password is to be chosen.
    NewPassword,
    /// A password is chosen; the authenticator app is to prove that it works. Both wait here, sealed.
    Enrol { password: String, totp: Vec<u8>, wrong: u8 },
    /// Done, or failed too often.
    Ended,
}

/// How often one login may fail before it must be begun again.
const WRONG: u8 = 5;

impl Stage {
    /// After another wrong proof.
    pub(crate) fn wrong(self) -> Self {
        match self {
            Self::Password { wrong } if wrong + 1 < WRONG => Self::Password { wrong: wrong + 1 },
            Self::Code { wrong } if wrong + 1 < WRONG => Self::Code { wrong: wrong + 1 },
            Self::Enrol { password, totp, wrong } if wrong + 1 < WRONG => {
                Self::Enrol { password, totp, wrong: wrong + 1 }
            }
            _ => Self::Ended,
        }
    }

    /// What is asked for now.
    pub(crate) fn next(&self) -> Next {
        match self {
            Self::Password { .. } => Next::Password,
            Self::Code { .. } => Next::Code,
            Self::NewPassword => Next::NewPassword,
            Self::Enrol { .. } => Next::Enrol,
            Self::Ended => Next::Done,
        }
    }
}

/// What a login asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Next {
    /// The password.
    Password,
    /// The code of the authenticator app, or a recovery code.
    Code,
    /// A password of one's choice.
    NewPassword,
    /// A first code of the authenticator app that was just set up.
    Enrol,
    /// Nothing more.
    Done,
}

/// How many failures are free, and how long one must wait after more: doubling, up to an hour.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    free: i64,
}

impl Backoff {
    /// For an account.
    pub(crate) const ACCOUNT: Self = Self { free: 5 };
    /// For an address: several people may sit behind one.
    pub(crate) const SOURCE: Self = Self { free: 20 };

    /// Nothing waits longer.
    pub(crate) const LONGEST: SignedDuration = SignedDuration::from_hours(1);

    /// How long to wait after so many failures.
    pub(crate) fn wait(self, failures: i64) -> Option<SignedDuration> {
        let beyond = failures - self.free;
        (beyond >= 0).then(|| {
            let doublings = u32::try_from(beyond).unwrap_or(u32::MAX).min(7);
            SignedDuration::from_secs(30_i64 << doublings).min(Self::LONGEST)
        })
    }
}

/// How many logins one source may have begun and not ended, in [`LOGIN_TIME`].
pub(crate) const BEGUN: i64 = 100;

/// After how long without failures all is forgotten.
pub(crate) const FORGOTTEN: SignedDuration = SignedDuration::from_hours(24);

/// The source that failures are counted for: an IPv4 address, or the /64 of an IPv6 address, since whoever has
/// one of its addresses has them all.
pub(crate) fn source_key(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => format!("source/{ip}"),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("source/{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// A session, as its owner sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub person: PersonId,
    /// What it is used from: `web` or `cli`.
    pub kind: String,
    /// From which address it was begun.
    pub address: String,
    /// By which program.
    pub agent: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When it was last used, to some minutes.
    #[schema(value_type = String, format = DateTime)]
    pub used: Timestamp,
    /// When it ends without another request.
    #[schema(value_type = String, format = DateTime)]
    pub idle_until: Timestamp,
    /// When it ends in any case.
    #[schema(value_type = String, format = DateTime)]
    pub absolute_until: Timestamp,
}

/// A token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenView {
    /// Its id.
    pub id: TokenId,
    /// On whose behalf it acts.
    pub actor: ActorId,
    /// What it is called.
    pub name: String,
    /// What it may do at most.
    pub verbs: Vec<String>,
    /// Where at most.
    pub node: NodeId,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_doubles_up_to_an_hour() {
        assert_eq!(Backoff::ACCOUNT.wait(4), None);
        assert_eq!(Backoff::ACCOUNT.wait(5), Some(SignedDuration::from_secs(30)));
        assert_eq!(Backoff::ACCOUNT.wait(7), Some(SignedDuration::from_secs(120)));
        assert_eq!(Backoff::ACCOUNT.wait(1_000_000), Some(SignedDuration::from_secs(3_600)));
    }

    #[test]
    fn a_login_ends_after_five_failures() {
        let mut stage = Stage::Code { wrong: 0 };
        for _ in 0..4 {
            stage = stage.wrong();
            assert_eq!(stage.next(), Next::Code);
        }
        assert_eq!(stage.wrong(), Stage::Ended);
        assert_eq!(Stage::NewPassword.wrong(), Stage::Ended);
    }

    #[test]
    fn a_network_of_ipv6_is_one_source() {
        assert_eq!(
            source_key("2001:db8:1:2:3::4".parse().unwrap()),
            source_key("2001:db8:1:2:ffff::1".parse().unwrap())
        );
        assert_ne!(source_key("192.0.2.1".parse().unwrap()), source_key("192.0.2.2".parse().unwrap()));
    }
}
