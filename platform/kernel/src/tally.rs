//! Rows that carry a MAC and are counted as a whole, but that no decision is made from: objects, requests,
//! approvals. Their sums find what a single MAC cannot: a row that is missing, or an older one put back.

use crate::authz::rows::Total;
use crate::db::{DbError, Tx, Value};
use crate::keys::Keys;

/// A counted table: its name and its columns but for the MAC.
pub(crate) struct Counted {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static str,
    /// How many columns they are.
    pub(crate) width: usize,
}

pub(crate) static OBJECT: Counted =
    Counted { name: "object", columns: "id, kind, tenant, node_id, owner, revision", width: 6 };
pub(crate) static WAITING: Counted = Counted {
    name: "waiting",
    columns: "request_id, tenant, node_id, verb, version, act, preview, requester, requester_id, slots, state, why, \
              created, deadline, output",
    width: 15,
};
pub(crate) static APPROVAL: Counted = Counted {
    name: "approval",
    columns: "request_id, slot, tenant, actor, principal, opinion, given",
    width: 7,
};

static ALL: [&Counted; 3] = [&OBJECT, &WAITING, &APPROVAL];

impl Counted {
    fn tag(&self, keys: &Keys, total: Total) -> Vec<u8> {
        keys.seal_own("tally", &[self.name.into(), total.0.into()])
    }

    async fn total(&self, tx: &mut Tx<'_>, keys: &Keys) -> Result<Total, DbError> {
        let tampered = || DbError::Tampered { table: self.name, row: "its sum".into() };
        let row = tx.row("SELECT total, mac FROM tally WHERE name = $1", vec![self.name.into()]).await?;
        let row = row.ok_or_else(tampered)?;
        let total = Total(row.get::<Vec<u8>>(0)?.try_into().map_err(|_| tampered())?);
        let fits = garrison_secrets::same(&self.tag(keys, total), &row.get::<Vec<u8>>(1)?);
        if fits { Ok(total) } else { Err(tampered()) }
    }

    /// Notes that a row has come, or has another MAC now.
    pub(crate) async fn count(
        &self,
        tx: &mut Tx<'_>,
        keys: &Keys,
        before: Option<&[u8]>,
        after: &[u8],
    ) -> Result<(), DbError> {
        let mut total = self.total(tx, keys).await?;
        if let Some(before) = before {
            total.subtract(before);
        }
        total.add(after);
        let args = vec![self.name.into(), total.0.into(), self.tag(keys, total).into()];
        tx.run("UPDATE tally SET total = $2, mac = $3 WHERE name = $1", args).await.map(|_| ())
    }

    async fn verify(&self, tx: &mut Tx<'_>, keys: &Keys) -> Result<(), DbError> {
        let expected = self.total(tx, keys).await?;
        let mut found = Total::default();
        for row in tx.rows(format!("SELECT {}, mac FROM {}", self.columns, self.name), Vec::new()).await? {
            let mac: Vec<u8> = row.get(self.width)?;
            let tag = keys.seal_own(self.name, row.cells(self.width));
            if !garrison_secrets::same(&tag, &mac) {
                let key = row.get::<String>(0).unwrap_or_default();
                return Err(DbError::Tampered { table: self.name, row: key });
            }
            found.add(&tag);
        }
        if found == expected {
            return Ok(());
        }
        let row = "the whole: a row is missing, or an older one was put back".into();
        Err(DbError::Tampered { table: self.name, row })
    }
}

/// The first sums, when the database is made.
pub(crate) async fn first(tx: &mut Tx<'_>, keys: &Keys) -> Result<(), DbError> {
    for table in ALL {
        let none = Total::default();
        let args: Vec<Value> = vec![table.name.into(), none.0.into(), table.tag(keys, none).into()];
        tx.run("INSERT INTO tally (name, total, mac) VALUES ($1, $2, $3)", args).await?;
    }
    Ok(())
}

/// Reads all of them again, and compares.
pub(crate) async fn verify(tx: &mut Tx<'_>, keys: &Keys) -> Result<(), DbError> {
    for table in ALL {
        table.verify(tx, keys).await?;
    }
    for (table, rows) in [("authz_head", 1_i64), ("log_head", 1), ("tally", 3)] {
        let count = tx.row(format!("SELECT COUNT(*) FROM {table}"), Vec::new()).await?;
        if count.map(|row| row.get::<i64>(0)).transpose()? != Some(rows) {
            return Err(DbError::Tampered { table, row: "one that does not belong there".into() });
        }
    }
    Ok(())
}
