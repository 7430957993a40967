//! All SQL of detection.

use garrison_base::{AlertId, Line, NodeId, Timestamp};
use garrison_kernel::{
    ActorId, Holder, KernelError, ReadTx, Row, Scoped, Tenanted, Value, WriteTx, scoped, tenanted,
};

use crate::filter::Narrowed;
use crate::model::{
    Alert, AlertDetail, AlertEvent, AlertState, CloseReason, Grouped, WINDOW, first_and_last,
};
use crate::reads::{After, AlertOrder};

/// The columns of an alert in a list, as `read_alert` reads them.
macro_rules! columns {
    () => {
        "a.alert_id, a.node_id, a.rule, a.title, a.level, a.entity_kind, a.entity, a.hits, a.first_seen,
         a.last_seen, a.state, a.assignee, a.reason, a.note, a.revision, a.change"
    };
}

/// The condition of a [`Narrowed`], over the parameters `$2` to `$17`. A plus in front of a column keeps `SQLite` from
/// looking for rows by it: the order that the statement wants is worth more, and it would sort for it.
macro_rules! narrowed {
    ($last_seen:literal) => {
        concat!(
            "{scope:a} AND ",
            $last_seen,
            " >= $2 AND ",
            $last_seen,
            " < $3 AND a.state IN ($4, $5, $6) AND +a.level IN ($7, $8, $9, $10, $11)
             AND ($12 IS NULL OR a.rule = $12) AND ($13 IS NULL OR a.entity = $13)
             AND ($14 IS NULL OR a.entity_kind = $14) AND ($15 IS NULL OR a.assignee = $15)
             AND ($16 = 0 OR a.assignee IS NULL)
             AND ($17 IS NULL OR EXISTS (
                 SELECT 1 FROM node_trail t WHERE t.node_id = a.node_id AND t.ancestor = $17))"
        )
    };
}

pub(crate) mod figures;

/// An alert that a group continues.
pub(crate) struct Continued {
    id: AlertId,
    hits: i64,
    first_seen: Timestamp,
    last_seen: Timestamp,
    events: Vec<AlertEvent>,
}

/// What the events of an alert are sealed to: beside another one they do not open.
fn place(alert: AlertId) -> String {
    format!("detection_alert/{alert}")
}

/// The events of an alert, from its columns `events` and `sealed`, which begin there.
fn read_events(
    tx: &ReadTx<'_>,
    alert: AlertId,
    (row, at): (&Row, usize),
) -> Result<Vec<AlertEvent>, KernelError> {
    let text = match row.get::<Option<Vec<u8>>>(at + 1)? {
        Some(sealed) => tx.reveal(&place(alert), &sealed)?,
        // Of a version that did not seal them.
        None => row.get::<String>(at)?.into_bytes(),
    };
    serde_json::from_slice(&text).map_err(KernelError::Stored)
}

