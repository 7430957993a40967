//! What happens by itself: timers that are due, facts that others follow. Each effect is an act of a system
//! actor, and the place of a follower is committed with it.

use std::sync::Arc;

use garrison_base::{TenantId, Timestamp};
use jiff::SignedDuration;

use crate::act::ErasedAct;
use crate::db::{DbError, Row, Tx};
use crate::kernel::Inner;
use crate::module::{StoredFact, Subscription};
use crate::perform::{Settle, run};
use crate::{Actor, Kernel, KernelError, Origin, System};

/// How many timers or facts are looked at in one go.
const BATCH: i64 = 100;
/// How long a timer belongs to whoever fires it.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How long an idempotency key is remembered.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// Notes how far a follower has followed.
pub(crate) async fn place(tx: &mut Tx<'_>, name: &str, seq: i64) -> Result<(), DbError> {
    let sql = "INSERT INTO consumer (name, seq) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq";
    tx.run(sql, vec![name.into(), seq.into()]).await.map(|_| ())
}

/// How far a follower has followed.
pub(crate) async fn place_of(tx: &mut Tx<'_>, name: &str) -> Result<Option<i64>, DbError> {
    let row = tx.row("SELECT seq FROM consumer WHERE name = $1", vec![name.into()]).await?;
    row.map(|row| row.get(0)).transpose()
}

impl Kernel {
    /// Does everything that is due now, once. Returns how many acts it performed.
    pub async fn work(&self) -> Result<usize, KernelError> {
        // One that fails does not hold up the others.
        let mut done = self.fire_timers().await;
        for subscription in &self.0.subscriptions {
            let followed = follow(&self.0, subscription).await;
            done = done.and_then(|done| Ok(done + followed?));
        }
        done
    }

    /// Throws away what is no longer needed: old idempotency keys, secrets nobody came for, facts that everybody
    /// has followed.
    pub async fn tidy(&self) -> Result<(), KernelError> {
        let now = self.0.clock.now();
        let old = now.saturating_sub(REMEMBERED).unwrap_or(now);
        let (mut tx, _turn) = self.0.db.write().await?;
        tx.run("DELETE FROM idempotency WHERE created < $1", vec![old.into()]).await?;
        tx.run("DELETE FROM deposit WHERE expires < $1", vec![now.into()]).await?;
        let everybody = "DELETE FROM outbox WHERE seq <= (SELECT MIN(seq) FROM consumer)";
        tx.run(everybody, Vec::new()).await?;
        Ok(tx.commit().await?)
    }

    /// Waits until an act was performed here.
    pub async fn wait_for_acts(&self) {
        self.0.wake.notified().await;
    }

    async fn fire_timers(&self) -> Result<usize, KernelError> {
        let inner = &self.0;
        let now = inner.clock.now();
        let mut done = 0;
        for due in lease(inner, now).await? {
            let timer = inner.timers.iter().find(|timer| timer.kind == due.kind);
            let Some(act) = timer.and_then(|timer| (timer.fire)(&due.object)) else {
                tracing::warn!(kind = %due.kind, object = %due.object, "nobody knows this timer");
                continue;
            };
            let actor = Actor::system(System::TIMER, due.tenant, Origin::system(due.id.clone()));
            let act: Arc<dyn ErasedAct> = Arc::from(act.0);
            // A refusal is recorded and settled; only a database that fails leaves the timer for later.
            if let Err(problem) = run(inner, &actor, &act, Settle::Due(due.id.clone())).await {
                tracing::warn!(timer = %due.id, why = %problem, "a timer's act did not succeed");
            }
            done += 1;
        }
        Ok(done)
    }
}

struct Due {
    id: String,
    tenant: TenantId,
    kind: String,
    object: String,
}

