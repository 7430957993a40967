//! The Merkle tree over the records of acts, on the disk: RFC 6962, in the layout of C2SP tlog-tiles.
//!
//! Record N is leaf N - 1; the leaf is the record's bytes. Below the folder lie `tile/...`, the `checkpoint` (a signed note
//! with the size, the root and the time), and `sealed/DAY`, each checkpoint of a day as a line of base64, so that also the
//! minutes in which nothing happened are told. A *witness* is a copy of the checkpoint on other storage: it knows how far
//! the log had come, whatever happens to this machine.

mod anew;
mod fault;
mod files;
mod history;
mod open;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use garrison_base::Timestamp;
use garrison_transparency::{
    Checkpoint, Evidence, Hash, Note, ReadError, Signer, TileId, TileWriter, Verifier, inclusion, leaf_hash,
    root_of,
};

pub use anew::remake;
pub use fault::{Fault, Kind, TreeError};
use files::Folder;
pub use open::{Witnessed, witnessed};

/// Leaves whose tiles are held before they are written, also where nothing is sealed meanwhile.
const HELD: u64 = 1 << 16;
/// Tiles that are held while many records are proven: 8 KiB each.
const HELD_TILES: usize = 1 << 10;
/// The folder of all checkpoints.
const SEALED: &str = "sealed";

/// How a tree is opened.
#[derive(Debug)]
pub struct TreeOptions {
    /// Its folder.
    pub dir: PathBuf,
    /// Who signs; its name is the origin of the log.
    pub signer: Signer,
    /// Files elsewhere that hold the last checkpoint.
    pub witnesses: Vec<PathBuf>,
}

/// The tree.
#[derive(Debug)]
pub struct Tree {
    folder: Folder,
    signer: Signer,
    witnesses: Vec<PathBuf>,
    writer: TileWriter,
    /// The size of the tree whose tiles are on the disk.
    written: u64,
    sealed: Option<(Checkpoint, Note)>,
}

/// That records are in the log, all under one checkpoint.
#[derive(Debug)]
pub struct Proven {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The same, signed.
    pub note: Note,
    /// For each record its siblings on the way to the root, from below.
    pub ways: Vec<Vec<Hash>>,
}

/// A checkpoint that was made.
#[derive(Debug)]
pub struct Sealed {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// Witnesses that could not be told, and why: what one has that knows more, or something else, is left as it is. They are
    /// asked again the next time.
    pub untold: Vec<(PathBuf, String)>,
}

impl Tree {
    /// How many records it has.
    pub fn size(&self) -> u64 {
        self.writer.size()
    }

    /// How many records the last checkpoint tells of.
    pub fn sealed_size(&self) -> u64 {
        self.sealed.as_ref().map_or(0, |(checkpoint, _)| checkpoint.size)
    }

    /// What others need to check its proofs.
    pub fn verifier(&self) -> &Verifier {
        self.signer.verifier()
    }

    /// The last checkpoint, as it was signed.
    pub fn checkpoint(&self) -> Option<&Note> {
        self.sealed.as_ref().map(|(_, note)| note)
    }

    /// Takes the next record.
    pub fn push(&mut self, record: &[u8]) -> Result<(), TreeError> {
        self.writer.push(leaf_hash(record));
        if self.size() - self.written >= HELD { self.write() } else { Ok(()) }
    }

    /// Seals all that was taken, also where that is nothing new: writes the tiles, then the checkpoint, then tells the
    /// witnesses. What could not be written is written the next time.
    pub fn seal(&mut self, now: Timestamp) -> Result<Sealed, TreeError> {
        self.write()?;
        let mut checkpoint = Checkpoint::new(self.verifier().name(), self.size(), self.writer.root());
        checkpoint.extensions = vec![format!("time {}", now.strftime("%Y-%m-%dT%H:%M:%SZ"))];
        let note = checkpoint.sign(&[&self.signer]).map_err(|error| TreeError::Sign(error.to_string()))?;
        let text = note.to_string();
        self.folder.write("checkpoint", text.as_bytes())?;
        let before = self.sealed.replace((checkpoint.clone(), note));
        let before_text = before.as_ref().map(|(_, note)| note.to_string());
        let told = |witness: &PathBuf| {
            let told = self.tell(witness, before_text.as_deref(), &text);
            told.err().map(|error| (witness.clone(), error))
        };
        let untold = self.witnesses.iter().filter_map(told).collect();
        self.folder.drop_narrow(before.map_or(0, |(before, _)| before.size), checkpoint.size);
        self.folder.append(&format!("{SEALED}/{}", now.strftime("%Y-%m-%d")), &STANDARD.encode(&text))?;
        Ok(Sealed { checkpoint, untold })
    }

