//! All SQL of compliance.

use garrison_base::{Day, NodeId, ReviewId};
use garrison_kernel::{
    ActorId, DbError, KernelError, ReadTx, Row, Scoped, Tenanted, Value, WriteTx, scoped, tenanted,
};

use crate::model::{Progress, Review, ReviewItem, ReviewState};
use crate::reads::{ListReviews, ShowReview};

const REVIEW: &str = "compliance_review";
const ITEM: &str = "compliance_item";
const PROGRESS: &str = "compliance_progress";

/// The error for rows that no act left so.
pub(crate) fn tampered(table: &'static str, row: impl Into<String>) -> KernelError {
    KernelError::Database(DbError::Tampered { table, row: row.into() })
}

/// What is stored of a review, in the order of its columns behind the tenant.
fn review_cells(review: &Review) -> Vec<Value> {
    vec![
        Value::text(review.id),
        Value::text(review.node),
        review.day.into(),
        Value::text(review.state),
        review.due.into(),
        review.records.into(),
        review.exceptions.into(),
        review.high_risk.into(),
        review.sampled.into(),
        review.nearest.into(),
        review.seed.into(),
        review.opened.into(),
        review.signed.into(),
        Value::maybe(review.signer),
        Value::maybe(review.opinion.as_ref()),
    ]
}

/// Reads and verifies a review: its columns as in [`review_cells`], the MAC, the numbers of undecided items and findings.
fn read_review(tx: &ReadTx<'_>, row: &Row) -> Result<Review, KernelError> {
    let node = row.get(1)?;
    let review = Review {
        id: row.get(0)?,
        node,
        path: tx.path(node),
        day: row.get(2)?,
        state: row.get(3)?,
        due: row.get(4)?,
        records: row.get(5)?,
        exceptions: row.get(6)?,
        high_risk: row.get(7)?,
        sampled: row.get(8)?,
        nearest: row.get(9)?,
        seed: row.get(10)?,
        opened: row.get(11)?,
        signed: row.get(12)?,
        signer: row.get(13)?,
        opinion: row.get(14)?,
        undecided: row.get(16)?,
        findings: row.get(17)?,
    };
    tx.check(REVIEW, &review_cells(&review), &row.get::<Vec<u8>>(15)?)?;
    Ok(review)
}

/// Writes a review as it is now.
pub(crate) async fn put_review(tx: &mut WriteTx<'_>, review: &Review) -> Result<(), KernelError> {
    const PUT: Tenanted = tenanted!(
        "INSERT INTO compliance_review (tenant, review_id, node_id, day, state, due, records, exceptions, high_risk,
             sampled, nearest, seed, opened, signed, signer, opinion, mac)
         VALUES ({tenant}, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
         ON CONFLICT (review_id) DO UPDATE SET state = excluded.state, due = excluded.due, records = excluded.records,
             exceptions = excluded.exceptions, high_risk = excluded.high_risk, sampled = excluded.sampled,
             nearest = excluded.nearest, signed = excluded.signed, signer = excluded.signer,
             opinion = excluded.opinion, mac = excluded.mac"
    );
    let mut cells = review_cells(review);
    cells.push(tx.seal(REVIEW, &cells).into());
    tx.run(PUT, cells).await.map(|_| ())
}

/// One review.
pub(crate) async fn review(tx: &mut ReadTx<'_>, id: ReviewId) -> Result<Review, KernelError> {
    const ONE: Scoped = scoped!(
        "SELECT r.review_id, r.node_id, r.day, r.state, r.due, r.records, r.exceptions, r.high_risk, r.sampled,
             r.nearest, r.seed, r.opened, r.signed, r.signer, r.opinion, r.mac,
             (SELECT COUNT(*) FROM compliance_item i WHERE i.review_id = r.review_id AND i.verdict IS NULL),
             (SELECT COUNT(*) FROM compliance_item i WHERE i.review_id = r.review_id AND i.verdict = 'finding')
         FROM compliance_review r WHERE {scope:r} AND r.review_id = $2"
    );
    let row = tx.row(ONE, vec![Value::text(id)]).await?.ok_or(KernelError::NotFound)?;
    read_review(tx, &row)
}