/// Takes the timers that are due, so that no other process fires them meanwhile.
async fn lease(inner: &Inner, now: Timestamp) -> Result<Vec<Due>, KernelError> {
    let sql = "SELECT due_id, tenant, kind, object FROM due
               WHERE due_at <= $1 AND leased_until <= $1 ORDER BY due_at LIMIT $2";
    let args = vec![now.into(), BATCH.into()];
    if inner.db.read().await?.row(sql, args.clone()).await?.is_none() {
        return Ok(Vec::new());
    }
    let (mut tx, _turn) = inner.db.write().await?;
    let until = now.saturating_add(LEASE).unwrap_or(now);
    let mut found = Vec::new();
    for row in tx.rows(sql, args).await? {
        let Some(due) = readable("due", due(&row)) else { continue };
        let sql = "UPDATE due SET leased_until = $2, attempts = attempts + 1 WHERE due_id = $1";
        tx.run(sql, vec![due.id.as_str().into(), until.into()]).await?;
        found.push(due);
    }
    tx.commit().await?;
    Ok(found)
}

/// Follows what was told since the last time.
async fn follow(inner: &Arc<Inner>, subscription: &Subscription) -> Result<usize, KernelError> {
    let mut tx = inner.db.read().await?;
    let place = place_of(&mut tx, subscription.name).await?;
    let sql =
        "SELECT seq, fact_id, tenant, kind, version, body FROM outbox WHERE seq > $1 ORDER BY seq LIMIT $2";
    let rows = tx.rows(sql, vec![place.unwrap_or(0).into(), BATCH.into()]).await?;
    drop(tx);
    let last = rows.last().map(|row| row.get::<i64>(0)).transpose()?;
    let facts: Vec<_> = rows.iter().filter_map(|row| readable("outbox", fact(row))).collect();
    let Some(last) = last else {
        return if place.is_none() { advance(inner, subscription.name, 0).await.map(|()| 0) } else { Ok(0) };
    };
    let mut done = 0;
    for fact in facts.iter().filter(|fact| fact.kind == subscription.kind) {
        let acts = (subscription.follow)(fact);
        let count = acts.len();
        for (number, act) in acts.into_iter().enumerate() {
            let actor = Actor::system(System::FOLLOWER, fact.tenant, Origin::system(fact.id.clone()));
            let (name, last) = (subscription.name, number + 1 == count);
            let settle = Settle::Follower { name, seq: fact.seq, last };
            let act: Arc<dyn ErasedAct> = Arc::from(act.0);
            match run(inner, &actor, &act, settle).await {
                // What failed for a reason of ours is tried again; a refusal is an answer.
                Err(problem) if problem.kind().status >= 500 => {
                    tracing::error!(fact = %fact.id, why = %problem, "a follower waits");
                    return Ok(done);
                }
                Err(problem) => {
                    tracing::warn!(fact = %fact.id, why = %problem, "a follower's act did not succeed");
                }
                Ok(_) => {}
            }
            done += 1;
        }
    }
    advance(inner, subscription.name, last).await?;
    Ok(done)
}

async fn advance(inner: &Inner, name: &'static str, seq: i64) -> Result<(), KernelError> {
    let (mut tx, _turn) = inner.db.write().await?;
    place(&mut tx, name, seq).await?;
    Ok(tx.commit().await?)
}

fn due(row: &Row) -> Result<Due, DbError> {
    Ok(Due { id: row.get(0)?, tenant: row.get(1)?, kind: row.get(2)?, object: row.get(3)? })
}

/// A row that no act wrote must not hold up those behind it.
fn readable<T>(table: &str, row: Result<T, DbError>) -> Option<T> {
    row.inspect_err(|error| tracing::error!(table, %error, "a row was changed by hand, and is left out")).ok()
}

fn fact(row: &Row) -> Result<StoredFact, DbError> {
    Ok(StoredFact {
        seq: row.get(0)?,
        id: row.get(1)?,
        tenant: row.get(2)?,
        kind: row.get(3)?,
        version: row.get(4)?,
        body: row.get(5)?,
    })
}
