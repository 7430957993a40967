//! Plays the story over the demo's real sockets.

use std::io::{BufWriter, Write as _};
use std::net::TcpStream;

use anyhow::Context as _;
use garrison_base::{Clock as _, SystemClock};
use jiff::tz::Offset;

use super::client::Client;
use super::stage::Stage;
use crate::log::shop::{self, Day, Line};

/// Events of the day, about.
const EVENTS: u64 = 20_000;
/// Bytes of one request.
const PIECE: usize = 1 << 20;

/// Sends yesterday's story: what machines write as syslog over TCP, the rest over HTTP. Tells how many events there were.
pub fn play(stage: &Stage, client: &Client) -> anyhow::Result<u64> {
    let day = Offset::UTC.to_datetime(SystemClock.now()).date().yesterday().context("finding yesterday")?;
    let start = Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).context("finding midnight")?;
    let day = Day { start, events: EVENTS, seed: 1, attack: true };
    let stream = TcpStream::connect(&stage.syslog).context("connecting to syslog")?;
    let mut syslog = BufWriter::with_capacity(64 << 10, stream);
    let (mut piece, mut sent) = (Vec::new(), 0);
    shop::tell(&day, |Line { log, text, .. }| {
        sent += 1;
        if matches!(log, "auth.log" | "syslog" | "kern.log" | "cron.log" | "daemon.log") {
            syslog
                .write_all(text.as_bytes())
                .and_then(|()| syslog.write_all(b"\n"))
                .context("sending syslog")?;
        } else {
            piece.extend_from_slice(text.as_bytes());
            piece.push(b'\n');
            if piece.len() >= PIECE {
                client.send("/api/v1/intake/shop", "text/plain", &piece)?;
                piece.clear();
            }
        }
        anyhow::Ok(())
    })?;
    if !piece.is_empty() {
        client.send("/api/v1/intake/shop", "text/plain", &piece)?;
    }
    syslog.flush().context("sending syslog")?;
    Ok(sent)
}
