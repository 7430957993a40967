//! Every endpoint of the API, as the server's own document lists them: who is refused, and what is recorded.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail loudly"
)]

#[path = "support/sample.rs"]
mod sample;
#[path = "support/server.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod server;
#[allow(dead_code, reason = "other tests use the rest")]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use sample::Sampler;
use serde_json::{Value, json};
use server::{Account, Reply, Server};

/// An endpoint of the document.
#[derive(Debug, Clone)]
struct Endpoint {
    method: String,
    path: String,
    operation: Value,
}

impl Endpoint {
    fn is_open(&self) -> bool {
        self.operation["security"] == json!([{}])
    }

    fn verb(&self) -> &str {
        self.operation["x-verb"].as_str().unwrap_or_default()
    }

    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

fn document(server: &Server) -> Value {
    let reply = server.call("GET", "/api/v1/openapi.json", None, None);
    assert_eq!(reply.status, 200);
    reply.body
}

fn endpoints(document: &Value) -> Vec<Endpoint> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = method.to_uppercase();
            found.push(Endpoint { method, path: path.clone(), operation: operation.clone() });
        }
    }
    assert!(found.len() > 50, "{}", found.len());
    found
}

/// A tenant with one of everything, and somebody who may do everything in it.
struct House {
    administrator: Account,
    /// One object of each kind, by the prefix of its id.
    things: BTreeMap<String, String>,
}

impl House {
    fn furnished(server: &Server, administrator: Account) -> Self {
        let admin = administrator.session.clone();
        let me = server.get(&admin, "/api/v1/whoami");
        let top = server.get(&admin, "/api/v1/node")["items"][0]["id"].clone();
        let mut things = BTreeMap::new();
        let mut keep = |prefix: &str, id: &Value| {
            things.insert(prefix.to_owned(), id.as_str().unwrap().to_owned());
        };
        let new = json!({ "name": "bob", "full_name": "Bob Test", "email": "bob@example.org" });
        let person = server.post(&admin, "/api/v1/person/create", &new)["person"].clone();
        let new = json!({ "name": "robot", "owner": me["id"], "purpose": "tests" });
        let service = server.post(&admin, "/api/v1/service/create", &new)["service"].clone();
        let group =
            server.post(&admin, "/api/v1/group/create", &json!({ "name": "team", "purpose": "tests" }));
        let new = json!({ "parent": top, "name": "shop", "kind": "product" });
        let node = server.post(&admin, "/api/v1/node/create", &new)["node"].clone();
        let new = json!({ "node": node, "title": "Shop keeper", "level": "execution" });
        let post = server.post(&admin, "/api/v1/post/create", &new)["post"].clone();
        let new =
            json!({ "holder": person, "role": "viewer", "node": node, "duty": "tests", "reason": "tests" });
        let grant = server.post(&admin, "/api/v1/grant/create", &new)["grant"].clone();
        let new = json!({ "actor": service, "name": "t", "verbs": ["*"], "node": top, "days": 1 });
        let token = server.post(&admin, "/api/v1/token/create", &new)["id"].clone();
        let rule =
            json!({ "node": node, "verb": "node:rename", "slots": [{ "name": "owner", "role": "owner" }] });
        server.post(&admin, "/api/v1/approval-rule/set", &rule);
        let rename = json!({ "node": node, "name": "shop2" });
        let waiting = server.call("POST", "/api/v1/node/rename", Some(&admin), Some(&rename));
        assert_eq!(waiting.status, 202, "{}", waiting.body);
        let new = json!({ "node": node, "name": "web", "purpose": "tests" });
        let source = server.post(&admin, "/api/v1/source/create", &new)["source"].clone();
        let new = json!({ "name": "failures", "query": "failed" });
        let search = server.post(&admin, "/api/v1/search/save", &new)["search"].clone();
        let hold = server.post(&admin, "/api/v1/hold/create", &json!({ "reason": "tests" }))["hold"].clone();
        keep("src", &source);
        keep("sch", &search);
        keep("hold", &hold);
        // Nobody makes an alert by the API; that there is none is the answer everywhere.
        keep("alr", &json!("alr_01JDG4Q4ZK8V3T6W0R2Y5X7B9C"));
        // Nor a review: they come when a day is over.
        keep("rev", &json!("rev_01JDG4Q4ZK8V3T6W0R2Y5X7B9C"));
        keep("per", &person);
        keep("svc", &service);
        keep("grp", &group["group"]);
        keep("node", &node);
        keep("pst", &post);
        keep("grt", &grant);
        keep("tok", &token);
        keep("req", &waiting.body["approval"]);
        keep("ses", &me["session"]);
        keep("ten", &me["tenant"]);
        Self { administrator, things }
    }
}

