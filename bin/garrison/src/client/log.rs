//! `garrison log` against a server: searching, following, taking out, bringing in.

mod export;
mod import;

use std::io::{self, BufWriter, StdoutLock, Write};
use std::time::Duration;

use garrison_base::Exit;
use serde::Deserialize;
use serde_json::json;

use crate::cli::client::{ClientArgs, LogSearchArgs, LogServerCommand, LogTailArgs};
use crate::client::failure::exit_of;
use crate::client::interrupt::Interrupt;
use crate::client::row::{self, cell, items, rows};
use crate::client::sheet::{Sheet, terminal_width};
use crate::client::wire::{Lines, Next};
use crate::client::{Client, search};
use crate::output::{Format, counted};
use crate::say;

/// What a table shows of an event where nothing else is asked for.
const COLUMNS: [&str; 6] = ["received", "source", "host", "user", "src_ip", "raw"];

/// The server's own limits of a search, where nothing is said.
const ROWS: u64 = 1_000;
const SECONDS: u64 = 60;

/// A question that is not answered so long after its time was over will not be.
const GRACE: u64 = 30;

/// Who follows hears from the server every second. After this silence the connection is given up.
const SILENCE: Duration = Duration::from_secs(15);

/// Before a connection that broke is made anew.
const PAUSE: Duration = Duration::from_secs(1);

rows! {
    /// A column of the logs.
    Field { "NAME" 12 "/name" "KIND" 6 "/kind" "OCSF" 30 "/ocsf" }
    /// How a filter may go on.
    Continuation { "CONTINUATION" 20 "" }
}

/// `garrison log`, where it speaks with a server.
pub fn run(command: &LogServerCommand) -> anyhow::Result<Exit> {
    match command {
        LogServerCommand::Search(args) => find(args),
        LogServerCommand::Fields(args) => fields(&args.client),
        LogServerCommand::Tail(args) => tail(args),
        LogServerCommand::Export(args) => export::run(args),
        LogServerCommand::Import(args) => import::run(args),
    }
}

fn find(args: &LogSearchArgs) -> anyhow::Result<Exit> {
    let client = Client::open(&args.client)?;
    if args.complete {
        return complete(&client, args.query.as_deref().unwrap_or_default());
    }
    let query = match &args.saved {
        Some(name) => Some(search::query(&client, name)?),
        None => args.query.clone(),
    };
    let columns = match (&args.sql, &args.columns) {
        (Some(_), _) => None,
        (None, Some(names)) => Some(split(names)),
        (None, None) => Some(columns(&client)?),
    };
    // No more is asked for than a table shows.
    let wanted = match (&args.columns, client.format) {
        (None, Format::Table) if args.sql.is_none() => Some(COLUMNS.join(",")),
        (named, _) => named.clone(),
    };
    let body = json!({
        "query": query, "sql": args.sql, "from": args.from, "to": args.to, "limit": args.limit,
        "unordered": args.unordered, "columns": wanted, "seconds": args.seconds,
    });
    let patience = Duration::from_secs(args.seconds.unwrap_or(SECONDS) + GRACE);
    let lines = client.wire.lines("log/search", &body, patience, &Interrupt::catch()?)?;
    let mut sheet = Sheet::new(stdout(), client.format, columns, terminal_width());
    let ended = print(&lines, &mut sheet)?;
    sheet.finish()?;
    let limit = args.limit.unwrap_or(ROWS);
    if ended.is_whole() && args.sql.is_none() && ended.rows >= limit {
        say!("{}, as many as were asked for: there may be more, --limit brings them", counted(limit, "row"));
    }
    Ok(ended.told())
}

fn complete(client: &Client, query: &str) -> anyhow::Result<Exit> {
    let described = client.get("log/field", &[("complete", query)])?;
    let found = items(&described, "/items");
    if client.format == Format::Table {
        return row::print_lines(&found.iter().map(|item| cell(item, "")).collect::<Vec<_>>());
    }
    row::print_all(client.format, found.iter().cloned().map(Continuation::from))
}

