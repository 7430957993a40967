//! The questions of `benches/intake_queries.py`, over sealed files and over the same files unsealed.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use garrison_lake::{Ask, Budget, Lake, Question, Scope};
use serde_json::{Map, Value, json};
use tokio::runtime::Builder;

use crate::events::{Lakes, RARE, tenant};
use crate::{cpu, median};

/// How often each is asked, after once that does not count: footers and keys are read then.
const TURNS: usize = 15;
/// That of the server.
const BUDGET: Budget = Budget { time: Duration::from_mins(1), memory: 192 << 20, disk: 4 << 30 };

pub fn measure(lakes: &Lakes) -> anyhow::Result<Value> {
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let (mut each, mut sealed, mut plain) = (Map::new(), Duration::ZERO, Duration::ZERO);
    for (name, sql) in questions() {
        let (own, bare) = runtime.block_on(compare(lakes, &sql)).with_context(|| sql.clone())?;
        each.insert(name.to_owned(), json!({ "sealed_cpu_ms": ms(own), "unsealed_cpu_ms": ms(bare) }));
        sealed += own;
        plain += bare;
    }
    Ok(json!({ "each": each, "ratio": sealed.as_secs_f64() / plain.as_secs_f64() }))
}

fn questions() -> [(&'static str, String); 4] {
    let top = "SELECT \"user\", count(*) AS n FROM logs WHERE \"user\" IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10";
    [
        ("absent ip", "SELECT count(*) AS n FROM logs WHERE src_ip = '198.51.100.77'".to_owned()),
        ("rare word", format!("SELECT count(*) AS n FROM logs WHERE has(raw, '{RARE}')")),
        (
            "histogram",
            "SELECT date_trunc('minute', received) AS t, count(*) AS n FROM logs GROUP BY 1 ORDER BY 1"
                .to_owned(),
        ),
        ("top users", top.to_owned()),
    ]
}

/// The middle of what a question took over the sealed files, and over the others.
async fn compare(lakes: &Lakes, sql: &str) -> anyhow::Result<(Duration, Duration)> {
    let (mut sealed, mut plain) = (Vec::new(), Vec::new());
    for turn in 0..=TURNS {
        let (answer, took) = ask(&lakes.sealed, sql).await?;
        let (same, bare) = ask(&lakes.plain, sql).await?;
        ensure!(answer == same, "the sealed files answer {answer:?}, the others {same:?}");
        if turn > 0 {
            sealed.push(took);
            plain.push(bare);
        }
    }
    Ok((median(sealed), median(plain)))
}

async fn ask(lake: &Arc<Lake>, sql: &str) -> anyhow::Result<(RecordBatch, Duration)> {
    let scope = Scope { tenant: tenant(), nodes: None, from: 0, to: i64::MAX };
    let since = cpu();
    let mut answer = lake.ask(Question { ask: Ask::Sql(sql.to_owned()), scope, budget: BUDGET }, ());
    let mut batches = Vec::new();
    while let Some(batch) = answer.next().await? {
        batches.push(batch);
    }
    let took = cpu().saturating_sub(since);
    let schema = batches.first().context("there is no answer")?.schema();
    Ok((concat_batches(&schema, &batches)?, took))
}

fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e5).round() / 1e2
}
