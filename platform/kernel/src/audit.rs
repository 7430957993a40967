//! Audit records: envelope v1, in sequence, chained by hash, authenticated by a MAC whose key is not in the
//! database (invariant I8).

use std::net::IpAddr;

use garrison_base::{NodeId, TenantId, Timestamp};
use garrison_secrets::{MacKey, Tag, digest};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::db::{DbError, Row, Statement, Tx, Value};
use crate::{ActorId, Method};

/// The one log of this writing node.
pub(crate) const LOG: &str = "acts";

/// A record. No field of an operation's record is ever empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Record {
    /// The log that it is in; with `seq` its key.
    pub log_id: String,
    /// Its place, from 1 on, without gaps.
    pub seq: i64,
    /// When, by our clock.
    #[schema(value_type = String, format = DateTime)]
    pub received: Timestamp,
    /// The tenant.
    pub tenant: TenantId,
    /// The node of the first target.
    pub node: NodeId,
    /// `audit`
    pub stream: String,
    /// `operation`
    pub tag: String,
    /// Who.
    pub actor: RecordActor,
    /// From where.
    pub source: RecordSource,
    /// The verb.
    pub operation: String,
    /// How.
    #[schema(value_type = String)]
    pub method: Method,
    /// What it was about.
    pub object: RecordObject,
    /// The request itself.
    #[schema(value_type = Object)]
    pub content: Json,
    /// `success`, `failure`, `denied` or `waiting`.
    pub result: String,
    /// What was done, or why not.
    pub reason: String,
    /// The session or token.
    pub session: String,
    /// The request's id.
    pub request: String,
    /// The waiting act that this was, and who approved it.
    pub approvals: Vec<String>,
    /// The generation of the rights that this act made, where it changed them: so the record tells when rows of
    /// an older generation were put back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights: Option<i64>,
}

/// Who acted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RecordActor {
    /// The id.
    pub id: ActorId,
    /// The name at that time.
    pub name: String,
    /// The groups at that time; `everyone` is always one.
    pub groups: Vec<String>,
    /// `person`, `service` or `system`.
    pub kind: String,
}

/// From where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RecordSource {
    /// The address.
    #[schema(value_type = String)]
    pub ip: IpAddr,
    /// The port.
    pub port: u16,
    /// The program at the other end, by its own word.
    pub sender: String,
}

/// What it was about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RecordObject {
    /// The kind.
    pub kind: String,
    /// The id.
    pub id: String,
    /// The part of Garrison.
    pub component: String,
}

/// The end of the log: number and hash of its last record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) seq: i64,
    hash: Tag,
}

fn head_tag(key: &MacKey, head: &Head) -> Tag {
    key.tag(&[b"head", LOG.as_bytes(), &head.seq.to_be_bytes(), &head.hash])
}

fn record_tag(key: &MacKey, seq: i64, hash: &Tag, bytes: &[u8]) -> Tag {
    key.tag(&[b"record", LOG.as_bytes(), &seq.to_be_bytes(), hash, bytes])
}

/// The hash of a record: of the one before, and its own bytes.
fn chained(before: &Tag, bytes: &[u8]) -> Tag {
    digest(&[before.as_slice(), bytes].concat())
}

/// The first head, when the database is made.
pub(crate) async fn first_head(tx: &mut Tx<'_>, key: &MacKey) -> Result<(), DbError> {
    let head = Head { seq: 0, hash: Tag::default() };
    let args = vec![LOG.into(), head.hash.into(), head_tag(key, &head).into()];
    tx.run("INSERT INTO log_head (log_id, seq, hash, mac) VALUES ($1, 0, $2, $3)", args).await?;
    Ok(())
}

/// The columns of the head, and what they say.
pub(crate) const HEAD: &str = "l.seq, l.hash, l.mac";

/// Reads [`HEAD`] from a row, beginning at a column.
pub(crate) fn head(key: &MacKey, row: &Row, at: usize) -> Result<Head, DbError> {
    let tampered = || DbError::Tampered { table: "log_head", row: LOG.into() };
    let hash = row.get::<Vec<u8>>(at + 1)?.try_into().map_err(|_| tampered())?;
    let head = Head { seq: row.get(at)?, hash };
    let fits = garrison_secrets::same(&head_tag(key, &head), &row.get::<Vec<u8>>(at + 2)?);
    if fits { Ok(head) } else { Err(tampered()) }
}

async fn read_head(tx: &mut Tx<'_>, key: &MacKey) -> Result<Head, DbError> {
    let row = tx.row(format!("SELECT {HEAD} FROM log_head l WHERE l.log_id = $1"), vec![LOG.into()]).await?;
    head(key, &row.ok_or_else(|| DbError::Tampered { table: "log_head", row: LOG.into() })?, 0)
}

impl Head {
    /// Whether a head that was read can follow one that was seen before.
    fn follows(&self, seen: &Self) -> bool {
        self.seq > seen.seq || self == seen
    }
}

