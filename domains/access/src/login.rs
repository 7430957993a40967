//! How somebody proves who they are: one state object, one step at a time. What is shown is judged here,
//! outside any transaction; what it is worth is an act.

use garrison_base::{AccountName, Email, InvitationId, Line, LoginId, PersonId, TenantId};
use garrison_kernel::{Actor, ActorId, Holder, KernelError, ObjectRef, Origin, Outcome, Problem, System};
use jiff::SignedDuration;
use qrcode::QrCode;
use qrcode::render::svg;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::acts::{BeginLogin, ChangePassword, ChoosePassword, Enrol, Proof, ProveLogin, account_key, hex};
use crate::credential::{Kind as _, Shown};
use crate::gate::same;
use crate::model::{INVITATION_TIME, Next, SessionKind, Stage, source_key};
use crate::problem::AccessError;
use crate::store::{self, Login};
use crate::{Access, password, totp};

pub(crate) type Tried<T> = Result<T, Box<dyn Problem>>;

/// Begins a login: by name, or by a one-time link.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Begin {
    /// The account's name.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub name: Option<String>,
    /// The tenant's name, where there is more than one.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub tenant: Option<String>,
    /// The secret of a one-time link, instead of a name.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub invitation: Option<String>,
    /// Who the first administrator is; only with the link for that.
    #[serde(default)]
    pub profile: Option<Profile>,
    /// What the session will be used from.
    #[serde(default)]
    pub kind: SessionKind,
}

/// What is known of a person.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What the person types to log in.
    pub name: AccountName,
    /// The full name.
    pub full_name: Line,
    /// Where mail reaches the person.
    pub email: Email,
}

/// Goes on with a login. Exactly one proof.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What the step before answered.
    #[schema(max_length = 500)]
    pub login: String,
    /// The password.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub password: Option<String>,
    /// A code of the authenticator app.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub code: Option<String>,
    /// A recovery code, instead of the app.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub recovery_code: Option<String>,
    /// The password of one's choice, after a one-time link.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub new_password: Option<String>,
}

/// What is asked for now, and what a step has brought.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stepped {
    /// What the next step shows.
    pub login: String,
    /// What is asked for now.
    pub next: Next,
    /// What the authenticator app is given; shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enrolment: Option<EnrolmentView>,
    /// Codes for the day when the app is lost; shown this once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recovery_codes: Vec<String>,
    /// The session's secret, for the command line. A browser gets a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// For what kind of session.
    #[serde(skip)]
    pub(crate) kind: SessionKind,
}

/// What an authenticator app is given.
#[derive(Debug, Serialize, ToSchema)]
pub struct EnrolmentView {
    /// The address that the app reads, as a QR code.
    pub uri: String,
    /// The secret, for typing.
    pub secret: String,
    /// The address as a QR code (ISO/IEC 18004), in SVG.
    pub qr: String,
}

impl EnrolmentView {
    /// None where the address is too long for a code, which no account name makes it.
    fn new(uri: String, secret: String) -> Option<Self> {
        let code = QrCode::new(uri.as_bytes()).ok()?;
        let drawn = code.render::<svg::Color<'_>>().min_dimensions(200, 200).build();
        // The prolog belongs to a file of its own, not into a page.
        let qr = drawn.split_once("?>").map_or(drawn.as_str(), |(_, svg)| svg).to_owned();
        Some(Self { uri, secret, qr })
    }
}

impl Access {
    /// Begins a login. Whether the name exists is not told, now or later.
    pub async fn begin(&self, begin: Begin, origin: &Origin) -> Tried<Stepped> {
        let kind = begin.kind;
        let origin = &Origin { method: kind.method(), ..origin.clone() };
        let act = match (&begin.name, &begin.invitation) {
            (Some(name), None) => self.begin_by_name(name, &begin, origin).await?,
            (None, Some(link)) => self.begin_by_link(link, &begin, origin).await?,
            _ => {
                return Err(
                    KernelError::Invalid("give a name, or the secret of a one-time link".into()).into()
                );
            }
        };
        let (tenant, act) = act;
        let source = source_key(origin.ip);
        let mut tx = self.look(tenant, origin).await?;
        if let Some(until) = store::begun_too_often(&mut tx, &source).await? {
            return Err(KernelError::TooMany { until }.into());
        }
        drop(tx);
        let actor = Actor::system(System::LOGIN, tenant, origin.clone());
        match self.kernel.act(&actor, act).await? {
            Outcome::Done(begun) => Ok(Stepped::plain(begun.login, begun.next, kind)),
            Outcome::Waiting(_) => Err(AccessError::Ended.into()),
        }
    }

