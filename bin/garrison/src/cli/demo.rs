//! `garrison demo`, as clap sees it.

use clap::Args;

use super::OutputArgs;

/// Show what Garrison does, on this machine alone
///
/// Makes a Garrison in a temporary folder, starts it on loopback, and prints a one-time link for a browser. A web shop with
/// 14 hosts sends its logs to it over real sockets, about ten events a second, and is attacked again and again; the alerts
/// are shown here too as they come. Enter prints another link. Ctrl-C ends it and removes the folder.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison demo
  garrison demo --auto --assert -o json")]
pub struct DemoArgs {
    /// Play it unattended: send a whole day at once, try each step of the tour, print what was seen, and end
    #[arg(long)]
    pub auto: bool,

    /// With --auto: exit 1 where a step failed
    #[arg(long, requires = "auto")]
    pub assert: bool,

    /// The port of the server on 127.0.0.1; 0 for any free one
    #[arg(long, value_name = "PORT", default_value_t = 8480)]
    pub port: u16,

    /// The port for syslog on 127.0.0.1; 0 for any free one
    #[arg(long, value_name = "PORT", default_value_t = 5514)]
    pub syslog_port: u16,

    #[command(flatten)]
    pub output: OutputArgs,
}
