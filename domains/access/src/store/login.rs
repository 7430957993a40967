use garrison_base::{InvitationId, LoginId, NodeId, PersonId, Timestamp};
use garrison_kernel::{KernelError, ReadTx, Row, Scoped, Tenanted, Value, WriteTx, scoped, tenanted};

use super::{get, json, put};

use crate::model::{BEGUN, SessionKind, Stage};

/// A login under way: all its steps hang on this.
pub(crate) struct Login {
    pub(crate) id: LoginId,
    pub(crate) node: NodeId,
    pub(crate) tag: Vec<u8>,
    pub(crate) person: Option<PersonId>,
    pub(crate) claimed: String,
    pub(crate) invitation: Option<InvitationId>,
    pub(crate) kind: SessionKind,
    pub(crate) source: String,
    pub(crate) stage: Stage,
    pub(crate) expires: Timestamp,
}

impl Login {
    fn cells(&self) -> Result<Vec<Value>, KernelError> {
        Ok(vec![
            Value::text(self.id),
            Value::text(self.node),
            self.tag.clone().into(),
            Value::maybe(self.person.as_ref()),
            Value::text(&self.claimed),
            Value::maybe(self.invitation.as_ref()),
            json(&self.kind)?.into(),
            Value::text(&self.source),
            json(&self.stage)?.into(),
            self.expires.into(),
        ])
    }

    fn read(row: &Row) -> Result<Self, KernelError> {
        Ok(Self {
            id: row.get(0)?,
            node: row.get(1)?,
            tag: row.get(2)?,
            person: row.get(3)?,
            claimed: row.get(4)?,
            invitation: row.get(5)?,
            kind: serde_json::from_str(&row.get::<String>(6)?).map_err(KernelError::Stored)?,
            source: row.get(7)?,
            stage: serde_json::from_str(&row.get::<String>(8)?).map_err(KernelError::Stored)?,
            expires: row.get(9)?,
        })
    }
}

/// Writes it, new or changed.
pub(crate) async fn put_login(tx: &mut WriteTx<'_>, row: &Login) -> Result<(), KernelError> {
    const PUT: Tenanted = tenanted!(
        "INSERT INTO access_login (login, node_id, tag, person, claimed, invitation, kind, source, stage, expires, mac, tenant)
         VALUES ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, {tenant})
         ON CONFLICT (login) DO UPDATE SET node_id = excluded.node_id, tag = excluded.tag, person = excluded.person, claimed = excluded.claimed, invitation = excluded.invitation, kind = excluded.kind, source = excluded.source, stage = excluded.stage, expires = excluded.expires, mac = excluded.mac"
    );
    put(tx, "access_login", PUT, row.cells()?).await
}

/// The one of this id.
pub(crate) async fn login(tx: &mut ReadTx<'_>, id: &impl ToString) -> Result<Option<Login>, KernelError> {
    const ONE: Scoped = scoped!(
        "SELECT l.login, l.node_id, l.tag, l.person, l.claimed, l.invitation, l.kind, l.source, l.stage, l.expires, l.mac FROM access_login l WHERE {scope:l} AND l.login = $2"
    );
    let row =
        get(tx, "access_login", ONE, Value::text(id.to_string()), |row| Login::read(row)?.cells()).await?;
    row.as_ref().map(Login::read).transpose()
}

/// The person of a name, who may log in or not.
pub(crate) async fn person_named(tx: &mut ReadTx<'_>, name: &str) -> Result<Option<PersonId>, KernelError> {
    const ONE: Scoped = scoped!("SELECT p.person FROM directory_person p WHERE {scope:p} AND p.name = $2");
    let row = tx.row(ONE, vec![name.into()]).await?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

/// All persons, with their names.
pub(crate) async fn persons(tx: &mut ReadTx<'_>) -> Result<Vec<(PersonId, String)>, KernelError> {
    const ALL: Scoped = scoped!("SELECT p.person, p.name FROM directory_person p WHERE {scope:p}");
    let rows = tx.rows(ALL, Vec::new()).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// The name of a person.
pub(crate) async fn name_of(tx: &mut ReadTx<'_>, person: PersonId) -> Result<String, KernelError> {
    const ONE: Scoped = scoped!("SELECT p.name FROM directory_person p WHERE {scope:p} AND p.person = $2");
    let row = tx.row(ONE, vec![Value::text(person)]).await?.ok_or(KernelError::NotFound)?;
    Ok(row.get(0)?)
}

/// The full name of a person.
pub(crate) async fn full_name_of(tx: &mut ReadTx<'_>, person: PersonId) -> Result<String, KernelError> {
    const ONE: Scoped =
        scoped!("SELECT p.full_name FROM directory_person p WHERE {scope:p} AND p.person = $2");
    let row = tx.row(ONE, vec![Value::text(person)]).await?.ok_or(KernelError::NotFound)?;
    Ok(row.get(0)?)
}

/// Until when a source that has begun too many logins must wait, if it has.
pub(crate) async fn begun_too_often(
    tx: &mut ReadTx<'_>,
    source: &str,
) -> Result<Option<Timestamp>, KernelError> {
    const COUNT: Scoped = scoped!(
        "SELECT COUNT(*), MIN(l.expires) FROM access_login l WHERE {scope:l} AND l.source = $2 AND l.expires > $3"
    );
    let now = tx.now();
    let row = tx.row(COUNT, vec![source.into(), now.into()]).await?.ok_or(KernelError::NotFound)?;
    if row.get::<i64>(0)? < BEGUN { Ok(None) } else { Ok(row.get(1)?) }
}
