use garrison_base::{NodeId, Timestamp};
use garrison_kernel::{KernelError, ReadTx, Scoped, Tenanted, Value, WriteTx, scoped, tenanted};

use crate::model::{Backoff, FORGOTTEN};

/// Until when nothing is accepted for these keys, if there is such a time.
pub(crate) async fn locked_until(
    tx: &mut ReadTx<'_>,
    keys: &[&str],
) -> Result<Option<Timestamp>, KernelError> {
    const ONE: Scoped = scoped!(
        "SELECT l.locked_until FROM access_lock l WHERE {scope:l} AND l.lock_key = $2 AND l.locked_until > $3"
    );
    let mut latest = None;
    let now = tx.now();
    for key in keys {
        if let Some(row) = tx.row(ONE, vec![(*key).into(), now.into()]).await? {
            // Longer than anything waits: the clock was ahead when it was written.
            let until =
                Some(row.get::<Timestamp>(0)?).filter(|until| until.duration_since(now) <= Backoff::LONGEST);
            latest = latest.max(until);
        }
    }
    Ok(latest)
}

/// Counts a failure; returns until when the key must wait now.
pub(crate) async fn count_failure(
    tx: &mut WriteTx<'_>,
    (node, now): (NodeId, Timestamp),
    key: &str,
    backoff: Backoff,
) -> Result<Option<Timestamp>, KernelError> {
    const BEFORE: Tenanted =
        tenanted!("SELECT failures, last_failure FROM access_lock WHERE tenant = {tenant} AND lock_key = $2");
    const PUT: Tenanted = tenanted!(
        "INSERT INTO access_lock (lock_key, tenant, node_id, failures, locked_until, last_failure)
         VALUES ($2, {tenant}, $3, $4, $5, $6)
         ON CONFLICT (tenant, lock_key) DO UPDATE SET
             failures = excluded.failures, locked_until = excluded.locked_until, last_failure = excluded.last_failure"
    );
    let before = match tx.row(BEFORE, vec![key.into()]).await? {
        Some(row) if now.duration_since(row.get(1)?) < FORGOTTEN => row.get::<i64>(0)?,
        _ => 0,
    };
    let until = backoff.wait(before + 1).and_then(|wait| now.checked_add(wait).ok());
    let args = vec![
        key.into(),
        Value::text(node),
        (before + 1).into(),
        until.unwrap_or(Timestamp::UNIX_EPOCH).into(),
        now.into(),
    ];
    tx.run(PUT, args).await?;
    Ok(until)
}

/// Forgets the failures of a key.
pub(crate) async fn clear_failures(tx: &mut WriteTx<'_>, key: &str) -> Result<(), KernelError> {
    const CLEAR: Tenanted = tenanted!("DELETE FROM access_lock WHERE tenant = {tenant} AND lock_key = $2");
    tx.run(CLEAR, vec![key.into()]).await.map(|_| ())
}