    async fn begin_by_name(
        &self,
        name: &str,
        begin: &Begin,
        origin: &Origin,
    ) -> Tried<(TenantId, BeginLogin)> {
        // As names are: however it was typed, and whether or not there is one, it is one name.
        let name = &name.trim().to_lowercase();
        let tenants = self.kernel.tenants().await?;
        let wanted = begin.tenant.as_deref();
        // A tenant that does not exist behaves like a name that does not.
        let known = tenants.iter().find(|(_, name)| wanted.is_none_or(|wanted| wanted == name));
        let (tenant, _) = known.or(tenants.first()).ok_or(KernelError::NotFound)?;
        let person = match known {
            Some(_) => store::person_named(&mut self.look(*tenant, origin).await?, name).await?,
            None => None,
        };
        let claimed: String = name.chars().filter(|char| garrison_base::is_plain(*char)).take(64).collect();
        Ok((*tenant, BeginLogin { claimed, person, invitation: None, kind: begin.kind }))
    }

    async fn begin_by_link(
        &self,
        link: &str,
        begin: &Begin,
        origin: &Origin,
    ) -> Tried<(TenantId, BeginLogin)> {
        let (shown, person) = self.open_link(link, origin).await?;
        let invalid = |detail: &str| Box::<dyn Problem>::from(KernelError::Invalid(detail.to_owned()));
        let person = match (person, &begin.profile) {
            (Some(person), None) => person,
            (None, Some(profile)) => self.founder(shown.tenant, profile, origin).await?,
            (Some(_), Some(_)) => return Err(invalid("profile: this link belongs to a person already")),
            (None, None) => return Err(invalid("profile: the first administrator must tell who that is")),
        };
        let act = BeginLogin {
            claimed: "link".into(),
            person: Some(person),
            invitation: Some(shown.id),
            kind: begin.kind,
        };
        Ok((shown.tenant, act))
    }

    /// A link that opens something, and for whom.
    pub(crate) async fn open_link(
        &self,
        link: &str,
        origin: &Origin,
    ) -> Tried<(Shown<InvitationId>, Option<PersonId>)> {
        let shown: Shown<InvitationId> = link.parse().map_err(|()| AccessError::Link)?;
        let mut tx =
            self.look(shown.tenant, origin).await.map_err(|error| unknown(error, AccessError::Link))?;
        let row = store::invitation(&mut tx, &shown.id).await?.ok_or(AccessError::Link)?;
        let tag = self.kernel.tag(InvitationId::PURPOSE, &shown.tagged());
        let first_is_there = row.person.is_none() && store::any_credential(&mut tx).await?;
        let gone = row.person.is_some_and(|person| !tx.is_active(Holder::Actor(ActorId::Person(person))));
        // One that ends later than any does was made by a clock that was ahead.
        let left = row.expires.duration_since(tx.now());
        let lives = row.state == "open" && left > SignedDuration::ZERO && left <= INVITATION_TIME;
        if !same(&tag, &row.tag) || !lives || first_is_there || gone {
            return Err(AccessError::Link.into());
        }
        Ok((shown, row.person))
    }

    /// Goes on with a login.
    pub async fn step(&self, step: Step, origin: &Origin) -> Tried<Stepped> {
        let going = self.going(&step.login, origin).await?;
        let Step { password, code, recovery_code, new_password, .. } = step;
        match (&going.login.stage, password, code, recovery_code, new_password) {
            (Stage::Password { .. }, Some(password), None, None, None) => going.password(&password).await,
            (Stage::Code { .. }, None, Some(code), None, None) => going.code(&code).await,
            (Stage::Code { .. }, None, None, Some(code), None) => going.recovery(&code).await,
            (Stage::NewPassword, None, None, None, Some(password)) => going.choose(&password).await,
            (Stage::Enrol { .. }, None, Some(code), None, None) => going.enrol(&code).await,
            (Stage::Ended, ..) => Err(AccessError::Ended.into()),
            (stage, ..) => {
                let asked = serde_json::to_string(&stage.next()).unwrap_or_default();
                Err(KernelError::Invalid(format!("this login asks for {asked}, and for nothing else")).into())
            }
        }
    }

