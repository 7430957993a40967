use garrison_base::{NodeId, PersonId, Timestamp};
use garrison_kernel::{KernelError, ReadTx, Row, Scoped, Tenanted, Value, WriteTx, scoped, tenanted};

use super::{get, json, put};

/// What proves a person.
pub(crate) struct Credential {
    pub(crate) person: PersonId,
    pub(crate) node: NodeId,
    pub(crate) password: String,
    pub(crate) totp: Vec<u8>,
    pub(crate) totp_step: i64,
    pub(crate) recovery: Vec<String>,
    pub(crate) changed: Timestamp,
}

impl Credential {
    fn cells(&self) -> Result<Vec<Value>, KernelError> {
        Ok(vec![
            Value::text(self.person),
            Value::text(self.node),
            Value::text(&self.password),
            self.totp.clone().into(),
            self.totp_step.into(),
            json(&self.recovery)?.into(),
            self.changed.into(),
        ])
    }

    fn read(row: &Row) -> Result<Self, KernelError> {
        Ok(Self {
            person: row.get(0)?,
            node: row.get(1)?,
            password: row.get(2)?,
            totp: row.get(3)?,
            totp_step: row.get(4)?,
            recovery: serde_json::from_str(&row.get::<String>(5)?).map_err(KernelError::Stored)?,
            changed: row.get(6)?,
        })
    }
}

/// Writes it, new or changed.
pub(crate) async fn put_credential(tx: &mut WriteTx<'_>, row: &Credential) -> Result<(), KernelError> {
    const PUT: Tenanted = tenanted!(
        "INSERT INTO access_credential (person, node_id, password, totp, totp_step, recovery, changed, mac, tenant)
         VALUES ($2, $3, $4, $5, $6, $7, $8, $9, {tenant})
         ON CONFLICT (person) DO UPDATE SET node_id = excluded.node_id, password = excluded.password, totp = excluded.totp, totp_step = excluded.totp_step, recovery = excluded.recovery, changed = excluded.changed, mac = excluded.mac"
    );
    put(tx, "access_credential", PUT, row.cells()?).await
}

/// The one of this id.
pub(crate) async fn credential(
    tx: &mut ReadTx<'_>,
    id: &impl ToString,
) -> Result<Option<Credential>, KernelError> {
    const ONE: Scoped = scoped!(
        "SELECT c.person, c.node_id, c.password, c.totp, c.totp_step, c.recovery, c.changed, c.mac FROM access_credential c WHERE {scope:c} AND c.person = $2"
    );
    let row =
        get(tx, "access_credential", ONE, Value::text(id.to_string()), |row| Credential::read(row)?.cells())
            .await?;
    row.as_ref().map(Credential::read).transpose()
}

/// Whether anybody in the tenant can log in.
pub(crate) async fn any_credential(tx: &mut ReadTx<'_>) -> Result<bool, KernelError> {
    const ANY: Scoped = scoped!("SELECT c.person FROM access_credential c WHERE {scope:c} LIMIT 1");
    Ok(tx.row(ANY, Vec::new()).await?.is_some())
}
