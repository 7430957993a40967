//! The keys of days, what streams hold, and what was asked of the tenant's keys.

use garrison_base::{Day, KeyChangeId};
use garrison_kernel::{
    Act, KernelError, Permit, ReadTx, Row, Scoped, Tenanted, Value, WriteTx, scoped, tenanted,
};
use garrison_secrets::Class;

use crate::acts::{ClassifyStream, RewrapKeys, Rewrapped, SettleKeys};
use crate::keys::{Classified, DataKey};
use crate::model::Name;
use crate::renewal::{BEYOND, KeyChange, NewChange};

/// Adds a key. It takes the place of one that can never be read again. One that a version wraps which is on its way out is
/// refused: nothing would wrap it anew, and it would be gone with its version.
pub(crate) async fn add_key<A: Act>(
    tx: &mut WriteTx<'_>,
    permit: &Permit<A>,
    key: &DataKey,
) -> Result<(), KernelError> {
    const LEAST: Tenanted =
        tenanted!("SELECT MAX(version) FROM logs_key_change WHERE tenant = {tenant} AND class = $2");
    const ADD: Tenanted = tenanted!(
        "INSERT INTO logs_key (tenant, node_id, stream, day, version, wrapped, class)
         VALUES ({tenant}, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant, stream, day) DO UPDATE SET version = excluded.version, wrapped = excluded.wrapped,
             class = excluded.class"
    );
    let row = tx.row(LEAST, vec![key.class.name().into()]).await?;
    let least = row.map(|row| row.get::<Option<i64>>(0)).transpose()?.flatten();
    if least.is_some_and(|least| i64::from(key.version) < least) {
        let words = format!("version {} of the tenant's key wraps nothing new any more", key.version);
        return Err(KernelError::Invalid(words));
    }
    let args = vec![
        Value::text(permit.node()),
        key.stream.as_str().into(),
        key.day.into(),
        i64::from(key.version).into(),
        key.wrapped.as_str().into(),
        key.class.name().into(),
    ];
    tx.run(ADD, args).await.map(|_| ())
}

/// Refuses a sealed file whose key is not listed: it was destroyed, or went with the last file of its day.
pub(crate) async fn expect_key<A: Act>(
    tx: &mut WriteTx<'_>,
    _: &Permit<A>,
    (stream, day): (&str, i64),
) -> Result<(), KernelError> {
    const ONE: Tenanted =
        tenanted!("SELECT day FROM logs_key WHERE tenant = {tenant} AND stream = $2 AND day = $3");
    if tx.row(ONE, vec![stream.into(), day.into()]).await?.is_none() {
        let words = format!("the key of the stream `{stream}` and day {day} is not listed any more");
        return Err(KernelError::Invalid(words));
    }
    Ok(())
}

/// All wrapped keys of the reader's tenant.
pub(crate) async fn keys(tx: &mut ReadTx<'_>) -> Result<Vec<DataKey>, KernelError> {
    const ALL: Scoped =
        scoped!("SELECT k.stream, k.day, k.version, k.wrapped, k.class FROM logs_key k WHERE {scope:k}");
    let read = |row: &Row| {
        Ok(DataKey {
            stream: row.get::<Name>(0)?.into(),
            day: row.get(1)?,
            version: u32::try_from(row.get::<i64>(2)?).unwrap_or(0),
            wrapped: row.get(3)?,
            class: class(row, 4)?,
        })
    };
    tx.rows(ALL, Vec::new()).await?.iter().map(read).collect()
}

/// Removes the keys of a customer's days.
pub(crate) async fn remove_keys<A: Act>(
    tx: &mut WriteTx<'_>,
    _: &Permit<A>,
    stream: &Name,
    (from, to): (Day, Day),
) -> Result<(), KernelError> {
    const REMOVE: Tenanted = tenanted!(
        "DELETE FROM logs_key WHERE tenant = {tenant} AND stream = $2 AND day >= $3 AND day <= $4 AND class = 'customer'"
    );
    tx.run(REMOVE, vec![stream.as_str().into(), from.into(), to.into()]).await.map(|_| ())
}

