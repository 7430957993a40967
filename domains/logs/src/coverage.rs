//! The calendar: what is there of each source on each day, and why a day is not whole.

use std::collections::HashMap;

use garrison_base::{Day, SourceId, Timestamp};
use garrison_kernel::{KernelError, ReadTx, Verb};
use garrison_web::{Page, Question, page_limit};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::model::{Coverage, CoveredDay, Source};
use crate::store;

const MINUTE: i64 = 60_000_000;
/// So long after its end the last events of a day are in files, and counted: they are written once a minute.
const SETTLED: i64 = 5 * MINUTE;
/// Days that are shown where nothing is said.
const WEEK: i64 = 7;
/// Days of one question, at most.
const MOST: i64 = 366;
/// Sources that are read at once.
const CHUNK: i64 = 50;

/// Tells what is there of sources, day by day. Days are those of UTC.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct CoverSources {
    /// Only this source.
    #[param(value_type = Option<String>)]
    pub source: Option<SourceId>,
    /// The first day, such as 2026-11-22; a week up to `to` where nothing is said.
    #[param(value_type = Option<String>)]
    pub from: Option<Day>,
    /// The last day; today where nothing is said. 366 days at most.
    #[param(value_type = Option<String>)]
    pub to: Option<Day>,
    /// How many at most, 1 to 500; 100 where nothing is said.
    pub limit: Option<i64>,
    /// Where to go on: `next` of the page before.
    pub cursor: Option<String>,
}

impl Question for CoverSources {
    const VERB: Verb = Verb::new("source:coverage");
    const PATH: &'static str = "/source/coverage";
    const SUMMARY: &'static str = "What is there of each source on each day, by name and day.";
    type Answer = Page<CoveredDay>;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        let limit = page_limit(self.limit)?;
        let enough = usize::try_from(limit).unwrap_or(usize::MAX);
        let (from, to) = self.span(Day::of(tx.now()))?;
        let after: Option<(SourceId, Day)> = tx.open_cursor(Self::VERB, self.cursor.as_deref())?;
        let (mut name, mut days) = (String::new(), Vec::new());
        // The source in which the page before ended, or the only one.
        if let Some((source, day)) = after.or(self.source.map(|only| (only, from.plus(-1)))) {
            let source = store::source(tx, source).await?;
            days.extend(calendar(tx, &source, (day.plus(1).max(from), to)).await?);
            name = source.name.into();
        }
        while self.source.is_none() && days.len() <= enough {
            let sources = store::sources(tx, &name, CHUNK).await?;
            let Some(last) = sources.last() else { break };
            name = last.name.to_string();
            for source in &sources {
                days.extend(calendar(tx, source, (from, to)).await?);
                if days.len() > enough {
                    break;
                }
            }
        }
        Page::cut(days, limit, (tx, Self::VERB), |last: &CoveredDay| (last.source, last.day))
    }
}

impl CoverSources {
    fn span(&self, today: Day) -> Result<(Day, Day), KernelError> {
        let to = self.to.unwrap_or(today).min(today);
        let from = self.from.unwrap_or(to.plus(1 - WEEK));
        if from > to {
            return Err(KernelError::Invalid(format!("{from} is after {to}")));
        }
        if to.number() - from.number() >= MOST {
            return Err(KernelError::Invalid(format!("at most {MOST} days are shown at once")));
        }
        Ok((from, to))
    }
}

/// The days of a source; none from before it was made.
async fn calendar(
    tx: &mut ReadTx<'_>,
    source: &Source,
    (from, to): (Day, Day),
) -> Result<Vec<CoveredDay>, KernelError> {
    let known = store::known(tx, source.id, (from, to)).await?;
    let now = tx.now().as_microsecond();
    let days = (0..=to.number() - from.number()).map(|place| from.plus(place));
    let covered = days.filter_map(|day| {
        let (state, why) = known.judge(day, source.silence_minutes, now)?;
        let received = known.received.get(&day);
        let moment = |at: i64| Timestamp::from_microsecond(at).ok();
        Some(CoveredDay {
            source: source.id,
            name: source.name.clone(),
            path: source.path.clone(),
            day,
            state,
            why,
            events: received.map_or(0, |received| received.events),
            first: received.and_then(|received| moment(received.first)),
            last: received.and_then(|received| moment(received.last)),
        })
    });
    Ok(covered.collect())
}