/// The review of a day and node, if there is one.
pub(crate) async fn review_of(
    tx: &mut ReadTx<'_>,
    (node, day): (NodeId, Day),
) -> Result<Option<Review>, KernelError> {
    const ONE: Scoped = scoped!(
        "SELECT r.review_id FROM compliance_review r WHERE {scope:r} AND r.node_id = $2 AND r.day = $3"
    );
    match tx.row(ONE, vec![Value::text(node), day.into()]).await? {
        Some(row) => review(tx, row.get(0)?).await.map(Some),
        None => Ok(None),
    }
}

/// Some of the reviews whose day is looked through.
pub(crate) async fn gathering(tx: &mut ReadTx<'_>, limit: i64) -> Result<Vec<Review>, KernelError> {
    const SOME: Scoped = scoped!(
        "SELECT r.review_id FROM compliance_review r WHERE {scope:r} AND r.state = $2 ORDER BY r.review_id LIMIT $3"
    );
    let rows = tx.rows(SOME, vec![Value::text(ReviewState::Gathering), limit.into()]).await?;
    let mut reviews = Vec::with_capacity(rows.len());
    for row in rows {
        reviews.push(review(tx, row.get(0)?).await?);
    }
    Ok(reviews)
}

/// The last day before one that has reviews.
pub(crate) async fn last_day(tx: &mut ReadTx<'_>, before: Day) -> Result<Option<Day>, KernelError> {
    const LAST: Scoped = scoped!(
        "SELECT r.day FROM compliance_review r WHERE {scope:r} AND r.day < $2 ORDER BY r.day DESC LIMIT 1"
    );
    let row = tx.row(LAST, vec![before.into()]).await?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

/// How many reviews are in a state.
pub(crate) async fn count(tx: &mut ReadTx<'_>, state: ReviewState) -> Result<i64, KernelError> {
    const COUNT: Scoped =
        scoped!("SELECT COUNT(*) FROM compliance_review r WHERE {scope:r} AND r.state = $2");
    let row = tx.row(COUNT, vec![Value::text(state)]).await?;
    Ok(row.map(|row| row.get(0)).transpose()?.unwrap_or(0))
}

/// Reviews that a question asks for, the newest first, before `before`.
pub(crate) async fn reviews(
    tx: &mut ReadTx<'_>,
    asked: &ListReviews,
    before: Option<ReviewId>,
    limit: i64,
) -> Result<Vec<Review>, KernelError> {
    const PAGE: Scoped = scoped!(
        "SELECT r.review_id, r.node_id, r.day, r.state, r.due, r.records, r.exceptions, r.high_risk, r.sampled,
             r.nearest, r.seed, r.opened, r.signed, r.signer, r.opinion, r.mac,
             (SELECT COUNT(*) FROM compliance_item i WHERE i.review_id = r.review_id AND i.verdict IS NULL),
             (SELECT COUNT(*) FROM compliance_item i WHERE i.review_id = r.review_id AND i.verdict = 'finding')
         FROM compliance_review r
         WHERE {scope:r} AND ($2 IS NULL OR r.review_id < $2) AND ($3 IS NULL OR r.state = $3)
           AND ($4 IS NULL OR r.day = $4)
           AND ($5 IS NULL OR EXISTS (SELECT 1 FROM node_trail t WHERE t.node_id = r.node_id AND t.ancestor = $5))
         ORDER BY r.review_id DESC LIMIT $6"
    );
    let args = vec![
        Value::maybe(before),
        Value::maybe(asked.state),
        asked.day.map_or(Value::Int(None), Value::from),
        Value::maybe(asked.node),
        limit.into(),
    ];
    let rows = tx.rows(PAGE, args).await?;
    rows.iter().map(|row| read_review(tx, row)).collect()
}

/// What is stored of an item and covered by its MAC, in the order of its columns behind the tenant. Who is involved comes
/// last, and only where somebody is: there are items that were written before it was known.
fn item_cells(item: &ReviewItem) -> Vec<Value> {
    let mut cells = vec![
        Value::text(item.review),
        item.seq.into(),
        Value::text(item.node),
        item.operation.as_str().into(),
        Value::text(item.actor),
        Value::text(item.reason),
        Value::maybe(item.verdict),
        Value::maybe(item.note.as_ref()),
        Value::maybe(item.author),
        item.noted.into(),
    ];
    if !item.involved.is_empty() {
        let ids: Vec<String> = item.involved.iter().map(ActorId::to_string).collect();
        cells.push(ids.join(" ").into());
    }
    cells
}

/// Reads and verifies an item: its columns as in [`item_cells`], the MAC, who is involved.
fn read_item(tx: &ReadTx<'_>, row: &Row) -> Result<ReviewItem, KernelError> {
    let ids: Option<String> = row.get(11)?;
    let ids = ids.iter().flat_map(|ids| ids.split(' '));
    let involved: Result<Vec<ActorId>, _> = ids.map(str::parse).collect();
    let item = ReviewItem {
        review: row.get(0)?,
        seq: row.get(1)?,
        node: row.get(2)?,
        operation: row.get(3)?,
        actor: row.get(4)?,
        involved: involved.map_err(|_| tampered(ITEM, row.get::<String>(0).unwrap_or_default()))?,
        reason: row.get(5)?,
        verdict: row.get(6)?,
        note: row.get(7)?,
        author: row.get(8)?,
        noted: row.get(9)?,
    };
    tx.check(ITEM, &item_cells(&item), &row.get::<Vec<u8>>(10)?)?;
    Ok(item)
}

/// Writes an item as it is now.
pub(crate) async fn put_item(tx: &mut WriteTx<'_>, item: &ReviewItem) -> Result<(), KernelError> {
    const PUT: Tenanted = tenanted!(
        "INSERT INTO compliance_item (tenant, review_id, seq, node_id, operation, actor, reason, verdict, note, author,
             noted, involved, mac)
         VALUES ({tenant}, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (review_id, seq) DO UPDATE SET verdict = excluded.verdict, note = excluded.note,
             author = excluded.author, noted = excluded.noted, mac = excluded.mac"
    );
    let mut cells = item_cells(item);
    let mac = tx.seal(ITEM, &cells);
    if item.involved.is_empty() {
        cells.push(Value::Text(None));
    }
    cells.push(mac.into());
    tx.run(PUT, cells).await.map(|_| ())
}

/// One item of a review, if the record is one.
pub(crate) async fn item(
    tx: &mut ReadTx<'_>,
    review: ReviewId,
    seq: i64,
) -> Result<Option<ReviewItem>, KernelError> {
    const ONE: Scoped = scoped!(
        "SELECT i.review_id, i.seq, i.node_id, i.operation, i.actor, i.reason, i.verdict, i.note, i.author, i.noted,
             i.mac, i.involved
         FROM compliance_item i WHERE {scope:i} AND i.review_id = $2 AND i.seq = $3"
    );
    let row = tx.row(ONE, vec![Value::text(review), seq.into()]).await?;
    row.map(|row| read_item(tx, &row)).transpose()
}

/// All items of a review.
pub(crate) async fn items(tx: &mut ReadTx<'_>, review: &Review) -> Result<Vec<ReviewItem>, KernelError> {
    const ALL: Scoped = scoped!(
        "SELECT i.review_id, i.seq, i.node_id, i.operation, i.actor, i.reason, i.verdict, i.note, i.author, i.noted,
             i.mac, i.involved
         FROM compliance_item i WHERE {scope:i} AND i.review_id = $2 ORDER BY i.seq"
    );
    let rows = tx.rows(ALL, vec![Value::text(review.id)]).await?;
    let items: Vec<ReviewItem> = rows.iter().map(|row| read_item(tx, row)).collect::<Result<_, _>>()?;
    if i64::try_from(items.len()) == Ok(review.items()) {
        return Ok(items);
    }
    Err(tampered(ITEM, format!("of {}: there are not as many as there were", review.id)))
}

/// Items of an operation that have no verdict yet.
pub(crate) async fn undecided(
    tx: &mut ReadTx<'_>,
    (review, operation): (ReviewId, &str),
    limit: i64,
) -> Result<Vec<ReviewItem>, KernelError> {
    const SOME: Scoped = scoped!(
        "SELECT i.review_id, i.seq, i.node_id, i.operation, i.actor, i.reason, i.verdict, i.note, i.author, i.noted,
             i.mac, i.involved
         FROM compliance_item i
         WHERE {scope:i} AND i.review_id = $2 AND i.operation = $3 AND i.verdict IS NULL ORDER BY i.seq LIMIT $4"
    );
    let rows = tx.rows(SOME, vec![Value::text(review), operation.into(), limit.into()]).await?;
    rows.iter().map(|row| read_item(tx, row)).collect()
}

/// Items that a question asks for, behind the number `after`.
pub(crate) async fn items_asked(
    tx: &mut ReadTx<'_>,
    asked: &ShowReview,
    after: i64,
    limit: i64,
) -> Result<Vec<ReviewItem>, KernelError> {
    const PAGE: Scoped = scoped!(
        "SELECT i.review_id, i.seq, i.node_id, i.operation, i.actor, i.reason, i.verdict, i.note, i.author, i.noted,
             i.mac, i.involved
         FROM compliance_item i
         WHERE {scope:i} AND i.review_id = $2 AND i.seq > $3 AND ($4 = 0 OR i.verdict IS NULL)
           AND ($5 IS NULL OR i.operation = $5)
         ORDER BY i.seq LIMIT $6"
    );
    let args = vec![
        Value::text(asked.review),
        after.into(),
        i64::from(asked.undecided.unwrap_or(false)).into(),
        Value::maybe(asked.operation.as_ref()),
        limit.into(),
    ];
    let rows = tx.rows(PAGE, args).await?;
    rows.iter().map(|row| read_item(tx, row)).collect()
}

fn progress_cells(tx: &ReadTx<'_>, progress: &Progress) -> Vec<Value> {
    let tenant = Value::text(tx.tenant());
    vec![tenant, progress.day.into(), progress.seq.into(), progress.seed.into(), progress.stage.into()]
}

/// How far the record was looked through; nothing where it never was.
pub(crate) async fn progress(tx: &mut ReadTx<'_>) -> Result<Option<Progress>, KernelError> {
    const ONE: Scoped =
        scoped!("SELECT p.day, p.seq, p.seed, p.whole, p.mac FROM compliance_progress p WHERE {scope:p}");
    const ANY: Scoped = scoped!("SELECT r.review_id FROM compliance_review r WHERE {scope:r} LIMIT 1");
    if let Some(row) = tx.row(ONE, Vec::new()).await? {
        let progress = Progress { day: row.get(0)?, seq: row.get(1)?, seed: row.get(2)?, stage: row.get(3)? };
        tx.check(PROGRESS, &progress_cells(tx, &progress), &row.get::<Vec<u8>>(4)?)?;
        return Ok(Some(progress));
    }
    match tx.row(ANY, Vec::new()).await? {
        Some(_) => Err(tampered(PROGRESS, "it is missing, and there are reviews")),
        None => Ok(None),
    }
}

pub(crate) async fn put_progress(tx: &mut WriteTx<'_>, progress: &Progress) -> Result<(), KernelError> {
    const PUT: Tenanted = tenanted!(
        "INSERT INTO compliance_progress (tenant, day, seq, seed, whole, mac) VALUES ({tenant}, $2, $3, $4, $5, $6)
         ON CONFLICT (tenant) DO UPDATE SET day = excluded.day, seq = excluded.seq, seed = excluded.seed,
             whole = excluded.whole, mac = excluded.mac"
    );
    let mut cells = progress_cells(&tx.read(), progress);
    let mac = tx.seal(PROGRESS, &cells);
    // The tenant is the act's.
    cells.remove(0);
    cells.push(mac.into());
    tx.run(PUT, cells).await.map(|_| ())
}
