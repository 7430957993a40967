use garrison_base::TokenId;
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Ended;
use crate::store::{self, Token, put_token};

/// Ends an API token.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndToken {
    /// Which.
    pub token: TokenId,
}

impl Act for EndToken {
    const VERB: Verb = Verb::new("token:end");
    type Output = Ended;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.token.into()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("end the token {}", self.token)))
    }

    async fn perform(&self, _: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let token = store::token(&mut tx.read(), &self.token).await?.ok_or(KernelError::NotFound)?;
        let (ended, name) = (u64::from(token.state == "active"), token.name.clone());
        put_token(tx, &Token { state: "ended".to_owned(), ..token }).await?;
        Ok(Done::new(Ended { ended }, Summary::of(format!("ended the token `{name}`")), ()))
    }
}
