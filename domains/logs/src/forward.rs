//! Passing events on to another system, over TCP.
//!
//! Events are read from the lake in the order of their ids, so that a system that was away for long gets what it
//! missed. TCP does not tell what arrived: when a connection breaks, the last piece is sent again, so some events may come
//! twice, and what the other system had taken and not kept is lost to it.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampNanosecondType};
use arrow::json::LineDelimitedWriter;
use garrison_base::TenantId;
use garrison_lake::{Ask, Budget, Question, Scope};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::Logs;

/// Events that are read at once.
const EVENTS: usize = 5_000;
/// How often it is looked for more, and for how long a connection is tried.
const LOOK: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(10);
/// By so many nanoseconds an event may have come before one with a smaller id.
const MARGIN: i64 = 3_600_000_000_000;
/// After a failure, first and at most.
const AGAIN: Duration = Duration::from_secs(1);
const LATER: Duration = Duration::from_mins(1);

/// Another system.
pub struct Forward {
    /// Its name, for messages.
    pub name: String,
    /// Host and port.
    pub to: String,
    /// One JSON object a line; else RFC 5424 with octet count.
    pub json: bool,
    /// Whose events.
    pub tenant: TenantId,
    /// Where it is noted how far it got.
    pub note: PathBuf,
}

/// How far events were passed on.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Place {
    id: i64,
    /// When that event came, in nanoseconds since 1970: nothing before is looked at again.
    received: i64,
}

impl Forward {
    /// Passes events on until it is stopped. A new system gets what comes from now on.
    pub async fn run(self, logs: Logs) {
        let now = i64::try_from(logs.0.clock.now().as_nanosecond()).unwrap_or(0);
        let mut place = self.noted().unwrap_or(Place { id: 0, received: now });
        let (mut before, mut connection, mut pause) = (place, None, AGAIN);
        while !logs.is_stopping() {
            let here = place;
            match self.pass(&logs, &mut connection, &mut place).await {
                Ok(count) => {
                    if count > 0 {
                        before = here;
                    }
                    pause = AGAIN;
                    if count < EVENTS {
                        wait(&logs, LOOK).await;
                    }
                }
                Err(error) => {
                    // What was handed to a connection that broke may not have arrived.
                    if connection.take().is_some() {
                        place = before;
                    }
                    metrics::counter!("garrison_forward_failures_total").increment(1);
                    tracing::warn!(to = %self.name, %error, "events could not be passed on; they are tried again");
                    wait(&logs, pause).await;
                    pause = (pause * 2).min(LATER);
                }
            }
        }
    }

    async fn pass(
        &self,
        logs: &Logs,
        connection: &mut Option<TcpStream>,
        place: &mut Place,
    ) -> io::Result<usize> {
        let (bytes, count, last) = self.next(logs, *place).await?;
        if count == 0 {
            return Ok(0);
        }
        if connection.is_none() {
            let connected = timeout(PATIENCE, TcpStream::connect(&self.to)).await;
            *connection = Some(connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??);
        }
        if let Some(stream) = connection {
            let written = timeout(PATIENCE * 3, stream.write_all(&bytes)).await;
            written.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            metrics::counter!("garrison_forwarded_events_total").increment(count as u64);
            *place = last;
            self.note_down(last)?;
        }
        Ok(count)
    }

    /// The next events as bytes.
    async fn next(&self, logs: &Logs, place: Place) -> io::Result<(Vec<u8>, usize, Place)> {
        // Ids grow with the log, and times nearly so.
        let from = place.received.saturating_sub(MARGIN);
        let scope = Scope { tenant: self.tenant, nodes: None, from, to: i64::MAX };
        let ask = Ask::Sql(format!("SELECT * FROM logs WHERE id > {} ORDER BY id LIMIT {EVENTS}", place.id));
        let budget = Budget { time: Duration::from_mins(1), memory: 128 << 20, disk: 1 << 30 };
        let mut rows = logs.lake().ask(Question { ask, scope, budget }, ());
        let (mut bytes, mut count, mut last) = (Vec::new(), 0, place);
        while let Some(batch) = rows.next().await.map_err(io::Error::other)? {
            count += batch.num_rows();
            last = end(&batch).unwrap_or(last);
            if self.json {
                let mut writer = LineDelimitedWriter::new(&mut bytes);
                writer.write(&batch).and_then(|()| writer.finish()).map_err(io::Error::other)?;
            } else {
                syslog(&batch, &mut bytes);
            }
        }
        Ok((bytes, count, last))
    }

    fn noted(&self) -> Option<Place> {
        serde_json::from_slice(&fs::read(&self.note).ok()?).ok()
    }

    fn note_down(&self, place: Place) -> io::Result<()> {
        if let Some(dir) = self.note.parent() {
            fs::create_dir_all(dir)?;
        }
        let fresh = self.note.with_extension("new");
        fs::write(&fresh, serde_json::to_vec(&place)?)?;
        fs::rename(fresh, &self.note)
    }
}

async fn wait(logs: &Logs, pause: Duration) {
    tokio::select! {
        () = logs.stop().cancelled() => {}
        () = sleep(pause) => {}
    }
}

/// The place of a batch's last row.
fn end(batch: &RecordBatch) -> Option<Place> {
    let last = batch.num_rows().checked_sub(1)?;
    let id = batch.column_by_name("id")?.as_primitive_opt::<Int64Type>()?.value(last);
    let received =
        batch.column_by_name("received")?.as_primitive_opt::<TimestampNanosecondType>()?.value(last);
    Some(Place { id, received })
}

/// RFC 5424 with octet count (RFC 6587). What is syslog already goes as it came.
fn syslog(batch: &RecordBatch, out: &mut Vec<u8>) {
    let text = |name: &str, row: usize| {
        let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
        column.is_valid(row).then(|| column.value(row))
    };
    let times = batch
        .column_by_name("received")
        .and_then(|column| column.as_primitive_opt::<TimestampNanosecondType>());
    for row in 0..batch.num_rows() {
        let raw = text("raw", row).unwrap_or_default();
        let message = if raw.starts_with('<') {
            raw.to_owned()
        } else {
            let at = times.map(|times| times.value(row)).unwrap_or_default();
            let at = Timestamp::from_microsecond(at / 1_000).unwrap_or_default();
            let host = header(text("host", row));
            let program = header(text("program", row).or_else(|| text("source", row)));
            // Facility 16 (local0), severity 6 (informational).
            format!("<134>1 {at} {host} {program} - - - {raw}")
        };
        out.extend(format!("{} {message}", message.len()).bytes());
    }
}

/// A field of the header: visible ASCII, 48 characters at most.
fn header(text: Option<&str>) -> String {
    let plain: String = text.unwrap_or_default().chars().filter(char::is_ascii_graphic).take(48).collect();
    if plain.is_empty() { "-".to_owned() } else { plain }
}