/// What is known of a source and of the server, from one day to another. Moments and lengths are in microseconds.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// In their order, the creation first.
    pub(crate) switches: Vec<Switch>,
    pub(crate) received: HashMap<Day, Received>,
    /// By the name of the limit.
    pub(crate) refused: HashMap<Day, Vec<(String, i64)>>,
    pub(crate) outages: Vec<Outage>,
}

/// A source was `created`, or is `disabled` or `active` from then on.
#[derive(Debug)]
pub(crate) struct Switch {
    pub(crate) at: i64,
    pub(crate) state: String,
}

/// What was received on a day.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) events: i64,
    pub(crate) first: i64,
    pub(crate) last: i64,
    /// The longest pause that ended on the day.
    pub(crate) pause: i64,
}

/// The server was not there, or nobody knows whether it was.
#[derive(Debug)]
pub(crate) struct Outage {
    pub(crate) begun: i64,
    pub(crate) ended: i64,
    pub(crate) known: bool,
}

impl Known {
    /// How much of a day is there, and why it is not whole; nothing for a day before the source was made. `silence` is the
    /// number of minutes after which the source counts as silent.
    fn judge(&self, day: Day, silence: Option<i64>, now: i64) -> Option<(Coverage, Vec<String>)> {
        let (begin, end) = (day.begin(), day.end());
        let before = self.switches.iter().rev().find(|switch| switch.at <= begin);
        let changes: Vec<&Switch> =
            self.switches.iter().filter(|switch| begin < switch.at && switch.at < end).collect();
        if before.is_none() && changes.is_empty() {
            return None;
        }
        if now < end.saturating_add(SETTLED) {
            return Some((Coverage::Open, Vec::new()));
        }
        if changes.is_empty() && before.is_some_and(|switch| switch.state == "disabled") {
            return Some((Coverage::Disabled, Vec::new()));
        }
        let mut why: Vec<String> = changes.iter().map(|switch| switch.words()).collect();
        let refused = self.refused.get(&day).into_iter().flatten();
        why.extend(refused.map(|(limit, count)| format!("refused {count} by {limit}")));
        let received = self.received.get(&day);
        why.extend(received.zip(silence).and_then(|(received, silence)| received.silent(end, silence)));
        why.extend(self.down(day));
        let unknown = self.absent(day, false) > 0;
        why.extend(unknown.then(|| "unknown".to_owned()));
        let state = if received.is_none() && changes.is_empty() && !unknown {
            Coverage::Missing
        } else if why.is_empty() {
            Coverage::Whole
        } else {
            Coverage::Partial
        };
        Some((state, why))
    }

    /// For how long the server was not there while the source was.
    fn down(&self, day: Day) -> Option<String> {
        let down = self.absent(day, true);
        (down > MINUTE).then(|| format!("server down for {} minutes", down / MINUTE))
    }

    fn absent(&self, day: Day, known: bool) -> i64 {
        let made = self.switches.first().map_or(0, |first| first.at);
        let (begin, end) = (day.begin().max(made), day.end());
        let overlap = |outage: &Outage| outage.ended.min(end).saturating_sub(outage.begun.max(begin)).max(0);
        self.outages.iter().filter(|outage| outage.known == known).map(overlap).sum()
    }
}

impl Switch {
    fn words(&self) -> String {
        let moment = Timestamp::from_microsecond(self.at).unwrap_or_default();
        let state = if self.state == "active" { "enabled" } else { self.state.as_str() };
        format!("{state} at {}", moment.strftime("%H:%M"))
    }
}