    /// What a login asks for now, with what the authenticator app is given while that is not proven.
    pub(crate) async fn standing(
        &self,
        handle: &str,
        origin: &Origin,
    ) -> Tried<(Next, Option<EnrolmentView>)> {
        let going = self.going(handle, origin).await?;
        let next = going.login.stage.next();
        let (Stage::Enrol { totp: sealed, .. }, Some(person)) = (&going.login.stage, going.login.person)
        else {
            return if next == Next::Done { Err(AccessError::Ended.into()) } else { Ok((next, None)) };
        };
        let mut tx = self.look(going.actor.tenant, origin).await?;
        let secret = tx.reveal(&format!("access_credential/{person}"), sealed)?;
        let name = store::name_of(&mut tx, person).await?;
        let shown = totp::enrolment(&secret, &name).and_then(|(uri, secret)| EnrolmentView::new(uri, secret));
        Ok((next, shown))
    }

    /// The login that a handle is for, if it goes on.
    async fn going(&self, handle: &str, origin: &Origin) -> Tried<Going<'_>> {
        let shown: Shown<LoginId> = handle.parse().map_err(|()| AccessError::Ended)?;
        let mut tx =
            self.look(shown.tenant, origin).await.map_err(|error| unknown(error, AccessError::Ended))?;
        let login = store::login(&mut tx, &shown.id).await?.ok_or(AccessError::Ended)?;
        let tag = self.kernel.tag(LoginId::PURPOSE, &shown.tagged());
        if !same(&tag, &login.tag) || login.expires <= tx.now() {
            return Err(AccessError::Ended.into());
        }
        drop(tx);
        let origin = Origin { method: login.kind.method(), ..origin.clone() };
        let actor = Actor::system(System::LOGIN, shown.tenant, origin);
        Ok(Going { access: self, actor, login, handle: handle.to_owned() })
    }

    /// Changes the caller's own password, after the one that counts was shown.
    pub async fn change_password(&self, actor: &Actor, current: &str, new: &str) -> Tried<()> {
        let ActorId::Person(person) = actor.id else {
            return Err(AccessError::NeedsLogin("changing a password").into());
        };
        if actor.limits.is_some() {
            return Err(AccessError::NeedsLogin("changing a password").into());
        }
        // The same door as a login: the same counting of failures, the same waiting.
        let claimed = self.name(actor).await?;
        let act = BeginLogin { claimed, person: Some(person), invitation: None, kind: SessionKind::Cli };
        let login = Actor::system(System::LOGIN, actor.tenant, actor.origin.clone());
        let begun = done(self.kernel.act(&login, act).await?)?;
        let proof = Step { login: begun.login, password: Some(current.to_owned()), ..Step::default() };
        self.step(proof, &actor.origin).await?;
        password::check(new, &self.name(actor).await?)?;
        let hash = password::hash(&self.kernel, new).await?;
        let password = self.put_down(actor.tenant, &hash).await?;
        self.kernel.act(actor, ChangePassword { person, password }).await?;
        Ok(())
    }

    async fn name(&self, actor: &Actor) -> Tried<String> {
        Ok(self.look(actor.tenant, &actor.origin).await?.name_of(Holder::Actor(actor.id)))
    }

    async fn put_down(&self, tenant: TenantId, secret: &str) -> Tried<garrison_base::DepositId> {
        let soon = self.kernel.now().saturating_add(SignedDuration::from_mins(1)).unwrap_or_default();
        Ok(self.kernel.deposit(tenant, secret.as_bytes(), soon).await?)
    }
}

impl Stepped {
    fn plain(login: String, next: Next, kind: SessionKind) -> Self {
        Self { login, next, enrolment: None, recovery_codes: Vec::new(), session: None, kind }
    }
}

/// A login on its way.
struct Going<'a> {
    access: &'a Access,
    actor: Actor,
    login: Login,
    handle: String,
}

