//! What the terminal shows while the story runs: the way round, and the alerts as they come.

use std::collections::HashSet;

use serde_json::Value;

use super::client::Client;
use super::link::{self, Enter};
use super::stage::Stage;
use crate::output::printable;
use crate::say;

/// At every so many beats it is looked whether there are new alerts.
const LOOK: u64 = 4;

/// Looks after those who watch.
pub struct Watch<'c> {
    client: &'c Client,
    enter: Enter,
    /// Alerts that were shown.
    known: HashSet<String>,
    beats: u64,
}

impl<'c> Watch<'c> {
    pub fn new(client: &'c Client, enter: Enter) -> Self {
        Self { client, enter, known: HashSet::new(), beats: 0 }
    }

    /// One beat of the story; tells whether it goes on.
    pub fn beat(&mut self, stage: &mut Stage) -> anyhow::Result<bool> {
        // First, because Ctrl-C reaches the server too.
        if stage.is_interrupted() {
            return Ok(false);
        }
        stage.look_at_server()?;
        if self.enter.was_pressed() {
            link::print(self.client)?;
        }
        self.beats += 1;
        if self.beats.is_multiple_of(LOOK) {
            // A server that is slow for a moment is asked again.
            let mut alerts = self.client.alerts().unwrap_or_default();
            alerts.retain(|alert| self.known.insert(alert["id"].to_string()));
            alerts.iter().rev().for_each(show);
        }
        Ok(true)
    }

    /// What there is to see, and to do.
    pub fn tell_the_way(&self, stage: &Stage) {
        say!("A web shop with 14 hosts sends its logs there, about ten events a second.");
        say!("Somebody will break in within two minutes, and others after that.");
        if self.enter.is_there() {
            say!("Press Enter here for another link.");
        }
        say!("");
        in_another_terminal(stage);
        say!("");
        say!("Alerts are shown here as they come. Ctrl-C ends the demo and removes its folder.");
        say!("");
    }
}

fn show(alert: &Value) {
    let text = |name: &str| printable(alert[name].as_str().unwrap_or_default());
    say!(
        "ALERT  {:<13} {:<52} {} {} ({} events)",
        text("level").to_uppercase(),
        text("title"),
        text("entity_kind"),
        text("entity"),
        alert["count"]
    );
}

fn in_another_terminal(stage: &Stage) {
    let program =
        std::env::current_exe().map_or_else(|_| "garrison".to_owned(), |path| path.display().to_string());
    let (host, port) = stage.syslog.rsplit_once(':').unwrap_or(("127.0.0.1", "5514"));
    say!("What to try in another terminal:");
    say!("");
    say!("  export GARRISON_URL={} GARRISON_TOKEN_FILE={}", stage.url, stage.token_file().display());
    say!("  alias garrison={program}");
    say!("");
    say!("  # another link for the browser");
    say!("  garrison console");
    say!("");
    say!("  # now your own log: a line, or a file; the page shows it within a second");
    say!(
        "  logger --server {host} --port {port} --tcp --rfc3164 -t sudo 'deploy : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/bash'"
    );
    say!("  garrison log import --source mine FILE");
    say!("  garrison log search 'program:sudo COMMAND' --from 5m");
    say!("");
    say!("  # what is there, and why");
    say!("  garrison alert list --state open");
    say!("  garrison alert show ID");
    say!("  garrison log search 'src_ip:203.0.113.24 and status:failure' --limit 5");
    say!(
        "  garrison log search --sql 'SELECT host, count(*) AS events FROM logs GROUP BY host ORDER BY events DESC'"
    );
    say!("");
    say!("  # who asked what: every search is in the record, which is a chain under a key");
    say!("  garrison audit list --limit 5");
}