impl Received {
    /// For how long the source counted as silent at most, on a day that ends then.
    fn silent(&self, end: i64, minutes: i64) -> Option<String> {
        let longest = self.pause.max(end.saturating_sub(self.last));
        (longest >= minutes.saturating_mul(MINUTE))
            .then(|| format!("silent for {} minutes", longest / MINUTE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day() -> Day {
        "2026-11-22".parse().unwrap()
    }

    /// So many minutes after the beginning of the day.
    fn at(minutes: i64) -> i64 {
        day().begin() + minutes * MINUTE
    }

    fn switch(minutes: i64, state: &str) -> Switch {
        Switch { at: at(minutes), state: state.into() }
    }

    /// A source of the day before, with an event at the first and the last minute.
    fn usual() -> Known {
        let received = Received { events: 2, first: at(0), last: at(1439), pause: 1439 * MINUTE };
        Known {
            switches: vec![switch(-1440, "created")],
            received: HashMap::from([(day(), received)]),
            ..Known::default()
        }
    }

    fn judged(known: &Known, silence: Option<i64>) -> (Coverage, String) {
        let (state, why) = known.judge(day(), silence, at(3000)).unwrap();
        (state, why.join("; "))
    }

    #[test]
    fn a_day_is_whole_unless_something_speaks_against_it() {
        let told = |known: Known, silence| judged(&known, silence);
        let partial = |why: &str| (Coverage::Partial, why.to_owned());
        assert_eq!(told(usual(), None), (Coverage::Whole, String::new()));
        assert_eq!(told(usual(), Some(1440)), (Coverage::Whole, String::new()));
        assert_eq!(told(usual(), Some(1439)), partial("silent for 1439 minutes"));
        let refused = HashMap::from([(day(), vec![("rate".to_owned(), 3)])]);
        assert_eq!(told(Known { refused, ..usual() }, None), partial("refused 3 by rate"));
        let created = vec![switch(600, "created")];
        assert_eq!(told(Known { switches: created, ..usual() }, None), partial("created at 10:00"));
        let switches = vec![switch(-9, "created"), switch(60, "disabled"), switch(90, "active")];
        let twice = partial("disabled at 01:00; enabled at 01:30");
        assert_eq!(told(Known { switches, ..usual() }, None), twice);
        let outage = |from, to, known| vec![Outage { begun: at(from), ended: at(to), known }];
        let down = |from, to, known| Known { outages: outage(from, to, known), ..usual() };
        assert_eq!(told(down(-30, 12, true), None), partial("server down for 12 minutes"));
        assert_eq!(told(down(5, 6, true), None), (Coverage::Whole, String::new()));
        assert_eq!(told(down(-30, 0, true), None), (Coverage::Whole, String::new()));
        assert_eq!(told(down(-99_999, 1, false), None), partial("unknown"));
        // Before the source was made there was nothing to take.
        let created = vec![switch(0, "created")];
        let late = Known { switches: created, outages: outage(-99_999, 0, false), ..usual() };
        assert_eq!(told(late, None), (Coverage::Whole, String::new()));
    }

    #[test]
    fn a_day_without_events_is_missing_where_there_should_have_been_some() {
        let none = || Known { received: HashMap::new(), ..usual() };
        assert_eq!(judged(&none(), Some(5)), (Coverage::Missing, String::new()));
        let outages = vec![Outage { begun: at(0), ended: at(1440), known: true }];
        let down = (Coverage::Missing, "server down for 1440 minutes".to_owned());
        assert_eq!(judged(&Known { outages, ..none() }, None), down);
        let outages = vec![Outage { begun: 0, ended: at(2000), known: false }];
        assert_eq!(judged(&Known { outages, ..none() }, None).0, Coverage::Partial);
        let off = || vec![switch(-1440, "created"), switch(-1, "disabled")];
        assert_eq!(judged(&Known { switches: off(), ..none() }, None).0, Coverage::Disabled);
        let mut enabled = off();
        enabled.push(switch(1, "active"));
        assert_eq!(judged(&Known { switches: enabled, ..none() }, None).0, Coverage::Partial);
    }

    #[test]
    fn a_day_is_open_until_its_last_events_are_counted_and_there_is_none_before_the_source() {
        for (now, state) in [(0, Coverage::Open), (1444, Coverage::Open), (1445, Coverage::Whole)] {
            assert_eq!(usual().judge(day(), None, at(now)).unwrap().0, state, "{now}");
        }
        assert!(usual().judge(day().plus(-2), None, at(3000)).is_none());
    }

    #[test]
    fn a_question_is_about_a_year_at_most() {
        let asked = |from: &str, to: Option<&str>| CoverSources {
            from: Some(from.parse().unwrap()),
            to: to.map(|to| to.parse().unwrap()),
            ..CoverSources::default()
        };
        let week = CoverSources::default().span(day()).unwrap();
        assert_eq!(week, ("2026-11-16".parse().unwrap(), day()));
        assert_eq!(asked("2026-11-01", Some("2030-01-01")).span(day()).unwrap().1, day());
        assert!(asked("2025-11-22", None).span(day()).is_ok());
        assert!(asked("2025-11-21", None).span(day()).is_err());
        assert!(asked("2026-11-02", Some("2026-11-01")).span(day()).is_err());
    }
}
