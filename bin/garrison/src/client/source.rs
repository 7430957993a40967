//! `garrison source`: where logs come from.

use garrison_base::Exit;
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::cli::client::{SourceChangeArgs, SourceCommand, SourceCoverageArgs, SourceCreateArgs};
use crate::client::Client;
use crate::client::row::{Changed, cell, rows};
use crate::output::{Column, Printer, Row};

rows! {
    /// A source that was made.
    Created { "SOURCE" 30 "/source" }
    /// A source on a day.
    Covered {
        "SOURCE" 16 "/name" "DAY" 10 "/day" "STATE" 8 "/state" "EVENTS" 10 "/events" "FIRST" 20 "/first"
        "LAST" 20 "/last" "WHY" 30 "/why"
    }
}

/// A source, with what was heard from it.
#[derive(Serialize)]
#[serde(transparent)]
struct Source(Json);

impl From<Json> for Source {
    fn from(value: Json) -> Self {
        Self(value)
    }
}

impl Row for Source {
    const COLUMNS: &'static [Column] = &[
        Column::whole("NAME", 16),
        Column::whole("PATH", 24),
        Column::whole("STATE", 8),
        Column::whole("RATE/S", 8),
        Column::whole("EVENTS", 12),
        Column::whole("LAST SEEN", 20),
        Column::whole("REFUSED", 20),
        Column::whole("SKEW", 8),
        Column::whole("SILENT", 6),
    ];

    fn cells(&self) -> Vec<String> {
        let at = |pointer: &str| cell(&self.0, pointer);
        vec![
            at("/name"),
            at("/path"),
            at("/state"),
            rounded(&self.0, "/now/rate", ""),
            at("/events"),
            at("/last_seen"),
            refused(&self.0),
            rounded(&self.0, "/now/skew_seconds", " s"),
            at("/now/silent"),
        ]
    }
}

/// A number with one digit behind the point.
fn rounded(source: &Json, pointer: &str, unit: &str) -> String {
    let number = source.pointer(pointer).and_then(Json::as_f64);
    number.map_or_else(|| "-".to_owned(), |number| format!("{number:.1}{unit}"))
}

/// How many events were refused, by reason.
fn refused(source: &Json) -> String {
    let reasons = source.pointer("/now/refused").and_then(Json::as_object).into_iter().flatten();
    let counts: Vec<String> = reasons.map(|(reason, count)| format!("{reason}={count}")).collect();
    if counts.is_empty() { "-".to_owned() } else { counts.join(", ") }
}

/// `garrison source`
pub fn run(command: &SourceCommand) -> anyhow::Result<Exit> {
    match command {
        SourceCommand::List(args) => {
            Client::open(&args.list.client)?.list::<Source>("source", &[], &args.list)
        }
        SourceCommand::Coverage(args) => coverage(args),
        SourceCommand::Create(args) => create(args),
        SourceCommand::Change(args) => change(args),
        SourceCommand::Disable(args) => {
            let client = Client::open(&args.client)?;
            client.act::<Changed>("source/disable", &json!({ "source": client.source(&args.source)? }))
        }
        SourceCommand::Enable(args) => {
            let client = Client::open(&args.client)?;
            client.act::<Changed>("source/enable", &json!({ "source": client.source(&args.source)? }))
        }
    }
}

/// The whole calendar: one that was cut off would look as if the rest of it was not there.
fn coverage(args: &SourceCoverageArgs) -> anyhow::Result<Exit> {
    let client = Client::open(&args.client)?;
    let source = args.source.as_deref().map(|source| client.source(source)).transpose()?;
    let (from, to) = (args.from.map(|day| day.to_string()), args.to.map(|day| day.to_string()));
    let asked = [("source", source.as_deref()), ("from", from.as_deref()), ("to", to.as_deref())];
    let query: Vec<(&str, &str)> =
        asked.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let mut printer = Printer::stdout(client.format);
    client.pages("source/coverage", &query, 0, |day| Ok(printer.row(&Covered::from(day))?))?;
    printer.finish::<Covered>()?;
    Ok(Exit::Ok)
}

fn create(args: &SourceCreateArgs) -> anyhow::Result<Exit> {
    let client = Client::open(&args.client)?;
    let body = json!({
        "node": client.node(&args.node)?,
        "name": args.name,
        "purpose": args.purpose,
        "stream": args.stream,
        "rate_limit": args.rate_limit,
        "silence_minutes": args.silence_minutes,
    });
    client.act::<Created>("source/create", &body)
}

fn change(args: &SourceChangeArgs) -> anyhow::Result<Exit> {
    let client = Client::open(&args.client)?;
    let body = json!({
        "source": client.source(&args.source)?,
        "purpose": args.purpose,
        "rate_limit": args.rate_limit,
        "silence_minutes": args.silence_minutes,
    });
    client.act::<Changed>("source/change", &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_tells_what_was_heard_from_it() {
        let source = Source::from(json!({
            "name": "web", "path": "acme/shop", "state": "active", "events": 7, "last_seen": null,
            "now": {"rate": 12.3456, "refused": {"length": 1, "rate": 20}, "skew_seconds": -0.31, "silent": false},
        }));
        assert_eq!(
            source.cells(),
            ["web", "acme/shop", "active", "12.3", "7", "-", "length=1, rate=20", "-0.3 s", "no"]
        );
        let quiet = Source::from(json!({"name": "db", "now": {"rate": 0.0, "refused": {}, "silent": true}}));
        assert_eq!(quiet.cells(), ["db", "-", "-", "0.0", "-", "-", "-", "-", "yes"]);
        assert_eq!(quiet.cells().len(), Source::COLUMNS.len());
    }
}
