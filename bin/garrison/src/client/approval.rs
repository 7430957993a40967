//! `garrison approval` and `approval-rule`: what waits, who must say yes, and saying it.

use garrison_base::Exit;
use serde_json::{Value as Json, json};

use crate::cli::client::{ApprovalCommand, ApprovalRuleCommand, ApproveArgs};
use crate::client::failure::Failure;
use crate::client::prompt::Prompt;
use crate::client::row::{self, Ended, cell, items, rows};
use crate::client::{Client, looking, text};
use crate::output::Format;
use crate::say;

rows! {
    /// A request that waits, or did.
    Request {
        "ID" 30 "/id" "STATE" 9 "/state" "REQUESTER" 14 "/requester_name" "VERB" 18 "/verb"
        "SLOTS" 20 "/slots" "DEADLINE" 20 "/deadline" "WHAT" 40 "/preview/sentence"
    }
    /// A slot that was filled.
    Filled { "SLOT" 16 "/slot" }
    /// What an approved request has brought.
    Output { "OUTPUT" 40 "" }
    /// An approval rule.
    Rule { "PATH" 24 "/path" "VERB" 20 "/verb" "SLOTS" 30 "/slots" "NODE" 31 "/node" }
    /// A rule that was set.
    SetRule { "SLOTS" 5 "/slots" }
}

/// `garrison approval`
pub fn run(command: &ApprovalCommand) -> anyhow::Result<Exit> {
    match command {
        ApprovalCommand::List(args) => {
            let query = [("state", args.state.as_deref())];
            Client::open(&args.list.client)?.list::<Request>("approval", &query, &args.list)
        }
        ApprovalCommand::Show(args) => {
            let client = Client::open(&args.client)?;
            let request = request(&client, &args.approval)?;
            if client.format == Format::Table {
                return row::print_lines(&told(&request));
            }
            row::print(client.format, &Request::from(request))?;
            Ok(Exit::Ok)
        }
        ApprovalCommand::Approve(args) => approve(args),
        ApprovalCommand::Reject(args) => {
            let body = json!({ "approval": args.approval, "reason": args.reason });
            Client::open(&args.client)?.act::<Ended>("approval/reject", &body)
        }
        ApprovalCommand::Withdraw(args) => {
            let body = json!({ "approval": args.approval, "reason": args.reason });
            Client::open(&args.client)?.act::<Ended>("approval/withdraw", &body)
        }
        ApprovalCommand::Output(args) => {
            let client = Client::open(&args.client)?;
            let body = json!({ "approval": args.approval });
            let Some(mut taken) = client.perform("approval/take-output", &body)? else {
                return Ok(Exit::Waiting);
            };
            let output = taken.get_mut("output").map(Json::take).unwrap_or_default();
            if client.format == Format::Table {
                return row::print_lines(&[output.to_string()]);
            }
            row::print(client.format, &Output::from(output))?;
            Ok(Exit::Ok)
        }
    }
}

fn request(client: &Client, id: &str) -> anyhow::Result<Json> {
    looking(client.get(&format!("approval/{}", super::wire::encoded(id)), &[]), "request", id)
}

/// What is approved is what was shown: its digest goes with the answer.
fn approve(args: &ApproveArgs) -> anyhow::Result<Exit> {
    let client = Client::open(&args.client)?;
    let prompt = Prompt::new();
    if !args.yes && !prompt.is_terminal() {
        return Err(Failure::usage("nobody can be asked here; look at the request, then give --yes").into());
    }
    let request = request(&client, &args.approval)?;
    for line in told(&request) {
        say!("{line}");
    }
    let opinion = match &args.opinion {
        Some(opinion) => opinion.clone(),
        None => prompt.line("Your opinion, which is recorded")?,
    };
    if !args.yes && !prompt.confirm("Approve exactly this?")? {
        return Err(Failure::new(Exit::Interrupted, "it was not approved").into());
    }
    let body = json!({
        "approval": text(&request, "/id")?,
        "digest": text(&request, "/digest")?,
        "slot": args.slot,
        "opinion": opinion,
    });
    let id = text(&request, "/id")?;
    let answered = client.act::<Filled>("approval/approve", &body)?;
    // With the last slot it ran, or did not: whoever filled it is told.
    let after = self::request(&client, &id)?;
    let (state, why) = (text(&after, "/state")?, cell(&after, "/why"));
    say!("{id} is {state}: {why}");
    Ok(match state.as_str() {
        "failed" => Exit::Failed,
        "refused" => Exit::Conflict,
        _ => answered,
    })
}

