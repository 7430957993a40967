//! `garrison tree`, as clap sees it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ClientArgs, ListArgs};
use crate::cli::OutputArgs;
use crate::output::Format;

/// The service tree: organisations, products, services, environments
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison tree list
  garrison tree create acme/shop --kind product
  garrison tree export > tree.yaml && garrison tree diff -f tree.yaml")]
pub enum TreeCommand {
    List(TreeListArgs),
    Show(TreeShowArgs),
    Create(TreeCreateArgs),
    Rename(TreeRenameArgs),
    Move(TreeMoveArgs),
    Merge(TreeMergeArgs),
    Mark(TreeMarkArgs),
    History(TreeHistoryArgs),
    Export(TreeExportArgs),
    Diff(TreeDiffArgs),
    Apply(TreeApplyArgs),
    Import(TreeImportArgs),
}

/// List the nodes directly under one
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison tree list
  garrison tree list acme/shop --limit 0 -o csv")]
pub struct TreeListArgs {
    /// Under which node, by path or id; the root where nothing is said
    #[arg(value_name = "NODE")]
    pub node: Option<String>,

    #[command(flatten)]
    pub list: ListArgs,
}

/// Show one node
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison tree show acme/shop")]
pub struct TreeShowArgs {
    /// The node, by path or id
    #[arg(value_name = "NODE")]
    pub node: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Hang a new node under another
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison tree create acme/shop --kind product
  garrison tree create acme/shop/live --kind environment --production

Exit codes: 0 made, 6 it waits for approval, 7 the name is taken.")]
pub struct TreeCreateArgs {
    /// Its path: the last name is made under the rest
    #[arg(value_name = "PATH")]
    pub path: String,

    /// What kind of place it is
    #[arg(long, value_name = "KIND", value_parser = ["organisation", "product", "service", "environment", "group"])]
    pub kind: String,

    /// It, with all below, is production
    #[arg(long)]
    pub production: bool,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Give a node another name
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison tree rename acme/shop store")]
pub struct TreeRenameArgs {
    /// The node, by path or id
    #[arg(value_name = "NODE")]
    pub node: String,

    /// The new name
    #[arg(value_name = "NAME")]
    pub name: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Hang a node, with all below it, under another
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison tree move acme/shop acme/retail")]
pub struct TreeMoveArgs {
    /// The node, by path or id
    #[arg(value_name = "NODE")]
    pub node: String,

    /// Under which node, by path or id
    #[arg(value_name = "PARENT")]
    pub parent: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Merge a node into another: what hangs on it moves there, its own grants end
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison tree merge acme/shop-old acme/shop")]
pub struct TreeMergeArgs {
    /// The node that goes, by path or id
    #[arg(value_name = "NODE")]
    pub node: String,

    /// The node that stays, by path or id
    #[arg(value_name = "INTO")]
    pub into: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Mark a node, with all below it, as production, or take the mark away
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison tree mark acme/shop/live --production true")]
pub struct TreeMarkArgs {
    /// The node, by path or id
    #[arg(value_name = "NODE")]
    pub node: String,

    /// Whether it is production
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set)]
    pub production: bool,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Show what happened to a node, newest first
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison tree history acme/shop")]
pub struct TreeHistoryArgs {
    /// The node, by path or id
    #[arg(value_name = "NODE")]
    pub node: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Print the whole tree that one sees, as `apply` reads it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison tree export > tree.yaml
  garrison tree export -o csv > tree.csv")]
pub struct TreeExportArgs {
    /// The context to use instead of the current one
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,

    /// How to print; `apply` reads yaml and json, `import` reads csv
    #[arg(short, long, value_enum, default_value = "yaml")]
    pub output: Format,
}

impl TreeExportArgs {
    /// As every other command has them.
    pub fn client(&self) -> ClientArgs {
        ClientArgs { context: self.context.clone(), output: OutputArgs { output: self.output } }
    }
}

/// Show what `apply` would do
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison tree diff -f tree.yaml

Exit codes: 0 the tree is as the file says, 2 the file is wrong, 3 there are differences.")]
pub struct TreeDiffArgs {
    /// A YAML or JSON list of {path, kind, production}
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Make the tree hold the nodes of a file
///
/// What is missing is made, a mark of production that differs is set. Nothing is moved, and what the file
/// does not name stays.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison tree apply -f tree.yaml

Exit codes: 0 done, 2 the file is wrong and nothing was sent, 6 it waits for approval, 9 a part was done.")]
pub struct TreeApplyArgs {
    /// A YAML or JSON list of {path, kind, production}
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Make the tree hold the nodes of a CSV file
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison tree import tree.csv

Exit codes: 0 done, 2 the file is wrong and nothing was sent, 6 it waits for approval, 9 a part was done.")]
pub struct TreeImportArgs {
    /// The file; its head line names the columns path, kind and production
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    #[command(flatten)]
    pub client: ClientArgs,
}
