//! Acts that wait for approvals: stored as bytes, shown as they will run, run once, authorised again (I3).

mod approved;
mod decide;

pub(crate) use approved::Approved;

use std::sync::Arc;

use garrison_base::{NodeId, RequestId, TenantId, Timestamp};
use garrison_secrets::digest;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::act::ErasedAct;
use crate::authz::Slot;
use crate::authz::rows::Total;
use crate::db::{DbError, Row, Tx, Value};
use crate::kernel::Inner;
use crate::perform::{Settle, run as perform};
use crate::tally::WAITING;
use crate::{Actor, ActorId, Holder, KernelError, ObjectRef, Preview, Problem, ReadTx, WriteTx};

/// How long approvers have.
const DEADLINE: jiff::SignedDuration = jiff::SignedDuration::from_hours(7 * 24);

/// Where a waiting act stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RequestState {
    /// Slots are open.
    Open,
    /// It was approved and performed.
    Done,
    /// An approver said no.
    Rejected,
    /// The requester took it back.
    Withdrawn,
    /// Nobody decided in time.
    Expired,
    /// It was approved, but was not allowed any more, or what it rests on had changed.
    Refused,
    /// It was approved and allowed, and could not be done.
    Failed,
}

impl RequestState {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Open, "open"),
        (Self::Done, "done"),
        (Self::Rejected, "rejected"),
        (Self::Withdrawn, "withdrawn"),
        (Self::Expired, "expired"),
        (Self::Refused, "refused"),
        (Self::Failed, "failed"),
    ];

    /// As it is stored and spelled.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("open", |(_, text)| text)
    }
}

impl crate::FromCell for RequestState {
    fn from_cell(cell: &Value) -> Option<Self> {
        let text = String::from_cell(cell)?;
        Self::ALL.iter().find(|(_, known)| *known == text).map(|(state, _)| *state)
    }
}

/// A waiting act, as people see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Request {
    /// Its id.
    pub id: RequestId,
    /// The operation.
    pub verb: String,
    /// The node that it is about.
    pub node: NodeId,
    /// Who asked.
    pub requester: ActorId,
    /// The requester's name.
    pub requester_name: String,
    /// What approvers see.
    pub preview: Preview,
    /// Exactly what will be done.
    #[schema(value_type = Object)]
    pub act: Json,
    /// SHA-256 of the stored bytes, in hexadecimal.
    pub digest: String,
    /// Where it stands.
    pub state: RequestState,
    /// Why it stands there.
    pub why: String,
    /// The slots that must be filled.
    pub slots: Vec<Slot>,
    /// The same, with the nodes.
    #[serde(skip)]
    pub(crate) placed: Vec<PlacedSlot>,
    /// The person who stood behind the requester when it was asked.
    #[serde(skip)]
    pub(crate) asked_by: Holder,
    /// The slots that are.
    pub approvals: Vec<Approval>,
    /// When it was asked.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// Until when it can be approved.
    #[schema(value_type = String, format = DateTime)]
    pub deadline: Timestamp,
}

/// A filled slot.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Approval {
    /// The slot.
    pub slot: String,
    /// Who filled it.
    pub actor: ActorId,
    /// The approver's name.
    pub name: String,
    /// What the approver wrote.
    pub opinion: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub given: Timestamp,
    /// The person behind the account.
    #[serde(skip)]
    pub(crate) principal: Holder,
}

