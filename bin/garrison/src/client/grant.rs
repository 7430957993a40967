//! `garrison grant`: who holds which role where.

use garrison_base::{Clock as _, Exit, SystemClock, Timestamp};
use jiff::SignedDuration;
use serde_json::json;

use crate::cli::client::{GrantCommand, Until};
use crate::client::Client;
use crate::client::failure::Failure;
use crate::client::row::{Ended, rows};

rows! {
    /// A grant.
    Grant {
        "ID" 30 "/id" "HOLDER" 14 "/holder_name" "ROLE" 14 "/role" "PATH" 24 "/path" "UNTIL" 20 "/until"
        "STATE" 7 "/state" "DUTY" 16 "/duty" "REASON" 20 "/reason"
    }
    /// A grant that was made.
    Created { "GRANT" 30 "/grant" }
}

/// `garrison grant`
pub fn run(command: &GrantCommand) -> anyhow::Result<Exit> {
    match command {
        GrantCommand::List(args) => {
            let client = Client::open(&args.list.client)?;
            let holder = args.holder.as_deref().map(|who| client.holder(who)).transpose()?;
            let node = args.node.as_deref().map(|node| client.node(node)).transpose()?;
            let ended = args.ended.then_some("true");
            let query = [("holder", holder.as_deref()), ("node", node.as_deref()), ("ended", ended)];
            client.list::<Grant>("grant", &query, &args.list)
        }
        GrantCommand::Create(args) => {
            let client = Client::open(&args.client)?;
            let until = args.until.map(|until| time(until, SystemClock.now())).transpose()?;
            let body = json!({
                "holder": client.holder(&args.holder)?,
                "role": args.role,
                "node": client.node(&args.node)?,
                "until": until,
                "duty": args.duty,
                "reason": args.reason,
            });
            client.act::<Created>("grant/create", &body)
        }
        GrantCommand::End(args) => {
            let client = Client::open(&args.client)?;
            client.act::<Ended>("grant/end", &json!({ "grant": args.grant, "reason": args.reason }))
        }
    }
}

fn time(until: Until, now: Timestamp) -> Result<Timestamp, Failure> {
    match until {
        Until::At(time) => Ok(time),
        Until::In { hours } => {
            let later = now.checked_add(SignedDuration::from_hours(hours));
            later.map_err(|_| Failure::usage("--until: that is too far away"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_count_from_now() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        assert_eq!(time(Until::In { hours: 48 }, now).unwrap().to_string(), "2026-11-22T12:00:00Z");
        assert!(time(Until::In { hours: 24 * 365 * 9_000 }, now).is_err());
    }
}