/// Lists a key as it is wrapped now; tells whether it was listed as it was before.
pub(crate) async fn rewrap(
    tx: &mut WriteTx<'_>,
    _: &Permit<RewrapKeys>,
    Rewrapped { from, key }: &Rewrapped,
) -> Result<bool, KernelError> {
    const REWRAP: Tenanted = tenanted!(
        "UPDATE logs_key SET version = $3, wrapped = $4
         WHERE tenant = {tenant} AND stream = $5 AND day = $6 AND class = $7 AND version = $2"
    );
    let args = vec![
        i64::from(*from).into(),
        i64::from(key.version).into(),
        key.wrapped.as_str().into(),
        key.stream.as_str().into(),
        key.day.into(),
        key.class.name().into(),
    ];
    Ok(tx.run(REWRAP, args).await? == 1)
}

pub(crate) async fn classify(
    tx: &mut WriteTx<'_>,
    permit: &Permit<ClassifyStream>,
    new: &ClassifyStream,
    from: Day,
) -> Result<(), KernelError> {
    const SET: Tenanted = tenanted!(
        "INSERT INTO logs_stream (tenant, node_id, stream, class, from_day) VALUES ({tenant}, $2, $3, $4, $5)
         ON CONFLICT (tenant, stream) DO UPDATE SET class = excluded.class, from_day = excluded.from_day"
    );
    let args =
        vec![Value::text(permit.node()), new.stream.as_str().into(), new.class.name().into(), from.into()];
    tx.run(SET, args).await.map(|_| ())
}

/// What the streams of the reader's tenant hold, where somebody said so.
pub(crate) async fn classes(tx: &mut ReadTx<'_>) -> Result<Vec<Classified>, KernelError> {
    const ALL: Scoped = scoped!("SELECT c.stream, c.class, c.from_day FROM logs_stream c WHERE {scope:c}");
    let read = |row: &Row| {
        Ok(Classified { stream: row.get::<Name>(0)?.into(), class: class(row, 1)?, from: row.get(2)? })
    };
    tx.rows(ALL, Vec::new()).await?.iter().map(read).collect()
}

pub(crate) async fn add_change<A: Act>(
    tx: &mut WriteTx<'_>,
    permit: &Permit<A>,
    new: &NewChange<'_>,
) -> Result<KeyChangeId, KernelError> {
    const ADD: Tenanted = tenanted!(
        "INSERT INTO logs_key_change (change_id, tenant, node_id, class, stream, from_day, to_day, reason, asked_by,
             asked, days, files, events, bytes, state)
         VALUES ($2, {tenant}, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'open')"
    );
    let id = KeyChangeId::new(permit.now(), tx.entropy());
    let number = |number: u64| Value::from(i64::try_from(number).unwrap_or(i64::MAX));
    let args = vec![
        Value::text(id),
        Value::text(permit.node()),
        new.class.name().into(),
        Value::maybe(new.stream),
        new.from.map(Day::number).into(),
        new.to.map(Day::number).into(),
        Value::maybe(new.reason),
        Value::text(permit.actor().id),
        permit.now().into(),
        number(new.days),
        number(new.files),
        number(new.events),
        number(new.bytes),
    ];
    tx.run(ADD, args).await?;
    Ok(id)
}

/// Notes which version wraps the survivors; it is the same from then on.
pub(crate) async fn set_version(
    tx: &mut WriteTx<'_>,
    _: &Permit<RewrapKeys>,
    id: KeyChangeId,
    version: u32,
) -> Result<(), KernelError> {
    const SET: Tenanted = tenanted!(
        "UPDATE logs_key_change SET version = $3
         WHERE tenant = {tenant} AND change_id = $2 AND state = 'open' AND (version IS NULL OR version = $3)"
    );
    match tx.run(SET, vec![Value::text(id), i64::from(version).into()]).await? {
        1 => Ok(()),
        _ => Err(KernelError::Invalid(format!("{id} is done already, or by another version"))),
    }
}

/// Ends a change; tells whether it was open.
pub(crate) async fn settle(
    tx: &mut WriteTx<'_>,
    permit: &Permit<SettleKeys>,
    settled: &SettleKeys,
) -> Result<bool, KernelError> {
    const SETTLE: Tenanted = tenanted!(
        "UPDATE logs_key_change SET state = 'done', settled = $3, destroyed = $4
         WHERE tenant = {tenant} AND change_id = $2 AND state = 'open'"
    );
    let destroyed = serde_json::to_string(&settled.destroyed).map_err(KernelError::Stored)?;
    let args = vec![Value::text(settled.change), permit.now().into(), destroyed.into()];
    Ok(tx.run(SETTLE, args).await? == 1)
}

