//! What becomes of what came in: alerts, once and told, and rows for those who may see them.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;

use serde_json::{Map, Value, json};

use crate::host;
use crate::logs::{Siem, wait_for};
use crate::senders::{logger, told_of};

/// The starter rule "SSH login to an account that belongs to a daemon", level high.
pub const DAEMON_LOGIN: &str = "f88b7b85-23ae-4274-bf5c-50eb5d6e471b";
/// The starter rule "Root logged in over SSH", level medium.
const ROOT_LOGIN: &str = "de992c27-4a67-41b9-9867-4ef134fd429d";
/// The starter rule "SSH password refused for root", level informational: less than what judges by default.
const REFUSED_LOGIN: &str = "476e31e8-ec99-4441-9ed2-0e3daf8724ee";
/// The starter rule "Password hashes read with a text or copy tool".
const SHADOW_READ: &str = "7c9987c7-4909-4642-99c6-3c7d5e55874a";

/// What sshd says of a login.
pub fn login(user: &str, host: &str) -> String {
    format!("<86>1 - {host} sshd 811 - - {}\n", accepted(user))
}

fn accepted(user: &str) -> String {
    format!("Accepted publickey for {user} from 203.0.113.24 port 55501 ssh2: RSA SHA256:yExampleFingerprint")
}

/// Takes one request as a web server would, and answers it.
fn receive(listener: &TcpListener, status: &str) -> Value {
    listener.set_nonblocking(true).unwrap();
    let (stream, _) = wait_for("a request", || listener.accept().map_err(|error| error.to_string()));
    stream.set_nonblocking(false).unwrap();
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    };
    let request = line();
    let mut headers = Map::new();
    while let Some((name, value)) = line().split_once(": ") {
        headers.insert(name.to_lowercase(), value.into());
    }
    let mut body = vec![0; headers["content-length"].as_str().unwrap().parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    reader.get_mut().write_all(answer.as_bytes()).unwrap();
    json!({ "request": request, "headers": headers, "body": String::from_utf8(body).unwrap() })
}

#[test]
fn a_login_becomes_an_alert_and_a_signed_request() {
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let hook = format!("http://{}/hook?key=1", listener.local_addr().unwrap());
    let siem =
        Siem::new(&format!("[[notices.webhooks]]\nname = 'desk'\nurl = '{hook}'\nsecret = '{SECRET}'\n"));
    logger(
        siem.syslog,
        "--tcp --rfc3164 -t sshd --id=810",
        "Failed password for root from 203.0.113.9 port 5 ssh2",
    );
    for _ in 0..3 {
        logger(siem.syslog, "--tcp --rfc3164 -t sshd --id=811", &accepted("redis"));
    }
    let alert = wait_for("an alert of three events", || {
        let alert = siem.await_alert(DAEMON_LOGIN);
        if alert["count"] == 3 { Ok(alert) } else { Err(alert.to_string()) }
    });
    let full = host();
    let told = [&alert["level"], &alert["state"], &alert["entity_kind"], &alert["entity"]];
    assert_eq!(told, ["high", "open", "host", full.split('.').next().unwrap()], "{alert}");
    let id = alert["id"].as_str().unwrap();
    let detail = siem.server.get(&siem.admin, &format!("/api/v1/alert/{id}"));
    let events = detail["events"].as_array().unwrap();
    assert_eq!(events.len(), 3, "{detail}");
    assert!(events.iter().all(|event| event["raw"].as_str().unwrap().ends_with(&accepted("redis"))));
    assert!(events[0]["why"].as_array().unwrap().iter().any(|why| why["field"] == "user"), "{detail}");
    // Its events are those that a search finds.
    let event = events[0]["id"].as_str().unwrap();
    assert_eq!(siem.await_found(&format!("id:{event}"), 1).len(), 1);
    assert_eq!(siem.alerts(&siem.admin).iter().filter(|alert| alert["rule"] == REFUSED_LOGIN).count(), 0);

    let (first, second) = (receive(&listener, "503 Busy"), receive(&listener, "204 No Content"));
    assert_eq!(first["request"], "POST /hook?key=1 HTTP/1.1");
    let (header, body) = ("webhook-id", "body");
    assert_eq!((&first["headers"][header], &first[body]), (&second["headers"][header], &second[body]));
    for request in [first, second] {
        let Some(verified) = told_of("verify_webhook", &[SECRET], &request) else { return };
        assert_eq!(verified["changed"], "refused");
        let data = &verified["data"];
        assert_eq!((&data["type"], &data["data"]["alert"]), (&json!("alert.raised"), &json!(id)), "{data}");
        assert_eq!((&data["data"]["rule"], &data["data"]["level"]), (&json!(DAEMON_LOGIN), &json!("high")));
    }
}

