//! Following the alerts, and the rules that raise them.

use serde_json::{Value, json};

use crate::alerts::{DAEMON_LOGIN, login};
use crate::logs::{Siem, wait_for};
use crate::server::{Account, ServerEvent};

const STREAM: &str = "/api/v1/alert/stream";

/// A server with a source at the root, and the token that sends to it.
fn with_source() -> (Siem, String) {
    let siem = Siem::new("");
    let token = siem.sender("robot", Some(&siem.top));
    siem.source(&siem.top, "web");
    (siem, token)
}

/// What an event tells, in one line: its name, and the alert's entity and state.
fn told(event: &ServerEvent) -> String {
    let text = |name: &str| event.data[name].as_str().unwrap_or_default();
    format!("{} {} {}", event.name, text("entity"), text("state"))
}

fn number(event: &ServerEvent) -> i64 {
    event.id.parse().unwrap()
}

/// The alert about a host, as soon as there is one.
fn about(siem: &Siem, host: &str) -> String {
    wait_for(host, || {
        let alerts = siem.alerts(&siem.admin);
        let found = alerts.iter().find(|alert| alert["entity"] == host);
        found.map(|alert| alert["id"].as_str().unwrap().to_owned()).ok_or_else(|| format!("{alerts:?}"))
    })
}

#[test]
fn every_change_is_told_once_also_after_the_connection_was_cut() {
    let (siem, token) = with_source();
    let mut stream = siem.server.events(&siem.admin, STREAM, None);
    let hello = stream.next().unwrap();
    assert_eq!((hello.name.as_str(), &hello.data), ("hello", &json!({ "position": number(&hello) })));

    siem.send(&token, "web", &login("redis", "first"));
    let raised = stream.next().unwrap();
    assert_eq!(told(&raised), "alert first open");
    assert!(number(&raised) > number(&hello), "{raised:?} after {hello:?}");
    assert_eq!(raised.data["change"].as_i64(), Some(number(&raised)));
    let first = raised.data["id"].as_str().unwrap();
    // The same form as in the list, which tells the same and up to where.
    let list = siem.server.get(&siem.admin, "/api/v1/alert");
    assert_eq!((&list["items"][0], list["position"].as_i64()), (&raised.data, Some(number(&raised))));

    let act = |name: &str, body: &Value| {
        siem.server.post(&siem.admin, &format!("/api/v1/alert/{name}"), body);
    };
    act("assign", &json!({ "alert": first, "to": siem.me }));
    let given = stream.next().unwrap();
    assert_eq!((told(&given), &given.data["assignee_name"]), ("alert first open".into(), &json!("anna")));
    drop(stream);

    act("acknowledge", &json!({ "alert": first }));
    act("close", &json!({ "alert": first, "reason": "benign", "note": "tests" }));
    siem.send(&token, "web", &login("redis", "second"));
    let second = about(&siem, "second");
    let mut resumed = siem.server.events(&siem.admin, STREAM, Some(&given.id));
    let begins = resumed.next().unwrap();
    assert_eq!((begins.name.as_str(), &begins.id), ("hello", &given.id), "what was seen is not told again");
    let missed: Vec<ServerEvent> = resumed.by_ref().take(2).collect();
    let words: Vec<String> = missed.iter().map(told).collect();
    assert_eq!(words, ["alert first closed", "alert second open"], "two changes of one alert are told once");
    act("acknowledge", &json!({ "alert": second }));
    let after = resumed.next().unwrap();
    assert_eq!(told(&after), "alert second acknowledged");
    let numbers: Vec<i64> = [&given].into_iter().chain(&missed).chain([&after]).map(number).collect();
    assert!(numbers.is_sorted_by(|left, right| left < right), "{numbers:?}");

    // From the position of a list, which a page shows first.
    let mut follower = siem.server.events(&siem.admin, &format!("{STREAM}?after={}", number(&raised)), None);
    let all: Vec<String> = follower.by_ref().take(3).map(|event| told(&event)).collect();
    assert_eq!(all, ["hello  ", "alert first closed", "alert second acknowledged"]);
}

#[test]
fn one_follows_so_many_streams_and_others_follow_theirs() {
    let siem = Siem::new("");
    let carl = siem.analyst("carl", &siem.top);
    let open = || {
        let mut stream = siem.server.events(&siem.admin, STREAM, None);
        assert_eq!(stream.next().unwrap().name, "hello");
        stream
    };
    let mut streams: Vec<_> = (0..16).map(|_| open()).collect();
    let refused = siem.server.call("GET", STREAM, Some(&siem.admin), None);
    assert_eq!((refused.status, &refused.body["type"]), (429, &json!("rate/exceeded")), "{}", refused.body);
    let mut other = siem.server.events(&carl, STREAM, None);
    assert_eq!(other.next().unwrap().name, "hello");
    // The place of one that was left is free again.
    streams.pop();
    wait_for("a place", || {
        // Its head alone: the answer goes on.
        let place = siem.server.call("HEAD", STREAM, Some(&siem.admin), None);
        if place.status == 200 { Ok(()) } else { Err(place.body.to_string()) }
    });
}

