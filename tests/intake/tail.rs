//! Following the logs: only for as long as one may.

use serde_json::{Value, json};

use crate::logs::Siem;
use crate::server::Account;

/// Follows, ends what that was opened with, and gives the last line of the answer.
fn cut(siem: &Siem, who: &str, end: impl FnOnce()) -> Value {
    let mut lines = siem.server.lines(who, "/api/v1/log/tail", &json!({ "query": "nothinglikeit" }));
    assert_eq!(lines.next().as_deref(), Some(""), "a sign of life");
    end();
    serde_json::from_str(&lines.last().expect("a last line")).unwrap()
}

#[test]
fn a_tail_ends_with_the_session_the_token_and_the_right() {
    let siem = Siem::new("");
    let (ben, person) = Account::made_by(&siem.server, &siem.admin, "ben");
    let new =
        json!({ "holder": person, "role": "analyst", "node": siem.top, "duty": "tests", "reason": "tests" });
    let grant = siem.make("/api/v1/grant/create", &new, "grant");
    let session = siem.server.get(&ben.session, "/api/v1/whoami")["session"].clone();
    let new = json!({ "actor": person, "name": "t", "verbs": ["log:search"], "node": siem.top, "days": 1 });
    let [first, second] = [(); 2].map(|()| siem.server.post(&ben.session, "/api/v1/token/create", &new));
    let token = |made: &Value| made["token"].as_str().unwrap().to_owned();

    let post = |who: &str, path: &str, body: Value| drop(siem.server.post(who, path, &body));
    let ends = [
        cut(&siem, &token(&first), || {
            post(&ben.session, "/api/v1/token/end", json!({ "token": first["id"] }));
        }),
        cut(&siem, &ben.session, || post(&siem.admin, "/api/v1/session/end", json!({ "session": session }))),
        cut(&siem, &token(&second), || {
            post(&siem.admin, "/api/v1/grant/end", json!({ "grant": grant, "reason": "tests" }));
        }),
    ];
    let kinds = ends.each_ref().map(|end| end["_end"]["type"].as_str().unwrap_or_default());
    assert_eq!(kinds, ["session/missing", "session/missing", "access/denied"], "{ends:?}");
    assert!(ends.iter().all(|end| end["_end"]["complete"] == false), "{ends:?}");
}
