//! `garrison alert`: what the rules found, and what people make of it.

use garrison_base::Exit;
use serde_json::{Value as Json, json};

use crate::cli::client::{AlertCloseArgs, AlertCommand, AlertListArgs, AlertShowArgs, ClientArgs};
use crate::client::failure::exit_of;
use crate::client::row::{self, cell, items, rows};
use crate::client::wire::{Answer, encoded};
use crate::client::{Client, looking};
use crate::output::{Format, counted};
use crate::say;

rows! {
    /// An alert in a list.
    Alert {
        "ID" 30 "/id" "LEVEL" 13 "/level" "STATE" 12 "/state" "COUNT" 6 "/count" "LAST SEEN" 20 "/last_seen"
        "PATH" 20 "/path" "ENTITY" 20 "/entity" "TITLE" 30 "/title"
    }
    /// An alert that was changed, or waits to be.
    ChangedAlert {
        "ALERT" 30 "/alert" "CHANGED" 7 "/changed" "REVISION" 8 "/revision" "APPROVAL" 30 "/approval"
    }
}

/// `garrison alert`
pub fn run(command: &AlertCommand) -> anyhow::Result<Exit> {
    match command {
        AlertCommand::List(args) => list(args),
        AlertCommand::Show(args) => show(args),
        AlertCommand::Acknowledge(args) => {
            change(&args.client, "alert/acknowledge", &args.alerts, &json!({}))
        }
        AlertCommand::Close(args) => close(args),
        AlertCommand::Reopen(args) => {
            change(&args.client, "alert/reopen", std::slice::from_ref(&args.alert), &json!({}))
        }
        AlertCommand::Assign(args) => {
            let to = match args.to.as_str() {
                "nobody" => None,
                who => Some(Client::open(&args.client)?.person(who)?),
            };
            let body = json!({ "to": to });
            change(&args.client, "alert/assign", std::slice::from_ref(&args.alert), &body)
        }
    }
}

fn list(args: &AlertListArgs) -> anyhow::Result<Exit> {
    let client = Client::open(&args.list.client)?;
    let node = args.node.as_deref().map(|node| client.node(node)).transpose()?;
    let query = [
        ("query", args.query.as_deref()),
        ("state", args.state.as_deref()),
        ("level", args.level.as_deref()),
        ("rule", args.rule.as_deref()),
        ("entity", args.entity.as_deref()),
        ("node", node.as_deref()),
    ];
    client.list::<Alert>("alert", &query, &args.list)
}

fn show(args: &AlertShowArgs) -> anyhow::Result<Exit> {
    let client = Client::open(&args.client)?;
    let path = format!("alert/{}", encoded(&args.alert));
    let alert = looking(client.get(&path, &[]), "alert", &args.alert)?;
    if client.format == Format::Table {
        return row::print_lines(&told(&alert));
    }
    row::print(client.format, &Alert::from(alert))?;
    Ok(Exit::Ok)
}

fn close(args: &AlertCloseArgs) -> anyhow::Result<Exit> {
    let body = json!({ "reason": args.reason, "note": args.note });
    change(&args.client, "alert/close", &args.alerts, &body)
}

