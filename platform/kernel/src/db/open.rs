use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, PgPool, SqlitePool};
use tokio::sync::{Mutex, MutexGuard};

use super::{BEGIN_POSTGRES, BEGIN_SQLITE, DbError, LOCK_POSTGRES, Link, Tx};

/// Which database holds the state.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// A file, opened by this process alone.
    Sqlite(PathBuf),
    /// `postgres://...`; may hold a password, so it is never printed.
    Postgres(String),
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(out, "sqlite:{}", path.display()),
            Self::Postgres(_) => out.write_str("postgres:(secret)"),
        }
    }
}

/// The open database. Writers take turns: the audit sequence orders them anyhow, and on `PostgreSQL` two
/// serialisable transactions that both take the next number would only fail each other.
pub(crate) struct Db {
    pools: Pools,
    turn: Mutex<()>,
}

enum Pools {
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    Postgres(PgPool),
}

/// A writer's turn; held until its transaction has ended.
pub(crate) struct Turn<'d>(#[expect(dead_code, reason = "held, not read")] MutexGuard<'d, ()>);

impl Db {
    pub(crate) async fn open(url: &DatabaseUrl, connections: u32) -> Result<Self, DbError> {
        let pools = match url {
            DatabaseUrl::Sqlite(path) => Self::sqlite(path, connections).await?,
            DatabaseUrl::Postgres(url) => {
                // The driver's own error would repeat the address, password included.
                let options = PgConnectOptions::from_str(url)
                    .map_err(|_| DbError::Failed("the PostgreSQL address cannot be read".into()))?
                    .disable_statement_logging();
                let pool = PgPoolOptions::new()
                    .max_connections(connections)
                    .acquire_timeout(Duration::from_secs(10))
                    .connect_with(options)
                    .await?;
                Pools::Postgres(pool)
            }
        };
        Ok(Self { pools, turn: Mutex::new(()) })
    }

    async fn sqlite(path: &Path, connections: u32) -> Result<Pools, DbError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .pragma("trusted_schema", "OFF")
            .statement_cache_capacity(256)
            .disable_statement_logging();
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            // A full disk ends a transaction from below, and the connection goes on believing in it.
            .after_release(|connection, _| {
                Box::pin(async move {
                    connection.ping().await?;
                    Ok(!connection.is_in_transaction())
                })
            })
            .connect_with(options.clone())
            .await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(connections)
            .connect_with(options.pragma("query_only", "ON"))
            .await?;
        Ok(Pools::Sqlite { writer, readers })
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.pools, Pools::Postgres(_))
    }

    /// Waits for the turn, then begins a transaction that writes.
    pub(crate) async fn write(&self) -> Result<(Tx<'static>, Turn<'_>), DbError> {
        let turn = Turn(self.turn.lock().await);
        Ok((self.begin().await?, turn))
    }

    /// Begins a transaction that writes, for whoever has the turn.
    async fn begin(&self) -> Result<Tx<'static>, DbError> {
        let mut tx = self.begin_bare().await?;
        if self.is_postgres() {
            tx.run(LOCK_POSTGRES, Vec::new()).await?;
        }
        Ok(tx)
    }

    async fn begin_bare(&self) -> Result<Tx<'static>, DbError> {
        Ok(Tx::new(match &self.pools {
            Pools::Sqlite { writer, .. } => Link::Sqlite(writer.begin_with(BEGIN_SQLITE).await?),
            Pools::Postgres(pool) => Link::Postgres(pool.begin_with(BEGIN_POSTGRES).await?),
        }))
    }

    /// The same as [`Self::write`] while the tables may not be there yet.
    pub(crate) async fn write_schema(&self) -> Result<(Tx<'static>, Turn<'_>), DbError> {
        let turn = Turn(self.turn.lock().await);
        Ok((self.begin_bare().await?, turn))
    }

    /// Begins a transaction that reads, all from one moment.
    pub(crate) async fn read(&self) -> Result<Tx<'static>, DbError> {
        Ok(Tx::new(match &self.pools {
            Pools::Sqlite { readers, .. } => Link::Sqlite(readers.begin().await?),
            Pools::Postgres(pool) => {
                Link::Postgres(pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
            }
        }))
    }

    pub(crate) async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}
