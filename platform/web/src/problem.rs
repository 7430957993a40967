use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use garrison_kernel::{KernelError, Problem, ProblemType};
use serde::Serialize;
use utoipa::ToSchema;

/// A problem on the wire (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Body {
    /// The kind, such as `access/denied`; the documents list them all.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What was wrong this time.
    pub detail: String,
    /// What to do next.
    pub advice: String,
    /// The exit code of the command line for this kind.
    pub exit: u8,
}

/// A request that is refused.
#[derive(Debug)]
pub struct Refusal {
    kind: &'static ProblemType,
    detail: String,
    retry_after: Option<i64>,
}

/// What handlers return.
pub type Answer<T> = Result<T, Refusal>;

impl Refusal {
    /// A kind with details.
    pub fn new(kind: &'static ProblemType, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), retry_after: None }
    }

    /// In how many seconds it makes sense to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: i64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The kind.
    pub fn kind(&self) -> &'static ProblemType {
        self.kind
    }

    /// The details.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// As it is on the wire.
    pub(crate) fn body(&self) -> Body {
        Body {
            kind: self.kind.name.to_owned(),
            title: self.kind.title.to_owned(),
            status: self.kind.status,
            detail: self.detail.clone(),
            advice: self.kind.advice.to_owned(),
            exit: self.kind.exit as u8,
        }
    }
}

impl From<Box<dyn Problem>> for Refusal {
    fn from(problem: Box<dyn Problem>) -> Self {
        let kind = problem.kind();
        // Defects and the database's own words are for the log, where the request id finds them.
        if kind.status >= 500 {
            tracing::error!(kind = kind.name, %problem, "a request failed");
            return Self::new(kind, kind.title);
        }
        Self::new(kind, problem.to_string())
    }
}

impl From<KernelError> for Refusal {
    fn from(error: KernelError) -> Self {
        Box::<dyn Problem>::from(error).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.body())).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.max(1).into());
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
