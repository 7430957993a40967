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
        read(&bytes).map(Self)
    }
}

/// What is wrong is told with the field that it is about: a form shows it there.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    let refused = |field: &str, error: &serde_json::Error| {
        let kind = if error.is_data() { &problems::INVALID } else { &problems::MALFORMED };
        let place = if matches!(field, "." | "?") { String::new() } else { format!("{field}: ") };
        Refusal::new(kind, format!("the body: {place}{error}"))
    };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| refused(&error.path().to_string(), error.inner()))?;
    reader.end().map_err(|error| refused(".", &error))?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        #[expect(dead_code, reason = "only read")]
        days: u8,
    }

    fn told(text: &str) -> (u16, String) {
        let refusal = read::<Asked>(text.as_bytes()).unwrap_err();
        (refusal.kind().status, refusal.detail().to_owned())
    }

    #[test]
    fn what_is_wrong_is_told_with_its_field() {
        let (status, words) = told(r#"{"days": 300}"#);
        assert!(
            status == 422 && words.starts_with("the body: days: invalid value: integer `300`"),
            "{words}"
        );
        let (status, words) = told("{}");
        assert!(status == 422 && words.starts_with("the body: missing field `days`"), "{words}");
        for broken in ["{", r#"{"days": 1} x"#] {
            let (status, words) = told(broken);
            assert!(status == 400 && words.starts_with("the body: "), "{words}");
        }
    }
}
