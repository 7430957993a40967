//! All SQL of notices.

use garrison_base::{DeliveryId, Timestamp};
use garrison_kernel::{KernelError, ReadTx, Row, Scoped, Tenanted, Value, WriteTx, scoped, tenanted};

use crate::model::{BATCH, Channel, Delivery, DeliveryState, Notice, Target};
use crate::reads::ListDeliveries;

/// A delivery whose time has come.
pub(crate) struct Due {
    pub(crate) id: DeliveryId,
    pub(crate) channel: Channel,
    pub(crate) target: String,
    pub(crate) body: String,
}

/// What a delivery becomes by an attempt.
pub(crate) struct Settled {
    pub(crate) state: DeliveryState,
    pub(crate) next: Timestamp,
    pub(crate) error: Option<String>,
    pub(crate) sent: Option<Timestamp>,
}

pub(crate) async fn add(
    tx: &mut WriteTx<'_>,
    (id, now): (DeliveryId, Timestamp),
    target: &Target,
    notice: &Notice,
) -> Result<(), KernelError> {
    const ADD: Tenanted = tenanted!(
        "INSERT INTO notices_delivery (delivery_id, tenant, node_id, alert_id, channel, target, level, state,
             attempts, next_at, created, body)
         VALUES ($2, {tenant}, $3, $4, $5, $6, $7, 'waiting', 0, $8, $8, $9)"
    );
    let args = vec![
        Value::text(id),
        Value::text(notice.data.node),
        Value::text(notice.data.alert),
        Value::text(target.channel),
        target.name.as_str().into(),
        notice.data.level.number().into(),
        now.into(),
        serde_json::to_string(notice).map_err(KernelError::Stored)?.into(),
    ];
    tx.run(ADD, args).await.map(|_| ())
}

/// How often a delivery that waits was tried; nothing where it does not wait.
pub(crate) async fn attempts(tx: &mut WriteTx<'_>, id: DeliveryId) -> Result<Option<i64>, KernelError> {
    const ONE: Tenanted = tenanted!(
        "SELECT attempts FROM notices_delivery WHERE tenant = {tenant} AND delivery_id = $2 AND state = 'waiting'"
    );
    let row = tx.row(ONE, vec![Value::text(id)]).await?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

/// Counts an attempt, and what came of it.
pub(crate) async fn settle(
    tx: &mut WriteTx<'_>,
    id: DeliveryId,
    settled: &Settled,
) -> Result<(), KernelError> {
    const SET: Tenanted = tenanted!(
        "UPDATE notices_delivery SET state = $3, attempts = attempts + 1, next_at = $4, last_error = $5, sent_at = $6
         WHERE tenant = {tenant} AND delivery_id = $2"
    );
    let args = vec![
        Value::text(id),
        Value::text(settled.state),
        settled.next.into(),
        Value::maybe(settled.error.as_ref()),
        settled.sent.into(),
    ];
    tx.run(SET, args).await.map(|_| ())
}

/// The first target behind this one, in the order of channels and names, that something waits for. From target to target
/// the index is jumped over: how much waits does not count.
pub(crate) async fn next_target(
    tx: &mut ReadTx<'_>,
    after: Option<&(Channel, String)>,
) -> Result<Option<(Channel, String)>, KernelError> {
    const NEXT: Scoped = scoped!(
        "SELECT d.channel, d.target FROM notices_delivery d
         WHERE {scope:d} AND d.state = 'waiting' AND (d.channel, d.target) > ($2, $3)
         ORDER BY d.channel, d.target LIMIT 1"
    );
    // Nothing sorts before the empty text, and no name is empty.
    let after = after.map(|(channel, target)| (channel.to_string(), target.clone()));
    let (channel, target) = after.unwrap_or_default();
    let row = tx.row(NEXT, vec![channel.into(), target.into()]).await?;
    row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

/// What is due for a target, the longest waiting first.
pub(crate) async fn due(
    tx: &mut ReadTx<'_>,
    (channel, target): &(Channel, String),
) -> Result<Vec<Due>, KernelError> {
    const PAGE: Scoped = scoped!(
        "SELECT d.delivery_id, d.body FROM notices_delivery d
         WHERE {scope:d} AND d.state = 'waiting' AND d.channel = $2 AND d.target = $3 AND d.next_at <= $4
         ORDER BY d.next_at, d.delivery_id LIMIT $5"
    );
    let due =
        |row: &Row| Ok(Due { id: row.get(0)?, channel: *channel, target: target.clone(), body: row.get(1)? });
    let args = vec![Value::text(channel), target.as_str().into(), tx.now().into(), BATCH.into()];
    tx.rows(PAGE, args).await?.iter().map(due).collect()
}

fn read_delivery(row: &Row) -> Result<Delivery, KernelError> {
    let state = row.get(6)?;
    let next: Timestamp = row.get(8)?;
    Ok(Delivery {
        id: row.get(0)?,
        node: row.get(1)?,
        alert: row.get(2)?,
        channel: row.get(3)?,
        target: row.get(4)?,
        level: row.get(5)?,
        state,
        attempts: row.get(7)?,
        next: (state == DeliveryState::Waiting).then_some(next),
        last_error: row.get(9)?,
        created: row.get(10)?,
        sent: row.get(11)?,
    })
}

/// Deliveries that a question asks for, the newest first, before `before`.
pub(crate) async fn deliveries(
    tx: &mut ReadTx<'_>,
    asked: &ListDeliveries,
    before: Option<DeliveryId>,
    limit: i64,
) -> Result<Vec<Delivery>, KernelError> {
    const PAGE: Scoped = scoped!(
        "SELECT d.delivery_id, d.node_id, d.alert_id, d.channel, d.target, d.level, d.state, d.attempts, d.next_at,
             d.last_error, d.created, d.sent_at
         FROM notices_delivery d
         WHERE {scope:d} AND ($2 IS NULL OR d.delivery_id < $2) AND ($3 IS NULL OR d.state = $3)
           AND ($4 IS NULL OR d.target = $4) AND ($5 IS NULL OR d.alert_id = $5)
         ORDER BY d.delivery_id DESC LIMIT $6"
    );
    let args = vec![
        Value::maybe(before),
        Value::maybe(asked.state),
        Value::maybe(asked.target.as_ref()),
        Value::maybe(asked.alert),
        limit.into(),
    ];
    tx.rows(PAGE, args).await?.iter().map(read_delivery).collect()
}
