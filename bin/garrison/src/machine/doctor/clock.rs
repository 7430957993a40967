//! The clock of the machine: sessions, approvals and the audit log rest on it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use garrison_base::Timestamp;
use jiff::SignedDuration;

use super::Check;
use crate::config::Config;

const CLOCK: &str = "clock";
const SERVICE: &str = "time service";

/// Files may be written while we look, and on file systems of other machines.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

/// The clock is not behind what was written earlier: the files of the data folder, and this program.
pub fn check(config: &Config, now: Timestamp) -> Check {
    let entries = fs::read_dir(&config.data.dir).into_iter().flatten().flatten();
    let files = entries.map(|entry| entry.path()).chain(std::env::current_exe().ok());
    judged(now, files.filter_map(|path| Some((written(&path)?, path))).max())
}

fn written(path: &PathBuf) -> Option<Timestamp> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()?.try_into().ok()
}

fn judged(now: Timestamp, newest: Option<(Timestamp, PathBuf)>) -> Check {
    match newest {
        Some((written, path)) if written > now + TOLERANCE => Check::warn(
            CLOCK,
            format!("it is {now:.0}, but {} was written at {written:.0}", path.display()),
            "set the clock right: `timedatectl set-ntp true`, or `date --set`",
        ),
        _ => Check::ok(CLOCK, format!("{now:.0}")),
    }
}

/// Whether a time service holds the clock right; `None` where the machine does not tell.
pub fn service() -> Option<Check> {
    let told =
        Command::new("timedatectl").args(["show", "--property=NTPSynchronized", "--value"]).output().ok()?;
    match String::from_utf8_lossy(&told.stdout).trim() {
        "yes" => Some(Check::ok(SERVICE, "the clock is synchronised")),
        "no" => Some(Check::warn(
            SERVICE,
            "the clock is not synchronised",
            "`timedatectl set-ntp true`, or install chrony; behind a firewall, name a server of your own",
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn a_clock_that_was_set_back_is_noticed() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let state = |seconds| {
            let written = now + SignedDuration::from_secs(seconds);
            judged(now, Some((written, "/srv/garrison.db".into()))).state
        };
        assert_eq!([state(-3600), state(60), state(61)], [State::Ok, State::Ok, State::Warn]);
        assert_eq!(judged(now, None).what, "2026-11-20T12:00:00Z");
    }
}
