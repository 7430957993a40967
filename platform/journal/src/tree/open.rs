//! Opening: everything that was sealed is made again from the records, and must be the same.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use garrison_transparency::{Checkpoint, Hash, Note, Tile, TileId, TileWriter, Verifier, leaf_hash};

use super::files::{self, Folder};
use super::{Fault, HELD, Kind, SEALED, Tree, TreeError, TreeOptions};

/// A checkpoint that the records must lead to.
struct Claim {
    /// Where it is.
    place: PathBuf,
    checkpoint: Checkpoint,
    /// A witness: what it knows and we do not was rolled back.
    elsewhere: bool,
}

impl Tree {
    /// Opens the tree of these records, which are all that are kept, from the first on.
    pub fn open(
        options: TreeOptions,
        records: impl Iterator<Item = Result<Vec<u8>, String>>,
    ) -> Result<Self, TreeError> {
        let TreeOptions { dir, signer, witnesses } = options;
        let folder = Folder::make(dir)?;
        let own = folder.read("checkpoint")?;
        let own = own.map(|text| read(&text, signer.verifier(), &folder.0.join("checkpoint"))).transpose()?;
        let mut claims = claims(&witnesses, signer.verifier())?;
        match &own {
            Some((checkpoint, _)) => claims.push(Claim {
                place: folder.0.join("checkpoint"),
                checkpoint: checkpoint.clone(),
                elsewhere: false,
            }),
            // It is written before the first line of what was sealed.
            None if folder.0.join(SEALED).exists() || !claims.is_empty() => {
                let place = folder.0.join("checkpoint").display().to_string();
                let what = "the checkpoint is gone; put it back from a copy";
                return Err(Fault::new(Kind::Deleted, place, what).into());
            }
            None => {}
        }
        let sealed = own.as_ref().map_or(0, |(checkpoint, _)| checkpoint.size);
        let mut tree = Self { folder, signer, witnesses, writer: TileWriter::new(), written: 0, sealed: own };
        tree.follow(records, claims, sealed)?;
        Ok(tree)
    }

    fn follow(
        &mut self,
        records: impl Iterator<Item = Result<Vec<u8>, String>>,
        mut claims: Vec<Claim>,
        sealed: u64,
    ) -> Result<(), TreeError> {
        claims.sort_by_key(|claim| claim.checkpoint.size);
        let mut claims = claims.into_iter().peekable();
        let mut records = records.peekable();
        loop {
            let size = self.size();
            if size == sealed || (size < sealed && size - self.written >= HELD) {
                self.compare(sealed)?;
            }
            while let Some(claim) = claims.next_if(|claim| claim.checkpoint.size == size) {
                self.agree(&claim)?;
            }
            let Some(record) = records.next() else { break };
            self.writer.push(leaf_hash(&record.map_err(TreeError::Records)?));
        }
        let Some(claim) = claims.next() else { return Ok(()) };
        if self.size() < sealed {
            // A record that is missing in the middle moves those behind it; that says more than that one is missing.
            self.compare(sealed)?;
        }
        Err(self.beyond(&claim).into())
    }

    /// Compares the tiles that were made from the records with those on the disk.
    fn compare(&mut self, sealed: u64) -> Result<(), TreeError> {
        let tiles = self.writer.take();
        for tile in &tiles {
            self.compare_tile(tile, &tiles, sealed)?;
        }
        self.written = self.size();
        Ok(())
    }