fn fields(args: &ClientArgs) -> anyhow::Result<Exit> {
    let client = Client::open(args)?;
    let described = client.get("log/field", &[])?;
    row::print_all(client.format, items(&described, "/columns").iter().cloned().map(Field::from))
}

fn split(names: &str) -> Vec<String> {
    names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The columns that a format has where none were named: people see the usual ones, programs get all.
fn columns(client: &Client) -> anyhow::Result<Vec<String>> {
    if client.format != Format::Csv {
        return Ok(COLUMNS.map(str::to_owned).to_vec());
    }
    let described = client.get("log/field", &[])?;
    Ok(items(&described, "/columns").iter().map(|column| cell(column, "/name")).collect())
}

fn stdout() -> BufWriter<StdoutLock<'static>> {
    BufWriter::new(io::stdout().lock())
}

/// The last line of an answer.
#[derive(Debug, Deserialize)]
struct LastLine {
    #[serde(rename = "_end")]
    end: End,
}

#[derive(Debug, Deserialize)]
struct End {
    complete: bool,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    detail: String,
}

impl End {
    /// What a line says of the end; nothing where it is a row.
    fn of(line: &[u8]) -> Option<Self> {
        let last =
            line.starts_with(b"{\"_end\":{").then(|| serde_json::from_slice::<LastLine>(line).ok())??;
        Some(last.end)
    }

    fn broke(why: &str) -> Self {
        Self { complete: false, kind: String::new(), detail: format!("the connection broke: {why}") }
    }
}

/// How a list of rows ended.
struct Ended {
    rows: u64,
    /// Nothing where Ctrl-C ended it.
    end: Option<End>,
}

impl Ended {
    fn is_whole(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.complete)
    }

    /// Tells what is missing. A part of the rows is 9; without any the kind of the problem counts.
    fn told(&self) -> Exit {
        let Some(end) = &self.end else {
            say!("interrupted after {}", counted(self.rows, "row"));
            return Exit::Interrupted;
        };
        if end.complete {
            return Exit::Ok;
        }
        say!("garrison: after {} something went wrong, the rest is missing:", counted(self.rows, "row"));
        end.detail.lines().for_each(|line| say!("{line}"));
        match end.kind.as_str() {
            _ if self.rows > 0 => Exit::Partial,
            "log/query" => Exit::Usage,
            _ => Exit::Failed,
        }
    }
}

/// The lines that are not empty.
fn spoken(lines: &[u8]) -> impl Iterator<Item = &[u8]> {
    lines.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
}

/// Prints rows as they come, up to the last line.
fn print<W: Write>(lines: &Lines, sheet: &mut Sheet<W>) -> anyhow::Result<Ended> {
    let mut rows = 0;
    loop {
        let end = match lines.hear()? {
            Next::Lines(bytes) => {
                for line in spoken(&bytes) {
                    if let Some(end) = End::of(line) {
                        return Ok(Ended { rows, end: Some(end) });
                    }
                    sheet.row(line)?;
                    rows += 1;
                }
                sheet.flush()?;
                continue;
            }
            Next::End => Some(End::broke("the last line did not come")),
            Next::Broke(why) => Some(End::broke(&why)),
            Next::Interrupted => None,
        };
        return Ok(Ended { rows, end });
    }
}

/// Why following has stopped.
enum Stop {
    /// The server ends every answer after a while, or at once where one may follow no longer.
    Over,
    /// The server said that something is missing, and nothing more.
    Incomplete,
    /// The connection broke, for this reason.
    Broke(String),
    /// Ctrl-C was pressed.
    Interrupted,
}

