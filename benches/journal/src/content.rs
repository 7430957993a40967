//! Verifying, as `garrison audit verify` does it: by the same functions, on one thread.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use garrison_base::Timestamp;
use garrison_journal::{Tree, TreeOptions};
use garrison_transparency::Signer;
use serde_json::{Value, json};

use crate::events::Lakes;
use crate::{cpu, median};

/// How often each is verified, after once that does not count: then the files are in memory, and the disk is not measured.
const TURNS: usize = 5;
const RECORDS: usize = 100_000;
/// Bytes of a record of an act, about.
const RECORD: usize = 600;

/// The files of the lake: length, SHA-256, and that every segment opens.
pub fn files(lakes: &Lakes) -> anyhow::Result<Value> {
    let mut bytes = 0;
    let took = turns(|| {
        bytes = 0;
        for file in &lakes.files {
            bytes += garrison_lake::check(&lakes.sealed_dir, file, &*lakes.keys)?;
        }
        Ok(())
    })?;
    Ok(json!({ "files": lakes.files.len(), "bytes": bytes, "mb_per_cpu_second": rate(bytes, took) }))
}

/// Records, made into their tree again and compared with its tiles and its checkpoint.
pub fn records(dir: &Path) -> anyhow::Result<Value> {
    let records: Vec<Vec<u8>> =
        (0..RECORDS).map(|number| format!("{number:0>RECORD$}").into_bytes()).collect();
    let mut tree = open(dir, &[])?;
    records.iter().try_for_each(|record| tree.push(record))?;
    tree.seal(Timestamp::UNIX_EPOCH)?;
    drop(tree);
    let took = turns(|| {
        let tree = open(dir, &records)?;
        ensure!(tree.sealed_size() == RECORDS as u64, "the checkpoint is of {} records", tree.sealed_size());
        Ok(())
    })?;
    let bytes = (RECORDS * RECORD) as u64;
    Ok(json!({ "records": RECORDS, "bytes": bytes, "mb_per_cpu_second": rate(bytes, took) }))
}

fn open(dir: &Path, records: &[Vec<u8>]) -> anyhow::Result<Tree> {
    let signer = Signer::from_seed("bench.example/acts", &[7; 32])?;
    let options = TreeOptions { dir: dir.join("tree"), signer, witnesses: Vec::new() };
    Ok(Tree::open(options, records.iter().cloned().map(Ok))?)
}

fn turns(mut verify: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    verify()?;
    let mut times = Vec::new();
    for _ in 0..TURNS {
        let since = cpu();
        verify()?;
        times.push(cpu().saturating_sub(since));
    }
    Ok(median(times))
}

/// Millions of bytes for each second.
fn rate(bytes: u64, took: Duration) -> f64 {
    (bytes as f64 / 1e6 / took.as_secs_f64()).round()
}
