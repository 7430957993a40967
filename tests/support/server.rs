//! A real server: made by `garrison init`, started by `garrison serve`, spoken to over TLS.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::support::Place;

/// A running server. Killed when the test ends.
pub struct Server {
    /// Its folder.
    pub place: Place,
    /// Its address, such as `https://127.0.0.1:40123`.
    pub url: String,
    /// The secrets of the links that it printed when it started: one for each tenant where nobody can log in.
    pub links: Vec<String>,
    child: Child,
    agent: ureq::Agent,
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body, `null` where it is not JSON.
    pub body: Value,
    /// The request's id.
    pub request: String,
    /// The cookies that were set.
    pub cookies: Vec<String>,
}

/// A page that was answered.
#[derive(Debug, Clone)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// What it says.
    pub text: String,
    /// Where it sends the browser; empty where it stays.
    pub location: String,
    /// The cookies that were set.
    pub cookies: Vec<String>,
}

/// A server-sent event.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerEvent {
    /// Its id; empty where it has none.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it tells.
    pub data: Value,
}

impl Server {
    /// Makes a new Garrison and starts it.
    pub fn new() -> Self {
        let place = Place::new();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let made = place.run(&format!("init --listen 127.0.0.1:{port} --tenant acme"));
        assert_eq!(made.code, 0, "{}", made.err);
        Self::start(place, port)
    }

