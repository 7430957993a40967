//! An event as a row.

use std::net::IpAddr;
use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, Int64Builder, RecordBatch, StringBuilder, TimestampNanosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use garrison_decode::{Column, Record, column};
use garrison_lake::Layout;

use crate::batch::Batch;
use crate::functions;

/// A promoted column of the table, the OCSF attribute that it holds, and whether letters count as equal in any case:
/// such a column is kept in lower case, so that a value can be looked up. `raw` has it as it came.
#[derive(Debug)]
pub struct Promoted {
    /// Its name in SQL.
    pub name: &'static str,
    /// What it holds.
    pub column: Column,
    /// Kept in lower case.
    pub folded: bool,
}

const fn promoted(name: &'static str, column: Column, folded: bool) -> Promoted {
    Promoted { name, column, folded }
}

/// The promoted columns, in their order.
pub const PROMOTED: &[Promoted] = &[
    promoted("host", column::HOST, true),
    promoted("user", column::USER, true),
    promoted("target_user", column::TARGET_USER, true),
    promoted("src_ip", column::SRC_IP, true),
    promoted("src_port", column::SRC_PORT, false),
    promoted("dst_ip", column::DST_IP, true),
    promoted("dst_port", column::DST_PORT, false),
    promoted("process", column::PROCESS, false),
    promoted("program", column::PROCESS_NAME, false),
    promoted("pid", column::PID, false),
    promoted("cmd_line", column::CMD_LINE, false),
    promoted("parent", column::PARENT, false),
    promoted("file", column::FILE, false),
    promoted("registry", column::REGISTRY, false),
    promoted("method", column::METHOD, false),
    promoted("url", column::URL, false),
    promoted("user_agent", column::USER_AGENT, false),
    promoted("status_code", column::STATUS_CODE, false),
    promoted("status", column::STATUS, false),
    promoted("operation", column::OPERATION, false),
];

/// The columns that every event has, in front of the promoted ones, and `raw` at the end.
const OWN: [&str; 9] = ["id", "received", "claimed", "node", "stream", "source", "sender", "peer", "format"];

/// The table's columns.
pub fn schema() -> SchemaRef {
    let moment = || DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
    let mut fields: Vec<Field> = OWN
        .iter()
        .map(|name| match *name {
            "id" => Field::new(*name, DataType::Int64, false),
            "received" => Field::new(*name, moment(), false),
            "claimed" => Field::new(*name, moment(), true),
            "sender" | "peer" => Field::new(*name, DataType::Utf8, true),
            _ => Field::new(*name, DataType::Utf8, false),
        })
        .collect();
    fields.push(Field::new("kind", DataType::Utf8, false));
    fields.extend(PROMOTED.iter().map(|promoted| Field::new(promoted.name, DataType::Utf8, true)));
    fields.push(Field::new("raw", DataType::Utf8, false));
    Arc::new(Schema::new(fields))
}

/// The table of logs, for the lake.
pub fn layout() -> Layout {
    Layout {
        table: "logs",
        schema: schema(),
        time: "received",
        node: "node",
        text: "raw",
        keyed: &["host", "user", "src_ip", "dst_ip"],
        sorted_by: |stream| match stream {
            "auth" | "network" => &["src_ip"],
            _ => &["host"],
        },
        words: functions::each_word,
        needs: functions::needed_words,
        functions: functions::for_sql(),
    }
}

/// Rows that are being gathered.
pub struct Rows {
    schema: SchemaRef,
    id: Int64Builder,
    received: TimestampNanosecondBuilder,
    claimed: TimestampNanosecondBuilder,
    /// `node`, `stream`, `source`, `sender`, `peer`, `format`, `kind`.
    own: [StringBuilder; 7],
    promoted: Vec<StringBuilder>,
    raw: StringBuilder,
    len: usize,
}

impl Rows {
    /// None yet.
    pub fn new(schema: SchemaRef) -> Self {
        let moments = || TimestampNanosecondBuilder::new().with_timezone("UTC");
        Self {
            schema,
            id: Int64Builder::new(),
            received: moments(),
            claimed: moments(),
            own: std::array::from_fn(|_| StringBuilder::new()),
            promoted: PROMOTED.iter().map(|_| StringBuilder::new()).collect(),
            raw: StringBuilder::new(),
            len: 0,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds an event, by its id and the time that it claims, in nanoseconds since 1970. `names` are the texts of its batch
    /// that were made once.
    pub fn add(
        &mut self,
        (id, claimed): (i64, Option<i64>),
        batch: &Batch<'_>,
        names: &Names,
        record: &Record<'_>,
    ) {
        self.id.append_value(id);
        self.received.append_value(batch.received.saturating_mul(1_000));
        self.claimed.append_option(claimed);
        let Names { node, peer } = names;
        let values = [
            Some(node.as_str()),
            Some(&*batch.origin.stream),
            Some(&*batch.origin.name),
            batch.sender.as_deref(),
            peer.as_deref(),
            Some(record.format.name()),
            Some(record.kind.name()),
        ];
        for (builder, value) in self.own.iter_mut().zip(values) {
            builder.append_option(value);
        }
        for (builder, promoted) in self.promoted.iter_mut().zip(PROMOTED) {
            builder.append_option(value(record, promoted));
        }
        self.raw.append_value(String::from_utf8_lossy(&record.raw));
        self.len += 1;
    }

    /// The rows as a batch; nothing is left.
    pub fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        self.len = 0;
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.id.finish()),
            Arc::new(self.received.finish()),
            Arc::new(self.claimed.finish()),
        ];
        let texts = self.own.iter_mut().chain(&mut self.promoted).chain([&mut self.raw]);
        columns.extend(texts.map(|builder| Arc::new(builder.finish()) as ArrayRef));
        // Builders double what they have; these stay in memory for up to a minute.
        for column in &mut columns {
            column.shrink_to_fit();
        }
        RecordBatch::try_new(self.schema.clone(), columns)
    }
}

/// Texts of a batch that all its rows share.
pub struct Names {
    node: String,
    peer: Option<String>,
}

impl Names {
    /// Those of this batch.
    pub fn of(batch: &Batch<'_>) -> Self {
        Self { node: batch.origin.node().to_string(), peer: batch.peer.map(|peer| peer.ip().to_string()) }
    }
}

/// What an event has in a promoted column.
pub fn value(record: &Record<'_>, promoted: &Promoted) -> Option<String> {
    let mut value = record.column(promoted.column)?;
    if promoted.folded {
        value = fold(&value);
    }
    Some(value)
}

/// A value as the folded columns hold it: in lower case, an address in its one spelling.
pub fn fold(value: &str) -> String {
    let plain = value.strip_prefix("::ffff:").unwrap_or(value);
    plain.parse::<IpAddr>().map_or_else(|_| value.to_lowercase(), |address| address.to_string())
}
