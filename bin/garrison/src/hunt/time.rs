//! Times on the command line.

use std::str::FromStr;

use garrison_decode::time::{self, Guess};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// A moment, or an age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// A date or a time.
    At(String),
    /// So long before now.
    Ago(SignedDuration),
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(age) = age(text) {
            return Ok(Self::Ago(age));
        }
        let probe = Guess { latest: Timestamp::UNIX_EPOCH, zone: Offset::UTC };
        let when = Self::At(text.to_owned());
        when.moment(&probe)
            .map(|_| when)
            .ok_or_else(|| "write 2026-11-22, 2026-11-22T10:00:00Z, 90m, 2h or 7d".to_owned())
    }
}

fn age(text: &str) -> Option<SignedDuration> {
    let unit = text.chars().last()?;
    let number: i64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86400,
        'w' => 604_800,
        _ => return None,
    };
    number.checked_mul(seconds).map(SignedDuration::from_secs)
}

impl When {
    /// The moment that is meant, `guess.latest` being now.
    pub fn moment(&self, guess: &Guess) -> Option<Timestamp> {
        match self {
            Self::Ago(age) => guess.latest.checked_sub(*age).ok(),
            Self::At(text) => {
                let day = text.len() == 10 && text.as_bytes().get(4) == Some(&b'-');
                let text = if day { format!("{text}T00:00:00") } else { text.clone() };
                time::parse(&text, guess).map(|claimed| claimed.at)
            }
        }
    }
}

/// An offset from UTC.
#[derive(Debug, Clone, Copy)]
pub struct Zone(pub Offset);

impl FromStr for Zone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("`{text}` is not an offset such as +02:00, -05:30 or Z");
        if matches!(text, "Z" | "UTC") {
            return Ok(Self(Offset::UTC));
        }
        let (sign, rest) = match text.split_at_checked(1) {
            Some(("+", rest)) => (1, rest),
            Some(("-", rest)) => (-1, rest),
            _ => return Err(refused()),
        };
        let (hours, minutes) = rest.split_once(':').ok_or_else(refused)?;
        let number = |text: &str| {
            text.parse::<i32>().ok().filter(|number| (0..60).contains(number)).ok_or_else(refused)
        };
        let seconds = sign * (number(hours)? * 3600 + number(minutes)? * 60);
        Offset::from_seconds(seconds).map(Self).map_err(|_| refused())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_times_ages_and_zones() {
        let guess = Guess {
            latest: "2026-11-22T10:00:00Z".parse().unwrap(),
            zone: "+02:00".parse::<Zone>().unwrap().0,
        };
        let moment = |text: &str| text.parse::<When>().unwrap().moment(&guess).unwrap().to_string();
        assert_eq!(moment("2026-11-20"), "2026-11-19T22:00:00Z");
        assert_eq!(moment("2026-11-20T10:00:00Z"), "2026-11-20T10:00:00Z");
        assert_eq!(moment("36h"), "2026-11-20T22:00:00Z");
        for text in ["yesterday", "", "5y", "2026-13-01"] {
            assert!(text.parse::<When>().is_err(), "{text}");
        }
        for text in ["", "+2", "02:00", "+99:00", "+aa:bb"] {
            assert!(text.parse::<Zone>().is_err(), "{text}");
        }
    }
}
