//! The questions that people ask of access.

use garrison_base::{NodeId, PersonId, RequestId, Timestamp};
use garrison_kernel::{
    ActorId, AuditFilter, GrantRow, Holder, KernelError, ObjectRef, ReadAct, ReadTx, Record, Request, Slot,
    Verb,
};
use garrison_web::{Page, Question, page_limit};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::model::{SessionView, TokenView};
use crate::store::{self, Session, Token};

/// Lists grants.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListGrants {
    /// Only those of this holder.
    #[param(value_type = Option<String>)]
    pub holder: Option<Holder>,
    /// Only those that stand at this node.
    #[param(value_type = Option<String>)]
    pub node: Option<NodeId>,
    /// Also those that have ended.
    pub ended: Option<bool>,
    /// How many at most, 1 to 500; 100 where nothing is said.
    pub limit: Option<i64>,
    /// Where to go on: `next` of the page before.
    pub cursor: Option<String>,
}

impl Question for ListGrants {
    const VERB: Verb = Verb::new("grant:list");
    const PATH: &'static str = "/grant";
    const SUMMARY: &'static str = "Grants, oldest first.";
    type Answer = Page<GrantRow>;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        let limit = page_limit(self.limit)?;
        let after: String = tx.open_cursor(Self::VERB, self.cursor.as_deref())?;
        let items =
            tx.grants((self.holder, self.node), self.ended.unwrap_or(false), (&after, limit + 1)).await?;
        Page::cut(items, limit, (tx, Self::VERB), |last: &GrantRow| last.id.to_string())
    }
}

/// Lists approval rules.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListRules {}

/// An approval rule.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleView {
    /// Where it stands.
    pub node: NodeId,
    /// The node's path.
    pub path: String,
    /// For which operation.
    pub verb: String,
    /// What must be filled.
    pub slots: Vec<Slot>,
}

impl Question for ListRules {
    const VERB: Verb = Verb::new("approval-rule:list");
    const PATH: &'static str = "/approval-rule";
    const SUMMARY: &'static str = "The approval rules at the nodes that may be seen.";
    type Answer = Vec<RuleView>;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        let rules = tx.approval_rules().into_iter();
        Ok(rules.map(|(node, verb, slots)| RuleView { node, path: tx.path(node), verb, slots }).collect())
    }
}

/// Lists waiting requests.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListRequests {
    /// Only those in this state: `open`, `done`, `rejected`, `withdrawn`, `expired`, `refused`, `failed`.
    pub state: Option<String>,
    /// How many at most, 1 to 500; 100 where nothing is said.
    pub limit: Option<i64>,
    /// Where to go on: `next` of the page before.
    pub cursor: Option<String>,
}

impl Question for ListRequests {
    const VERB: Verb = Verb::new("approval:list");
    const PATH: &'static str = "/approval";
    const SUMMARY: &'static str = "Requests that wait for approvals, or did, newest first.";
    type Answer = Page<Request>;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        let limit = page_limit(self.limit)?;
        let before: Option<RequestId> = tx.open_cursor(Self::VERB, self.cursor.as_deref())?;
        let items = tx.requests(self.state.as_deref(), (before, limit + 1)).await?;
        Page::cut(items, limit, (tx, Self::VERB), |last: &Request| last.id)
    }
}

/// Shows one waiting request.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ShowRequest {
    /// Which.
    #[param(value_type = String)]
    pub approval: RequestId,
}

impl Question for ShowRequest {
    const VERB: Verb = Verb::new("approval:show");
    const PATH: &'static str = "/approval/{approval}";
    const SUMMARY: &'static str = "One request: what will be done, who has approved.";
    type Answer = Request;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Request, KernelError> {
        tx.request(self.approval).await
    }
}

/// Lists the caller's own sessions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListSessions {}

fn session_view(session: Session) -> SessionView {
    SessionView {
        id: session.id,
        person: session.person,
        kind: session.kind.as_str().to_owned(),
        address: session.address,
        agent: session.agent,
        created: session.created,
        used: session.renewed,
        idle_until: session.idle_until,
        absolute_until: session.absolute_until,
    }
}