    fn compare_tile(&self, tile: &Tile, tiles: &[Tile], sealed: u64) -> Result<(), TreeError> {
        let path = self.folder.path(tile.id, sealed);
        let stored = match fs::read(&path) {
            Ok(stored) => stored,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let what = "the tile is gone; put it back from a copy";
                return Err(Fault::new(Kind::Deleted, path.display().to_string(), what).into());
            }
            Err(error) => return Err(TreeError::io(&path)(error)),
        };
        // The sealed tree may have more of it.
        if stored.starts_with(&tile.bytes) {
            return Ok(());
        }
        if tile.id.level() > 0 {
            let what = "the tile is not what the records give; remove it, or put it back from a copy";
            return Err(Fault::new(Kind::Edited, path.display().to_string(), what).into());
        }
        let differs = |pair: (&[u8], &[u8])| pair.0 != pair.1;
        let place = stored.chunks(32).zip(tile.bytes.chunks(32)).position(differs);
        let index = tile.id.index() * 256 + place.unwrap_or(stored.len() / 32) as u64;
        let kind = self.difference(index, tiles, sealed);
        let what = match kind {
            Kind::Deleted => "the record that was sealed is gone, and the next one stands in its place",
            Kind::Reordered => "another record that was sealed stands in its place",
            _ => "it is not the record that was sealed",
        };
        let what = format!("{what}, by {}", path.display());
        Err(Fault::new(kind, format!("record {}", index + 1), what).into())
    }

    /// What was done at the first leaf that is not the sealed one. `tiles` are those that were made from the records.
    fn difference(&self, index: u64, tiles: &[Tile], sealed: u64) -> Kind {
        let kept = |index: u64| {
            let has = |tile: &&Tile| (tile.id.level(), tile.id.index()) == (0, index / 256);
            tiles.iter().find(has).and_then(|tile| leaf(&tile.bytes, index))
        };
        let was = |index: u64| leaf(&self.leaves(index / 256, sealed)?, index);
        let Some(here) = kept(index) else { return Kind::Edited };
        // Where two neighbours were exchanged, the next one stands here too, but this one behind it.
        if was(index + 1) == Some(here) && kept(index + 1) != was(index) {
            return Kind::Deleted;
        }
        let mut stored = (0..sealed.div_ceil(256)).filter_map(|tile| self.leaves(tile, sealed));
        let moved = stored.any(|leaves| leaves.chunks(32).any(|leaf| leaf == here));
        if moved { Kind::Reordered } else { Kind::Edited }
    }

    /// The leaves of a tile of the sealed tree; nothing where they cannot be read.
    fn leaves(&self, tile: u64, sealed: u64) -> Option<Vec<u8>> {
        let id = TileId::in_tree(sealed, 0, tile)?;
        self.folder.tile(id, sealed).ok()
    }

    fn agree(&self, claim: &Claim) -> Result<(), TreeError> {
        if claim.checkpoint.root == self.writer.root() {
            return Ok(());
        }
        let size = claim.checkpoint.size;
        let what = format!("it tells of {size} records other than those that are kept");
        Err(Fault::new(Kind::Edited, claim.place.display().to_string(), what).into())
    }

    /// The records end before what was sealed.
    fn beyond(&self, claim: &Claim) -> Fault {
        let (size, sealed) = (self.size(), claim.checkpoint.size);
        let own = self.sealed.as_ref().is_some_and(|(own, _)| own.size >= sealed);
        let kind = if claim.elsewhere && !own { Kind::RolledBack } else { Kind::Truncated };
        let what = format!(
            "{} tells of {sealed} records, and {size} are kept: put the newer state back",
            claim.place.display()
        );
        Fault::new(kind, format!("record {}", size + 1), what)
    }
}

/// The leaf of this number in the tile that it belongs to.
fn leaf(tile: &[u8], index: u64) -> Option<Hash> {
    let (leaves, _) = tile.as_chunks::<32>();
    leaves.get(usize::try_from(index % 256).ok()?).copied()
}

/// What a witness knows.
#[derive(Debug, Clone)]
pub struct Witnessed {
    /// Where it is.
    pub place: PathBuf,
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The same, as it was signed.
    pub note: String,
}

/// What witnesses know, where each is there and was told something: for whoever puts an older state back on purpose. What
/// is no checkpoint of this log is an error, and so is one that cannot be read.
pub fn witnessed(witnesses: &[PathBuf], key: &Verifier) -> Result<Vec<Witnessed>, TreeError> {
    let mut known = Vec::new();
    for witness in witnesses {
        if let Some(text) = files::get(witness).map_err(TreeError::io(witness))? {
            let (checkpoint, note) = read(&text, key, witness)?;
            known.push(Witnessed { place: witness.clone(), checkpoint, note: note.to_string() });
        }
    }
    Ok(known)
}

/// What witnesses tell. One that tells nothing yet is new, or its storage is not there.
fn claims(witnesses: &[PathBuf], key: &Verifier) -> Result<Vec<Claim>, TreeError> {
    let mut claims = Vec::new();
    for witness in witnesses {
        match files::get(witness) {
            Ok(Some(text)) => {
                let (checkpoint, _) = read(&text, key, witness)?;
                claims.push(Claim { place: witness.clone(), checkpoint, elsewhere: true });
            }
            Ok(None) => {
                tracing::warn!(witness = %witness.display(), "the witness has no checkpoint: it is new, or its storage is not there");
            }
            Err(error) => {
                tracing::warn!(witness = %witness.display(), %error, "the witness cannot be read");
            }
        }
    }
    Ok(claims)
}

/// A checkpoint of this log, as it was signed.
pub(super) fn read(text: &str, key: &Verifier, place: &Path) -> Result<(Checkpoint, Note), TreeError> {
    let parsed = Note::parse(text).map_err(|error| error.to_string());
    let read = parsed.and_then(|note| {
        let checkpoint = Checkpoint::verify(&note, key).map_err(|error| error.to_string())?;
        Ok((checkpoint, note))
    });
    read.map_err(|what| Fault::new(Kind::Edited, place.display().to_string(), what).into())
}
