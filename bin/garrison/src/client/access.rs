//! `garrison access`: why something is allowed, or is not.

use garrison_base::Exit;
use serde_json::Value as Json;

use crate::cli::client::AccessCommand;
use crate::client::Client;
use crate::client::row::{self, cell, items, rows};
use crate::output::Format;

rows! {
    /// Why a decision is what it is.
    Explained {
        "ALLOWED" 7 "/allowed" "POLICIES" 24 "/policies" "GRANTS" 24 "/grants" "WOULD SUFFICE" 20 "/would_suffice"
        "APPROVALS" 20 "/approvals" "WHY" 30 "/why"
    }
}

/// `garrison access`
pub fn run(command: &AccessCommand) -> anyhow::Result<Exit> {
    let AccessCommand::Explain(args) = command;
    let client = Client::open(&args.client)?;
    let (actor, object) = (client.actor(&args.actor)?, client.object(&args.object)?);
    let query = [("actor", actor.as_str()), ("verb", &args.verb), ("object", &object)];
    let explained = client.get("access/explain", &query)?;
    if client.format != Format::Table {
        row::print(client.format, &Explained::from(explained))?;
        return Ok(Exit::Ok);
    }
    let asked = format!("{} {} {}", args.actor, args.verb, args.object);
    row::print_lines(&told(&asked, &explained))
}

/// The explanation in words.
fn told(asked: &str, explained: &Json) -> Vec<String> {
    let allowed = explained.get("allowed").and_then(Json::as_bool) == Some(true);
    let mut lines = vec![
        format!("{asked}: {}", if allowed { "allowed" } else { "not allowed" }),
        format!("why: {}", cell(explained, "/why")),
    ];
    for policy in items(explained, "/policies") {
        lines.push(format!("decided by the policy {}", cell(policy, "")));
    }
    for grant in items(explained, "/grants") {
        let until = match cell(grant, "/until").as_str() {
            "-" => String::new(),
            until => format!(" until {until}"),
        };
        let (id, role, path) = (cell(grant, "/grant"), cell(grant, "/role"), cell(grant, "/path"));
        lines
            .push(format!("counts there: {id}, {role} at {path}, held by {}{until}", cell(grant, "/holder")));
    }
    let enough = items(explained, "/would_suffice").iter().map(|role| cell(role, "")).collect::<Vec<_>>();
    if !enough.is_empty() {
        lines.push(format!("would be enough, at that node or above: {}", enough.join(" or ")));
    }
    for slot in items(explained, "/approvals") {
        let (name, role) = (cell(slot, "/name"), cell(slot, "/role"));
        lines.push(format!("waits for approval: {name}, by somebody who is {role} there"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_explanation_reads_like_one() {
        let explained = json!({
            "allowed": false, "why": "no grant", "policies": [],
            "grants": [{"grant": "grt_1", "role": "viewer", "holder": "per_1", "node": "node_1", "path": "acme", "until": null}],
            "would_suffice": ["administrator", "operator"],
            "approvals": [{"name": "owner", "role": "decision"}],
        });
        assert_eq!(
            told("anna node:create acme", &explained),
            [
                "anna node:create acme: not allowed",
                "why: no grant",
                "counts there: grt_1, viewer at acme, held by per_1",
                "would be enough, at that node or above: administrator or operator",
                "waits for approval: owner, by somebody who is decision there",
            ]
        );
    }
}
