//! OTLP over HTTP (OpenTelemetry protocol 1.x, <https://opentelemetry.io/docs/specs/otlp>): `POST /v1/logs`, in protobuf or
//! in JSON. The field numbers and names are those of `opentelemetry/proto/logs/v1/logs.proto`.
//!
//! A record is kept as one JSON object, with the names of OpenTelemetry's log data model.

use axum::Extension;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use garrison_web::{Answer, Caller, Refusal, Web};
use prost::Message;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::intake::{BROUGHT, Refused};
use crate::{Logs, problem, receive};
use garrison_decode::Events;

/// Levels of nesting in a value that are looked into.
const DEPTH: usize = 32;
/// Records that one request may bring: an empty one has two bytes on the wire and hundreds in memory.
const RECORDS: usize = 100_000;

#[derive(Clone, PartialEq, Message)]
struct Export {
    #[prost(message, repeated, tag = "1")]
    resource_logs: Vec<ResourceLogs>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceLogs {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scope_logs: Vec<ScopeLogs>,
}

#[derive(Clone, PartialEq, Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeLogs {
    #[prost(message, optional, tag = "1")]
    scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    log_records: Vec<LogRecord>,
}

#[derive(Clone, PartialEq, Message)]
struct Scope {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct LogRecord {
    #[prost(fixed64, tag = "1")]
    time_unix_nano: u64,
    #[prost(int32, tag = "2")]
    severity_number: i32,
    #[prost(string, tag = "3")]
    severity_text: String,
    #[prost(message, optional, tag = "5")]
    body: Option<AnyValue>,
    #[prost(message, repeated, tag = "6")]
    attributes: Vec<KeyValue>,
    #[prost(bytes = "vec", tag = "9")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "10")]
    span_id: Vec<u8>,
    #[prost(fixed64, tag = "11")]
    observed_time_unix_nano: u64,
    #[prost(string, tag = "12")]
    event_name: String,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(oneof = "Any", tags = "1, 2, 3, 4, 5, 6, 7")]
    value: Option<Any>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Any {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(bool, tag = "2")]
    Bool(bool),
    #[prost(int64, tag = "3")]
    Int(i64),
    #[prost(double, tag = "4")]
    Double(f64),
    #[prost(message, tag = "5")]
    List(List),
    #[prost(message, tag = "6")]
    Pairs(Pairs),
    #[prost(bytes, tag = "7")]
    Bytes(Vec<u8>),
}

#[derive(Clone, PartialEq, Message)]
struct List {
    #[prost(message, repeated, tag = "1")]
    values: Vec<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct Pairs {
    #[prost(message, repeated, tag = "1")]
    values: Vec<KeyValue>,
}

/// To which source.
#[derive(Debug, Deserialize)]
pub(crate) struct To {
    source: Option<String>,
}

/// Takes an export request.
pub(crate) async fn take(
    State(web): State<Web>,
    Extension(logs): Extension<Logs>,
    Caller(actor): Caller,
    Query(To { source }): Query<To>,
    request: Request,
) -> Answer<Response> {
    let source = source.ok_or_else(|| {
        Refusal::new(&problem::EVENTS, "the address names the source: /v1/logs?source=NAME")
    })?;
    let target = receive::target(&web, &actor, &source).await?;
    let (headers, bytes) = receive::body(request).await?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let in_json = kind.starts_with("application/json");
    if !in_json && !kind.starts_with("application/x-protobuf") {
        return Err(Refusal::new(
            &problem::EVENTS,
            "Content-Type is application/x-protobuf or application/json",
        ));
    }
    let events = if in_json { json_events(&bytes)? } else { protobuf_events(&bytes)? };
    let taken = logs.intake().take(&receive::sender(&actor), &[(target, events)]).await;
    let taken = taken.map_err(|error| problem::refused(&error))?;
    Ok(answer(in_json, taken.refused))
}

/// What the protocol answers: what was not taken is told as a partial success.
fn answer(in_json: bool, refused: u64) -> Response {
    const WORDS: &str = "an event has at most 1 MiB";
    if in_json {
        let partial = json!({"rejectedLogRecords": refused.to_string(), "errorMessage": WORDS});
        let body = if refused > 0 { json!({ "partialSuccess": partial }) } else { json!({}) };
        return axum::Json(body).into_response();
    }
    let mut body = Vec::new();
    if refused > 0 {
        let partial =
            PartialSuccess { rejected: i64::try_from(refused).unwrap_or(i64::MAX), words: WORDS.to_owned() };
        // Writing to a vector cannot fail.
        let _ = Exported { partial: Some(partial) }.encode(&mut body);
    }
    let mut response = body.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
    response
}

#[derive(Clone, PartialEq, Message)]
struct Exported {
    #[prost(message, optional, tag = "1")]
    partial: Option<PartialSuccess>,
}

#[derive(Clone, PartialEq, Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected: i64,
    #[prost(string, tag = "2")]
    words: String,
}

