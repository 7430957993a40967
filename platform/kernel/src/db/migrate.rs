use garrison_base::Timestamp;

use super::{Db, DbError, Value};

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

/// Brings the schema up to date, domain by domain in the given order, each step in a transaction.
pub(crate) async fn migrate(
    db: &Db,
    domains: &[(&'static str, &'static [Migration])],
    now: Timestamp,
) -> Result<(), DbError> {
    let dialect = |sql: &str| if db.is_postgres() { sql.replace(" BLOB", " BYTEA") } else { sql.to_owned() };
    let (mut tx, turn) = db.write_schema().await?;
    tx.script(&dialect(LEDGER)).await?;
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
            tx.script(&dialect(step.sql)).await?;
            let row = vec![
                (*domain).into(),
                step.version.into(),
                garrison_secrets::digest(step.sql.as_bytes()).into(),
                Value::from(now),
            ];
            tx.run("INSERT INTO migration (domain, version, digest, applied) VALUES ($1, $2, $3, $4)", row)
                .await?;
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