fn sealed_events(tx: &WriteTx<'_>, alert: AlertId, events: &[AlertEvent]) -> Result<Value, KernelError> {
    let text = serde_json::to_vec(events).map_err(KernelError::Stored)?;
    Ok(tx.conceal(&place(alert), &text).into())
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// How far the logs were judged, for those who read.
pub(crate) async fn position(tx: &mut ReadTx<'_>) -> Result<Option<u64>, KernelError> {
    const ONE: Scoped = scoped!("SELECT p.seq FROM detection_position p WHERE {scope:p}");
    let row = tx.row(ONE, Vec::new()).await?;
    let seq = row.map(|row| row.get::<i64>(0)).transpose()?;
    Ok(seq.and_then(|seq| u64::try_from(seq).ok()))
}

/// The same within an act.
pub(crate) async fn position_before(tx: &mut WriteTx<'_>) -> Result<Option<i64>, KernelError> {
    const ONE: Tenanted = tenanted!("SELECT seq FROM detection_position WHERE tenant = {tenant}");
    let row = tx.row(ONE, Vec::new()).await?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

pub(crate) async fn move_position(tx: &mut WriteTx<'_>, upto: i64) -> Result<(), KernelError> {
    const SET: Tenanted = tenanted!(
        "INSERT INTO detection_position (tenant, seq) VALUES ({tenant}, $2)
         ON CONFLICT (tenant) DO UPDATE SET seq = excluded.seq"
    );
    tx.run(SET, vec![upto.into()]).await.map(|_| ())
}

/// Takes so many numbers for changes of alerts; tells the first of them. They are taken in the transaction that writes
/// the alerts, and whoever writes waits for who wrote before: who sees a number sees all that are below it.
pub(crate) async fn take_changes(tx: &mut WriteTx<'_>, count: i64) -> Result<i64, KernelError> {
    const TAKE: Tenanted = tenanted!(
        "INSERT INTO detection_change (tenant, seq) VALUES ({tenant}, $2)
         ON CONFLICT (tenant) DO UPDATE SET seq = detection_change.seq + excluded.seq RETURNING seq"
    );
    let row = tx.row(TAKE, vec![count.into()]).await?.ok_or(KernelError::NotFound)?;
    Ok(row.get::<i64>(0)? - count + 1)
}

/// The number of the tenant's last change, whoever may see it; 0 where nothing was changed yet.
pub(crate) async fn last_change(tx: &mut ReadTx<'_>) -> Result<i64, KernelError> {
    const ONE: Scoped = scoped!(
        "SELECT c.seq FROM detection_change c
         WHERE c.tenant = $1 AND EXISTS (SELECT 1 FROM node n WHERE {scope:n})"
    );
    let row = tx.row(ONE, Vec::new()).await?;
    Ok(row.map(|row| row.get(0)).transpose()?.unwrap_or(0))
}

/// Alerts that were changed behind a number, in the order of their last changes.
pub(crate) async fn changed(tx: &mut ReadTx<'_>, after: i64, limit: i64) -> Result<Vec<Alert>, KernelError> {
    const PAGE: Scoped = scoped!(concat!(
        "SELECT ",
        columns!(),
        " FROM detection_alert a WHERE {scope:a} AND a.change > $2 ORDER BY a.change LIMIT $3"
    ));
    let rows = tx.rows(PAGE, vec![after.into(), limit.into()]).await?;
    rows.iter().map(|row| read_alert(tx, row)).collect()
}

/// The alert that a group continues: of the same rule, entity and node, not closed, and no further away in time
/// than the window. Of several the latest. The plus keeps `SQLite` from walking through all alerts in the order that is
/// asked for.
pub(crate) async fn to_continue(
    tx: &mut WriteTx<'_>,
    node: NodeId,
    hit: &Grouped,
) -> Result<Option<Continued>, KernelError> {
    const ONE: Tenanted = tenanted!(
        "SELECT alert_id, hits, first_seen, last_seen, events, sealed FROM detection_alert
         WHERE tenant = {tenant} AND entity = $2 AND rule = $3 AND last_seen >= $4 AND first_seen <= $5
           AND entity_kind = $6 AND node_id = $7 AND state <> 'closed'
         ORDER BY +last_seen DESC, alert_id DESC LIMIT 1"
    );
    let since = hit.first_seen.saturating_sub(WINDOW).unwrap_or(hit.first_seen);
    let until = hit.last_seen.saturating_add(WINDOW).unwrap_or(hit.last_seen);
    let args = vec![
        hit.entity.as_str().into(),
        hit.rule.as_str().into(),
        since.into(),
        until.into(),
        hit.entity_kind.as_str().into(),
        Value::text(node),
    ];
    let Some(row) = tx.row(ONE, args).await? else { return Ok(None) };
    let id = row.get(0)?;
    Ok(Some(Continued {
        id,
        hits: row.get(1)?,
        first_seen: row.get(2)?,
        last_seen: row.get(3)?,
        events: read_events(&tx.read(), id, (&row, 4))?,
    }))
}

/// Adds a group to an alert. Who waits for approval to close it is not disturbed: what it rests on is the same.
pub(crate) async fn continue_alert(
    tx: &mut WriteTx<'_>,
    alert: Continued,
    hit: &Grouped,
    change: i64,
) -> Result<(), KernelError> {
    const SET: Tenanted = tenanted!(
        "UPDATE detection_alert SET hits = $3, first_seen = $4, last_seen = $5, events = '', sealed = $6,
             change = $7, revision = revision + 1
         WHERE tenant = {tenant} AND alert_id = $2"
    );
    let events: Vec<AlertEvent> = alert.events.into_iter().chain(hit.events.iter().cloned()).collect();
    let args = vec![
        Value::text(alert.id),
        alert.hits.saturating_add(number(hit.count)).into(),
        alert.first_seen.min(hit.first_seen).into(),
        alert.last_seen.max(hit.last_seen).into(),
        sealed_events(tx, alert.id, &first_and_last(events))?,
        change.into(),
    ];
    tx.run(SET, args).await.map(|_| ())
}

pub(crate) async fn add_alert(
    tx: &mut WriteTx<'_>,
    (id, node): (AlertId, NodeId),
    hit: &Grouped,
    change: i64,
) -> Result<(), KernelError> {
    const ADD: Tenanted = tenanted!(
        "INSERT INTO detection_alert (alert_id, tenant, node_id, rule, title, level, entity_kind, entity, hits,
             first_seen, last_seen, state, events, sealed, change, revision)
         VALUES ($2, {tenant}, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'open', '', $12, $13, 1)"
    );
    let args = vec![
        Value::text(id),
        Value::text(node),
        hit.rule.as_str().into(),
        hit.title.as_str().into(),
        hit.level.number().into(),
        hit.entity_kind.as_str().into(),
        hit.entity.as_str().into(),
        number(hit.count).into(),
        hit.first_seen.into(),
        hit.last_seen.into(),
        sealed_events(tx, id, &hit.events)?,
        change.into(),
    ];
    tx.run(ADD, args).await.map(|_| ())
}

/// Sets where an alert stands; tells its new revision. Reason and note are those of the closing, or none.
pub(crate) async fn set_state(
    tx: &mut WriteTx<'_>,
    id: AlertId,
    state: AlertState,
    closing: Option<(CloseReason, &Line)>,
) -> Result<i64, KernelError> {
    const SET: Tenanted = tenanted!(
        "UPDATE detection_alert SET state = $3, reason = $4, note = $5, change = $6, revision = revision + 1
         WHERE tenant = {tenant} AND alert_id = $2 RETURNING revision"
    );
    let (reason, note) = (closing.map(|(reason, _)| reason), closing.map(|(_, note)| note));
    let change = take_changes(tx, 1).await?;
    let args =
        vec![Value::text(id), Value::text(state), Value::maybe(reason), Value::maybe(note), change.into()];
    let row = tx.row(SET, args).await?.ok_or(KernelError::NotFound)?;
    Ok(row.get(0)?)
}

/// Gives an alert to somebody, or to nobody; tells its new revision.
pub(crate) async fn set_assignee(
    tx: &mut WriteTx<'_>,
    id: AlertId,
    assignee: Option<ActorId>,
) -> Result<i64, KernelError> {
    const SET: Tenanted = tenanted!(
        "UPDATE detection_alert SET assignee = $3, change = $4, revision = revision + 1
         WHERE tenant = {tenant} AND alert_id = $2 RETURNING revision"
    );
    let change = take_changes(tx, 1).await?;
    let row = tx.row(SET, vec![Value::text(id), Value::maybe(assignee), change.into()]).await?;
    Ok(row.ok_or(KernelError::NotFound)?.get(0)?)
}

fn read_alert(tx: &ReadTx<'_>, row: &Row) -> Result<Alert, KernelError> {
    let (node, assignee) = (row.get(1)?, row.get::<Option<ActorId>>(11)?);
    Ok(Alert {
        id: row.get(0)?,
        node,
        path: tx.path(node),
        rule: row.get(2)?,
        title: row.get(3)?,
        level: row.get(4)?,
        entity_kind: row.get(5)?,
        entity: row.get(6)?,
        count: row.get(7)?,
        first_seen: row.get(8)?,
        last_seen: row.get(9)?,
        state: row.get(10)?,
        assignee,
        assignee_name: assignee.map(|actor| tx.name_of(Holder::Actor(actor))),
        reason: row.get(12)?,
        note: row.get(13)?,
        revision: row.get(14)?,
        change: row.get(15)?,
    })
}

/// One alert, without its events.
pub(crate) async fn alert(tx: &mut ReadTx<'_>, id: AlertId) -> Result<Alert, KernelError> {
    Ok(detail(tx, id).await?.alert)
}

/// One alert with its events.
pub(crate) async fn detail(tx: &mut ReadTx<'_>, id: AlertId) -> Result<AlertDetail, KernelError> {
    const ONE: Scoped = scoped!(concat!(
        "SELECT ",
        columns!(),
        ", a.events, a.sealed FROM detection_alert a WHERE {scope:a} AND a.alert_id = $2"
    ));
    let row = tx.row(ONE, vec![Value::text(id)]).await?.ok_or(KernelError::NotFound)?;
    Ok(AlertDetail { alert: read_alert(tx, &row)?, events: read_events(tx, id, (&row, 16))? })
}

/// Alerts that a question asks for, in an order, behind `after`.
pub(crate) async fn alerts(
    tx: &mut ReadTx<'_>,
    narrowed: &Narrowed,
    (order, after): (AlertOrder, Option<&After>),
    limit: i64,
) -> Result<Vec<Alert>, KernelError> {
    const BY_TIME: Scoped = scoped!(concat!(
        "SELECT ",
        columns!(),
        " FROM detection_alert a WHERE ",
        narrowed!("a.last_seen"),
        " AND (a.last_seen, a.alert_id) < ($18, $19)
         ORDER BY a.last_seen DESC, a.alert_id DESC LIMIT $20"
    ));
    const BY_LEVEL: Scoped = scoped!(concat!(
        "SELECT ",
        columns!(),
        " FROM detection_alert a WHERE ",
        narrowed!("+a.last_seen"),
        " AND (a.level, a.last_seen, a.alert_id) < ($18, $19, $20)
         ORDER BY a.level DESC, a.last_seen DESC, a.alert_id DESC LIMIT $21"
    ));
    // Whole places are compared, and there is always one, so that the database begins there: the pages before are not
    // walked through again.
    let seen = after.map(|after| after.seen.as_microsecond());
    let from = Value::from(seen.unwrap_or(i64::MAX));
    let id = after.map_or_else(|| Value::from(""), |after| Value::text(after.id));
    let rows = if order == AlertOrder::LastSeen {
        let mut args = narrowed.args(seen.map(|seen| seen.saturating_add(1)));
        args.extend([from, id, limit.into()]);
        tx.rows(BY_TIME, args).await?
    } else {
        let mut args = narrowed.args(None);
        let level = after.map_or(i64::MAX, |after| after.level);
        args.extend([level.into(), from, id, limit.into()]);
        tx.rows(BY_LEVEL, args).await?
    };
    rows.iter().map(|row| read_alert(tx, row)).collect()
}
