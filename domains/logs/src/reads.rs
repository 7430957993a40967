//! The questions that people ask about sources and searches.

use garrison_base::KeyChangeId;
use garrison_kernel::{KernelError, ReadTx, Verb};
use garrison_web::{Page, Question, page_limit};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::columns::{PROMOTED, schema};
use crate::model::{Hold, Retention, SavedSearch, Source};
use crate::renewal::KeyChange;
use crate::store;

/// Lists sources.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListSources {
    /// How many at most, 1 to 500; 100 where nothing is said.
    pub limit: Option<i64>,
    /// Where to go on: `next` of the page before.
    pub cursor: Option<String>,
}

/// Listing sources.
pub const SOURCES: Verb = Verb::new("source:list");

impl Question for ListSources {
    const VERB: Verb = SOURCES;
    const PATH: &'static str = "/source";
    const SUMMARY: &'static str = "Sources by name, with what was heard from them.";
    type Answer = Page<Source>;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        let limit = page_limit(self.limit)?;
        let after: String = tx.open_cursor(Self::VERB, self.cursor.as_deref())?;
        let items = store::sources(tx, &after, limit + 1).await?;
        Page::cut(items, limit, (tx, Self::VERB), |last: &Source| last.name.to_string())
    }
}

/// Lists saved searches.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListSearches {
    /// How many at most, 1 to 500; 100 where nothing is said.
    pub limit: Option<i64>,
    /// Where to go on: `next` of the page before.
    pub cursor: Option<String>,
}

impl Question for ListSearches {
    const VERB: Verb = Verb::new("search:list");
    const PATH: &'static str = "/search";
    const SUMMARY: &'static str = "Saved searches by name.";
    type Answer = Page<SavedSearch>;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        let limit = page_limit(self.limit)?;
        let after: String = tx.open_cursor(Self::VERB, self.cursor.as_deref())?;
        let items = store::searches(tx, &after, limit + 1).await?;
        Page::cut(items, limit, (tx, Self::VERB), |last: &SavedSearch| last.name.to_string())
    }
}

/// Lists for how long streams are kept.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListRetention {
    /// How many at most, 1 to 500; 100 where nothing is said.
    pub limit: Option<i64>,
    /// Where to go on: `next` of the page before.
    pub cursor: Option<String>,
}

impl Question for ListRetention {
    const VERB: Verb = Verb::new("retention:list");
    const PATH: &'static str = "/retention";
    const SUMMARY: &'static str = "Streams by name, with the days for which each is kept.";
    type Answer = Page<Retention>;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        let limit = page_limit(self.limit)?;
        let after: String = tx.open_cursor(Self::VERB, self.cursor.as_deref())?;
        let items = store::retentions(tx, &after, limit + 1).await?;
        Page::cut(items, limit, (tx, Self::VERB), |last: &Retention| last.stream.to_string())
    }
}

/// Lists holds, also those that were ended.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListHolds {
    /// How many at most, 1 to 500; 100 where nothing is said.
    pub limit: Option<i64>,
    /// Where to go on: `next` of the page before.
    pub cursor: Option<String>,
}

impl Question for ListHolds {
    const VERB: Verb = Verb::new("hold:list");
    const PATH: &'static str = "/hold";
    const SUMMARY: &'static str = "Holds, the oldest first, also those that were ended.";
    type Answer = Page<Hold>;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        let limit = page_limit(self.limit)?;
        let after: String = tx.open_cursor(Self::VERB, self.cursor.as_deref())?;
        let items = store::holds(tx, &after, limit + 1).await?;
        Page::cut(items, limit, (tx, Self::VERB), |last: &Hold| last.id.to_string())
    }
}

/// Lists rotations and destructions of the tenant's keys.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListKeyChanges {
    /// Only this one.
    #[param(value_type = Option<String>)]
    pub change: Option<KeyChangeId>,
    /// How many at most, 1 to 500; 100 where nothing is said.
    pub limit: Option<i64>,
    /// Where to go on: `next` of the page before.
    pub cursor: Option<String>,
}

impl Question for ListKeyChanges {
    const VERB: Verb = Verb::new("key:list");
    const PATH: &'static str = "/key";
    const SUMMARY: &'static str =
        "Rotations and destructions of keys, newest first, with their certificates.";
    type Answer = Page<KeyChange>;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        let limit = page_limit(self.limit)?;
        let before: Option<KeyChangeId> = tx.open_cursor(Self::VERB, self.cursor.as_deref())?;
        let items = store::changes(tx, self.change, before, limit + 1).await?;
        Page::cut(items, limit, (tx, Self::VERB), |last: &KeyChange| Some(last.id))
    }
}

/// Tells what can be asked of an event, or how a filter may go on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct DescribeLogs {
    /// A filter that is being written; then `items` are what may stand at its end.
    pub complete: Option<String>,
}

/// What can be asked.
#[derive(Debug, Serialize, ToSchema)]
pub struct Described {
    /// The columns of the table.
    pub columns: Vec<DescribedColumn>,
    /// What may stand at the end of the filter, each in the place of all behind `from`.
    pub items: Vec<String>,
    /// Where in the filter the items begin, in bytes.
    pub from: usize,
}

/// A column.
#[derive(Debug, Serialize, ToSchema)]
pub struct DescribedColumn {
    /// Its name in filters and in SQL.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// The OCSF attribute that it holds, where it holds one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ocsf: Option<String>,
}

impl Question for DescribeLogs {
    const VERB: Verb = Verb::new("log:describe");
    const PATH: &'static str = "/log/field";
    const SUMMARY: &'static str = "The columns of the logs, and how a filter may go on.";
    type Answer = Described;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Described, KernelError> {
        let schema = schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let sources: Vec<String> =
            store::sources(tx, "", 500).await?.iter().map(|source| source.name.to_string()).collect();
        let values = |field: &str| match field {
            "source" => sources.clone(),
            "format" => garrison_decode::Format::ALL.iter().map(ToString::to_string).collect(),
            "kind" => garrison_decode::Kind::ALL.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        };
        let text = self.complete.unwrap_or_default();
        let completion = garrison_search::complete(&text, text.len(), &names, &values);
        let ocsf = |name: &str| {
            PROMOTED
                .iter()
                .find(|promoted| promoted.name == name)
                .map(|promoted| promoted.column.ocsf.to_owned())
        };
        let column = |field: &std::sync::Arc<arrow::datatypes::Field>| DescribedColumn {
            name: field.name().clone(),
            kind: match field.data_type() {
                arrow::datatypes::DataType::Int64 => "number",
                arrow::datatypes::DataType::Timestamp(..) => "time",
                _ => "text",
            }
            .to_owned(),
            ocsf: ocsf(field.name()),
        };
        let columns = schema.fields().iter().map(column).collect();
        Ok(Described { columns, items: completion.items, from: completion.from })
    }
}
