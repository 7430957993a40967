use garrison_base::{InvitationId, NodeId, PersonId, Timestamp};
use garrison_kernel::{KernelError, ReadTx, Row, Scoped, Tenanted, Value, WriteTx, scoped, tenanted};

use super::{get, put};

/// A one-time link: for a person, or for whoever is the first administrator.
pub(crate) struct Invitation {
    pub(crate) id: InvitationId,
    pub(crate) node: NodeId,
    pub(crate) person: Option<PersonId>,
    pub(crate) tag: Vec<u8>,
    pub(crate) expires: Timestamp,
    pub(crate) state: String,
}

impl Invitation {
    #[expect(clippy::unnecessary_wraps, reason = "alike for all rows; others hold JSON")]
    fn cells(&self) -> Result<Vec<Value>, KernelError> {
        Ok(vec![
            Value::text(self.id),
            Value::text(self.node),
            Value::maybe(self.person.as_ref()),
            self.tag.clone().into(),
            self.expires.into(),
            Value::text(&self.state),
        ])
    }

    fn read(row: &Row) -> Result<Self, KernelError> {
        Ok(Self {
            id: row.get(0)?,
            node: row.get(1)?,
            person: row.get(2)?,
            tag: row.get(3)?,
            expires: row.get(4)?,
            state: row.get(5)?,
        })
    }
}

/// Writes it, new or changed.
pub(crate) async fn put_invitation(tx: &mut WriteTx<'_>, row: &Invitation) -> Result<(), KernelError> {
    const PUT: Tenanted = tenanted!(
        "INSERT INTO access_invitation (invitation, node_id, person, tag, expires, state, mac, tenant)
         VALUES ($2, $3, $4, $5, $6, $7, $8, {tenant})
         ON CONFLICT (invitation) DO UPDATE SET node_id = excluded.node_id, person = excluded.person, tag = excluded.tag, expires = excluded.expires, state = excluded.state, mac = excluded.mac"
    );
    put(tx, "access_invitation", PUT, row.cells()?).await
}

/// The one of this id.
pub(crate) async fn invitation(
    tx: &mut ReadTx<'_>,
    id: &impl ToString,
) -> Result<Option<Invitation>, KernelError> {
    const ONE: Scoped = scoped!(
        "SELECT i.invitation, i.node_id, i.person, i.tag, i.expires, i.state, i.mac FROM access_invitation i WHERE {scope:i} AND i.invitation = $2"
    );
    let row =
        get(tx, "access_invitation", ONE, Value::text(id.to_string()), |row| Invitation::read(row)?.cells())
            .await?;
    row.as_ref().map(Invitation::read).transpose()
}

/// Forgets every link of a person that was not used, links that hand a session over among them, and every login that
/// is under way: whatever somebody has begun with what counted before.
pub(crate) async fn drop_ways_in(tx: &mut WriteTx<'_>, person: PersonId) -> Result<(), KernelError> {
    const LINKS: Tenanted =
        tenanted!("DELETE FROM access_invitation WHERE tenant = {tenant} AND person = $2 AND state = 'open'");
    const HAND_OVERS: Tenanted =
        tenanted!("DELETE FROM access_hand_over WHERE tenant = {tenant} AND person = $2");
    const LOGINS: Tenanted = tenanted!("DELETE FROM access_login WHERE tenant = {tenant} AND person = $2");
    for statement in [LINKS, HAND_OVERS, LOGINS] {
        tx.run(statement, vec![Value::text(person)]).await?;
    }
    Ok(())
}