/// Performs one act on each alert. One that fails does not keep the others from it: then a part was done.
fn change(args: &ClientArgs, path: &str, alerts: &[String], body: &Json) -> anyhow::Result<Exit> {
    let client = Client::open(args)?;
    let (mut rows, mut failed, mut waiting) = (Vec::new(), Vec::new(), 0);
    for alert in alerts {
        let mut act = body.clone();
        put(&mut act, "alert", alert);
        match client.wire.act(path, &act) {
            Ok(Answer::Done(mut output)) => {
                put(&mut output, "alert", alert);
                rows.push(ChangedAlert::from(output));
            }
            Ok(Answer::Waiting(id)) => {
                say!("it waits for approval: {id}; `garrison approval show {id}` tells what it needs");
                rows.push(ChangedAlert::from(json!({ "alert": alert, "changed": false, "approval": id })));
                waiting += 1;
            }
            Err(error) => {
                let error = error.context(format!("the alert `{alert}`"));
                // Who is not there now will not be there for the next one either.
                let last = matches!(exit_of(&error), None | Some(Exit::Unreachable | Exit::TimedOut));
                failed.push(error);
                if last {
                    break;
                }
            }
        }
    }
    let done = rows.len() - waiting;
    if rows.is_empty() && failed.len() == 1 {
        return Err(failed.remove(0));
    }
    row::print_all(client.format, rows)?;
    for error in &failed {
        say!("garrison: {error:#}");
    }
    let first = failed.first().map(|error| exit_of(error).unwrap_or(Exit::Failed));
    Ok(match (done, waiting, first) {
        (_, 0, None) => Exit::Ok,
        (0, _, None) => Exit::Waiting,
        (0, 0, Some(exit)) => exit,
        _ => Exit::Partial,
    })
}

fn put(object: &mut Json, name: &str, value: &str) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value.into());
    }
}

/// An alert as a page. What strangers wrote is made harmless where lines are printed.
fn told(alert: &Json) -> Vec<String> {
    let at = |pointer: &str| cell(alert, pointer);
    let count = alert.get("count").and_then(Json::as_u64).unwrap_or_default();
    let events = items(alert, "/events");
    let assignee = match (at("/assignee_name").as_str(), at("/assignee").as_str()) {
        ("-", "-") => "nobody".to_owned(),
        ("-", id) => id.to_owned(),
        (name, _) => name.to_owned(),
    };
    let mut lines = vec![
        format!("{}: {}", at("/id"), at("/title")),
        format!("level {}, {}, assigned to {assignee}", at("/level"), at("/state")),
        format!("rule: {}", at("/rule")),
        format!("{} {} at {}", at("/entity_kind"), at("/entity"), at("/path")),
        format!("{}, {} to {}", counted(count, "event"), at("/first_seen"), at("/last_seen")),
    ];
    if at("/state") == "closed" {
        lines.push(format!("closed as {}: {}", at("/reason"), at("/note")));
    }
    for event in events {
        lines.push(String::new());
        let (time, source, id) = (cell(event, "/time"), cell(event, "/source"), cell(event, "/id"));
        lines.push(format!("{time}  {source}  event {id}"));
        // A line end that a stranger wrote must not begin a line that looks like ours.
        lines.push(format!("  {}", cell(event, "/raw")));
        for why in items(event, "/why") {
            let (field, test, value) = (cell(why, "/field"), cell(why, "/test"), cell(why, "/value"));
            lines.push(format!("  because {field} {test}: {value}"));
        }
    }
    let shown = events.len() as u64;
    if shown < count {
        lines.push(String::new());
        lines.push(format!("these are the first and the last of them: {shown} of {count}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_reads_like_a_page() {
        let lines = told(&json!({
            "id": "alr_1", "title": "Web shell", "level": "high", "state": "closed", "assignee": null,
            "rule": "r1", "entity_kind": "ip", "entity": "203.0.113.24", "path": "acme/shop", "count": 3,
            "first_seen": "2026-11-20T12:00:00Z", "last_seen": "2026-11-20T12:30:00Z",
            "reason": "benign", "note": "a test", "revision": 2,
            "events": [{
                "id": "7", "time": "2026-11-20T12:00:00.123Z", "source": "web", "raw": "GET /x.php",
                "why": [{"field": "url", "test": "ends with .php", "value": "/x.php"}],
            }],
        }));
        assert_eq!(
            lines,
            [
                "alr_1: Web shell",
                "level high, closed, assigned to nobody",
                "rule: r1",
                "ip 203.0.113.24 at acme/shop",
                "3 events, 2026-11-20T12:00:00Z to 2026-11-20T12:30:00Z",
                "closed as benign: a test",
                "",
                "2026-11-20T12:00:00Z  web  event 7",
                "  GET /x.php",
                "  because url ends with .php: /x.php",
                "",
                "these are the first and the last of them: 1 of 3",
            ]
        );
    }
}
