//! `garrison rule`, as clap sees it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use garrison_sigma::Level;

use super::OutputArgs;

/// Which rules are used.
#[derive(Debug, Args)]
pub struct RuleArgs {
    /// A folder or file of Sigma rules; may be given several times. By default the rules that come with
    /// Garrison
    #[arg(long, value_name = "DIR")]
    pub rules: Vec<PathBuf>,

    /// A YAML file with values for the %placeholders% of rules: a mapping of names to lists
    #[arg(long, value_name = "FILE")]
    pub placeholders: Option<PathBuf>,
}

/// Look at rules, check them, test them
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison rule list
  garrison rule test --rules my-rules")]
pub enum RuleCommand {
    List(RuleListArgs),
    Show(RuleShowArgs),
    Lint(RuleLintArgs),
    Test(RuleTestArgs),
}

/// List rules
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison rule list --level high
  garrison rule list --rules sigma/rules -o csv > rules.csv")]
pub struct RuleListArgs {
    #[command(flatten)]
    pub rules: RuleArgs,

    /// Only rules of at least this level
    #[arg(long, value_name = "LEVEL", default_value = "informational")]
    pub level: Level,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Show one rule: what it demands, of which fields, and which logs feed it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison rule show \"root shell opened with sudo\"
  garrison rule show --rules sigma/rules 0d894093-71bc-43c3-8c4d-ecfc28dcf5d9 -o yaml")]
pub struct RuleShowArgs {
    /// The rule's id, or words of its title
    #[arg(value_name = "ID|TITLE")]
    pub name: String,

    #[command(flatten)]
    pub rules: RuleArgs,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Check rules: what cannot be used, and what is doubtful
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison rule lint --rules my-rules
  garrison rule lint --rules my-rules --strict -o json

Exit codes: 0 every rule can be used, 3 a rule is refused (with --strict: or doubtful).")]
pub struct RuleLintArgs {
    #[command(flatten)]
    pub rules: RuleArgs,

    /// Doubts count as problems
    #[arg(long)]
    pub strict: bool,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Test rules with the events beside them, or with SigmaHQ's regression data
///
/// A file NAME.test.yml beside NAME.yml holds raw log lines that must match the rule and lines that must
/// not. With --regression, a folder in SigmaHQ's layout is used instead: every info.yml names a rule, and
/// the rule must match the events beside it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison rule test
  garrison rule test --rules my-rules
  garrison rule test --rules sigma/rules --regression sigma/regression_data

The last line on standard error is `N passed, N failed`. Exit codes: 0 all passed, 3 a test failed.")]
pub struct RuleTestArgs {
    #[command(flatten)]
    pub rules: RuleArgs,

    /// A folder in the layout of SigmaHQ's regression data. Without --rules, the folders `rules*` beside
    /// it are used
    #[arg(long, value_name = "DIR")]
    pub regression: Option<PathBuf>,

    #[command(flatten)]
    pub output: OutputArgs,
}
