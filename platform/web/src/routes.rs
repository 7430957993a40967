use axum::extract::{RawPathParams, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use garrison_kernel::{Act, Outcome, ReadAct, Verb, problems};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::openapi::path::{HttpMethod, Operation};
use utoipa::{IntoParams, ToSchema};

use crate::document::{self, Described};
use crate::{Answer, Body, Caller, Question, Refusal, Web};

/// The routes of a domain, with their description.
#[derive(Default)]
pub struct Routes {
    router: Router<Web>,
    described: Vec<Described>,
    otherwise: Option<MethodRouter<Web>>,
}

/// What an endpoint is, for whoever wants to try them all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path.
    pub path: String,
    /// The verb; absent where everybody may come.
    pub verb: Option<Verb>,
}

impl Routes {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// `POST /api/v1/<noun>/<action>`: the body is the act.
    #[must_use]
    pub fn act<A>(mut self, summary: &'static str) -> Self
    where
        A: Act + ToSchema,
        A::Output: ToSchema,
    {
        let path = format!("/api/v1/{}/{}", A::VERB.noun(), A::VERB.action());
        self.router = self.router.route(&path, post(perform::<A>));
        self.described.push(document::act::<A>(path, summary));
        self
    }

    /// `GET`: an ordinary read.
    #[must_use]
    pub fn question<Q: Question>(mut self) -> Self {
        let path = format!("/api/v1{}", Q::PATH);
        self.router = self.router.route(&path, get(answer::<Q>));
        self.described.push(document::question::<Q, Q::Answer>(path, Q::VERB, Q::SUMMARY));
        self
    }

    /// `GET`: a question whose asking is recorded.
    #[must_use]
    pub fn recorded<R>(mut self, path: &str, summary: &'static str) -> Self
    where
        R: ReadAct + DeserializeOwned + IntoParams,
        R::Output: Serialize + ToSchema,
    {
        let path = format!("/api/v1{path}");
        self.router = self.router.route(&path, get(ask::<R>));
        self.described.push(document::question::<R, R::Output>(path, R::VERB, summary));
        self
    }

    /// A route with a handler of its own. `verb` is absent where everybody may come.
    #[must_use]
    pub fn own(
        mut self,
        path: &str,
        (method, handler): (HttpMethod, MethodRouter<Web>),
        verb: Option<Verb>,
        operation: Operation,
    ) -> Self {
        self.router = self.router.route(path, handler);
        self.described.push(Described::own(path, method, verb, operation));
        self
    }

    /// A page: not a part of the API, and not in its document.
    #[must_use]
    pub fn page(mut self, path: &str, handler: MethodRouter<Web>) -> Self {
        self.router = self.router.route(path, handler);
        self
    }

    /// What answers where no route does. Without one, there is nothing.
    #[must_use]
    pub fn otherwise(mut self, handler: MethodRouter<Web>) -> Self {
        self.otherwise = Some(handler);
        self
    }

    /// The schema of a type that only a handler of its own uses.
    #[must_use]
    pub fn schema<T: ToSchema>(mut self) -> Self {
        self.described.push(Described::schema::<T>());
        self
    }

    /// With those of another domain.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.described.extend(other.described);
        self.otherwise = other.otherwise.or(self.otherwise);
        self
    }

    /// All endpoints of the API.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.described.iter().filter_map(Described::endpoint).collect()
    }

    pub(crate) fn described(&self) -> &[Described] {
        &self.described
    }

    /// The routes themselves.
    pub fn into_router(self) -> Router<Web> {
        let nothing = || async { Refusal::new(&problems::NOT_FOUND, "there is nothing at this address") };
        match self.otherwise {
            Some(handler) => self.router.fallback(handler),
            None => self.router.fallback(nothing),
        }
    }
}

/// What is answered to an act that waits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Waiting {
    /// The waiting request; `GET /api/v1/approval/{id}` tells how it stands.
    approval: garrison_base::RequestId,
}

async fn perform<A: Act>(
    State(web): State<Web>,
    Caller(actor): Caller,
    Body(act): Body<A>,
) -> Answer<Response> {
    Ok(match web.kernel.act_as_json(&actor, act).await? {
        Outcome::Done(output) => Json(output).into_response(),
        Outcome::Waiting(approval) => (StatusCode::ACCEPTED, Json(Waiting { approval })).into_response(),
    })
}

async fn answer<Q: Question>(
    State(web): State<Web>,
    Caller(actor): Caller,
    path: RawPathParams,
    RawQuery(query): RawQuery,
) -> Answer<Json<Q::Answer>> {
    let question: Q = parameters(&path, query.as_deref())?;
    let mut tx = web.kernel.read(&actor, Q::VERB).await?;
    Ok(Json(question.answer(&mut tx).await?))
}

async fn ask<R>(
    State(web): State<Web>,
    Caller(actor): Caller,
    path: RawPathParams,
    RawQuery(query): RawQuery,
) -> Answer<Json<R::Output>>
where
    R: ReadAct + DeserializeOwned,
    R::Output: Serialize,
{
    let question: R = parameters(&path, query.as_deref())?;
    Ok(Json(web.kernel.ask(&actor, question).await?))
}

/// The fields of a question, from the query alone.
pub fn query_parameters<T: DeserializeOwned>(query: Option<&str>) -> Result<T, Refusal> {
    serde_urlencoded::from_str(query.unwrap_or_default())
        .map_err(|error| Refusal::new(&problems::INVALID, format!("the parameters: {error}")))
}

/// The fields of a question, from the path and the query.
fn parameters<T: DeserializeOwned>(path: &RawPathParams, query: Option<&str>) -> Result<T, Refusal> {
    let mut all = form_urlencoded::Serializer::new(String::new());
    for (name, value) in path {
        all.append_pair(name, value);
    }
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if path.iter().any(|(of_path, _)| of_path == name) {
            return Err(Refusal::new(&problems::MALFORMED, format!("`{name}` stands in the path already")));
        }
        all.append_pair(&name, &value);
    }
    query_parameters(Some(&all.finish()))
}
