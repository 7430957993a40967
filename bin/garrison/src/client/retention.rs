//! `garrison retention` and `garrison hold`: how long logs are kept.

use garrison_base::Exit;
use serde_json::json;

use crate::cli::client::{HoldCommand, RetentionCommand};
use crate::client::Client;
use crate::client::row::{Changed, rows};

rows! {
    /// For how long a stream is kept.
    Retention { "STREAM" 20 "/stream" "DAYS" 6 "/days" "SET" 20 "/since" }
    /// A hold.
    Hold {
        "ID" 31 "/id" "STREAM" 16 "/stream" "FROM" 10 "/from_day" "TO" 10 "/to_day" "CREATED" 20 "/created"
        "CREATOR" 30 "/creator" "ENDED" 20 "/ended" "REASON" 30 "/reason"
    }
    /// A hold that was made.
    Made { "HOLD" 31 "/hold" }
}

/// `garrison retention`
pub fn run(command: &RetentionCommand) -> anyhow::Result<Exit> {
    match command {
        RetentionCommand::List(args) => {
            Client::open(&args.list.client)?.list::<Retention>("retention", &[], &args.list)
        }
        RetentionCommand::Set(args) => {
            let body = json!({ "stream": args.stream, "days": args.days });
            Client::open(&args.client)?.act::<Changed>("retention/set", &body)
        }
    }
}

/// `garrison hold`
pub fn hold(command: &HoldCommand) -> anyhow::Result<Exit> {
    match command {
        HoldCommand::List(args) => Client::open(&args.list.client)?.list::<Hold>("hold", &[], &args.list),
        HoldCommand::Create(args) => {
            let body = json!({
                "stream": args.stream,
                "from_day": args.from,
                "to_day": args.to,
                "reason": args.reason,
            });
            Client::open(&args.client)?.act::<Made>("hold/create", &body)
        }
        HoldCommand::End(args) => {
            let body = json!({ "hold": args.hold, "reason": args.reason });
            Client::open(&args.client)?.act::<Changed>("hold/end", &body)
        }
    }
}