/// Fills in the request of an endpoint, and sends it.
fn send(server: &Server, endpoint: &Endpoint, credential: Option<&str>, sampler: &Sampler) -> Reply {
    let path = sampler.path(&endpoint.path, &endpoint.operation);
    let body = sampler.body(&endpoint.operation);
    server.call(&endpoint.method, &path, credential, body.as_ref())
}

#[test]
fn nobody_reaches_anything_without_a_credential() {
    let server = Server::new();
    let document = document(&server);
    let house = House::furnished(&server, server.first("anna"));
    let sampler = Sampler::new(&document, &house.things);
    let open: Vec<String> =
        endpoints(&document).iter().filter(|endpoint| endpoint.is_open()).map(Endpoint::name).collect();
    assert_eq!(open, ["POST /api/v1/login/begin", "POST /api/v1/login/step", "GET /api/v1/problem"]);
    for endpoint in endpoints(&document).iter().filter(|endpoint| !endpoint.is_open()) {
        for credential in [None, Some("nonsense"), Some("gse_a.b.c"), Some("gtk_x.y.z")] {
            let reply = send(&server, endpoint, credential, &sampler);
            assert_eq!(reply.status, 401, "{} with {credential:?}: {}", endpoint.name(), reply.body);
            assert_eq!(reply.body["type"], "session/missing", "{}", endpoint.name());
        }
    }
}

/// What everybody who is known may do: ask who is there, and look after their own.
const OF_EVERYBODY: [&str; 11] = [
    "person:list",
    "person:show",
    "group:list",
    "group:members",
    "service:list",
    "session:list",
    "session:hand-over",
    "token:list",
    "password:change",
    "access:explain",
    "account:end-all",
];

#[test]
fn somebody_without_a_grant_is_refused() {
    let server = Server::new();
    let document = document(&server);
    let house = House::furnished(&server, server.first("anna"));
    let (carl, _) = Account::made_by(&server, &house.administrator.session, "carl");
    let sampler = Sampler::new(&document, &house.things);
    for endpoint in endpoints(&document).iter().filter(|endpoint| !endpoint.is_open()) {
        if OF_EVERYBODY.contains(&endpoint.verb()) && endpoint.verb() != "account:end-all" {
            continue;
        }
        let reply = send(&server, endpoint, Some(&carl.session), &sampler);
        assert!(matches!(reply.status, 403 | 404), "{}: {} {}", endpoint.name(), reply.status, reply.body);
    }
}