impl Going<'_> {
    async fn credential(&self) -> Tried<Option<store::Credential>> {
        let Some(person) = self.login.person else { return Ok(None) };
        let mut tx = self.access.look(self.actor.tenant, &self.actor.origin).await?;
        let active = tx.is_active(Holder::Actor(ActorId::Person(person)));
        Ok(store::credential(&mut tx, &person).await?.filter(|_| active))
    }

    async fn password(self, shown: &str) -> Tried<Stepped> {
        // Before the work of a hash is done for somebody who must wait anyhow.
        let mut tx = self.access.look(self.actor.tenant, &self.actor.origin).await?;
        let keys = [account_key(&self.login), self.login.source.clone()];
        if let Some(until) = store::locked_until(&mut tx, &[&keys[0], &keys[1]]).await? {
            return Err(KernelError::TooMany { until }.into());
        }
        drop(tx);
        let stored = self.credential().await?.map(|credential| credential.password);
        let right =
            shown.chars().count() <= 256 && password::is_right(&self.access.kernel, shown, stored).await;
        self.prove(Proof::Password { right }).await
    }

    async fn code(self, shown: &str) -> Tried<Stepped> {
        let step = match self.credential().await? {
            Some(known) => {
                let tx = self.access.look(self.actor.tenant, &self.actor.origin).await?;
                let secret = tx.reveal(&format!("access_credential/{}", known.person), &known.totp)?;
                totp::step(&secret, shown, tx.now(), known.totp_step)
            }
            None => None,
        };
        self.prove(Proof::Code { step }).await
    }

    async fn recovery(self, shown: &str) -> Tried<Stepped> {
        let tag = hex(&self.access.kernel.tag("recovery-code", totp::normal_code(shown).as_bytes()));
        let known = self.credential().await?.is_some_and(|known| known.recovery.contains(&tag));
        self.prove(Proof::Recovery { code: known.then_some(tag) }).await
    }

    async fn prove(self, proof: Proof) -> Tried<Stepped> {
        let act = ProveLogin { login: self.login.id, proof, limits: self.access.limits };
        let proved = done(self.access.kernel.act(&self.actor, act).await?)?;
        if !proved.right {
            return Err(match proved.locked_until {
                Some(until) => KernelError::TooMany { until }.into(),
                None => AccessError::Wrong.into(),
            });
        }
        let mut stepped = Stepped::plain(self.handle, proved.next, self.login.kind);
        stepped.session = proved.session;
        Ok(stepped)
    }

    async fn choose(self, chosen: &str) -> Tried<Stepped> {
        let person = self.login.person.ok_or(AccessError::Ended)?;
        let name = {
            let mut tx = self.access.look(self.actor.tenant, &self.actor.origin).await?;
            store::name_of(&mut tx, person).await?
        };
        password::check(chosen, &name)?;
        let hash = password::hash(&self.access.kernel, chosen).await?;
        let password = self.access.put_down(self.actor.tenant, &hash).await?;
        let act = ChoosePassword { login: self.login.id, password };
        let enrolment = done(self.access.kernel.act(&self.actor, act).await?)?;
        let mut stepped = Stepped::plain(self.handle, Next::Enrol, self.login.kind);
        stepped.enrolment = EnrolmentView::new(enrolment.uri, enrolment.secret);
        Ok(stepped)
    }

    async fn enrol(self, code: &str) -> Tried<Stepped> {
        let (Stage::Enrol { totp: sealed, .. }, Some(person)) = (&self.login.stage, self.login.person) else {
            return Err(AccessError::Ended.into());
        };
        let tx = self.access.look(self.actor.tenant, &self.actor.origin).await?;
        let secret = tx.reveal(&format!("access_credential/{person}"), sealed)?;
        let step = totp::step(&secret, code, tx.now(), 0);
        drop(tx);
        let act = Enrol { login: self.login.id, step, limits: self.access.limits };
        let enrolled = done(self.access.kernel.act(&self.actor, act).await?)?;
        if !enrolled.right {
            return Err(AccessError::Wrong.into());
        }
        let mut stepped = Stepped::plain(self.handle, Next::Done, self.login.kind);
        (stepped.session, stepped.recovery_codes) = (enrolled.session, enrolled.recovery_codes);
        Ok(stepped)
    }
}

/// A tenant that does not exist is told as what the credential is then; a database that fails is told as that.
pub(crate) fn unknown(error: KernelError, instead: impl Problem) -> Box<dyn Problem> {
    match error {
        KernelError::Denied { .. } => instead.into(),
        failed => failed.into(),
    }
}

/// What a system actor's act brought: it never waits.
pub(crate) fn done<T>(outcome: Outcome<T>) -> Result<T, KernelError> {
    match outcome {
        Outcome::Done(output) => Ok(output),
        Outcome::Waiting(request) => Err(KernelError::Invalid(format!("it waits as {request}"))),
    }
}

pub(crate) fn line(text: &str) -> Result<Line, KernelError> {
    text.parse().map_err(|error: garrison_base::BadText| KernelError::Invalid(error.to_string()))
}

/// What a caller's right to explain somebody else's rights is asked of.
pub(crate) fn object(text: &str) -> Result<ObjectRef, KernelError> {
    let prefix = text.split_once('_').map(|(prefix, _)| prefix);
    let kind = match prefix {
        Some("node") => "node",
        Some("per") => "person",
        Some("svc") => "service",
        Some("grp") => "group",
        Some("pst") => "post",
        Some("grt") => "grant",
        Some("req") => "request",
        Some("ses") => "session",
        Some("tok") => "token",
        Some("ten") => return Ok(ObjectRef::tenant()),
        _ => return Err(KernelError::Invalid(format!("`{text}` is not the id of an object"))),
    };
    Ok(ObjectRef::new(kind, text))
}
