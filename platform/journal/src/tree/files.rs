//! The files of a tree.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use garrison_transparency::{Tile, TileId};

use super::TreeError;
use crate::segment::sync_dir;

#[derive(Debug)]
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    /// The folder, made where it is missing, so that it stays.
    pub(super) fn make(dir: PathBuf) -> Result<Self, TreeError> {
        fs::create_dir_all(&dir).map_err(TreeError::io(&dir))?;
        if let Some(above) = dir.parent().filter(|above| !above.as_os_str().is_empty()) {
            sync_dir(above).map_err(TreeError::io(above))?;
        }
        Ok(Self(dir))
    }

    /// Writes tiles, and waits until they are on the disk. Written again they are the same: a tile never changes.
    pub(super) fn tiles(&self, tiles: &[Tile]) -> Result<(), TreeError> {
        let mut folders = BTreeSet::new();
        for tile in tiles {
            let path = self.0.join(tile.id.path());
            let folder = path.parent().unwrap_or(&self.0).to_owned();
            fs::create_dir_all(&folder).map_err(TreeError::io(&folder))?;
            let write = || {
                let mut file = File::create(&path)?;
                file.write_all(&tile.bytes)?;
                file.sync_data()
            };
            write().map_err(TreeError::io(&path))?;
            folders.extend(
                folder.ancestors().take_while(|above| above.starts_with(&self.0)).map(Path::to_owned),
            );
        }
        folders.iter().try_for_each(|folder| sync_dir(folder).map_err(TreeError::io(folder)))
    }

    /// Where a tree of `size` leaves has a tile: as wide as it is there.
    pub(super) fn path(&self, id: TileId, size: u64) -> PathBuf {
        self.0.join(TileId::in_tree(size, id.level(), id.index()).unwrap_or(id).path())
    }

    /// The hashes of a tile, from the one that a tree of `size` leaves has.
    pub(super) fn tile(&self, id: TileId, size: u64) -> io::Result<Vec<u8>> {
        let mut bytes = fs::read(self.path(id, size))?;
        bytes.truncate(usize::from(id.width()) * 32);
        Ok(bytes)
    }

    /// What stands in a file; nothing where there is none.
    pub(super) fn read(&self, name: &str) -> Result<Option<String>, TreeError> {
        let path = self.0.join(name);
        get(&path).map_err(TreeError::io(&path))
    }

    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), TreeError> {
        let path = self.0.join(name);
        put(&path, bytes).map_err(TreeError::io(&path))
    }

    /// Adds a line to a file.
    pub(super) fn append(&self, name: &str, line: &str) -> Result<(), TreeError> {
        let path = self.0.join(name);
        let folder = path.parent().unwrap_or(&self.0);
        let write = || {
            fs::create_dir_all(folder)?;
            let mut file = OpenOptions::new().create(true).read(true).append(true).open(&path)?;
            let before = whole_lines(&mut file)?;
            file.set_len(before)?;
            let written = file.write_all(format!("{line}\n").as_bytes()).and_then(|()| file.sync_data());
            if written.is_err() {
                // A part of a line would spoil the next one.
                let _ = file.set_len(before);
            } else if before == 0 {
                sync_dir(folder)?;
                sync_dir(&self.0)?;
            }
            written
        };
        write().map_err(TreeError::io(&path))
    }

    /// Removes partial tiles of a smaller tree that wider ones took the place of. What stays harms nobody.
    pub(super) fn drop_narrow(&self, from: u64, to: u64) {
        let levels = (0_u8..).map_while(|level| Some((level, from.checked_shr(u32::from(level) * 8)?)));
        for (level, hashes) in levels {
            let last = |size| TileId::in_tree(size, level, hashes / 256);
            if let Some(old) = last(from).filter(|old| !old.is_full() && last(to) != Some(*old)) {
                let path = self.0.join(old.path());
                let _ = fs::remove_file(&path);
                // The folder of a tile that is full now is empty; others stay.
                let _ = path.parent().map(fs::remove_dir);
            }
        }
    }
}

/// How many bytes of a file are whole lines: a process that ended while it wrote one left a part behind.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    /// A line is much shorter.
    const END: u64 = 1 << 16;
    let length = file.metadata()?.len();
    let from = length.saturating_sub(END);
    file.seek(SeekFrom::Start(from))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    let cut = end.iter().rev().take_while(|byte| **byte != b'\n').count();
    Ok(length - cut as u64)
}

/// What stands in a file; nothing where there is none. Long files are none of ours.
pub(super) fn get(path: &Path) -> io::Result<Option<String>> {
    const MOST: u64 = 1 << 20;
    match fs::metadata(path) {
        Ok(found) if found.len() > MOST => Err(io::Error::other("it is longer than a checkpoint can be")),
        Ok(_) => fs::read(path).map(|bytes| Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts bytes in the place of a file, all or nothing.
pub(super) fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
    let aside = path.with_added_extension("new");
    let mut file = File::create(&aside)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    fs::rename(&aside, path)?;
    sync_dir(folder)
}