#[test]
fn another_tenant_s_objects_do_not_exist() {
    let place = support::Place::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(place.run(&format!("init --listen 127.0.0.1:{port} --tenant acme")).code, 0);
    assert_eq!(place.run("tenant create umbra").code, 0);
    let server = Server::start(place, port);
    assert_eq!(server.links.len(), 2);
    let begin = |link: &str, name: &str| {
        let profile = json!({ "name": name, "full_name": name, "email": format!("{name}@example.org") });
        Account::activate(&server, &json!({ "invitation": link, "kind": "cli", "profile": profile }), name)
    };
    let acme = House::furnished(&server, begin(&server.links[0], "anna"));
    let umbra = House::furnished(&server, begin(&server.links[1], "ulla"));
    let document = document(&server);
    // The same objects of a tenant that is not there at all.
    let nowhere: BTreeMap<String, String> = acme
        .things
        .keys()
        .map(|prefix| (prefix.clone(), format!("{prefix}_01JDG4Q4ZK8V3T6W0R2Y5X7B9C")))
        .collect();
    let mut tried = 0;
    for endpoint in endpoints(&document).iter().filter(|endpoint| !endpoint.is_open()) {
        for kind in acme.things.keys() {
            // Own objects but for this kind: the node is one's own, the person is foreign, and so on.
            let mixed = |with: &BTreeMap<String, String>| {
                let mut things = umbra.things.clone();
                things.insert(kind.clone(), with[kind].clone());
                things
            };
            let (foreign, absent) = (mixed(&acme.things), mixed(&nowhere));
            let (foreign, absent) = (Sampler::new(&document, &foreign), Sampler::new(&document, &absent));
            if foreign.body(&endpoint.operation) == absent.body(&endpoint.operation)
                && foreign.path(&endpoint.path, &endpoint.operation)
                    == absent.path(&endpoint.path, &endpoint.operation)
            {
                continue;
            }
            let session = Some(umbra.administrator.session.as_str());
            let (there, not_there) =
                (send(&server, endpoint, session, &foreign), send(&server, endpoint, session, &absent));
            let told = |reply: &Reply, id: &str| reply.body.to_string().replace(id, "ID");
            assert_eq!(
                (there.status, told(&there, &acme.things[kind])),
                (not_there.status, told(&not_there, &nowhere[kind])),
                "{} with a foreign {kind}",
                endpoint.name()
            );
            assert!(
                there.status >= 400 || there.body == json!({ "items": [] }) || there.body == json!([]),
                "{} with a foreign {kind}: {}",
                endpoint.name(),
                there.body
            );
            tried += 1;
        }
    }
    assert!(tried > 40, "{tried}");
}

/// The records of one request, by looking into the database.
fn records(server: &Server, request: &str) -> Vec<Value> {
    let database = server.place.path("garrison/data/garrison.db");
    let sql = format!("SELECT CAST(record AS TEXT) FROM audit WHERE request = '{request}' ORDER BY seq");
    let ran = Command::new("sqlite3").arg("-readonly").arg(database).arg(sql).output().expect("sqlite3");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Where a record has an empty field.
fn emptiness(at: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Null => found.push(at.to_owned()),
        Value::String(text) if text.trim().is_empty() => found.push(at.to_owned()),
        Value::Array(items) if items.is_empty() && at != "/approvals" => found.push(at.to_owned()),
        Value::Object(fields) if at != "/content" => {
            for (name, value) in fields {
                emptiness(&format!("{at}/{name}"), value, found);
            }
        }
        _ => {}
    }
}

#[test]
fn every_change_leaves_exactly_one_whole_record() {
    let server = Server::new();
    let document = document(&server);
    let house = House::furnished(&server, server.first("anna"));
    let sampler = Sampler::new(&document, &house.things);
    let changing: Vec<Endpoint> = endpoints(&document)
        .into_iter()
        // The steps of a login are tried in `login.rs`; what ends the caller comes last.
        .filter(|endpoint| endpoint.method == "POST" && !endpoint.is_open())
        .filter(|endpoint| !matches!(endpoint.verb(), "account:end-all" | "session:end" | "password:change"))
        // Events are a record of their own, and a tail, which is recorded like a search, does not end by itself. What
        // a rule is tried on is kept nowhere.
        .filter(|endpoint| !matches!(endpoint.verb(), "log:send" | "rule:test"))
        .filter(|endpoint| !endpoint.path.ends_with("/log/tail"))
        .collect();
    let mut results: BTreeMap<String, usize> = BTreeMap::new();
    for endpoint in &changing {
        let reply = send(&server, endpoint, Some(&house.administrator.session), &sampler);
        assert!(reply.status < 500, "{}: {}", endpoint.name(), reply.body);
        let records = records(&server, &reply.request);
        assert_eq!(records.len(), 1, "{} ({}) left {records:?}", endpoint.name(), reply.status);
        let mut empty = Vec::new();
        emptiness("", &records[0], &mut empty);
        assert!(empty.is_empty(), "{}: empty {empty:?} in {}", endpoint.name(), records[0]);
        assert_eq!(records[0]["operation"], endpoint.verb());
        let expected = match reply.status {
            200 => "success",
            202 => "waiting",
            403 | 404 => "denied",
            _ => "failure",
        };
        let result = records[0]["result"].as_str().unwrap();
        assert!(
            result == expected || (result == "failure" && reply.status >= 400),
            "{}: {}",
            endpoint.name(),
            records[0]
        );
        *results.entry(result.to_owned()).or_default() += 1;
    }
    // The samples must really do something, most of them.
    assert!(results["success"] >= 15, "{results:?}");
}

