//! Tiles: the tree cut into pieces of 256 hashes that never change once they are full.
//!
//! A tile of level 0 holds hashes of leaves, one of level l + 1 the roots of full tiles of level l. The nodes within a
//! tile are not kept: they follow from its hashes.

use std::fmt;

use crate::decimal::decimal;

/// Hashes of a full tile.
pub(crate) const FULL: u16 = 256;
/// Levels of the tree from one level of tiles to the next.
pub(crate) const HEIGHT: u8 = 8;
/// Levels of tiles that trees of fewer than 2^64 entries have.
pub(crate) const LEVELS: usize = 8;

/// What the format allows, though no tree of ours reaches it.
const HIGHEST_LEVEL: u8 = 63;
/// More than the longest path, which has 47 bytes.
const MOST_PATH: usize = 64;

/// Which tile, and how much of it. They order by level, then from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    level: u8,
    index: u64,
    width: u16,
}

/// A text that is not the path of a tile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TilePathError {
    /// Longer than any path of a tile.
    #[error("a path of {0} bytes is longer than any tile's")]
    Long(usize),
    /// Not of this form at all.
    #[error("{0:?} is not the path of a tile, which is tile/LEVEL/INDEX or tile/LEVEL/INDEX.p/WIDTH")]
    Form(String),
    /// The level.
    #[error("{0:?} is not the level of a tile: a number from 0 to 63 without leading zeros")]
    Level(String),
    /// The index.
    #[error("{0:?} is not the index of a tile: three digits at a time, such as x001/x234/067")]
    Index(String),
    /// The width.
    #[error("{0:?} is not the width of a partial tile: a number from 1 to 255 without leading zeros")]
    Width(String),
}

impl TileId {
    /// `None` unless the level is at most 63 and the width from 1 to 256.
    pub fn new(level: u8, index: u64, width: u16) -> Option<Self> {
        (level <= HIGHEST_LEVEL && (1..=FULL).contains(&width)).then_some(Self { level, index, width })
    }

    /// The tile as wide as a tree of `size` entries has it; `None` where it has none.
    pub fn in_tree(size: u64, level: u8, index: u64) -> Option<Self> {
        let before = index.checked_mul(FULL.into())?;
        let hashes = nodes(size, level).checked_sub(before)?;
        Self::new(level, index, u16::try_from(hashes).map_or(FULL, |hashes| hashes.min(FULL)))
    }

    /// Reads a path, as [`TileId::path`] writes it.
    pub fn parse(path: &str) -> Result<Self, TilePathError> {
        if path.len() > MOST_PATH {
            return Err(TilePathError::Long(path.len()));
        }
        let (level, rest) = path
            .strip_prefix("tile/")
            .and_then(|rest| rest.split_once('/'))
            .ok_or_else(|| TilePathError::Form(path.to_owned()))?;
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => {
                (index, partial(width).ok_or_else(|| TilePathError::Width(width.to_owned()))?)
            }
            None => (rest, FULL),
        };
        let level = decimal::<u8>(level)
            .filter(|level| *level <= HIGHEST_LEVEL)
            .ok_or_else(|| TilePathError::Level(level.to_owned()))?;
        let index = parse_index(index).ok_or_else(|| TilePathError::Index(index.to_owned()))?;
        Ok(Self { level, index, width })
    }

    /// The path below the log's address, such as `tile/0/x001/x234/067` or `tile/1/000.p/17`.
    pub fn path(&self) -> String {
        self.to_string()
    }

    /// 0 where the hashes are those of leaves.
    pub fn level(&self) -> u8 {
        self.level
    }

    /// Tiles of the same level to the left of it.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Hashes of 32 bytes: from 1 to 256.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Whether nothing can be added to it any more.
    pub fn is_full(&self) -> bool {
        self.width == FULL
    }
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile/{}/{}", self.level, index_path(self.index))?;
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

/// The tiles to be written when a tree grows: the new ones, and those that get wider. None when it does not grow.
pub fn new_tiles(from: u64, to: u64) -> impl Iterator<Item = TileId> {
    (0..).take(LEVELS).flat_map(move |level| {
        let (before, after) = (nodes(from, level), nodes(to, level));
        let first = before / u64::from(FULL);
        let end = if before < after { after.div_ceil(FULL.into()) } else { first };
        (first..end).filter_map(move |index| TileId::in_tree(to, level, index))
    })
}

/// How many hashes the tiles of this level hold, all together, in a tree of `size` entries.
pub(crate) fn nodes(size: u64, level: u8) -> u64 {
    size.checked_shr(u32::from(level) * u32::from(HEIGHT)).unwrap_or(0)
}

/// The place of a node in its tile.
pub(crate) fn place(node: u64) -> u8 {
    let [place, ..] = node.to_le_bytes();
    place
}

fn partial(width: &str) -> Option<u16> {
    decimal::<u16>(width).filter(|width| (1..FULL).contains(width))
}

