//! The unattended demo: every promise of the tour, tried.

use std::io::Write as _;
use std::net::{TcpStream, UdpSocket};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::client::Client;
use super::link;
use super::stage::Stage;
use super::{Checked, until};

/// All events of the story.
const STORY: &str = "source IN ('edge', 'shop', 'syslog')";

/// The rule that a root shell by sudo matches.
const SHELL: &str = "deploy : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/bash";

struct Checks {
    steps: Vec<Checked>,
}

impl Checks {
    fn note(&mut self, step: &str, ok: bool, seen: &impl ToString) {
        self.steps.push(Checked { step: step.to_owned(), ok, seen: seen.to_string() });
    }

    /// Something that must come true; what is seen last is told.
    fn comes<T: ToString>(
        &mut self,
        step: &str,
        mut look: impl FnMut() -> anyhow::Result<(bool, T)>,
    ) -> anyhow::Result<()> {
        let mut last = String::new();
        let came = until(|| {
            let (so, seen) = look()?;
            last = seen.to_string();
            Ok(so.then_some(()))
        })?;
        self.note(step, came.is_some(), &last);
        Ok(())
    }
}

/// Tries everything after `played` events were sent.
pub fn run(stage: &mut Stage, client: &Client, played: u64) -> anyhow::Result<Vec<Checked>> {
    let mut checks = Checks { steps: Vec::new() };
    // Lines of one auditd event become one event.
    checks.comes("the day can be searched", || {
        let count = client.count(STORY)?;
        Ok((count > played / 2, format!("{count} events of {played} lines")))
    })?;
    checks.comes("the attack raises alerts", || {
        let alerts = client.alerts()?;
        let about = |alert: &&Value| alert["entity"] == "203.0.113.24";
        let severe =
            alerts.iter().filter(|alert| alert["level"] == "high" || alert["level"] == "critical").count();
        let attacker = alerts.iter().filter(about).count();
        Ok((
            severe > 0 && attacker > 0,
            format!("{} alerts, {severe} severe, {attacker} about the attacker", alerts.len()),
        ))
    })?;
    opens(client, &mut checks)?;
    sends_and_finds(stage, client, &mut checks)?;
    judges(stage, client, &mut checks)?;
    works_with_alerts(client, &mut checks)?;
    refuses(client, &mut checks);
    survives(stage, client, &mut checks)?;
    Ok(checks.steps)
}

/// The one-time link, and what it leads to.
fn opens(client: &Client, checks: &mut Checks) -> anyhow::Result<()> {
    let path = link::make(client)?;
    let shown = client.page(&link::leading(&path), &[], None)?;
    let kept = shown.text.contains(&format!("name=\"next\" value=\"{}\"", link::NEXT));
    checks.note("the link shows a page with a button", shown.status == 200 && kept, &shown.status);
    let form = format!("next={}", link::NEXT.replace('?', "%3F").replace('=', "%3D"));
    let entered = client.page(&path, &[], Some(&form))?;
    let session = entered.header("set-cookie").split(';').next().unwrap_or_default();
    let opened = entered.status == 303 && session.starts_with("__Host-garrison=");
    let leads = entered.header("location");
    checks.note("the button opens a session and leads on", opened && leads == link::NEXT, &leads);
    if cfg!(feature = "console") {
        console(client, session, checks)?;
    }
    Ok(())
}

fn console(client: &Client, session: &str, checks: &mut Checks) -> anyhow::Result<()> {
    let home = client.page(link::NEXT, &[("accept", "text/html"), ("cookie", session)], None)?;
    let policy = home.header("content-security-policy");
    let strict = policy.contains("default-src 'self'") && !policy.contains("unsafe");
    checks.note("the console is there under a strict policy", home.status == 200 && strict, &policy);
    let script = home.text.split("src=\"/assets/").nth(1).and_then(|rest| rest.split('"').next());
    let Some(script) = script else {
        checks.note("its script comes compressed", false, &"the page names none");
        return Ok(());
    };
    let part = client.page(&format!("/assets/{script}"), &[("accept-encoding", "br, gzip")], None)?;
    let encoding = part.header("content-encoding");
    let compressed = part.status == 200 && ["br", "gzip"].contains(&encoding);
    checks.note("its script comes compressed", compressed, &format!("{script}: {encoding}"));
    Ok(())
}

fn tcp(stage: &Stage, line: &str) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(&stage.syslog).context("connecting to syslog")?;
    stream.write_all(line.as_bytes()).context("sending a line")
}