#[test]
fn whoami_tells_names_and_what_one_may() {
    let server = Server::new();
    let anna = server.first("anna");
    let (carl, person) = Account::made_by(&server, &anna.session, "carl");
    let me = server.get(&carl.session, "/api/v1/whoami");
    assert_eq!((&me["full_name"], &me["tenant_name"]), (&json!("carl Test"), &json!("acme")), "{me}");
    let may = |session: &str| -> Vec<String> {
        serde_json::from_value(server.get(session, "/api/v1/whoami")["may"].clone()).unwrap()
    };
    // Who holds nothing may what everybody may, and nothing of others.
    let carls = may(&carl.session);
    for verb in OF_EVERYBODY {
        assert!(carls.iter().any(|known| known == verb), "{verb} is not among {carls:?}");
    }
    for verb in ["grant:create", "alert:list", "server:show", "login:begin", "alert:raise"] {
        assert!(!carls.iter().any(|known| known == verb), "{verb} is among {carls:?}");
    }
    // What is told is what is done: a grant that comes shows at once, somewhere in the tree.
    let top = server.get(&anna.session, "/api/v1/node")["items"][0]["id"].clone();
    let new = json!({ "parent": top, "name": "shop", "kind": "product" });
    let shop = server.post(&anna.session, "/api/v1/node/create", &new)["node"].clone();
    let new = json!({ "holder": person, "role": "viewer", "node": shop, "duty": "tests", "reason": "tests" });
    server.post(&anna.session, "/api/v1/grant/create", &new);
    let more = may(&carl.session);
    assert!(more.contains(&"grant:list".to_owned()) && more.len() > carls.len(), "{more:?}");
    assert!(may(&anna.session).contains(&"server:config".to_owned()));
}

