//! Runs the real binary in a folder of its own, as a stranger would.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A rule on one kind of log. Its title is on the first line, and each part on a line of its own.
pub const REFUSED: &str = "\
title: SSH login refused
id: 11111111-1111-4111-8111-111111111111
logsource: {product: linux, service: sshd}
detection:
  selection: {action: login, outcome: failure}
  condition: selection
level: low
";

/// A folder that holds the files of one test. The binary runs in it, so that every path is a short name.
pub struct Place {
    folder: TempDir,
}

impl Place {
    /// An empty folder.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// Where a file of the folder is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and the folders that it needs.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// The binary with the arguments of a command line that needs no quoting.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_garrison"));
        command.args(line.split_whitespace()).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs a command line.
    pub fn run(&self, line: &str) -> Ran {
        Ran::new(line, self.command(line).output().unwrap())
    }

    /// Runs a command line that reads standard input.
    pub fn run_on(&self, line: &str, input: impl AsRef<[u8]> + Send + 'static) -> Ran {
        Ran::fed(line, &mut self.command(line), move |pipe| pipe.write_all(input.as_ref()))
    }
}

/// What a run left behind.
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// Takes what a run left. A panic, a death by signal or output that is no text is wrong in every test.
    pub fn new(line: &str, output: Output) -> Self {
        let out = String::from_utf8(output.stdout).expect("standard output is UTF-8");
        let err = String::from_utf8(output.stderr).expect("standard error is UTF-8");
        assert!(!err.contains("panicked"), "garrison {line}: {err}");
        let code = output.status.code();
        let code = code.unwrap_or_else(|| panic!("garrison {line}: {}: {err}", output.status));
        Self { code, out, err }
    }

    /// Runs a command while `feed` writes its standard input from a thread, for input larger than a pipe.
    pub fn fed<F>(line: &str, command: &mut Command, feed: F) -> Self
    where
        F: FnOnce(&mut std::process::ChildStdin) -> std::io::Result<()> + Send + 'static,
    {
        let streams = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = streams.spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        // A reader that stops early closes the pipe; what it then says and answers is what counts.
        let feeder = std::thread::spawn(move || drop(feed(&mut pipe)));
        let output = child.wait_with_output().unwrap();
        feeder.join().unwrap();
        Self::new(line, output)
    }

    /// The objects of NDJSON.
    pub fn rows(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}
