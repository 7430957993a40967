//! What people and programs show: made, written and read in one form.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use garrison_base::{Entropy, InvitationId, TenantId};

/// A credential: whose (tenant and id), and the secret itself. `gse_...`, `gtk_...`, `gin_...`, `gen_...`,
/// `glo_...`: the first letters let scanners of source code find one that was left somewhere.
pub(crate) struct Shown<I> {
    pub(crate) tenant: TenantId,
    pub(crate) id: I,
    pub(crate) secret: String,
}

/// What a credential is for.
pub(crate) trait Kind {
    const SHOWN: &'static str;
    /// The purpose of its tag.
    const PURPOSE: &'static str;
    /// What stands before the underscore of the id.
    const ID_PREFIX: &'static str;
}

macro_rules! kinds {
    ($($id:ty, $prefix:literal, $purpose:literal;)*) => { $(
        impl Kind for $id {
            const SHOWN: &'static str = $prefix;
            const PURPOSE: &'static str = $purpose;
            const ID_PREFIX: &'static str = <$id>::PREFIX;
        }
    )* };
}

kinds! {
    garrison_base::SessionId, "gse_", "session";
    garrison_base::TokenId, "gtk_", "token";
    garrison_base::LoginId, "glo_", "login";
    InvitationId, "gin_", "invitation";
    garrison_base::HandOverId, "gen_", "hand-over";
}

/// A new secret of 256 bits.
pub(crate) fn fresh_secret(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

impl<I: Kind + fmt::Display> Shown<I> {
    /// The bytes whose tag is stored.
    pub(crate) fn tagged(&self) -> Vec<u8> {
        tagged(&self.id, &self.secret)
    }
}

/// The bytes of id and secret whose tag is stored.
pub(crate) fn tagged(id: &impl fmt::Display, secret: &str) -> Vec<u8> {
    format!("{id}/{secret}").into_bytes()
}

impl<I: Kind + fmt::Display> fmt::Display for Shown<I> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare = |id: String| id.split_once('_').map(|(_, bare)| bare.to_owned()).unwrap_or(id);
        write!(
            out,
            "{}{}.{}.{}",
            I::SHOWN,
            bare(self.tenant.to_string()),
            bare(self.id.to_string()),
            self.secret
        )
    }
}

impl<I: Kind + FromStr> FromStr for Shown<I> {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.strip_prefix(I::SHOWN).ok_or(())?.splitn(3, '.');
        let mut part = || parts.next().ok_or(());
        let tenant = format!("{}_{}", TenantId::PREFIX, part()?).parse().map_err(|_| ())?;
        let id = format!("{}_{}", I::ID_PREFIX, part()?).parse().map_err(|_| ())?;
        Ok(Self { tenant, id, secret: part()?.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use garrison_base::SessionId;

    use super::*;

    #[test]
    fn written_and_read() {
        struct Sevens;
        impl Entropy for Sevens {
            fn fill(&self, bytes: &mut [u8]) {
                bytes.fill(7);
            }
        }
        let now = garrison_base::Timestamp::UNIX_EPOCH;
        let shown = Shown {
            tenant: TenantId::new(now, &Sevens),
            id: SessionId::new(now, &Sevens),
            secret: fresh_secret(&Sevens),
        };
        let text = shown.to_string();
        let read: Shown<SessionId> = text.parse().unwrap();
        assert!(read.tenant == shown.tenant && read.id == shown.id && read.secret == shown.secret);
        for bad in ["", "gse_", "gse_a.b.c", &text.replace("gse_", "gtk_"), &text[..20]] {
            assert!(bad.parse::<Shown<SessionId>>().is_err(), "{bad}");
        }
    }
}
