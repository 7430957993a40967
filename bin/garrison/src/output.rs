//! Printing data: a table for people, JSON, NDJSON, YAML and CSV for programs.

use std::io::{self, BufWriter, Write};

use clap::ValueEnum;
use garrison_base::{Exit, is_plain};
use serde::Serialize;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns for people
    Table,
    /// One JSON list
    Json,
    /// One JSON object a line
    Ndjson,
    /// One YAML list
    Yaml,
    /// Comma-separated values with a head line
    Csv,
}

/// A column of a table.
pub struct Column {
    name: &'static str,
    width: usize,
    whole: bool,
}

impl Column {
    /// A column of so many characters; what is longer is shortened. The last column takes what it needs.
    pub const fn new(name: &'static str, width: usize) -> Self {
        Self { name, width, whole: false }
    }

    /// A column of at least so many characters, for what must not be shortened.
    pub const fn whole(name: &'static str, width: usize) -> Self {
        Self { name, width, whole: true }
    }
}

/// What can be printed: as an object, or as cells.
pub trait Row: Serialize {
    /// The columns of the table.
    const COLUMNS: &'static [Column];

    /// The texts of the columns.
    fn cells(&self) -> Vec<String>;
}

/// Prints rows as they come, so that nothing must be kept.
pub struct Printer<W: Write> {
    out: W,
    format: Format,
    rows: u64,
}

impl Printer<BufWriter<io::StdoutLock<'static>>> {
    /// A printer on standard output.
    pub fn stdout(format: Format) -> Self {
        Self::new(BufWriter::new(io::stdout().lock()), format)
    }
}

impl<W: Write> Printer<W> {
    /// A printer on `out`.
    pub fn new(out: W, format: Format) -> Self {
        Self { out, format, rows: 0 }
    }

    /// Prints one row.
    pub fn row<R: Row>(&mut self, row: &R) -> io::Result<()> {
        if self.rows == 0 {
            self.head::<R>()?;
        }
        match self.format {
            Format::Table => self.line::<R>(&row.cells())?,
            Format::Csv => self.csv(row.cells().iter().map(|cell| defused(cell)))?,
            Format::Ndjson => {
                serde_json::to_writer(&mut self.out, row)?;
                writeln!(self.out)?;
            }
            Format::Json => {
                write!(self.out, "{}", if self.rows == 0 { "[\n" } else { ",\n" })?;
                serde_json::to_writer(&mut self.out, row)?;
            }
            Format::Yaml => {
                let text = serde_saphyr::to_string(&[row]).map_err(io::Error::other)?;
                write!(self.out, "{text}")?;
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// Ends the list of rows, where the format has an end.
    pub fn finish<R: Row>(mut self) -> io::Result<()> {
        if self.rows == 0 && self.format == Format::Csv {
            self.head::<R>()?;
        }
        match (self.format, self.rows) {
            (Format::Json | Format::Yaml, 0) => writeln!(self.out, "[]")?,
            (Format::Json, _) => writeln!(self.out, "\n]")?,
            _ => {}
        }
        self.out.flush()
    }

    /// Makes everything printed so far visible.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn head<R: Row>(&mut self) -> io::Result<()> {
        let names: Vec<String> = R::COLUMNS.iter().map(|column| column.name.to_owned()).collect();
        match self.format {
            Format::Table if names.iter().all(String::is_empty) => Ok(()),
            Format::Table => self.line::<R>(&names),
            Format::Csv => self.csv(names.iter().map(|name| name.to_lowercase().replace(' ', "_"))),
            _ => Ok(()),
        }
    }

    fn line<R: Row>(&mut self, cells: &[String]) -> io::Result<()> {
        let last = cells.len().saturating_sub(1);
        for (place, (cell, column)) in cells.iter().zip(R::COLUMNS).enumerate() {
            let cell = printable(cell);
            let cell = if place < last && !column.whole { shortened(cell, column.width) } else { cell };
            write!(self.out, "{cell}")?;
            if place < last {
                write!(self.out, "{:gap$}  ", "", gap = column.width.saturating_sub(cell.width()))?;
            }
        }
        writeln!(self.out)
    }

    fn csv(&mut self, cells: impl Iterator<Item = String>) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(&mut self.out);
        writer.write_record(cells)?;
        writer.flush()
    }
}

fn shortened(text: String, width: usize) -> String {
    if text.width() <= width {
        return text;
    }
    let mut room = width.saturating_sub(1);
    let fits = |char: &char| {
        let left = room.checked_sub(char.width().unwrap_or(0));
        room = left.unwrap_or(0);
        left.is_some()
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// Text without what a terminal would obey or a reader be deceived by: control characters, and characters
/// that turn the direction of writing, end lines or cannot be seen (Unicode general categories Cf, Zl, Zp).
pub fn printable(text: &str) -> String {
    let harmless = |char: char| if is_plain(char) { char } else { char::REPLACEMENT_CHARACTER };
    text.chars().map(|char| if matches!(char, '\n' | '\t' | '\r') { ' ' } else { harmless(char) }).collect()
}

/// A cell that a spreadsheet takes for a formula is quoted, as OWASP advises.
fn defused(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err() && cell != "-" {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// A number and what it counts: `1 rule`, `2 rules`.
pub fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// Words on standard error.
#[macro_export]
macro_rules! say {
    ($($part:tt)*) => {{
        use std::io::Write as _;
        // A closed standard error is no reason to stop.
        let _ = writeln!(std::io::stderr(), "{}", $crate::output::printable(&format!($($part)*)));
    }};
}

/// Tells why a command failed. Whoever reads our output may stop reading; that is not a failure.
pub fn failed(error: &anyhow::Error) -> Exit {
    let closed = |cause: &io::Error| cause.kind() == io::ErrorKind::BrokenPipe;
    if error.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(closed)) {
        return Exit::Ok;
    }
    say!("garrison: {error:#}");
    Exit::Failed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Pair(&'static str, &'static str);

    impl Row for Pair {
        const COLUMNS: &'static [Column] = &[Column::new("KEY", 6), Column::new("VALUE", 1)];

        fn cells(&self) -> Vec<String> {
            vec![self.0.to_owned(), self.1.to_owned()]
        }
    }

    fn printed(format: Format, rows: &[Pair]) -> String {
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, format);
        for row in rows {
            printer.row(row).unwrap();
        }
        printer.finish::<Pair>().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_format_ends_well_with_and_without_rows() {
        let rows = [Pair("密碼", "=cmd()"), Pair("b", "x\u{1b}[2J\ny")];
        assert_eq!(printed(Format::Table, &rows), "KEY     VALUE\n密碼    =cmd()\nb       x\u{fffd}[2J y\n");
        assert_eq!(printed(Format::Csv, &rows), "key,value\n密碼,'=cmd()\nb,\"x\u{1b}[2J\ny\"\n");
        assert_eq!(printed(Format::Table, &[Pair("密碼密碼", "x")]), "KEY     VALUE\n密碼…   x\n");
        assert_eq!(printed(Format::Csv, &[]), "key,value\n");
        for format in [Format::Json, Format::Yaml] {
            assert!(printed(format, &[]).starts_with("[]"));
        }
        let json: serde_json::Value = serde_json::from_str(&printed(Format::Json, &rows)).unwrap();
        assert_eq!(json.as_array().unwrap().len(), 2);
        assert_eq!(printed(Format::Ndjson, &rows).lines().count(), 2);
        assert_eq!(printed(Format::Yaml, &rows).matches("- - ").count(), 2);
    }
}
