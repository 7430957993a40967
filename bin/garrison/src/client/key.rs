//! `garrison key` on the server: classes of streams, rotation and destruction.

use garrison_base::Exit;
use serde_json::json;

use crate::cli::client::{KeyDestroyArgs, KeyHistoryArgs, KeyServerCommand};
use crate::client::Client;
use crate::client::row::{cell, rows};
use crate::say;

rows! {
    /// What was asked of a key.
    Asked { "CHANGE" 30 "/change" }
    /// What is to be destroyed.
    Condemned { "CHANGE" 30 "/change" "DAYS" 5 "/days" "FILES" 6 "/files" "EVENTS" 10 "/events" "BYTES" 12 "/bytes" }
    /// From when on a class counts.
    Classified { "CHANGED" 7 "/changed" "FROM" 10 "/from" }
    /// A rotation, or a destruction with its certificate.
    Change {
        "ID" 30 "/id" "KIND" 11 "/kind" "CLASS" 8 "/class" "STATE" 5 "/state" "STREAM" 16 "/stream"
        "FROM" 10 "/from_day" "TO" 10 "/to_day" "FILES" 6 "/files" "EVENTS" 10 "/events" "ASKED" 20 "/asked"
        "DONE" 20 "/settled" "VERSION" 7 "/version" "DESTROYED" 24 "/destroyed" "REASON" 30 "/reason"
    }
}

/// `garrison key`, on the server
pub fn run(command: &KeyServerCommand) -> anyhow::Result<Exit> {
    match command {
        KeyServerCommand::Rotate(args) => {
            Client::open(&args.client)?.act::<Asked>("key/rotate", &json!({ "class": args.class }))
        }
        KeyServerCommand::Classify(args) => {
            let body = json!({ "stream": args.stream, "class": args.class });
            Client::open(&args.client)?.act::<Classified>("stream/classify", &body)
        }
        KeyServerCommand::Destroy(args) => destroy(args),
        KeyServerCommand::History(args) => history(args),
    }
}

fn destroy(args: &KeyDestroyArgs) -> anyhow::Result<Exit> {
    let client = Client::open(&args.client)?;
    let body = json!({
        "stream": args.stream, "from_day": args.from, "to_day": args.to, "reason": args.reason,
    });
    let Some(output) = client.perform("key/destroy", &body)? else { return Ok(Exit::Waiting) };
    let change = cell(&output, "/change");
    super::row::print(client.format, &Condemned::from(output))?;
    say!(
        "the keys are destroyed within seconds; `garrison key history --change {change}` shows the certificate"
    );
    Ok(Exit::Ok)
}

fn history(args: &KeyHistoryArgs) -> anyhow::Result<Exit> {
    let client = Client::open(&args.list.client)?;
    let query = [("change", args.change.as_deref())];
    client.list::<Change>("key", &query, &args.list)
}
