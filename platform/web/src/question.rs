use std::borrow::Cow;
use std::future::Future;

use garrison_kernel::{KernelError, ReadTx, Verb};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{IntoParams, PartialSchema, ToSchema};

/// How many items a page has at most.
pub const MAX_PAGE: i64 = 500;

/// An ordinary read: the value is the request, its fields are the parameters of the path and the query.
pub trait Question: DeserializeOwned + IntoParams + Send + 'static {
    /// Its name; the answer holds what this verb may be done on.
    const VERB: Verb;
    /// The path, below `/api/v1`; `{name}` is a field.
    const PATH: &'static str;
    /// One sentence.
    const SUMMARY: &'static str;
    /// The answer.
    type Answer: Serialize + ToSchema + Send;

    /// Answers.
    fn answer(self, tx: &mut ReadTx<'_>) -> impl Future<Output = Result<Self::Answer, KernelError>> + Send;
}

/// A part of a list.
#[derive(Debug, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next part begins; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

// By hand, because a derived one names what it is a list of without describing it.
impl<T: ToSchema> PartialSchema for Page<T> {
    fn schema() -> RefOr<Schema> {
        let items = ArrayBuilder::new().items(RefOr::Ref(Ref::from_schema_name(T::name())));
        let next = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some("Where the next part begins; absent at the end."));
        let page = ObjectBuilder::new().description(Some("A part of a list."));
        page.property("items", items.description(Some("The items.")))
            .required("items")
            .property("next", next)
            .into()
    }
}

impl<T: ToSchema> ToSchema for Page<T> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Page")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T> Page<T> {
    /// A page of `limit` items from a list of one more than that, if there are so many; `key` is what the next
    /// page begins after.
    pub fn cut<K: Serialize>(
        mut items: Vec<T>,
        limit: i64,
        (tx, list): (&ReadTx<'_>, Verb),
        key: impl FnOnce(&T) -> K,
    ) -> Result<Self, KernelError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        if items.len() <= limit {
            return Ok(Self { items, next: None });
        }
        items.truncate(limit);
        let next = items.last().map(|last| tx.cursor(list, &key(last))).transpose()?;
        Ok(Self { items, next })
    }
}

/// How many items were asked for: 1 to 500, 100 where nothing is said.
pub fn page_limit(asked: Option<i64>) -> Result<i64, KernelError> {
    match asked.unwrap_or(100) {
        limit if (1..=MAX_PAGE).contains(&limit) => Ok(limit),
        _ => Err(KernelError::Invalid(format!("limit is 1 to {MAX_PAGE}"))),
    }
}
