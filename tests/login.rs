//! How people get in, and how they do not: by the API, by the pages, at the machine's console.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail loudly"
)]

#[path = "support/server.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod server;
#[allow(dead_code, reason = "other tests use the rest")]
mod support;

use std::fs;

use serde_json::{Value, json};
use server::{Account, Reply, Server, code};

fn begin(server: &Server, body: &Value) -> Reply {
    server.call("POST", "/api/v1/login/begin", None, Some(body))
}

fn step(server: &Server, body: &Value) -> Reply {
    server.call("POST", "/api/v1/login/step", None, Some(body))
}

/// The handle of a new login.
fn login(server: &Server, name: &str, kind: &str) -> Value {
    let begun = begin(server, &json!({ "name": name, "kind": kind }));
    assert_eq!((begun.status, &begun.body["next"]), (200, &json!("password")), "{}", begun.body);
    begun.body["login"].clone()
}

fn whoami(server: &Server, credential: &str) -> u16 {
    server.call("GET", "/api/v1/whoami", Some(credential), None).status
}

#[test]
fn a_name_a_password_and_a_code_open_a_session() {
    let server = Server::new();
    let anna = server.first("anna");
    let handle = login(&server, "anna", "cli");
    let proved = step(&server, &json!({ "login": handle, "password": anna.password }));
    assert_eq!((proved.status, &proved.body["next"]), (200, &json!("code")), "{}", proved.body);
    assert_eq!(proved.body["session"], Value::Null, "a password alone must not open anything");
    let shown = code(&anna.secret, 1);
    let done = step(&server, &json!({ "login": handle, "code": shown }));
    assert_eq!((done.status, &done.body["next"]), (200, &json!("done")), "{}", done.body);
    let session = done.body["session"].as_str().unwrap();
    assert_eq!(whoami(&server, session), 200);

    // The same code does not count twice, and the login is over.
    let again = step(&server, &json!({ "login": handle, "code": shown }));
    assert_eq!((again.status, &again.body["type"]), (401, &json!("login/ended")));
    let handle = login(&server, "anna", "cli");
    step(&server, &json!({ "login": handle, "password": anna.password }));
    let replayed = step(&server, &json!({ "login": handle, "code": shown }));
    assert_eq!((replayed.status, &replayed.body["type"]), (401, &json!("login/wrong")), "{}", replayed.body);

    // A recovery code, typed as people type, counts once.
    let typed = anna.codes[0].to_lowercase().replace('-', " ");
    let done = step(&server, &json!({ "login": handle, "recovery_code": typed }));
    assert_eq!(done.status, 200, "{}", done.body);
    let handle = login(&server, "anna", "cli");
    step(&server, &json!({ "login": handle, "password": anna.password }));
    assert_eq!(step(&server, &json!({ "login": handle, "recovery_code": anna.codes[0] })).status, 401);
}

#[test]
fn no_step_can_be_skipped_and_no_other_login_s_proof_counts() {
    let server = Server::new();
    let anna = server.first("anna");
    let (bob, _) = Account::made_by(&server, &anna.session, "bob");
    let handle = login(&server, "anna", "cli");
    for proof in ["code", "recovery_code", "new_password"] {
        let reply = step(&server, &json!({ "login": handle, proof: code(&anna.secret, 1) }));
        assert_eq!((reply.status, &reply.body["type"]), (422, &json!("request/invalid")), "{}", reply.body);
    }
    let both =
        step(&server, &json!({ "login": handle, "password": anna.password, "code": code(&anna.secret, 1) }));
    assert_eq!(both.status, 422);
    assert_eq!(step(&server, &json!({ "login": handle, "password": bob.password })).status, 401);
    let forged = handle.as_str().unwrap().rsplit_once('.').unwrap().0.to_owned() + ".AAAA";
    assert_eq!(step(&server, &json!({ "login": forged, "password": anna.password })).status, 401);
}

