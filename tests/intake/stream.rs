//! Following the logs by server-sent events: whatever breaks off, no row is lost and none comes twice.

use std::ops::Range;
use std::path::Path;

use serde_json::{Value, json};

use crate::logs::{Siem, wait_for};
use crate::server::Account;
use crate::{number, numbered};

/// A message of a stream.
#[derive(Debug, Default)]
struct Message {
    event: String,
    id: String,
    data: Value,
}

/// The messages of an answer, until it breaks off.
fn messages(lines: impl Iterator<Item = String>) -> impl Iterator<Item = Message> {
    let (mut message, mut last) = (Message::default(), String::new());
    lines.filter_map(move |line| {
        match line.split_once(": ").unwrap_or((line.as_str(), "")) {
            ("event", event) => event.clone_into(&mut message.event),
            ("id", id) => id.clone_into(&mut last),
            ("data", data) => message.data = serde_json::from_str(data).unwrap(),
            ("retry" | "", _) => {}
            other => panic!("a line of no meaning: {other:?}"),
        }
        // An id counts until the next one. Before the first there is only the word about asking again.
        (line.is_empty() && !last.is_empty())
            .then(|| Message { id: last.clone(), ..std::mem::take(&mut message) })
    })
}

fn open(siem: &Siem, query: &str, after: Option<&str>) -> impl Iterator<Item = Message> + use<> {
    let path = format!("/api/v1/log/stream?query={}", query.replace(' ', "%20"));
    let headers: Vec<(&str, &str)> = after.map(|id| ("last-event-id", id)).into_iter().collect();
    let mut messages = messages(siem.server.stream(&siem.admin, &path, &headers));
    let hello = messages.next().expect("a first message");
    assert_eq!((hello.event.as_str(), &hello.data), ("hello", &json!({ "position": hello.id })));
    assert!(after.is_none_or(|after| after == hello.id), "{after:?} {hello:?}");
    std::iter::once(hello).chain(messages)
}

/// The place of now.
fn here(siem: &Siem, query: &str) -> String {
    open(siem, query, None).next().unwrap().id
}

/// What somebody was told who is cut off again and again.
struct Told {
    position: String,
    rows: Vec<(i64, u64)>,
    /// The last thing that was heard was a sign of life.
    quiet: bool,
}

impl Told {
    fn nothing(position: String) -> Self {
        Self { position, rows: Vec::new(), quiet: false }
    }

    /// Goes on for so many messages, then cuts the connection.
    fn follow(&mut self, siem: &Siem, query: &str, count: usize) {
        for message in open(siem, query, Some(&self.position.clone())).skip(1).take(count) {
            self.position = message.id;
            self.quiet = message.event == "alive";
            match message.event.as_str() {
                "rows" => {
                    let rows = message.data.as_array().unwrap();
                    assert!((1..=500).contains(&rows.len()), "{}", rows.len());
                    self.rows.extend(rows.iter().map(|row| (row["id"].as_i64().unwrap(), number(row))));
                }
                "alive" => break,
                other => panic!("{other}: {}", message.data),
            }
        }
    }

    /// All of these numbers were told once, in the order of ids.
    fn is_all(&self, numbers: Range<u64>) {
        let disorder = self.rows.windows(2).find(|pair| pair[0].0 >= pair[1].0);
        assert_eq!(disorder, None, "ids grow");
        let mut told: Vec<u64> = self.rows.iter().map(|(_, number)| *number).collect();
        told.sort_unstable();
        let (lost, doubled) = (
            numbers.clone().filter(|number| told.binary_search(number).is_err()).count(),
            told.windows(2).filter(|pair| pair[0] == pair[1]).count(),
        );
        assert_eq!((lost, doubled, told.len() as u64), (0, 0, numbers.end - numbers.start));
    }
}

/// Two sources whose events are kept in different streams, so that several batches come at the same moment.
fn sources(siem: &Siem) -> String {
    siem.source(&siem.top, "one");
    let new = json!({ "node": siem.top, "name": "two", "stream": "auth", "purpose": "tests" });
    siem.make("/api/v1/source/create", &new, "source");
    siem.sender("robot", Some(&siem.top))
}

fn send(siem: &Siem, token: &str, numbers: Range<u64>) {
    for from in numbers.clone().step_by(20) {
        let source = ["one", "two"][usize::from(from % 40 == 0)];
        siem.send(token, source, &numbered(from..numbers.end.min(from + 20)));
    }
}

const ALL: u64 = 3_000;

#[test]
fn nothing_is_lost_or_doubled_however_often_a_stream_breaks_off() {
    let siem = Siem::new("");
    let token = sources(&siem);
    let mut told = Told::nothing(here(&siem, ""));
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| send(&siem, &token, 0..ALL));
        loop {
            let over = sender.is_finished();
            told.follow(&siem, "source:(one or two)", 2);
            if over && told.quiet {
                break;
            }
        }
    });
    told.is_all(0..ALL);
    // Somebody who begins now is told nothing of all that.
    let after = open(&siem, "", None).nth(1).unwrap();
    assert_eq!((after.event.as_str(), after.data), ("alive", json!({})));
}

/// Whether a file of events was written below a folder.
fn has_files(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(Result::unwrap);
    entries.map(|entry| entry.path()).any(|path| {
        if path.is_dir() { has_files(&path) } else { path.to_string_lossy().contains(".parquet") }
    })
}

