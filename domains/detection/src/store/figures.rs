//! Counting alerts. Each statement goes through one index from one end to the other and needs no row of the table.

use garrison_base::{NodeId, Timestamp};
use garrison_facts::AlertLevel;
use garrison_kernel::{FromCell, KernelError, ReadTx, Row, Scoped, Value, scoped};

use crate::filter::Narrowed;
use crate::model::AlertState;

/// How many alerts there are of one rule, level and state.
pub(crate) struct Group {
    pub(crate) rule: String,
    pub(crate) level: AlertLevel,
    pub(crate) state: AlertState,
    pub(crate) count: i64,
    /// How many of them somebody looks after.
    pub(crate) assigned: i64,
    pub(crate) first: i64,
    pub(crate) last: i64,
}

/// What the alerts of a rule come to.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct RuleFigures {
    pub(crate) alerts: i64,
    pub(crate) hits: i64,
    pub(crate) false_positives: i64,
    pub(crate) open: i64,
    pub(crate) last_seen: Option<Timestamp>,
}

/// All alerts that fit, by rule, level and state.
pub(crate) async fn groups(tx: &mut ReadTx<'_>, narrowed: &Narrowed) -> Result<Vec<Group>, KernelError> {
    const ALL: Scoped = scoped!(concat!(
        "SELECT a.rule, a.level, a.state, COUNT(*), COUNT(a.assignee), MIN(a.last_seen), MAX(a.last_seen)
         FROM detection_alert a WHERE ",
        narrowed!("+a.last_seen"),
        " GROUP BY a.rule, a.level, a.state"
    ));
    let group = |row: &Row| {
        Ok(Group {
            rule: row.get(0)?,
            level: row.get(1)?,
            state: row.get(2)?,
            count: row.get(3)?,
            assigned: row.get(4)?,
            first: row.get(5)?,
            last: row.get(6)?,
        })
    };
    let rows = tx.rows(ALL, narrowed.args(None)).await?;
    rows.iter().map(group).collect()
}

/// The entities with the most alerts that fit.
pub(crate) async fn top_entities(
    tx: &mut ReadTx<'_>,
    narrowed: &Narrowed,
    most: i64,
) -> Result<Vec<(String, i64)>, KernelError> {
    const TOP: Scoped = scoped!(concat!(
        "SELECT a.entity, COUNT(*) FROM detection_alert a WHERE ",
        narrowed!("+a.last_seen"),
        " GROUP BY a.entity ORDER BY 2 DESC, 1 LIMIT $18"
    ));
    top(tx, TOP, (narrowed, most)).await
}

/// The nodes with the most alerts that fit.
pub(crate) async fn top_nodes(
    tx: &mut ReadTx<'_>,
    narrowed: &Narrowed,
    most: i64,
) -> Result<Vec<(NodeId, i64)>, KernelError> {
    const TOP: Scoped = scoped!(concat!(
        "SELECT a.node_id, COUNT(*) FROM detection_alert a WHERE ",
        narrowed!("+a.last_seen"),
        " GROUP BY a.node_id ORDER BY 2 DESC, 1 LIMIT $18"
    ));
    top(tx, TOP, (narrowed, most)).await
}

async fn top<T: FromCell>(
    tx: &mut ReadTx<'_>,
    statement: Scoped,
    (narrowed, most): (&Narrowed, i64),
) -> Result<Vec<(T, i64)>, KernelError> {
    let mut args = narrowed.args(None);
    args.push(most.into());
    let rows = tx.rows(statement, args).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// How many alerts of each level fit into each of `count` parts of the time, each so many microseconds long.
pub(crate) async fn buckets(
    tx: &mut ReadTx<'_>,
    narrowed: &Narrowed,
    (from, step, count): (i64, i64, i64),
) -> Result<Vec<Vec<i64>>, KernelError> {
    // One text for each part: a statement inside another answers one value, and one for each level would read the
    // alerts five times.
    const PARTS: Scoped = scoped!(concat!(
        "WITH RECURSIVE bucket(place) AS (SELECT 0 UNION ALL SELECT place + 1 FROM bucket WHERE place + 1 < $20)
         SELECT b.place, (
             SELECT COUNT(CASE WHEN a.level = 0 THEN 1 END) || ',' || COUNT(CASE WHEN a.level = 1 THEN 1 END) || ','
                 || COUNT(CASE WHEN a.level = 2 THEN 1 END) || ',' || COUNT(CASE WHEN a.level = 3 THEN 1 END) || ','
                 || COUNT(CASE WHEN a.level = 4 THEN 1 END)
             FROM detection_alert a
             WHERE a.last_seen >= $18 + b.place * $19 AND a.last_seen < $18 + (b.place + 1) * $19 AND ",
        narrowed!("+a.last_seen"),
        ") FROM bucket b ORDER BY 1"
    ));
    let mut args = narrowed.args(None);
    args.extend([from, step, count].map(Value::from));
    let rows = tx.rows(PARTS, args).await?;
    let part = |row: &Row| {
        let text: String = row.get(1)?;
        Ok(text.split(',').map(|count| count.parse::<i64>().unwrap_or(0)).collect::<Vec<_>>())
    };
    rows.iter().map(part).collect()
}

/// What some alert calls a rule.
pub(crate) async fn title(tx: &mut ReadTx<'_>, rule: &str) -> Result<Option<String>, KernelError> {
    const ONE: Scoped =
        scoped!("SELECT a.title FROM detection_alert a WHERE {scope:a} AND a.rule = $2 LIMIT 1");
    let row = tx.row(ONE, vec![rule.into()]).await?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

/// What the alerts of rules come to that one may see: of one rule, or of all.
pub(crate) async fn of_rules(
    tx: &mut ReadTx<'_>,
    rule: Option<&str>,
) -> Result<Vec<(String, RuleFigures)>, KernelError> {
    const ALL: Scoped = scoped!(
        "SELECT a.rule, COUNT(*), CAST(SUM(a.hits) AS BIGINT),
             COUNT(CASE WHEN a.reason = 'false_positive' THEN 1 END),
             COUNT(CASE WHEN a.state <> 'closed' THEN 1 END), MAX(a.last_seen)
         FROM detection_alert a WHERE {scope:a} AND ($2 IS NULL OR a.rule = $2) GROUP BY a.rule"
    );
    let figures = |row: &Row| {
        let figures = RuleFigures {
            alerts: row.get(1)?,
            hits: row.get(2)?,
            false_positives: row.get(3)?,
            open: row.get(4)?,
            last_seen: row.get(5)?,
        };
        Ok((row.get(0)?, figures))
    };
    let rows = tx.rows(ALL, vec![Value::maybe(rule)]).await?;
    rows.iter().map(figures).collect()
}
