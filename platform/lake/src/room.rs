//! The room on the disk that logs leave to others.

use std::os::fd::AsFd;

/// Bytes of the disk that logs leave free, so that acts and their records can go on. Only files of what is in memory take of
/// them, because they let go of the log.
pub const RESERVE: u64 = 256 << 20;

/// Whether the disk that this file or folder is on has room for so many bytes more. Where it cannot be told, the disk itself
/// will say no.
pub(crate) fn has_room(place: impl AsFd, bytes: u64) -> bool {
    let free = rustix::fs::fstatvfs(place).map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    !free.is_ok_and(|free| free < RESERVE.saturating_add(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_disk_has_room_for_everything() {
        let file = tempfile::tempfile().unwrap();
        assert!(!has_room(&file, u64::MAX));
    }
}
