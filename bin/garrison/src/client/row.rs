//! Rows out of JSON: a table is a list of heads, widths and pointers (RFC 6901).

use std::io::{self, Write as _};

use garrison_base::{Exit, Timestamp};
use serde_json::Value as Json;

use crate::output::{Format, Printer, Row, printable};

/// Declares tables: each a row type over the JSON that the server answered.
macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident { $($head:literal $width:literal $pointer:literal)* })*) => { $(
        $(#[$doc])*
        #[derive(serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(serde_json::Value);

        impl From<serde_json::Value> for $name {
            fn from(value: serde_json::Value) -> Self {
                Self(value)
            }
        }

        impl $crate::output::Row for $name {
            const COLUMNS: &'static [$crate::output::Column] =
                &[$($crate::output::Column::whole($head, $width)),*];

            fn cells(&self) -> Vec<String> {
                vec![$($crate::client::row::cell(&self.0, $pointer)),*]
            }
        }
    )* };
}
pub(crate) use rows;

rows! {
    /// Whether anything is different now.
    Changed { "CHANGED" 7 "/changed" }
    /// How many ended.
    Ended { "ENDED" 5 "/ended" }
    /// A request that waits.
    Waiting { "APPROVAL" 30 "/approval" }
}

/// What stands at a pointer, as a cell.
pub fn cell(value: &Json, pointer: &str) -> String {
    value.pointer(pointer).map_or_else(|| "-".to_owned(), text)
}

/// The items of the list at a pointer; none where there is no list.
pub fn items<'a>(value: &'a Json, pointer: &str) -> &'a [Json] {
    value.pointer(pointer).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

fn text(value: &Json) -> String {
    match value {
        Json::Null => "-".to_owned(),
        Json::Bool(truth) => if *truth { "yes" } else { "no" }.to_owned(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => time(text).unwrap_or_else(|| text.clone()),
        Json::Array(items) if items.is_empty() => "-".to_owned(),
        Json::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Json::Object(members) => members.values().map(text).collect::<Vec<_>>().join("="),
    }
}

/// A time without fractions of a second.
fn time(text: &str) -> Option<String> {
    let digits = text.len() >= 20 && text.starts_with(|char: char| char.is_ascii_digit());
    let time: Timestamp = digits.then(|| text.parse().ok())??;
    Some(format!("{time:.0}"))
}

/// Prints one row.
pub fn print<R: Row>(format: Format, row: &R) -> anyhow::Result<()> {
    let mut printer = Printer::stdout(format);
    printer.row(row)?;
    Ok(printer.finish::<R>()?)
}

/// Prints rows.
pub fn print_all<R: Row>(format: Format, rows: impl IntoIterator<Item = R>) -> anyhow::Result<Exit> {
    let mut printer = Printer::stdout(format);
    for row in rows {
        printer.row(&row)?;
    }
    printer.finish::<R>()?;
    Ok(Exit::Ok)
}

/// Prints lines of text on standard output.
pub fn print_lines(lines: &[String]) -> anyhow::Result<Exit> {
    let mut out = io::stdout().lock();
    for line in lines {
        writeln!(out, "{}", printable(line))?;
    }
    out.flush()?;
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_of_every_kind_of_value() {
        let value = json!({
            "a": true, "b": null, "c": ["x", "y"], "d": {"name": "owner", "role": "operator"}, "e": 7,
            "since": "2026-11-20T12:00:00.123456789Z", "f": []
        });
        let cells = ["/a", "/b", "/c", "/d", "/e", "/since", "/f", "/none"].map(|at| cell(&value, at));
        assert_eq!(cells, ["yes", "-", "x, y", "owner=operator", "7", "2026-11-20T12:00:00Z", "-", "-"]);
    }
}
