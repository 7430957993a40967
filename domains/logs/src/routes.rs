//! The routes: acts and questions by their types, the rest by hand.

use axum::extract::{RawQuery, State};
use axum::routing::{any, get, post};
use axum::{Extension, Json};
use garrison_web::{Answer, Caller, Page, Question as _, Routes, Web};
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, ResponseBuilder};
use utoipa::{IntoParams as _, PartialSchema as _, ToSchema};

use crate::histogram::{HistogramLogs, LogHistogram, histogram};
use crate::intake::Taken;
use crate::model::Source;
use crate::search::{SEARCH, SearchLogs};
use crate::stream::{StreamLogs, stream};
use crate::tail::TailLogs;
use crate::top::{LogTop, TopLogs, top};
use crate::{Logs, acts, coverage, elastic, lines, otlp, reads, receive, search, tail};

/// All routes of the logs.
pub fn routes(logs: Logs) -> Routes {
    let shared = Extension(logs);
    asked(&shared)
        .act::<acts::CreateSource>("Make a source of logs.")
        .act::<acts::ChangeSource>("Change what is known of a source, and its limits.")
        .act::<acts::DisableSource>("Take nothing more from a source.")
        .act::<acts::EnableSource>("Take events of a source again.")
        .act::<acts::SaveSearch>("Save a search under a name.")
        .act::<acts::DeleteSearch>("Forget a saved search.")
        .act::<acts::SetRetention>("Set for how many days a stream is kept.")
        .act::<acts::CreateHold>("Keep logs whatever their age.")
        .act::<acts::EndHold>("Hold logs no longer.")
        .question::<coverage::CoverSources>()
        .question::<reads::ListRetention>()
        .question::<reads::ListHolds>()
        .act::<acts::ClassifyStream>("Say what a stream holds: security records, or data of a customer.")
        .act::<acts::RotateKey>("Make a new version of the tenant's key; no stored data is written again.")
        .act::<acts::DestroyKey>("Destroy a customer's data of some days: nobody can read it again.")
        .question::<reads::ListKeyChanges>()
        .question::<reads::ListSearches>()
        .question::<reads::DescribeLogs>()
        .own(
            "/api/v1/source",
            (HttpMethod::Get, get(sources).layer(shared.clone())),
            Some(reads::SOURCES),
            listing(),
        )
        .own(
            "/api/v1/intake/{source}",
            (HttpMethod::Post, post(lines::take).layer(shared.clone())),
            Some(receive::SEND),
            sending(),
        )
        .page("/v1/logs", post(otlp::take).layer(shared.clone()))
        .page("/es", get(elastic::hello))
        .page("/es/", get(elastic::hello))
        .page("/es/{*path}", any(elastic::any).layer(shared))
        .schema::<Taken>()
        .schema::<Page<Source>>()
        .schema::<Source>()
}

/// What is asked of events. Each question is recorded as a search.
fn asked(shared: &Extension<Logs>) -> Routes {
    let lines = "One JSON object a line; the last one, `_end`, tells how many rows there were and whether that is all.";
    let lines = || answered("application/x-ndjson", lines, object());
    Routes::new()
        .own(
            "/api/v1/log/search",
            (HttpMethod::Post, post(search::search).layer(shared.clone())),
            Some(SEARCH),
            asking::<SearchLogs>(("log_search", "Search the logs, by filter or in SQL."), lines()),
        )
        .own(
            "/api/v1/log/tail",
            (HttpMethod::Post, post(tail::tail).layer(shared.clone())),
            Some(SEARCH),
            asking::<TailLogs>(("log_tail", "Follow the logs; empty lines are signs of life."), lines()),
        )
        .own(
            "/api/v1/log/stream",
            (HttpMethod::Get, get(stream).layer(shared.clone())),
            Some(SEARCH),
            streaming(),
        )
        .own(
            "/api/v1/log/histogram",
            (HttpMethod::Post, post(histogram).layer(shared.clone())),
            Some(SEARCH),
            asking::<HistogramLogs>(
                ("log_histogram", "Count events over time, all or by the values of a column."),
                answer::<LogHistogram>(),
            ),
        )
        .own(
            "/api/v1/log/top",
            (HttpMethod::Post, post(top).layer(shared.clone())),
            Some(SEARCH),
            asking::<TopLogs>(("log_top", "The values that a column has most often."), answer::<LogTop>()),
        )
        .schema::<SearchLogs>()
        .schema::<TailLogs>()
        .schema::<HistogramLogs>()
        .schema::<LogHistogram>()
        .schema::<TopLogs>()
        .schema::<LogTop>()
}

