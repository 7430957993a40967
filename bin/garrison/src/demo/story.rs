//! Plays the story over the demo's real sockets: a day of it at once, or in real time for as long as somebody watches.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::Context as _;
use garrison_base::{Clock as _, SystemClock, Timestamp};
use jiff::SignedDuration;
use jiff::tz::Offset;

use super::client::Client;
use super::pause;
use crate::log::shop::{self, Attack, Day, Line};

/// Events of a day that is played at once, about.
const EVENTS: u64 = 20_000;
/// Those of the past that is there when somebody comes: as many as come in half a minute, so that beside what follows
/// they are no peak.
const PAST: u64 = 240;
/// What happens in a second of real time. Some of it is several events.
const A_SECOND: u64 = 8;
/// In seconds.
const DAY: i64 = 86_400;
/// Bytes of one request.
const PIECE: usize = 1 << 20;
/// How often is sent what has happened since.
const BEAT: Duration = Duration::from_millis(500);
/// How far the story is told ahead of time: some of its lines are two seconds later than those that follow them.
const AHEAD: SignedDuration = SignedDuration::from_secs(5);
/// A machine that slept does not catch up.
const BEHIND: SignedDuration = SignedDuration::from_mins(1);
/// A server that does not take what is sent is tried again so often.
const ATTEMPTS: u32 = 60;

/// The first attack begins when whoever opens the link has looked round, and all of it is seen within two minutes.
const FIRST_ATTACK: i64 = 15;
/// After so many seconds there is another.
const NEXT_ATTACK: i64 = 300;
/// A second of an attack, in nanoseconds.
const HASTE: i128 = 100_000_000;
/// Where attacks come from: addresses that no customer of the story has.
const FROM: [&str; 3] = ["203.0.113.24", "198.51.100.17", "192.0.2.11"];
/// The hosts that they are after. The same one comes again after more than half an hour.
const AFTER: [&str; 8] = ["web-1", "app-2", "web-3", "lb-1", "web-2", "app-1", "lb-2", "app-3"];

/// Carries lines to the server: what machines write as syslog over TCP, the rest over HTTP.
pub struct Carrier<'c> {
    client: &'c Client,
    syslog: BufWriter<TcpStream>,
    /// What waits to be sent, by source.
    pieces: BTreeMap<&'static str, Vec<u8>>,
    lines: u64,
}

impl<'c> Carrier<'c> {
    /// To a server that takes syslog at this address.
    pub fn new(client: &'c Client, syslog: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(syslog).context("connecting to syslog")?;
        let syslog = BufWriter::with_capacity(64 << 10, stream);
        Ok(Self { client, syslog, pieces: BTreeMap::new(), lines: 0 })
    }

    fn take(&mut self, line: &Line) -> anyhow::Result<()> {
        let text = line.passed_on();
        self.lines += 1;
        let Some(source) = source(line.log) else {
            let written = self.syslog.write_all(text.as_bytes());
            return written.and_then(|()| self.syslog.write_all(b"\n")).context("sending syslog");
        };
        let piece = self.pieces.entry(source).or_default();
        piece.extend_from_slice(text.as_bytes());
        piece.push(b'\n');
        if piece.len() >= PIECE { self.send(source) } else { Ok(()) }
    }

    /// Sends what waits for a source. It waits on where that fails.
    fn send(&mut self, source: &'static str) -> anyhow::Result<()> {
        let Some(piece) = self.pieces.get(source) else { return Ok(()) };
        self.client.send(&format!("/api/v1/intake/{source}"), "text/plain", piece)?;
        self.pieces.remove(source);
        Ok(())
    }

    /// Sends all that waits.
    fn flush(&mut self) -> anyhow::Result<()> {
        let waiting: Vec<&str> = self.pieces.keys().copied().collect();
        waiting.into_iter().try_for_each(|source| self.send(source))?;
        self.syslog.flush().context("sending syslog")
    }

    /// Plays a day at once. Tells how many lines it had.
    fn play(mut self, day: &Day) -> anyhow::Result<u64> {
        shop::tell(day, |line| self.take(&line))?;
        self.flush()?;
        Ok(self.lines)
    }
}

/// The source that a log is sent to over HTTP; nothing where its machine sends syslog.
fn source(log: &str) -> Option<&'static str> {
    match log {
        "access.log" | "kern.log" => Some("edge"),
        "audit.log" | "cloudtrail.json" | "mail.log" => Some("shop"),
        _ => None,
    }
}

