use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

const SECONDS: i64 = 24 * 60 * 60;
const MICROS: i64 = SECONDS * 1_000_000;
const NANOS: i64 = MICROS * 1_000;

/// A day of UTC, `2026-11-22`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
pub struct Day(i64);

impl Day {
    /// The first of 1970, before which nothing was received.
    pub const FIRST: Self = Self(0);

    /// The day of a moment.
    pub fn of(moment: Timestamp) -> Self {
        Self::of_micros(moment.as_microsecond())
    }

    /// The day of a moment in microseconds since 1970.
    pub fn of_micros(moment: i64) -> Self {
        Self(moment.div_euclid(MICROS))
    }

    /// The day of a moment in nanoseconds since 1970.
    pub fn of_nanos(moment: i64) -> Self {
        Self(moment.div_euclid(NANOS))
    }

    /// The day so many days later, or earlier.
    #[must_use]
    pub fn plus(self, days: i64) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// The day so many days after the first of 1970.
    pub fn numbered(number: i64) -> Self {
        Self(number)
    }

    /// In days since 1970.
    pub fn number(self) -> i64 {
        self.0
    }

    /// Its first moment.
    pub fn midnight(self) -> Timestamp {
        Timestamp::from_second(self.0.saturating_mul(SECONDS)).unwrap_or_default()
    }

    /// Its first moment, in microseconds since 1970.
    pub fn begin(self) -> i64 {
        self.0.saturating_mul(MICROS)
    }

    /// The first moment of the next day, in microseconds since 1970.
    pub fn end(self) -> i64 {
        self.plus(1).begin()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.midnight().strftime("%Y-%m-%d"))
    }
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is no day: write it as 2026-11-22");
        let day: Date = text.parse().map_err(|_| bad())?;
        let since = day.since(date(1970, 1, 1)).map_err(|_| bad())?;
        Ok(Self(since.get_days().into()))
    }
}

impl TryFrom<String> for Day {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for text in ["1969-12-31", "1970-01-01", "2024-02-29", "2026-11-22"] {
            let day: Day = text.parse().unwrap();
            assert_eq!((day.to_string().as_str(), Day::of(day.midnight())), (text, day));
        }
        let day: Day = "2026-11-22".parse().unwrap();
        assert_eq!(Day::of("2026-11-22T23:59:59.999999Z".parse().unwrap()), day);
        assert_eq!((Day::of_micros(day.begin()), Day::of_micros(day.end() - 1)), (day, day));
        assert_eq!(Day::of_micros(day.end()), day.plus(1));
        assert_eq!(Day::of_nanos(-1).to_string(), "1969-12-31");
        for bad in ["", "yesterday", "2026-13-01", "2026-02-30"] {
            assert!(bad.parse::<Day>().is_err(), "{bad}");
        }
    }
}
