use garrison_base::{DepositId, LoginId};
use garrison_kernel::{
    Act, ActorId, Done, Holder, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx,
};
use serde::{Deserialize, Serialize};

use crate::model::Stage;
use crate::problem::AccessError;
use crate::store::{self, Login, put_login};
use crate::totp;

/// Takes the password that a person chose by a one-time link, and makes the secret for the authenticator app.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChoosePassword {
    /// Which login.
    pub login: LoginId,
    /// Where the hash of the password was put down.
    pub password: DepositId,
}

/// What the authenticator app is given. It is shown this once.
#[derive(Debug, Serialize)]
pub struct Enrolment {
    /// The address that the app reads.
    pub uri: String,
    /// The secret, for typing.
    pub secret: String,
}

impl Act for ChoosePassword {
    const VERB: Verb = Verb::new("login:choose-password");
    type Output = Enrolment;
    type Fact = ();
    type Error = AccessError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, AccessError> {
        Ok(Preview::sentence("choose a password"))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, AccessError> {
        let login = store::login(&mut tx.read(), &self.login).await?.ok_or(AccessError::Ended)?;
        let (Stage::NewPassword, Some(person)) = (&login.stage, login.person) else {
            return Err(AccessError::Ended);
        };
        let active = tx.read().is_active(Holder::Actor(ActorId::Person(person)));
        if login.expires <= permit.now() || !active {
            return Err(AccessError::Ended);
        }
        let hash = tx.claim(self.password).await?;
        let password = String::from_utf8(hash).map_err(|_| KernelError::Invalid("not a hash".into()))?;
        let name = store::name_of(&mut tx.read(), person).await?;
        let secret = totp::fresh(tx.entropy());
        let (uri, shown) = totp::enrolment(&secret, &name).ok_or_else(|| {
            KernelError::Invalid(format!("`{name}` cannot be shown in an authenticator app"))
        })?;
        let totp = tx.conceal(&format!("access_credential/{person}"), &secret);
        put_login(tx, &Login { stage: Stage::Enrol { password, totp, wrong: 0 }, ..login }).await?;
        let summary = Summary::of(format!("`{name}` chose a password")).object(person);
        Ok(Done::new(Enrolment { uri, secret: shown }, summary, ()))
    }
}
