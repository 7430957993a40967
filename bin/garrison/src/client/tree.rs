//! `garrison tree`: the service tree.

mod plan;
mod source;

use std::path::Path;

use garrison_base::Exit;
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::cli::client::{TreeCommand, TreeCreateArgs, TreeExportArgs, TreeHistoryArgs};
use crate::client::failure::Failure;
use crate::client::row::{self, Changed, items, rows};
use crate::client::{Client, looking, text};
use crate::output::{Column, Row};
use crate::say;
use plan::{Plan, Progress};
use source::Wanted;

rows! {
    /// A node in a level of the tree.
    Level {
        "PATH" 32 "/path" "KIND" 12 "/kind" "PRODUCTION" 10 "/production" "CHILDREN" 8 "/children"
        "OBJECTS" 7 "/objects" "ID" 31 "/id"
    }
    /// A node.
    Node { "PATH" 32 "/path" "KIND" 12 "/kind" "PRODUCTION" 10 "/production" "ID" 31 "/id" "PARENT" 31 "/parent" }
    /// What happened to a node.
    Event { "AT" 20 "/at" "WHAT" 8 "/what" "BEFORE" 24 "/before" "AFTER" 24 "/after" "ACTOR" 30 "/actor" }
    /// A node that was made.
    Created { "NODE" 31 "/node" }
    /// What a merge did.
    Merged { "CHILDREN" 8 "/children" "OBJECTS" 7 "/objects" "ENDED GRANTS" 30 "/ended_grants" }
    /// What differs.
    Difference { "CHANGE" 10 "/change" "PATH" 32 "/path" "BEFORE" 14 "/before" "AFTER" 14 "/after" }
}

/// A node as `apply` reads it.
#[derive(Serialize)]
struct Exported {
    path: String,
    kind: String,
    production: bool,
}

impl Exported {
    fn of(node: &Json) -> Self {
        let production = node.get("production").and_then(Json::as_bool) == Some(true);
        Self { path: string(node, "/path"), kind: string(node, "/kind"), production }
    }
}

impl Row for Exported {
    const COLUMNS: &'static [Column] =
        &[Column::whole("PATH", 32), Column::whole("KIND", 12), Column::whole("PRODUCTION", 10)];

    fn cells(&self) -> Vec<String> {
        vec![self.path.clone(), self.kind.clone(), self.production.to_string()]
    }
}

/// `garrison tree`
pub fn run(command: &TreeCommand) -> anyhow::Result<Exit> {
    match command {
        TreeCommand::List(args) => {
            let client = Client::open(&args.list.client)?;
            client.list::<Level>("node", &[("parent", args.node.as_deref())], &args.list)
        }
        TreeCommand::Show(args) => {
            let client = Client::open(&args.client)?;
            row::print(client.format, &Node::from(client.node_view(&args.node)?))?;
            Ok(Exit::Ok)
        }
        TreeCommand::History(args) => history(args),
        TreeCommand::Export(args) => export(args),
        TreeCommand::Diff(args) => {
            difference(&Client::open(&args.client)?, &source::file(&args.file)?, &args.file)
        }
        TreeCommand::Apply(args) => {
            apply(&Client::open(&args.client)?, &source::file(&args.file)?, &args.file)
        }
        TreeCommand::Import(args) => {
            apply(&Client::open(&args.client)?, &source::csv(&args.file)?, &args.file)
        }
        TreeCommand::Create(args) => create(args),
        TreeCommand::Rename(args) => {
            let client = Client::open(&args.client)?;
            client.act::<Changed>(
                "node/rename",
                &json!({ "node": client.node(&args.node)?, "name": args.name }),
            )
        }
        TreeCommand::Move(args) => {
            let client = Client::open(&args.client)?;
            let body = json!({ "node": client.node(&args.node)?, "parent": client.node(&args.parent)? });
            client.act::<Changed>("node/move", &body)
        }
        TreeCommand::Merge(args) => {
            let client = Client::open(&args.client)?;
            let body = json!({ "node": client.node(&args.node)?, "into": client.node(&args.into)? });
            client.act::<Merged>("node/merge", &body)
        }
        TreeCommand::Mark(args) => {
            let client = Client::open(&args.client)?;
            let body = json!({ "node": client.node(&args.node)?, "production": args.production });
            client.act::<Changed>("node/mark", &body)
        }
    }
}

fn history(args: &TreeHistoryArgs) -> anyhow::Result<Exit> {
    let client = Client::open(&args.client)?;
    let path = format!("node/{}/history", client.node(&args.node)?);
    looking(client.all::<Event>(&path), "node", &args.node)
}

fn export(args: &TreeExportArgs) -> anyhow::Result<Exit> {
    let client = Client::open(&args.client())?;
    let tree = client.get("tree", &[])?;
    row::print_all(client.format, items(&tree, "").iter().map(Exported::of))
}

fn create(args: &TreeCreateArgs) -> anyhow::Result<Exit> {
    let client = Client::open(&args.client)?;
    let (above, name) = args.path.rsplit_once('/').ok_or_else(|| {
        Failure::usage(format!("`{}` is a root, and roots come with tenants; write PARENT/NAME", args.path))
    })?;
    let parent = client.node(above)?;
    let body = json!({ "parent": parent, "name": name, "kind": args.kind, "production": args.production });
    client.act::<Created>("node/create", &body)
}

fn plan(client: &Client, wanted: &[Wanted], file: &Path) -> anyhow::Result<Plan> {
    let tree = client.get("tree", &[])?;
    plan::plan(items(&tree, ""), wanted).map_err(|errors| refused(file, &errors).into())
}

/// What is wrong with a file, each place on a line.
fn refused(file: &Path, errors: &[String]) -> Failure {
    for error in errors {
        say!("{}: {error}", file.display());
    }
    Failure::usage(format!("{} cannot be used; nothing was sent", file.display()))
}

fn difference(client: &Client, wanted: &[Wanted], file: &Path) -> anyhow::Result<Exit> {
    let plan = plan(client, wanted, file)?;
    row::print_all(client.format, plan.differences().map(Difference::from))?;
    Ok(if plan.is_empty() { Exit::Ok } else { Exit::Found })
}

fn apply(client: &Client, wanted: &[Wanted], file: &Path) -> anyhow::Result<Exit> {
    let plan = plan(client, wanted, file)?;
    row::print_all(client.format, plan.differences().map(Difference::from))?;
    let mut done = Progress::default();
    for (path, body) in plan.acts() {
        match client.wire.act(path, &body) {
            Ok(super::wire::Answer::Done(output)) => done.add(&output),
            Ok(super::wire::Answer::Waiting(id)) => {
                say!("it waits for approval: {id}; `garrison approval show {id}` tells what it needs");
                done.tell();
                return Ok(if done.any() { Exit::Partial } else { Exit::Waiting });
            }
            Err(error) if done.any() => {
                say!("garrison: {error:#}");
                done.tell();
                return Ok(Exit::Partial);
            }
            Err(error) => return Err(error),
        }
    }
    done.tell();
    let kinds = plan.other_kinds();
    if kinds > 0 {
        say!("a kind cannot be changed: {kinds} stayed as they are");
        return Ok(Exit::Partial);
    }
    Ok(Exit::Ok)
}

fn string(node: &Json, pointer: &str) -> String {
    text(node, pointer).unwrap_or_default()
}
