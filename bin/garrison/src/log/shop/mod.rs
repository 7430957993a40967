//! The story `shop`: a day in the life of a small web shop, told by the logs of its 14 hosts.
//!
//! Addresses are from the blocks for documentation (RFC 5737), names are invented.

mod attack;
mod lines;
mod traffic;

use fastrand::Rng;
use jiff::Timestamp;

pub use lines::Line;

/// The hosts, and their addresses in 10.20.0.0/16.
const HOSTS: [(&str, &str); 14] = [
    ("lb-1", "10.20.1.11"),
    ("lb-2", "10.20.1.12"),
    ("web-1", "10.20.2.11"),
    ("web-2", "10.20.2.12"),
    ("web-3", "10.20.2.13"),
    ("app-1", "10.20.3.11"),
    ("app-2", "10.20.3.12"),
    ("app-3", "10.20.3.13"),
    ("db-1", "10.20.4.11"),
    ("db-2", "10.20.4.12"),
    ("cache-1", "10.20.5.11"),
    ("mail-1", "10.20.6.11"),
    ("backup-1", "10.20.7.11"),
    ("bastion-1", "10.20.0.11"),
];

/// What is told, and how much of it.
#[derive(Debug, Clone, Copy)]
pub struct Day {
    pub start: Timestamp,
    pub events: u64,
    pub seed: u64,
    pub attack: bool,
}

/// Tells the day in order of time; `tell` may fail, which ends it.
pub fn tell<E>(day: &Day, mut tell: impl FnMut(Line) -> Result<(), E>) -> Result<(), E> {
    let mut rng = Rng::with_seed(day.seed);
    let mut attack = if day.attack { attack::lines(day.start) } else { Vec::new() }.into_iter().peekable();
    let mut serial = 9000;
    let step = DAY_NANOS / i128::from(day.events.max(1));
    for place in 0..day.events {
        let late = i128::from(rng.u64(0..1_000_000)) * step / 1_000_000;
        let at = moment(day.start, i128::from(place) * step + late);
        while let Some(line) = attack.next_if(|line| line.at <= at) {
            tell(line)?;
        }
        serial += 1;
        for line in traffic::event(at, serial, &mut rng) {
            tell(line)?;
        }
    }
    attack.try_for_each(tell)
}

const DAY_NANOS: i128 = 86_400_000_000_000;

/// So many nanoseconds after a moment. The days that the story may be told of leave room for it.
fn moment(start: Timestamp, nanos: i128) -> Timestamp {
    Timestamp::from_nanosecond(start.as_nanosecond() + nanos).unwrap_or(start)
}
