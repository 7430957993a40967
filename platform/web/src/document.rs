//! The `OpenAPI` 3.1 document, from the types of acts and questions.

use garrison_kernel::{Act, Verb};
use serde_json::json;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, PathsBuilder, Ref, RefOr,
    Required, ResponseBuilder, SecurityRequirement,
};
use utoipa::{IntoParams, ToSchema};

use crate::problem;
use crate::routes::{Endpoint, Routes, Waiting};

type Schemas = Vec<(String, RefOr<Schema>)>;

/// One endpoint's part of the document.
pub(crate) struct Described {
    path: String,
    method: Option<HttpMethod>,
    verb: Option<Verb>,
    operation: Option<Operation>,
    schemas: Schemas,
}

impl Described {
    pub(crate) fn own(path: &str, method: HttpMethod, verb: Option<Verb>, operation: Operation) -> Self {
        Self {
            path: path.to_owned(),
            method: Some(method),
            verb,
            operation: Some(operation),
            schemas: Vec::new(),
        }
    }

    pub(crate) fn schema<T: ToSchema>() -> Self {
        let mut schemas = Vec::new();
        collect::<T>(&mut schemas);
        Self { path: String::new(), method: None, verb: None, operation: None, schemas }
    }

    pub(crate) fn endpoint(&self) -> Option<Endpoint> {
        let method = match self.method.as_ref()? {
            HttpMethod::Get => "GET",
            _ => "POST",
        };
        Some(Endpoint { method, path: self.path.clone(), verb: self.verb })
    }
}

fn collect<T: ToSchema>(schemas: &mut Schemas) {
    T::schemas(schemas);
    if !is_generic::<T>() {
        schemas.push((T::name().into_owned(), T::schema()));
    }
}

/// Whether a type has parameters: all of `Page<T>` share a name, so each is written out where it is used.
fn is_generic<T>() -> bool {
    std::any::type_name::<T>().contains('<')
}

fn reference<T: ToSchema>() -> RefOr<Schema> {
    if is_generic::<T>() { T::schema() } else { RefOr::Ref(Ref::from_schema_name(T::name())) }
}

fn json_response(words: &str, schema: RefOr<Schema>) -> utoipa::openapi::Response {
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(words).content("application/json", content).build()
}

fn begin(verb: Verb, summary: &'static str) -> OperationBuilder {
    OperationBuilder::new()
        .tag(verb.noun())
        .operation_id(Some(verb.as_str().replace([':', '-'], "_")))
        .summary(Some(summary))
}

pub(crate) fn act<A>(path: String, summary: &'static str) -> Described
where
    A: Act + ToSchema,
    A::Output: ToSchema,
{
    let mut schemas = Schemas::new();
    collect::<A>(&mut schemas);
    collect::<A::Output>(&mut schemas);
    let body = ContentBuilder::new().schema(Some(reference::<A>())).build();
    let body =
        RequestBodyBuilder::new().content("application/json", body).required(Some(Required::True)).build();
    let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(200));
    let key = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("The same key never acts twice, for 24 hours: the first answer is given again."))
        .schema(Some(text.pattern(Some("^[!-~]+$"))))
        .build();
    let operation = begin(A::VERB, summary)
        .parameter(key)
        .request_body(Some(body))
        .response("200", json_response("Performed.", reference::<A::Output>()))
        .response("202", json_response("It waits for approvals.", reference::<Waiting>()))
        .response("default", problem_response())
        .build();
    Described {
        path,
        method: Some(HttpMethod::Post),
        verb: Some(A::VERB),
        operation: Some(operation),
        schemas,
    }
}

pub(crate) fn question<Q: IntoParams, T: ToSchema>(
    path: String,
    verb: Verb,
    summary: &'static str,
) -> Described {
    let mut schemas = Schemas::new();
    collect::<T>(&mut schemas);
    let place = |mut parameter: Parameter| {
        if path.contains(&format!("{{{}}}", parameter.name)) {
            parameter.parameter_in = ParameterIn::Path;
            parameter.required = Required::True;
        }
        parameter
    };
    let parameters: Vec<Parameter> =
        Q::into_params(|| Some(ParameterIn::Query)).into_iter().map(place).collect();
    let operation = begin(verb, summary)
        .parameters(Some(parameters))
        .response("200", json_response("The answer.", reference::<T>()))
        .response("default", problem_response())
        .build();
    Described { path, method: Some(HttpMethod::Get), verb: Some(verb), operation: Some(operation), schemas }
}

fn problem_response() -> RefOr<utoipa::openapi::Response> {
    RefOr::Ref(Ref::from_response_name("Problem"))
}

/// The whole document.
pub fn document(routes: &Routes) -> OpenApi {
    let mut components = Components::new();
    let mut paths = PathsBuilder::new();
    for described in routes.described() {
        for (name, schema) in &described.schemas {
            components.schemas.insert(name.clone(), schema.clone());
        }
        if let (Some(method), Some(operation)) = (&described.method, &described.operation) {
            let mut operation = operation.clone();
            operation.extensions = described
                .verb
                .map(|verb| ExtensionsBuilder::new().add("x-verb", json!(verb.as_str())).build());
            paths = paths.path(described.path.clone(), PathItem::new(method.clone(), operation));
        }
    }
    let mut shared = Schemas::new();
    collect::<problem::Body>(&mut shared);
    collect::<Waiting>(&mut shared);
    components.schemas.extend(shared);
    let refused =
        ContentBuilder::new().schema(Some(RefOr::<Schema>::Ref(Ref::from_schema_name("Problem")))).build();
    let refused = ResponseBuilder::new()
        .description("Refused (RFC 9457).")
        .content("application/problem+json", refused)
        .build();
    components.responses.insert("Problem".to_owned(), refused.into());
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    let cookie = ApiKey::Cookie(ApiKeyValue::new(crate::SESSION_COOKIE));
    components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    let info = InfoBuilder::new()
        .title("Garrison")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "A POST is an act, unless its summary says that nothing is kept: authorised, performed in one transaction, \
             recorded. 200 tells that it was done, 202 that it waits for approvals.",
        ))
        .build();
    let either = [SecurityRequirement::new("token", [""; 0]), SecurityRequirement::new("session", [""; 0])];
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components)).security(Some(either)).build()
}