/// Sends yesterday at once, with its attack. Tells how many lines there were.
pub fn play(carrier: Carrier<'_>) -> anyhow::Result<u64> {
    let day = Offset::UTC.to_datetime(SystemClock.now()).date().yesterday().context("finding yesterday")?;
    let start = Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).context("finding midnight")?;
    carrier.play(&Day { start, events: EVENTS, seed: 1, attacks: vec![Attack::of_day(start)] })
}

/// Sends a little of the last 24 hours at once, in which nothing was wrong, so that no page is empty.
pub fn play_past(carrier: Carrier<'_>) -> anyhow::Result<()> {
    let start = SystemClock.now().checked_sub(SignedDuration::from_secs(DAY)).context("finding yesterday")?;
    carrier.play(&Day { start, events: PAST, seed: 2, attacks: Vec::new() }).map(|_| ())
}

/// Why the story ends.
enum End {
    Asked,
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for End {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// Goes on with the story in real time. What is done at each beat tells whether it goes on.
pub fn go_on(carrier: Carrier<'_>, mut beat: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let mut live = Live { carrier, told: 0, ahead: BTreeMap::new(), failures: 0 };
    let (mut start, events) = (SystemClock.now(), A_SECOND * DAY.unsigned_abs());
    for seed in 3.. {
        let day = Day { start, events, seed, attacks: attacks(start)? };
        match shop::tell(&day, |line| live.tell(line, &mut beat)) {
            Ok(()) => {}
            Err(End::Asked) => break,
            Err(End::Failed(error)) => return Err(error),
        }
        start = start.checked_add(SignedDuration::from_secs(DAY)).context("finding tomorrow")?;
    }
    Ok(())
}

/// The attacks of a day.
fn attacks(start: Timestamp) -> anyhow::Result<Vec<Attack>> {
    let seconds = (0..).map(|round: i64| FIRST_ATTACK + round * NEXT_ATTACK);
    let places = FROM.into_iter().cycle().zip(AFTER.into_iter().cycle());
    let attack = |(second, (from, host))| {
        let begins = start.checked_add(SignedDuration::from_secs(second)).context("finding a moment")?;
        anyhow::Ok(Attack { begins, second: HASTE, from, host })
    };
    seconds.take_while(|second| *second < DAY).zip(places).map(attack).collect()
}

/// The story in real time.
struct Live<'c> {
    carrier: Carrier<'c>,
    /// How many lines were told.
    told: u64,
    /// Those whose time has not come, by their time and number.
    ahead: BTreeMap<(Timestamp, u64), Line>,
    /// How often in a row they could not be sent.
    failures: u32,
}

impl Live<'_> {
    /// Comes back when the next line may be told.
    fn tell(&mut self, line: Line, beat: &mut impl FnMut() -> anyhow::Result<bool>) -> Result<(), End> {
        let at = line.at;
        if SystemClock.now().duration_since(at) > BEHIND {
            return Ok(());
        }
        self.told += 1;
        self.ahead.insert((at, self.told), line);
        while at.duration_since(SystemClock.now()) > AHEAD {
            self.send()?;
            if !beat()? {
                return Err(End::Asked);
            }
            pause(BEAT);
        }
        Ok(())
    }

    /// Sends the lines whose time has come.
    fn send(&mut self) -> anyhow::Result<()> {
        let later = self.ahead.split_off(&(SystemClock.now(), u64::MAX));
        for line in std::mem::replace(&mut self.ahead, later).into_values() {
            self.carrier.take(&line)?;
        }
        match self.carrier.flush() {
            Ok(()) => self.failures = 0,
            Err(error) if self.failures >= ATTEMPTS => return Err(error),
            Err(_) => self.failures += 1,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_attack_is_seen_within_two_minutes_and_others_follow() {
        let start = Timestamp::UNIX_EPOCH;
        let attacks = attacks(start).unwrap();
        let seconds = |at: Timestamp| at.duration_since(start).as_secs();
        let last = attacks[0].lines().last().unwrap().at;
        assert!(seconds(last) < 120, "{last}");
        for pair in attacks.windows(2) {
            let (ends, begins) = (pair[0].lines().last().unwrap().at, pair[1].begins);
            assert!(ends < begins && pair[0].host != pair[1].host, "{pair:?}");
        }
        assert!(seconds(attacks.last().unwrap().begins) < DAY);
        assert_eq!((attacks[0].from, attacks[0].host), ("203.0.113.24", "web-1"));
    }
}
