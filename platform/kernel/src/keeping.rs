//! Records are kept twice: in the database, and before an act answers also in a journal outside it (I8). Whoever
//! edits, shortens or replaces the database does not change what the journal holds.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use garrison_base::TenantId;
use garrison_secrets::MacKey;

use crate::KernelError;
use crate::audit::{self, COLUMNS, LOG};
use crate::db::{Db, DbError};

/// How many records are kept, or compared, in one go.
const BATCH: usize = 2_000;
const LIMIT: i64 = 2_000;

/// A record as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journaled {
    /// Its number.
    pub seq: i64,
    /// Whose it is.
    pub tenant: TenantId,
    /// The same bytes as in the database.
    pub bytes: Vec<u8>,
}

/// Where records are kept beside the database.
pub trait Journal: Send + Sync + 'static {
    /// Keeps records, in the order in which they are given; returns when they are durable.
    fn keep(
        &self,
        records: Vec<Journaled>,
    ) -> Pin<Box<dyn Future<Output = Result<(), JournalError>> + Send + '_>>;

    /// What it holds, from the first record on. Called once, when the state is opened.
    fn kept(&self) -> Box<dyn Iterator<Item = Result<Journaled, JournalError>> + Send + '_>;
}

/// Why the journal does not keep, or does not tell what it holds.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the journal: {0}")]
pub struct JournalError(pub String);

/// A difference between the two, found when the state is opened.
#[derive(Debug, thiserror::Error)]
pub enum Difference {
    /// Records are gone from the database: it was shortened, or is an older copy.
    #[error(
        "the journal holds record {seq}, the database ends before: it was shortened, or an older copy was put \
         back; put the newer one back, or move the journal's folder away if the older state is what you want"
    )]
    Older {
        /// The first that is missing.
        seq: i64,
    },
    /// A record is another one.
    #[error("record {seq} of the database is not the one that the journal holds: one of them was changed")]
    Other {
        /// Which.
        seq: i64,
    },
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The database cannot be read.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// The journal, and how far it has come.
pub(crate) struct Keeping {
    /// Whoever holds it keeps for all who wait: one group, one flush.
    turn: Arc<tokio::sync::Mutex<()>>,
    held: Arc<Held>,
}

struct Held {
    journal: Arc<dyn Journal>,
    kept: AtomicI64,
    /// What could not be kept; nothing more is done before it is.
    owed: AtomicI64,
}

impl Keeping {
    /// Compares what the journal holds with the database, record by record.
    pub(crate) async fn reconcile(
        journal: Arc<dyn Journal>,
        db: &Db,
        key: &MacKey,
    ) -> Result<Self, Difference> {
        let mut last = 0;
        {
            let mut kept = journal.kept();
            loop {
                let batch: Vec<Journaled> = kept.by_ref().take(BATCH).collect::<Result<_, _>>()?;
                let Some(first) = batch.first() else { break };
                let mut rows = verified(db, key, first.seq - 1).await?.into_iter();
                for held in &batch {
                    let row = rows.next().ok_or(Difference::Older { seq: held.seq })?;
                    if held.seq != last + 1 && last != 0 || row != *held {
                        return Err(Difference::Other { seq: held.seq });
                    }
                    last = held.seq;
                }
            }
        }
        let held = Held { journal, kept: AtomicI64::new(last), owed: AtomicI64::new(0) };
        Ok(Self { turn: Arc::default(), held: Arc::new(held) })
    }

    /// The number of the last record that the journal holds.
    pub(crate) fn kept(&self) -> i64 {
        self.held.kept.load(Ordering::Acquire)
    }

    /// Whether more may be done: where a record is still owed, it is kept now, or nothing happens.
    pub(crate) async fn ready(&self, db: &Db, key: &MacKey) -> Result<(), KernelError> {
        self.up_to(self.held.owed.load(Ordering::Acquire), db, key).await
    }

    /// Waits until the journal holds the record of this number and all before it.
    pub(crate) async fn up_to(&self, seq: i64, db: &Db, key: &MacKey) -> Result<(), KernelError> {
        while self.kept() < seq {
            let turn = self.turn.clone().lock_owned().await;
            let from = self.kept();
            if from >= seq {
                break;
            }
            let new = verified(db, key, from).await?;
            if new.is_empty() {
                return Err(DbError::Tampered { table: "audit", row: seq.to_string() }.into());
            }
            // Whoever stops waiting, as a client does that goes away, must not let the next one keep the same again.
            let held = self.held.clone();
            let work = tokio::spawn(async move {
                let _turn = turn;
                held.keep(new).await
            });
            let done = work.await.unwrap_or_else(|error| Err(JournalError(error.to_string())));
            done.map_err(KernelError::Journal)?;
        }
        Ok(())
    }
}

impl Held {
    async fn keep(&self, new: Vec<Journaled>) -> Result<(), JournalError> {
        let last = new.last().map_or(0, |record| record.seq);
        let done = self.journal.keep(new).await;
        let reached = if done.is_ok() { &self.kept } else { &self.owed };
        reached.fetch_max(last, Ordering::AcqRel);
        done
    }
}

/// The records behind `seq`, each verified: what was changed by hand is not carried over.
async fn verified(db: &Db, key: &MacKey, seq: i64) -> Result<Vec<Journaled>, DbError> {
    let sql =
        format!("SELECT {COLUMNS} FROM audit a WHERE a.log_id = $1 AND a.seq > $2 ORDER BY a.seq LIMIT $3");
    let rows = db.read().await?.rows(sql, vec![LOG.into(), seq.into(), LIMIT.into()]).await?;
    let journaled = rows.iter().map(|row| {
        let (record, _) = audit::open(key, row)?;
        Ok(Journaled { seq: record.seq, tenant: record.tenant, bytes: row.get(1)? })
    });
    journaled.collect()
}
