//! Sealing what the records' log holds, again and again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use garrison_base::Timestamp;
use garrison_transparency::{Checkpoint, Evidence, Verifier, leaf_hash, verify_inclusion};

use crate::tree::{Proven, Sealed, Tree, TreeError, TreeOptions};
use crate::{Fault, Kind, Records};

/// The tree of the records, kept up with them.
pub struct Sealer {
    records: Arc<Records>,
    tree: Mutex<Tree>,
}

impl Sealer {
    /// Opens the tree of these records: everything that was sealed must be there as it was.
    pub fn open(options: TreeOptions, records: Arc<Records>) -> Result<Self, TreeError> {
        let tree = Tree::open(options, records.bytes_from(1))?;
        Ok(Self { records, tree: Mutex::new(tree) })
    }

    /// Takes what is new and seals, also where nothing is. Blocks on files.
    pub fn seal(&self, now: Timestamp) -> Result<Sealed, TreeError> {
        let mut tree = self.tree();
        let next = tree.size() + 1;
        for record in self.records.bytes_from(next) {
            tree.push(&record.map_err(TreeError::Records)?)?;
        }
        tree.seal(now)
    }

    /// The proof that a record, whose bytes are known, is in the log. Seals first where it is not sealed yet. Blocks on
    /// files.
    pub fn prove(&self, seq: u64, record: &[u8], now: Timestamp) -> Result<Evidence, TreeError> {
        let proven = self.tree().prove(seq, record.to_vec());
        let evidence = match proven {
            Err(TreeError::Absent(_)) => {
                self.seal(now)?;
                self.tree().prove(seq, record.to_vec())?
            }
            proven => proven?,
        };
        // What is handed out holds: the database may have told another record than the one that was sealed.
        let checked = evidence.check(record, self.tree().verifier());
        checked.map_err(|error| Fault::new(Kind::Edited, format!("record {seq}"), error.to_string()))?;
        Ok(evidence)
    }

    /// That records, whose numbers and bytes are known, in the order of the log, are in it: all under one checkpoint, and
    /// of those only that it has, which is every record that stood in the journal before this was called. Blocks on files.
    pub fn prove_all(&self, records: &[(u64, Vec<u8>)], now: Timestamp) -> Result<Proven, TreeError> {
        let last = records.last().map_or(0, |(seq, _)| *seq);
        if self.tree().sealed_size() < last {
            self.seal(now)?;
        }
        let seqs: Vec<u64> = records.iter().map(|(seq, _)| *seq).collect();
        let proven = self.tree().prove_all(&seqs)?;
        let Checkpoint { size, root, .. } = &proven.checkpoint;
        for ((seq, record), way) in records.iter().zip(&proven.ways) {
            let held = verify_inclusion(&leaf_hash(record), seq - 1, *size, way, root);
            held.map_err(|error| Fault::new(Kind::Edited, format!("record {seq}"), error.to_string()))?;
        }
        Ok(proven)
    }

    /// The last checkpoint as it was signed, and the key that it verifies under.
    pub fn checkpoint(&self) -> (Option<String>, Verifier) {
        let tree = self.tree();
        (tree.checkpoint().map(ToString::to_string), tree.verifier().clone())
    }

    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Sealer").finish_non_exhaustive()
    }
}
