use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use garrison_kernel::problems;

use crate::caller::recognise;
use crate::leftover;
use crate::origin::RequestId;
use crate::{Refusal, Routes, Web};

/// The routes with everything that every request passes: an id, recognition, headers that tell browsers to be
/// strict.
pub fn layered(routes: Routes, web: Web) -> Router {
    routes
        .into_router()
        .method_not_allowed_fallback(|| async {
            Refusal::new(&problems::METHOD, "this address exists, with another method")
        })
        .layer(middleware::from_fn_with_state(web.clone(), recognise))
        .layer(middleware::from_fn_with_state(web.clone(), number))
        .layer(middleware::from_fn(strict))
        .layer(middleware::from_fn(leftover::drain))
        .with_state(web)
}

/// Gives every request an id, and one line in the log: without query, body, cookies or tokens.
async fn number(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let id = garrison_base::id::fresh(web.kernel.now(), web.kernel.entropy());
    let id = format!("rq_{}", garrison_base::id::encode(id));
    request.extensions_mut().insert(RequestId(id.clone()));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = next.run(request).await;
    // A page's address may hold a one-time secret; the API's never does.
    let path = if path.starts_with("/api/") { path.as_str() } else { "(page)" };
    tracing::info!(request = %id, %method, path, status = response.status().as_u16(), "request");
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    response
}

const STRICT: [(HeaderName, HeaderValue); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
        ),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

async fn strict(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await.into_response();
    let headers = response.headers_mut();
    for (name, value) in STRICT {
        headers.insert(name, value);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