/// What the approver will see, from what is true now.
pub(crate) async fn preview(
    inner: &Arc<Inner>,
    tx: &mut Tx<'static>,
    actor: &Actor,
    act: &Arc<dyn ErasedAct>,
) -> Result<Result<Preview, Box<dyn Problem>>, KernelError> {
    // A preview that writes, by a statement that only looks like a question, leaves nothing behind.
    tx.run("SAVEPOINT preview", Vec::new()).await?;
    let seen = act.preview(&mut ReadTx::within(tx, inner.clone(), actor, inner.clock.now())).await;
    tx.run("ROLLBACK TO SAVEPOINT preview", Vec::new()).await?;
    let mut preview = match seen {
        Ok(preview) => preview,
        Err(problem) => return Ok(Err(problem)),
    };
    // The revisions of the targets are a part of what is approved: a change of any of them shows.
    for target in act.targets() {
        if let Some(revision) = revision(tx, &target).await? {
            preview = preview.change("revision of", format!("{} {}", target.kind(), target.id()), revision);
        }
    }
    Ok(Ok(preview))
}

/// The number that grows with every change of an object; for nodes and grants the generation of their row.
async fn revision(tx: &mut Tx<'_>, object: &ObjectRef) -> Result<Option<i64>, DbError> {
    let sql = match object.kind() {
        "tenant" => return Ok(None),
        "node" => "SELECT generation FROM node WHERE node_id = $1",
        "grant" => "SELECT generation FROM grants WHERE grant_id = $1",
        "person" | "service" | "group" => "SELECT generation FROM actor WHERE actor = $1",
        _ => "SELECT revision FROM object WHERE id = $1",
    };
    tx.row(sql, vec![object.id().into()]).await?.map(|row| row.get(0)).transpose()
}

/// A slot, and the node where whoever fills it must hold the role: that of the target whose rule demands it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlacedSlot {
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) node: NodeId,
}

/// A request to be.
pub(crate) struct NewRequest<'a> {
    pub(crate) actor: &'a Actor,
    pub(crate) act: &'a Arc<dyn ErasedAct>,
    pub(crate) preview: Preview,
    pub(crate) slots: Vec<PlacedSlot>,
    pub(crate) node: NodeId,
}

const COLUMNS: &str = "request_id, tenant, node_id, verb, version, act, preview, requester, requester_id, slots, state, \
                       why, created, deadline, output";
/// How many they are.
const WIDTH: usize = 15;

impl NewRequest<'_> {
    pub(crate) async fn store(
        self,
        inner: &Arc<Inner>,
        tx: &mut Tx<'static>,
        (now, rights): (Timestamp, (i64, Total)),
    ) -> Result<RequestId, KernelError> {
        let id = RequestId::new(now, &*inner.entropy);
        let json = |value: Result<Vec<u8>, serde_json::Error>| value.map_err(KernelError::Stored);
        let deadline = now.saturating_add(DEADLINE).unwrap_or(now);
        let act = self.act.content().map_err(KernelError::Stored)?;
        let cells = vec![
            Value::text(id),
            Value::text(self.actor.tenant),
            Value::text(self.node),
            self.act.verb().as_str().into(),
            i64::from(self.act.version()).into(),
            json(serde_json::to_vec(&act))?.into(),
            json(serde_json::to_vec(&self.preview))?.into(),
            json(serde_json::to_vec(&(self.actor, principal(inner, self.actor.id))))?.into(),
            Value::text(self.actor.id),
            serde_json::to_string(&self.slots).map_err(KernelError::Stored)?.into(),
            "open".into(),
            "waits for approval".into(),
            now.into(),
            deadline.into(),
            Vec::new().into(),
        ];
        write(inner, tx, cells).await?;
        let mut lent = WriteTx::new(tx, inner, (self.actor, now), rights);
        lent.register(&id.into(), self.node, Some(self.actor.id)).await?;
        lent.remind("approval-deadline", &id.into(), deadline).await?;
        Ok(id)
    }
}