/// Appends; the last thing before the commit, so that numbers become visible in order. Fills in the number, and
/// returns the new end of the log. `seen` is the end that this process saw last: the log never grows shorter.
/// `with` is done together with it.
pub(crate) async fn append(
    tx: &mut Tx<'_>,
    key: &MacKey,
    (before, seen): (&Head, Option<&Head>),
    record: &mut Record,
    with: Vec<Statement>,
) -> Result<Head, DbError> {
    if seen.is_some_and(|seen| !before.follows(seen)) {
        return Err(DbError::Tampered { table: "log_head", row: LOG.into() });
    }
    record.seq = before.seq + 1;
    let bytes = serde_json::to_vec(record).map_err(|error| DbError::Failed(error.to_string()))?;
    let head = Head { seq: record.seq, hash: chained(&before.hash, &bytes) };
    let mut statements = vec![inserted(record, bytes, &head, key)];
    let args = vec![LOG.into(), head.seq.into(), head.hash.into(), head_tag(key, &head).into()];
    statements.push(("UPDATE log_head SET seq = $2, hash = $3, mac = $4 WHERE log_id = $1".into(), args));
    statements.extend(with);
    match tx.run_all(statements).await {
        // Another process took the number first.
        Err(DbError::Exists) => {
            tx.again = true;
            Err(DbError::Again)
        }
        done => done.map(|()| head),
    }
}

fn inserted(record: &Record, bytes: Vec<u8>, head: &Head, key: &MacKey) -> Statement {
    let tag = record_tag(key, head.seq, &head.hash, &bytes);
    let args = vec![
        LOG.into(),
        record.seq.into(),
        Value::text(record.tenant),
        Value::text(record.node),
        record.received.into(),
        record.operation.as_str().into(),
        Value::text(record.actor.id),
        record.object.id.as_str().into(),
        record.result.as_str().into(),
        record.request.as_str().into(),
        bytes.into(),
        head.hash.into(),
        tag.into(),
    ];
    let sql = "INSERT INTO audit (log_id, seq, tenant, node_id, received, operation, actor, object, result, \
               request, record, hash, mac) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    (sql.into(), args)
}

/// The columns that [`open`] wants, in its order.
pub(crate) const COLUMNS: &str = "a.seq, a.record, a.hash, a.mac, a.tenant, a.node_id, a.received, a.operation, a.actor, a.object, a.result, a.request";

/// A stored record, when it is the one that was written. (Whether it follows the one before is for [`verify`].)
pub(crate) fn open(key: &MacKey, row: &Row) -> Result<(Record, Tag), DbError> {
    let seq: i64 = row.get(0)?;
    let tampered = || DbError::Tampered { table: "audit", row: seq.to_string() };
    let hash: Tag = row.get::<Vec<u8>>(2)?.try_into().map_err(|_| tampered())?;
    let bytes: Vec<u8> = row.get(1)?;
    let record: Record = serde_json::from_slice(&bytes).map_err(|_| tampered())?;
    let same = record.seq == seq
        && garrison_secrets::same(&record_tag(key, seq, &hash, &bytes), &row.get::<Vec<u8>>(3)?)
        && row.get::<TenantId>(4)? == record.tenant
        && row.get::<NodeId>(5)? == record.node
        && row.get::<Timestamp>(6)?.as_microsecond() == record.received.as_microsecond()
        && row.get::<String>(7)? == record.operation
        && row.get::<ActorId>(8)? == record.actor.id
        && row.get::<String>(9)? == record.object.id
        && row.get::<String>(10)? == record.result
        && row.get::<String>(11)? == record.request;
    if same { Ok((record, hash)) } else { Err(tampered()) }
}

/// Reads the whole log again: every record, its place, its link to the one before, and the head.
/// Returns its end, and the last generation of the rights that a record tells of.
pub(crate) async fn verify(tx: &mut Tx<'_>, key: &MacKey) -> Result<(Head, i64), DbError> {
    const STEP: i64 = 2_000;
    let mut last = Head { seq: 0, hash: Tag::default() };
    let mut rights = 0;
    let page = format!(
        "SELECT {COLUMNS} FROM audit a WHERE a.log_id = $1 AND a.seq > $2 AND a.seq <= $3 ORDER BY a.seq"
    );
    let head = read_head(tx, key).await?;
    loop {
        let rows = tx.rows(page.clone(), vec![LOG.into(), last.seq.into(), (last.seq + STEP).into()]).await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let tampered = |seq: i64| DbError::Tampered { table: "audit", row: seq.to_string() };
            let (record, hash) = open(key, &row)?;
            if record.seq != last.seq + 1 {
                return Err(tampered(last.seq + 1));
            }
            if chained(&last.hash, &row.get::<Vec<u8>>(1)?) != hash {
                return Err(tampered(record.seq));
            }
            rights = record.rights.unwrap_or(rights);
            last = Head { seq: record.seq, hash };
        }
    }
    let count = tx.row("SELECT COUNT(*) FROM audit", Vec::new()).await?;
    let whole = count.map(|row| row.get::<i64>(0)).transpose()? == Some(last.seq);
    if last == head && whole {
        return Ok((last, rights));
    }
    Err(DbError::Tampered { table: "log_head", row: format!("{LOG}, at record {}", last.seq) })
}
