//! What was counted in the last minute, second by second.

use std::collections::VecDeque;

const SECONDS: u64 = 60;

/// Counts of the last 60 seconds. Seconds are counted from some beginning, and never go back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Minute(VecDeque<(u64, u64)>);

impl Minute {
    /// Adds what was counted in a second.
    pub(crate) fn add(&mut self, second: u64, count: u64) {
        match self.0.back_mut() {
            Some((last, counted)) if *last == second => *counted += count,
            _ => self.0.push_back((second, count)),
        }
        while self.0.front().is_some_and(|(first, _)| first + SECONDS <= second) {
            self.0.pop_front();
        }
    }

    /// How many a second, over the minute that ends with this one, or over what there was of it.
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 are counted in a minute")]
    pub(crate) fn rate(&self, second: u64) -> f64 {
        let counted = self.0.iter().filter(|(of, _)| of + SECONDS > second);
        let sum: u64 = counted.map(|(_, count)| count).sum();
        sum as f64 / (second + 1).min(SECONDS) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_counted_and_forgotten() {
        let mut minute = Minute::default();
        let rates =
            |minute: &Minute, seconds: [u64; 4]| seconds.map(|second| format!("{:.2}", minute.rate(second)));
        assert_eq!(rates(&minute, [0, 1, 59, 1_000]), ["0.00"; 4]);
        minute.add(0, 20);
        minute.add(0, 40);
        assert_eq!(rates(&minute, [0, 1, 59, 60]), ["60.00", "30.00", "1.00", "0.00"]);
        (1..=3_600).for_each(|second| minute.add(second, 6));
        assert_eq!(rates(&minute, [3_600, 3_630, 3_659, 3_660]), ["6.00", "3.00", "0.10", "0.00"]);
        assert_eq!(minute.0.len(), 60);
    }
}