/// A request in words.
fn told(request: &Json) -> Vec<String> {
    let at = |pointer: &str| cell(request, pointer);
    let mut lines = vec![
        format!("{}: {}", at("/id"), at("/preview/sentence")),
        format!(
            "asked by {} on {}, {} at {}",
            at("/requester_name"),
            at("/created"),
            at("/verb"),
            at("/node")
        ),
        format!(
            "state: {}{}",
            at("/state"),
            if at("/why").is_empty() { String::new() } else { format!(", {}", at("/why")) }
        ),
        format!("can be approved until {}", at("/deadline")),
    ];
    for change in items(request, "/preview/changes") {
        let (what, before, after) = (cell(change, "/what"), cell(change, "/before"), cell(change, "/after"));
        lines.push(format!("  {what}: {before} -> {after}"));
    }
    for slot in items(request, "/slots") {
        let (name, role) = (cell(slot, "/name"), cell(slot, "/role"));
        let filled = items(request, "/approvals").iter().find(|given| cell(given, "/slot") == name);
        lines.push(match filled {
            Some(given) => format!(
                "  [x] {name} ({role}): {} on {}: {}",
                cell(given, "/name"),
                cell(given, "/given"),
                cell(given, "/opinion")
            ),
            None => format!("  [ ] {name} ({role})"),
        });
    }
    lines.push(format!("the act: {}", request.get("act").map(ToString::to_string).unwrap_or_default()));
    lines.push(format!("SHA-256: {}", at("/digest")));
    lines
}

/// `garrison approval-rule`
pub fn rule(command: &ApprovalRuleCommand) -> anyhow::Result<Exit> {
    match command {
        ApprovalRuleCommand::List(args) => Client::open(&args.client)?.all::<Rule>("approval-rule"),
        ApprovalRuleCommand::Set(args) => {
            let client = Client::open(&args.client)?;
            let slots: Vec<Json> =
                args.slots.iter().map(|(name, role)| json!({ "name": name, "role": role })).collect();
            let body = json!({ "node": client.node(&args.node)?, "verb": args.verb, "slots": slots });
            client.act::<SetRule>("approval-rule/set", &body)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_tells_what_is_open_and_what_is_filled() {
        let lines = told(&json!({
            "id": "req_1", "verb": "grant:create", "node": "node_1", "requester_name": "anna", "why": "",
            "preview": {"sentence": "grant ben", "changes": [{"what": "slots", "before": "none", "after": "a"}]},
            "act": {"role": "viewer"}, "digest": "ab", "state": "open",
            "slots": [{"name": "owner", "role": "decision"}, {"name": "ops", "role": "management"}],
            "approvals": [{"slot": "owner", "name": "cara", "opinion": "fine", "given": "2026-11-20T12:00:00Z"}],
            "created": "2026-11-20T12:00:00Z", "deadline": "2026-11-27T12:00:00Z",
        }));
        assert!(
            lines.contains(&"  [x] owner (decision): cara on 2026-11-20T12:00:00Z: fine".to_owned()),
            "{lines:?}"
        );
        assert!(lines.contains(&"  [ ] ops (management)".to_owned()), "{lines:?}");
        assert!(lines.contains(&"the act: {\"role\":\"viewer\"}".to_owned()), "{lines:?}");
        assert_eq!(lines.last().unwrap(), "SHA-256: ab");
    }
}
