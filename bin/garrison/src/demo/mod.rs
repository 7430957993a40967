//! `garrison demo`: a whole Garrison on loopback, in a folder of its own, through which a day of a web shop is played.

#![expect(clippy::indexing_slicing, reason = "a member that a JSON value does not have reads as null")]

mod checks;
mod client;
mod stage;
mod story;

use std::io::Write as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use garrison_base::Exit;
use serde::Serialize;
use serde_json::Value;

use crate::cli::DemoArgs;
use crate::output::{Column, Format, Printer, Row};
use crate::say;

use client::Client;
use stage::Stage;

/// How long an unattended demo waits for what should happen.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(200);

/// A step of the unattended demo.
#[derive(Debug, Serialize)]
pub struct Checked {
    /// What should be true.
    pub step: String,
    /// Whether it was.
    pub ok: bool,
    /// What was seen.
    pub seen: String,
}

impl Row for Checked {
    const COLUMNS: &'static [Column] =
        &[Column::new("STEP", 44), Column::new("OK", 4), Column::new("SEEN", 1)];

    fn cells(&self) -> Vec<String> {
        vec![self.step.clone(), if self.ok { "yes" } else { "NO" }.to_owned(), self.seen.clone()]
    }
}

/// `garrison demo`
pub fn run(args: &DemoArgs) -> anyhow::Result<Exit> {
    let table = args.output.output == Format::Table;
    let mut stage = Stage::set(args.port, args.syslog_port)?;
    say!(
        "Garrison runs on {} and takes syslog on {}, in {}.",
        stage.url,
        stage.syslog,
        stage.dir().display()
    );
    let client = stage.enter()?;
    say!("A day of a web shop with 14 hosts is played over these sockets; an attack is hidden in it.");
    say!("");
    let played = story::play(&stage, &client)?;
    say!("{played} events were sent; every one was answered after it was on the disk.");
    if args.auto {
        let steps = checks::run(&mut stage, &client, played)?;
        let failed = steps.iter().filter(|step| !step.ok).count();
        let mut printer = Printer::stdout(args.output.output);
        steps.iter().try_for_each(|step| printer.row(step))?;
        printer.finish::<Checked>()?;
        if failed > 0 {
            stage.show_log();
        }
        return Ok(if args.assert && failed > 0 { Exit::Failed } else { Exit::Ok });
    }
    if table {
        watch(&stage, &client)?;
    }
    Ok(Exit::Ok)
}

/// Waits until something is so, or patience ends.
fn until<T>(mut look: impl FnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<Option<T>> {
    #[expect(clippy::disallowed_methods, reason = "the demo waits for a server, in real time")]
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        if let Some(found) = look()? {
            return Ok(Some(found));
        }
        pause(LOOK);
    }
    Ok(None)
}

#[expect(clippy::disallowed_methods, reason = "the demo looks again after a while; nothing tells it")]
fn pause(time: Duration) {
    sleep(time);
}

/// Shows alerts as they come, until Ctrl-C.
fn watch(stage: &Stage, client: &Client) -> anyhow::Result<()> {
    let mut known = std::collections::HashSet::new();
    let mut quiet = 0;
    let mut told = false;
    loop {
        let mut alerts = client.alerts()?;
        alerts.retain(|alert| known.insert(alert["id"].to_string()));
        alerts.reverse();
        quiet = if alerts.is_empty() { quiet + 1 } else { 0 };
        for alert in &alerts {
            show(alert);
        }
        if quiet == 10 && !told {
            told = true;
            what_next(stage);
        }
        if stage.is_interrupted() {
            say!("");
            say!("The demo ends; its folder is removed.");
            return Ok(());
        }
        pause(LOOK);
    }
}

fn show(alert: &Value) {
    let text = |name: &str| crate::output::printable(alert[name].as_str().unwrap_or_default());
    say!(
        "ALERT  {:<13} {:<52} {} {} ({} events)",
        text("level").to_uppercase(),
        text("title"),
        text("entity_kind"),
        text("entity"),
        alert["count"]
    );
    let _ = std::io::stderr().flush();
}

fn what_next(stage: &Stage) {
    let program =
        std::env::current_exe().map_or_else(|_| "garrison".to_owned(), |path| path.display().to_string());
    let (host, port) = stage.syslog.rsplit_once(':').unwrap_or(("127.0.0.1", "5514"));
    say!("");
    say!("What to try, in another terminal:");
    say!("");
    say!("  export GARRISON_URL={} GARRISON_TOKEN_FILE={}", stage.url, stage.token_file().display());
    say!("  alias garrison={program}");
    say!("");
    say!("  # what is there, and why");
    say!("  garrison alert list");
    say!("  garrison alert show ID");
    say!("  garrison log search 'src_ip:203.0.113.24 and status:failure' --limit 5");
    say!(
        "  garrison log search --sql 'SELECT host, count(*) AS events FROM logs GROUP BY host ORDER BY events DESC'"
    );
    say!("");
    say!("  # send a line, search it, see the alert");
    say!(
        "  logger --server {host} --port {port} --tcp --rfc3164 -t sudo 'deploy : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/bash'"
    );
    say!("  garrison log search 'program:sudo COMMAND' --from 5m");
    say!("  garrison alert list --state open");
    say!("");
    say!("  # who asked what: every search is in the record, which is a chain under a key");
    say!("  garrison audit list --limit 5");
    say!("");
    say!("New alerts are shown here. Ctrl-C ends the demo and removes its folder.");
}
