//! For how long logs are kept, what holds them, and what went.

use std::collections::HashMap;

use garrison_base::{Day, HoldId};
use garrison_kernel::{
    Act, KernelError, Permit, ReadTx, Row, Scoped, Tenanted, Value, WriteTx, scoped, tenanted,
};
use garrison_lake::{FileEntry, FileId};
use jiff::SignedDuration;

use crate::acts::{CreateHold, EndHold, ExpireLogs, SetRetention};
use crate::model::{Hold, Name, Retention};
use crate::retention::{LEAST, USUAL};

/// After so long a file that is off the list no longer lies on the disk: it is removed after minutes, or at a start.
const GONE: SignedDuration = SignedDuration::from_hours(24);

pub(crate) async fn set_retention(
    tx: &mut WriteTx<'_>,
    permit: &Permit<SetRetention>,
    new: &SetRetention,
) -> Result<(), KernelError> {
    const SET: Tenanted = tenanted!(
        "INSERT INTO logs_retention (tenant, node_id, stream, days, changed) VALUES ({tenant}, $2, $3, $4, $5)
         ON CONFLICT (tenant, stream) DO UPDATE SET days = excluded.days, changed = excluded.changed"
    );
    let args =
        vec![Value::text(permit.node()), new.stream.as_str().into(), new.days.into(), permit.now().into()];
    tx.run(SET, args).await.map(|_| ())
}

