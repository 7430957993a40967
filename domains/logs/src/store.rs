//! All SQL of the logs.

mod backup;
mod coverage;
mod renewal;
mod retention;

pub(crate) use backup::{add_backup, backups, forget_backup};
pub(crate) use coverage::{add_outage, add_refusal, add_switch, cover, known, long_outages, shorten_outages};
pub(crate) use renewal::{
    add_change, add_key, changes, classes, classify, destroyed_below, expect_key, keys, open_changes,
    remove_keys, rewrap, set_version, settle,
};
pub(crate) use retention::{
    add_hold, end_hold, forget_gone, gone, hold, holds, kept_for, known_stream, open_holds,
    remove_unused_key, retentions, set_retention,
};

use garrison_base::{NodeId, SearchId, SourceId, TenantId};
use garrison_kernel::{
    Act, KernelError, Permit, ReadTx, Row, Scoped, Tenanted, Value, WriteTx, scoped, tenanted,
};
use garrison_lake::FileEntry;

use crate::acts::{ChangeSource, Counted, CreateSource, KeptFile, SaveSearch};
use crate::batch::Origin;
use crate::intake::Target;
use crate::model::{Heard, Name, STREAM, SavedSearch, Source};

pub(crate) async fn add_source(
    tx: &mut WriteTx<'_>,
    permit: &Permit<CreateSource>,
    id: SourceId,
    new: &CreateSource,
) -> Result<(), KernelError> {
    const ADD: Tenanted = tenanted!(
        "INSERT INTO logs_source (source_id, tenant, node_id, name, stream, purpose, rate, silence, state, created, events,
             bytes)
         VALUES ($2, {tenant}, $3, $4, $5, $6, $7, $8, 'active', $9, 0, 0)"
    );
    let args = vec![
        Value::text(id),
        Value::text(new.node),
        new.name.as_str().into(),
        new.stream.as_ref().map_or(STREAM, Name::as_str).into(),
        new.purpose.as_str().into(),
        new.rate_limit.into(),
        new.silence_minutes.into(),
        permit.now().into(),
    ];
    tx.run(ADD, args).await.map(|_| ())
}

pub(crate) async fn change_source(
    tx: &mut WriteTx<'_>,
    _: &Permit<ChangeSource>,
    change: &ChangeSource,
) -> Result<(), KernelError> {
    // 0 takes a limit away, nothing leaves it.
    const CHANGE: Tenanted = tenanted!(
        "UPDATE logs_source SET purpose = COALESCE($3, purpose), rate = NULLIF(COALESCE($4, rate), 0),
             silence = NULLIF(COALESCE($5, silence), 0)
         WHERE tenant = {tenant} AND source_id = $2"
    );
    let purpose = Value::maybe(change.purpose.as_ref());
    let args =
        vec![Value::text(change.source), purpose, change.rate_limit.into(), change.silence_minutes.into()];
    tx.run(CHANGE, args).await.map(|_| ())
}

pub(crate) async fn switch_source<A: Act>(
    tx: &mut WriteTx<'_>,
    _: &Permit<A>,
    id: SourceId,
    state: &str,
) -> Result<(), KernelError> {
    const SWITCH: Tenanted =
        tenanted!("UPDATE logs_source SET state = $3 WHERE tenant = {tenant} AND source_id = $2");
    tx.run(SWITCH, vec![Value::text(id), state.into()]).await.map(|_| ())
}

fn read_source(tx: &ReadTx<'_>, row: &Row) -> Result<Source, KernelError> {
    let node: NodeId = row.get(2)?;
    Ok(Source {
        id: row.get(0)?,
        name: row.get(1)?,
        node,
        path: tx.path(node),
        stream: row.get(3)?,
        purpose: row.get(4)?,
        rate_limit: row.get(5)?,
        silence_minutes: row.get(6)?,
        state: row.get(7)?,
        events: row.get(8)?,
        bytes: row.get(9)?,
        last_seen: row.get(10)?,
        rate: 0.0,
        lag_ms: None,
        refused: 0,
        now: Heard::default(),
    })
}

pub(crate) async fn source(tx: &mut ReadTx<'_>, id: SourceId) -> Result<Source, KernelError> {
    const ONE: Scoped = scoped!(
        "SELECT s.source_id, s.name, s.node_id, s.stream, s.purpose, s.rate, s.silence, s.state, s.events, s.bytes,
             s.last_seen
         FROM logs_source s WHERE {scope:s} AND s.source_id = $2"
    );
    let row = tx.row(ONE, vec![Value::text(id)]).await?.ok_or(KernelError::NotFound)?;
    read_source(tx, &row)
}

