//! Who one is, and what one may do.

use std::net::IpAddr;

use axum::extract::State;
use axum::{Extension, Json};
use garrison_base::TenantId;
use garrison_kernel::{Actor, ActorId, Holder, KernelError, TokenLimits, Verb};
use garrison_web::{Answer, Caller, Web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Access, store};

/// Who one is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Me {
    /// The id.
    id: ActorId,
    /// The name.
    name: String,
    /// The full name; a service account has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    full_name: Option<String>,
    /// `person` or `service`.
    kind: String,
    /// The tenant.
    tenant: TenantId,
    /// Its name.
    tenant_name: String,
    /// The session or token that was shown.
    session: String,
    /// The caller's address, as the server sees it.
    #[schema(value_type = String)]
    address: IpAddr,
    /// What the token may do at most, where one was shown.
    #[schema(value_type = Option<Object>)]
    limits: Option<TokenLimits>,
    /// Every operation that policy allows somewhere, to something; with a token only what it may. It is decided again
    /// when it is done.
    #[schema(value_type = Vec<String>)]
    may: Vec<Verb>,
}

pub(crate) async fn whoami(
    State(web): State<Web>,
    Extension(access): Extension<Access>,
    Caller(actor): Caller,
) -> Answer<Json<Me>> {
    let tenant_name = web.kernel.tenant_name(actor.tenant).ok_or(KernelError::NotFound)?;
    let may = web.kernel.may(&actor).await?;
    Ok(Json(Me {
        id: actor.id,
        name: web.kernel.name_of(Holder::Actor(actor.id)),
        full_name: full_name(&access, &actor).await?,
        kind: actor.id.kind().to_owned(),
        tenant: actor.tenant,
        tenant_name,
        session: actor.origin.session,
        address: actor.origin.ip,
        limits: actor.limits,
        may,
    }))
}

async fn full_name(access: &Access, actor: &Actor) -> Result<Option<String>, KernelError> {
    let ActorId::Person(person) = actor.id else { return Ok(None) };
    let mut tx = access.look(actor.tenant, &actor.origin).await?;
    store::full_name_of(&mut tx, person).await.map(Some)
}
