//! `garrison log` against a server, and `garrison search`, as clap sees them.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ClientArgs, ListArgs};
use crate::cli::OutputArgs;
use crate::output::Format;

// No doc comment: it would take the place of the words of the command that this is flattened into.
#[derive(Debug, Subcommand)]
pub enum LogServerCommand {
    Search(LogSearchArgs),
    Fields(LogFieldsArgs),
    Tail(LogTailArgs),
    Export(LogExportArgs),
    #[command(visible_alias = "send")]
    Import(LogImportArgs),
}

/// Search the logs that one may see; that it was asked is recorded
///
/// A filter is words and tests, such as `failed and src_ip:203.0.113.0/24`. Without --from it looks at the last
/// 24 hours, as the server received them. Rows are printed as they are found, the latest first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison log search 'failed and src_ip:203.0.113.0/24' --from 7d
  garrison log search --sql 'select src_ip, count(*) as n from logs group by src_ip order by n desc limit 10'
  garrison log search --complete 'kind:'
  garrison log search --saved failed-logins -o ndjson

Exit codes: 0 all was printed, 2 the question cannot be understood, 5 not allowed, 8 no answer in time,
9 a part was printed, 130 interrupted.")]
pub struct LogSearchArgs {
    /// The filter; all events where nothing is said
    #[arg(value_name = "QUERY", conflicts_with_all = ["sql", "saved"])]
    pub query: Option<String>,

    /// A question in SQL over the table `logs`
    #[arg(long, value_name = "SQL", conflicts_with_all = ["saved", "columns", "unordered"])]
    pub sql: Option<String>,

    /// A saved search, by name
    #[arg(long, value_name = "NAME")]
    pub saved: Option<String>,

    /// From when on: a time such as 2026-11-22T10:00:00Z, or how long ago, such as 15m or 7d
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,

    /// Until when; now where nothing is said
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,

    /// Rows at most; 1,000 where nothing is said. SQL has a LIMIT of its own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub limit: Option<u64>,

    /// Columns, separated by commas; `garrison log fields` names them
    #[arg(long, value_name = "NAME,NAME")]
    pub columns: Option<String>,

    /// In the order in which they are found, which is faster
    #[arg(long)]
    pub unordered: bool,

    /// Seconds that the server may take; 60 where nothing is said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: Option<u64>,

    /// Print what may stand at the end of QUERY, one a line, and search nothing
    #[arg(long, conflicts_with_all = ["sql", "saved"])]
    pub complete: bool,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// List the columns of the logs, for filters and SQL
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison log fields
  garrison log fields -o json")]
pub struct LogFieldsArgs {
    #[command(flatten)]
    pub client: ClientArgs,
}

/// Follow the logs: events are printed while they come, until Ctrl-C
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison log tail
  garrison log tail 'kind:sshd and failed' -o ndjson

Exit codes: 130 interrupted, 2 the filter cannot be understood, 5 not allowed any more, 10 the server did not answer
at the start.")]
pub struct LogTailArgs {
    /// The filter; all events where nothing is said
    #[arg(value_name = "QUERY")]
    pub query: Option<String>,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Take everything out that a filter finds, in no order
///
/// Of a file that is given, FILE.part grows beside it and gets the name when it is whole; an earlier file of that name
/// goes then.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison log export 'source:web' --from 30d --out web.ndjson
  garrison log export --from 2026-11-20T00:00:00Z --to 2026-11-21T00:00:00Z -o csv > day.csv

Exit codes: 0 all is there, 2 the filter cannot be understood, 5 not allowed, 9 a part is there, 130 interrupted.")]
pub struct LogExportArgs {
    /// The filter; all events where nothing is said
    #[arg(value_name = "QUERY")]
    pub query: Option<String>,

    /// From when on: a time, or how long ago; the last 24 hours where nothing is said
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,

    /// Until when; now where nothing is said
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,

    /// Write into this file
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,

    /// The context to use instead of the current one
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,

    /// How to print; a table has the usual columns only
    #[arg(short, long, value_enum, default_value = "ndjson")]
    pub output: Format,
}

impl LogExportArgs {
    /// As every other command has them.
    pub fn client(&self) -> ClientArgs {
        ClientArgs { context: self.context.clone(), output: OutputArgs { output: self.output } }
    }
}

/// Send files of logs to a source, also packed by gzip or zstd
///
/// They are sent in pieces of at most 4 MiB, and each is on the server's disk before the next one is sent. Where the
/// server has no time it is asked again. A failure tells from which line on to send again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison log import --source web access.log access.log.1.gz
  journalctl -o json --since today | garrison log send --source hosts

Exit codes: 0 all was taken, 1 something could not be read or the server's disk is full, 4 there is no such source,
9 some events were refused, 130 interrupted.")]
pub struct LogImportArgs {
    /// The source, by name
    #[arg(long, value_name = "NAME")]
    pub source: String,

    /// Files; `-` is standard input
    #[arg(value_name = "FILE|-", default_value = "-")]
    pub files: Vec<PathBuf>,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Searches that were saved under a name, for everybody who may search
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison search save failed-logins 'kind:sshd and failed'
  garrison log search --saved failed-logins")]
pub enum SearchCommand {
    List(SearchListArgs),
    Save(SearchSaveArgs),
    Delete(SearchDeleteArgs),
}

/// List saved searches
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison search list")]
pub struct SearchListArgs {
    #[command(flatten)]
    pub list: ListArgs,
}

/// Save a filter under a name
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison search save failed-logins 'kind:sshd and failed'

Exit codes: 0 saved, 2 the filter cannot be understood, 7 the name is taken.")]
pub struct SearchSaveArgs {
    /// Its name: a-z, 0-9, `.`, `_` and `-`
    #[arg(value_name = "NAME")]
    pub name: String,

    /// The filter
    #[arg(value_name = "QUERY")]
    pub query: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Forget a saved search
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison search delete failed-logins")]
pub struct SearchDeleteArgs {
    /// The search, by name or id
    #[arg(value_name = "NAME")]
    pub search: String,

    #[command(flatten)]
    pub client: ClientArgs,
}
