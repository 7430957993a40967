//! Rows whose columns are known only when they come: events and answers of SQL, in every format.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _, Write};

use anyhow::Context as _;
use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::Value as Json;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::client::row;
use crate::output::{Column, Format, Printer, Row, printable};
use crate::say;

/// Rows that are held back to find out which columns they have: the server leaves out what is null.
const HELD: usize = 500;

/// The widest column whose width is taken from the rows.
const WIDEST: usize = 40;

/// Prints JSON lines as rows, as they come.
pub struct Sheet<W: Write> {
    paper: Paper<W>,
    columns: Option<Vec<String>>,
    found: bool,
    begun: bool,
    held: Vec<Json>,
    late: BTreeSet<String>,
}

enum Paper<W: Write> {
    Lines(W),
    Objects(Printer<W>),
    Table { out: W, widths: Vec<usize>, most: usize },
    Csv(Box<csv::Writer<W>>),
}

/// A row that is printed as an object only.
#[derive(Serialize)]
#[serde(transparent)]
struct Object(Json);

impl Row for Object {
    const COLUMNS: &'static [Column] = &[];

    fn cells(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The columns of the terminal that is printed to; nothing where there is none.
pub fn terminal_width() -> Option<usize> {
    let out = io::stdout();
    let size = out.is_terminal().then(|| rustix::termios::tcgetwinsize(&out).ok())??;
    Some(usize::from(size.ws_col)).filter(|width| *width > 0)
}

impl<W: Write> Sheet<W> {
    /// A sheet on `out`. Tables and CSV have these columns, or those of the first rows; lines of a table are
    /// cut to `most` characters.
    pub fn new(out: W, format: Format, columns: Option<Vec<String>>, most: Option<usize>) -> Self {
        let paper = match format {
            Format::Ndjson => Paper::Lines(out),
            Format::Json | Format::Yaml => Paper::Objects(Printer::new(out, format)),
            Format::Table => Paper::Table { out, widths: Vec::new(), most: most.unwrap_or(usize::MAX) },
            Format::Csv => Paper::Csv(Box::new(csv::Writer::from_writer(out))),
        };
        let found = columns.is_none();
        Self { paper, columns, found, begun: false, held: Vec::new(), late: BTreeSet::new() }
    }

    /// Prints a line of JSON.
    pub fn row(&mut self, line: &[u8]) -> anyhow::Result<()> {
        let odd = "a line of the answer is what no Garrison says";
        if let Paper::Lines(out) = &mut self.paper {
            serde_json::from_slice::<IgnoredAny>(line).context(odd)?;
            out.write_all(line)?;
            return Ok(out.write_all(b"\n")?);
        }
        let row: Json = serde_json::from_slice(line).context(odd)?;
        if let Paper::Objects(printer) = &mut self.paper {
            return Ok(printer.row(&Object(row))?);
        }
        if self.begun {
            return self.print(&row);
        }
        self.held.push(row);
        if self.found && self.held.len() < HELD { Ok(()) } else { self.begin() }
    }

    /// Makes everything printed so far visible.
    pub fn flush(&mut self) -> io::Result<()> {
        match &mut self.paper {
            Paper::Lines(out) | Paper::Table { out, .. } => out.flush(),
            Paper::Objects(printer) => printer.flush(),
            Paper::Csv(writer) => writer.flush(),
        }
    }

    /// Ends the rows, where the format has an end.
    pub fn finish(mut self) -> anyhow::Result<()> {
        let empty = self.held.is_empty();
        match &self.paper {
            Paper::Table { .. } if !self.begun && !empty => self.begin()?,
            Paper::Csv(_) if !(self.begun || self.found && empty) => self.begin()?,
            _ => {}
        }
        if !self.late.is_empty() {
            let names = self.late.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            say!("columns that only later rows have are left out: {names}; -o ndjson has them");
        }
        match self.paper {
            Paper::Lines(mut out) | Paper::Table { mut out, .. } => out.flush()?,
            Paper::Objects(printer) => printer.finish::<Object>()?,
            Paper::Csv(mut writer) => writer.flush()?,
        }
        Ok(())
    }

    /// Prints the head, and the rows that were held back.
    fn begin(&mut self) -> anyhow::Result<()> {
        self.begun = true;
        let held = std::mem::take(&mut self.held);
        let columns = self.columns.get_or_insert_with(|| names(&held)).clone();
        let mut head = columns.clone();
        if let Paper::Table { widths, .. } = &mut self.paper {
            head = columns.iter().map(|name| name.to_uppercase()).collect();
            *widths = columns.iter().map(|name| width(name, &held)).collect();
        }
        self.write(&head)?;
        held.iter().try_for_each(|row| self.print(row))
    }

    fn print(&mut self, row: &Json) -> anyhow::Result<()> {
        let columns = self.columns.as_deref().unwrap_or_default();
        if self.found {
            let others = row.as_object().into_iter().flat_map(serde_json::Map::keys);
            self.late.extend(others.filter(|name| !columns.contains(*name)).cloned());
        }
        let table = matches!(self.paper, Paper::Table { .. });
        let cell = |name: &String| if table { shown(row, name) } else { whole(row, name) };
        let cells: Vec<String> = columns.iter().map(cell).collect();
        self.write(&cells)
    }

    fn write(&mut self, cells: &[String]) -> anyhow::Result<()> {
        match &mut self.paper {
            Paper::Table { out, widths, most } => {
                let mut line = String::new();
                for (place, cell) in cells.iter().enumerate() {
                    let cell = printable(cell);
                    line += &cell;
                    if place + 1 < cells.len() {
                        let wide = widths.get(place).copied().unwrap_or_default();
                        line += &" ".repeat(wide.saturating_sub(cell.width()) + 2);
                    }
                }
                writeln!(out, "{}", fit(line, *most))?;
            }
            Paper::Csv(writer) => {
                writer.write_record(cells.iter().map(|cell| defused(cell))).map_err(io_error)?;
            }
            Paper::Lines(_) | Paper::Objects(_) => {}
        }
        Ok(())
    }
}

/// The error of the output itself: a reader that has stopped reading is told by its kind.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// The names of all members, in the order in which they are first seen.
fn names(rows: &[Json]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in rows.iter().filter_map(Json::as_object).flat_map(serde_json::Map::keys) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// How wide a column is: by its name where that is known, else by what stands in it.
fn width(name: &str, rows: &[Json]) -> usize {
    let known = match name {
        "received" | "claimed" | "id" => 20,
        "node" => 31,
        "host" | "source" => 16,
        "src_ip" | "dst_ip" | "peer" => 15,
        "user" | "target_user" | "program" => 12,
        _ => rows.iter().map(|row| shown(row, name).width()).max().unwrap_or_default().min(WIDEST),
    };
    known.max(name.width())
}

/// A cell for people.
fn shown(row: &Json, name: &str) -> String {
    row.get(name).map_or_else(|| "-".to_owned(), |value| row::cell(value, ""))
}

/// A cell for programs: nothing of it is left out.
fn whole(row: &Json, name: &str) -> String {
    match row.get(name) {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

/// As much of a line as has room.
fn fit(line: String, most: usize) -> String {
    if line.width() <= most {
        return line;
    }
    let mut room = most.saturating_sub(1);
    let fits = |char: &char| {
        let left = room.checked_sub(char.width().unwrap_or(0));
        room = left.unwrap_or(0);
        left.is_some()
    };
    line.chars().take_while(fits).chain(['…']).collect()
}

/// A cell that a spreadsheet takes for a formula is quoted, as OWASP advises: strangers write events.
fn defused(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err() && cell != "-" {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(format: Format, columns: Option<&[&str]>, lines: &[&str]) -> String {
        let mut out = Vec::new();
        let columns = columns.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        let mut sheet = Sheet::new(&mut out, format, columns, Some(40));
        for line in lines {
            sheet.row(line.as_bytes()).unwrap();
        }
        sheet.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_are_those_that_were_asked_for() {
        let line = r#"{"host":"web","raw":"a\u001b[2Jb","other":1}"#;
        let columns = Some(&["host", "raw"][..]);
        assert_eq!(
            printed(Format::Table, columns, &[line]),
            "HOST              RAW\nweb               a\u{fffd}[2Jb\n"
        );
        assert_eq!(printed(Format::Csv, columns, &[line]), "host,raw\nweb,a\u{1b}[2Jb\n");
        assert_eq!(printed(Format::Csv, columns, &[]), "host,raw\n");
        assert_eq!(printed(Format::Table, columns, &[]), "");
        let long = format!(r#"{{"host":"web","raw":"{}"}}"#, "x".repeat(100));
        assert_eq!(printed(Format::Table, columns, &[&long]).lines().nth(1).unwrap().width(), 40);
    }

    #[test]
    fn columns_of_sql_are_found_in_all_first_rows() {
        let lines = [r#"{"n":1}"#, r#"{"n":2,"who":"=anna()"}"#];
        assert_eq!(printed(Format::Csv, None, &lines), "n,who\n1,\n2,'=anna()\n");
        assert_eq!(printed(Format::Table, None, &lines), "N  WHO\n1  -\n2  =anna()\n");
        assert_eq!(printed(Format::Csv, None, &[]), "");
    }

    #[test]
    fn objects_are_printed_as_they_are() {
        let line = r#"{"n":12345678901234567,"a":null}"#;
        assert_eq!(printed(Format::Ndjson, None, &[line]), format!("{line}\n"));
        let json: Json = serde_json::from_str(&printed(Format::Json, None, &[line, line])).unwrap();
        assert_eq!(json.as_array().unwrap().len(), 2);
        assert_eq!(printed(Format::Json, None, &[]), "[]\n");
        let mut sheet = Sheet::new(Vec::new(), Format::Ndjson, None, None);
        assert!(sheet.row(b"<html>").is_err());
    }
}
