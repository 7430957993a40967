//! The database, and what is in it.

use garrison_kernel::DbError;

use super::Check;
use crate::config::{Config, Engine};
use crate::machine::wait;
use crate::serve;

const NAME: &str = "database";

/// What was found in it.
struct Found {
    records: i64,
    tenants: usize,
}

/// The database can be reached, its schema is this program's, and nothing in it was changed by hand.
pub fn check(config: &Config) -> Check {
    if serve::keys(config).is_err() {
        return Check::warn(NAME, "not looked at: that needs the keys", "put the root key right first");
    }
    if let Some(Engine::Sqlite(file)) = config.engine()
        && !file.exists()
    {
        let what = format!("there is no database {}", file.display());
        return Check::fail(NAME, what, "`garrison init` makes one; else put it back from its backup");
    }
    match wait(look(config)) {
        Ok(Found { tenants: 0, .. }) => {
            let fix = "`garrison tenant create NAME` founds one";
            Check::warn(NAME, "there is no tenant, so that nobody can log in", fix)
        }
        Ok(Found { records, tenants }) => {
            let what = format!("verified: schema, rows, {records} audit records; tenants: {tenants}");
            Check::ok(NAME, what)
        }
        Err(error) => Check::fail(NAME, format!("{error:#}"), fix(config, &error)),
    }
}

async fn look(config: &Config) -> anyhow::Result<Found> {
    let (kernel, _) = serve::open(config).await?;
    let (records, tenants) = (kernel.verify().await, kernel.tenants().await);
    kernel.close().await;
    Ok(Found { records: records?, tenants: tenants?.len() })
}

fn fix(config: &Config, error: &anyhow::Error) -> &'static str {
    let tampered = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref(), Some(DbError::Tampered { .. }))
    };
    if error.chain().any(tampered) {
        return "is `keys.dir` that of this database? Else somebody wrote to it: find out who can, and put it \
                back from the last backup that verifies";
    }
    match config.engine() {
        Some(Engine::Postgres(_)) => {
            "is PostgreSQL running, are address and password right? `garrison config show --origin` tells \
             where the address comes from"
        }
        _ => "the file and its folder must be writable for the user of the server",
    }
}