    /// Puts the checkpoint in the place of the one that a witness has, which is `before` as a rule. Anything else is compared
    /// first: where its storage was not there at the start, it may know what was rolled back, and must go on telling it.
    fn tell(&self, witness: &Path, before: Option<&str>, text: &str) -> Result<(), String> {
        let known = files::get(witness).map_err(|error| error.to_string())?;
        if let Some(known) = known.filter(|known| Some(known.as_str()) != before) {
            self.follows(&known, witness).map_err(|fault| fault.to_string())?;
        }
        files::put(witness, text.as_bytes()).map_err(|error| error.to_string())
    }

    /// Whether the tree as it is sealed now grew out of what a witness tells.
    fn follows(&self, known: &str, witness: &Path) -> Result<(), TreeError> {
        let (known, _) = open::read(known, self.verifier(), witness)?;
        let place = || witness.display().to_string();
        let size = self.sealed_size();
        if known.size > size {
            let what = format!(
                "it tells of {} records, and {size} are sealed here: it is left as it is",
                known.size
            );
            return Err(Fault::new(Kind::RolledBack, place(), what).into());
        }
        let root = root_of(|id| self.folder.tile(id, size), known.size)
            .map_err(|error| Fault::new(Kind::Unreadable, "the tree", error.to_string()))?;
        if root != known.root {
            let what = format!(
                "it tells of {} records other than those that are kept: it is left as it is",
                known.size
            );
            return Err(Fault::new(Kind::Edited, place(), what).into());
        }
        Ok(())
    }

    /// The ways of records, counted from 1, to the root of the last checkpoint: of those that it has, which must come first.
    pub fn prove_all(&self, seqs: &[u64]) -> Result<Proven, TreeError> {
        let first = seqs.first().copied().unwrap_or_default();
        let (checkpoint, note) = self.sealed.as_ref().ok_or(TreeError::Absent(first))?;
        let mut held: BTreeMap<TileId, Vec<u8>> = BTreeMap::new();
        let mut tiles = |id: TileId| -> io::Result<Vec<u8>> {
            if let Some(tile) = held.get(&id) {
                return Ok(tile.clone());
            }
            if held.len() >= HELD_TILES {
                held.clear();
            }
            let tile = self.folder.tile(id, checkpoint.size)?;
            held.insert(id, tile.clone());
            Ok(tile)
        };
        let mut ways = Vec::with_capacity(seqs.len());
        for seq in seqs.iter().copied().take_while(|seq| (1..=checkpoint.size).contains(seq)) {
            let way = inclusion(&mut tiles, seq - 1, checkpoint.size);
            ways.push(way.map_err(|error| unproven(seq, &error))?);
        }
        Ok(Proven { checkpoint: checkpoint.clone(), note: note.clone(), ways })
    }

    /// The proof that a record, counted from 1, is in the log as the last checkpoint tells it. `extra` goes along; nothing
    /// vouches for it but that the proof holds for the same bytes.
    pub fn prove(&self, seq: u64, extra: Vec<u8>) -> Result<Evidence, TreeError> {
        let sealed = self.sealed.as_ref().filter(|(checkpoint, _)| (1..=checkpoint.size).contains(&seq));
        let (checkpoint, note) = sealed.ok_or(TreeError::Absent(seq))?;
        let tiles = |id: TileId| self.folder.tile(id, checkpoint.size);
        let proof = inclusion(tiles, seq - 1, checkpoint.size).map_err(|error| unproven(seq, &error))?;
        Ok(Evidence { index: seq - 1, proof, extra, checkpoint: note.clone() })
    }

    fn write(&mut self) -> Result<(), TreeError> {
        let tiles = self.writer.take();
        if let Err(error) = self.folder.tiles(&tiles) {
            self.writer.give_back(tiles, self.written);
            return Err(error);
        }
        self.written = self.size();
        Ok(())
    }
}

fn unproven(seq: u64, error: &ReadError<io::Error>) -> Fault {
    Fault::new(Kind::Unreadable, format!("the proof of record {seq}"), error.to_string())
}
