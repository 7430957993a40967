//! Logs from real senders, through the real server: nothing that was answered is lost or doubled, whatever ends in
//! between, and nobody finds what is not theirs.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail loudly"
)]

#[path = "intake/alerts.rs"]
mod alerts;
#[path = "intake/changes.rs"]
mod changes;
#[path = "intake/crowd.rs"]
mod crowd;
#[path = "support/logs.rs"]
mod logs;
#[path = "intake/questions.rs"]
mod questions;
#[path = "support/senders.rs"]
mod senders;
#[path = "support/server.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod server;
#[path = "intake/stream.rs"]
mod stream;
#[allow(dead_code, reason = "other tests use the rest")]
mod support;
#[path = "intake/tail.rs"]
mod tail;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use logs::{Siem, wait_for};
use senders::{logger, rsyslog, script, syslog_ng, told};
use serde_json::{Value, json};

/// This machine's name, as syslog programs write it.
fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    name.trim().to_lowercase()
}

/// The number that an event carries.
fn number(event: &Value) -> u64 {
    let (_, behind) = event["raw"].as_str().unwrap().rsplit_once("number=").expect("a number");
    behind.split(' ').next().unwrap().parse().unwrap()
}

fn numbered(numbers: std::ops::Range<u64>) -> String {
    numbers.map(|number| format!("number={number:05} of many\n")).collect()
}

#[test]
fn logger_is_understood_over_every_protocol() {
    let siem = Siem::new("");
    let ways = [
        ("--tcp --rfc5424", "rfc5424"),
        ("--tcp --rfc3164", "rfc3164"),
        ("--tcp --rfc5424 --octet-count", "rfc5424"),
        ("--tcp --rfc3164 --octet-count", "rfc3164"),
        ("--udp --rfc5424", "rfc5424"),
        ("--udp --rfc3164", "rfc3164"),
    ];
    for (place, (options, _)) in ways.iter().enumerate() {
        let options = format!("{options} -t way{place} --id=77 -p local3.warning");
        logger(siem.syslog, &options, &format!("it came by {place}"));
    }
    let full = host();
    for (place, (options, format)) in ways.iter().enumerate() {
        let query = format!("program:way{place} facility:local3 severity:warning");
        let found = siem.await_found(&query, 1);
        assert_eq!(found.len(), 1, "{options}");
        let event = &found[0];
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        // The older form has no place for a domain.
        let host = if *format == "rfc3164" { full.split('.').next().unwrap() } else { &full };
        assert_eq!((text("host").as_str(), text("format").as_str()), (host, *format), "{options}");
        assert_eq!((text("pid").as_str(), text("source").as_str()), ("77", "syslog"), "{options}");
        assert_eq!((text("peer").as_str(), event.get("sender")), ("127.0.0.1", None), "{options}");
        assert!(text("raw").ends_with(&format!("it came by {place}")), "{options}: {event}");
        assert!(event["claimed"].is_string(), "{options}: {event}");
    }
}

/// rsyslog's rule that follows a file and passes its lines on.
fn follow(siem: &Siem, tag: &str, action: &str) -> String {
    let (file, port) = (siem.server.place.path(tag).display().to_string(), siem.syslog);
    format!(
        "input(type=\"imfile\" file=\"{file}\" tag=\"{tag}:\" facility=\"local3\" ruleset=\"{tag}\")\n\
         ruleset(name=\"{tag}\") {{ action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{port}\" protocol=\"tcp\" \
         {action}) }}\n"
    )
}

#[test]
fn rsyslog_brings_every_message_once() {
    let siem = Siem::new("");
    let ways = [
        ("forward-lines", "rsyslog", "template=\"RSYSLOG_ForwardFormat\""),
        ("forward-counted", "rsyslog", "template=\"RSYSLOG_ForwardFormat\" TCP_Framing=\"octet-counted\""),
        ("new-lines", "rfc5424", "template=\"RSYSLOG_SyslogProtocol23Format\""),
        (
            "new-counted",
            "rfc5424",
            "template=\"RSYSLOG_SyslogProtocol23Format\" TCP_Framing=\"octet-counted\"",
        ),
    ];
    let mut configuration = String::new();
    for (tag, _, action) in ways {
        siem.server.place.write(tag, numbered(0..5_000));
        configuration += &follow(&siem, tag, action);
    }
    let Some(_daemon) = rsyslog(&siem.server.place, &configuration) else { return };
    for (tag, ..) in ways {
        siem.await_count(&format!("SELECT count(*) AS n FROM logs WHERE program = '{tag}'"), 5_000);
    }
    let full = host();
    let host = full.split('.').next().unwrap();
    for (tag, format, _) in ways {
        let sql = format!(
            "SELECT count(*) AS n, count(DISTINCT raw) AS d, count(DISTINCT id) AS ids FROM logs \
             WHERE program = '{tag}' AND format = '{format}' AND host = '{host}'"
        );
        assert_eq!(siem.row(&sql), json!({ "n": 5_000, "d": 5_000, "ids": 5_000 }), "{tag}");
        let numbers: BTreeSet<u64> = siem.found(&format!("program:{tag}")).iter().map(number).collect();
        assert_eq!(numbers, (0..5_000).collect(), "{tag}");
    }
}

