//! The console in a real browser: Chromium before the real binary, with real logs behind it. The journeys themselves are
//! written for Playwright, in `console/journeys/`; here each gets a server of its own and whatever it asks for.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail loudly"
)]

#[path = "support/logs.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod logs;
#[path = "support/server.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod server;
#[allow(dead_code, reason = "other tests use the rest")]
mod support;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use jiff::{SignedDuration, Timestamp};
use logs::{Siem, free_port, wait_for};
use serde_json::{Value, json};
use server::{Account, Server, code};
use support::{Place, Ran};

const CONSOLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../console");
/// Pictures of every page, which CI keeps.
const PICTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/pictures");
/// How many alerts the attack on the shop raises at least.
const ATTACK: usize = 7;
/// The clock of a machine on which it is still yesterday. What is set up there leaves records of a day that is over, and
/// only such days are reviewed.
const YESTERDAY: &str = "\
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *at) {
    int failed = (int) syscall(SYS_clock_gettime, clock, at);
    if (clock == CLOCK_REALTIME) at->tv_sec -= 24 * 60 * 60;
    return failed;
}
";

#[test]
fn first_start() {
    let server = Server::new();
    let given = json!({ "url": server.url, "link": format!("/activate/{}", server.links[0]) });
    let Some(mut talk) = Talk::begin("first", &given) else { return };
    while let Some(wish) = talk.hear() {
        assert_eq!(wish["do"], "totp", "{wish}");
        talk.tell(&json!({ "code": code(wish["secret"].as_str().unwrap(), 0) }));
    }
    talk.end();
}

/// A test for each journey that begins with somebody who has an account.
macro_rules! journeys {
    ($($name:ident: $show:expr;)*) => {
        $(#[test]
        fn $name() {
            $show.journey(stringify!($name));
        })*
    };
}

journeys! {
    login: Show::new(0);
    alerts: Show::new(2_000);
    search: Show::new(2_000);
    sources: Show::new(0);
    detections: Show::new(500);
    audit: Show::new(0);
    people: Show::new(500);
    access: Show::new(2_000);
    keyboard: Show::new(500);
    hostile: Show::new(0);
    live: Show::new(0);
    empty: Show::bare();
}

/// A server, and who has an account there.
struct Show {
    siem: Siem,
    /// By their names; Anna, the first administrator, among them.
    people: BTreeMap<String, Account>,
    /// May send to every source.
    sender: String,
    shop: Option<String>,
}

impl Show {
    /// With nothing but its first administrator. It was set up yesterday.
    fn bare() -> Self {
        let (place, port, syslog) = (Place::new(), free_port(), free_port());
        yesterday(&place, port);
        let intake = format!("[intake.syslog]\ntcp = '127.0.0.1:{syslog}'\nudp = '127.0.0.1:{syslog}'\n");
        place.write("garrison/garrison.d/intake.toml", intake);
        let server = Server::start(place, port);
        let anna = server.first("anna");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let me = text(&server.get(&anna.session, "/api/v1/whoami")["id"]);
        let top = text(&server.get(&anna.session, "/api/v1/node")["items"][0]["id"]);
        let siem = Siem { server, syslog, admin: anna.session.clone(), me, top };
        let sender = siem.sender("shipper", Some(&siem.top));
        Self { siem, people: BTreeMap::from([("anna".to_owned(), anna)]), sender, shop: None }
    }

    /// With a web shop whose logs come in, so many events of its day and an attack among them. Anna may do everything.
    fn new(events: u32) -> Self {
        let mut show = Self::bare();
        let shop = show.siem.node("shop");
        show.siem.source(&shop, "shop");
        for role in ["analyst", "auditor", "sender"] {
            show.siem.grant(&show.siem.me, role, &show.siem.top);
        }
        if events > 0 {
            show.play(events);
        }
        show.shop = Some(shop);
        show
    }

    fn play(&self, events: u32) {
        let day = (Timestamp::now() - SignedDuration::from_hours(24)).strftime("%Y-%m-%d").to_string();
        let line = format!("log generate --story shop --attack --events {events} --seed 1 --date {day}");
        let told = self.siem.server.place.run(&line);
        assert_eq!(told.code, 0, "{}", told.err);
        for piece in told.out.lines().collect::<Vec<_>>().chunks(5_000) {
            self.siem.send(&self.sender, "shop", &piece.join("\n"));
        }
        wait_for("the alerts of the attack", || {
            let alerts = self.siem.alerts(&self.siem.admin);
            if alerts.len() >= ATTACK { Ok(()) } else { Err(format!("{alerts:?}")) }
        });
    }

    /// Goes on a journey.
    fn journey(mut self, name: &str) {
        let given = json!({ "url": self.siem.server.url, "top": self.siem.top, "shop": self.shop });
        let Some(mut talk) = Talk::begin(name, &given) else { return };
        while let Some(wish) = talk.hear() {
            let answer;
            (self, answer) = self.fulfil(&wish, &mut talk);
            talk.tell(&answer);
        }
        talk.end();
    }

