//! `garrison audit`: the audit log. That it was read is recorded too.

use garrison_base::Exit;

use crate::cli::client::AuditCommand;
use crate::client::Client;
use crate::client::row::rows;

rows! {
    /// A record.
    Record {
        "SEQ" 6 "/seq" "RECEIVED" 20 "/received" "ACTOR" 14 "/actor/name" "OPERATION" 20 "/operation"
        "OBJECT" 31 "/object/id" "RESULT" 7 "/result" "REASON" 30 "/reason"
    }
    /// A record with everything in it.
    WholeRecord {
        "SEQ" 6 "/seq" "RECEIVED" 20 "/received" "ACTOR" 14 "/actor/name" "ACTOR ID" 30 "/actor/id"
        "ADDRESS" 15 "/source/ip" "METHOD" 8 "/method" "OPERATION" 20 "/operation" "OBJECT" 31 "/object/id"
        "NODE" 31 "/node" "SESSION" 30 "/session" "REQUEST" 30 "/request" "APPROVALS" 10 "/approvals"
        "RESULT" 7 "/result" "REASON" 30 "/reason"
    }
}

/// `garrison audit`
pub fn run(command: &AuditCommand) -> anyhow::Result<Exit> {
    match command {
        AuditCommand::List(args) => {
            let client = Client::open(&args.list.client)?;
            let actor = args.actor.as_deref().map(|who| client.actor(who)).transpose()?;
            let object = args.object.as_deref().map(|named| client.object(named)).transpose()?;
            let query = [
                ("operation", args.operation.as_deref()),
                ("actor", actor.as_deref()),
                ("object", object.as_deref()),
                ("result", args.result.as_deref()),
            ];
            client.list::<Record>("audit", &query, &args.list)
        }
        AuditCommand::Show(args) => {
            Client::open(&args.client)?.show::<WholeRecord>(&format!("audit/{}", args.seq), &[])
        }
    }
}