async fn sources(
    State(web): State<Web>,
    Extension(logs): Extension<Logs>,
    Caller(actor): Caller,
    RawQuery(query): RawQuery,
) -> Answer<Json<Page<Source>>> {
    let question: reads::ListSources = garrison_web::query_parameters(query.as_deref())?;
    let mut tx = web.kernel.read(&actor, reads::SOURCES).await?;
    let mut page = question.answer(&mut tx).await?;
    for source in &mut page.items {
        logs.hear(actor.tenant, source);
    }
    Ok(Json(page))
}

fn begin(id: &str, summary: &str) -> OperationBuilder {
    OperationBuilder::new()
        .tag("log")
        .operation_id(Some(id))
        .summary(Some(summary))
        .response("default", RefOr::Ref(Ref::from_response_name("Problem")))
}

fn answered(kind: &str, words: &str, schema: RefOr<Schema>) -> utoipa::openapi::Response {
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(words).content(kind, content).build()
}

fn answer<T: ToSchema>() -> utoipa::openapi::Response {
    answered("application/json", "The answer.", Ref::from_schema_name(T::name()).into())
}

fn listing() -> Operation {
    begin("source_list", "Sources by name, with what was heard from them.")
        .parameters(Some(reads::ListSources::into_params(|| Some(ParameterIn::Query))))
        .response("200", answered("application/json", "The answer.", Page::<Source>::schema()))
        .build()
}

fn object() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::Object).into()
}

fn asking<B: ToSchema>((id, summary): (&str, &str), answer: utoipa::openapi::Response) -> Operation {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(B::name()))).build();
    let body =
        RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True)).build();
    begin(id, summary).request_body(Some(body)).response("200", answer).build()
}

fn streaming() -> Operation {
    let text = || ObjectBuilder::new().schema_type(Type::String).build();
    let last = ParameterBuilder::new()
        .name("Last-Event-ID")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("The id of the last message that arrived; browsers send it by themselves."))
        .schema(Some(text()))
        .build();
    let words = "Server-sent events. `hello` with the position; `rows` with a list of events; `lagged` with what to \
                 search for, since it was left out; `alive` every ten seconds where nothing comes; `end` with a problem. The id of a message is where to go on.";
    begin("log_stream", "Follow the logs in a browser, and go on where it broke off.")
        .parameters(Some(StreamLogs::into_params(|| Some(ParameterIn::Query))))
        .parameter(last)
        .response("200", answered("text/event-stream", words, text().into()))
        .build()
}

fn sending() -> Operation {
    let text = ObjectBuilder::new().schema_type(Type::String).build();
    let content = ContentBuilder::new().schema(Some(text.clone())).build();
    let body = RequestBodyBuilder::new()
        .content("application/x-ndjson", content.clone())
        .content("text/plain", content)
        .description(Some("Lines, JSON lines or JSON documents; gzip, deflate or zstd by Content-Encoding."))
        .required(Some(Required::True))
        .build();
    let source = ParameterBuilder::new()
        .name("source")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(text))
        .build();
    begin("log_send", "Send events to a source; answered when they are on the disk.")
        .parameter(source)
        .request_body(Some(body))
        .response("200", answered("application/json", "Taken.", Taken::schema()))
        .build()
}
