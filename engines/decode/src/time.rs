//! What a sender says about the time.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// What stands in for parts of a time that the format leaves out.
#[derive(Debug, Clone, Copy)]
pub struct Guess {
    /// A moment at or after the events: when the file was written, or now. The year is the latest that
    /// does not put an event more than a day behind it.
    pub latest: Timestamp,
    /// The zone of times without one.
    pub zone: Offset,
}

/// A time as claimed by the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// The moment.
    pub at: Timestamp,
    /// The format has no year; it was guessed.
    pub guessed_year: bool,
    /// The format has no zone; it was guessed.
    pub guessed_zone: bool,
}

impl Claimed {
    fn exact(at: Timestamp) -> Self {
        Self { at, guessed_year: false, guessed_zone: false }
    }
}

/// Reads a time in any of the forms that logs use: RFC 3339 and its relatives, RFC 3164
/// (`Nov 22 02:31:53`), the access log's `22/Nov/2026:02:31:53 +0000`, and Unix time in seconds,
/// milliseconds, microseconds or nanoseconds.
pub fn parse(text: &str, guess: &Guess) -> Option<Claimed> {
    let text = text.trim().trim_matches(['[', ']']);
    let first = text.bytes().next()?;
    if first.is_ascii_digit() {
        let slash_third = text.as_bytes().get(2) == Some(&b'/');
        return if slash_third {
            access_log(text).or_else(|| month_first(text, guess))
        } else {
            iso(text, guess).or_else(|| unix(text))
        };
    }
    syslog(text, guess)
}

fn iso(text: &str, guess: &Guess) -> Option<Claimed> {
    let text = text.strip_suffix(" UTC").map_or_else(|| text.to_owned(), |text| format!("{text}Z"));
    let text = text.replacen('/', "-", 2);
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(Claimed::exact(at));
    }
    let civil: DateTime = text.parse().ok()?;
    let at = guess.zone.to_timestamp(civil).ok()?;
    Some(Claimed { at, guessed_year: false, guessed_zone: true })
}

fn unix(text: &str) -> Option<Claimed> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: i128 = whole.parse().ok()?;
    let nanos = match whole.len() {
        9..=11 => {
            let fraction: i128 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
            digits * 1_000_000_000 + fraction
        }
        12..=14 => digits * 1_000_000,
        15..=17 => digits * 1_000,
        18..=19 => digits,
        _ => return None,
    };
    Timestamp::from_nanosecond(nanos).ok().map(Claimed::exact)
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn month(name: &str) -> Option<usize> {
    MONTHS.iter().position(|month| name.eq_ignore_ascii_case(month)).map(|place| place + 1)
}

/// `22/Nov/2026:02:31:53 +0000`
fn access_log(text: &str) -> Option<Claimed> {
    let (date, rest) = text.split_once(':')?;
    let (time, zone) = rest.split_once(' ')?;
    let mut date = date.split('/');
    let (day, month, year) = (date.next()?, month(date.next()?)?, date.next()?);
    format!("{year}-{month:02}-{day}T{time}{zone}").parse().ok().map(Claimed::exact)
}

/// `11/22/2026 10:00:00.123`, as `ausearch --interpret` writes it in the C locale, also with a short year.
fn month_first(text: &str, guess: &Guess) -> Option<Claimed> {
    let (date, clock) = text.split_once(' ')?;
    let mut date = date.split('/');
    let (month, day, year) = (date.next()?, date.next()?, date.next()?);
    let century = if year.len() == 2 { "20" } else { "" };
    let civil: DateTime = format!("{century}{year}-{month}-{day}T{clock}").parse().ok()?;
    Some(Claimed { at: guess.zone.to_timestamp(civil).ok()?, guessed_year: false, guessed_zone: true })
}

