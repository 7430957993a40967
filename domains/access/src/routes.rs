//! The routes: acts and questions by their types, the steps of a login by hand.

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json};
use garrison_base::Timestamp;
use garrison_kernel::{ActorId, Explanation, KernelError, ProblemType};
use garrison_web::{Answer, Body, Caller, Client, Refusal, Routes, Web, session_cookie};
use serde::{Deserialize, Serialize};
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, ResponseBuilder, SecurityRequirement};
use utoipa::{IntoParams, ToSchema};

use crate::login::{Begin, Step, Stepped};
use crate::model::SessionKind;
use crate::whoami::{self, Me};
use crate::{Access, EXPLAIN, acts, login, pages, problem, reads};

/// All routes of access.
///
/// `further` are the kinds of problems of other domains, for the list of all.
pub fn routes(access: Access, further: &[&'static [&'static ProblemType]]) -> Routes {
    let problems: Vec<&'static ProblemType> = garrison_kernel::problems::ALL
        .iter()
        .chain(problem::types::ALL)
        .chain(further.iter().copied().flatten())
        .copied()
        .collect();
    let shared = Extension(access.clone());
    by_type()
        .own(
            "/api/v1/login/begin",
            (HttpMethod::Post, post(begin).layer(shared.clone())),
            None,
            public::<Begin, Stepped>("login_begin", "Begin a login: by name, or by a one-time link."),
        )
        .own(
            "/api/v1/login/step",
            (HttpMethod::Post, post(step).layer(shared.clone())),
            None,
            public::<Step, Stepped>("login_step", "Go on with a login."),
        )
        .own(
            "/api/v1/password/change",
            (HttpMethod::Post, post(change_password).layer(shared.clone())),
            Some(<acts::ChangePassword as garrison_kernel::Act>::VERB),
            described::<NewPassword, Nothing>("password_change", "Change one's own password.").build(),
        )
        .own(
            "/api/v1/whoami",
            (HttpMethod::Get, get(whoami::whoami).layer(shared.clone())),
            Some(WHOAMI),
            answers::<Me>("whoami", "Who one is, and what one may do."),
        )
        .own("/api/v1/access/explain", (HttpMethod::Get, get(explain)), Some(EXPLAIN), explain_operation())
        .own(
            "/api/v1/problem",
            (HttpMethod::Get, get(async move || problem_types(&problems))),
            None,
            open(answers::<Vec<ProblemKind>>(
                "problem_list",
                "Every kind of problem that an answer can name.",
            )),
        )
        .schema::<Begin>()
        .schema::<Step>()
        .schema::<Stepped>()
        .schema::<NewPassword>()
        .schema::<Nothing>()
        .schema::<Me>()
        .schema::<ProblemKind>()
        .schema::<Explanation>()
        .merge(pages::routes(access))
}

const WHOAMI: garrison_kernel::Verb = garrison_kernel::Verb::new("session:list");

fn by_type() -> Routes {
    Routes::new()
        .act::<acts::Invite>("Make a one-time link by which a person sets up their account.")
        .act::<acts::EndSession>("End a session.")
        .act::<acts::HandOver>("Make a one-time link that opens one's own session in a browser.")
        .act::<acts::EndAll>("End every session and token of a person.")
        .act::<acts::CreateToken>("Make an API token.")
        .act::<acts::EndToken>("End an API token.")
        .act::<acts::CreateGrant>("Grant a role at a node and below.")
        .act::<acts::EndGrant>("End a grant at once.")
        .act::<acts::SetApprovalRule>("Demand approvals for an operation at a node and below.")
        .act::<acts::Approve>("Fill a slot of a waiting request.")
        .act::<acts::Reject>("Say no to a waiting request.")
        .act::<acts::Withdraw>("Take one's own waiting request back.")
        .act::<acts::TakeOutput>("Take what an approved request of one's own has brought.")
        .question::<reads::ListGrants>()
        .question::<reads::ListRules>()
        .question::<reads::ListRequests>()
        .question::<reads::ShowRequest>()
        .question::<reads::ListSessions>()
        .question::<reads::ListSessionsOf>()
        .question::<reads::ListTokens>()
        .recorded::<reads::ListRecords>("/audit", "Records of the audit log, newest first.")
        .recorded::<reads::ShowRecord>("/audit/{seq}", "One record of the audit log.")
}

async fn begin(
    Extension(access): Extension<Access>,
    Client(origin): Client,
    Body(begin): Body<Begin>,
) -> Answer<Json<Stepped>> {
    access.begin(begin, &origin).await.map(Json).map_err(|problem| refused(&access, problem))
}

async fn step(
    Extension(access): Extension<Access>,
    Client(origin): Client,
    Body(step): Body<Step>,
) -> Answer<Response> {
    let mut stepped = access.step(step, &origin).await.map_err(|problem| refused(&access, problem))?;
    // A browser's secret never reaches a script: it goes into the cookie, and nowhere else.
    let cookie = match stepped.kind {
        SessionKind::Web => stepped.session.take(),
        SessionKind::Cli => None,
    };
    let mut response = Json(stepped).into_response();
    if let Some(secret) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, session_cookie(Some(&secret)));
    }
    Ok(response)
}

