//! What was received from sources day by day, and what was not.

use std::collections::HashMap;

use garrison_base::{Day, SourceId, Timestamp};
use garrison_kernel::{
    Act, KernelError, Permit, ReadTx, Row, Scoped, Tenanted, Value, WriteTx, scoped, tenanted,
};

use crate::acts::{KeepLogs, ResumeLogs};
use crate::coverage::{Known, Outage, Received, Switch};
use crate::tally::{HeardDay, RefusedDay};

/// Adds what a source brought to its day. The pause before it counts for the day on which it ended.
pub(crate) async fn cover(
    tx: &mut WriteTx<'_>,
    _: &Permit<KeepLogs>,
    heard: &HeardDay,
) -> Result<(), KernelError> {
    const BEFORE: Tenanted = tenanted!(
        "SELECT s.node_id,
             (SELECT c.last_at FROM logs_coverage c WHERE c.tenant = s.tenant AND c.source = s.source_id
              ORDER BY c.day DESC LIMIT 1),
             (SELECT MAX(w.switched) FROM logs_switch w WHERE w.tenant = s.tenant AND w.source = s.source_id)
         FROM logs_source s WHERE s.tenant = {tenant} AND s.source_id = $2"
    );
    const ADD: Tenanted = tenanted!(
        "INSERT INTO logs_coverage (tenant, node_id, source, day, events, first_at, last_at, pause)
         VALUES ({tenant}, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (tenant, source, day) DO UPDATE SET
             events = logs_coverage.events + excluded.events,
             first_at = CASE WHEN excluded.first_at < logs_coverage.first_at
                 THEN excluded.first_at ELSE logs_coverage.first_at END,
             last_at = CASE WHEN excluded.last_at > logs_coverage.last_at
                 THEN excluded.last_at ELSE logs_coverage.last_at END,
             pause = CASE WHEN excluded.pause > logs_coverage.pause
                 THEN excluded.pause ELSE logs_coverage.pause END"
    );
    let Some(row) = tx.row(BEFORE, vec![Value::text(heard.source)]).await? else { return Ok(()) };
    let (last, switched): (Option<i64>, Option<i64>) = (row.get(1)?, row.get(2)?);
    let pause = last.max(switched).map_or(0, |before| heard.first.saturating_sub(before));
    let args = vec![
        Value::text(row.get::<String>(0)?),
        Value::text(heard.source),
        heard.day.into(),
        count(heard.events),
        heard.first.into(),
        heard.last.into(),
        heard.pause.max(pause).into(),
    ];
    tx.run(ADD, args).await.map(|_| ())
}

/// Adds what a limit refused.
pub(crate) async fn add_refusal(
    tx: &mut WriteTx<'_>,
    _: &Permit<KeepLogs>,
    refused: &RefusedDay,
) -> Result<(), KernelError> {
    const ADD: Tenanted = tenanted!(
        "INSERT INTO logs_refusal (tenant, node_id, source, day, why, refused)
         SELECT s.tenant, s.node_id, s.source_id, $3, $4, $5 FROM logs_source s
         WHERE s.tenant = {tenant} AND s.source_id = $2
         ON CONFLICT (tenant, source, day, why) DO UPDATE SET refused = logs_refusal.refused + excluded.refused"
    );
    let why = refused.limit.name().into();
    tx.run(ADD, vec![Value::text(refused.source), refused.day.into(), why, count(refused.count)])
        .await
        .map(|_| ())
}

/// Notes that a source was created, or is `active` or `disabled` now.
pub(crate) async fn add_switch<A: Act>(
    tx: &mut WriteTx<'_>,
    permit: &Permit<A>,
    source: SourceId,
    state: &str,
) -> Result<(), KernelError> {
    const ADD: Tenanted = tenanted!(
        "INSERT INTO logs_switch (tenant, node_id, source, switched, state)
         SELECT s.tenant, s.node_id, s.source_id, $3, $4 FROM logs_source s
         WHERE s.tenant = {tenant} AND s.source_id = $2
         ON CONFLICT (tenant, source, switched) DO UPDATE SET state = excluded.state"
    );
    tx.run(ADD, vec![Value::text(source), permit.now().into(), state.into()]).await.map(|_| ())
}

/// Notes a time in which the server was not there, or of which nobody knows.
pub(crate) async fn add_outage(
    tx: &mut WriteTx<'_>,
    permit: &Permit<ResumeLogs>,
    resume: &ResumeLogs,
) -> Result<(), KernelError> {
    const BEFORE: Tenanted = tenanted!("SELECT MAX(ended) FROM logs_outage WHERE tenant = {tenant}");
    const ADD: Tenanted = tenanted!(
        "INSERT INTO logs_outage (tenant, node_id, begun, ended, known) VALUES ({tenant}, $2, $3, $4, $5)
         ON CONFLICT (tenant, begun) DO UPDATE SET ended = excluded.ended"
    );
    let begun = if let Some(since) = resume.since {
        since.as_microsecond()
    } else {
        // The server was there when it noted the one before.
        let before = tx.row(BEFORE, Vec::new()).await?.map(|row| row.get::<Option<i64>>(0));
        before.transpose()?.flatten().unwrap_or(0)
    };
    let known = i64::from(resume.since.is_some());
    let args = vec![Value::text(permit.node()), begun.into(), resume.at.into(), known.into()];
    tx.run(ADD, args).await.map(|_| ())
}

/// Ends outages that last beyond this moment, although the server is there: the clock was ahead when they were noted.
pub(crate) async fn shorten_outages(
    tx: &mut WriteTx<'_>,
    _: &Permit<ResumeLogs>,
    at: Timestamp,
) -> Result<(), KernelError> {
    const SHORTEN: Tenanted =
        tenanted!("UPDATE logs_outage SET ended = $2 WHERE tenant = {tenant} AND begun <= $2 AND ended > $2");
    tx.run(SHORTEN, vec![at.into()]).await.map(|_| ())
}

/// The outages that are longer than this, in microseconds: from which day to which. What was before the first start that
/// noted any is not among them.
pub(crate) async fn long_outages(tx: &mut ReadTx<'_>, longer: i64) -> Result<Vec<(Day, Day)>, KernelError> {
    const LONG: Scoped = scoped!(
        "SELECT o.begun, o.ended FROM logs_outage o WHERE {scope:o} AND o.begun > 0 AND o.ended - o.begun > $2"
    );
    let read = |row: &Row| Ok((Day::of_micros(row.get(0)?), Day::of_micros(row.get(1)?)));
    tx.rows(LONG, vec![longer.into()]).await?.iter().map(read).collect()
}

/// What the calendar of a source from one day to another rests on.
pub(crate) async fn known(
    tx: &mut ReadTx<'_>,
    source: SourceId,
    (from, to): (Day, Day),
) -> Result<Known, KernelError> {
    const SWITCHES: Scoped = scoped!(
        "SELECT w.switched, w.state FROM logs_switch w WHERE {scope:w} AND w.source = $2 ORDER BY w.switched"
    );
    const RECEIVED: Scoped = scoped!(
        "SELECT c.day, c.events, c.first_at, c.last_at, c.pause FROM logs_coverage c
         WHERE {scope:c} AND c.source = $2 AND c.day >= $3 AND c.day <= $4"
    );
    const REFUSED: Scoped = scoped!(
        "SELECT r.day, r.why, r.refused FROM logs_refusal r
         WHERE {scope:r} AND r.source = $2 AND r.day >= $3 AND r.day <= $4 ORDER BY r.day, r.why"
    );
    // The server's times are those of every source that somebody sees.
    const OUTAGES: Scoped = scoped!(
        "SELECT o.begun, o.ended, o.known
         FROM logs_outage o JOIN logs_source s ON s.tenant = o.tenant
         WHERE {scope:s} AND s.source_id = $2 AND o.ended > $3 AND o.begun < $4 ORDER BY o.begun"
    );
    let days = || vec![Value::text(source), from.into(), to.into()];
    let switched = tx.rows(SWITCHES, vec![Value::text(source)]).await?;
    let (heard, limited) = (tx.rows(RECEIVED, days()).await?, tx.rows(REFUSED, days()).await?);
    let span = vec![Value::text(source), from.begin().into(), to.end().into()];
    let absent = tx.rows(OUTAGES, span).await?;
    let mut refused: HashMap<Day, Vec<(String, i64)>> = HashMap::new();
    for row in &limited {
        refused.entry(row.get(0)?).or_default().push((row.get(1)?, row.get(2)?));
    }
    Ok(Known {
        switches: switched.iter().map(switch).collect::<Result<_, _>>()?,
        received: heard.iter().map(received).collect::<Result<_, _>>()?,
        refused,
        outages: absent.iter().map(outage).collect::<Result<_, _>>()?,
    })
}

fn switch(row: &Row) -> Result<Switch, KernelError> {
    Ok(Switch { at: row.get(0)?, state: row.get(1)? })
}

fn outage(row: &Row) -> Result<Outage, KernelError> {
    Ok(Outage { begun: row.get(0)?, ended: row.get(1)?, known: row.get::<i64>(2)? != 0 })
}

fn received(row: &Row) -> Result<(Day, Received), KernelError> {
    let received =
        Received { events: row.get(1)?, first: row.get(2)?, last: row.get(3)?, pause: row.get(4)? };
    Ok((row.get(0)?, received))
}

fn count(number: u64) -> Value {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}
