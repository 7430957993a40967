use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use garrison_base::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Db, DbError, Tx, Value};

/// One step of a domain's schema. Forward only; never changed once released.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Counted from 1, without gaps, in each domain.
    pub version: i64,
    /// SQL that both databases accept; `BLOB` is written `BYTEA` on `PostgreSQL`.
    pub sql: &'static str,
}

const LEDGER: &str = "CREATE TABLE IF NOT EXISTS migration (
    domain TEXT NOT NULL, version BIGINT NOT NULL, digest BLOB NOT NULL, applied BIGINT NOT NULL,
    PRIMARY KEY (domain, version)
)";
const LIST: &str = "INSERT INTO migration (domain, version, digest, applied) VALUES ($1, $2, $3, $4)";

/// A step that was applied, as the ledger has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Applied {
    pub(super) domain: String,
    pub(super) version: i64,
    /// SHA-256 of its text, in base64.
    pub(super) digest: String,
    /// When, in microseconds since 1970.
    pub(super) at: i64,
}

/// What the ledger has, in order.
pub(super) async fn applied(tx: &mut Tx<'_>) -> Result<Vec<Applied>, DbError> {
    let sql = "SELECT domain, version, digest, applied FROM migration ORDER BY domain, version";
    let read = |row: &super::Row| {
        let digest = STANDARD.encode(row.get::<Vec<u8>>(2)?);
        Ok(Applied { domain: row.get(0)?, version: row.get(1)?, digest, at: row.get(3)? })
    };
    tx.rows(sql, Vec::new()).await?.iter().map(read).collect()
}

/// Makes an empty database what one was to which exactly these steps were applied, ledger and all.
pub(super) async fn raise(
    tx: &mut Tx<'_>,
    domains: &[(&'static str, &'static [Migration])],
    applied: &[Applied],
) -> Result<(), DbError> {
    let postgres = tx.is_postgres();
    tx.script(&dialect(LEDGER, postgres)).await?;
    if let Some(unknown) =
        applied.iter().find(|step| domains.iter().all(|(domain, _)| step.domain != *domain))
    {
        return Err(DbError::Failed(format!(
            "the state has a part `{}` that this program does not know: it is of another Garrison, start that one",
            unknown.domain
        )));
    }
    for (domain, steps) in domains {
        let of_domain: Vec<&Applied> = applied.iter().filter(|step| step.domain == *domain).collect();
        let mut rows = Vec::new();
        for step in &of_domain {
            let digest = STANDARD.decode(&step.digest).unwrap_or_default();
            rows.push(super::Row::of(vec![step.version.into(), digest.into()]));
        }
        refuse_foreign(domain, steps, &rows)?;
        for (step, was) in steps.iter().zip(of_domain) {
            tx.script(&dialect(step.sql, postgres)).await?;
            let digest = garrison_secrets::digest(step.sql.as_bytes());
            let row = vec![(*domain).into(), step.version.into(), digest.into(), was.at.into()];
            tx.run(LIST, row).await?;
        }
    }
    Ok(())
}

fn dialect(sql: &str, postgres: bool) -> String {
    if postgres { sql.replace(" BLOB", " BYTEA") } else { sql.to_owned() }
}

/// Brings the schema up to date, domain by domain in the given order, each step in a transaction.
pub(crate) async fn migrate(
    db: &Db,
    domains: &[(&'static str, &'static [Migration])],
    now: Timestamp,
) -> Result<(), DbError> {
    let postgres = db.is_postgres();
    let (mut tx, turn) = db.write_schema().await?;
    tx.script(&dialect(LEDGER, postgres)).await?;
    tx.commit().await?;
    drop(turn);
    for (domain, steps) in domains {
        let (mut tx, _turn) = db.write_schema().await?;
        let applied = tx
            .rows(
                "SELECT version, digest FROM migration WHERE domain = $1 ORDER BY version",
                vec![(*domain).into()],
            )
            .await?;
        refuse_foreign(domain, steps, &applied)?;
        for step in steps.iter().skip(applied.len()) {
            tx.script(&dialect(step.sql, postgres)).await?;
            let row = vec![
                (*domain).into(),
                step.version.into(),
                garrison_secrets::digest(step.sql.as_bytes()).into(),
                Value::from(now),
            ];
            tx.run(LIST, row).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

/// What is applied must be the beginning of what this program knows.
fn refuse_foreign(domain: &str, steps: &[Migration], applied: &[super::Row]) -> Result<(), DbError> {
    if applied.len() > steps.len() {
        return Err(DbError::Failed(format!(
            "the data was written by a newer Garrison: {domain} is at version {}, this program knows {}; start the newer one",
            applied.len(),
            steps.len(),
        )));
    }
    for (step, row) in steps.iter().zip(applied) {
        let same = row.get::<i64>(0)? == step.version
            && row.get::<Vec<u8>>(1)? == garrison_secrets::digest(step.sql.as_bytes());
        if !same {
            return Err(DbError::Failed(format!(
                "migration {} of {domain} is not the one that was applied; the data belongs to another build",
                step.version,
            )));
        }
    }
    Ok(())
}
