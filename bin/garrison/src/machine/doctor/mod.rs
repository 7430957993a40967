//! `garrison doctor`: checks everything that the server rests on, and tells how to put it right.
//!
//! One function for each check. A check looks and tells; nothing is repaired.

mod certificate;
mod clock;
mod database;
mod folders;
mod intake;
mod port;
mod process;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use garrison_base::{Clock as _, Exit, SystemClock};
use serde::Serialize;

use crate::cli::DoctorArgs;
use crate::config::{Engine, Loaded};
use crate::output::{Column, Printer, Row, counted};
use crate::say;

/// What one check found.
#[derive(Debug, Serialize)]
struct Check {
    #[serde(rename = "check")]
    name: &'static str,
    state: State,
    what: String,
    /// How to put it right; empty where nothing is wrong.
    fix: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    /// The server runs, but should not be left so.
    Warn,
    /// The server would not run, or what it does could not be trusted.
    Fail,
}

impl Check {
    fn ok(name: &'static str, what: impl Into<String>) -> Self {
        Self { name, state: State::Ok, what: what.into(), fix: String::new() }
    }

    fn warn(name: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, state: State::Warn, what: what.into(), fix: fix.into() }
    }

    fn fail(name: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, state: State::Fail, what: what.into(), fix: fix.into() }
    }
}

impl Row for Check {
    const COLUMNS: &'static [Column] = &[
        Column::new("CHECK", 13),
        Column::new("STATE", 5),
        Column::whole("WHAT", 50),
        Column::new("FIX", 50),
    ];

    fn cells(&self) -> Vec<String> {
        let state = match self.state {
            State::Ok => "ok",
            State::Warn => "warn",
            State::Fail => "fail",
        };
        vec![self.name.to_owned(), state.to_owned(), self.what.clone(), self.fix.clone()]
    }
}

/// `garrison doctor`
pub fn run(args: &DoctorArgs) -> anyhow::Result<Exit> {
    let checks = match args.config.load() {
        Ok(loaded) => all(&loaded),
        Err(error) => vec![Check::fail(
            "configuration",
            format!("{error:#}"),
            "correct it; the rest can be checked then. `garrison config schema` describes every key",
        )],
    };
    let mut printer = Printer::stdout(args.output.output);
    checks.iter().try_for_each(|check| printer.row(check))?;
    printer.finish::<Check>()?;
    let count = |state| checks.iter().filter(|check| check.state == state).count() as u64;
    let (warnings, failures) = (count(State::Warn), count(State::Fail));
    say!("{}, {}", counted(warnings, "warning"), counted(failures, "failure"));
    Ok(if failures == 0 { Exit::Ok } else { Exit::Found })
}

fn all(loaded: &Loaded) -> Vec<Check> {
    let (config, now) = (&loaded.config, SystemClock.now());
    let mut checks = vec![configuration(loaded), folders::data(config)];
    checks.extend(folders::disk(config));
    checks.push(folders::keys(config));
    checks.push(certificate::check(config, now));
    checks.push(port::check(config));
    checks.push(clock::check(config, now));
    checks.extend(clock::service());
    checks.extend(process::memory());
    checks.push(process::open_files());
    checks.push(database::check(config));
    checks.extend(intake::checks(config));
    checks
}

fn configuration(loaded: &Loaded) -> Check {
    const NAME: &str = "configuration";
    if loaded.files.is_empty() {
        return Check::warn(
            NAME,
            "there is no configuration file: defaults count",
            "`garrison init` makes one; --config names one elsewhere",
        );
    }
    let files: Vec<String> = loaded.files.iter().map(|file| file.display().to_string()).collect();
    if let Some(Engine::Postgres(_)) = loaded.config.engine() {
        let from = loaded.origin("database.url");
        let open = |path: &&std::path::PathBuf| {
            let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
            path.ends_with(from) && mode & 0o077 != 0
        };
        if let Some(path) = loaded.files.iter().find(open) {
            let shown = path.display();
            let what = format!("{shown} holds the address of the database, and others can read it");
            return Check::warn(NAME, what, format!("chmod 600 {shown}"));
        }
    }
    Check::ok(NAME, files.join(", "))
}

/// A number of bytes for people.
fn size(bytes: u64) -> String {
    let mebibytes = bytes / (1 << 20);
    if mebibytes < 1024 { format!("{mebibytes} MiB") } else { format!("{} GiB", mebibytes / 1024) }
}
