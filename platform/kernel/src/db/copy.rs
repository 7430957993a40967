//! The whole state as lines of JSON, out of a database of one kind and into one of the same or the other kind.
//!
//! First stands what was applied of the schema, then each table with its columns, its rows, and how many they were; then how
//! many tables. Bytes are base64. Whether the rows are right is for whoever opens the state: they carry MACs.

use std::collections::BTreeMap;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::migrate::{Applied, applied, raise};
use super::{DatabaseUrl, Db, DbError, Row, Tx, Value};
use crate::Module;
use crate::kernel::domains;

/// The form that is written, and the only one that is read.
const FORM: u32 = 1;
/// The ledger of the schema, which the first line tells.
const LEDGER: &str = "migration";
/// Parameters and bytes of one statement that inserts. `SQLite` takes 32,766 parameters, `PostgreSQL` 65,535.
const PARAMETERS: usize = 2_000;
const BYTES: usize = 4 << 20;

/// Why a state is not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
    /// It holds something already.
    #[error("the database is not empty")]
    NotEmpty,
    /// A column of a type that the kernel does not have.
    #[error("the column {column} of the table {table} is of a kind that is not known")]
    Column {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// The lines are not those of a state.
    #[error("line {line} of the state: {what}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// They cannot be read.
    #[error("{0}")]
    Read(String),
    /// They cannot be written.
    #[error("writing the state: {0}")]
    Write(#[source] io::Error),
}

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Copied {
    /// Tables.
    pub tables: u64,
    /// Rows of all of them.
    pub rows: u64,
    /// The number of the last record.
    pub records: i64,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Text,
    Int,
    Bytes,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Line {
    State {
        form: u32,
        records: i64,
        migrations: Vec<Applied>,
    },
    Table {
        name: String,
        columns: Vec<(String, Kind)>,
    },
    Row(Vec<Json>),
    /// The table ends, and had so many rows.
    Rows(u64),
    /// The state ends, and had so many tables.
    End(u64),
}

/// Tells everything that a transaction sees.
pub(crate) async fn export(
    tx: &mut Tx<'_>,
    records: i64,
    out: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<Copied, CopyError> {
    let mut copied = Copied { records, ..Copied::default() };
    let migrations = applied(tx).await?;
    put(out, &Line::State { form: FORM, records, migrations })?;
    for (name, columns) in tables(tx).await? {
        if name == LEDGER {
            continue;
        }
        let names = list(&columns);
        put(out, &Line::Table { name: name.clone(), columns: columns.clone() })?;
        let mut rows = 0;
        tx.each(format!("SELECT {names} FROM \"{name}\""), |row| {
            rows += 1;
            put(out, &Line::Row(cells(&name, &columns, row)?))
        })
        .await?;
        put(out, &Line::Rows(rows))?;
        copied.tables += 1;
        copied.rows += rows;
    }
    put(out, &Line::End(copied.tables))?;
    Ok(copied)
}

fn put(out: &mut dyn FnMut(&[u8]) -> io::Result<()>, line: &Line) -> Result<(), CopyError> {
    let mut bytes = serde_json::to_vec(line).map_err(|error| CopyError::Write(error.into()))?;
    bytes.push(b'\n');
    out(&bytes).map_err(CopyError::Write)
}

fn cells(table: &str, columns: &[(String, Kind)], row: &Row) -> Result<Vec<Json>, CopyError> {
    let cell = |((column, kind), value): (&(String, Kind), &Value)| match (kind, value) {
        (_, Value::Text(None) | Value::Int(None) | Value::Bytes(None)) => Ok(Json::Null),
        (Kind::Text, Value::Text(Some(text))) => Ok(text.as_str().into()),
        (Kind::Int, Value::Int(Some(number))) => Ok((*number).into()),
        (Kind::Bytes, Value::Bytes(Some(bytes))) => Ok(STANDARD.encode(bytes).into()),
        _ => Err(CopyError::Column { table: table.to_owned(), column: column.clone() }),
    };
    columns.iter().zip(row.cells(columns.len())).map(cell).collect()
}

/// Whether a database has no table at all.
pub async fn is_empty_database(url: &DatabaseUrl) -> Result<bool, DbError> {
    let db = Db::open(url, 1).await?;
    let names = match db.read().await {
        Ok(mut tx) => names(&mut tx).await,
        Err(error) => Err(error),
    };
    db.close().await;
    Ok(names?.is_empty())
}

/// Fills an empty database with the state that these lines tell, in one transaction: all of it, or nothing. The schema
/// becomes what it was then; who opens the state brings it up to date.
pub async fn fill_database(
    url: &DatabaseUrl,
    modules: &[Module],
    lines: &mut dyn Iterator<Item = Result<String, String>>,
) -> Result<Copied, CopyError> {
    let db = Db::open(url, 1).await?;
    let filled = fill(&db, modules, lines).await;
    db.close().await;
    filled
}

/// Removes every table: what was filled, and turned out not to be what it should.
pub async fn empty_database(url: &DatabaseUrl) -> Result<(), DbError> {
    let db = Db::open(url, 1).await?;
    let emptied = empty(&db).await;
    db.close().await;
    emptied
}

async fn empty(db: &Db) -> Result<(), DbError> {
    let (mut tx, _turn) = db.write_schema().await?;
    for name in names(&mut tx).await? {
        tx.run(format!("DROP TABLE \"{name}\""), Vec::new()).await?;
    }
    tx.commit().await
}

async fn fill(
    db: &Db,
    modules: &[Module],
    lines: &mut dyn Iterator<Item = Result<String, String>>,
) -> Result<Copied, CopyError> {
    let (mut tx, _turn) = db.write_schema().await?;
    if !names(&mut tx).await?.is_empty() {
        return Err(CopyError::NotEmpty);
    }
    let mut lines = Lines { lines, line: 0 };
    let Line::State { form: FORM, records, migrations } = lines.next()? else {
        return Err(lines.wrong("it is not the beginning of a state of the form that is known"));
    };
    raise(&mut tx, &domains(modules), &migrations).await?;
    let mut expected: BTreeMap<String, Vec<(String, Kind)>> = tables(&mut tx).await?.into_iter().collect();
    expected.remove(LEDGER);
    let mut copied = Copied { records, ..Copied::default() };
    loop {
        match lines.next()? {
            Line::Table { name, columns } => {
                let known = expected.remove(&name).map(sorted);
                if known != Some(sorted(columns.clone())) {
                    return Err(
                        lines.wrong("there is no such table, or it has other columns, or it came before")
                    );
                }
                copied.rows += fill_table(&mut tx, &mut lines, (&name, &columns)).await?;
                copied.tables += 1;
            }
            Line::End(tables) if tables == copied.tables && expected.is_empty() => break,
            Line::End(_) => return Err(lines.wrong("tables are missing")),
            _ => return Err(lines.wrong("a table should begin here")),
        }
    }
    tx.commit().await?;
    Ok(copied)
}

/// Reads the rows of a table up to their number, which must be how many there are then.
async fn fill_table(
    tx: &mut Tx<'_>,
    lines: &mut Lines<'_>,
    (name, columns): (&str, &[(String, Kind)]),
) -> Result<u64, CopyError> {
    // A migration may have put rows there.
    tx.run(format!("DELETE FROM \"{name}\""), Vec::new()).await?;
    let (mut rows, mut waiting, mut bytes) = (0, Vec::new(), 0);
    let told = loop {
        match lines.next()? {
            Line::Row(cells) if cells.len() == columns.len() => {
                for (cell, (_, kind)) in cells.into_iter().zip(columns) {
                    let (value, size) =
                        value(*kind, cell).ok_or_else(|| lines.wrong("a cell is of another kind"))?;
                    bytes += size;
                    waiting.push(value);
                }
                rows += 1;
            }
            Line::Row(_) => return Err(lines.wrong("the row has another number of cells than the table")),
            Line::Rows(told) => break told,
            _ => return Err(lines.wrong("a row should stand here")),
        }
        if waiting.len() + columns.len() > PARAMETERS || bytes >= BYTES {
            insert(tx, (name, columns), std::mem::take(&mut waiting)).await?;
            bytes = 0;
        }
    };
    insert(tx, (name, columns), waiting).await?;
    let count = tx.row(format!("SELECT COUNT(*) FROM \"{name}\""), Vec::new()).await?;
    let count: Option<i64> = count.map(|row| row.get(0)).transpose()?;
    if told == rows && count.and_then(|count| u64::try_from(count).ok()) == Some(rows) {
        return Ok(rows);
    }
    Err(lines
        .wrong(format!("{told} rows of {name} were written, {rows} were read, and the table has {count:?}")))
}

async fn insert(
    tx: &mut Tx<'_>,
    (name, columns): (&str, &[(String, Kind)]),
    values: Vec<Value>,
) -> Result<(), DbError> {
    let width = columns.len();
    if values.is_empty() || width == 0 {
        return Ok(());
    }
    let row = |first: usize| {
        let places: Vec<String> = (first..first + width).map(|place| format!("${place}")).collect();
        format!("({})", places.join(", "))
    };
    let rows: Vec<String> = (0..values.len() / width).map(|number| row(number * width + 1)).collect();
    let sql = format!("INSERT INTO \"{name}\" ({}) VALUES {}", list(columns), rows.join(", "));
    tx.run(sql, values).await.map(|_| ())
}

/// A cell, and about how many bytes it takes. Typed also where it is absent.
fn value(kind: Kind, cell: Json) -> Option<(Value, usize)> {
    Some(match (kind, cell) {
        (Kind::Text, Json::Null) => (Value::Text(None), 8),
        (Kind::Int, Json::Null) => (Value::Int(None), 8),
        (Kind::Bytes, Json::Null) => (Value::Bytes(None), 8),
        (Kind::Text, Json::String(text)) => {
            let size = text.len();
            (Value::Text(Some(text)), size)
        }
        (Kind::Int, Json::Number(number)) => (Value::Int(Some(number.as_i64()?)), 8),
        (Kind::Bytes, Json::String(text)) => {
            let bytes = STANDARD.decode(text).ok()?;
            let size = bytes.len();
            (Value::Bytes(Some(bytes)), size)
        }
        _ => return None,
    })
}

struct Lines<'l> {
    lines: &'l mut dyn Iterator<Item = Result<String, String>>,
    line: u64,
}

impl Lines<'_> {
    fn next(&mut self) -> Result<Line, CopyError> {
        self.line += 1;
        let text = self.lines.next().ok_or_else(|| self.wrong("the state ends before its end"))?;
        let text = text.map_err(CopyError::Read)?;
        serde_json::from_str(&text).map_err(|error| self.wrong(error.to_string()))
    }

    fn wrong(&self, what: impl Into<String>) -> CopyError {
        CopyError::Line { line: self.line, what: what.into() }
    }
}

fn sorted(mut columns: Vec<(String, Kind)>) -> Vec<(String, Kind)> {
    columns.sort();
    columns
}

/// The names, for a statement. They are those that migrations gave: letters and `_`.
fn list(columns: &[(String, Kind)]) -> String {
    let names: Vec<String> = columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    names.join(", ")
}

async fn names(tx: &mut Tx<'_>) -> Result<Vec<String>, DbError> {
    let sql = if tx.is_postgres() {
        "SELECT CAST(table_name AS TEXT) FROM information_schema.tables
         WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY 1"
    } else {
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite^_%' ESCAPE '^' ORDER BY 1"
    };
    tx.rows(sql, Vec::new()).await?.iter().map(|row| row.get(0)).collect()
}

/// All tables with their columns.
async fn tables(tx: &mut Tx<'_>) -> Result<Vec<(String, Vec<(String, Kind)>)>, CopyError> {
    let sql = if tx.is_postgres() {
        "SELECT CAST(column_name AS TEXT), CAST(data_type AS TEXT) FROM information_schema.columns
         WHERE table_schema = current_schema() AND CAST(table_name AS TEXT) = $1 ORDER BY ordinal_position"
    } else {
        "SELECT name, type FROM pragma_table_info($1) ORDER BY cid"
    };
    let mut tables = Vec::new();
    for table in names(tx).await? {
        let mut columns = Vec::new();
        for row in tx.rows(sql, vec![table.as_str().into()]).await? {
            let (column, kind): (String, String) = (row.get(0)?, row.get(1)?);
            let kind = match kind.to_ascii_lowercase().as_str() {
                "text" => Kind::Text,
                "bigint" => Kind::Int,
                "blob" | "bytea" => Kind::Bytes,
                _ => return Err(CopyError::Column { table, column }),
            };
            columns.push((column, kind));
        }
        tables.push((table, columns));
    }
    Ok(tables)
}
