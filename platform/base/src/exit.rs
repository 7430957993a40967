use std::process::{ExitCode, Termination};

/// How a command ended, as its exit code tells a script.
///
/// The numbers are part of the interface and never change their meaning; codes for outcomes that no
/// command has yet are added with the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything was done, and nothing was found.
    Ok = 0,
    /// Something could not be done or read.
    Failed = 1,
    /// The command line was wrong. (clap uses the same number.)
    Usage = 2,
    /// The command did its work and found problems.
    Found = 3,
    /// What was asked for does not exist, or may not be seen.
    NotFound = 4,
    /// Policy does not allow it, or nobody is logged in.
    Denied = 5,
    /// It waits for approvals.
    Waiting = 6,
    /// It contradicts what is there.
    Conflict = 7,
    /// It took too long.
    TimedOut = 8,
    /// A part was done.
    Partial = 9,
    /// The server could not be reached.
    Unreachable = 10,
    /// The caller broke it off.
    Interrupted = 130,
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}
