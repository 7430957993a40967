//! What sealing costs, in CPU time: the tree over records beside ct-merkle, verifying what was sealed, and questions over
//! sealed files beside the same files unsealed. `cargo xtask bench journal` runs it and holds the figures to their targets.
//!
//! Both sides of a comparison take turns in one process, so that whatever else the machine does meets both alike.

#![expect(
    clippy::cast_precision_loss,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement speaks to whoever runs it, in round numbers"
)]

mod content;
mod events;
mod leaves;
mod questions;

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

/// As the server has it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> anyhow::Result<()> {
    let dir = tempfile::Builder::new().prefix("journal-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    eprintln!("leaves");
    let leaves = leaves::measure()?;
    eprintln!("records");
    let records = content::records(dir.path())?;
    eprintln!("making {} events", events::EVENTS);
    let lakes = events::Lakes::make(dir.path())?;
    eprintln!("files");
    let files = content::files(&lakes)?;
    eprintln!("questions");
    let questions = questions::measure(&lakes)?;
    println!("{}", json!({ "leaves": leaves, "records": records, "files": files, "questions": questions }));
    Ok(())
}

/// The CPU time that all threads of this process have used.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The one in the middle.
fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
