use garrison_base::{InvitationId, LoginId, PersonId};
use garrison_kernel::{
    Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Tenanted, Verb, WriteTx, tenanted,
};
use serde::{Deserialize, Serialize};

use crate::credential::{Kind as _, Shown, fresh_secret};
use crate::model::{LOGIN_TIME, Next, SessionKind, Stage, source_key};
use crate::problem::AccessError;
use crate::store::{self, Login, put_login};

/// Begins a login: makes the one state object that all its steps hang on.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeginLogin {
    /// The name that was given; `link` where a one-time link was shown.
    pub claimed: String,
    /// The person of that name, if there is one.
    pub person: Option<PersonId>,
    /// The one-time link that was shown and is right.
    pub invitation: Option<InvitationId>,
    /// For what kind of session.
    pub kind: SessionKind,
}

/// A login that was begun.
#[derive(Debug, Serialize)]
pub struct Begun {
    /// What the next step shows.
    pub login: String,
    /// What is asked for.
    pub next: Next,
}

impl Act for BeginLogin {
    const VERB: Verb = Verb::new("login:begin");
    type Output = Begun;
    type Fact = ();
    type Error = AccessError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, AccessError> {
        Ok(Preview::sentence("begin a login"))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, AccessError> {
        const FORGET: Tenanted =
            tenanted!("DELETE FROM access_login WHERE tenant = {tenant} AND expires < $2");
        tx.run(FORGET, vec![permit.now().into()]).await?;
        let source = source_key(permit.actor().origin.ip);
        if let Some(until) = store::locked_until(&mut tx.read(), &[&source]).await? {
            return Err(KernelError::TooMany { until }.into());
        }
        let stage = match self.invitation {
            Some(_) => Stage::NewPassword,
            None => Stage::Password { wrong: 0 },
        };
        let id = LoginId::new(permit.now(), tx.entropy());
        let shown = Shown { tenant: permit.tenant(), id, secret: fresh_secret(tx.entropy()) };
        let begun = Begun { login: shown.to_string(), next: stage.next() };
        let row = Login {
            id,
            node: permit.node(),
            tag: tx.tag(LoginId::PURPOSE, &shown.tagged()),
            person: self.person,
            claimed: self.claimed.clone(),
            invitation: self.invitation,
            kind: self.kind,
            source,
            stage,
            expires: permit.now().saturating_add(LOGIN_TIME).unwrap_or(permit.now()),
        };
        put_login(tx, &row).await?;
        let summary = Summary::of(format!("a login of `{}` began", self.claimed));
        let summary = match self.person {
            Some(person) => summary.object(person),
            None => summary.object(id),
        };
        Ok(Done::new(begun, summary, ()))
    }
}