#[test]
fn failures_lock_the_account_whether_it_exists_or_not() {
    let server = Server::new();
    let anna = server.first("anna");
    for name in ["anna", "nobody"] {
        let mut last = None;
        for _ in 0..5 {
            let handle = login(&server, name, "cli");
            last = Some(step(&server, &json!({ "login": handle, "password": "wrong wrong wrong" })));
        }
        let last = last.unwrap();
        assert_eq!(
            (last.status, &last.body["type"]),
            (429, &json!("rate/exceeded")),
            "{name}: {}",
            last.body
        );
    }
    // Not even the right password is accepted now, and it is not told that it was right.
    let handle = login(&server, "anna", "cli");
    let locked = step(&server, &json!({ "login": handle, "password": anna.password }));
    assert_eq!(locked.status, 429);
    // Who is in stays in.
    assert_eq!(whoami(&server, &anna.session), 200);
}

#[test]
fn names_that_exist_and_names_that_do_not_look_the_same() {
    let server = Server::new();
    server.first("anna");
    let answers = ["anna", "nobody"].map(|name| {
        let begun = begin(&server, &json!({ "name": name }));
        let wrong = step(&server, &json!({ "login": begun.body["login"], "password": "wrong wrong wrong" }));
        (begun.status, begun.body["next"].clone(), wrong.status, wrong.body)
    });
    assert_eq!(answers[0], answers[1]);
    let other = begin(&server, &json!({ "name": "anna", "tenant": "no-such-tenant" }));
    assert_eq!(other.status, 200, "{}", other.body);
}

#[test]
fn weak_passwords_and_used_links_are_refused() {
    let server = Server::new();
    let anna = server.first("anna");
    let new = json!({ "name": "bob", "full_name": "Bob", "email": "bob@example.org" });
    let person = server.post(&anna.session, "/api/v1/person/create", &new)["person"].clone();
    let invited = server.post(&anna.session, "/api/v1/account/invite", &json!({ "person": person }));
    let link = json!({ "invitation": invited["invitation"], "kind": "cli" });
    let handle = begin(&server, &link).body["login"].clone();
    for weak in ["short", "bobbobbobbob", "password1234"] {
        let reply = step(&server, &json!({ "login": handle, "new_password": weak }));
        assert_eq!(
            (reply.status, &reply.body["type"]),
            (422, &json!("password/weak")),
            "{weak}: {}",
            reply.body
        );
    }
    Account::activate(&server, &link, "bob");
    let used = begin(&server, &link);
    assert_eq!((used.status, &used.body["type"]), (401, &json!("invitation/ended")));
    // The first administrator's link is dead once there is one.
    let profile = json!({ "name": "eve", "full_name": "Eve", "email": "eve@example.org" });
    let first = begin(&server, &json!({ "invitation": server.links[0], "profile": profile }));
    assert_eq!((first.status, &first.body["type"]), (401, &json!("invitation/ended")), "{}", first.body);
}

#[test]
fn a_name_that_was_only_tried_with_the_first_link_has_no_rights() {
    let server = Server::new();
    let mut logins = Vec::new();
    for name in ["anna", "eve", "anna"] {
        let profile = json!({ "name": name, "full_name": name, "email": format!("{name}@example.org") });
        let begun =
            begin(&server, &json!({ "invitation": server.links[0], "profile": profile, "kind": "cli" }));
        assert_eq!(begun.status, 200, "{}", begun.body);
        logins.push(begun.body["login"].clone());
    }
    let bob = server.first("bob");
    // The link is used up: what was begun with it under other names does not go on.
    for login in logins {
        let chosen = step(&server, &json!({ "login": login, "new_password": "four plain words here" }));
        assert_eq!(chosen.status, 401, "{}", chosen.body);
    }
    let grants = server.get(&bob.session, "/api/v1/grant")["items"].clone();
    let holders: Vec<&str> =
        grants.as_array().unwrap().iter().filter_map(|grant| grant["holder_name"].as_str()).collect();
    assert_eq!(holders, ["bob"], "{grants}");
}

