//! The database: `SQLite` or `PostgreSQL` behind one small face. Nothing outside this crate sees a driver.

mod copy;
mod migrate;
mod open;
mod value;

pub(crate) use copy::export;
pub use copy::{Copied, CopyError, empty_database, fill_database, is_empty_database};
pub use migrate::Migration;
pub(crate) use migrate::migrate;
pub use open::DatabaseUrl;
pub(crate) use open::Db;
pub use value::{FromCell, Row, Value};

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Executor as _, Postgres, Sqlite, Transaction};

/// Why a statement did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// Somebody else was first; the whole act may be tried again.
    #[error("the database asks to try again")]
    Again,
    /// A row with this key is there already.
    #[error("a row with this key exists already")]
    Exists,
    /// What was read is not what the schema promises.
    #[error("column {column} does not hold {expected}")]
    Column {
        /// Counted from 0.
        column: usize,
        /// The type that was asked for.
        expected: &'static str,
    },
    /// A row's MAC does not fit: it was written by something other than the kernel.
    #[error("row {row} of {table} was changed by hand: its authentication code does not fit")]
    Tampered {
        /// The table.
        table: &'static str,
        /// The row's key.
        row: String,
    },
    /// The driver's own words.
    #[error("the database failed: {0}")]
    Failed(String),
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        if let Some(database) = error.as_database_error() {
            // 40001 and 40P01: PostgreSQL could not serialise; 5 and 261: SQLite is busy.
            if matches!(database.code().as_deref(), Some("40001" | "40P01" | "5" | "261" | "517")) {
                return Self::Again;
            }
            if database.is_unique_violation() {
                return Self::Exists;
            }
        }
        Self::Failed(error.to_string())
    }
}

pub(crate) const BEGIN_SQLITE: &str = "BEGIN IMMEDIATE";
pub(crate) const BEGIN_POSTGRES: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";
/// Writers of other processes wait as well: the lock comes before the snapshot, so that they do not fail each other.
pub(crate) const LOCK_POSTGRES: &str = "LOCK TABLE log_head IN EXCLUSIVE MODE";

/// A statement with its arguments.
pub(crate) type Statement = (String, Vec<Value>);

/// One transaction on either database.
pub(crate) struct Tx<'c> {
    link: Link<'c>,
    /// Whether the database has asked to try the whole transaction again.
    pub(crate) again: bool,
}

