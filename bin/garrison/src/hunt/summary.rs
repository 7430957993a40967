//! What a hunt found, in sum. Bounded, however much is found.

use std::collections::BTreeMap;
use std::sync::Arc;

use foldhash::HashMap;
use garrison_sigma::Level;
use jiff::Timestamp;

use super::finding::Finding;
use crate::say;

/// Entities that are counted one by one; further ones are counted in sum.
const MOST_ENTITIES: usize = 10_000;
/// Bars of the time line that are kept while counting.
const MOST_BARS: usize = 4096;
/// Bars of the time line that are shown, and rows of the other tables.
const SHOWN: usize = 48;
const SHOWN_ROWS: usize = 15;
/// Heights of a bar.
const STEPS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Counts findings by rule, by entity and by time.
#[derive(Default)]
pub struct Summary {
    pub findings: u64,
    rules: HashMap<Arc<str>, (Level, String, u64)>,
    entities: HashMap<(&'static str, String), u64>,
    uncounted_entities: u64,
    timeline: Timeline,
}

impl Summary {
    pub fn add(&mut self, finding: &Finding) {
        self.findings += 1;
        let key: Arc<str> = Arc::from(format!("{}\0{}", finding.rule.id, finding.rule.file));
        let fresh = || (finding.level.parse().unwrap_or(Level::Informational), finding.rule.title.clone(), 0);
        self.rules.entry(key).or_insert_with(fresh).2 += 1;
        for (kind, name) in [("host", &finding.host), ("user", &finding.user), ("address", &finding.address)]
        {
            let Some(name) = name else { continue };
            let key = (kind, name.clone());
            if self.entities.len() >= MOST_ENTITIES && !self.entities.contains_key(&key) {
                self.uncounted_entities += 1;
            } else {
                *self.entities.entry(key).or_default() += 1;
            }
        }
        if let Some(time) = finding.time {
            self.timeline.add(time);
        }
    }

    /// How many rules found something.
    pub fn rules(&self) -> usize {
        self.rules.len()
    }

    /// Prints the summary on standard error.
    pub fn print(&self) {
        if self.findings == 0 {
            return;
        }
        say!("");
        say!("By rule");
        let mut rules: Vec<_> = self.rules.values().collect();
        rules.sort_by(|(level, title, count), (other_level, other_title, other)| {
            other_level.cmp(level).then(other.cmp(count)).then(title.cmp(other_title))
        });
        for (level, title, count) in rules.iter().take(SHOWN_ROWS) {
            say!("  {count:>8}  {level:<13}  {title}");
        }
        more(rules.len().saturating_sub(SHOWN_ROWS) as u64, "rules");
        say!("");
        say!("By entity");
        let mut entities: Vec<_> = self.entities.iter().collect();
        entities.sort_by(|(key, count), (other_key, other)| other.cmp(count).then(key.cmp(other_key)));
        for ((kind, name), count) in entities.iter().take(SHOWN_ROWS) {
            say!("  {count:>8}  {kind:<13}  {name}");
        }
        more(entities.len().saturating_sub(SHOWN_ROWS) as u64 + self.uncounted_entities, "entities");
        self.timeline.print();
    }
}

fn more(count: u64, what: &str) {
    if count > 0 {
        say!("            and {count} more {what}");
    }
}

/// Counts by spans of time that widen as the whole grows.
struct Timeline {
    /// Seconds of one bar.
    width: i64,
    bars: BTreeMap<i64, u64>,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { width: 1, bars: BTreeMap::new() }
    }
}

impl Timeline {
    fn add(&mut self, time: Timestamp) {
        *self.bars.entry(time.as_second().div_euclid(self.width)).or_default() += 1;
        if self.bars.len() > MOST_BARS {
            self.widen();
        }
    }

    fn widen(&mut self) {
        self.width *= 2;
        let mut wider = BTreeMap::new();
        for (place, count) in &self.bars {
            *wider.entry(place.div_euclid(2)).or_default() += count;
        }
        self.bars = wider;
    }

    fn print(&self) {
        let (Some((&first, _)), Some((&last, _))) = (self.bars.first_key_value(), self.bars.last_key_value())
        else {
            return;
        };
        let span = usize::try_from(last - first + 1).unwrap_or(usize::MAX);
        let bars = span.min(SHOWN);
        let mut heights = vec![0_u64; bars];
        for (&place, count) in &self.bars {
            // Spans are short enough for this product: both factors are small.
            let place = usize::try_from(place - first).unwrap_or(0).saturating_mul(bars) / span.max(1);
            if let Some(height) = heights.get_mut(place) {
                *height += count;
            }
        }
        let most = heights.iter().copied().max().unwrap_or(1).max(1);
        let step = |height: &u64| {
            STEPS.get(usize::try_from((height * 8).div_ceil(most)).unwrap_or(8)).unwrap_or(&'█')
        };
        let moment = |place: i64| {
            Timestamp::from_second(place * self.width).map_or_else(|_| String::new(), |time| time.to_string())
        };
        say!("");
        say!("Time line");
        say!("  |{}|", heights.iter().map(step).collect::<String>());
        say!("  {} to {}, at most {most} in a bar", moment(first), moment(last + 1));
    }
}
