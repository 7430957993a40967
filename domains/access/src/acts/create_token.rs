use garrison_base::{Line, NodeId, Timestamp, TokenId};
use garrison_kernel::{
    Act, ActorId, Done, Holder, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx,
};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::credential::{Kind as _, Shown, fresh_secret};
use crate::model::TOKEN_DAYS;
use crate::problem::AccessError;
use crate::store::{Token, put_token};

/// Makes an API token: for oneself, or for a service account that one owns. A token never adds a right: it may
/// do what its actor may, of that only these verbs, and only at this node and below.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// On whose behalf it acts.
    pub actor: ActorId,
    /// What it is called.
    pub name: Line,
    /// What it may do at most: `node:list`, `node:*`, or `*` for everything.
    #[schema(min_items = 1, max_items = 100)]
    pub verbs: Vec<String>,
    /// Where at most.
    pub node: NodeId,
    /// In how many days it ends, 1 to 365.
    #[schema(minimum = 1, maximum = 365)]
    pub days: u32,
}

/// A token that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedToken {
    /// Its id.
    pub id: TokenId,
    /// The token itself. It is shown this once.
    pub token: String,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires: Timestamp,
}

impl Act for CreateToken {
    const VERB: Verb = Verb::new("token:create");
    // A token that can make tokens would outlive its own end.
    const NEEDS_LOGIN: bool = true;
    type Output = CreatedToken;
    type Fact = ();
    type Error = AccessError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.actor.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, AccessError> {
        let name = tx.name_of(Holder::Actor(self.actor));
        let (verbs, at) = (self.verbs.join(", "), tx.path(self.node));
        Ok(Preview::sentence(format!("make a token `{}` for {name}: {verbs} at {at}", self.name)))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, AccessError> {
        self.check()?;
        let tree = tx.node_of(&self.node.into()).await?;
        let id = TokenId::new(permit.now(), tx.entropy());
        let shown = Shown { tenant: permit.tenant(), id, secret: fresh_secret(tx.entropy()) };
        let life = SignedDuration::from_hours(i64::from(self.days) * 24);
        let expires = permit.now().saturating_add(life).unwrap_or(permit.now());
        let row = Token {
            id,
            node: permit.node(),
            actor: self.actor,
            name: self.name.to_string(),
            verbs: self.verbs.clone(),
            limit: tree,
            tag: tx.tag(TokenId::PURPOSE, &shown.tagged()),
            created: permit.now(),
            expires,
            state: "active".to_owned(),
        };
        put_token(tx, &row).await?;
        let owner = match self.actor {
            ActorId::Service(_) => permit.actor().id,
            own => own,
        };
        tx.register(&id.into(), permit.node(), Some(owner)).await?;
        let name = tx.read().name_of(Holder::Actor(self.actor));
        let summary = Summary::of(format!("made a token `{}` for {name}", self.name)).object(id);
        Ok(Done::new(CreatedToken { id, token: shown.to_string(), expires }, summary, ()))
    }
}

impl CreateToken {
    fn check(&self) -> Result<(), KernelError> {
        let spelled = |verb: &String| {
            let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
            verb == "*"
                || verb
                    .split_once(':')
                    .is_some_and(|(noun, action)| plain(noun) && (action == "*" || plain(action)))
        };
        if self.verbs.is_empty() || self.verbs.len() > 100 || !self.verbs.iter().all(spelled) {
            return Err(KernelError::Invalid("verbs: 1 to 100 of `noun:verb`, `noun:*` or `*`".into()));
        }
        if !(1..=TOKEN_DAYS).contains(&self.days) {
            return Err(KernelError::Invalid(format!("days: 1 to {TOKEN_DAYS}")));
        }
        Ok(())
    }
}
