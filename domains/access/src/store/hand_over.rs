use garrison_base::{HandOverId, NodeId, PersonId, SessionId, Timestamp};
use garrison_kernel::{KernelError, ReadTx, Row, Scoped, Tenanted, Value, WriteTx, scoped, tenanted};

use super::{check, get, put};

/// A one-time link that hands a session over.
pub(crate) struct HandOver {
    pub(crate) id: HandOverId,
    pub(crate) node: NodeId,
    pub(crate) person: PersonId,
    /// The session that it was made from.
    pub(crate) session: SessionId,
    pub(crate) tag: Vec<u8>,
    /// Until when it opens something; of one that was used, until when what it opened may live.
    pub(crate) expires: Timestamp,
    pub(crate) state: String,
    /// The session that it opened.
    pub(crate) opened: Option<SessionId>,
}

impl HandOver {
    #[expect(clippy::unnecessary_wraps, reason = "alike for all rows; others hold JSON")]
    fn cells(&self) -> Result<Vec<Value>, KernelError> {
        Ok(vec![
            Value::text(self.id),
            Value::text(self.node),
            Value::text(self.person),
            Value::text(self.session),
            self.tag.clone().into(),
            self.expires.into(),
            Value::text(&self.state),
            Value::maybe(self.opened.as_ref()),
        ])
    }

    fn read(row: &Row) -> Result<Self, KernelError> {
        Ok(Self {
            id: row.get(0)?,
            node: row.get(1)?,
            person: row.get(2)?,
            session: row.get(3)?,
            tag: row.get(4)?,
            expires: row.get(5)?,
            state: row.get(6)?,
            opened: row.get(7)?,
        })
    }
}

/// Writes it, new or changed.
pub(crate) async fn put_hand_over(tx: &mut WriteTx<'_>, row: &HandOver) -> Result<(), KernelError> {
    const PUT: Tenanted = tenanted!(
        "INSERT INTO access_hand_over (hand_over, node_id, person, session, tag, expires, state, opened, mac, tenant)
         VALUES ($2, $3, $4, $5, $6, $7, $8, $9, $10, {tenant})
         ON CONFLICT (hand_over) DO UPDATE SET node_id = excluded.node_id, person = excluded.person, session = excluded.session, tag = excluded.tag, expires = excluded.expires, state = excluded.state, opened = excluded.opened, mac = excluded.mac"
    );
    put(tx, "access_hand_over", PUT, row.cells()?).await
}

/// The one of this id.
pub(crate) async fn hand_over(
    tx: &mut ReadTx<'_>,
    id: &impl ToString,
) -> Result<Option<HandOver>, KernelError> {
    const ONE: Scoped = scoped!(
        "SELECT h.hand_over, h.node_id, h.person, h.session, h.tag, h.expires, h.state, h.opened, h.mac FROM access_hand_over h WHERE {scope:h} AND h.hand_over = $2"
    );
    let row =
        get(tx, "access_hand_over", ONE, Value::text(id.to_string()), |row| HandOver::read(row)?.cells())
            .await?;
    row.as_ref().map(HandOver::read).transpose()
}

/// The sessions that were opened by links from this one; the links are forgotten.
pub(crate) async fn take_opened(
    tx: &mut WriteTx<'_>,
    session: SessionId,
) -> Result<Vec<SessionId>, KernelError> {
    const FROM: Scoped = scoped!(
        "SELECT h.hand_over, h.node_id, h.person, h.session, h.tag, h.expires, h.state, h.opened, h.mac FROM access_hand_over h WHERE {scope:h} AND h.session = $2"
    );
    const FORGET: Tenanted =
        tenanted!("DELETE FROM access_hand_over WHERE tenant = {tenant} AND session = $2");
    let mut reads = tx.read();
    let mut opened = Vec::new();
    for row in reads.rows(FROM, vec![Value::text(session)]).await? {
        check(&reads, "access_hand_over", &row, |row| HandOver::read(row)?.cells())?;
        opened.extend(HandOver::read(&row)?.opened);
    }
    drop(reads);
    tx.run(FORGET, vec![Value::text(session)]).await?;
    Ok(opened)
}

/// Forgets links that have expired.
pub(crate) async fn forget_hand_overs(tx: &mut WriteTx<'_>, now: Timestamp) -> Result<(), KernelError> {
    const FORGET: Tenanted =
        tenanted!("DELETE FROM access_hand_over WHERE tenant = {tenant} AND expires < $2");
    tx.run(FORGET, vec![now.into()]).await.map(|_| ())
}