/// What waits for the keys to be renewed, in the order in which it was asked.
pub(crate) async fn open_changes(tx: &mut ReadTx<'_>) -> Result<Vec<KeyChange>, KernelError> {
    const OPEN: Scoped = scoped!(
        "SELECT c.change_id, c.class, c.stream, c.from_day, c.to_day, c.reason, c.asked_by, c.asked, c.days, c.files,
             c.events, c.bytes, c.state, c.version, c.settled, c.destroyed
         FROM logs_key_change c WHERE {scope:c} AND c.state = 'open' ORDER BY c.change_id"
    );
    tx.rows(OPEN, Vec::new()).await?.iter().map(change).collect()
}

/// Changes, the newest first; one alone where it is named.
pub(crate) async fn changes(
    tx: &mut ReadTx<'_>,
    only: Option<KeyChangeId>,
    before: Option<KeyChangeId>,
    limit: i64,
) -> Result<Vec<KeyChange>, KernelError> {
    const PAGE: Scoped = scoped!(
        "SELECT c.change_id, c.class, c.stream, c.from_day, c.to_day, c.reason, c.asked_by, c.asked, c.days, c.files,
             c.events, c.bytes, c.state, c.version, c.settled, c.destroyed
         FROM logs_key_change c
         WHERE {scope:c} AND ($2 IS NULL OR c.change_id < $2) AND ($3 IS NULL OR c.change_id = $3)
         ORDER BY c.change_id DESC LIMIT $4"
    );
    let args = vec![Value::maybe(before), Value::maybe(only), limit.into()];
    let mut changes: Vec<KeyChange> =
        tx.rows(PAGE, args).await?.iter().map(change).collect::<Result<_, _>>()?;
    if changes.iter().any(|change| !change.destroyed.is_empty()) {
        let (known, now) = (super::backups(tx).await?, tx.now());
        for change in &mut changes {
            change.backups = known.iter().filter_map(|known| known.reads(change, now)).collect();
        }
    }
    Ok(changes)
}

/// The version below which all of a customer's keys were destroyed.
pub(crate) async fn destroyed_below(tx: &mut ReadTx<'_>) -> Result<Option<u32>, KernelError> {
    const MOST: Scoped = scoped!(
        "SELECT MAX(c.version) FROM logs_key_change c
         WHERE {scope:c} AND c.class = 'customer' AND c.to_day IS NOT NULL AND c.state = 'done'"
    );
    let row = tx.row(MOST, Vec::new()).await?;
    let most = row.map(|row| row.get::<Option<i64>>(0)).transpose()?.flatten();
    Ok(most.and_then(|most| u32::try_from(most).ok()))
}

fn change(row: &Row) -> Result<KeyChange, KernelError> {
    let destroyed: Option<String> = row.get(15)?;
    let destroyed = destroyed.map(|text| serde_json::from_str(&text)).transpose();
    let destruction = row.get::<Option<Day>>(4)?.is_some();
    Ok(KeyChange {
        id: row.get(0)?,
        kind: if destruction { "destruction" } else { "rotation" }.to_owned(),
        class: class(row, 1)?,
        stream: row.get(2)?,
        from_day: row.get(3)?,
        to_day: row.get(4)?,
        reason: row.get(5)?,
        asked_by: row.get(6)?,
        asked: row.get(7)?,
        days: row.get(8)?,
        files: row.get(9)?,
        events: row.get(10)?,
        bytes: row.get(11)?,
        state: row.get(12)?,
        version: row.get::<Option<i64>>(13)?.and_then(|version| u32::try_from(version).ok()),
        settled: row.get(14)?,
        destroyed: destroyed.map_err(KernelError::Stored)?.unwrap_or_default(),
        backups: Vec::new(),
        beyond: destruction.then(|| BEYOND.to_owned()),
    })
}

fn class(row: &Row, place: usize) -> Result<Class, KernelError> {
    let name: String = row.get(place)?;
    let unknown = || KernelError::Invalid(format!("the class `{name}` of a key, which was written by hand"));
    Class::named(&name).ok_or_else(unknown)
}
