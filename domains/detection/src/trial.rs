//! Trying a rule on an event that somebody pastes: what each part of the rule says to it. Nothing is kept.

use axum::extract::State;
use axum::{Extension, Json};
use garrison_decode::{Decoder, Framer, Record};
use garrison_kernel::{KernelError, Verb, problems};
use garrison_web::{Answer, Body, Caller, Refusal, Web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::live::{Live, Rules};
use crate::predicate::{Judged, Predicate};

/// Trying a rule.
pub(crate) const TEST: Verb = Verb::new("rule:test");

/// Bytes of the text that is tried.
const BYTES: usize = 256 << 10;
/// Bytes of it that are decoded at once.
const PIECE: usize = 4 << 10;

/// Tries a rule on an event.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestRule {
    /// The rule, by its id.
    pub rule: String,
    /// The event as a sender would send it, at most 256 KiB. Where there are several, the first one counts.
    #[schema(max_length = 262_144)]
    pub event: String,
}

/// The source of logs that an event was taken for.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoutedSource {
    /// Such as `linux`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Such as `sshd`.
    pub services: Vec<String>,
    /// Such as `process_creation`.
    pub categories: Vec<String>,
}

/// What a rule says to an event.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleTrial {
    /// How the event was written.
    pub format: String,
    /// What it tells of.
    pub kind: String,
    /// The source of logs that it was taken for; absent where it is none that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logsource: Option<RoutedSource>,
    /// Whether the rule is about such logs. If not, it does not judge the event, whatever its parts say.
    pub applies: bool,
    /// Whether the rule would find the event.
    pub matches: bool,
    /// What the decoder read, by the names that the source gives.
    #[schema(value_type = Object)]
    pub fields: serde_json::Value,
    /// What each part of the rule says.
    pub condition: Judged,
}

/// `POST /api/v1/rule/test`
pub(crate) async fn test(
    State(web): State<Web>,
    Extension(live): Extension<Live>,
    Caller(actor): Caller,
    Body(asked): Body<TestRule>,
) -> Answer<Json<RuleTrial>> {
    drop(web.kernel.read(&actor, TEST).await?);
    let turn = live.turn_to_try()?;
    if asked.event.len() > BYTES {
        return Err(Refusal::new(&problems::TOO_LARGE, format!("an event has at most {BYTES} bytes here")));
    }
    let rules = live.rules();
    let (place, _) = rules.place(&asked.rule).ok_or(KernelError::NotFound)?;
    // Reading and judging so much text takes as long as it takes; others are answered meanwhile.
    let tried = tokio::task::spawn_blocking(move || {
        let tried = rules.tried(place, &asked.event);
        // Whoever asked may have gone long ago: the turn is over when the work is.
        drop(turn);
        tried
    });
    let tried = tried.await.map_err(|error| KernelError::BrokeOff(error.to_string()))?;
    tried.map(Json).ok_or_else(|| KernelError::Invalid("there is no event in the text".into()).into())
}