pub(crate) async fn sources(
    tx: &mut ReadTx<'_>,
    after: &str,
    limit: i64,
) -> Result<Vec<Source>, KernelError> {
    const PAGE: Scoped = scoped!(
        "SELECT s.source_id, s.name, s.node_id, s.stream, s.purpose, s.rate, s.silence, s.state, s.events, s.bytes,
             s.last_seen
         FROM logs_source s WHERE {scope:s} AND s.name > $2 ORDER BY s.name LIMIT $3"
    );
    let rows = tx.rows(PAGE, vec![after.into(), limit.into()]).await?;
    rows.iter().map(|row| read_source(tx, row)).collect()
}

/// The active source of this name, where the asker may send to it.
pub(crate) async fn target(tx: &mut ReadTx<'_>, name: &str) -> Result<Option<Target>, KernelError> {
    const ONE: Scoped = scoped!(
        "SELECT s.source_id, s.node_id, s.name, s.stream, s.rate FROM logs_source s
         WHERE {scope:s} AND s.name = $2 AND s.state = 'active'"
    );
    let Some(row) = tx.row(ONE, vec![name.into()]).await? else { return Ok(None) };
    let origin = Origin {
        source: row.get::<SourceId>(0)?.to_bytes(),
        node: row.get::<NodeId>(1)?.to_bytes(),
        name: row.get(2)?,
        stream: row.get(3)?,
    };
    let rate = row.get::<Option<i64>>(4)?.and_then(|rate| u32::try_from(rate).ok());
    Ok(Some(Target { tenant: tx.tenant(), origin, rate }))
}

/// Whether there is a source of this name, active or not.
pub(crate) async fn knows(tx: &mut ReadTx<'_>, name: &str) -> Result<bool, KernelError> {
    const ONE: Scoped = scoped!("SELECT s.source_id FROM logs_source s WHERE {scope:s} AND s.name = $2");
    Ok(tx.row(ONE, vec![name.into()]).await?.is_some())
}

pub(crate) async fn add_file<A: Act>(
    tx: &mut WriteTx<'_>,
    permit: &Permit<A>,
    file: &KeptFile,
) -> Result<(), KernelError> {
    const ADD: Tenanted = tenanted!(
        "INSERT INTO logs_file (file, tenant, node_id, stream, hour, sorted, events, bytes, first_at, last_at, nodes, digest,
             sealed)
         VALUES ($2, {tenant}, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
    );
    let number = |number: u64| Value::from(i64::try_from(number).unwrap_or(i64::MAX));
    let nodes: Vec<String> = file.nodes.iter().map(NodeId::to_string).collect();
    let args = vec![
        file.file.as_str().into(),
        Value::text(permit.node()),
        file.stream.as_str().into(),
        file.hour.into(),
        i64::from(file.sorted).into(),
        number(file.events),
        number(file.bytes),
        file.first.into(),
        file.last.into(),
        nodes.join(" ").into(),
        file.digest.as_str().into(),
        i64::from(file.sealed).into(),
    ];
    tx.run(ADD, args).await.map(|_| ())
}

/// Takes a file off the list; answers how many events it had.
pub(crate) async fn remove_file<A: Act>(
    tx: &mut WriteTx<'_>,
    permit: &Permit<A>,
    file: &str,
) -> Result<u64, KernelError> {
    const ONE: Tenanted = tenanted!("SELECT events FROM logs_file WHERE tenant = {tenant} AND file = $2");
    const REMOVE: Tenanted = tenanted!("DELETE FROM logs_file WHERE tenant = {tenant} AND file = $2");
    let row = tx
        .row(ONE, vec![file.into()])
        .await?
        .ok_or_else(|| KernelError::Invalid(format!("the file {file} is not on the list")))?;
    retention::add_gone(tx, permit, file).await?;
    tx.run(REMOVE, vec![file.into()]).await?;
    Ok(u64::try_from(row.get::<i64>(0)?).unwrap_or(0))
}

/// All files of the reader's tenant. One that does not fit was changed by hand.
pub(crate) async fn files(tx: &mut ReadTx<'_>) -> Result<Vec<FileEntry>, KernelError> {
    const ALL: Scoped = scoped!(
        "SELECT f.file, f.stream, f.hour, f.sorted, f.events, f.bytes, f.first_at, f.last_at, f.nodes, f.digest, f.sealed
         FROM logs_file f WHERE {scope:f} ORDER BY f.hour, f.file"
    );
    let tenant = tx.tenant();
    tx.rows(ALL, Vec::new()).await?.iter().map(|row| file(row, tenant)).collect()
}