/// The events of rsyslog's file, by id.
fn kept(siem: &Siem) -> BTreeMap<i64, u64> {
    let found = siem.found("program:numbers");
    let kept: BTreeMap<i64, u64> =
        found.iter().map(|event| (event["id"].as_i64().unwrap(), number(event))).collect();
    assert_eq!(kept.len(), found.len(), "an id stands twice");
    kept
}

/// The numbers of what rsyslog reads while the server is dead begin here.
const WHILE_DEAD: u64 = 50_000;

/// Over plain TCP no sender knows what was kept, so only this can be asked: what was kept stays, and it goes on.
#[test]
fn rsyslog_goes_on_after_the_server_was_killed() {
    let mut siem = Siem::new("");
    let queue = "template=\"RSYSLOG_SyslogProtocol23Format\" queue.type=\"LinkedList\" queue.filename=\"waiting\" \
                 queue.saveOnShutdown=\"on\" action.resumeRetryCount=\"-1\" action.resumeInterval=\"1\"";
    let file = siem.server.place.path("numbers");
    siem.server.place.write("numbers", "");
    let Some(_daemon) = rsyslog(&siem.server.place, &follow(&siem, "numbers", queue)) else { return };
    let add = |numbers: std::ops::Range<u64>| {
        let mut file = fs::OpenOptions::new().append(true).open(&file).unwrap();
        file.write_all(numbered(numbers).as_bytes()).unwrap();
    };
    let mut written = 0;
    // What rsyslog wrote into a connection that just died is lost; so more is said until something comes.
    let mut comes = |siem: &Siem, count: u64| {
        let from = written;
        add(written..written + count);
        written += count;
        wait_for("new messages", || {
            let kept = kept(siem);
            if kept.values().any(|number| (from..WHILE_DEAD).contains(number)) {
                return Ok(());
            }
            add(written..written + 1);
            written += 1;
            Err(format!("{} messages", kept.len()))
        });
    };
    for _ in 0..2 {
        comes(&siem, 2_000);
        let before = kept(&siem);
        siem = siem.killed_while(|| add(WHILE_DEAD..WHILE_DEAD + 1_000));
        wait_for("what was kept", || {
            let after = kept(&siem);
            let lost = before.iter().filter(|(id, number)| after.get(id) != Some(*number)).count();
            if lost == 0 { Ok(()) } else { Err(format!("{lost} of {} are gone", before.len())) }
        });
    }
    comes(&siem, 2_000);
}

#[test]
fn what_was_answered_is_there_once_however_often_the_server_is_killed() {
    const BATCHES: usize = 900;
    const SIZE: usize = 20;
    let mut siem = Siem::new("");
    let token = siem.sender("robot", Some(&siem.top));
    siem.source(&siem.top, "numbers");
    let (batches, size) = (BATCHES.to_string(), SIZE.to_string());
    let arguments = [&siem.server.url, &siem.ca(), &token, "numbers", &batches, &size];
    let Some(mut command) = script("post_numbers", &arguments) else { return };
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    for part in 1..=2 {
        let enough = |line: &String| line.parse::<usize>().is_ok_and(|count| count >= BATCHES * part / 3);
        lines.find(enough).expect("the sender goes on");
        siem = siem.killed();
    }
    let told: Value = serde_json::from_str(&lines.last().expect("the sender's last line")).unwrap();
    assert!(child.wait().unwrap().success());
    let batches = |name: &str| -> BTreeSet<u64> {
        told[name].as_array().unwrap().iter().map(|batch| batch.as_u64().unwrap()).collect()
    };
    let (at_once, repeated) = (batches("at_once"), batches("repeated"));
    assert_eq!(at_once.len() + repeated.len(), BATCHES, "all were answered in the end");
    assert!(!repeated.is_empty(), "nothing was on its way when the server was killed");

    let all = (BATCHES * SIZE) as u64;
    siem.await_count("SELECT count(DISTINCT raw) AS n FROM logs WHERE program = 'numbers'", all);
    let distinct = siem.row("SELECT count(DISTINCT raw) AS n FROM logs WHERE source = 'numbers'");
    assert_eq!(distinct["n"], all, "nothing is there that was not sent");
    let sql = "SELECT raw, count(*) AS n FROM logs WHERE source = 'numbers' GROUP BY raw HAVING count(*) > 1";
    for doubled in siem.rows(&siem.admin, &json!({ "sql": sql })) {
        let batch = number(&doubled) / SIZE as u64;
        assert!(repeated.contains(&batch), "answered at the first attempt, and doubled: {doubled}");
    }
}

