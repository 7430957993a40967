//! A server that takes logs: addresses for syslog, somebody who looks, accounts that send.

use std::net::{TcpListener, UdpSocket};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::server::{Account, Server};
use crate::support::Place;

/// How often an answer is asked for until it is the right one, and how long it is waited in between.
const ATTEMPTS: usize = 300;
const PAUSE: Duration = Duration::from_millis(200);

/// A server with an administrator.
pub struct Siem {
    /// The server.
    pub server: Server,
    /// The port for syslog, of both kinds.
    pub syslog: u16,
    /// The administrator's session.
    pub admin: String,
    /// The administrator.
    pub me: String,
    /// The tenant's root.
    pub top: String,
}

impl Siem {
    /// A new one, with more in its configuration.
    pub fn new(more: &str) -> Self {
        let (place, port, syslog) = (Place::new(), free_port(), free_port());
        let made = place.run(&format!("init --listen 127.0.0.1:{port} --tenant acme"));
        assert_eq!(made.code, 0, "{}", made.err);
        let intake = format!("[intake.syslog]\ntcp = '127.0.0.1:{syslog}'\nudp = '127.0.0.1:{syslog}'\n");
        place.write("garrison/garrison.d/intake.toml", format!("{intake}{more}"));
        let server = Server::start(place, port);
        let admin = server.first("anna").session;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let me = text(&server.get(&admin, "/api/v1/whoami")["id"]);
        let top = text(&server.get(&admin, "/api/v1/node")["items"][0]["id"]);
        Self { server, syslog, admin, me, top }
    }

    /// The same, after it was killed in the middle of whatever it did.
    pub fn killed(self) -> Self {
        self.killed_while(|| ())
    }

    /// The same; something happens while it is dead.
    pub fn killed_while(self, meanwhile: impl FnOnce()) -> Self {
        let port = self.server.port();
        let place = self.server.kill();
        meanwhile();
        Self { server: Server::start(place, port), ..self }
    }

    /// The same, after it ended in order.
    pub fn stopped(mut self) -> Self {
        self.server.stop();
        self.killed()
    }

    /// The authority of its certificate, as a path.
    pub fn ca(&self) -> String {
        self.server.place.path("garrison/keys/tls/ca.pem").display().to_string()
    }

    /// A POST of the administrator, and the id in its answer.
    pub fn make(&self, path: &str, body: &Value, id: &str) -> String {
        self.server.post(&self.admin, path, body)[id].as_str().unwrap().to_owned()
    }

    /// A node below the root.
    pub fn node(&self, name: &str) -> String {
        let new = json!({ "parent": self.top, "name": name, "kind": "product" });
        self.make("/api/v1/node/create", &new, "node")
    }

    /// A source at a node.
    pub fn source(&self, node: &str, name: &str) -> String {
        let new = json!({ "node": node, "name": name, "purpose": "tests" });
        self.make("/api/v1/source/create", &new, "source")
    }

    /// A role at a node.
    pub fn grant(&self, holder: &str, role: &str, node: &str) {
        let new = json!({ "holder": holder, "role": role, "node": node, "duty": "tests", "reason": "tests" });
        self.make("/api/v1/grant/create", &new, "grant");
    }

    /// The token of a new service account that may send to sources at this node and below, or nowhere.
    pub fn sender(&self, name: &str, node: Option<&str>) -> String {
        let new = json!({ "name": name, "owner": self.me, "purpose": "tests" });
        let service = self.make("/api/v1/service/create", &new, "service");
        if let Some(node) = node {
            self.grant(&service, "sender", node);
        }
        let new =
            json!({ "actor": service, "name": "t", "verbs": ["log:send"], "node": self.top, "days": 1 });
        self.make("/api/v1/token/create", &new, "token")
    }

    /// The session of somebody who looks at logs and alerts at this node and below.
    pub fn analyst(&self, name: &str, node: &str) -> String {
        let (account, person) = Account::made_by(&self.server, &self.admin, name);
        self.grant(&person, "analyst", node);
        account.session
    }

