//! Garrison, a self-hosted security operations platform: the command line.

mod cli;
mod hunt;
mod log;
mod output;
mod rule;
mod version;

use clap::{CommandFactory as _, Parser as _};
use garrison_base::{Exit, SystemClock};

use cli::{Cli, Command, LogCommand, RuleCommand};

fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, everything else is a mistake of the caller's.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Ok };
            let _ = error.print();
            return exit;
        }
    };
    let done = match cli.command {
        Command::Hunt(args) => hunt::run(&args, &SystemClock),
        Command::Rule(RuleCommand::List(args)) => rule::list::run(&args),
        Command::Rule(RuleCommand::Show(args)) => rule::show::run(&args),
        Command::Rule(RuleCommand::Lint(args)) => rule::lint::run(&args),
        Command::Rule(RuleCommand::Test(args)) => rule::test::run(&args),
        Command::Log(LogCommand::Generate(args)) => log::generate::run(&args),
        Command::Completion(args) => {
            clap_complete::generate(args.shell, &mut Cli::command(), "garrison", &mut std::io::stdout());
            Ok(Exit::Ok)
        }
        Command::Man(args) => cli::man(args.dir.as_deref()),
        Command::Version(args) => version::run(&args),
    };
    done.unwrap_or_else(|error| output::failed(&error))
}
