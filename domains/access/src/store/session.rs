use garrison_base::{NodeId, PersonId, SessionId, Timestamp};
use garrison_kernel::{KernelError, ReadTx, Row, Scoped, Tenanted, Value, WriteTx, scoped, tenanted};

use super::{check, get, json, put};
use crate::model::SessionKind;

/// A session.
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) node: NodeId,
    pub(crate) person: PersonId,
    pub(crate) kind: SessionKind,
    pub(crate) tag: Vec<u8>,
    pub(crate) tag_before: Vec<u8>,
    pub(crate) renewed: Timestamp,
    pub(crate) idle_until: Timestamp,
    pub(crate) absolute_until: Timestamp,
    pub(crate) created: Timestamp,
    pub(crate) address: String,
    pub(crate) agent: String,
    pub(crate) state: String,
}

impl Session {
    fn cells(&self) -> Result<Vec<Value>, KernelError> {
        Ok(vec![
            Value::text(self.id),
            Value::text(self.node),
            Value::text(self.person),
            json(&self.kind)?.into(),
            self.tag.clone().into(),
            self.tag_before.clone().into(),
            self.renewed.into(),
            self.idle_until.into(),
            self.absolute_until.into(),
            self.created.into(),
            Value::text(&self.address),
            Value::text(&self.agent),
            Value::text(&self.state),
        ])
    }

    fn read(row: &Row) -> Result<Self, KernelError> {
        Ok(Self {
            id: row.get(0)?,
            node: row.get(1)?,
            person: row.get(2)?,
            kind: serde_json::from_str(&row.get::<String>(3)?).map_err(KernelError::Stored)?,
            tag: row.get(4)?,
            tag_before: row.get(5)?,
            renewed: row.get(6)?,
            idle_until: row.get(7)?,
            absolute_until: row.get(8)?,
            created: row.get(9)?,
            address: row.get(10)?,
            agent: row.get(11)?,
            state: row.get(12)?,
        })
    }
}

/// Writes it, new or changed.
pub(crate) async fn put_session(tx: &mut WriteTx<'_>, row: &Session) -> Result<(), KernelError> {
    const PUT: Tenanted = tenanted!(
        "INSERT INTO access_session (session, node_id, person, kind, tag, tag_before, renewed, idle_until, absolute_until, created, address, agent, state, mac, tenant)
         VALUES ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, {tenant})
         ON CONFLICT (session) DO UPDATE SET node_id = excluded.node_id, person = excluded.person, kind = excluded.kind, tag = excluded.tag, tag_before = excluded.tag_before, renewed = excluded.renewed, idle_until = excluded.idle_until, absolute_until = excluded.absolute_until, created = excluded.created, address = excluded.address, agent = excluded.agent, state = excluded.state, mac = excluded.mac"
    );
    put(tx, "access_session", PUT, row.cells()?).await
}

/// The one of this id.
pub(crate) async fn session(tx: &mut ReadTx<'_>, id: &impl ToString) -> Result<Option<Session>, KernelError> {
    const ONE: Scoped = scoped!(
        "SELECT s.session, s.node_id, s.person, s.kind, s.tag, s.tag_before, s.renewed, s.idle_until, s.absolute_until, s.created, s.address, s.agent, s.state, s.mac FROM access_session s WHERE {scope:s} AND s.session = $2"
    );
    let row = get(tx, "access_session", ONE, Value::text(id.to_string()), |row| Session::read(row)?.cells())
        .await?;
    row.as_ref().map(Session::read).transpose()
}

/// The sessions of a person that are active.
pub(crate) async fn sessions_of(tx: &mut ReadTx<'_>, person: &str) -> Result<Vec<Session>, KernelError> {
    const ALL: Scoped = scoped!(
        "SELECT s.session, s.node_id, s.person, s.kind, s.tag, s.tag_before, s.renewed, s.idle_until, s.absolute_until,
             s.created, s.address, s.agent, s.state, s.mac
         FROM access_session s WHERE {scope:s} AND s.person = $2 AND s.state = 'active' AND s.absolute_until > $3
         ORDER BY s.session DESC LIMIT 500"
    );
    let now = tx.now();
    let rows = tx.rows(ALL, vec![person.into(), now.into()]).await?;
    rows.iter()
        .map(|row| {
            check(tx, "access_session", row, |row| Session::read(row)?.cells())?;
            Session::read(row)
        })
        .collect()
}

/// Ends the sessions of a person, but for one; tells how many. A row that was changed by hand ends like the others.
pub(crate) async fn end_sessions(
    tx: &mut WriteTx<'_>,
    person: PersonId,
    but: Option<SessionId>,
) -> Result<u64, KernelError> {
    const END: Tenanted =
        tenanted!("DELETE FROM access_session WHERE tenant = {tenant} AND person = $2 AND session <> $3");
    let but = but.map_or_else(String::new, |session| session.to_string());
    tx.run(END, vec![Value::text(person), but.into()]).await
}