/// For how many days streams are kept, where something was set.
pub(crate) async fn kept_for(tx: &mut ReadTx<'_>) -> Result<HashMap<String, i64>, KernelError> {
    const ALL: Scoped = scoped!("SELECT r.stream, r.days FROM logs_retention r WHERE {scope:r}");
    let rows = tx.rows(ALL, Vec::new()).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// The streams of the sources and files that the reader may see, each with its time. What is set is set for the
/// tenant, so whoever sees a source sees it.
pub(crate) async fn retentions(
    tx: &mut ReadTx<'_>,
    after: &str,
    limit: i64,
) -> Result<Vec<Retention>, KernelError> {
    const PAGE: Scoped = scoped!(
        "SELECT DISTINCT s.stream, r.days, r.changed
         FROM (SELECT tenant, node_id, stream FROM logs_source UNION SELECT tenant, node_id, stream FROM logs_file) s
         LEFT JOIN logs_retention r ON r.tenant = s.tenant AND r.stream = s.stream
         WHERE {scope:s} AND s.stream > $2 ORDER BY s.stream LIMIT $3"
    );
    let read = |row: &Row| {
        let days: Option<i64> = row.get(1)?;
        Ok(Retention { stream: row.get(0)?, days: days.unwrap_or(USUAL).max(LEAST), since: row.get(2)? })
    };
    tx.rows(PAGE, vec![after.into(), limit.into()]).await?.iter().map(read).collect()
}

/// Refuses the name of a stream that no source and no file has: what was set for it would do nothing.
pub(crate) async fn known_stream(tx: &mut ReadTx<'_>, stream: &Name) -> Result<(), KernelError> {
    const ONE: Scoped = scoped!(
        "SELECT s.stream
         FROM (SELECT tenant, node_id, stream FROM logs_source UNION SELECT tenant, node_id, stream FROM logs_file) s
         WHERE {scope:s} AND s.stream = $2 LIMIT 1"
    );
    match tx.row(ONE, vec![stream.as_str().into()]).await? {
        Some(_) => Ok(()),
        None => Err(KernelError::Invalid(format!("there is no stream `{stream}`"))),
    }
}

pub(crate) async fn add_hold(
    tx: &mut WriteTx<'_>,
    permit: &Permit<CreateHold>,
    id: HoldId,
    new: &CreateHold,
) -> Result<(), KernelError> {
    const ADD: Tenanted = tenanted!(
        "INSERT INTO logs_hold (hold_id, tenant, node_id, stream, from_day, to_day, reason, creator, created)
         VALUES ($2, {tenant}, $3, $4, $5, $6, $7, $8, $9)"
    );
    let args = vec![
        Value::text(id),
        Value::text(permit.node()),
        Value::maybe(new.stream.as_ref()),
        new.from_day.map(Day::number).into(),
        new.to_day.map(Day::number).into(),
        new.reason.as_str().into(),
        Value::text(permit.actor().id),
        permit.now().into(),
    ];
    tx.run(ADD, args).await.map(|_| ())
}

pub(crate) async fn end_hold(
    tx: &mut WriteTx<'_>,
    permit: &Permit<EndHold>,
    end: &EndHold,
) -> Result<(), KernelError> {
    const END: Tenanted = tenanted!(
        "UPDATE logs_hold SET ended = $3, end_reason = $4 WHERE tenant = {tenant} AND hold_id = $2 AND ended IS NULL"
    );
    let args = vec![Value::text(end.hold), permit.now().into(), end.reason.as_str().into()];
    tx.run(END, args).await.map(|_| ())
}

pub(crate) async fn hold(tx: &mut ReadTx<'_>, id: HoldId) -> Result<Hold, KernelError> {
    const ONE: Scoped = scoped!(
        "SELECT h.hold_id, h.stream, h.from_day, h.to_day, h.reason, h.creator, h.created, h.ended, h.end_reason
         FROM logs_hold h WHERE {scope:h} AND h.hold_id = $2"
    );
    let row = tx.row(ONE, vec![Value::text(id)]).await?.ok_or(KernelError::NotFound)?;
    read_hold(&row)
}

/// All that have not ended.
pub(crate) async fn open_holds(tx: &mut ReadTx<'_>) -> Result<Vec<Hold>, KernelError> {
    const OPEN: Scoped = scoped!(
        "SELECT h.hold_id, h.stream, h.from_day, h.to_day, h.reason, h.creator, h.created, h.ended, h.end_reason
         FROM logs_hold h WHERE {scope:h} AND h.ended IS NULL ORDER BY h.hold_id"
    );
    tx.rows(OPEN, Vec::new()).await?.iter().map(read_hold).collect()
}

pub(crate) async fn holds(tx: &mut ReadTx<'_>, after: &str, limit: i64) -> Result<Vec<Hold>, KernelError> {
    const PAGE: Scoped = scoped!(
        "SELECT h.hold_id, h.stream, h.from_day, h.to_day, h.reason, h.creator, h.created, h.ended, h.end_reason
         FROM logs_hold h WHERE {scope:h} AND h.hold_id > $2 ORDER BY h.hold_id LIMIT $3"
    );
    tx.rows(PAGE, vec![after.into(), limit.into()]).await?.iter().map(read_hold).collect()
}

fn read_hold(row: &Row) -> Result<Hold, KernelError> {
    Ok(Hold {
        id: row.get(0)?,
        stream: row.get(1)?,
        from_day: row.get(2)?,
        to_day: row.get(3)?,
        reason: row.get(4)?,
        creator: row.get(5)?,
        created: row.get(6)?,
        ended: row.get(7)?,
        end_reason: row.get(8)?,
    })
}

/// Notes that a file goes off the list and is still on the disk.
pub(super) async fn add_gone<A: Act>(
    tx: &mut WriteTx<'_>,
    permit: &Permit<A>,
    file: &str,
) -> Result<(), KernelError> {
    const ADD: Tenanted = tenanted!(
        "INSERT INTO logs_gone (file, tenant, node_id, stream, hour, sorted, sealed, gone)
         SELECT file, tenant, node_id, stream, hour, sorted, sealed, $3 FROM logs_file
         WHERE tenant = {tenant} AND file = $2"
    );
    tx.run(ADD, vec![file.into(), permit.now().into()]).await.map(|_| ())
}

/// Forgets files that are off the disk by now.
pub(crate) async fn forget_gone<A: Act>(tx: &mut WriteTx<'_>, permit: &Permit<A>) -> Result<(), KernelError> {
    const FORGET: Tenanted = tenanted!("DELETE FROM logs_gone WHERE tenant = {tenant} AND gone < $2");
    let before = permit.now().saturating_sub(GONE).unwrap_or(permit.now());
    tx.run(FORGET, vec![before.into()]).await.map(|_| ())
}

/// The files that are off the list and may still lie on the disk. A row that does not fit was changed by hand: its file
/// stays.
pub(crate) async fn gone(tx: &mut ReadTx<'_>) -> Result<Vec<FileEntry>, KernelError> {
    const ALL: Scoped =
        scoped!("SELECT g.file, g.stream, g.hour, g.sorted, g.sealed FROM logs_gone g WHERE {scope:g}");
    let tenant = tx.tenant();
    let read = |row: &Row| {
        let file: String = row.get(0).ok()?;
        let named = file.len() == 32 && file.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(FileEntry {
            id: named.then_some(FileId(file))?,
            tenant,
            stream: row.get::<Name>(1).ok()?.into(),
            hour: row.get(2).ok()?,
            sorted: row.get::<i64>(3).ok()? != 0,
            sealed: row.get::<i64>(4).ok()? != 0,
            rows: 0,
            bytes: 0,
            first: 0,
            last: 0,
            nodes: Vec::new(),
            digest: [0; 32],
        })
    };
    Ok(tx.rows(ALL, Vec::new()).await?.iter().filter_map(read).collect())
}

/// Removes the key of a stream's day (in days since 1970) that has no file any more.
pub(crate) async fn remove_unused_key(
    tx: &mut WriteTx<'_>,
    _: &Permit<ExpireLogs>,
    (stream, day): (&str, i64),
) -> Result<(), KernelError> {
    const REMOVE: Tenanted = tenanted!(
        "DELETE FROM logs_key WHERE tenant = {tenant} AND stream = $2 AND day = $3 AND NOT EXISTS (
             SELECT 1 FROM logs_file f WHERE f.tenant = logs_key.tenant AND f.stream = logs_key.stream
             AND f.hour >= logs_key.day * 24 AND f.hour < logs_key.day * 24 + 24)"
    );
    tx.run(REMOVE, vec![stream.into(), day.into()]).await.map(|_| ())
}
