//! `garrison review`: what auditors make of the record.

use garrison_base::Exit;
use serde_json::json;

use crate::cli::client::ReviewCommand;
use crate::client::row::rows;
use crate::client::wire::encoded;
use crate::client::{Client, looking};

rows! {
    /// A review in a list.
    Review {
        "ID" 30 "/id" "DAY" 10 "/day" "STATE" 9 "/state" "DUE" 20 "/due" "RECORDS" 7 "/records"
        "EXCEPTIONS" 10 "/exceptions" "HIGH RISK" 9 "/high_risk" "SAMPLE" 6 "/sampled" "UNDECIDED" 9 "/undecided"
        "FINDINGS" 8 "/findings" "PATH" 20 "/path"
    }
    /// A record that is put before an auditor.
    Item {
        "SEQ" 6 "/seq" "WHY" 9 "/reason" "RECEIVED" 20 "/record/received" "ACTOR" 14 "/record/actor/name"
        "OPERATION" 20 "/record/operation" "OBJECT" 31 "/record/object/id" "RESULT" 7 "/record/result"
        "WORDS" 30 "/record/reason" "VERDICT" 7 "/verdict" "NOTE" 20 "/note"
    }
    /// What was noted.
    Noted { "NOTED" 5 "/noted" "UNDECIDED" 9 "/undecided" }
    /// A review that was signed.
    Signed { "ITEMS" 5 "/items" "FINDINGS" 8 "/findings" }
}

/// `garrison review`
pub fn run(command: &ReviewCommand) -> anyhow::Result<Exit> {
    match command {
        ReviewCommand::List(args) => {
            let client = Client::open(&args.list.client)?;
            let node = args.node.as_deref().map(|node| client.node(node)).transpose()?;
            let day = args.day.map(|day| day.to_string());
            let query =
                [("state", args.state.as_deref()), ("node", node.as_deref()), ("day", day.as_deref())];
            client.list::<Review>("review", &query, &args.list)
        }
        ReviewCommand::Show(args) => {
            let client = Client::open(&args.list.client)?;
            let path = format!("review/{}", encoded(&args.review));
            let query =
                [("undecided", args.undecided.then_some("true")), ("operation", args.operation.as_deref())];
            looking(client.list::<Item>(&path, &query, &args.list), "review", &args.review)
        }
        ReviewCommand::Note(args) => {
            let body = json!({
                "review": args.review,
                "items": args.items,
                "operation": args.operation,
                "verdict": args.verdict,
                "note": args.note,
            });
            Client::open(&args.client)?.act::<Noted>("review/note", &body)
        }
        ReviewCommand::Sign(args) => {
            let body = json!({ "review": args.review, "opinion": args.opinion });
            Client::open(&args.client)?.act::<Signed>("review/sign", &body)
        }
    }
}
