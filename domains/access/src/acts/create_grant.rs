use garrison_base::{GrantId, Line, NodeId, Timestamp};
use garrison_kernel::{
    Act, Done, Holder, KernelError, NewGrant, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Grants a role at a node and below.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateGrant {
    /// Who will hold it: a person, a service account or a group.
    pub holder: Holder,
    /// The role.
    #[schema(min_length = 1, max_length = 60)]
    pub role: String,
    /// Where.
    pub node: NodeId,
    /// Until when; absent means until it is ended.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
    /// The duty that it serves.
    pub duty: Line,
    /// Why.
    pub reason: Line,
}

/// A grant that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedGrant {
    /// Its id.
    pub grant: GrantId,
}

impl Act for CreateGrant {
    const VERB: Verb = Verb::new("grant:create");
    type Output = CreatedGrant;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.node.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        let until =
            self.until.map_or_else(|| "until it is ended".to_owned(), |until| format!("until {until}"));
        let (who, at) = (tx.name_of(self.holder), tx.path(self.node));
        Ok(Preview::sentence(format!("grant {who} the role {} at {at}, {until}: {}", self.role, self.reason)))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        if self.until.is_some_and(|until| until <= permit.now()) {
            return Err(KernelError::Invalid("until: that time has passed".into()));
        }
        let new = NewGrant {
            holder: self.holder,
            role: self.role.clone(),
            node: self.node,
            until: self.until,
            duty: self.duty.to_string(),
            reason: self.reason.to_string(),
        };
        let grant = tx.grant(new).await?;
        let (who, at) = (tx.read().name_of(self.holder), tx.read().path(self.node));
        let summary = Summary::of(format!("granted {who} the role {} at {at}", self.role)).object(grant);
        Ok(Done::new(CreatedGrant { grant }, summary, ()))
    }
}