#[test]
fn who_sees_a_part_follows_a_part() {
    let (siem, token) = with_source();
    let (ours, theirs) = (siem.node("ours"), siem.node("theirs"));
    siem.source(&ours, "own-source");
    siem.source(&theirs, "foreign-source");
    let carl = siem.analyst("carl", &ours);
    let mut stream = siem.server.events(&carl, STREAM, None);
    assert_eq!(stream.next().unwrap().name, "hello");
    siem.send(&token, "foreign-source", &login("redis", "hidden"));
    about(&siem, "hidden");
    siem.send(&token, "own-source", &login("redis", "plain"));
    let event = stream.next().unwrap();
    assert_eq!(told(&event), "alert plain open");
    let foreign = siem.server.get(&siem.admin, &format!("/api/v1/alert/{}", about(&siem, "hidden")));
    assert!(foreign["change"].as_i64().unwrap() < number(&event), "{foreign}");
}

#[test]
fn a_stream_ends_with_the_session_the_token_and_the_right() {
    let siem = Siem::new("");
    let (ben, person) = Account::made_by(&siem.server, &siem.admin, "ben");
    let new =
        json!({ "holder": person, "role": "analyst", "node": siem.top, "duty": "tests", "reason": "tests" });
    let grant = siem.make("/api/v1/grant/create", &new, "grant");
    let session = siem.server.get(&ben.session, "/api/v1/whoami")["session"].clone();
    let new = json!({ "actor": person, "name": "t", "verbs": ["alert:list"], "node": siem.top, "days": 1 });
    let [first, second] = [(); 2].map(|()| siem.server.post(&ben.session, "/api/v1/token/create", &new));
    let token = |made: &Value| made["token"].as_str().unwrap().to_owned();
    let post = |who: &str, path: &str, body: Value| drop(siem.server.post(who, path, &body));
    let cut = |who: &str, end: &dyn Fn()| {
        let mut stream = siem.server.events(who, STREAM, None);
        assert_eq!(stream.next().unwrap().name, "hello");
        end();
        let rest: Vec<ServerEvent> = stream.collect();
        assert_eq!(rest.len(), 1, "{rest:?}");
        assert_eq!(rest[0].name, "end");
        rest[0].data["type"].as_str().unwrap().to_owned()
    };
    let ends = [
        cut(&token(&first), &|| post(&ben.session, "/api/v1/token/end", json!({ "token": first["id"] }))),
        cut(&ben.session, &|| post(&siem.admin, "/api/v1/session/end", json!({ "session": session }))),
        cut(&token(&second), &|| {
            post(&siem.admin, "/api/v1/grant/end", json!({ "grant": grant, "reason": "tests" }));
        }),
    ];
    assert_eq!(ends, ["session/missing", "session/missing", "access/denied"]);
}

#[test]
fn rules_tell_what_they_ask_and_are_tried() {
    let (siem, token) = with_source();
    siem.send(&token, "web", &login("redis", "web1"));
    let alert = about(&siem, "web1");
    let close = json!({ "alert": alert, "reason": "false_positive", "note": "tests" });
    siem.server.post(&siem.admin, "/api/v1/alert/close", &close);

    let rule = siem.server.get(&siem.admin, &format!("/api/v1/rule/{DAEMON_LOGIN}"));
    let figures = ["alerts", "hits", "false_positives", "open"].map(|name| rule[name].as_i64());
    assert_eq!(figures, [Some(1), Some(1), Some(1), Some(0)], "{rule}");
    assert_eq!((&rule["built_in"], &rule["file"]), (&json!(true), &json!("service_account_login.yml")));
    assert!(rule["source"].as_str().unwrap().contains("condition:"), "{rule}");
    let listed = siem.server.get(&siem.admin, "/api/v1/rule?level=high&technique=T1078&limit=500");
    let items = listed["items"].as_array().unwrap();
    let item = items.iter().find(|item| item["id"] == DAEMON_LOGIN);
    assert_eq!(item.map(|item| &item["alerts"]), Some(&json!(1)), "{listed}");
    let is_of_it = |item: &Value| item["techniques"].to_string().contains("T1078");
    assert!(items.iter().all(is_of_it), "{listed}");
    let missing = siem.server.call("GET", "/api/v1/rule/nothing", Some(&siem.admin), None);
    assert_eq!(missing.status, 404, "{}", missing.body);

    let tried = |event: &str| {
        siem.server.post(&siem.admin, "/api/v1/rule/test", &json!({ "rule": DAEMON_LOGIN, "event": event }))
    };
    let trial = tried(&login("redis", "web1"));
    assert_eq!([&trial["applies"], &trial["matches"], &trial["condition"]["holds"]], [true; 3], "{trial}");
    assert_eq!((&trial["kind"], &trial["fields"]["user"]), (&json!("sshd"), &json!("redis")));
    let trial = tried(&login("deploy", "web1"));
    assert_eq!([&trial["applies"], &trial["matches"]], [true, false], "{trial}");
    let empty = json!({ "rule": DAEMON_LOGIN, "event": " " });
    let refused = siem.server.call("POST", "/api/v1/rule/test", Some(&siem.admin), Some(&empty));
    assert_eq!(refused.status, 422, "{}", refused.body);
    let large = json!({ "rule": DAEMON_LOGIN, "event": "x".repeat((256 << 10) + 1) });
    let refused = siem.server.call("POST", "/api/v1/rule/test", Some(&siem.admin), Some(&large));
    assert_eq!(refused.status, 413, "{}", refused.body);
}
