//! Garrison, a self-hosted security operations platform: the command line.

mod cli;
mod client;
mod config;
mod demo;
mod hunt;
mod log;
mod machine;
mod output;
mod rule;
mod serve;
mod server;
mod version;

use clap::{CommandFactory as _, Parser as _};
use garrison_base::{Exit, SystemClock};

use cli::{BackupCommand, Cli, Command, ConfigCommand, KeyCommand, LogCommand, RuleCommand, TenantCommand};

/// A server that reads large files and takes bursts would keep with the C library's allocator what it used once.
/// `.cargo/config.toml` tells it to give memory back after a second.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> Exit {
    // Before anything else: libraries that speak TLS ask for the provider of the process. This is the first
    // call, so that it cannot fail.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, everything else is a mistake of the caller's.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Ok };
            let _ = error.print();
            return exit;
        }
    };
    run(cli.command).unwrap_or_else(|error| output::failed(&error))
}

fn run(command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Init(args) => machine::init::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Status(args) => machine::status::run(&args),
        Command::Doctor(args) => machine::doctor::run(&args),
        Command::Config(ConfigCommand::Check(args)) => machine::config::check(&args),
        Command::Config(ConfigCommand::Show(args)) => machine::config::show(&args),
        Command::Config(ConfigCommand::Schema(_)) => machine::config::print_schema(),
        Command::Tenant(TenantCommand::Create(args)) => machine::tenant::create(&args),
        Command::Tenant(TenantCommand::List(args)) => machine::tenant::list(&args),
        Command::Recover(args) => machine::recover::run(&args),
        Command::Key(KeyCommand::List(args)) => machine::key::list(&args),
        Command::Key(KeyCommand::RotateRoot(args)) => machine::key::rotate_root(&args),
        Command::Key(KeyCommand::Server(command)) => client::run_key(&command),
        Command::Backup(BackupCommand::Key(args)) => machine::backup::known::key(&args),
        Command::Backup(BackupCommand::Create(args)) => machine::backup::create::run(&args),
        Command::Backup(BackupCommand::Verify(args)) => machine::backup::verify::run(&args),
        Command::Backup(BackupCommand::Restore(args)) => machine::backup::restore::run(&args),
        Command::Backup(BackupCommand::List(args)) => machine::backup::known::list(&args),
        Command::Backup(BackupCommand::Forget(args)) => machine::backup::known::forget(&args),
        Command::Hunt(args) => hunt::run(&args, &SystemClock),
        Command::Rule(RuleCommand::List(args)) => rule::list::run(&args),
        Command::Rule(RuleCommand::Show(args)) => rule::show::run(&args),
        Command::Rule(RuleCommand::Lint(args)) => rule::lint::run(&args),
        Command::Rule(RuleCommand::Test(args)) => rule::test::run(&args),
        Command::Log(LogCommand::Generate(args)) => log::generate::run(&args),
        Command::Log(LogCommand::Server(command)) => client::run_log(&command),
        Command::Demo(args) => demo::run(&args),
        Command::Client(command) => client::run(&command),
        Command::Completion(args) => {
            clap_complete::generate(args.shell, &mut Cli::command(), "garrison", &mut std::io::stdout());
            Ok(Exit::Ok)
        }
        Command::Man(args) => cli::man(args.dir.as_deref()),
        Command::Version(args) => version::run(&args),
    }
}