/// Digits by three, so that no folder has more than a thousand things in it; `x` marks what is not the last.
fn index_path(index: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

fn parse_index(path: &str) -> Option<u64> {
    let mut index = 0_u64;
    for element in path.split('/') {
        let digits = element.strip_prefix('x').unwrap_or(element);
        if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
    }
    // Each number has one path: no zeros in front, and each `x` in its place.
    (index_path(index) == path).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn paths(from: u64, to: u64) -> Vec<String> {
        new_tiles(from, to).map(|id| id.path()).collect()
    }

    #[test]
    fn paths_are_those_of_the_format() {
        for (level, index, width, path) in [
            (0, 1_234_067, 256, "tile/0/x001/x234/067"),
            (0, 0, 1, "tile/0/000.p/1"),
            (1, 999, 255, "tile/1/999.p/255"),
            (2, 1000, 256, "tile/2/x001/000"),
            (63, u64::MAX, 17, "tile/63/x018/x446/x744/x073/x709/x551/615.p/17"),
        ] {
            let id = TileId::new(level, index, width).unwrap();
            assert_eq!((id.path().as_str(), TileId::parse(path)), (path, Ok(id)));
        }
    }

    #[test]
    fn a_path_is_refused_for_what_is_wrong_with_it() {
        let long = "1/".repeat(40);
        let wrong = |path: &str| TileId::parse(path).unwrap_err();
        assert_eq!(wrong(&long), TilePathError::Long(80));
        for path in ["", "tile/0", "/tile/0/000", "tiles/0/000", "tile"] {
            assert_eq!(wrong(path), TilePathError::Form(path.into()));
        }
        for level in ["", "00", "64", "-1", "+1", "entries", "256"] {
            assert_eq!(wrong(&format!("tile/{level}/000")), TilePathError::Level(level.into()));
        }
        for index in [
            "",
            "0",
            "00",
            "0000",
            "x000",
            "x000/001",
            "000/001",
            "x001/x001",
            "x001/001/",
            "/001",
            "+01",
            "x001/01",
            "xx01/001",
            "x018/x446/x744/x073/x709/x551/616",
            "001.p",
            "001.p1",
            "٠٠1",
        ] {
            assert_eq!(wrong(&format!("tile/0/{index}")), TilePathError::Index(index.into()));
        }
        for width in ["", "0", "256", "01", "+1", "1/", "1.p/1", "65537"] {
            assert_eq!(wrong(&format!("tile/0/000.p/{width}")), TilePathError::Width(width.into()));
        }
    }

    #[test]
    fn what_no_tile_is() {
        assert_eq!(TileId::new(64, 0, 1), None);
        assert_eq!(TileId::new(0, 0, 0), None);
        assert_eq!(TileId::new(0, 0, 257), None);
        assert_eq!(TileId::in_tree(256, 0, 1), None);
        assert_eq!(TileId::in_tree(255, 1, 0), None);
        assert_eq!(TileId::in_tree(u64::MAX, 8, 0), None);
        assert_eq!(TileId::in_tree(u64::MAX, 0, u64::MAX), None);
        assert_eq!(TileId::in_tree(u64::MAX, 7, 0), TileId::new(7, 0, 255));
        assert_eq!(TileId::in_tree(u64::MAX, 0, u64::MAX / 256), TileId::new(0, u64::MAX / 256, 255));
    }

    /// The two examples of tlog-tiles.
    #[test]
    fn a_tree_has_the_tiles_of_the_format() {
        assert_eq!(paths(0, 256), ["tile/0/000", "tile/1/000.p/1"]);
        let tiles = paths(0, 70_000);
        assert_eq!(tiles.len(), 273 + 1 + 1 + 1 + 1);
        assert_eq!(tiles[272], "tile/0/272");
        assert_eq!(tiles[273..], ["tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]);
    }

    #[test]
    fn only_what_changes_is_written() {
        assert_eq!(paths(0, 0), [""; 0]);
        assert_eq!(paths(300, 300), [""; 0]);
        assert_eq!(paths(301, 300), [""; 0]);
        assert_eq!(paths(300, 301), ["tile/0/001.p/45"]);
        assert_eq!(paths(511, 512), ["tile/0/001", "tile/1/000.p/2"]);
        assert_eq!(paths(512, 513), ["tile/0/002.p/1"]);
        let largest = new_tiles(u64::MAX - 1, u64::MAX).collect::<Vec<_>>();
        assert_eq!(largest, [TileId::new(0, u64::MAX / 256, 255).unwrap()]);
    }

    proptest! {
        #[test]
        fn paths_read_as_written(level in 0..64u8, digits in 0..64u32, bits in any::<u64>(), width in 1..=256u16) {
            let id = TileId::new(level, bits >> digits, width).unwrap();
            prop_assert_eq!(TileId::parse(&id.path()), Ok(id));
        }

        #[test]
        fn what_is_read_is_written_so(path in "tile/[0-9]{1,2}/(x[0-9]{3}/){0,3}[0-9x]{2,4}(\\.p/[0-9]{0,3})?") {
            if let Ok(id) = TileId::parse(&path) {
                prop_assert_eq!(id.path(), path);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(path in any::<String>()) {
            if let Ok(id) = TileId::parse(&path) {
                prop_assert_eq!(id.path(), path);
            }
        }

        #[test]
        fn growing_in_steps_writes_what_growing_at_once_writes(mut sizes in prop::collection::vec(0..200_000u64, 1..5)) {
            sizes.sort_unstable();
            let last = sizes.last().copied().unwrap_or(0);
            let mut from = 0;
            let mut stepwise = std::collections::BTreeMap::new();
            for to in sizes {
                stepwise.extend(new_tiles(from, to).map(|id| ((id.level(), id.index()), id)));
                from = to;
            }
            let at_once: Vec<TileId> = new_tiles(0, last).collect();
            prop_assert_eq!(stepwise.into_values().collect::<Vec<_>>(), at_once);
        }
    }
}
