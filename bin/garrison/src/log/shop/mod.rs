//! The story `shop`: a day in the life of a small web shop, told by the logs of its 14 hosts.
//!
//! Addresses are from the blocks for documentation (RFC 5737), names are invented.

mod attack;
mod lines;
mod traffic;

use fastrand::Rng;
use jiff::Timestamp;

pub use attack::Attack;
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
#[derive(Debug, Clone)]
pub struct Day {
    pub start: Timestamp,
    pub events: u64,
    pub seed: u64,
    /// What is woven in, one after another.
    pub attacks: Vec<Attack>,
}

/// Tells the day in order of time; `tell` may fail, which ends it.
pub fn tell<E>(day: &Day, mut tell: impl FnMut(Line) -> Result<(), E>) -> Result<(), E> {
    let mut rng = Rng::with_seed(day.seed);
    let mut attack = day.attacks.iter().flat_map(Attack::lines).peekable();
    let mut serial = 9000;
    let step = DAY / i128::from(day.events.max(1));
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

/// In nanoseconds.
const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;

/// So many nanoseconds after a moment. The days that the story may be told of leave room for it.
fn moment(start: Timestamp, nanos: i128) -> Timestamp {
    Timestamp::from_nanosecond(start.as_nanosecond() + nanos).unwrap_or(start)
}

#[cfg(test)]
mod tests {
    use garrison_decode::{Decoder, Kind, column};

    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn an_attack_in_a_hurry_is_the_same_in_less_time() {
        let slow = Attack::of_day(START);
        let fast = Attack { second: SECOND / 10, ..slow };
        let told = |attack: Attack| {
            let lines: Vec<_> = attack.lines().into_iter().map(|line| (line.host, line.log)).collect();
            let last = attack.lines().last().unwrap().at.as_nanosecond();
            (lines, last - attack.begins.as_nanosecond())
        };
        let ((slow, long), (fast, short)) = (told(slow), told(fast));
        assert_eq!(slow, fast);
        assert_eq!(long, short * 10);
    }

    #[test]
    fn attacks_come_in_turn() {
        let first = Attack { second: SECOND / 10, ..Attack::of_day(START) };
        let second = Attack { begins: moment(first.begins, 600 * SECOND), host: "app-2", ..first };
        let day = Day { start: START, events: 2_000, seed: 1, attacks: vec![first, second] };
        let mut hosts = Vec::new();
        tell(&day, |line| {
            if line.text.contains("Accepted password for deploy from 203.0.113.24") {
                hosts.push((line.host, line.at));
            }
            Ok::<(), ()>(())
        })
        .unwrap();
        let at = |attack: Attack| moment(attack.begins, 45 * SECOND);
        assert_eq!(hosts, [("web-1", at(first)), ("app-2", at(second))]);
    }

    #[test]
    fn what_is_passed_on_names_its_host() {
        let day = Day { start: START, events: 2_000, seed: 1, attacks: vec![Attack::of_day(START)] };
        let (mut decoder, mut requests) = (Decoder::default(), 0);
        let mut look = |record: &garrison_decode::Record<'_>| {
            let host = record.column(column::HOST).unwrap_or_default();
            let known = HOSTS.iter().any(|(name, _)| *name == host);
            // The cloud has no hosts.
            assert!(known || record.kind == Kind::CloudTrail, "{}", String::from_utf8_lossy(&record.raw));
            requests += u64::from(record.kind == Kind::Access && record.column(column::SRC_IP).is_some());
        };
        tell(&day, |line| {
            decoder.decode(line.passed_on().as_bytes(), 1, &mut look);
            Ok::<(), ()>(())
        })
        .unwrap();
        decoder.finish(&mut look);
        assert!(requests > 500, "{requests}");
    }
}