fn sends_and_finds(stage: &Stage, client: &Client, checks: &mut Checks) -> anyhow::Result<()> {
    tcp(stage, "<13>1 2026-11-22T10:00:00Z demo-1 tour - - - lineovertcp\n")?;
    let counted = "<13>1 2026-11-22T10:00:00Z demo-1 tour - - - countedline";
    tcp(stage, &format!("{} {counted}", counted.len()))?;
    let socket = UdpSocket::bind("127.0.0.1:0").context("opening a socket")?;
    socket
        .send_to(b"<13>Nov 22 10:00:00 demo-1 tour: lineoverudp", &stage.syslog)
        .context("sending a datagram")?;
    client.send(
        "/api/v1/intake/shop",
        "application/x-ndjson",
        b"{\"host\":\"demo-1\",\"message\":\"lineoverhttp\"}\n",
    )?;
    for word in ["lineovertcp", "countedline", "lineoverudp", "lineoverhttp"] {
        checks.comes(&format!("{word} is found by its word"), || {
            let body = json!({ "query": format!("{word} host:demo-1"), "from": "10m" });
            let text = client.send("/api/v1/log/search", "application/json", body.to_string().as_bytes())?;
            let rows = text.lines().filter(|line| line.contains(word)).count();
            Ok((rows == 1, format!("{rows} rows")))
        })?;
    }
    Ok(())
}

fn judges(stage: &Stage, client: &Client, checks: &mut Checks) -> anyhow::Result<()> {
    tcp(stage, &format!("<38>1 2026-11-22T10:00:00Z demo-2 sudo - - - {SHELL}\n"))?;
    checks.comes("a root shell by sudo raises an alert", || {
        let alerts = client.alerts()?;
        let about = alerts.iter().find(|alert| alert["entity"] == "demo-2");
        Ok((about.is_some(), about.map_or_else(|| "none".to_owned(), |alert| alert["title"].to_string())))
    })
}

fn works_with_alerts(client: &Client, checks: &mut Checks) -> anyhow::Result<()> {
    let alerts = client.alerts()?;
    let Some(id) = alerts.first().map(|alert| alert["id"].clone()) else {
        checks.note("an alert tells why", false, &"there is none");
        return Ok(());
    };
    let shown = client.get(&format!("/api/v1/alert/{}", id.as_str().unwrap_or_default()))?;
    let why = shown["events"][0]["why"].as_array().map_or(0, Vec::len);
    checks.note("an alert tells why, predicate by predicate", why > 0, &format!("{why} predicates"));
    client.post("/api/v1/alert/acknowledge", &json!({ "alert": id }))?;
    let close = json!({ "alert": id, "reason": "benign", "note": "a demo" });
    client.post("/api/v1/alert/close", &close)?;
    client.post("/api/v1/alert/reopen", &json!({ "alert": id }))?;
    let state = client.get(&format!("/api/v1/alert/{}", id.as_str().unwrap_or_default()))?["state"].clone();
    checks.note("it is acknowledged, closed and opened again", state == "open", &state);
    let records = client.get("/api/v1/audit?operation=alert:close&limit=1")?;
    let recorded = records["items"][0]["result"].clone();
    checks.note("closing it left a record", recorded == "success", &recorded);
    Ok(())
}

fn refuses(client: &Client, checks: &mut Checks) {
    let body = json!({ "query": "host:(a or" });
    let refused = client.send("/api/v1/log/search", "application/json", body.to_string().as_bytes());
    let words = refused.err().map(|error| error.to_string()).unwrap_or_default();
    checks.note("a broken filter is answered with its place", words.contains('^'), &"422");
    let body = json!({ "sql": "DROP TABLE logs" });
    let refused = client.send("/api/v1/log/search", "application/json", body.to_string().as_bytes());
    checks.note("SQL cannot change anything", refused.is_err(), &"422");
}

/// Kills the server with everything still in memory: what was answered must be there again.
fn survives(stage: &mut Stage, client: &Client, checks: &mut Checks) -> anyhow::Result<()> {
    let before = client.count(STORY)?;
    let alerts: u64 = client.alerts()?.iter().filter_map(|alert| alert["count"].as_u64()).sum();
    stage.kill_and_start()?;
    checks.comes("kill -9 loses no event and doubles none", || {
        stage.look_at_server()?;
        let count = client.count(STORY).unwrap_or(0);
        Ok((count == before, format!("{count} of {before}")))
    })?;
    let now: u64 = client.alerts()?.iter().filter_map(|alert| alert["count"].as_u64()).sum();
    checks.note("nor an alert", now == alerts, &format!("{now} matches of {alerts}"));
    Ok(())
}
