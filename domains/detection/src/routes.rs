//! The routes: acts and questions by their types, the rest by hand.

use axum::extract::{RawQuery, State};
use axum::routing::{get, post};
use axum::{Extension, Json};
use garrison_kernel::Verb;
use garrison_web::{Answer, Caller, Page, Question as _, Routes, Web, query_parameters};
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, ResponseBuilder};
use utoipa::{IntoParams, PartialSchema as _, ToSchema};

use crate::filter::AlertFilter;
use crate::predicate::{Judged, Predicate};
use crate::reads::{ListAlerts, ShowAlert};
use crate::rules::{ListRules, RuleDetail, RuleItem};
use crate::stream::FollowAlerts;
use crate::summary::{AlertSummary, Buckets, SummariseAlerts};
use crate::trial::{RuleTrial, TestRule};
use crate::{Live, acts, model, rules, stream, trial};

/// The verb of all that lists, counts and follows alerts.
const LIST: Verb = ListAlerts::VERB;

/// The routes. Raising is no route: only detection itself does it.
pub fn routes(live: Live) -> Routes {
    let shared = Extension(live);
    let text = ObjectBuilder::new().schema_type(Type::String).into();
    Routes::new()
        .act::<acts::AcknowledgeAlert>("Say that somebody looks at an alert.")
        .act::<acts::CloseAlert>("Close an alert, with the reason.")
        .act::<acts::ReopenAlert>("Open an alert again that was acknowledged or closed.")
        .act::<acts::AssignAlert>("Give an alert to a person, or to nobody.")
        .question::<ListAlerts>()
        .own(
            "/api/v1/alert/summary",
            (HttpMethod::Get, get(summary)),
            Some(LIST),
            asking::<SummaryParameters>("alert_summary", "What alerts come to, over time and in all.")
                .response("200", answered("application/json", "The answer.", of::<AlertSummary>()))
                .build(),
        )
        .own(
            "/api/v1/alert/stream",
            (HttpMethod::Get, get(stream::follow).layer(shared.clone())),
            Some(LIST),
            asking::<FollowAlerts>(
                "alert_stream",
                "Alerts as server-sent events, when they are raised and when they change.",
            )
            .response("200", answered("text/event-stream", STREAM, text))
            .build(),
        )
        .own(
            "/api/v1/rule",
            (HttpMethod::Get, get(rules::list).layer(shared.clone())),
            Some(rules::LIST),
            asking::<ListRules>("rule_list", "The rules that judge, the most severe first.")
                .response("200", answered("application/json", "The answer.", Page::<RuleItem>::schema()))
                .build(),
        )
        .own(
            "/api/v1/rule/{rule}",
            (HttpMethod::Get, get(rules::show).layer(shared.clone())),
            Some(rules::SHOW),
            showing_rule(),
        )
        .own(
            "/api/v1/rule/test",
            (HttpMethod::Post, post(trial::test).layer(shared)),
            Some(trial::TEST),
            testing_rule(),
        )
        .schema::<AlertSummary>()
        .schema::<model::Alert>()
        .schema::<RuleItem>()
        .schema::<RuleDetail>()
        .schema::<Predicate>()
        .schema::<TestRule>()
        .schema::<RuleTrial>()
        .schema::<Judged>()
        .recorded::<ShowAlert>(
            "/alert/{alert}",
            "One alert: its first and last events, and why they matched.",
        )
}

/// What a stream is made of.
const STREAM: &str = "Events: `hello` with the change behind which it begins, `alert` with an `Alert` as it is now, `end` \
                      with the problem that ended it, `alive` as a sign of life. The id of each but the last is a change.";

/// `GET /api/v1/alert/summary`
async fn summary(
    State(web): State<Web>,
    Caller(actor): Caller,
    RawQuery(query): RawQuery,
) -> Answer<Json<AlertSummary>> {
    let asked: SummariseAlerts = query_parameters(query.as_deref())?;
    let mut tx = web.kernel.read(&actor, LIST).await?;
    Ok(Json(asked.answer(&mut tx).await?))
}

/// The parameters of a summary.
struct SummaryParameters;

impl IntoParams for SummaryParameters {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        [AlertFilter::into_params(&place), Buckets::into_params(&place)].concat()
    }
}

fn begin(id: &str, summary: &str) -> OperationBuilder {
    let (noun, _) = id.split_once('_').unwrap_or((id, ""));
    OperationBuilder::new()
        .tag(noun)
        .operation_id(Some(id))
        .summary(Some(summary))
        .response("default", RefOr::Ref(Ref::from_response_name("Problem")))
}

fn asking<P: IntoParams>(id: &str, summary: &str) -> OperationBuilder {
    begin(id, summary).parameters(Some(P::into_params(|| Some(ParameterIn::Query))))
}

fn of<T: ToSchema>() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(T::name()))
}

fn answered(kind: &str, words: &str, schema: RefOr<Schema>) -> utoipa::openapi::Response {
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(words).content(kind, content).build()
}

fn showing_rule() -> Operation {
    let rule = ParameterBuilder::new()
        .name("rule")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build();
    begin("rule_show", "A rule: what it asks, part by part, its text, and what came of it.")
        .parameter(rule)
        .response("200", answered("application/json", "The answer.", of::<RuleDetail>()))
        .build()
}

fn testing_rule() -> Operation {
    let content = ContentBuilder::new().schema(Some(of::<TestRule>())).build();
    let body =
        RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True)).build();
    begin("rule_test", "Try a rule on an event: what each of its parts says. Nothing is kept.")
        .request_body(Some(body))
        .response("200", answered("application/json", "The answer.", of::<RuleTrial>()))
        .build()
}