#[test]
fn syslog_ng_brings_every_message_by_both_of_its_drivers() {
    let siem = Siem::new("");
    siem.server.place.write("lines", numbered(0..1_000));
    let (file, port) = (siem.server.place.path("lines").display().to_string(), siem.syslog);
    let configuration = format!(
        "@version: 3.35\n\
         source lines {{ file(\"{file}\" follow-freq(0.2) flags(no-parse) program-override(\"ng\")); }};\n\
         destination counted {{ syslog(\"127.0.0.1\" port({port}) transport(\"tcp\") persist-name(\"counted\")); }};\n\
         destination plain {{ network(\"127.0.0.1\" port({port}) transport(\"tcp\") persist-name(\"plain\")); }};\n\
         log {{ source(lines); destination(counted); destination(plain); }};\n"
    );
    let Some(_daemon) = syslog_ng(&siem.server.place, &configuration) else { return };
    for format in ["rfc5424", "rfc3164"] {
        let found = siem.await_found(&format!("program:ng format:{format}"), 1_000);
        let numbers: BTreeSet<u64> = found.iter().map(number).collect();
        assert_eq!((found.len(), numbers), (1_000, (0..1_000).collect()), "{format}");
    }
    let first = siem.found("program:ng meta.sequenceId:1");
    assert_eq!(first.iter().map(number).collect::<Vec<_>>(), [0]);
}

#[test]
fn clients_of_elasticsearch_and_opensearch_bring_documents() {
    let siem = Siem::new("");
    let token = siem.sender("robot", Some(&siem.top));
    siem.source(&siem.top, "web");
    let arguments = [&siem.server.url, &siem.ca(), &token, "web"];
    let Some(answer) = told("bulk_elasticsearch", &arguments) else { return };
    let version = answer["version"].as_str().unwrap();
    assert!(version.starts_with("9."), "{version}");
    let expected = json!({
        "version": version, "taken": 1_000, "errors": [["nowhere", 404]], "one": [false, 1], "stranger": 401,
    });
    assert_eq!(answer, expected);
    let answer = told("bulk_opensearch", &arguments).unwrap();
    assert_eq!(answer, json!({ "taken": 1_000, "errors": [] }));

    for program in ["es-py", "os-py"] {
        let found = siem.await_found(&format!("program:{program} format:json"), 1_000);
        let distinct: BTreeSet<&str> = found.iter().map(|event| event["raw"].as_str().unwrap()).collect();
        assert_eq!((found.len(), distinct.len()), (1_000, 1_000), "{program}");
        assert_eq!(siem.found(&format!("program:{program} order.number:500")).len(), 1, "{program}");
        assert!(found.iter().all(|event| event["sender"].as_str().unwrap().starts_with("svc_")));
    }
    siem.await_found("program:es-py-one \"by path\"", 1);
    assert_eq!(siem.found("lost or refused").len(), 0);
    assert_eq!(siem.listed("web")["events"], 2_001);
}

#[test]
fn opentelemetry_exports_records_with_their_attributes() {
    let siem = Siem::new("");
    let token = siem.sender("robot", Some(&siem.top));
    siem.source(&siem.top, "otel");
    let arguments = [&siem.server.url, &siem.ca(), &token, "otel"];
    let Some(answer) = told("export_otlp", &arguments) else { return };
    assert_eq!(answer, json!({ "flushed": true }));
    // Each record was exported twice: plain, and in gzip.
    siem.await_found("source:otel", 200);
    let counts = [
        ("source:otel", 200),
        ("severity_text:ERROR", 20),
        ("severity_number>=17", 20),
        ("attributes.order.id:40", 2),
        ("attributes.order.id<10 severity_text:error", 2),
        ("attributes.customer.country:NZ", 200),
        ("attributes.items:ink", 200),
        ("resource.service.name:shop scope:checkout", 200),
        ("body:\"order 40 was refused\"", 2),
        ("source:otel claimed:*", 200),
    ];
    for (query, count) in counts {
        assert_eq!(siem.found(query).len(), count, "{query}");
    }
    let sql = "SELECT count(*) AS n FROM logs WHERE field(raw, 'attributes.order.id') = '40'";
    assert_eq!(siem.row(sql), json!({ "n": 2 }));
}