    /// Sends text to a source, which must take all of it.
    pub fn send(&self, token: &str, source: &str, text: &str) {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "text/plain")];
        let path = format!("/api/v1/intake/{source}");
        let (status, told) = self.server.text(("POST", &path), &headers, text.as_bytes());
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!((status, told["refused"].as_u64()), (200, Some(0)), "{told}");
    }

    /// The status and the lines of an answer to a question.
    pub fn asked(&self, who: &str, question: &Value) -> (u16, Vec<Value>) {
        let bearer = format!("Bearer {who}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let body = question.to_string();
        let (status, text) = self.server.text(("POST", "/api/v1/log/search"), &headers, body.as_bytes());
        (status, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    /// The rows of a question that must be answered whole.
    pub fn rows(&self, who: &str, question: &Value) -> Vec<Value> {
        let (status, mut rows) = self.asked(who, question);
        assert_eq!(status, 200, "{question}: {rows:?}");
        let end = rows.pop().expect("the last line");
        let told = (end["_end"]["rows"].as_u64(), end["_end"]["complete"].as_bool());
        assert_eq!(told, (Some(rows.len() as u64), Some(true)), "{question}: {end}");
        rows
    }

    /// The events of a filter, for the administrator.
    pub fn found(&self, query: &str) -> Vec<Value> {
        self.rows(&self.admin, &json!({ "query": query, "limit": 100_000 }))
    }

    /// The only row of a question in SQL.
    pub fn row(&self, sql: &str) -> Value {
        let mut rows = self.rows(&self.admin, &json!({ "sql": sql }));
        assert_eq!(rows.len(), 1, "{sql}: {rows:?}");
        rows.remove(0)
    }

    /// Waits until a filter finds so many events, and gives them.
    pub fn await_found(&self, query: &str, count: usize) -> Vec<Value> {
        wait_for(query, || {
            let found = self.found(query);
            if found.len() >= count { Ok(found) } else { Err(format!("{} of {count}", found.len())) }
        })
    }

    /// Waits until a count in SQL is so large.
    pub fn await_count(&self, sql: &str, count: u64) {
        wait_for(sql, || {
            let row = self.row(sql);
            if row["n"].as_u64() >= Some(count) { Ok(()) } else { Err(format!("{row}, not {count}")) }
        });
    }

    /// The alerts that somebody sees.
    pub fn alerts(&self, who: &str) -> Vec<Value> {
        self.server.get(who, "/api/v1/alert?limit=500")["items"].as_array().unwrap().clone()
    }

    /// Waits for an alert of a rule, and gives it.
    pub fn await_alert(&self, rule: &str) -> Value {
        wait_for(rule, || {
            let alerts = self.alerts(&self.admin);
            let found = alerts.iter().find(|alert| alert["rule"] == rule).cloned();
            found.ok_or_else(|| format!("{alerts:?}"))
        })
    }

    /// A source as it is listed.
    pub fn listed(&self, name: &str) -> Value {
        let sources = self.server.get(&self.admin, "/api/v1/source");
        let found = sources["items"].as_array().unwrap().iter().find(|source| source["name"] == name);
        found.cloned().unwrap_or_else(|| panic!("no source {name} in {sources}"))
    }
}

/// Asks again and again until there is an answer; the error tells the last one.
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Result<T, String>) -> T {
    let mut last = String::new();
    for _ in 0..ATTEMPTS {
        match ask() {
            Ok(answer) => return answer,
            Err(other) => last = other,
        }
        sleep(PAUSE);
    }
    panic!("{what}: waited in vain; at last: {last}");
}

/// A port that nobody has, neither for connections nor for datagrams.
pub fn free_port() -> u16 {
    let free = |_| {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        UdpSocket::bind(("127.0.0.1", port)).ok().map(|_| port)
    };
    (0..100).find_map(free).expect("a free port")
}