/// Writes a request's row with its MAC.
async fn write(inner: &Inner, tx: &mut Tx<'_>, mut cells: Vec<Value>) -> Result<(), DbError> {
    let id = cells.first().cloned().into_iter().collect();
    let before = tx.row("SELECT mac FROM waiting WHERE request_id = $1", id).await?;
    let before = before.map(|row| row.get::<Vec<u8>>(0)).transpose()?;
    let mac = inner.keys.seal_own("waiting", &cells);
    WAITING.count(tx, &inner.keys, before.as_deref(), &mac).await?;
    cells.push(mac.into());
    let places: Vec<String> = (1..=cells.len()).map(|place| format!("${place}")).collect();
    let sql = format!(
        "INSERT INTO waiting ({COLUMNS}, mac) VALUES ({}) ON CONFLICT (request_id) DO UPDATE SET
         state = excluded.state, why = excluded.why, output = excluded.output, mac = excluded.mac",
        places.join(", "),
    );
    tx.run(sql, cells).await.map(|_| ())
}

/// A request's row, verified.
async fn find(inner: &Inner, tx: &mut Tx<'_>, tenant: TenantId, id: RequestId) -> Result<Row, KernelError> {
    let sql = format!("SELECT {COLUMNS}, mac FROM waiting WHERE request_id = $1 AND tenant = $2");
    let row = tx.row(sql, vec![Value::text(id), Value::text(tenant)]).await?.ok_or(KernelError::NotFound)?;
    inner.keys.check_own("waiting", row.cells(WIDTH), &row.get::<Vec<u8>>(WIDTH)?)?;
    Ok(row)
}

async fn approvals(inner: &Inner, tx: &mut Tx<'_>, id: RequestId) -> Result<Vec<Approval>, KernelError> {
    let sql = "SELECT request_id, slot, tenant, actor, principal, opinion, given, mac FROM approval
               WHERE request_id = $1 ORDER BY given";
    let mut found = Vec::new();
    for row in tx.rows(sql, vec![Value::text(id)]).await? {
        inner.keys.check_own("approval", row.cells(7), &row.get::<Vec<u8>>(7)?)?;
        let actor: ActorId = row.get(3)?;
        let name = inner.index().known.get(&Holder::Actor(actor)).map(|known| known.name.clone());
        found.push(Approval {
            slot: row.get(1)?,
            actor,
            name: name.unwrap_or_else(|| actor.to_string()),
            opinion: row.get(5)?,
            given: row.get(6)?,
            principal: row.get(4)?,
        });
    }
    Ok(found)
}

/// A request as people see it, from its row.
pub(crate) async fn view(
    inner: &Inner,
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: RequestId,
) -> Result<Request, KernelError> {
    let row = find(inner, tx, tenant, id).await?;
    let stored = |bytes: &[u8]| serde_json::from_slice::<Json>(bytes).map_err(KernelError::Stored);
    let act: Vec<u8> = row.get(5)?;
    let placed = slots(&row)?;
    let requester_id: ActorId = row.get(8)?;
    let name = inner.index().known.get(&Holder::Actor(requester_id)).map(|known| known.name.clone());
    Ok(Request {
        id,
        verb: row.get(3)?,
        node: row.get(2)?,
        requester: requester_id,
        requester_name: name.unwrap_or_else(|| requester_id.to_string()),
        preview: serde_json::from_slice(&row.get::<Vec<u8>>(6)?).map_err(KernelError::Stored)?,
        act: stored(&act)?,
        digest: digest(&act).iter().map(|byte| format!("{byte:02x}")).collect(),
        state: row.get(10)?,
        why: row.get(11)?,
        slots: placed.iter().map(|slot| Slot { name: slot.name.clone(), role: slot.role.clone() }).collect(),
        placed,
        asked_by: requester(&row)?.1,
        approvals: approvals(inner, tx, id).await?,
        created: row.get(12)?,
        deadline: row.get(13)?,
    })
}

/// Who asked, and which person stood behind the account then.
fn requester(row: &Row) -> Result<(Actor, Holder), KernelError> {
    serde_json::from_slice(&row.get::<Vec<u8>>(7)?).map_err(KernelError::Stored)
}

fn slots(row: &Row) -> Result<Vec<PlacedSlot>, KernelError> {
    serde_json::from_str(&row.get::<String>(9)?).map_err(KernelError::Stored)
}

