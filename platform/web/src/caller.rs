use std::future::Future;
use std::pin::Pin;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method as HttpMethod, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use garrison_kernel::{Actor, Method, Origin, Problem, problems};

use crate::origin::origin;
use crate::{Refusal, Web};

/// The cookie of a session. The prefix makes browsers refuse it without `Secure`, with `Domain`, or for a part
/// of the site only (RFC 6265bis).
pub const SESSION_COOKIE: &str = "__Host-garrison";

/// What a request shows to prove who sends it.
pub enum Credential {
    /// `Authorization: Bearer ...`: an API token, or the session of a command line.
    Bearer(String),
    /// The session cookie of a browser.
    Cookie(String),
}

/// Somebody who was recognised.
pub struct Identified {
    /// Who, without the origin's idempotency key.
    pub actor: Actor,
    /// The session's new secret, where it was changed just now.
    pub renewed: Option<String>,
}

/// Somebody is being recognised.
pub type Identifying<'g> = Pin<Box<dyn Future<Output = Result<Identified, Box<dyn Problem>>> + Send + 'g>>;

/// Somebody is being looked at again.
pub type Confirming<'g> = Pin<Box<dyn Future<Output = Result<(), Box<dyn Problem>>> + Send + 'g>>;

/// Finds out who somebody is.
pub trait Gate: Send + Sync {
    /// Who shows this credential; an error when it is nobody. Where nobody attends to what is asked, it prolongs nothing.
    fn identify(&self, credential: Credential, origin: Origin, attended: bool) -> Identifying<'_>;

    /// Whether the session or token by which somebody was recognised still counts; an error when it has ended. For
    /// answers that go on: this is no use of it, and prolongs nothing.
    fn confirm<'g>(&'g self, actor: &'g Actor) -> Confirming<'g>;
}

/// The header that gives a browser its session, or takes it away.
pub fn session_cookie(secret: Option<&str>) -> HeaderValue {
    let text = match secret {
        Some(secret) => format!("{SESSION_COOKIE}={secret}; Path=/; Secure; HttpOnly; SameSite=Strict"),
        None => format!("{SESSION_COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"),
    };
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Who calls: recognised, enabled, in a tenant. A handler with this argument cannot be reached by anybody else.
#[derive(Debug, Clone)]
pub struct Caller(pub Actor);

impl FromRequestParts<Web> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Refusal> {
        let refused = |detail: &str| Refusal::new(&problems::UNAUTHENTICATED, detail);
        match parts.extensions.get::<Recognised>() {
            Some(Recognised::Actor(actor)) => {
                let mut actor = (**actor).clone();
                actor.origin.idempotency_key = idempotency_key(&parts.headers)?;
                Ok(Self(actor))
            }
            Some(Recognised::Nobody(why)) => Err(refused(why)),
            None => Err(refused("the request shows neither a token nor a session")),
        }
    }
}

/// From where a request comes, for the routes that everybody may reach.
#[derive(Debug, Clone)]
pub struct Client(pub Origin);

impl FromRequestParts<Web> for Client {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Refusal> {
        Ok(Self(origin(parts, &web.proxies)))
    }
}

/// By which a page tells that nobody has touched keyboard or pointer for a while.
const UNATTENDED: &str = "x-unattended";