/// A refusal that tells for how long, where that is known.
pub(crate) fn refused(access: &Access, problem: Box<dyn garrison_kernel::Problem>) -> Refusal {
    let wait = waiting_time(&*problem, access.kernel.now());
    let refusal = Refusal::from(problem);
    match wait {
        Some(seconds) => refusal.retry_after(seconds),
        None => refusal,
    }
}

fn waiting_time(problem: &dyn garrison_kernel::Problem, now: Timestamp) -> Option<i64> {
    problem.retry_at().map(|until| until.duration_since(now).as_secs().max(1))
}

/// One's own new password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// The one that counts now.
    #[schema(max_length = 2000)]
    current: String,
    /// The new one.
    #[schema(max_length = 2000)]
    new: String,
}

/// An answer that tells nothing.
#[derive(Debug, Serialize, ToSchema)]
struct Nothing {}

async fn change_password(
    Extension(access): Extension<Access>,
    Caller(actor): Caller,
    Body(body): Body<NewPassword>,
) -> Answer<Json<Nothing>> {
    let changed = access.change_password(&actor, &body.current, &body.new).await;
    changed.map(|()| Json(Nothing {})).map_err(|problem| refused(&access, problem))
}

/// Explains a decision.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Explain {
    /// Whose right; one's own where nothing is said.
    #[param(value_type = Option<String>)]
    actor: Option<ActorId>,
    /// To do what, such as `grant:create`.
    verb: String,
    /// On what: the id of a node or of an object.
    object: String,
}

async fn explain(
    State(web): State<Web>,
    Caller(caller): Caller,
    query: Result<Query<Explain>, axum::extract::rejection::QueryRejection>,
) -> Answer<Json<Explanation>> {
    let Query(asked) = query.map_err(|error| KernelError::Invalid(error.body_text()))?;
    let object = login::object(&asked.object)?;
    if caller.limits.as_ref().is_some_and(|limits| !limits.reach(EXPLAIN)) {
        let problem = problem::AccessError::NeedsLogin("asking with this token");
        return Err(Refusal::from(Box::<dyn garrison_kernel::Problem>::from(problem)));
    }
    let of = asked.actor.unwrap_or(caller.id);
    if of != caller.id && !web.kernel.explain(&caller, caller.id, EXPLAIN.as_str(), &object).await?.allowed {
        return Err(KernelError::NotFound.into());
    }
    Ok(Json(web.kernel.explain(&caller, of, &asked.verb, &object).await?))
}

/// A kind of problem.
#[derive(Debug, Serialize, ToSchema)]
struct ProblemKind {
    /// Its name, as `type` in an answer.
    name: &'static str,
    /// In a few words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// The exit code of the command line.
    exit: u8,
    /// What to do next.
    advice: &'static str,
}

fn problem_types(all: &[&'static ProblemType]) -> Json<Vec<ProblemKind>> {
    let view = |kind: &&'static ProblemType| ProblemKind {
        name: kind.name,
        title: kind.title,
        status: kind.status,
        exit: kind.exit as u8,
        advice: kind.advice,
    };
    Json(all.iter().map(view).collect())
}

fn described<B: ToSchema, T: ToSchema>(id: &str, summary: &str) -> OperationBuilder {
    let body = ContentBuilder::new().schema(Some(reference::<B>())).build();
    let body =
        RequestBodyBuilder::new().content("application/json", body).required(Some(Required::True)).build();
    answering::<T>(id, summary).request_body(Some(body))
}

fn reference<T: ToSchema>() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(T::name()))
}

fn answering<T: ToSchema>(id: &str, summary: &str) -> OperationBuilder {
    let content = ContentBuilder::new().schema(Some(T::schema())).build();
    let done = ResponseBuilder::new().description("The answer.").content("application/json", content).build();
    OperationBuilder::new()
        .tag("access")
        .operation_id(Some(id))
        .summary(Some(summary))
        .response("200", done)
        .response("default", RefOr::Ref(Ref::from_response_name("Problem")))
}

fn answers<T: ToSchema>(id: &str, summary: &str) -> utoipa::openapi::path::Operation {
    answering::<T>(id, summary).build()
}

/// An operation that everybody may come to.
fn public<B: ToSchema, T: ToSchema>(id: &str, summary: &str) -> utoipa::openapi::path::Operation {
    open(described::<B, T>(id, summary).build())
}

fn open(mut operation: utoipa::openapi::path::Operation) -> utoipa::openapi::path::Operation {
    operation.security = Some(vec![SecurityRequirement::default()]);
    operation
}

fn explain_operation() -> utoipa::openapi::path::Operation {
    let parameters = Explain::into_params(|| Some(ParameterIn::Query));
    answering::<Explanation>("access_explain", "Which grant and policy decide, or what is missing.")
        .parameters(Some(parameters))
        .build()
}