/// The last event of a batch may still wait for a part when what was found before it in the same batch is settled.
#[test]
fn an_alert_of_an_event_that_waited_for_its_parts_is_raised() {
    let siem = Siem::new("");
    let token = siem.sender("robot", Some(&siem.top));
    siem.source(&siem.top, "web");
    let audit = "\
type=SYSCALL msg=audit(1795344265.432:10224): arch=c000003e syscall=257 success=yes exit=3 a0=ffffff9c a1=7ffd3b0e0048 a2=0 a3=1b6 items=1 ppid=4315 pid=4316 auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=42 comm=\"cat\" exe=\"/usr/bin/cat\" subj=unconfined key=\"shadow\"
type=CWD msg=audit(1795344265.432:10224): cwd=\"/root\"
type=PATH msg=audit(1795344265.432:10224): item=0 name=\"/etc/shadow\" inode=131143 dev=fd:00 mode=0100640 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL
";
    siem.send(&token, "web", &(login("redis", "web1") + audit));
    siem.await_alert(DAEMON_LOGIN);
    siem.await_alert(SHADOW_READ);
}

#[test]
fn nobody_finds_what_belongs_to_another_part() {
    let siem = Siem::new("");
    let (ours, theirs) = (siem.node("ours"), siem.node("theirs"));
    siem.source(&ours, "own-source");
    siem.source(&theirs, "foreign-source");
    let token = siem.sender("robot", Some(&siem.top));
    let carl = siem.analyst("carl", &ours);
    for (source, word) in [("own-source", "plain"), ("foreign-source", "hidden")] {
        let login = login("redis", &format!("{word}-host"));
        siem.send(&token, source, &format!("{word} one\n{word} two\n{login}"));
    }
    siem.await_found("program:sshd or plain or hidden", 6);
    let filters = [
        ("", 3),
        ("plain", 3),
        ("source:own-source or source:foreign-source", 3),
        ("not source:own-source", 0),
    ];
    for (query, count) in filters {
        assert_eq!(siem.rows(&carl, &json!({ "query": query })).len(), count, "{query}");
    }
    let node = format!("node:{theirs}");
    for query in ["hidden", "source:foreign-source", "host:hidden-host", "raw:*hidden*", &node] {
        assert_eq!(siem.rows(&carl, &json!({ "query": query })).len(), 0, "{query}");
        assert_ne!(siem.found(query).len(), 0, "{query}");
    }
    let questions = [
        ("SELECT count(*) AS n FROM logs", 3, 6),
        ("SELECT count(*) AS n FROM logs WHERE source = 'own-source' OR true", 3, 6),
        ("SELECT count(*) AS n FROM logs WHERE source = 'foreign-source'", 0, 3),
        ("SELECT count(*) AS n FROM (SELECT raw FROM logs UNION ALL SELECT raw FROM logs) AS twice", 6, 12),
        ("SELECT count(*) AS n FROM logs WHERE id IN (SELECT id FROM logs WHERE node <> 'x')", 3, 6),
        ("SELECT count(DISTINCT node) AS n FROM logs", 1, 2),
    ];
    for (sql, own, all) in questions {
        let question = json!({ "sql": sql });
        assert_eq!(siem.rows(&carl, &question), [json!({ "n": own })], "{sql}");
        assert_eq!(siem.row(sql), json!({ "n": all }), "{sql}");
    }
    own_alerts_only(&siem, &carl);
}

fn own_alerts_only(siem: &Siem, carl: &str) {
    let alerts = wait_for("both alerts", || {
        let alerts = siem.alerts(&siem.admin);
        if alerts.len() == 2 { Ok(alerts) } else { Err(format!("{alerts:?}")) }
    });
    let seen = siem.alerts(carl);
    assert_eq!(seen.iter().map(|alert| &alert["entity"]).collect::<Vec<_>>(), ["plain-host"]);
    for alert in alerts {
        let path = format!("/api/v1/alert/{}", alert["id"].as_str().unwrap());
        let status = if alert["entity"] == "plain-host" { 200 } else { 404 };
        assert_eq!(siem.server.call("GET", &path, Some(carl), None).status, status, "{alert}");
    }
    for path in ["/api/v1/source", "/api/v1/log/field?complete=source%3A"] {
        let told = siem.server.get(carl, path).to_string();
        assert!(told.contains("own-source") && !told.contains("foreign-source"), "{path}: {told}");
    }
}

#[test]
fn a_question_in_sql_only_reads_and_only_the_logs() {
    let siem = Siem::new("");
    let token = siem.sender("robot", Some(&siem.top));
    siem.source(&siem.top, "web");
    siem.send(&token, "web", "one line\n");
    siem.await_count("SELECT count(*) AS n FROM logs", 1);
    let copy = siem.server.place.path("copy.csv");
    let refused = [
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'".to_owned(),
        format!("COPY (SELECT raw FROM logs) TO '{}'", copy.display()),
        "SELECT * FROM '/etc/passwd'".to_owned(),
        "INSERT INTO logs SELECT * FROM logs".to_owned(),
        "DROP TABLE logs".to_owned(),
        "CREATE VIEW v AS SELECT * FROM logs".to_owned(),
        "SET datafusion.execution.batch_size = 1".to_owned(),
        "SELECT 1 AS n; SELECT 2 AS n".to_owned(),
        // Its figures count rows before they are narrowed to what may be seen.
        "EXPLAIN ANALYZE SELECT * FROM logs".to_owned(),
    ];
    for sql in refused {
        let (status, answer) = siem.asked(&siem.admin, &json!({ "sql": sql }));
        assert_eq!(status, 422, "{sql}: {answer:?}");
    }
    assert!(!copy.exists());
    assert_eq!(siem.row("SELECT count(*) AS n FROM logs"), json!({ "n": 1 }));
}