fn file(row: &Row, tenant: TenantId) -> Result<FileEntry, KernelError> {
    let number = |place| row.get::<i64>(place).map(|number| u64::try_from(number).unwrap_or(0));
    let nodes: String = row.get(8)?;
    let kept = KeptFile {
        file: row.get(0)?,
        stream: row.get::<Name>(1)?.into(),
        hour: row.get(2)?,
        sorted: row.get::<i64>(3)? != 0,
        sealed: row.get::<i64>(10)? != 0,
        events: number(4)?,
        bytes: number(5)?,
        first: row.get(6)?,
        last: row.get(7)?,
        nodes: nodes.split(' ').filter_map(|node| node.parse().ok()).collect(),
        digest: row.get(9)?,
    };
    kept.entry(tenant)
        .ok_or_else(|| KernelError::Invalid(format!("the row of the file {} of the logs", kept.file)))
}

pub(crate) async fn count<A: Act>(
    tx: &mut WriteTx<'_>,
    _: &Permit<A>,
    counted: &Counted,
) -> Result<(), KernelError> {
    const COUNT: Tenanted = tenanted!(
        "UPDATE logs_source SET events = events + $3, bytes = bytes + $4, last_seen = $5, skew = COALESCE($6, skew)
         WHERE tenant = {tenant} AND source_id = $2"
    );
    let number = |number: u64| Value::from(i64::try_from(number).unwrap_or(i64::MAX));
    let args = vec![
        Value::text(counted.source),
        number(counted.events),
        number(counted.bytes),
        counted.last_seen.into(),
        counted.skew.into(),
    ];
    tx.run(COUNT, args).await.map(|_| ())
}

/// Notes up to where a tenant's events are in files; it never goes back.
pub(crate) async fn move_position<A: Act>(
    tx: &mut WriteTx<'_>,
    _: &Permit<A>,
    seq: u64,
) -> Result<(), KernelError> {
    const MOVE: Tenanted = tenanted!(
        "INSERT INTO logs_position (tenant, seq) VALUES ({tenant}, $2)
         ON CONFLICT (tenant) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > logs_position.seq"
    );
    tx.run(MOVE, vec![i64::try_from(seq).unwrap_or(i64::MAX).into()]).await.map(|_| ())
}

pub(crate) async fn position(tx: &mut ReadTx<'_>) -> Result<u64, KernelError> {
    const ONE: Scoped =
        scoped!("SELECT p.seq FROM (SELECT tenant, seq, '' AS node_id FROM logs_position) p WHERE {scope:p}");
    let row = tx.row(ONE, Vec::new()).await?;
    Ok(row.map(|row| row.get::<i64>(0)).transpose()?.and_then(|seq| u64::try_from(seq).ok()).unwrap_or(0))
}

/// By how many seconds the clock of each source was ahead when it last said something.
pub(crate) async fn skews(tx: &mut ReadTx<'_>) -> Result<Vec<(String, f64)>, KernelError> {
    const ALL: Scoped = scoped!(
        "SELECT s.name, s.skew FROM logs_source s WHERE {scope:s} AND s.skew IS NOT NULL ORDER BY s.name"
    );
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a clock that is off")]
    let read = |row: &Row| Ok((row.get(0)?, row.get::<i64>(1)? as f64 / 1_000.0));
    tx.rows(ALL, Vec::new()).await?.iter().map(read).collect()
}

pub(crate) async fn add_search(
    tx: &mut WriteTx<'_>,
    permit: &Permit<SaveSearch>,
    id: SearchId,
    new: &SaveSearch,
) -> Result<(), KernelError> {
    const ADD: Tenanted = tenanted!(
        "INSERT INTO logs_search (search_id, tenant, node_id, name, query, owner, created)
         VALUES ($2, {tenant}, $3, $4, $5, $6, $7)"
    );
    let args = vec![
        Value::text(id),
        Value::text(permit.node()),
        new.name.as_str().into(),
        new.query.as_str().into(),
        Value::text(permit.actor().id),
        permit.now().into(),
    ];
    tx.run(ADD, args).await.map(|_| ())
}

pub(crate) async fn remove_search<A: Act>(
    tx: &mut WriteTx<'_>,
    _: &Permit<A>,
    id: SearchId,
) -> Result<bool, KernelError> {
    const REMOVE: Tenanted = tenanted!("DELETE FROM logs_search WHERE tenant = {tenant} AND search_id = $2");
    Ok(tx.run(REMOVE, vec![Value::text(id)]).await? > 0)
}

pub(crate) async fn searches(
    tx: &mut ReadTx<'_>,
    after: &str,
    limit: i64,
) -> Result<Vec<SavedSearch>, KernelError> {
    const PAGE: Scoped = scoped!(
        "SELECT s.search_id, s.name, s.query, s.owner, s.created FROM logs_search s
         WHERE {scope:s} AND s.name > $2 ORDER BY s.name LIMIT $3"
    );
    let read = |row: &Row| {
        Ok(SavedSearch {
            id: row.get(0)?,
            name: row.get(1)?,
            query: row.get(2)?,
            owner: row.get(3)?,
            created: row.get(4)?,
        })
    };
    tx.rows(PAGE, vec![after.into(), limit.into()]).await?.iter().map(read).collect()
}