fn tail(args: &LogTailArgs) -> anyhow::Result<Exit> {
    let client = Client::open(&args.client)?;
    let interrupt = Interrupt::catch()?;
    let columns = columns(&client)?;
    let mut sheet = Sheet::new(stdout(), client.format, Some(columns), terminal_width());
    let body = json!({ "query": args.query });
    let (mut once, mut told) = (false, false);
    let exit = loop {
        let mut heard = false;
        let lines = client.wire.lines("log/tail", &body, SILENCE, &interrupt)?;
        let stop = follow(&lines, &mut sheet, &mut heard);
        once |= heard;
        // What was told of an outage is not told again every second.
        told &= !heard;
        let why = match stop {
            Ok(Stop::Interrupted) => break Ok(Exit::Interrupted),
            Ok(Stop::Incomplete) => break Ok(Exit::Partial),
            Ok(Stop::Over) if heard => continue,
            Ok(Stop::Over) => "the server said nothing".to_owned(),
            Ok(Stop::Broke(why)) => why,
            // Who was there once comes back.
            Err(error) if once && is_away(&error) => format!("{error:#}"),
            Err(error) => break Err(error),
        };
        if !told {
            say!("the connection broke and is made anew, events of the meantime are not shown: {why}");
            told = true;
        }
        if interrupt.wait(PAUSE).is_err() {
            break Ok(Exit::Interrupted);
        }
    };
    if once || exit.is_ok() {
        sheet.finish()?;
    }
    exit
}

/// Prints events until the answer stops.
fn follow<W: Write>(lines: &Lines, sheet: &mut Sheet<W>, heard: &mut bool) -> anyhow::Result<Stop> {
    let mut incomplete = false;
    loop {
        let bytes = match lines.hear()? {
            Next::Lines(bytes) => bytes,
            Next::End if incomplete => return Ok(Stop::Incomplete),
            Next::End => return Ok(Stop::Over),
            Next::Broke(why) => return Ok(Stop::Broke(why)),
            Next::Interrupted => return Ok(Stop::Interrupted),
        };
        *heard = true;
        // Empty lines count too: a sign of life says that it goes on.
        for line in bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::trim_ascii) {
            let end = End::of(line).filter(|end| !end.complete);
            incomplete = end.is_some();
            match end {
                // Whoever asks again is refused for the same reason, and told what to do.
                Some(end) if !end.kind.is_empty() => return Ok(Stop::Over),
                Some(end) => end.detail.lines().for_each(|line| say!("garrison: {line}")),
                None if line.is_empty() => {}
                None => sheet.row(line)?,
            }
        }
        sheet.flush()?;
    }
}

/// Whether the server is not there just now.
fn is_away(error: &anyhow::Error) -> bool {
    matches!(exit_of(error), Some(Exit::Unreachable | Exit::TimedOut))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_line_is_an_end() {
        let end = End::of(br#"{"_end":{"complete":false,"rows":3,"type":"log/costs","detail":"too long"}}"#);
        let end = end.unwrap();
        assert_eq!((end.complete, end.kind.as_str(), end.detail.as_str()), (false, "log/costs", "too long"));
        assert!(End::of(br#"{"_end":{"complete":true,"rows":0}}"#).unwrap().complete);
        for row in [&br#"{"raw":"{\"_end\":{}}"}"#[..], br#"{"_end":1}"#, br#"{"_end":{"a":1}}"#, b""] {
            assert!(End::of(row).is_none(), "{row:?}");
        }
    }

    #[test]
    fn how_it_ended_is_told_by_the_exit_code() {
        let told = |rows: u64, complete: bool, kind: &str| {
            let end = End { complete, kind: kind.to_owned(), detail: "why".to_owned() };
            Ended { rows, end: Some(end) }.told()
        };
        assert_eq!(told(7, true, ""), Exit::Ok);
        assert_eq!(told(7, false, "log/costs"), Exit::Partial);
        assert_eq!(told(0, false, "log/costs"), Exit::Failed);
        assert_eq!(told(0, false, "log/query"), Exit::Usage);
        assert_eq!(Ended { rows: 7, end: None }.told(), Exit::Interrupted);
    }

    #[test]
    fn empty_lines_are_no_rows() {
        assert_eq!(spoken(b"\n{}\n\n {}\r\n").collect::<Vec<_>>(), [b"{}", b"{}"]);
    }
}
