//! `garrison demo`: a whole Garrison on loopback, in a folder of its own, to which a web shop sends its logs.

#![expect(clippy::indexing_slicing, reason = "a member that a JSON value does not have reads as null")]

mod checks;
mod client;
mod link;
mod scene;
mod stage;
mod story;
mod watch;

use std::thread::sleep;
use std::time::{Duration, Instant};

use garrison_base::Exit;
use serde::Serialize;

use crate::cli::DemoArgs;
use crate::output::{Column, Printer, Row};
use crate::say;

use client::Client;
use link::Enter;
use stage::Stage;
use story::Carrier;
use watch::Watch;

/// How long is waited for what should happen.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often is looked whether it did.
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
    let mut stage = Stage::set(args.port, args.syslog_port)?;
    let client = stage.enter()?;
    scene::build(&client)?;
    stage.take_syslog(&client)?;
    if args.auto { rehearse(args, &mut stage, &client) } else { perform(&mut stage, &client) }
}

/// Plays a day at once, and tries every promise of the tour.
fn rehearse(args: &DemoArgs, stage: &mut Stage, client: &Client) -> anyhow::Result<Exit> {
    where_it_is(stage);
    say!("A day of a web shop with 14 hosts is played over these sockets; an attack is hidden in it.");
    let played = story::play(Carrier::new(client, &stage.syslog)?)?;
    say!("{played} lines were sent.");
    let steps = checks::run(stage, client, played)?;
    let failed = steps.iter().filter(|step| !step.ok).count();
    let mut printer = Printer::stdout(args.output.output);
    steps.iter().try_for_each(|step| printer.row(step))?;
    printer.finish::<Checked>()?;
    if failed > 0 {
        stage.show_log();
    }
    Ok(if args.assert && failed > 0 { Exit::Failed } else { Exit::Ok })
}

/// Opens the house, and lets the story run until Ctrl-C.
fn perform(stage: &mut Stage, client: &Client) -> anyhow::Result<Exit> {
    link::print(client)?;
    let mut watch = Watch::new(client, Enter::listen());
    where_it_is(stage);
    watch.tell_the_way(stage);
    story::play_past(Carrier::new(client, &stage.syslog)?)?;
    let carrier = Carrier::new(client, &stage.syslog)?;
    story::go_on(carrier, || watch.beat(stage))?;
    say!("");
    say!("The demo ends; its folder is removed.");
    Ok(Exit::Ok)
}

fn where_it_is(stage: &Stage) {
    say!(
        "Garrison runs on {} and takes syslog on {}, in {}.",
        stage.url,
        stage.syslog,
        stage.dir().display()
    );
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
