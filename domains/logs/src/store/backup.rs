//! Backups that were made.

use garrison_base::{BackupId, Line};
use garrison_kernel::{
    Act, KernelError, Permit, ReadTx, Row, Scoped, Tenanted, Value, WriteTx, scoped, tenanted,
};

use crate::acts::ForgetBackup;
use crate::backup::{KnownBackup, NotedBackup};

/// Notes a backup; one that is known already stays as it is.
pub(crate) async fn add_backup<A: Act>(
    tx: &mut WriteTx<'_>,
    permit: &Permit<A>,
    new: &NotedBackup,
) -> Result<(), KernelError> {
    const ADD: Tenanted = tenanted!(
        "INSERT INTO logs_backup (tenant, backup_id, node_id, made, expires, place, records, held)
         VALUES ({tenant}, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant, backup_id) DO NOTHING"
    );
    let held = serde_json::to_string(&new.keys).map_err(KernelError::Stored)?;
    let args = vec![
        Value::text(new.backup),
        Value::text(permit.node()),
        new.made.into(),
        new.expires.into(),
        new.place.as_str().into(),
        i64::try_from(new.records).unwrap_or(i64::MAX).into(),
        held.into(),
    ];
    tx.run(ADD, args).await.map(|_| ())
}

/// Notes that a backup is gone; tells whether it was thought to be there.
pub(crate) async fn forget_backup(
    tx: &mut WriteTx<'_>,
    permit: &Permit<ForgetBackup>,
    backup: BackupId,
) -> Result<bool, KernelError> {
    const FORGET: Tenanted = tenanted!(
        "UPDATE logs_backup SET forgotten = $3 WHERE tenant = {tenant} AND backup_id = $2 AND forgotten IS NULL"
    );
    Ok(tx.run(FORGET, vec![Value::text(backup), permit.now().into()]).await? == 1)
}

/// The backups of the reader's tenant, the newest first.
pub(crate) async fn backups(tx: &mut ReadTx<'_>) -> Result<Vec<KnownBackup>, KernelError> {
    const ALL: Scoped = scoped!(
        "SELECT b.backup_id, b.made, b.expires, b.place, b.records, b.held, b.forgotten
         FROM logs_backup b WHERE {scope:b} ORDER BY b.backup_id DESC"
    );
    let read = |row: &Row| {
        let place: String = row.get(3)?;
        let held: String = row.get(5)?;
        let noted = NotedBackup {
            backup: row.get(0)?,
            made: row.get(1)?,
            expires: row.get(2)?,
            place: place.parse::<Line>().map_err(|error| KernelError::Invalid(error.to_string()))?,
            records: u64::try_from(row.get::<i64>(4)?).unwrap_or(0),
            keys: serde_json::from_str(&held).map_err(KernelError::Stored)?,
        };
        Ok(KnownBackup { noted, forgotten: row.get(6)? })
    };
    tx.rows(ALL, Vec::new()).await?.iter().map(read).collect()
}
