//! The console: its files are built from `console/` and are inside the program, each also compressed.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use garrison_kernel::problems;
use garrison_web::{Caller, Refusal};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../../console/dist"]
struct Files;

const SEC_FETCH_SITE: header::HeaderName = header::HeaderName::from_static("sec-fetch-site");

/// The page that shows all pages.
const INDEX: &str = "index.html";
/// Names of what lies here change with what it says.
const ASSETS: &str = "assets/";
/// Ways to send a file, the smallest first: what clients call it, and how the file is named.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// What answers where no route does: a file of the console, or the console itself for a browser that wants a page.
/// Who is not logged in is led to the login, and back.
pub async fn otherwise(caller: Result<Caller, Refusal>, request: Request) -> Response {
    let nothing = || Refusal::new(&problems::NOT_FOUND, "there is nothing at this address").into_response();
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return nothing();
    }
    let path = request.uri().path().trim_start_matches('/');
    if path.starts_with("api/") {
        return nothing();
    }
    if path.starts_with(ASSETS) {
        return file(path, request.headers()).unwrap_or_else(nothing);
    }
    // Whoever asks for the front door gets it, whatever they say they take.
    if !path.is_empty() && !wants_page(request.headers()) {
        return nothing();
    }
    // A link on another site brings no session, whoever is logged in (`SameSite=Strict`): the page itself asks who is there.
    let from_elsewhere = matches!(text(request.headers(), &SEC_FETCH_SITE), "cross-site" | "same-site");
    if caller.is_err() && !from_elsewhere {
        return Redirect::to(&to_login(&request)).into_response();
    }
    file(INDEX, request.headers()).unwrap_or_else(nothing)
}

/// Browsers name HTML when somebody goes to an address; scripts and other programs do not.
fn wants_page(headers: &HeaderMap) -> bool {
    text(headers, &header::ACCEPT).contains("text/html")
}

fn to_login(request: &Request) -> String {
    let here = request.uri().path_and_query().map_or("/", |here| here.as_str());
    let next: String = form_urlencoded::byte_serialize(here.as_bytes()).collect();
    if here == "/" { "/login".to_owned() } else { format!("/login?next={next}") }
}

fn text<'h>(headers: &'h HeaderMap, name: &header::HeaderName) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    let plain = Files::get(path)?;
    let etag = etag(&plain);
    let known = text(headers, &header::IF_NONE_MATCH);
    let mut response = if known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        body(path, plain, text(headers, &header::ACCEPT_ENCODING))
    };
    let cache = if path.starts_with(ASSETS) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let told = response.headers_mut();
    told.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    told.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    told.insert(header::ETAG, HeaderValue::from_str(&etag).ok()?);
    Some(response)
}

/// One tag for all encodings: what is compared is what the file says.
fn etag(file: &EmbeddedFile) -> String {
    let digest = file.metadata.sha256_hash();
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

fn body(path: &str, plain: EmbeddedFile, accepted: &str) -> Response {
    let accepts = |name: &str| {
        accepted.split(',').any(|part| {
            let (coding, weight) = part.split_once(';').unwrap_or((part, ""));
            coding.trim().eq_ignore_ascii_case(name) && weight.replace(' ', "") != "q=0"
        })
    };
    let mut smaller = ENCODINGS.iter().filter(|(name, _)| accepts(name));
    let found = smaller.find_map(|(name, suffix)| Some((*name, Files::get(&format!("{path}{suffix}"))?)));
    let (encoding, data) = found.map_or((None, plain.data), |(name, file)| (Some(name), file.data));
    let mut response = data.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(path)));
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// What the build makes, and nothing else.
fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    fn header_of<'r>(response: &'r Response, name: &header::HeaderName) -> &'r str {
        text(response.headers(), name)
    }

    #[test]
    fn the_page_is_asked_for_again_and_its_parts_are_kept() {
        let index = file(INDEX, &HeaderMap::new()).unwrap();
        assert_eq!(header_of(&index, &header::CACHE_CONTROL), "no-cache");
        let script = Files::iter().find(|name| name.ends_with(".js")).unwrap();
        let part = file(&script, &HeaderMap::new()).unwrap();
        assert_eq!(header_of(&part, &header::CACHE_CONTROL), "public, max-age=31536000, immutable");
        assert_eq!(header_of(&part, &header::CONTENT_TYPE), "text/javascript; charset=utf-8");
    }

    #[test]
    fn what_is_known_is_not_sent_again() {
        let tag = header_of(&file(INDEX, &HeaderMap::new()).unwrap(), &header::ETAG).to_owned();
        for known in [tag.clone(), format!("\"other\", W/{tag}")] {
            let again = file(INDEX, &headers(&[(header::IF_NONE_MATCH, &known)])).unwrap();
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{known}");
        }
        let other = file(INDEX, &headers(&[(header::IF_NONE_MATCH, "\"other\"")])).unwrap();
        assert_eq!(other.status(), StatusCode::OK);
    }

    #[test]
    fn the_smallest_form_is_sent_that_is_understood() {
        let script = Files::iter().find(|name| Files::get(&format!("{name}.br")).is_some()).unwrap();
        for (accepted, sent) in
            [("gzip, br", "br"), ("gzip;q=0.5", "gzip"), ("br;q=0, gzip", "gzip"), ("identity", ""), ("", "")]
        {
            let response = file(&script, &headers(&[(header::ACCEPT_ENCODING, accepted)])).unwrap();
            assert_eq!(header_of(&response, &header::CONTENT_ENCODING), sent, "{accepted}");
        }
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        for path in ["assets/none.js", "assets/../index.html", "assets/"] {
            assert!(file(path, &HeaderMap::new()).is_none(), "{path}");
        }
    }
}
