use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::logical_expr::{Expr, ScalarUDF};

/// Calls back for each word of a text.
pub type ForWords = fn(text: &str, word: &mut dyn FnMut(&str));

/// What a table of events looks like.
pub struct Layout {
    /// The table's name in SQL.
    pub table: &'static str,
    /// Its columns.
    pub schema: SchemaRef,
    /// The column of the moment by which files are cut: `timestamp(ns, UTC)`, never null.
    pub time: &'static str,
    /// The column of the node that decides who may see a row: text, never null.
    pub node: &'static str,
    /// The column whose words are indexed.
    pub text: &'static str,
    /// The columns for which a file tells quickly that a value is not in it.
    pub keyed: &'static [&'static str],
    /// By which columns a compacted file of a stream is sorted, before the time.
    pub sorted_by: fn(stream: &str) -> &'static [&'static str],
    /// Calls back for each word of a text, in lower case. The one definition of a word: questions must use the same.
    pub words: ForWords,
    /// The words that every row must have for which this condition holds; none where that is not known.
    pub needs: fn(condition: &Expr) -> Vec<String>,
    /// Functions that questions may use, beyond SQL's own.
    pub functions: Vec<Arc<ScalarUDF>>,
}

impl std::fmt::Debug for Layout {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Layout").field("table", &self.table).finish_non_exhaustive()
    }
}
