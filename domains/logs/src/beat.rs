//! When the server was there. The last moment at which it was stands in a file beside the lake; a longer pause than a
//! minute, at the start or while the machine slept, becomes a row by the act `log:resume`; so does a clock that was set back.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use garrison_base::Timestamp;
use jiff::SignedDuration;
use tokio::sync::Mutex;

use crate::acts::ResumeLogs;
use crate::{Logs, system};

/// The name of the file.
const FILE: &str = "alive";
/// A longer pause is an outage.
const LONGEST: SignedDuration = SignedDuration::from_secs(60);

/// The last moment at which the server was there.
pub(crate) struct Beat {
    path: PathBuf,
    /// Held while it is noted: of two who read one moment and wrote another, the slower would make a pause of nothing.
    last: Mutex<Option<Timestamp>>,
}

impl Beat {
    /// As the file in this folder tells it; nothing where there is none that can be read.
    pub(crate) fn open(dir: &Path) -> Self {
        let path = dir.join(FILE);
        let last = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
        Self { path, last: Mutex::new(last) }
    }
}

fn note(path: &Path, now: Timestamp) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = File::create(&fresh)?;
    writeln!(file, "{now}")?;
    // A file that lost its content with the power would make the whole time since the start unknown.
    file.sync_all()?;
    fs::rename(fresh, path)
}

impl Logs {
    /// Notes that the server is there; where it was not for more than a minute, or the clock was set back, notes that
    /// first.
    pub async fn beat(&self) -> Result<(), String> {
        let mut last = self.0.beat.last.lock().await;
        let now = self.resume(&mut last).await?;
        let path = self.0.beat.path.clone();
        // A busy disk must not hold up other tasks.
        let noted = tokio::task::spawn_blocking(move || note(&path, now)).await;
        noted.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }

    /// Brings the pauses in the state up to now. It needs no room on the disk of the lake.
    pub(crate) async fn note_pause(&self) -> Result<(), String> {
        let mut last = self.0.beat.last.lock().await;
        self.resume(&mut last).await.map(|_| ())
    }

    async fn resume(&self, last: &mut Option<Timestamp>) -> Result<Timestamp, String> {
        let now = self.0.clock.now();
        if last.is_none_or(|last| now.duration_since(last).abs() > LONGEST) {
            for (tenant, _) in self.0.kernel.tenants().await.map_err(|error| error.to_string())? {
                let act = ResumeLogs { since: *last, at: now };
                self.0.kernel.act(&system(tenant), act).await.map_err(|problem| problem.to_string())?;
            }
        }
        *last = Some(now);
        Ok(now)
    }
}