    /// Starts the Garrison of a folder.
    pub fn start(place: Place, port: u16) -> Self {
        let (child, lines) = spawn(place.command("serve"));
        let pem = std::fs::read(place.path("garrison/keys/tls/ca.pem")).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let authority = ureq::tls::Certificate::from_pem(&pem).unwrap();
        let tls = ureq::tls::TlsConfig::builder()
            .unversioned_rustls_crypto_provider(provider)
            .root_certs(ureq::tls::RootCerts::new_with_certs(&[authority]));
        let agent = ureq::Agent::config_builder()
            .tls_config(tls.build())
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_mins(1)))
            .build()
            .new_agent();
        let said = until(&lines, "ready");
        let links = said.iter().filter(|line| line.starts_with("  https://"));
        let links = links.map(|line| line.rsplit_once('/').unwrap().1.to_owned()).collect();
        Self { place, url: format!("https://127.0.0.1:{port}"), links, child, agent }
    }

    /// Ends the server in order.
    pub fn stop(&mut self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }

    /// Kills the server, ends nothing in order, and gives its folder back.
    pub fn kill(mut self) -> Place {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::mem::replace(&mut self.place, Place::new())
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.url.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// A one-time link from the machine's own console.
    pub fn link(&self, line: &str) -> String {
        let ran = self.place.run(line);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let link =
            ran.out.split_whitespace().find(|word| word.contains("/activate/")).expect("a link").to_owned();
        link.rsplit_once('/').unwrap().1.to_owned()
    }

    /// A request. `credential` is what stands behind `Bearer`, or nothing.
    pub fn call(&self, method: &str, path: &str, credential: Option<&str>, body: Option<&Value>) -> Reply {
        let url = format!("{}{path}", self.url);
        let mut request = ureq::http::Request::builder().method(method).uri(&url);
        if let Some(credential) = credential {
            request = request.header("authorization", format!("Bearer {credential}"));
        }
        let sent = match body {
            Some(body) => {
                let request =
                    request.header("content-type", "application/json").body(body.to_string()).unwrap();
                self.agent.run(request)
            }
            None if method == "POST" => {
                let request = request.header("content-type", "application/json").body(String::new()).unwrap();
                self.agent.run(request)
            }
            None => self.agent.run(request.body(()).unwrap()),
        };
        let mut answer = sent.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let request = header("x-request-id").unwrap_or_default();
        let cookies = answer.headers().get_all("set-cookie").iter();
        let cookies = cookies.map(|value| value.to_str().unwrap().to_owned()).collect();
        let status = answer.status().as_u16();
        let text = answer.body_mut().read_to_string().unwrap();
        Reply { status, body: serde_json::from_str(&text).unwrap_or(Value::Null), request, cookies }
    }

    /// A request whose answer may be anything: the status and the text.
    pub fn text(&self, (method, path): (&str, &str), headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = self.agent.run(request.body(body.to_vec()).unwrap());
        let mut answer = sent.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        (answer.status().as_u16(), answer.body_mut().with_config().limit(1 << 30).read_to_string().unwrap())
    }

    /// A request as a browser makes it: a page, or a form.
    pub fn page(
        &self,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        form: &[(&str, &str)],
    ) -> Page {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = if method == "POST" {
            let pairs = form.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
            let body = pairs.collect::<Vec<_>>().join("&");
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            self.agent.run(request.body(body).unwrap())
        } else {
            self.agent.run(request.body(()).unwrap())
        };
        let mut answer = sent.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let all = |name: &str| {
            let values = answer.headers().get_all(name).iter();
            values.map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let (location, cookies) = (all("location").concat(), all("set-cookie"));
        let status = answer.status().as_u16();
        Page { status, text: answer.body_mut().read_to_string().unwrap(), location, cookies }
    }

    /// The lines of an answer to a POST, as they come.
    pub fn lines(&self, credential: &str, path: &str, body: &Value) -> impl Iterator<Item = String> + use<> {
        let request = ureq::http::Request::post(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {credential}"))
            .header("content-type", "application/json");
        let answer = self.agent.run(request.body(body.to_string()).unwrap()).unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{path} {body}");
        BufReader::new(answer.into_body().into_reader()).lines().map(Result::unwrap)
    }

    /// The lines of server-sent events, as they come, until the answer breaks off.
    pub fn stream(
        &self,
        credential: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> impl Iterator<Item = String> + use<> {
        let mut request = ureq::http::Request::get(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {credential}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.agent.run(request.body(()).unwrap()).unwrap();
        let kind = answer.headers()["content-type"].to_str().unwrap();
        assert_eq!((answer.status().as_u16(), kind), (200, "text/event-stream"), "{path}");
        BufReader::new(answer.into_body().into_reader()).lines().map_while(Result::ok)
    }

    /// The server-sent events of an answer, as they come, without signs of life; behind the last one that was seen.
    pub fn events(
        &self,
        credential: &str,
        path: &str,
        last: Option<&str>,
    ) -> impl Iterator<Item = ServerEvent> + use<> {
        let headers: Vec<_> = last.map(|last| ("last-event-id", last)).into_iter().collect();
        let mut lines = self.stream(credential, path, &headers);
        let next = move || loop {
            let lines = lines.by_ref().skip_while(String::is_empty);
            let fields: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            if fields.is_empty() {
                return None;
            }
            let field = |name: &str| {
                let mut values = fields.iter().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                values.next().map(str::to_owned)
            };
            let (Some(name), Some(data)) = (field("event"), field("data")) else { continue };
            if name != "alive" {
                let data = serde_json::from_str(&data).unwrap();
                return Some(ServerEvent { id: field("id").unwrap_or_default(), name, data });
            }
        };
        std::iter::from_fn(next)
    }

    /// A POST that must succeed.
    pub fn post(&self, credential: &str, path: &str, body: &Value) -> Value {
        let reply = self.call("POST", path, Some(credential), Some(body));
        assert_eq!(reply.status, 200, "{path} {body}: {}", reply.body);
        reply.body
    }

    /// A GET that must succeed.
    pub fn get(&self, credential: &str, path: &str) -> Value {
        let reply = self.call("GET", path, Some(credential), None);
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        reply.body
    }

    /// The first administrator of the tenant, by the link that the server printed.
    pub fn first(&self, name: &str) -> Account {
        let begin = json!({
            "invitation": self.links[0],
            "kind": "cli",
            "profile": { "name": name, "full_name": format!("{name} First"), "email": format!("{name}@example.org") },
        });
        Account::activate(self, &begin, name)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A value of a form.
fn encoded(value: &str) -> String {
    value.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Reads what the server says, up to the line that holds this word.
fn until(lines: &Receiver<String>, word: &str) -> Vec<String> {
    let mut said = Vec::new();
    while let Ok(line) = lines.recv_timeout(Duration::from_mins(1)) {
        let found = line.contains(word);
        said.push(line);
        if found {
            return said;
        }
    }
    panic!("the server did not say `{word}`, but:\n{}", said.join("\n"));
}

fn spawn(mut command: Command) -> (Child, Receiver<String>) {
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let (send, lines) = channel();
    std::thread::spawn(move || {
        for line in stderr.lines().map_while(Result::ok) {
            // Whoever started it may have read enough; the server must not notice.
            let _ = send.send(line);
        }
    });
    (child, lines)
}

/// An account that was set up: what its owner knows and has.
pub struct Account {
    /// What is typed to log in.
    pub name: String,
    /// The password.
    pub password: String,
    /// The authenticator app's secret.
    pub secret: String,
    /// The recovery codes.
    pub codes: Vec<String>,
    /// A session of the command line.
    pub session: String,
}

/// The code that an authenticator app shows `steps` of 30 seconds from now. An account is set up with the
/// code of now, so a test that logs in takes that of the next step: both are good for 30 seconds at least,
/// on whichever side of a step's end they arrive.
pub fn code(secret: &str, steps: i64) -> String {
    let totp = Builder::new().with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap();
    let now = jiff::Timestamp::now().as_second() + steps * 30;
    totp.generate(now.cast_unsigned()).to_string()
}

impl Account {
    /// Sets an account up by a one-time link, from the command line's side of the API.
    pub fn activate(server: &Server, begin: &Value, name: &str) -> Self {
        let step = |body: Value| {
            let reply = server.call("POST", "/api/v1/login/step", None, Some(&body));
            assert_eq!(reply.status, 200, "{}", reply.body);
            reply.body
        };
        let password = format!("{name} likes four plain words");
        let begun = server.call("POST", "/api/v1/login/begin", None, Some(begin));
        assert_eq!(begun.status, 200, "{}", begun.body);
        let login = begun.body["login"].clone();
        let chosen = step(json!({ "login": login, "new_password": password }));
        let secret = chosen["enrolment"]["secret"].as_str().unwrap().to_owned();
        let done = step(json!({ "login": login, "code": code(&secret, 0) }));
        let codes = done["recovery_codes"].as_array().unwrap();
        Self {
            name: name.to_owned(),
            password,
            secret,
            codes: codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect(),
            session: done["session"].as_str().unwrap().to_owned(),
        }
    }

    /// A person made by an administrator, with an account that is set up; also the person's id.
    pub fn made_by(server: &Server, administrator: &str, name: &str) -> (Self, String) {
        let new = json!({ "name": name, "full_name": format!("{name} Test"), "email": format!("{name}@example.org") });
        let person =
            server.post(administrator, "/api/v1/person/create", &new)["person"].as_str().unwrap().to_owned();
        let invited = server.post(administrator, "/api/v1/account/invite", &json!({ "person": person }));
        let begin = json!({ "invitation": invited["invitation"], "kind": "cli" });
        (Self::activate(server, &begin, name), person)
    }
}
