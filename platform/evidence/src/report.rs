//! The report: what a pack holds, for people. One page that loads nothing and runs nothing.

use askama::Template;
use garrison_base::is_plain;
use garrison_transparency::{Checkpoint, Verifier};

use crate::Refused;
use crate::manifest::{Asked, Made};
use crate::record::Record;

/// What the report tells of.
pub(crate) struct Told<'p> {
    pub(crate) asked: &'p Asked,
    pub(crate) made: &'p Made,
    pub(crate) next: Option<u64>,
    pub(crate) key: &'p Verifier,
    pub(crate) checkpoint: &'p Checkpoint,
    pub(crate) records: Vec<Record<'p>>,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    query: String,
    from: String,
    to: String,
    after: String,
    at: String,
    by: String,
    id: String,
    count: usize,
    next: String,
    log: String,
    key: String,
    size: u64,
    root: String,
    sealed: String,
    rows: Vec<Row>,
}

struct Row {
    seq: u64,
    received: String,
    tag: String,
    name: String,
    id: String,
    groups: String,
    address: String,
    method: String,
    operation: String,
    object: String,
    node: String,
    content: String,
    result: String,
    reason: String,
    session: String,
    request: String,
    approvals: String,
}

/// The page.
pub(crate) fn render(told: &Told<'_>) -> Result<String, Refused> {
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let time = |time: Option<&str>| time.map(plain).unwrap_or_default();
    let text = told.checkpoint.to_string();
    let page = Page {
        query: plain(&told.asked.query),
        from: time(told.asked.from.as_deref()),
        to: time(told.asked.to.as_deref()),
        after: number(told.asked.after),
        at: plain(&told.made.at),
        by: plain(&told.made.by),
        id: plain(&told.made.id),
        count: told.records.len(),
        next: number(told.next),
        log: plain(told.key.name()),
        key: plain(&told.key.to_string()),
        size: told.checkpoint.size,
        // The third line is the root, in base64.
        root: text.lines().nth(2).map(plain).unwrap_or_default(),
        sealed: sealed(told.checkpoint).map(plain).unwrap_or_default(),
        rows: told.records.iter().map(row).collect(),
    };
    page.render().map_err(|error| Refused::new("report.html", format!("it cannot be made: {error}")))
}

/// When the log says that it was sealed so.
pub(crate) fn sealed(checkpoint: &Checkpoint) -> Option<&str> {
    checkpoint.extensions.iter().find_map(|line| line.strip_prefix("time "))
}

fn row(record: &Record<'_>) -> Row {
    let Record { actor, source, object, .. } = record;
    Row {
        seq: record.seq,
        received: plain(&record.received),
        tag: plain(&record.tag),
        name: plain(&actor.name),
        id: plain(&format!("{} ({})", actor.id, actor.kind)),
        groups: plain(&actor.groups.join(", ")),
        address: plain(&format!("{} port {}", source.ip, source.port)),
        method: plain(&format!("{}, {}", record.method, source.sender)),
        operation: plain(&record.operation),
        object: plain(&format!("{} {} ({})", object.kind, object.id, object.component)),
        node: plain(&record.node),
        content: plain(record.content.get()),
        result: plain(&record.result),
        reason: plain(&record.reason),
        session: plain(&record.session),
        request: plain(&record.request),
        approvals: plain(&record.approvals.join(", ")),
    }
}

/// A text without characters that could make it look like another one. The template escapes what HTML has a meaning for.
fn plain(text: &str) -> String {
    text.chars().map(|char| if is_plain(char) { char } else { char::REPLACEMENT_CHARACTER }).collect()
}
