use garrison_base::{LoginId, PersonId, Timestamp};
use garrison_kernel::{Act, Done, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};

use crate::model::{Backoff, Next, SessionLimits, Stage};
use crate::problem::AccessError;
use crate::session::{ends, start_session};
use crate::store::{self, Credential, Login, put_credential, put_login};

/// Records what a proof of a login was worth, and goes on.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProveLogin {
    /// Which login.
    pub login: LoginId,
    /// What was shown, already judged.
    pub proof: Proof,
    /// How long the session may live.
    pub limits: SessionLimits,
}

/// A proof that was judged.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Proof {
    /// A password.
    Password {
        /// Whether it is right.
        right: bool,
    },
    /// A code of an authenticator app.
    Code {
        /// Its time step, if it is right.
        step: Option<i64>,
    },
    /// A recovery code.
    Recovery {
        /// Its stored form, if it is right.
        code: Option<String>,
    },
}

impl Proof {
    fn is_right(&self) -> bool {
        match self {
            Self::Password { right } => *right,
            Self::Code { step } => step.is_some(),
            Self::Recovery { code } => code.is_some(),
        }
    }
}

/// What came of a step.
#[derive(Debug, Serialize)]
pub struct Proved {
    /// Whether the proof counts.
    pub right: bool,
    /// What is asked for now.
    pub next: Next,
    /// The secret of the session, when this was the last step.
    pub session: Option<String>,
    /// Until when nothing more is accepted.
    pub locked_until: Option<Timestamp>,
}

impl Act for ProveLogin {
    const VERB: Verb = Verb::new("login:prove");
    type Output = Proved;
    type Fact = ();
    type Error = AccessError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, AccessError> {
        Ok(Preview::sentence("go on with a login"))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, AccessError> {
        let login = store::login(&mut tx.read(), &self.login).await?.ok_or(AccessError::Ended)?;
        // Many guesses can be under way at once; what counts is what is true when each is recorded.
        let locked = store::locked_until(&mut tx.read(), &[&account_key(&login), &login.source]).await?;
        let fits = matches!(
            (&login.stage, &self.proof),
            (Stage::Password { .. }, Proof::Password { .. })
                | (Stage::Code { .. }, Proof::Code { .. } | Proof::Recovery { .. })
        );
        if !fits || login.expires <= permit.now() {
            return Err(AccessError::Ended);
        }
        match (login.person, locked) {
            (Some(person), None) if self.proof.is_right() => self.right(permit, tx, (login, person)).await,
            (_, locked) => wrong(permit, tx, login, locked).await,
        }
    }
}

impl ProveLogin {
    async fn right(
        &self,
        permit: &Permit<Self>,
        tx: &mut WriteTx<'_>,
        (login, person): (Login, PersonId),
    ) -> Result<Done<Self>, AccessError> {
        let name = login.claimed.clone();
        if matches!(self.proof, Proof::Password { .. }) {
            let stage = Stage::Code { wrong: 0 };
            put_login(tx, &Login { stage: stage.clone(), ..login }).await?;
            let proved = Proved { right: true, next: stage.next(), session: None, locked_until: None };
            return Ok(Done::new(
                proved,
                Summary::of(format!("`{name}` proved the password")).object(person),
                (),
            ));
        }
        if !self.use_up(tx, person).await? {
            return wrong(permit, tx, login, None).await;
        }
        store::clear_failures(tx, &account_key(&login)).await?;
        let ends = ends(permit.now(), self.limits);
        let (_, session) = start_session(permit, tx, (person, login.kind), ends).await?;
        put_login(tx, &Login { stage: Stage::Ended, ..login }).await?;
        let proved = Proved { right: true, next: Next::Done, session: Some(session), locked_until: None };
        Ok(Done::new(proved, Summary::of(format!("`{name}` logged in")).object(person), ()))
    }

    /// A code counts once: whether it still did, in this transaction.
    async fn use_up(&self, tx: &mut WriteTx<'_>, person: PersonId) -> Result<bool, AccessError> {
        let Some(before) = store::credential(&mut tx.read(), &person).await? else { return Ok(false) };
        let after = match &self.proof {
            Proof::Code { step: Some(step) } if *step > before.totp_step => {
                Credential { totp_step: *step, ..before }
            }
            Proof::Recovery { code: Some(code) } if before.recovery.contains(code) => {
                let recovery = before.recovery.iter().filter(|known| *known != code).cloned().collect();
                Credential { recovery, ..before }
            }
            _ => return Ok(false),
        };
        put_credential(tx, &after).await?;
        Ok(true)
    }
}

/// What failures of an account are counted for: the name, whether or not somebody has it.
pub(crate) fn account_key(login: &Login) -> String {
    format!("account/{}", login.claimed)
}

async fn wrong(
    permit: &Permit<ProveLogin>,
    tx: &mut WriteTx<'_>,
    login: Login,
    locked: Option<Timestamp>,
) -> Result<Done<ProveLogin>, AccessError> {
    let at = (login.node, permit.now());
    // While locked nothing is counted: a lock must end although somebody goes on trying.
    let until = if let Some(until) = locked {
        Some(until)
    } else {
        let account = store::count_failure(tx, at, &account_key(&login), Backoff::ACCOUNT).await?;
        account.max(store::count_failure(tx, at, &login.source, Backoff::SOURCE).await?)
    };
    let stage = login.stage.clone().wrong();
    let words = match locked {
        Some(_) => format!("a login of `{}` was refused: too many failures before", login.claimed),
        None => format!("a login of `{}` failed", login.claimed),
    };
    let summary = Summary::failure(words);
    let summary = match login.person {
        Some(person) => summary.object(person),
        None => summary.object(login.id),
    };
    let proved = Proved { right: false, next: stage.next(), session: None, locked_until: until };
    put_login(tx, &Login { stage, ..login }).await?;
    Ok(Done::new(proved, summary, ()))
}