#[test]
fn sessions_end_when_they_are_told_to() {
    let mut server = Server::new();
    let anna = server.first("anna");
    let (bob, person) = Account::made_by(&server, &anna.session, "bob");
    let token = json!({ "actor": person, "name": "t", "verbs": ["*"], "node": server.get(&anna.session, "/api/v1/node")["items"][0]["id"], "days": 3 });
    let token =
        server.post(&bob.session, "/api/v1/token/create", &token)["token"].as_str().unwrap().to_owned();
    assert_eq!((whoami(&server, &bob.session), whoami(&server, &token)), (200, 200));

    // A token cannot make another, nor can a person's token approve or change a password.
    let more = json!({ "actor": person, "name": "u", "verbs": ["*"], "node": server.get(&anna.session, "/api/v1/node")["items"][0]["id"], "days": 3 });
    let refused = server.call("POST", "/api/v1/token/create", Some(&token), Some(&more));
    assert_eq!(
        (refused.status, &refused.body["type"]),
        (403, &json!("session/needs-login")),
        "{}",
        refused.body
    );

    // The password is changed with the one that counts, and other sessions end.
    let wrong = json!({ "current": "wrong wrong wrong", "new": "another four plain words" });
    assert_eq!(server.call("POST", "/api/v1/password/change", Some(&bob.session), Some(&wrong)).status, 401);
    let right = json!({ "current": bob.password, "new": "another four plain words" });
    assert_eq!(server.call("POST", "/api/v1/password/change", Some(&bob.session), Some(&right)).status, 200);
    assert_eq!(whoami(&server, &bob.session), 200);

    // A restart ends nothing; disabling the person ends everything at once.
    server.stop();
    let port = server.port();
    let server = Server::start(server.kill(), port);
    assert_eq!(whoami(&server, &bob.session), 200);
    server.post(&anna.session, "/api/v1/person/disable", &json!({ "person": person }));
    assert_eq!((whoami(&server, &bob.session), whoami(&server, &token)), (401, 401));
    server.post(&anna.session, "/api/v1/person/enable", &json!({ "person": person }));
    assert_eq!(whoami(&server, &token), 401, "what ended stays ended");

    let session = server.get(&anna.session, "/api/v1/whoami")["session"].clone();
    server.post(&anna.session, "/api/v1/session/end", &json!({ "session": session }));
    assert_eq!(whoami(&server, &anna.session), 401);
}

#[test]
fn the_console_of_the_machine_lets_the_last_administrator_in_again() {
    let server = Server::new();
    let anna = server.first("anna");
    let link = server.link("recover anna --administrator");
    let again = Account::activate(&server, &json!({ "invitation": link, "kind": "cli" }), "anna");
    assert_eq!(whoami(&server, &again.session), 200);
    assert_eq!(whoami(&server, &anna.session), 401, "sessions from before end");
    assert_eq!(server.place.run("recover nobody").code, 4);
    // All of it is in the record, under the console's name.
    let me = server.get(&again.session, "/api/v1/whoami");
    let top = server.get(&again.session, "/api/v1/node")["items"][0]["id"].clone();
    let auditor =
        json!({ "holder": me["id"], "role": "auditor", "node": top, "duty": "tests", "reason": "tests" });
    server.post(&again.session, "/api/v1/grant/create", &auditor);
    let records = server.get(&again.session, "/api/v1/audit?actor=sys_console");
    let operations: Vec<&str> = records["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["operation"].as_str().unwrap())
        .collect();
    assert_eq!(operations, ["account:invite", "grant:create"]);
}

/// Everything below a folder, as bytes.
fn contents(folder: &std::path::Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(contents(&path)) } else { all.extend(fs::read(&path).unwrap()) }
    }
    all
}

#[test]
fn no_secret_lies_in_the_data_folder() {
    let mut server = Server::new();
    let anna = server.first("anna");
    let (bob, _) = Account::made_by(&server, &anna.session, "bob");
    let me = server.get(&anna.session, "/api/v1/whoami");
    let top = server.get(&anna.session, "/api/v1/node")["items"][0]["id"].clone();
    let token = json!({ "actor": me["id"], "name": "t", "verbs": ["*"], "node": top, "days": 3 });
    let token =
        server.post(&anna.session, "/api/v1/token/create", &token)["token"].as_str().unwrap().to_owned();
    server.stop();
    let data = contents(&server.place.path("garrison/data"));
    let last = |text: &str| text.rsplit_once('.').unwrap().1.to_owned();
    let secrets = [
        anna.password.clone(),
        bob.password.clone(),
        anna.secret.clone(),
        anna.codes[0].clone(),
        anna.codes[0].replace('-', ""),
        last(&anna.session),
        last(&token),
        last(&server.links[0]),
    ];
    for secret in secrets {
        assert!(memchr::memmem::find(&data, secret.as_bytes()).is_none(), "{secret} lies in the data folder");
    }
    assert!(memchr::memmem::find(&data, b"anna").is_some(), "the search itself must find something");
}