/// The same in files as in memory; so many events are written to files at once.
#[test]
fn what_is_in_files_is_found_once_and_by_those_who_may() {
    const EVENTS: usize = 70_000;
    let siem = Siem::new("");
    let (ours, theirs) = (siem.node("ours"), siem.node("theirs"));
    let token = siem.sender("robot", Some(&siem.top));
    let carl = siem.analyst("carl", &ours);
    for (node, source) in [(&ours, "plain"), (&theirs, "hidden")] {
        siem.source(node, source);
        let lines: String =
            (0..EVENTS).map(|number| format!("<13>1 - web {source} - - - number={number}\n")).collect();
        siem.send(&token, source, &lines);
    }
    let lake = siem.server.place.path("garrison/data/lake");
    wait_for("a file of the lake", || {
        let files = walkdir::WalkDir::new(&lake).into_iter().filter_map(Result::ok);
        let found = files.filter(|file| file.path().to_string_lossy().ends_with(".parquet.sealed")).count();
        if found > 0 { Ok(()) } else { Err(format!("none in {}", lake.display())) }
    });
    let count = "SELECT count(*) AS n, count(DISTINCT id) AS ids, count(DISTINCT raw) AS texts FROM logs";
    // If a row of another's is looked at before it is left out, this question fails and so tells that there is one.
    let oracle =
        "SELECT count(*) AS n FROM logs WHERE 1 / (CASE WHEN raw LIKE '%hidden%' THEN 0 ELSE 1 END) = 1";
    let look = |siem: &Siem| {
        siem.await_count("SELECT count(*) AS n FROM logs", 2 * EVENTS as u64);
        let (all, own) = (2 * EVENTS, EVENTS);
        assert_eq!(siem.row(count), json!({ "n": all, "ids": all, "texts": all }));
        let narrowed = siem.rows(&carl, &json!({ "sql": count }));
        assert_eq!(narrowed, [json!({ "n": own, "ids": own, "texts": own })]);
        assert_eq!(siem.rows(&carl, &json!({ "sql": oracle })), [json!({ "n": own })]);
        assert_eq!(siem.rows(&carl, &json!({ "query": "program:hidden" })).len(), 0);
        assert_eq!(siem.found("program:hidden \"number=69999\"").len(), 1);
        assert_eq!(siem.listed("hidden")["state"], "active");
    };
    look(&siem);
    let siem = siem.killed();
    look(&siem);
    look(&siem.stopped());
}

#[test]
fn after_every_end_all_is_found_and_no_alert_is_doubled() {
    let mut siem = Siem::new("");
    let token = siem.sender("robot", Some(&siem.top));
    siem.source(&siem.top, "web");
    let ends: [fn(Siem) -> Siem; 4] = [Siem::stopped, Siem::killed, Siem::stopped, Siem::killed];
    for (round, end) in ends.into_iter().enumerate() {
        // It was answered; whether it was judged already when the server ends is left to chance.
        siem.send(&token, "web", &login("redis", &format!("host{round}")));
        siem = end(siem);
        siem.send(&token, "web", &login("root", &format!("marker{round}")));
        wait_for("the alert of what came last", || {
            let alerts = siem.alerts(&siem.admin);
            let last = alerts.iter().any(|alert| alert["entity"] == format!("marker{round}"));
            if last { Ok(()) } else { Err(format!("{alerts:?}")) }
        });
        let told: BTreeSet<_> = siem.alerts(&siem.admin).iter().map(Value::to_string).collect();
        let mut alerts: Vec<(String, String, u64)> = siem
            .alerts(&siem.admin)
            .iter()
            .map(|alert| {
                let text = |name: &str| alert[name].as_str().unwrap().to_owned();
                (text("entity"), text("rule"), alert["count"].as_u64().unwrap())
            })
            .collect();
        alerts.sort();
        let mut expected: Vec<_> = (0..=round)
            .flat_map(|round| {
                [(format!("host{round}"), DAEMON_LOGIN), (format!("marker{round}"), ROOT_LOGIN)]
            })
            .map(|(entity, rule)| (entity, rule.to_owned(), 1))
            .collect();
        expected.sort();
        assert_eq!(alerts, expected, "round {round}: {told:?}");
        let found = siem.await_found("program:sshd", 2 * (round + 1));
        let ids: BTreeSet<_> = found.iter().map(|event| event["id"].as_i64()).collect();
        assert_eq!((found.len(), ids.len()), (2 * (round + 1), 2 * (round + 1)), "round {round}");
    }
}
