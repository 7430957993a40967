//! `garrison console`: from the command line into a browser.

use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use garrison_base::Exit;
use serde_json::json;

use crate::cli::client::ConsoleArgs;
use crate::client::row::{self, rows};
use crate::client::{Client, people};

rows! {
    /// A link that opens a session in a browser.
    Link { "LINK" 40 "/link" "EXPIRES" 20 "/expires" }
}

/// `garrison console`
pub fn run(args: &ConsoleArgs) -> anyhow::Result<Exit> {
    let client = Client::open(&args.client)?;
    let mut link = None;
    let whole = |made: &mut serde_json::Value| {
        people::link(&client, made);
        link = Some(row::cell(made, "/link"));
    };
    let exit = client.reveal::<Link>(("session/hand-over", &json!({})), whole, "/link")?;
    if let Some(link) = link.filter(|_| args.open) {
        open(&link)?;
    }
    Ok(exit)
}

fn open(link: &str) -> anyhow::Result<()> {
    let ran = Command::new("xdg-open").arg(link).stdout(Stdio::null()).status();
    let status = ran.context("starting xdg-open; open the link in a browser yourself")?;
    ensure!(status.success(), "xdg-open found no browser: open the link yourself");
    Ok(())
}
