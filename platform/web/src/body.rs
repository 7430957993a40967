use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use garrison_kernel::problems;
use serde::de::DeserializeOwned;

use crate::Refusal;

/// How large a body may be, in bytes. Read before it is parsed.
const LIMIT: usize = 4 << 20;

/// A JSON body; what is wrong with it is told with its place.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let kind = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default();
        // A page of another origin can send forms and plain text without asking; JSON it cannot.
        if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
            return Err(Refusal::new(
                &problems::MEDIA_TYPE,
                "the header Content-Type must be application/json",
            ));
        }
        let bytes = to_bytes(request.into_body(), LIMIT)
            .await
            .map_err(|_| Refusal::new(&problems::TOO_LARGE, format!("a body has at most {LIMIT} bytes")))?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            let kind = if error.is_data() { &problems::INVALID } else { &problems::MALFORMED };
            Refusal::new(kind, format!("the body: {error}"))
        })
    }
}