impl Question for ListSessions {
    const VERB: Verb = Verb::new("session:list");
    const PATH: &'static str = "/session";
    const SUMMARY: &'static str = "One's own sessions, newest first.";
    type Answer = Vec<SessionView>;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        let own = tx.actor().to_string();
        Ok(store::sessions_of(tx, &own).await?.into_iter().map(session_view).collect())
    }
}

/// Lists the sessions of a person.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListSessionsOf {
    /// Whose.
    #[param(value_type = String)]
    pub person: PersonId,
}

impl Question for ListSessionsOf {
    const VERB: Verb = Verb::new("session:list-of");
    const PATH: &'static str = "/person/{person}/session";
    const SUMMARY: &'static str = "The sessions of a person, newest first.";
    type Answer = Vec<SessionView>;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        tx.node_of(&self.person.into()).await?;
        Ok(store::sessions_of(tx, &self.person.to_string()).await?.into_iter().map(session_view).collect())
    }
}

/// Lists API tokens.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListTokens {
    /// Of a service account that one owns; one's own where nothing is said.
    #[param(value_type = Option<String>)]
    pub actor: Option<ActorId>,
}

fn token_view(token: Token) -> TokenView {
    TokenView {
        id: token.id,
        actor: token.actor,
        name: token.name,
        verbs: token.verbs,
        node: token.limit,
        created: token.created,
        expires: token.expires,
    }
}

impl Question for ListTokens {
    const VERB: Verb = Verb::new("token:list");
    const PATH: &'static str = "/token";
    const SUMMARY: &'static str = "One's own API tokens, or those of a service account that one owns.";
    type Answer = Vec<TokenView>;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        let actor = self.actor.unwrap_or(tx.actor());
        if actor != tx.actor() && tx.principal_of(Holder::Actor(actor)) != Some(Holder::Actor(tx.actor())) {
            return Err(KernelError::NotFound);
        }
        Ok(store::tokens_of(tx, &actor.to_string()).await?.into_iter().map(token_view).collect())
    }
}

/// Lists records of the audit log. That it was asked is recorded too.
#[derive(Debug, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListRecords {
    /// Only this operation, such as `grant:create`.
    pub operation: Option<String>,
    /// Only of this actor.
    pub actor: Option<String>,
    /// Only about this object.
    pub object: Option<String>,
    /// Only with this result: `success`, `failure`, `denied`, `waiting`.
    pub result: Option<String>,
    /// Only those that were received from this moment on (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    pub from: Option<Timestamp>,
    /// Only those that were received before this moment (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    pub to: Option<Timestamp>,
    /// How many at most, 1 to 500; 100 where nothing is said.
    pub limit: Option<i64>,
    /// Where to go on: `next` of the page before.
    pub cursor: Option<String>,
}

impl ReadAct for ListRecords {
    const VERB: Verb = Verb::new("audit:list");
    type Output = Page<Record>;
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::anywhere()]
    }

    async fn read(&self, tx: &mut ReadTx<'_>) -> Result<Self::Output, KernelError> {
        let limit = page_limit(self.limit)?;
        let before: Option<i64> = tx.open_cursor(Self::VERB, self.cursor.as_deref())?;
        let filter = AuditFilter {
            before,
            operation: self.operation.clone(),
            actor: self.actor.clone(),
            object: self.object.clone(),
            result: self.result.clone(),
            from: self.from,
            to: self.to,
        };
        let items = tx.records(&filter, limit + 1).await?;
        Page::cut(items, limit, (tx, Self::VERB), |last: &Record| last.seq)
    }
}

/// Shows one record of the audit log. That it was asked is recorded too.
#[derive(Debug, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ShowRecord {
    /// Its number.
    pub seq: i64,
}

impl ReadAct for ShowRecord {
    const VERB: Verb = Verb::new("audit:show");
    type Output = Record;
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::anywhere()]
    }

    async fn read(&self, tx: &mut ReadTx<'_>) -> Result<Record, KernelError> {
        tx.record(self.seq).await
    }
}