/// `Nov 22 02:31:53`, with a fraction or a year (`Nov 22 2026 02:31:53`) where some devices add one.
fn syslog(text: &str, guess: &Guess) -> Option<Claimed> {
    let mut words = text.split_ascii_whitespace();
    let month = month(words.next()?.trim_start_matches(['*', '.']))?;
    let day: u8 = words.next()?.parse().ok()?;
    let third = words.next()?;
    let (year, clock) =
        if third.contains(':') { (None, third) } else { (Some(third.parse().ok()?), words.next()?) };
    let clock = clock.trim_end_matches(':');
    let at = |year: i16| {
        let civil: DateTime = format!("{year:04}-{month:02}-{day:02}T{clock}").parse().ok()?;
        guess.zone.to_timestamp(civil).ok()
    };
    if let Some(year) = year {
        return Some(Claimed { at: at(year)?, guessed_year: false, guessed_zone: true });
    }
    let horizon = guess.latest.checked_add(SignedDuration::from_hours(24)).unwrap_or(guess.latest);
    let latest_year = guess.zone.to_datetime(horizon).year();
    // Eight years back there was a 29 February in any case.
    let years = (latest_year - 8..=latest_year).rev();
    let at = years.filter_map(at).find(|at| *at <= horizon)?;
    Some(Claimed { at, guessed_year: true, guessed_zone: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess() -> Guess {
        Guess { latest: "2026-01-02T00:00:00Z".parse().unwrap(), zone: Offset::UTC }
    }

    fn read(text: &str) -> (String, bool, bool) {
        let claimed = parse(text, &guess()).unwrap_or_else(|| panic!("{text} is not read"));
        (claimed.at.to_string(), claimed.guessed_year, claimed.guessed_zone)
    }

    #[test]
    fn every_form_is_read() {
        for (text, at) in [
            ("2026-11-22T02:31:53.5Z", "2026-11-22T02:31:53.5Z"),
            ("2026-11-22T02:31:53+02:00", "2026-11-22T00:31:53Z"),
            ("2026-11-22T02:31:53+0000", "2026-11-22T02:31:53Z"),
            ("2020-06-10 02:50:54.631 UTC", "2020-06-10T02:50:54.631Z"),
            ("22/Nov/2026:02:31:53 +0100", "2026-11-22T01:31:53Z"),
            ("[22/Nov/2026:02:31:53 +0100]", "2026-11-22T01:31:53Z"),
            ("1591367999.305988", "2020-06-05T14:39:59.305988Z"),
            ("1591367999", "2020-06-05T14:39:59Z"),
            ("1591367999305", "2020-06-05T14:39:59.305Z"),
            ("1591367999305988", "2020-06-05T14:39:59.305988Z"),
        ] {
            assert_eq!(read(text), (at.to_owned(), false, false), "{text}");
        }
    }

    #[test]
    fn what_is_left_out_is_guessed_and_marked() {
        assert_eq!(read("2020-06-10 02:50:54,631"), ("2020-06-10T02:50:54.631Z".into(), false, true));
        assert_eq!(read("11/22/2026 10:00:00.5"), ("2026-11-22T10:00:00.5Z".into(), false, true));
        assert_eq!(read("2026/11/22 10:00:00"), ("2026-11-22T10:00:00Z".into(), false, true));
        assert_eq!(read("Jan  2 10:00:00"), ("2026-01-02T10:00:00Z".into(), true, true), "today");
        assert_eq!(
            read("Jan  3 10:00:00"),
            ("2025-01-03T10:00:00Z".into(), true, true),
            "a day ahead is last year's"
        );
        assert_eq!(read("Dec 31 23:59:59"), ("2025-12-31T23:59:59Z".into(), true, true));
        assert_eq!(read("Feb 29 00:00:00"), ("2024-02-29T00:00:00Z".into(), true, true));
        assert_eq!(read("*Feb 17 13:40:03.673:"), ("2025-02-17T13:40:03.673Z".into(), true, true));
        assert_eq!(read("Nov 22 2026 02:31:53"), ("2026-11-22T02:31:53Z".into(), false, true));
    }

    #[test]
    fn nonsense_is_no_time() {
        for text in [
            "",
            "now",
            "Nov 41 10:00:00",
            "123",
            "99/Foo/2026:00:00:00 +0000",
            "Nov",
            "9".repeat(40).as_str(),
        ] {
            assert_eq!(parse(text, &guess()), None, "{text}");
        }
    }
}