#[test]
fn the_server_tells_how_it_runs_and_no_secret() {
    let server = Server::new();
    let anna = server.first("anna");
    let state = server.get(&anna.session, "/api/v1/server");
    assert_eq!((&state["tls"], &state["database"]), (&json!("own-ca"), &json!("sqlite")), "{state}");
    assert_eq!(state["notices"], json!(false), "{state}");
    assert!(state["node"].as_str().unwrap().starts_with("garrison/"), "{state}");
    for figure in ["/disk/free", "/disk/total", "/memory/resident", "/rules/loaded", "/journal/seq"] {
        assert!(state.pointer(figure).and_then(Value::as_u64) > Some(0), "{figure} in {state}");
    }
    let settings = server.get(&anna.session, "/api/v1/server/config");
    let setting = |key: &str| {
        let all = settings.as_array().unwrap();
        all.iter().find(|one| one["key"] == key).unwrap_or_else(|| panic!("{key} in {settings}")).clone()
    };
    let url = setting("database.url");
    assert_eq!((&url["value"], &url["secret"]), (&json!("(secret)"), &json!(true)), "{url}");
    let listen = setting("server.listen");
    assert_eq!(listen["value"], state["listen"], "{listen}");
    assert_eq!(listen["secret"], json!(false), "{listen}");
    assert!(listen["origin"].as_str().unwrap().ends_with("garrison.toml"), "{listen}");
    assert_eq!(setting("session.idle_minutes")["origin"], "default");

    // An administrator of a part sees that it runs, and nothing that is of the whole machine.
    let (bob, person) = Account::made_by(&server, &anna.session, "bob");
    let top = server.get(&anna.session, "/api/v1/node")["items"][0]["id"].clone();
    let new = json!({ "parent": top, "name": "shop", "kind": "product" });
    let shop = server.post(&anna.session, "/api/v1/node/create", &new)["node"].clone();
    let grant = |role: &str, node: &Value| {
        let new = json!({ "holder": person, "role": role, "node": node, "duty": "tests", "reason": "tests" });
        server.post(&anna.session, "/api/v1/grant/create", &new);
    };
    let told = |key: &str| server.get(&bob.session, "/api/v1/server").get(key).is_some();
    grant("administrator", &shop);
    let config = server.call("GET", "/api/v1/server/config", Some(&bob.session), None);
    assert_eq!((config.status, &config.body["type"]), (403, &json!("access/denied")), "{}", config.body);
    assert!(config.body["detail"].as_str().unwrap().contains("root of the tree"), "{}", config.body);
    assert_eq!(["version", "listen", "data_dir", "journal"].map(told), [true, false, false, false]);
    // A viewer of all sees how it runs, and not how it is configured.
    grant("viewer", &top);
    assert_eq!(["version", "listen", "data_dir", "journal"].map(told), [true, true, true, true]);
    assert_eq!(server.call("GET", "/api/v1/server/config", Some(&bob.session), None).status, 403);
}

#[test]
fn what_names_other_tenants_is_not_told() {
    let place = support::Place::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(place.run(&format!("init --listen 127.0.0.1:{port} --tenant acme")).code, 0);
    assert_eq!(place.run("tenant create umbra").code, 0);
    let server = Server::start(place, port);
    let anna = server.first("anna");
    assert_eq!(server.call("GET", "/api/v1/server", Some(&anna.session), None).status, 200);
    let config = server.call("GET", "/api/v1/server/config", Some(&anna.session), None);
    assert_eq!((config.status, &config.body["type"]), (403, &json!("access/denied")), "{}", config.body);
}

#[test]
fn the_document_that_is_checked_in_is_the_one_that_is_served() {
    let server = Server::new();
    let served = format!("{}\n", serde_json::to_string_pretty(&document(&server)).unwrap());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi.json");
    if std::env::var_os("GARRISON_WRITE_OPENAPI").is_some() {
        fs::write(path, &served).unwrap();
    }
    assert!(
        fs::read_to_string(path).unwrap_or_default() == served,
        "openapi.json is stale; `cargo xtask openapi` writes it anew"
    );
}

#[test]
fn schemathesis_finds_no_server_error() {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/schemathesis-venv/bin/schemathesis");
    if !std::path::Path::new(program).exists() {
        println!("skipped: schemathesis is not installed (scripts/prepare test)");
        return;
    }
    let server = Server::new();
    let house = House::furnished(&server, server.first("anna"));
    let authority = server.place.path("garrison/keys/tls/ca.pem");
    let ran = Command::new(program)
        .current_dir(server.place.path("."))
        .arg("run")
        .arg(format!("{}/api/v1/openapi.json", server.url))
        .args(["--header", &format!("Authorization: Bearer {}", house.administrator.session)])
        .arg(format!("--tls-verify={}", authority.display()))
        .args([
            "--checks",
            "not_a_server_error",
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            "25",
        ])
        // The caller must not be locked out on the way; what is followed does not end.
        .args([
            "--exclude-path-regex",
            "session/end|end-all|password/change|login/|person/disable|grant/end|log/tail|/stream",
        ])
        .args(["--seed", "1", "--no-color"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    let tally = said.lines().find(|line| line.contains(" generated, ")).unwrap_or_default();
    let numbers: Vec<u32> = tally.split(' ').filter_map(|word| word.parse().ok()).collect();
    assert!(numbers.first().is_some_and(|cases| *cases > 1_000 && numbers == [*cases, *cases]), "{said}");
}