/// Runs a request whose slots are all filled. What comes of it stands in the request and in the record; only a
/// database that fails is an error here.
pub(crate) async fn run(inner: &Arc<Inner>, tenant: TenantId, id: RequestId) -> Result<(), KernelError> {
    let mut tx = inner.db.read().await?;
    let row = find(inner, &mut tx, tenant, id).await?;
    let approvals = approvals(inner, &mut tx, id).await?;
    drop(tx);
    let key = (row.get::<String>(3)?, row.get::<i64>(4)?);
    let restore =
        inner.acts.iter().find(|((verb, version), _)| **verb == *key.0 && i64::from(*version) == key.1);
    let (_, restore) =
        restore.ok_or_else(|| KernelError::UnknownVerb(format!("{} (version {})", key.0, key.1)))?;
    let act: Arc<dyn ErasedAct> = Arc::from(restore(&row.get::<Vec<u8>>(5)?).map_err(KernelError::Stored)?);
    let (mut actor, _) = requester(&row)?;
    actor.origin.request = id.to_string();
    actor.origin.idempotency_key = None;
    let approved = Approved { id, slots: slots(&row)?, approvals };
    match perform(inner, &actor, &act, Settle::Approved(approved)).await {
        Ok(_) => {}
        Err(problem) => tracing::info!(request = %id, why = %problem, "an approved act did not run"),
    }
    Ok(())
}

/// Takes a request to its end.
async fn decide(
    inner: &Inner,
    tx: &mut Tx<'static>,
    id: RequestId,
    (state, why, output): (&str, &str, Vec<u8>),
) -> Result<(), KernelError> {
    let sql = format!("SELECT {COLUMNS} FROM waiting WHERE request_id = $1");
    let row = tx.row(sql, vec![Value::text(id)]).await?.ok_or(KernelError::NotFound)?;
    let mut cells = row.cells(10).to_vec();
    cells.extend([
        state.into(),
        why.into(),
        row.get::<i64>(12)?.into(),
        row.get::<i64>(13)?.into(),
        output.into(),
    ]);
    // If this transaction is not committed, the request is refused here without need; it never runs in error.
    if state != "done" {
        inner.seen().decided.insert(id);
    }
    Ok(write(inner, tx, cells).await?)
}

/// Whether the actor holds the role that a slot demands, where it demands it.
fn holds(inner: &Inner, actor: ActorId, slot: &PlacedSlot, now: Timestamp) -> bool {
    let index = inner.index();
    let held = index.held(actor, slot.node, now);
    held.iter()
        .any(|(_, _, held)| index.roles.get(usize::from(held.role)).is_some_and(|role| *role == slot.role))
}

/// Runs the requests whose last slot was filled and that have not run: the server ended in between.
pub(crate) async fn resume(inner: &Arc<Inner>) -> Result<(), DbError> {
    let sql = "SELECT w.request_id, w.tenant FROM waiting w WHERE w.state = 'open'
               AND EXISTS (SELECT 1 FROM approval a WHERE a.request_id = w.request_id)";
    let open = inner.db.read().await?.rows(sql, Vec::new()).await?;
    for row in open {
        let (id, tenant): (RequestId, TenantId) = (row.get(0)?, row.get(1)?);
        let request = { view(inner, &mut inner.db.read().await?, tenant, id).await };
        match request {
            Ok(request) if request.approvals.len() == request.placed.len() => {
                if let Err(error) = run(inner, tenant, id).await {
                    tracing::error!(request = %id, %error, "an approved act could not be run");
                }
            }
            Ok(_) => {}
            Err(error) => tracing::error!(request = %id, %error, "a waiting request cannot be read"),
        }
    }
    Ok(())
}

/// The person behind an account.
fn principal(inner: &Inner, actor: ActorId) -> Holder {
    let holder = Holder::Actor(actor);
    inner.index().known.get(&holder).map_or(holder, |known| known.principal)
}
