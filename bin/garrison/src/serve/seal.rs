//! Sealing the record while the server runs.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use garrison_base::{Clock as _, SystemClock};
use garrison_journal::{Records, Sealer, TreeError, TreeOptions};
use garrison_secrets::RootKey;
use garrison_transparency::Signer;
use tokio_util::sync::CancellationToken;

use crate::config::Config;

/// So often there is a checkpoint, also where nothing happened.
const EACH: Duration = Duration::from_secs(30);

/// Opens the tree over the records.
pub fn open(config: &Config, keys: &RootKey, records: Arc<Records>) -> anyhow::Result<Arc<Sealer>> {
    let sealer = Sealer::open(options(config, keys)?, records).context(
        "what was sealed and what is kept differ, so the server does not start; `garrison audit verify` tells more",
    )?;
    Ok(Arc::new(sealer))
}

/// Where the tree is, and who signs. The name of the log follows from the keys, so that it stays when they move.
///
/// A witness lies beside the records too: where the folder of the tree is gone and nothing is kept elsewhere, it tells that
/// there was a tree.
pub fn options(config: &Config, keys: &RootKey) -> anyhow::Result<TreeOptions> {
    let tag = keys.mac("journal/origin").tag(&[]);
    let id: String = tag.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let signer = Signer::from_seed(&format!("garrison/{id}"), &keys.seed("journal/checkpoint"))?;
    let data = &config.data.dir;
    let mut witnesses = vec![data.join("journal/checkpoint")];
    witnesses.extend(config.journal.witnesses.iter().cloned());
    Ok(TreeOptions { dir: data.join("tree"), signer, witnesses })
}

/// Seals until the server stops, and once more then.
pub async fn run(sealer: Arc<Sealer>, stop: CancellationToken) {
    loop {
        let last = stop.is_cancelled();
        let now = sealer.clone();
        let sealed = tokio::task::spawn_blocking(move || now.seal(SystemClock.now())).await;
        match sealed {
            Ok(Ok(sealed)) => {
                #[expect(clippy::cast_precision_loss, reason = "a gauge; records are far below 2^53")]
                metrics::gauge!("garrison_sealed_records").set(sealed.checkpoint.size as f64);
                for (witness, error) in sealed.untold {
                    metrics::counter!("garrison_witness_failures_total").increment(1);
                    tracing::error!(witness = %witness.display(), error, "a witness could not be told of the checkpoint");
                }
            }
            Ok(Err(error)) => failed(&error),
            Err(error) => tracing::error!(%error, "sealing broke off"),
        }
        if last {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(EACH) => {}
        }
    }
}

fn failed(error: &TreeError) {
    metrics::counter!("garrison_seal_failures_total").increment(1);
    tracing::error!(%error, "the record could not be sealed; it is tried again");
}