pub(crate) enum Link<'c> {
    Sqlite(Transaction<'c, Sqlite>),
    Postgres(Transaction<'c, Postgres>),
}

macro_rules! bound {
    ($sql:expr, $args:expr) => {{
        let mut query = sqlx::query(AssertSqlSafe($sql));
        for arg in $args {
            query = match arg {
                Value::Text(text) => query.bind(text),
                Value::Int(number) => query.bind(number),
                Value::Bytes(bytes) => query.bind(bytes),
            };
        }
        query
    }};
}

impl<'c> Tx<'c> {
    pub(crate) fn new(link: Link<'c>) -> Self {
        Self { link, again: false }
    }

    /// Runs a statement; tells how many rows it changed.
    pub(crate) async fn run(&mut self, sql: impl Into<String>, args: Vec<Value>) -> Result<u64, DbError> {
        let sql = sql.into();
        let done = match &mut self.link {
            Link::Sqlite(tx) => tx.execute(bound!(sql, args)).await.map(|done| done.rows_affected()),
            Link::Postgres(tx) => tx.execute(bound!(sql, args)).await.map(|done| done.rows_affected()),
        };
        done.map_err(|error| self.note(error.into()))
    }

    /// Runs statements one after the other: on `SQLite` in one go, since each way to the connection's thread and
    /// back costs more than the statement itself.
    pub(crate) async fn run_all(&mut self, statements: Vec<Statement>) -> Result<(), DbError> {
        if matches!(self.link, Link::Postgres(_)) {
            for (sql, args) in statements {
                self.run(sql, args).await?;
            }
            return Ok(());
        }
        let (mut script, mut all) = (String::new(), Vec::new());
        for (sql, args) in statements {
            script.push_str(&shifted(&sql, all.len()));
            script.push_str(";\n");
            all.extend(args);
        }
        self.run(script, all).await.map(|_| ())
    }

    /// The rows that a statement answers.
    pub(crate) async fn rows(
        &mut self,
        sql: impl Into<String>,
        args: Vec<Value>,
    ) -> Result<Vec<Row>, DbError> {
        let sql = sql.into();
        let rows = match &mut self.link {
            Link::Sqlite(tx) => {
                let rows = tx.fetch_all(bound!(sql, args)).await;
                rows.map_err(DbError::from).and_then(|rows| rows.iter().map(Row::from_sqlite).collect())
            }
            Link::Postgres(tx) => {
                let rows = tx.fetch_all(bound!(sql, args)).await;
                rows.map_err(DbError::from).and_then(|rows| rows.iter().map(Row::from_postgres).collect())
            }
        };
        rows.map_err(|error| self.note(error))
    }

    /// The first row, if there is one.
    pub(crate) async fn row(
        &mut self,
        sql: impl Into<String>,
        args: Vec<Value>,
    ) -> Result<Option<Row>, DbError> {
        Ok(self.rows(sql, args).await?.into_iter().next())
    }

    /// Takes each row that a statement answers, one after the other: they are never held all at once.
    pub(crate) async fn each<E: From<DbError>>(
        &mut self,
        sql: String,
        mut take: impl FnMut(&Row) -> Result<(), E>,
    ) -> Result<(), E> {
        let none = Vec::<Value>::new();
        match &mut self.link {
            Link::Sqlite(tx) => {
                let mut rows = tx.fetch(bound!(sql, none));
                while let Some(row) = rows.try_next().await.map_err(DbError::from)? {
                    take(&Row::from_sqlite(&row)?)?;
                }
            }
            Link::Postgres(tx) => {
                let mut rows = tx.fetch(bound!(sql, none));
                while let Some(row) = rows.try_next().await.map_err(DbError::from)? {
                    take(&Row::from_postgres(&row)?)?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.link, Link::Postgres(_))
    }

    /// Several statements of a migration at once.
    pub(crate) async fn script(&mut self, sql: &str) -> Result<(), DbError> {
        let script = sqlx::raw_sql(AssertSqlSafe(sql));
        match &mut self.link {
            Link::Sqlite(tx) => tx.execute(script).await.map(|_| ())?,
            Link::Postgres(tx) => tx.execute(script).await.map(|_| ())?,
        }
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<(), DbError> {
        match self.link {
            Link::Sqlite(tx) => tx.commit().await?,
            Link::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }

    /// Undoes everything, and begins anew on the same connection: for whoever has the turn.
    pub(crate) async fn restart(&mut self) -> Result<(), DbError> {
        let begin: &[&str] = match self.link {
            Link::Sqlite(_) => &[BEGIN_SQLITE],
            Link::Postgres(_) => &[BEGIN_POSTGRES, LOCK_POSTGRES],
        };
        // A disk that is full has undone it already; then there is nothing to roll back.
        let _ = self.run("ROLLBACK", Vec::new()).await;
        for statement in begin {
            self.run(*statement, Vec::new()).await?;
        }
        Ok(())
    }

    fn note(&mut self, error: DbError) -> DbError {
        self.again |= matches!(error, DbError::Again);
        error
    }
}

/// A statement whose places `$1`, `$2`, … are counted from behind others.
fn shifted(sql: &str, by: usize) -> String {
    let mut parts = sql.split('$');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = part.split_at(digits);
        match number.parse::<usize>() {
            Ok(number) => out.push_str(&format!("${}{rest}", number + by)),
            Err(_) => out.push_str(&format!("${part}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::shifted;

    #[test]
    fn places_are_counted_on() {
        assert_eq!(shifted("VALUES ($1, $12) WHERE a = '$'", 3), "VALUES ($4, $15) WHERE a = '$'");
    }
}
