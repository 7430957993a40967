//! What the demo asks of its server.

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};
use ureq::Agent;
use ureq::http::{HeaderMap, Request};

/// Speaks with the demo's server, as its first administrator.
pub struct Client {
    agent: Agent,
    url: String,
    session: String,
}

impl Client {
    pub fn new(url: &str) -> Self {
        let agent = Agent::config_builder().http_status_as_error(false).max_redirects(0).build().new_agent();
        Self { agent, url: url.to_owned(), session: String::new() }
    }

    /// The server's address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The secret of the session.
    pub fn session(&self) -> &str {
        &self.session
    }

    /// Sets up the account of the first administrator by its link.
    pub fn activate(&mut self, link: &str) -> anyhow::Result<()> {
        let profile =
            json!({ "name": "demo", "full_name": "Demo Administrator", "email": "demo@example.org" });
        let begin = json!({ "invitation": link, "kind": "cli", "profile": profile });
        let login = self.post("/api/v1/login/begin", &begin)?["login"].clone();
        let password = json!({ "login": login, "new_password": "a demo lasts for an hour or two" });
        let chosen = self.post("/api/v1/login/step", &password)?;
        let secret =
            chosen["enrolment"]["secret"].as_str().context("the server asked for no second factor")?;
        let code = json!({ "login": login, "code": code(secret)? });
        let done = self.post("/api/v1/login/step", &code)?;
        done["session"].as_str().context("the server gave no session")?.clone_into(&mut self.session);
        Ok(())
    }

    pub fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.agent.get(format!("{}{path}", self.url)).header("authorization", self.bearer());
        let mut answer = request.call().with_context(|| format!("GET {path}"))?;
        let text = answer.body_mut().read_to_string()?;
        read(answer.status().as_u16(), path, &text)
    }

    pub fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let text = self.send(path, "application/json", body.to_string().as_bytes())?;
        read(200, path, &text)
    }

    /// Sends bytes; the answer must be a good one.
    pub fn send(&self, path: &str, kind: &str, body: &[u8]) -> anyhow::Result<String> {
        let mut request = self.agent.post(format!("{}{path}", self.url)).header("content-type", kind);
        if !self.session.is_empty() {
            request = request.header("authorization", self.bearer());
        }
        let mut answer = request.send(body).with_context(|| format!("POST {path}"))?;
        let text = answer.body_mut().read_to_string()?;
        if !answer.status().is_success() {
            bail!("{path}: {}: {text}", answer.status());
        }
        Ok(text)
    }

    /// What a browser gets for an address, or for a form that a page of the site sends there.
    pub fn page(&self, path: &str, headers: &[(&str, &str)], form: Option<&str>) -> anyhow::Result<Page> {
        let mut request = Request::builder().uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = match form {
            Some(form) => {
                let request = request
                    .method("POST")
                    .header("sec-fetch-site", "same-origin")
                    .header("content-type", "application/x-www-form-urlencoded");
                self.agent.run(request.body(form.to_owned())?)
            }
            None => self.agent.run(request.body(())?),
        };
        let mut answer = answer.with_context(|| format!("asking for the page {path}"))?;
        let text = String::from_utf8_lossy(&answer.body_mut().read_to_vec()?).into_owned();
        Ok(Page { status: answer.status().as_u16(), headers: answer.headers().clone(), text })
    }

    /// How many events a filter finds.
    pub fn count(&self, condition: &str) -> anyhow::Result<u64> {
        let sql = format!("SELECT count(*) AS n FROM logs WHERE {condition}");
        let text = self.send(
            "/api/v1/log/search",
            "application/json",
            json!({ "sql": sql }).to_string().as_bytes(),
        )?;
        let first: Value = serde_json::from_str(text.lines().next().unwrap_or_default())?;
        first["n"].as_u64().context("no count was answered")
    }

    /// All alerts, the last seen first.
    pub fn alerts(&self) -> anyhow::Result<Vec<Value>> {
        let mut answer = self.get("/api/v1/alert?limit=500")?;
        Ok(answer["items"].as_array_mut().map(std::mem::take).unwrap_or_default())
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.session)
    }
}

/// What a browser gets.
pub struct Page {
    pub status: u16,
    headers: HeaderMap,
    pub text: String,
}

impl Page {
    /// A header; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

fn read(status: u16, path: &str, text: &str) -> anyhow::Result<Value> {
    if status != 200 {
        bail!("{path}: {status}: {text}");
    }
    serde_json::from_str(text).with_context(|| format!("{path} answered no JSON"))
}

/// What an authenticator app would show now.
fn code(secret: &str) -> anyhow::Result<String> {
    use garrison_base::{Clock as _, SystemClock};
    let secret =
        Secret::try_from_base32(secret).map_err(|_| anyhow::anyhow!("the second factor's secret"))?;
    let totp =
        Builder::new().with_secret(secret).build().map_err(|_| anyhow::anyhow!("the second factor"))?;
    Ok(totp.generate(SystemClock.now().as_second().cast_unsigned()).to_string())
}
