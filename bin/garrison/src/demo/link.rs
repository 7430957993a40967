//! The one-time link by which a browser enters the demo, and another whenever somebody presses Enter.

use std::io::{self, BufRead as _};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use anyhow::Context as _;
use rustix::process::getpgrp;
use rustix::termios::tcgetpgrp;
use serde_json::json;

use super::client::Client;
use crate::say;

/// Where the link leads: Home, with the card of the tour.
pub const NEXT: &str = "/?demo=1";

/// Makes a link; gives what follows the server's address, without where it leads.
pub fn make(client: &Client) -> anyhow::Result<String> {
    let made = client.post("/api/v1/session/hand-over", &json!({}))?;
    Ok(made["path"].as_str().context("the server made no link")?.to_owned())
}

/// The link with where it leads.
pub fn leading(path: &str) -> String {
    format!("{path}?next={}", NEXT.replace('?', "%3F"))
}

/// Prints a new one.
pub fn print(client: &Client) -> anyhow::Result<()> {
    let (url, path) = (client.url(), leading(&make(client)?));
    say!("Open this in a browser (once, within ten minutes):");
    say!("");
    say!("  {url}{path}");
    say!("");
    Ok(())
}

/// The Enter key.
pub struct Enter(Option<Receiver<()>>);

impl Enter {
    /// Listens to the terminal, if there is one and it is ours: reading it from the background would stop the demo.
    pub fn listen() -> Self {
        let ours = tcgetpgrp(io::stdin()).is_ok_and(|group| group == getpgrp());
        if !ours {
            return Self(None);
        }
        let (press, pressed) = channel();
        // It ends with the process: nothing else wakes who waits for a key.
        thread::spawn(move || {
            for _ in io::stdin().lock().lines().map_while(Result::ok) {
                if press.send(()).is_err() {
                    break;
                }
            }
        });
        Self(Some(pressed))
    }

    /// Whether anybody can press it.
    pub fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Whether it was pressed since this was asked last.
    pub fn was_pressed(&self) -> bool {
        self.0.as_ref().is_some_and(|pressed| pressed.try_iter().count() > 0)
    }
}
