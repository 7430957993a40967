//! `garrison audit`: the audit log. That it was read is recorded too.

use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::Context as _;
use garrison_base::Exit;
use garrison_transparency::{Evidence, EvidenceError, Verifier};
use serde::Serialize;

use crate::cli::client::{AuditCheckArgs, AuditCommand, AuditProveArgs};
use crate::client::Client;
use crate::client::row::rows;
use crate::output::{Column, Printer, Row};
use crate::{machine, say};

/// No proof is longer.
const PROOF_BYTES: u64 = 4 << 20;

rows! {
    /// A record.
    Record {
        "SEQ" 6 "/seq" "RECEIVED" 20 "/received" "ACTOR" 14 "/actor/name" "OPERATION" 20 "/operation"
        "OBJECT" 31 "/object/id" "RESULT" 7 "/result" "REASON" 30 "/reason"
    }
    /// How far the log is sealed.
    Checkpoint {
        "KEY" 80 "/key" "CHECKPOINT" 200 "/checkpoint"
    }
    /// A record with everything in it.
    WholeRecord {
        "SEQ" 6 "/seq" "RECEIVED" 20 "/received" "ACTOR" 14 "/actor/name" "ACTOR ID" 30 "/actor/id"
        "ADDRESS" 15 "/source/ip" "METHOD" 8 "/method" "OPERATION" 20 "/operation" "OBJECT" 31 "/object/id"
        "NODE" 31 "/node" "SESSION" 30 "/session" "REQUEST" 30 "/request" "APPROVALS" 10 "/approvals"
        "RESULT" 7 "/result" "REASON" 30 "/reason"
    }
}

/// `garrison audit prove`
fn prove(args: &AuditProveArgs) -> anyhow::Result<Exit> {
    let answer = Client::open(&args.client)?.get(&format!("audit/{}/proof", args.seq), &[])?;
    let text = |name: &str| answer.get(name).and_then(serde_json::Value::as_str);
    let (proof, key) = text("proof").zip(text("key")).context("the server's answer has no proof")?;
    match &args.out {
        Some(path) => {
            std::fs::write(path, proof).with_context(|| format!("writing {}", path.display()))?;
            say!("Check it, also on a machine without Garrison's data:");
            say!("  garrison audit check {} --key '{key}'", path.display());
        }
        None => std::io::stdout().write_all(proof.as_bytes()).context("writing the proof")?,
    }
    Ok(Exit::Ok)
}

/// What a proof proves.
#[derive(Serialize)]
struct Proven {
    holds: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Row for Proven {
    const COLUMNS: &'static [Column] = &[
        Column::whole("HOLDS", 5),
        Column::whole("RECORD", 6),
        Column::whole("OF", 6),
        Column::whole("SEALED", 20),
        Column::new("CONTENT", 60),
        Column::new("WHY NOT", 40),
    ];

    fn cells(&self) -> Vec<String> {
        let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        vec![
            if self.holds { "yes" } else { "NO" }.to_owned(),
            number(self.record),
            number(self.of),
            self.sealed.clone().unwrap_or_default(),
            self.content.as_ref().map(ToString::to_string).unwrap_or_default(),
            self.why.clone().unwrap_or_default(),
        ]
    }
}

/// `garrison audit check`
fn check(args: &AuditCheckArgs) -> anyhow::Result<Exit> {
    let key = Verifier::parse(&args.key).context("the public key of the log")?;
    let text = String::from_utf8(read(&args.proof)?).context("the proof is not text")?;
    let record = args.record.as_deref().map(read).transpose()?;
    let proven = proven(&text, record, &key);
    let found = proven.as_ref().is_ok_and(|proven| proven.holds);
    let proven = proven.unwrap_or_else(|error| Proven {
        holds: false,
        record: None,
        of: None,
        sealed: None,
        content: None,
        why: Some(error.to_string()),
    });
    let mut printer = Printer::stdout(args.output.output);
    printer.row(&proven)?;
    printer.finish::<Proven>()?;
    Ok(if found { Exit::Ok } else { Exit::Found })
}

fn proven(text: &str, record: Option<Vec<u8>>, key: &Verifier) -> Result<Proven, EvidenceError> {
    let evidence = Evidence::parse(text)?;
    // What is proven is the very record that is shown: the one given, else the one that came along.
    let record = record.unwrap_or_else(|| evidence.extra.clone());
    let checkpoint = evidence.check(&record, key)?;
    let time = checkpoint.extensions.iter().find_map(|line| line.strip_prefix("time "));
    Ok(Proven {
        holds: true,
        record: Some(evidence.index + 1),
        of: Some(checkpoint.size),
        sealed: time.map(str::to_owned),
        content: serde_json::from_slice(&record).ok(),
        why: None,
    })
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let from = || format!("reading {}", path.display());
    if path == Path::new("-") {
        std::io::stdin().take(PROOF_BYTES).read_to_end(&mut bytes).with_context(from)?;
    } else {
        std::fs::File::open(path)
            .with_context(from)?
            .take(PROOF_BYTES)
            .read_to_end(&mut bytes)
            .with_context(from)?;
    }
    Ok(bytes)
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
        AuditCommand::Verify(args) => machine::verify::run(args),
        AuditCommand::Prove(args) => prove(args),
        AuditCommand::Check(args) => check(args),
        AuditCommand::Checkpoint(args) => {
            Client::open(&args.client)?.show::<Checkpoint>("audit/checkpoint", &[])
        }
    }
}
