//! Moments, as people write them.

use jiff::{SignedDuration, Timestamp};

/// A moment: RFC 3339, a day, `now`, or as long ago as `15m`, `-15m`, `now-15m` (s, m, h, d, w).
pub fn time(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let bad = || {
        format!(
            "`{text}` is no time: write 2026-11-22T10:00:00Z, 2026-11-22, now, or as long ago as 15m, 2h, 7d"
        )
    };
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    if let Ok(day) = text.parse::<jiff::civil::Date>() {
        return day.to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| zoned.timestamp()).map_err(|_| bad());
    }
    let text = text.trim();
    if text == "now" {
        return Ok(now);
    }
    let ago = text.strip_prefix("now").unwrap_or(text);
    let ago = ago.strip_prefix('-').unwrap_or(ago);
    let unit = ago.chars().last().ok_or_else(bad)?;
    let count: i64 = ago.strip_suffix(unit).and_then(|count| count.parse().ok()).ok_or_else(bad)?;
    if !(0..=10_000_000).contains(&count) {
        return Err(bad());
    }
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return Err(bad()),
    };
    // At most some 10^13 seconds: what lies before all times is refused here, where nothing overflows.
    now.checked_sub(SignedDuration::from_secs(count * seconds)).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_out_or_told_from_now() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        for (text, wanted) in [
            ("2026-11-22T09:00:00+01:00", "2026-11-22T08:00:00Z"),
            ("2026-11-21", "2026-11-21T00:00:00Z"),
            ("now", "2026-11-22T10:00:00Z"),
            ("15m", "2026-11-22T09:45:00Z"),
            ("-2h", "2026-11-22T08:00:00Z"),
            ("now-7d", "2026-11-15T10:00:00Z"),
            ("1w", "2026-11-15T10:00:00Z"),
        ] {
            assert_eq!(time(text, now).map(|at| at.to_string()), Ok(wanted.to_owned()), "{text}");
        }
        for text in ["", "m", "15", "15y", "--1s", "99999999d", "yesterday"] {
            assert!(time(text, now).is_err(), "{text}");
        }
    }

    #[test]
    fn no_count_is_too_large_to_be_refused() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        assert_eq!(time("10000000s", now).map(|at| at.to_string()), Ok("2026-07-29T16:13:20Z".to_owned()));
        for text in ["7304485d", "1043498w", "10000000d", "now-10000000w", "9223372036854775807w"] {
            assert!(time(text, now).is_err(), "{text}");
        }
        for unit in ["s", "m", "h", "d", "w"] {
            for power in 0..20 {
                let text = format!("{}{unit}", 10_u64.pow(power));
                assert!(time(&text, now).is_ok_and(|at| at < now) || time(&text, now).is_err(), "{text}");
            }
        }
    }
}