impl Rules {
    /// What a rule says to the first event of a text; nothing where there is none.
    fn tried(&self, place: usize, text: &str) -> Option<RuleTrial> {
        let (mut decoder, mut framer) = (Decoder::default(), Framer::default());
        let mut tried = None;
        let take = |tried: &mut Option<RuleTrial>, record: &Record<'_>| {
            if tried.is_none() {
                *tried = self.judged(place, record);
            }
        };
        // Piece by piece: what lies behind the first event need not be decoded.
        for piece in text.as_bytes().chunks(PIECE) {
            framer.push(piece, &mut |frame| {
                decoder.decode(frame.bytes, frame.line, &mut |record: &Record<'_>| take(&mut tried, record));
            });
            if tried.is_some() {
                return tried;
            }
        }
        framer.finish(&mut |frame| {
            decoder.decode(frame.bytes, frame.line, &mut |record: &Record<'_>| take(&mut tried, record));
        });
        decoder.finish(&mut |record: &Record<'_>| take(&mut tried, record));
        tried
    }

    fn judged(&self, place: usize, record: &Record<'_>) -> Option<RuleTrial> {
        let (rule, taxonomy) = (self.set.rules().get(place)?, self.set.taxonomy());
        let source = taxonomy.route(record.kind.name(), &record.fields);
        let verdict = self.set.verdict(place, source, &record.fields)?;
        let applies = taxonomy.applies(&rule.logsource, source);
        let logsource = taxonomy.known(source).map(|known| RoutedSource {
            product: known.product().map(str::to_owned),
            services: known.services().to_vec(),
            categories: known.categories().to_vec(),
        });
        Some(RuleTrial {
            format: record.format.to_string(),
            kind: record.kind.to_string(),
            logsource,
            applies,
            matches: applies && verdict.holds,
            fields: serde_json::to_value(&record.fields).unwrap_or_default(),
            condition: Predicate::of(&rule.expr).judged(verdict),
        })
    }
}

#[cfg(test)]
mod tests {
    use garrison_sigma::{Placeholders, RuleSet, Taxonomy, rule};
    use serde_json::{Value, json};

    use super::*;

    const RULES: &str = "
title: Login to an account of a daemon
id: login
logsource: {product: linux, service: sshd}
detection:
  selection: {action: login, outcome: success}
  daemon: {user: [redis, postgres]}
  filter_known: {src_ip|cidr: 192.0.2.0/24}
  condition: selection and 1 of daemon* and not filter_known
---
title: Any word
id: word
logsource: {product: windows}
detection: {words: [redis], condition: words}
";
    const LOGIN: &str = "<86>1 - web1 sshd 811 - - \
                         Accepted publickey for redis from 203.0.113.24 port 55501 ssh2: RSA SHA256:x";

    fn tried(rule: &str, event: &str) -> Value {
        let read = rule::read("r.yml", RULES, &Placeholders::default());
        let set = RuleSet::new(read.into_iter().map(Result::unwrap).collect(), Taxonomy::built_in().unwrap());
        let rules = Rules { set, built_in: 0 };
        let (place, _) = rules.place(rule).unwrap();
        serde_json::to_value(rules.tried(place, event)).unwrap()
    }

    #[test]
    fn every_part_tells_whether_it_holds_and_what_it_saw() {
        let trial = tried("login", LOGIN);
        assert_eq!((&trial["format"], &trial["kind"]), (&json!("rfc5424"), &json!("sshd")));
        let source = json!({ "product": "linux", "services": ["sshd", "auth", "syslog"], "categories": [] });
        assert_eq!(trial["logsource"], source);
        assert_eq!((&trial["applies"], &trial["matches"]), (&json!(true), &json!(true)), "{trial}");
        assert_eq!(trial["fields"]["user"], "redis");
        let condition = &trial["condition"];
        assert_eq!((&condition["op"], &condition["holds"]), (&json!("and"), &json!(true)));
        let names: Vec<_> = (0..2).map(|part| condition["children"][part]["name"].clone()).collect();
        assert_eq!(names, ["selection", "daemon"]);
        let daemon = &condition["children"][1]["children"];
        let expected = json!([
            { "op": "test", "words": "user = \"redis\"", "field": "user", "test": "= \"redis\"", "holds": true,
              "seen": "redis", "children": [] },
            { "op": "test", "words": "user = \"postgres\"", "field": "user", "test": "= \"postgres\"",
              "holds": false, "seen": "redis", "children": [] },
        ]);
        assert_eq!(*daemon, expected);
        let not = &condition["children"][2];
        assert_eq!((&not["op"], &not["holds"]), (&json!("not"), &json!(true)));
        let filter = &not["children"][0];
        assert_eq!((&filter["name"], &filter["holds"]), (&json!("filter_known"), &json!(false)));
        assert_eq!((&filter["seen"], &filter["test"]), (&json!("203.0.113.24"), &json!("in 192.0.2.0/24")));
    }

    #[test]
    fn a_rule_about_other_logs_is_judged_and_finds_nothing() {
        let trial = tried("word", LOGIN);
        assert_eq!((&trial["applies"], &trial["matches"]), (&json!(false), &json!(false)));
        let condition = &trial["condition"];
        assert_eq!((&condition["holds"], &condition["name"]), (&json!(true), &json!("words")), "{condition}");
        assert_eq!(condition["words"], "any field contains \"redis\"");
        assert_eq!(condition.get("field"), None);
    }

    #[test]
    fn the_first_event_counts_and_there_must_be_one() {
        let two = format!("plain words\n{LOGIN}\n");
        let trial = tried("login", &two);
        assert_eq!((&trial["format"], &trial["matches"]), (&json!("raw"), &json!(false)));
        assert_eq!(trial.get("logsource"), None, "{trial}");
        assert_eq!(trial["condition"]["children"][1]["children"][0].get("seen"), None);
        assert_eq!(tried("login", " \n\n"), Value::Null);
    }

    #[test]
    fn an_event_is_read_whole_however_long_it_is() {
        let filler = "x".repeat(3 * PIECE);
        let long = format!("{{\"action\": \"login\",\n\"filler\": \"{filler}\",\n\"user\": \"redis\"}}\n");
        let trial = tried("login", &format!("{long}{LOGIN}\n"));
        assert_eq!((&trial["format"], &trial["fields"]["user"]), (&json!("json"), &json!("redis")));
        assert_eq!(trial["fields"]["filler"].as_str().map(str::len), Some(filler.len()));
    }
}
