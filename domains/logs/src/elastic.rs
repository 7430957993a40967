//! What clients of Elasticsearch and `OpenSearch` need to send logs: `_bulk`, and the questions that they ask before.
//!
//! An index is a source: `_index` names it. Documents are kept as they come; `index` and `create` are the actions that
//! make one, and nothing can be changed or removed afterwards.

use std::collections::BTreeMap;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::{Extension, Json};
use garrison_kernel::Actor;
use garrison_web::{Answer, Caller, Refusal, Web};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::intake::{Refused, Target};
use crate::{Logs, problem, receive};
use garrison_decode::Events;

/// The version that clients are told: their own checks want one.
const VERSION: &str = "9.1.0";

/// Sources that one request may name.
const SOURCES: usize = 16;
/// Documents that one request may bring: each is answered by itself, with a hundred times the bytes that the smallest has.
const DOCUMENTS: usize = 50_000;

/// Clients refuse a server without this header.
fn product(body: impl axum::response::IntoResponse) -> Response {
    let mut response = body.into_response();
    let name = HeaderName::from_static("x-elastic-product");
    response.headers_mut().insert(name, HeaderValue::from_static("Elasticsearch"));
    response
}

/// An answer of JSON, of the media type that the client asked for.
fn answer(status: StatusCode, accept: Option<&HeaderValue>, body: &Value) -> Response {
    let mut response = product((status, Json(body)));
    let compatible =
        accept.filter(|kind| kind.to_str().is_ok_and(|kind| kind.starts_with("application/vnd.elastic")));
    if let Some(kind) = compatible.and_then(|kind| kind.to_str().ok()?.split(',').next().map(str::to_owned))
        && let Ok(kind) = HeaderValue::from_str(&kind.replace("x-ndjson", "json"))
    {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    response
}

/// `GET /es`: who is there.
pub(crate) async fn hello(Caller(_): Caller, request: Request) -> Response {
    let body = json!({
        "name": "garrison",
        "cluster_name": "garrison",
        "cluster_uuid": "garrison",
        "version": {
            "number": VERSION, "build_flavor": "default", "build_type": "tar", "build_hash": "none",
            "build_date": "2026-01-01T00:00:00Z", "build_snapshot": false, "lucene_version": "10.0.0",
            "minimum_wire_compatibility_version": "8.0.0", "minimum_index_compatibility_version": "8.0.0",
        },
        "tagline": "logs only",
    });
    answer(StatusCode::OK, request.headers().get(header::ACCEPT), &body)
}

/// Everything below `/es`.
pub(crate) async fn any(
    web: State<Web>,
    logs: Extension<Logs>,
    caller: Answer<Caller>,
    Path(path): Path<String>,
    request: Request,
) -> Response {
    let accept = request.headers().get(header::ACCEPT).cloned();
    let caller = match caller {
        Ok(caller) => caller,
        Err(refusal) => return refused(&refusal, accept.as_ref()),
    };
    let sends = matches!(*request.method(), Method::POST | Method::PUT);
    let index = match path.split('/').collect::<Vec<_>>().as_slice() {
        ["_bulk"] if sends => Some(String::new()),
        [index, "_bulk"] if sends => Some((*index).to_owned()),
        _ => None,
    };
    match index {
        Some(index) => bulk(web, logs, caller, &index, request)
            .await
            .unwrap_or_else(|refusal| refused(&refusal, accept.as_ref())),
        None => other(&path, accept.as_ref()),
    }
}

/// A refusal, as these clients read it.
fn refused(refusal: &Refusal, accept: Option<&HeaderValue>) -> Response {
    let kind = refusal.kind();
    let body = json!({ "error": { "type": kind.name, "reason": refusal.detail() }, "status": kind.status });
    answer(StatusCode::from_u16(kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), accept, &body)
}

/// What clients ask before they send; they go on when there is an answer.
fn other(path: &str, accept: Option<&HeaderValue>) -> Response {
    let first = path.split('/').next().unwrap_or_default();
    let body = match first {
        "_license" => json!({"license": {"status": "active", "type": "basic", "mode": "basic"}}),
        "_xpack" => json!({"features": {"ilm": {"available": false, "enabled": false}}}),
        "_nodes" => json!({"nodes": {}}),
        "_cluster" => json!({"cluster_name": "garrison", "status": "green", "number_of_nodes": 1}),
        // Templates and pipelines are for a server that stores fields; here they change nothing.
        "_ilm" | "_index_template" | "_component_template" | "_template" | "_ingest" | "_data_stream" => {
            json!({"acknowledged": true})
        }
        _ => {
            let words = format!("{first} is not served here; send documents to _bulk");
            let error =
                json!({"error": {"type": "illegal_argument_exception", "reason": words}, "status": 404});
            return answer(StatusCode::NOT_FOUND, accept, &error);
        }
    };
    answer(StatusCode::OK, accept, &body)
}

#[derive(Deserialize, Default)]
struct Meta {
    #[serde(rename = "_index")]
    index: Option<String>,
    #[serde(rename = "_id")]
    id: Option<Value>,
}

/// One action of a bulk request.
struct Item {
    action: String,
    meta: Meta,
    error: Option<(u16, &'static str, String)>,
}

/// `POST` or `PUT /es/_bulk`, and `/es/{index}/_bulk`.
async fn bulk(
    State(web): State<Web>,
    Extension(logs): Extension<Logs>,
    Caller(actor): Caller,
    index: &str,
    request: Request,
) -> Answer<Response> {
    let accept = request.headers().get(header::ACCEPT).cloned();
    // Whoever may send nowhere does not make anything be read.
    web.kernel.read(&actor, receive::SEND).await.map_err(problem::kernel)?;
    let (_, bytes) = receive::body(request).await?;
    let (mut items, documents) = parse(&bytes, index)?;
    let mut parts: BTreeMap<String, (Option<Target>, Events)> = BTreeMap::new();
    for (item, document) in items.iter_mut().zip(&documents) {
        put(&web, &actor, item, document, &mut parts).await?;
    }
    let parts: Vec<(Target, Events)> =
        parts.into_values().filter_map(|(target, events)| Some((target?, events))).collect();
    if let Err(error) = logs.intake().take(&receive::sender(&actor), &parts).await {
        // Clients send everything again that is answered so.
        if let Refused::Rate(_) | Refused::Busy = error {
            let body = json!({"error": {"type": "es_rejected_execution_exception", "reason": error.to_string()}, "status": 429});
            return Ok(answer(StatusCode::TOO_MANY_REQUESTS, accept.as_ref(), &body));
        }
        return Err(problem::refused(&error));
    }
    let errors = items.iter().any(|item| item.error.is_some());
    let items: Vec<Value> = items.iter().map(told).collect();
    Ok(answer(StatusCode::OK, accept.as_ref(), &json!({"took": 0, "errors": errors, "items": items})))
}

/// Actions and their documents. Empty lines may stand anywhere.
fn parse<'b>(bytes: &'b [u8], index: &str) -> Answer<(Vec<Item>, Vec<&'b [u8]>)> {
    let bad = |words: String| Refusal::new(&problem::EVENTS, words);
    let mut lines =
        bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let (mut items, mut documents) = (Vec::new(), Vec::new());
    while let Some(line) = lines.next() {
        let place = items.len() + 1;
        if place > DOCUMENTS {
            let words = format!("a request brings at most {DOCUMENTS} documents");
            return Err(Refusal::new(&problem::TOO_MUCH, words));
        }
        let action: BTreeMap<String, Meta> = serde_json::from_slice(line).map_err(|error| {
            bad(format!("action {place} is no object such as {{\"create\":{{}}}}: {error}"))
        })?;
        let Some((action, mut meta)) = action.into_iter().next() else {
            return Err(bad(format!("action {place} is empty")));
        };
        if meta.index.is_none() && !index.is_empty() {
            meta.index = Some(index.to_owned());
        }
        let document = if action == "delete" {
            b"".as_slice()
        } else {
            lines.next().ok_or_else(|| bad(format!("the document of action {place} is missing")))?
        };
        let error = (action != "index" && action != "create").then(|| {
            let words = format!("`{action}` is not possible: logs are never changed");
            (400, "illegal_argument_exception", words)
        });
        items.push(Item { action, meta, error });
        documents.push(document);
    }
    Ok((items, documents))
}

/// Puts a document with the others of its source.
async fn put(
    web: &Web,
    actor: &Actor,
    item: &mut Item,
    document: &[u8],
    parts: &mut BTreeMap<String, (Option<Target>, Events)>,
) -> Answer<()> {
    if item.error.is_some() {
        return Ok(());
    }
    let Some(index) = item.meta.index.clone() else {
        item.error =
            Some((400, "illegal_argument_exception", "`_index` names the source, and is missing".to_owned()));
        return Ok(());
    };
    if !document.starts_with(b"{") || serde_json::from_slice::<serde::de::IgnoredAny>(document).is_err() {
        item.error = Some((400, "document_parsing_exception", "the document is no JSON object".to_owned()));
        return Ok(());
    }
    if document.len() > garrison_base::limits::EVENT_BYTES {
        item.error = Some((413, "document_parsing_exception", "a document has at most 1 MiB".to_owned()));
        return Ok(());
    }
    if !parts.contains_key(&index) {
        if parts.len() >= SOURCES {
            let words = format!("a request names at most {SOURCES} sources");
            item.error = Some((400, "illegal_argument_exception", words));
            return Ok(());
        }
        let target = match receive::target(web, actor, &index).await {
            Ok(target) => Some(target),
            Err(refusal) if refusal.kind().status == 404 => None,
            Err(refusal) => return Err(refusal),
        };
        parts.insert(index.clone(), (target, Events::default()));
    }
    if let Some((Some(_), events)) = parts.get_mut(&index) {
        events.push(document);
    } else {
        let words = format!("there is no source `{index}` that this account may send to");
        item.error = Some((404, "index_not_found_exception", words));
    }
    Ok(())
}

fn told(item: &Item) -> Value {
    let index = item.meta.index.clone().unwrap_or_default();
    let id = item.meta.id.clone().unwrap_or(Value::Null);
    let body = match &item.error {
        None => json!({
            "_index": index, "_id": id, "_version": 1, "result": "created", "status": 201, "_seq_no": 0,
            "_primary_term": 1, "_shards": {"total": 1, "successful": 1, "failed": 0},
        }),
        Some((status, kind, words)) => {
            json!({"_index": index, "_id": id, "status": status, "error": {"type": kind, "reason": words}})
        }
    };
    json!({ item.action.clone(): body })
}