#[test]
fn bodies_of_all_kinds_are_taken_or_refused_with_a_reason() {
    let siem = Siem::new("");
    let token = siem.sender("robot", Some(&siem.top));
    siem.source(&siem.top, "web");
    let Some(answers) = told("post_bodies", &[&siem.server.url, &siem.ca(), &token, "web"]) else { return };
    let taken = [
        ("plain", 50, 0),
        ("gzip", 50, 0),
        ("two gzip members", 100, 0),
        ("deflate", 50, 0),
        ("zstd", 50, 0),
        ("json list", 50, 0),
        ("empty", 0, 0),
        ("as long as may be", 1, 0),
        ("one too long", 2, 1),
        ("after all", 1, 0),
    ];
    for (name, accepted, refused) in taken {
        let [status, told] = [&answers[name][0], &answers[name][1]];
        let counts = (status, &told["accepted"], &told["refused"]);
        assert_eq!(counts, (&json!(200), &json!(accepted), &json!(refused)), "{name}: {told}");
    }
    let refused = [
        ("not gzip", 400),
        ("cut gzip", 400),
        ("unknown packing", 415),
        ("too large", 413),
        ("gzip bomb", 413),
        ("zstd bomb", 413),
        ("nobody", 401),
        ("wrong token", 401),
        ("another scheme", 401),
        ("no such source", 404),
        ("no name of a source", 404),
    ];
    for (name, status) in refused {
        assert_eq!(answers[name][0], status, "{name}: {}", answers[name][1]);
        assert!(answers[name][1]["type"].is_string(), "{name}: {}", answers[name][1]);
    }
    let all: usize = taken.iter().map(|(_, accepted, _)| accepted).sum();
    assert_eq!(siem.await_found("source:web not program:garrison", all).len(), all);
    assert_eq!(siem.found("program:zstd").len(), 50);
    assert_eq!(siem.found("cut or br or nobody or wrong or scheme or nowhere").len(), 0);
    let source = siem.listed("web");
    assert_eq!(
        (&source["events"], &source["now"]["refused"]),
        (&json!(all), &json!({ "length": 1 })),
        "{source}"
    );
    let told = siem.await_found("program:garrison event:intake-refused", 1);
    assert!(told.len() == 1 && told[0]["raw"].as_str().unwrap().contains("\"count\":1"), "{told:?}");
}

#[test]
fn a_token_sends_only_where_its_account_may() {
    let siem = Siem::new("");
    let (ours, theirs) = (siem.node("ours"), siem.node("theirs"));
    let source = siem.source(&ours, "ours");
    siem.source(&theirs, "theirs");
    let (granted, nowhere) = (siem.sender("robot", Some(&ours)), siem.sender("drone", None));
    let post = |token: &str, source: &str| {
        let bearer = format!("Bearer {token}");
        let path = format!("/api/v1/intake/{source}");
        siem.server.text(("POST", &path), &[("authorization", &bearer)], b"hello\n").0
    };
    assert_eq!(post(&granted, "ours"), 200);
    assert_eq!((post(&granted, "theirs"), post(&granted, "none")), (404, 404));
    assert!(matches!(post(&nowhere, "ours"), 403 | 404));
    assert!(matches!(siem.asked(&granted, &json!({})).0, 403 | 404), "who sends does not read");

    siem.server.post(&siem.admin, "/api/v1/source/disable", &json!({ "source": source }));
    assert_eq!(post(&granted, "ours"), 404);
    siem.server.post(&siem.admin, "/api/v1/source/enable", &json!({ "source": source }));
    assert_eq!(post(&granted, "ours"), 200);
    assert_eq!(siem.await_found("hello", 2).len(), 2);
}

/// Sources take nothing while they are disabled, also where nobody proves who they are.
#[test]
fn a_disabled_source_takes_no_syslog_either() {
    let siem = Siem::new("");
    let source = json!({ "source": siem.listed("syslog")["id"] });
    logger(siem.syslog, "--tcp -t early", "hello");
    siem.await_found("program:early", 1);
    siem.server.post(&siem.admin, "/api/v1/source/disable", &source);
    logger(siem.syslog, "--tcp -t late", "hello");
    let token = siem.sender("robot", Some(&siem.top));
    siem.source(&siem.top, "web");
    siem.send(&token, "web", "marker\n");
    siem.await_found("marker", 1);
    assert_eq!(siem.found("program:late").len(), 0);
    // It is no reason not to start.
    let siem = siem.stopped();
    siem.server.post(&siem.admin, "/api/v1/source/enable", &source);
    let siem = siem.stopped();
    logger(siem.syslog, "--tcp -t again", "hello");
    siem.await_found("program:again", 1);
}
