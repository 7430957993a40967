//! Who shows a session or a token.

use garrison_base::{SessionId, TenantId, Timestamp, TokenId};
use garrison_kernel::{
    Actor, ActorId, Holder, KernelError, Method, Origin, Outcome, Problem, ReadTx, System, TokenLimits, Verb,
    problems,
};
use garrison_web::{Confirming, Credential, Gate, Identified, Identifying};

use crate::Access;
use crate::acts::RenewSession;
use crate::credential::{Kind as _, Shown};
use crate::login::unknown;
use crate::model::{OVERLAP, RENEWAL, SessionKind};
use crate::store::{self, Session, Token};

/// The verb by which the login system looks at its own rows.
pub(crate) const LOOK: Verb = Verb::new("login:look");

type Recognised<T> = Result<T, Box<dyn Problem>>;

/// Nobody: the reason is the same for every credential that does not count.
#[derive(Debug, thiserror::Error)]
#[error("the session or token is unknown or has ended")]
struct Nobody;

impl Problem for Nobody {
    fn kind(&self) -> &'static garrison_kernel::ProblemType {
        &problems::UNAUTHENTICATED
    }
}

impl Gate for Access {
    fn identify(&self, credential: Credential, origin: Origin, attended: bool) -> Identifying<'_> {
        Box::pin(async move {
            match credential {
                Credential::Cookie(text) => {
                    self.by_session(&text, SessionKind::Web, (origin, attended)).await
                }
                Credential::Bearer(text) if text.starts_with(TokenId::SHOWN) => {
                    self.by_token(&text, origin).await
                }
                Credential::Bearer(text) => {
                    self.by_session(&text, SessionKind::Cli, (origin, attended)).await
                }
            }
        })
    }

    fn confirm<'g>(&'g self, actor: &'g Actor) -> Confirming<'g> {
        Box::pin(self.still_counts(actor))
    }
}

impl Access {
    /// Reads as the login system, in a tenant that may not exist.
    pub(crate) async fn look(
        &self,
        tenant: TenantId,
        origin: &Origin,
    ) -> Result<ReadTx<'static>, KernelError> {
        self.kernel.read(&Actor::system(System::LOGIN, tenant, origin.clone()), LOOK).await
    }

    async fn by_session(
        &self,
        text: &str,
        kind: SessionKind,
        (mut origin, attended): (Origin, bool),
    ) -> Recognised<Identified> {
        let shown: Shown<SessionId> = text.parse().map_err(|()| Nobody)?;
        let mut tx = self.look(shown.tenant, &origin).await.map_err(|error| unknown(error, Nobody))?;
        let session = store::session(&mut tx, &shown.id).await?.ok_or(Nobody)?;
        let now = tx.now();
        let tag = self.kernel.tag(SessionId::PURPOSE, &shown.tagged());
        let person = ActorId::Person(session.person);
        if session.kind != kind || !counts(&session, &tag, now) || !tx.is_active(Holder::Actor(person)) {
            return Err(Nobody.into());
        }
        drop(tx);
        let mut renewed = None;
        if attended && now.duration_since(session.renewed) > RENEWAL {
            let act = RenewSession { session: session.id, limits: self.limits };
            let login = Actor::system(System::LOGIN, shown.tenant, origin.clone());
            if let Outcome::Done(done) = self.kernel.act(&login, act).await? {
                renewed = done.secret;
            }
        }
        origin.session = session.id.to_string();
        origin.method = if kind == SessionKind::Web { Method::Console } else { Method::Cli };
        Ok(Identified { actor: Actor { id: person, tenant: shown.tenant, origin, limits: None }, renewed })
    }

    async fn still_counts(&self, actor: &Actor) -> Recognised<()> {
        let shown = &actor.origin.session;
        let mut tx = self.look(actor.tenant, &actor.origin).await?;
        let now = tx.now();
        let lives = if let Ok(id) = shown.parse::<SessionId>() {
            store::session(&mut tx, &id).await?.is_some_and(|session| session_lives(&session, now))
        } else if let Ok(id) = shown.parse::<TokenId>() {
            store::token(&mut tx, &id).await?.is_some_and(|token| token_lives(&token, now))
        } else {
            false
        };
        if lives && tx.is_active(Holder::Actor(actor.id)) { Ok(()) } else { Err(Nobody.into()) }
    }

    async fn by_token(&self, text: &str, mut origin: Origin) -> Recognised<Identified> {
        let shown: Shown<TokenId> = text.parse().map_err(|()| Nobody)?;
        let mut tx = self.look(shown.tenant, &origin).await.map_err(|error| unknown(error, Nobody))?;
        let token = store::token(&mut tx, &shown.id).await?.ok_or(Nobody)?;
        let tag = self.kernel.tag(TokenId::PURPOSE, &shown.tagged());
        let counts = token_lives(&token, tx.now()) && same(&tag, &token.tag);
        if !counts || !tx.is_active(Holder::Actor(token.actor)) {
            return Err(Nobody.into());
        }
        origin.session = token.id.to_string();
        origin.method = Method::Api;
        let limits = Some(TokenLimits { verbs: token.verbs, node: token.limit });
        let actor = Actor { id: token.actor, tenant: shown.tenant, origin, limits };
        Ok(Identified { actor, renewed: None })
    }
}

/// Whether a session's secret counts now. The one before counts for a moment after it was changed.
fn counts(session: &Session, tag: &[u8], now: Timestamp) -> bool {
    let current = same(tag, &session.tag);
    let before = same(tag, &session.tag_before) && now.duration_since(session.renewed) < OVERLAP;
    (current || before) && session_lives(session, now)
}

pub(crate) fn session_lives(session: &Session, now: Timestamp) -> bool {
    // A clock that was set back must not lengthen a life: what began in the future has not begun.
    let began = session.created <= now && session.renewed <= now;
    session.state == "active" && began && now < session.idle_until && now < session.absolute_until
}

fn token_lives(token: &Token, now: Timestamp) -> bool {
    token.state == "active" && token.created <= now && now < token.expires
}

/// Both are MACs: to compare them in constant time is a habit, not a need.
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    garrison_secrets::same(left, right)
}