#[test]
fn a_stream_goes_on_after_the_server_was_killed() {
    let mut siem = Siem::new("");
    let token = sources(&siem);
    let query = "many";
    let mut told = Told::nothing(here(&siem, query));
    for round in 0..3 {
        let from = round * 1_000;
        send(&siem, &token, from..from + 600);
        // Not all of it: the rest is behind when the server is back.
        told.follow(&siem, query, 1);
        if round == 1 {
            // So much that what came before goes to files.
            (0..70).for_each(|_| siem.send(&token, "one", &"noise\n".repeat(1_000)));
            let lake = siem.server.place.path("garrison/data/lake");
            wait_for("files of events", || {
                if has_files(&lake) { Ok(()) } else { Err("there are none".to_owned()) }
            });
        }
        siem = siem.killed();
        send(&siem, &token, from + 600..from + 1_000);
    }
    siem.await_found(query, 3_000);
    told.quiet = false;
    while !told.quiet {
        told.follow(&siem, query, 3);
    }
    told.is_all(0..3_000);
}

#[test]
fn what_is_too_far_behind_is_left_to_a_search() {
    let siem = Siem::new("");
    let token = sources(&siem);
    let begun = here(&siem, "");
    let (id, at) = begun.split_once('-').unwrap();
    send(&siem, &token, 0..20);
    siem.await_found("source:(one or two)", 20);
    let long_ago = at.parse::<i64>().unwrap() - 7_200_000_000;
    for after in [format!("{id}-{long_ago}"), "0-0".to_owned(), format!("9007199254740992-{at}")] {
        let mut messages = open(&siem, "source:(one or two)", Some(&after)).skip(1);
        let lagged = messages.next().unwrap();
        assert_eq!(lagged.event, "lagged", "{after}: {lagged:?}");
        let search = json!({ "query": "source:(one or two)", "from": lagged.data["from"] });
        assert!(siem.rows(&siem.admin, &search).len() >= 20, "{after}: {search}");
        assert!(lagged.data["to"].is_string() && lagged.data["detail"].is_string(), "{lagged:?}");
        // It goes on from now.
        send(&siem, &token, 20..21);
        let rows = messages.next().unwrap();
        let numbers: Vec<u64> = rows.data.as_array().unwrap().iter().map(number).collect();
        assert_eq!((rows.event.as_str(), numbers), ("rows", vec![20]), "{after}");
    }
}

#[test]
fn a_stream_shows_what_one_may_see_and_ends_with_the_right() {
    let siem = Siem::new("");
    let (ours, theirs) = (siem.node("ours"), siem.node("theirs"));
    siem.source(&ours, "ours");
    siem.source(&theirs, "theirs");
    let token = siem.sender("robot", Some(&siem.top));
    let (ben, person) = Account::made_by(&siem.server, &siem.admin, "ben");
    siem.grant(&person, "analyst", &ours);
    let session = siem.server.get(&ben.session, "/api/v1/whoami")["session"].clone();
    let path = "/api/v1/log/stream?query=";
    let mut messages = messages(siem.server.stream(&ben.session, path, &[]));
    let hello = messages.next().unwrap();
    siem.send(&token, "theirs", &numbered(0..1));
    siem.send(&token, "ours", &numbered(1..2));
    let rows = messages.next().unwrap();
    let numbers: Vec<u64> = rows.data.as_array().unwrap().iter().map(number).collect();
    assert_eq!((rows.event.as_str(), numbers), ("rows", vec![1]));
    // What was missed is narrowed as what comes is.
    let path = format!("{path}&after={}", hello.id);
    let mut again = self::messages(siem.server.stream(&ben.session, &path, &[])).skip(1);
    assert_eq!(again.next().unwrap().data, rows.data);

    siem.server.post(&siem.admin, "/api/v1/session/end", &json!({ "session": session }));
    let last = messages.find(|message| message.event != "alive").unwrap();
    let told = (last.event.as_str(), &last.data["type"], &last.data["status"]);
    assert_eq!(told, ("end", &json!("session/missing"), &json!(401)), "{last:?}");
    assert!(messages.next().is_none(), "nothing follows the end");
}

#[test]
fn nobody_follows_so_often_that_others_cannot() {
    let siem = Siem::new("");
    let ben = siem.analyst("ben", &siem.top);
    let path = "/api/v1/log/stream?query=nothinglikeit";
    let followed: Vec<_> = (0..16).map(|_| open(&siem, "nothinglikeit", None)).collect();
    let bearer = format!("Bearer {}", siem.admin);
    let (status, body) = siem.server.text(("GET", path), &[("authorization", &bearer)], b"");
    assert!(status == 429 && body.contains("16 things"), "{status} {body}");
    let told = messages(siem.server.stream(&ben, path, &[])).next();
    assert_eq!(told.map(|message| message.event), Some("hello".to_owned()));
    drop(followed);
}

#[test]
fn parameters_of_strangers_are_refused_with_a_reason() {
    let siem = Siem::new("");
    let bearer = format!("Bearer {}", siem.admin);
    for (query, word) in [
        ("query=(((", "parenthesis"),
        ("after=nonsense", "go on behind"),
        ("after=-1-5", "go on behind"),
        ("after=1-99999999999999999999", "go on behind"),
        ("after=%0d%0aevent:%20x", "go on behind"),
        ("unknown=1", "unknown"),
        ("query=a&query=b", "duplicate"),
    ] {
        let path = format!("/api/v1/log/stream?{query}");
        let (status, body) = siem.server.text(("GET", &path), &[("authorization", &bearer)], b"");
        assert_eq!(status, 422, "{query:.60}: {body}");
        assert!(body.contains(word), "{query:.60}: {body}");
    }
    let headers = [("authorization", bearer.as_str()), ("last-event-id", "1;2")];
    let (status, body) = siem.server.text(("GET", "/api/v1/log/stream"), &headers, b"");
    assert_eq!(status, 422, "{body}");
}