/// How many messages there are on the way of these tags; nothing where the bytes are no message.
fn count(mut bytes: &[u8], tags: &[u32]) -> Option<usize> {
    let Some((wanted, below)) = tags.split_first() else { return Some(0) };
    let mut found = 0;
    while !bytes.is_empty() {
        let (tag, kind) = decode_key(&mut bytes).ok()?;
        if tag == *wanted && kind == WireType::LengthDelimited {
            let length = usize::try_from(decode_varint(&mut bytes).ok()?).ok()?;
            let (inner, rest) = bytes.split_at_checked(length)?;
            found += 1 + count(inner, below)?;
            bytes = rest;
        } else {
            skip_field(kind, tag, &mut bytes, DecodeContext::default()).ok()?;
        }
    }
    Some(found)
}

fn protobuf_events(bytes: &[u8]) -> Answer<Events> {
    let bad =
        |why: &str| Refusal::new(&problem::EVENTS, format!("the body is no ExportLogsServiceRequest: {why}"));
    // Resource logs, scope logs, records.
    if count(bytes, &[1, 2, 2]).ok_or_else(|| bad("it is cut, or something else"))? > RECORDS {
        let words = format!("a request brings at most {RECORDS} records, resources and scopes");
        return Err(Refusal::new(&problem::TOO_MUCH, words));
    }
    let export = Export::decode(bytes).map_err(|error| bad(&error.to_string()))?;
    let mut events = Events::default();
    for of_resource in export.resource_logs {
        let resource =
            of_resource.resource.map(|resource| object(resource.attributes, 0)).unwrap_or_default();
        for of_scope in of_resource.scope_logs {
            let scope = of_scope.scope.map(|scope| scope.name).unwrap_or_default();
            for record in of_scope.log_records {
                add(&mut events, &record_json(record, &resource, &scope))?;
            }
        }
    }
    Ok(events)
}

/// Adds a record. Each has its resource with it, so that a small request could become a large one.
fn add(events: &mut Events, record: &Value) -> Answer<()> {
    events.push(record.to_string().as_bytes());
    if events.bytes() > BROUGHT {
        return Err(problem::refused(&Refused::TooMuch(events.bytes())));
    }
    Ok(())
}

fn record_json(record: LogRecord, resource: &Map<String, Value>, scope: &str) -> Value {
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| {
        let empty = match &value {
            Value::String(text) => text.is_empty(),
            Value::Object(map) => map.is_empty(),
            Value::Null => true,
            Value::Number(_) | Value::Bool(_) | Value::Array(_) => false,
        };
        if !empty {
            out.insert(name.to_owned(), value);
        }
    };
    let time = if record.time_unix_nano > 0 { record.time_unix_nano } else { record.observed_time_unix_nano };
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    put("timestamp", moment(time));
    put("severity_text", record.severity_text.into());
    put(
        "severity_number",
        if record.severity_number == 0 { Value::Null } else { record.severity_number.into() },
    );
    put("event_name", record.event_name.into());
    put("body", record.body.map_or(Value::Null, |body| plain(body, 0)));
    put("attributes", Value::Object(object(record.attributes, 0)));
    put("resource", Value::Object(resource.clone()));
    put("scope", scope.into());
    put("trace_id", hex(&record.trace_id).into());
    put("span_id", hex(&record.span_id).into());
    Value::Object(out)
}

fn moment(nanos: u64) -> Value {
    let at = jiff::Timestamp::from_nanosecond(i128::from(nanos)).ok().filter(|_| nanos > 0);
    at.map_or(Value::Null, |at| at.to_string().into())
}

fn object(pairs: Vec<KeyValue>, depth: usize) -> Map<String, Value> {
    let value = |value: Option<AnyValue>| value.map_or(Value::Null, |value| plain(value, depth + 1));
    pairs.into_iter().map(|pair| (pair.key, value(pair.value))).collect()
}