/// Whether somebody may have made a request. Browsers ask for streams again by themselves, and pages look for news by
/// themselves: were that a use of the session, no page that was left open would ever be idle.
fn attended(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = accepted.flat_map(|value| value.split(',')).filter_map(|range| range.split(';').next());
    let follows = kinds.any(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream"));
    !follows && headers.get(UNATTENDED).is_none_or(|value| value != "1")
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let fits = |key: &&str| (1..=200).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    let key = key.to_str().ok().filter(fits);
    let key = key.ok_or_else(|| {
        Refusal::new(&problems::MALFORMED, "Idempotency-Key has 1 to 200 visible ASCII characters")
    })?;
    Ok(Some(key.to_owned()))
}

#[derive(Clone)]
enum Recognised {
    Actor(Box<Actor>),
    Nobody(String),
}

/// Recognises the caller of every request, once, before its route.
pub(crate) async fn recognise(State(web): State<Web>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let mut renewed = None;
    if let Some(credential) = credential(&parts) {
        let by_cookie = matches!(credential, Credential::Cookie(_));
        let mut origin = origin(&parts, &web.proxies);
        origin.method = if by_cookie { Method::Console } else { Method::Api };
        let recognised = if by_cookie && !same_origin(&parts) {
            Recognised::Nobody("a page of another origin sent this request".to_owned())
        } else {
            match web.gate.identify(credential, origin, attended(&parts.headers)).await {
                Ok(identified) => {
                    renewed = identified.renewed;
                    Recognised::Actor(Box::new(identified.actor))
                }
                Err(problem) if problem.kind().status == 401 => Recognised::Nobody(problem.to_string()),
                Err(problem) => return axum::response::IntoResponse::into_response(Refusal::from(problem)),
            }
        };
        parts.extensions.insert(recognised);
    }
    let mut response = next.run(Request::from_parts(parts, body)).await;
    // A log-out answers its own cookie; it must not be overwritten. Other cookies stay beside it.
    if let Some(secret) = renewed
        && !answers_session(response.headers())
    {
        response.headers_mut().append(header::SET_COOKIE, session_cookie(Some(&secret)));
        // No cache may keep somebody's session, whatever else was asked for.
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Whether an answer gives a session, or takes it away.
fn answers_session(headers: &HeaderMap) -> bool {
    let is_session = |value: &HeaderValue| {
        value.as_bytes().strip_prefix(SESSION_COOKIE.as_bytes()).is_some_and(|rest| rest.starts_with(b"="))
    };
    headers.get_all(header::SET_COOKIE).iter().any(is_session)
}

fn credential(parts: &Parts) -> Option<Credential> {
    let headers = &parts.headers;
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, shown) = value.to_str().ok()?.split_once(' ')?;
        let shown = shown.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(Credential::Bearer(shown.to_owned()));
        }
        // Clients of Elasticsearch know these two, which carry a token behind a name.
        let clients = parts.uri.path().starts_with("/es");
        let carries = scheme.eq_ignore_ascii_case("apikey") || scheme.eq_ignore_ascii_case("basic");
        return (clients && carries).then(|| Credential::Bearer(token_behind_name(shown)));
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == SESSION_COOKIE).map(|(_, secret)| Credential::Cookie(secret.to_owned()))
}

/// The token in `base64(name:token)`; a bare token stands for itself.
fn token_behind_name(shown: &str) -> String {
    let pair = STANDARD.decode(shown).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let token = pair.as_deref().and_then(|pair| pair.split_once(':')).map(|(_, token)| token.to_owned());
    token.unwrap_or_else(|| shown.to_owned())
}

/// Whether a request that may change something was made by a page of this origin. `SameSite` alone would let
/// every other host of the same site send one.
fn same_origin(parts: &Parts) -> bool {
    matches!(parts.method, HttpMethod::GET | HttpMethod::HEAD | HttpMethod::OPTIONS)
        || from_this_site(&parts.headers)
}

/// Whether a form was sent by a page of this site, by the word of the browser.
pub fn from_this_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let origin = text("origin").and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin.is_some() && origin == text("host")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_asks_by_itself_is_nobodys_doing() {
        let attended = |name: &'static str, value: &'static str| {
            let name = axum::http::HeaderName::from_static(name);
            attended(&HeaderMap::from_iter([(name, HeaderValue::from_static(value))]))
        };
        for value in ["text/event-stream", "Text/Event-Stream", "text/html, text/event-stream;q=0.5"] {
            assert!(!attended("accept", value), "{value}");
        }
        for value in ["", "*/*", "application/json", "text/event-streams"] {
            assert!(attended("accept", value), "{value}");
        }
        assert_eq!([attended(UNATTENDED, "1"), attended(UNATTENDED, "0")], [false, true]);
        assert!(super::attended(&HeaderMap::new()));
    }

    #[test]
    fn another_cookie_does_not_keep_a_session_from_being_renewed() {
        let mut headers = HeaderMap::new();
        headers.append(header::SET_COOKIE, HeaderValue::from_static("lang=zh-CN; Path=/"));
        headers.append(header::SET_COOKIE, HeaderValue::from_static("__Host-garrison-other=1"));
        assert!(!answers_session(&headers));
        headers.append(header::SET_COOKIE, session_cookie(None));
        assert!(answers_session(&headers));
    }
}
