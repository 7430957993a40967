//! A tree that is made again from the records alone, as a backup is put back: tiles never say more than the records do.

use std::fs;

use garrison_transparency::{Checkpoint, TileWriter, leaf_hash};

use super::files::Folder;
use super::open::read;
use super::{Fault, HELD, Kind, TreeError, TreeOptions};

/// Makes the tiles of a checkpoint again, in a folder that has none, and puts the checkpoint beside them. The records, from
/// the first on, must lead to exactly what was signed: so they are those that were sealed, and none is missing.
pub fn remake(
    options: &TreeOptions,
    note: &str,
    records: impl Iterator<Item = Result<Vec<u8>, String>>,
) -> Result<Checkpoint, TreeError> {
    fs::create_dir_all(&options.dir).map_err(TreeError::io(&options.dir))?;
    let folder = Folder(options.dir.clone());
    let (checkpoint, _) = read(note, options.signer.verifier(), &options.dir.join("checkpoint"))?;
    let mut writer = TileWriter::new();
    let wanted = usize::try_from(checkpoint.size).unwrap_or(usize::MAX);
    for record in records.take(wanted) {
        writer.push(leaf_hash(&record.map_err(TreeError::Records)?));
        if writer.size().is_multiple_of(HELD) {
            folder.tiles(&writer.take())?;
        }
    }
    if writer.size() < checkpoint.size {
        let what = format!("the checkpoint tells of {} records", checkpoint.size);
        return Err(Fault::new(Kind::Truncated, format!("record {}", writer.size() + 1), what).into());
    }
    if writer.root() != checkpoint.root {
        let what = format!("the {} records lead to another root than the checkpoint tells", checkpoint.size);
        return Err(Fault::new(Kind::Edited, "the records", what).into());
    }
    folder.tiles(&writer.take())?;
    folder.write("checkpoint", note.as_bytes())?;
    Ok(checkpoint)
}