    /// What a journey asks for.
    fn fulfil(mut self, wish: &Value, talk: &mut Talk) -> (Self, Value) {
        let text = |name: &str| wish[name].as_str().unwrap_or_default().to_owned();
        let answer = match text("do").as_str() {
            "link" => {
                let session = &self.account(&text("who")).session;
                self.siem.server.post(session, "/api/v1/session/hand-over", &json!({}))
            }
            "person" => self.person(wish),
            "code" => json!({ "code": code(&self.account(&text("who")).secret, 1) }),
            "node" => {
                let new = json!({ "parent": self.siem.top, "name": text("name"), "kind": "product" });
                json!({ "id": self.siem.make("/api/v1/node/create", &new, "node") })
            }
            "source" => json!({ "id": self.siem.source(&self.siem.top, &text("name")) }),
            "send" => self.send(wish),
            "kill" => {
                self.siem = self.siem.killed_while(|| {
                    talk.tell(&json!({}));
                    assert_eq!(talk.hear().expect("a wish")["do"], "start");
                });
                json!({})
            }
            other => panic!("nobody knows how to do `{other}`"),
        };
        (self, answer)
    }

    fn account(&self, name: &str) -> &Account {
        self.people.get(name).unwrap_or_else(|| panic!("nobody made `{name}`"))
    }

    /// Somebody with an account and with roles.
    fn person(&mut self, wish: &Value) -> Value {
        let name = wish["name"].as_str().unwrap();
        let (account, id) = Account::made_by(&self.siem.server, &self.siem.admin, name);
        if let Some(full_name) = wish["full_name"].as_str() {
            let change =
                json!({ "person": id, "full_name": full_name, "email": format!("{name}@example.org") });
            self.siem.server.post(&self.siem.admin, "/api/v1/person/change", &change);
        }
        let node = wish["node"].as_str().unwrap_or(&self.siem.top);
        for role in wish["roles"].as_array().into_iter().flatten() {
            self.siem.grant(&id, role.as_str().unwrap(), node);
        }
        let answer = json!({ "id": id, "password": account.password });
        self.people.insert(name.to_owned(), account);
        answer
    }

    /// Sends events to a source: text, or bytes that are none.
    fn send(&self, wish: &Value) -> Value {
        let bearer = format!("Bearer {}", self.sender);
        let headers = [("authorization", bearer.as_str()), ("content-type", "text/plain")];
        let path = format!("/api/v1/intake/{}", wish["source"].as_str().unwrap());
        let bytes = wish["bytes"].as_array().map(|bytes| {
            bytes.iter().map(|byte| u8::try_from(byte.as_u64().unwrap()).unwrap()).collect::<Vec<_>>()
        });
        let body = bytes.unwrap_or_else(|| wish["text"].as_str().unwrap().as_bytes().to_vec());
        let (status, told) = self.siem.server.text(("POST", &path), &headers, &body);
        assert_eq!(status, 200, "{told}");
        serde_json::from_str(&told).unwrap()
    }
}

/// Makes a new Garrison and lets it run for a moment, as if it were yesterday.
fn yesterday(place: &Place, port: u16) {
    place.write("yesterday.c", YESTERDAY);
    let library = place.path("yesterday.so");
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(place.path("yesterday.c"));
    let built = Ran::new("cc", cc.output().unwrap());
    assert_eq!(built.code, 0, "{}", built.err);
    let init = format!("init --listen 127.0.0.1:{port} --tenant acme");
    let made = Ran::new(&init, place.command(&init).env("LD_PRELOAD", &library).output().unwrap());
    assert_eq!(made.code, 0, "{}", made.err);
    let mut serve = place.command("serve");
    serve.env("LD_PRELOAD", &library).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut server = serve.spawn().unwrap();
    let mut said = BufReader::new(server.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(said.any(|line| line.contains("ready")), "the server of yesterday did not start");
    assert!(Command::new("kill").arg(server.id().to_string()).status().unwrap().success());
    said.for_each(drop);
    assert!(server.wait().unwrap().success());
}

/// A journey under way: what it says and what it is told, line by line.
struct Talk {
    name: String,
    child: Child,
    told: ChildStdin,
    heard: Lines<BufReader<ChildStdout>>,
}

impl Talk {
    /// Begins; nothing where there is no browser.
    fn begin(name: &str, given: &Value) -> Option<Self> {
        let chromium = browser()?;
        let mut child = Command::new("node")
            .arg("journeys/run.mjs")
            .arg(name)
            .current_dir(CONSOLE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node");
        let told = child.stdin.take().unwrap();
        let heard = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut given = given.clone();
        given["chromium"] = json!(chromium);
        given["shots"] = json!(PICTURES);
        let mut talk = Self { name: name.to_owned(), child, told, heard };
        talk.tell(&given);
        Some(talk)
    }

    fn tell(&mut self, answer: &Value) {
        writeln!(self.told, "{answer}").unwrap();
    }

    /// What it wishes next; nothing where it is over.
    fn hear(&mut self) -> Option<Value> {
        let line = self.heard.next()?.unwrap();
        Some(
            serde_json::from_str(&line)
                .unwrap_or_else(|_| panic!("the journey `{}` said: {line}", self.name)),
        )
    }

    fn end(mut self) {
        let ended = self.child.wait().unwrap();
        assert!(ended.success(), "the journey `{}` failed; what it said stands above", self.name);
    }
}

/// Chromium, and what the journeys are written with; `None` where they are not installed. In CI they must be.
#[expect(clippy::print_stdout, reason = "whoever runs the tests is told of one that was skipped")]
fn browser() -> Option<PathBuf> {
    let chromium = Path::new("/usr/bin/chromium");
    let there = chromium.exists() && Path::new(CONSOLE).join("node_modules/playwright-core").exists();
    assert!(there || std::env::var_os("CI").is_none(), "Chromium or Playwright is not installed");
    if !there {
        println!("skipped: Chromium or Playwright is not installed (scripts/prepare test)");
    }
    there.then(|| chromium.to_owned())
}
