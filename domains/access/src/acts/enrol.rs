use garrison_base::{LoginId, PersonId};
use garrison_facts::AccountSecured;
use garrison_kernel::{
    Act, ActorId, Done, Holder, NewGrant, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx,
};
use serde::{Deserialize, Serialize};

use crate::model::{SessionLimits, Stage};
use crate::problem::AccessError;
use crate::session::{ends, start_session};
use crate::store::{self, Credential, Invitation, Login, put_credential, put_invitation, put_login};
use crate::totp;

/// Takes over the password and the authenticator app, once the app has shown that it works. Sessions,
/// tokens and recovery codes from before end.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrol {
    /// Which login.
    pub login: LoginId,
    /// The time step of the code, if it is right.
    pub step: Option<i64>,
    /// How long the session may live.
    pub limits: SessionLimits,
}

/// What came of it. The codes are shown this once.
#[derive(Debug, Serialize)]
pub struct Enrolled {
    /// Whether the code was right.
    pub right: bool,
    /// Codes for the day when the app is lost.
    pub recovery_codes: Vec<String>,
    /// The secret of the session.
    pub session: Option<String>,
}

impl Act for Enrol {
    const VERB: Verb = Verb::new("login:enrol");
    type Output = Enrolled;
    type Fact = Option<AccountSecured>;
    type Error = AccessError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, AccessError> {
        Ok(Preview::sentence("set up an authenticator app"))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, AccessError> {
        let login = store::login(&mut tx.read(), &self.login).await?.ok_or(AccessError::Ended)?;
        let (Stage::Enrol { password, totp, .. }, Some(person)) = (login.stage.clone(), login.person) else {
            return Err(AccessError::Ended);
        };
        let invitation = match &login.invitation {
            Some(id) => store::invitation(&mut tx.read(), id).await?,
            None => None,
        };
        let invitation = invitation.filter(|link| link.state == "open" && link.expires > permit.now());
        let invitation = invitation.filter(|_| login.expires > permit.now()).ok_or(AccessError::Link)?;
        // The link of the first administrator belongs to nobody, and is dead once anybody can log in.
        let founds = invitation.person.is_none();
        let active = tx.read().is_active(Holder::Actor(ActorId::Person(person)));
        if !active || founds && store::any_credential(&mut tx.read()).await? {
            return Err(AccessError::Link);
        }
        let name = store::name_of(&mut tx.read(), person).await?;
        let Some(totp_step) = self.step else {
            put_login(tx, &Login { stage: login.stage.clone().wrong(), ..login }).await?;
            let enrolled = Enrolled { right: false, recovery_codes: Vec::new(), session: None };
            let summary = Summary::failure(format!("the first code of `{name}` was wrong")).object(person);
            return Ok(Done::new(enrolled, summary, None));
        };
        let recovery_codes = totp::recovery_codes(tx.entropy());
        let tags = recovery_codes
            .iter()
            .map(|code| hex(&tx.tag("recovery-code", totp::normal_code(code).as_bytes())));
        let credential = Credential {
            person,
            node: login.node,
            password,
            totp,
            totp_step,
            recovery: tags.collect(),
            changed: permit.now(),
        };
        put_credential(tx, &credential).await?;
        put_invitation(tx, &Invitation { state: "used".to_owned(), ..invitation }).await?;
        store::end_sessions(tx, person, None).await?;
        store::end_tokens(tx, ActorId::Person(person)).await?;
        store::drop_ways_in(tx, person).await?;
        if founds {
            tx.grant(first_grant(permit, person)).await?;
        }
        let ends = ends(permit.now(), self.limits);
        let (_, session) = start_session(permit, tx, (person, login.kind), ends).await?;
        put_login(tx, &Login { stage: Stage::Ended, ..login }).await?;
        let enrolled = Enrolled { right: true, recovery_codes, session: Some(session) };
        let words = if founds { ", and is the first administrator" } else { "" };
        let summary = Summary::of(format!("`{name}` set up a password and an authenticator app{words}"));
        let summary = summary.object(person);
        Ok(Done::new(enrolled, summary, Some(AccountSecured { person })))
    }
}

fn first_grant(permit: &Permit<Enrol>, person: PersonId) -> NewGrant {
    NewGrant {
        holder: Holder::Actor(ActorId::Person(person)),
        role: "administrator".to_owned(),
        node: permit.node(),
        until: None,
        duty: "founding of the tenant".to_owned(),
        reason: "the first administrator, by the link that the server printed".to_owned(),
    }
}

/// How tags are listed in a text column.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