fn plain(value: AnyValue, depth: usize) -> Value {
    match value.value {
        Some(Any::Text(text)) => text.into(),
        Some(Any::Bool(truth)) => truth.into(),
        Some(Any::Int(number)) => number.into(),
        Some(Any::Double(number)) => json!(number),
        Some(Any::Bytes(bytes)) => STANDARD.encode(bytes).into(),
        Some(Any::List(list)) if depth < DEPTH => {
            list.values.into_iter().map(|value| plain(value, depth + 1)).collect()
        }
        Some(Any::Pairs(pairs)) if depth < DEPTH => Value::Object(object(pairs.values, depth)),
        Some(Any::List(_) | Any::Pairs(_)) | None => Value::Null,
    }
}

/// The JSON form (`LogsData` in proto3 JSON): ids in hexadecimal, 64-bit numbers as text or number.
fn json_events(bytes: &[u8]) -> Answer<Events> {
    let bad = |words: String| Refusal::new(&problem::EVENTS, format!("the body is no LogsData: {words}"));
    let data: Value = serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
    let list =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    if !data.get("resourceLogs").is_some_and(Value::is_array) {
        return Err(bad("`resourceLogs` is missing".to_owned()));
    }
    let mut events = Events::default();
    for of_resource in list(&data, "resourceLogs") {
        let resource = pairs_json(of_resource.pointer("/resource/attributes"), 0);
        for of_scope in list(&of_resource, "scopeLogs") {
            let scope = of_scope.pointer("/scope/name").cloned().unwrap_or(Value::Null);
            for record in list(&of_scope, "logRecords") {
                let mut out = Map::new();
                let time = ["timeUnixNano", "observedTimeUnixNano"].iter().find_map(|name| {
                    let value = record.get(*name)?;
                    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
                    number.filter(|number| *number > 0)
                });
                out.insert("timestamp".into(), moment(time.unwrap_or(0)));
                let names = [
                    ("severityText", "severity_text"),
                    ("severityNumber", "severity_number"),
                    ("eventName", "event_name"),
                    ("traceId", "trace_id"),
                    ("spanId", "span_id"),
                ];
                for (from, to) in names {
                    out.insert(to.into(), record.get(from).cloned().unwrap_or(Value::Null));
                }
                out.insert("body".into(), record.get("body").map_or(Value::Null, |body| any_json(body, 0)));
                out.insert("attributes".into(), Value::Object(pairs_json(record.get("attributes"), 0)));
                out.insert("resource".into(), Value::Object(resource.clone()));
                out.insert("scope".into(), scope.clone());
                out.retain(|_, value| {
                    !value.is_null() && value.as_object().is_none_or(|object| !object.is_empty())
                });
                add(&mut events, &Value::Object(out))?;
            }
        }
    }
    Ok(events)
}

fn pairs_json(pairs: Option<&Value>, depth: usize) -> Map<String, Value> {
    let pairs = pairs.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let pair = |pair: &Value| {
        let key = pair.get("key")?.as_str()?.to_owned();
        Some((key, pair.get("value").map_or(Value::Null, |value| any_json(value, depth + 1))))
    };
    pairs.iter().filter_map(pair).collect()
}

fn any_json(value: &Value, depth: usize) -> Value {
    let Some((kind, inner)) = value.as_object().and_then(|object| object.iter().next()) else {
        return Value::Null;
    };
    match kind.as_str() {
        "intValue" => inner
            .as_str()
            .and_then(|text| text.parse::<i64>().ok())
            .map_or_else(|| inner.clone(), Value::from),
        "arrayValue" if depth < DEPTH => {
            let values = inner.get("values").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            values.iter().map(|value| any_json(value, depth + 1)).collect()
        }
        "kvlistValue" if depth < DEPTH => Value::Object(pairs_json(inner.get("values"), depth)),
        "arrayValue" | "kvlistValue" => Value::Null,
        _ => inner.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field of bytes.
    fn field(tag: u32, inner: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        prost::encoding::bytes::encode(tag, &inner.to_vec(), &mut out);
        out
    }

    #[test]
    fn records_are_counted_before_they_are_unpacked() {
        let request = |records: usize| field(1, &field(2, &field(2, b"").repeat(records)));
        assert_eq!(protobuf_events(&request(3)).unwrap().len(), 3);
        let refused = protobuf_events(&request(RECORDS)).unwrap_err();
        assert_eq!(refused.kind().name, problem::TOO_MUCH.name);
        let cut = request(RECORDS);
        let refused = protobuf_events(&cut[..cut.len() - 1]).unwrap_err();
        assert_eq!(refused.kind().name, problem::EVENTS.name);
    }
}
