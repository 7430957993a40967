//! What the machine grants a process: memory, open files.

use std::fs;

use rustix::process::{Resource, getrlimit};

use super::{Check, size};

const MEMORY: &str = "memory";
const FILES: &str = "open files";

/// The server needs less than 80 MB while nobody asks anything of it; questions need more.
const LITTLE_MEMORY: u64 = 256 << 20;

/// The server takes up to 768 connections at a time, and the database needs files too.
const FEW_FILES: u64 = 1024;

/// The memory that can be had; `None` where Linux does not tell.
pub fn memory() -> Option<Check> {
    let machine = available(&fs::read_to_string("/proc/meminfo").ok()?)?;
    // The limit of a container (cgroup v2); `max` where there is none.
    let limit = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let limit = limit.and_then(|text| text.trim().parse().ok()).unwrap_or(u64::MAX);
    let bytes = machine.min(limit);
    let what = format!("{} can be had", size(bytes));
    let fix = "end other programs, or give the machine or container more memory";
    Some(if bytes < LITTLE_MEMORY { Check::warn(MEMORY, what, fix) } else { Check::ok(MEMORY, what) })
}

fn available(meminfo: &str) -> Option<u64> {
    let rest = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = rest.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// How many files the process may open.
pub fn open_files() -> Check {
    match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < FEW_FILES => Check::warn(
            FILES,
            format!("{limit} files may be open at a time: connections would wait"),
            "`ulimit -n 65536` before the start, or LimitNOFILE=65536 in the unit of systemd",
        ),
        Some(limit) => Check::ok(FILES, format!("{limit} may be open at a time")),
        None => Check::ok(FILES, "as many as wanted"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_counts_memory_in_kibibytes() {
        let text = "MemTotal:       16000000 kB\nMemFree: 1 kB\nMemAvailable:    2048 kB\n";
        assert_eq!(available(text), Some(2 << 20));
        assert_eq!(available("MemTotal: 1 kB"), None);
    }
}
