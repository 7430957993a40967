//! Programs that send logs: those of the system, and Python's clients.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::{Place, Ran};

/// A folder of `target/`, where `scripts/prepare test` puts programs.
fn prepared(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target")).join(name)
}

/// Whether a test may go on: what it needs is there. In CI it must be.
#[expect(clippy::print_stdout, reason = "whoever runs the tests is told of one that was skipped")]
fn there(program: &Path, what: &str) -> bool {
    let there = program.exists();
    assert!(there || std::env::var_os("CI").is_none(), "{what} is not installed: {}", program.display());
    if !there {
        println!("skipped: {what} is not installed (scripts/prepare test)");
    }
    there
}

/// A script of `tests/intake/` in the environment of the clients; `None` where that is not installed.
pub fn script(name: &str, arguments: &[&str]) -> Option<Command> {
    let python = prepared("senders-venv/bin/python");
    there(&python, "the environment of the senders").then(|| {
        let mut command = Command::new(python);
        command.arg(format!("{}/../../tests/intake/{name}.py", env!("CARGO_MANIFEST_DIR"))).args(arguments);
        // Authorities that the machine names count more for Python's libraries than those of the script.
        for name in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"] {
            command.env_remove(name);
        }
        command
    })
}

/// Runs a script to its end; what it prints last is JSON.
pub fn told(name: &str, arguments: &[&str]) -> Option<Value> {
    script(name, arguments).map(|mut command| answer(&Ran::new(name, command.output().unwrap())))
}

/// The same with something on its standard input.
pub fn told_of(name: &str, arguments: &[&str], input: &Value) -> Option<Value> {
    let input = input.to_string();
    script(name, arguments).map(|mut command| {
        answer(&Ran::fed(name, &mut command, move |pipe| std::io::Write::write_all(pipe, input.as_bytes())))
    })
}

fn answer(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    serde_json::from_str(ran.out.lines().last().unwrap_or_default()).expect("JSON in the last line")
}

/// Runs `logger` of util-linux against a port of this machine.
pub fn logger(port: u16, options: &str, text: &str) {
    let mut command = Command::new("logger");
    command.args(["--server", "127.0.0.1", "--port", &port.to_string()]);
    let ran =
        Ran::new("logger", command.args(options.split_whitespace()).arg(text).output().expect("logger"));
    assert_eq!(ran.code, 0, "{options}: {}", ran.err);
}

/// A daemon that runs in the folder of a test. Ended with the test.
pub struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A daemon's package, as `scripts/prepare` unpacked it.
struct Unpacked {
    program: PathBuf,
    modules: PathBuf,
    libraries: String,
}

impl Unpacked {
    fn new(package: &str, program: &str, module: &str) -> Option<Self> {
        let root = prepared(package);
        let program = root.join(program);
        if !there(&program, package) {
            return None;
        }
        let mut folders = BTreeSet::new();
        let mut modules = PathBuf::new();
        for file in walkdir::WalkDir::new(&root).into_iter().map(Result::unwrap) {
            let name = file.file_name().to_string_lossy().into_owned();
            let folder = file.path().parent().unwrap();
            if name == module {
                folder.clone_into(&mut modules);
            }
            if name.contains(".so") {
                folders.insert(folder.display().to_string());
            }
        }
        let libraries = folders.into_iter().collect::<Vec<_>>().join(":");
        Some(Self { program, modules, libraries })
    }

    fn start(&self, place: &Place, arguments: &[String]) -> Daemon {
        let mut command = Command::new(&self.program);
        let said = fs::File::create(place.path("daemon.log")).unwrap();
        command.env("LD_LIBRARY_PATH", &self.libraries).args(arguments).current_dir(place.path("."));
        command.stdin(Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said);
        Daemon(command.spawn().unwrap())
    }
}

/// Starts rsyslogd with a configuration. It keeps its files in the folder `work`.
pub fn rsyslog(place: &Place, configuration: &str) -> Option<Daemon> {
    let daemon = Unpacked::new("rsyslog", "usr/sbin/rsyslogd", "imfile.so")?;
    let at = |name: &str| place.path(name).display().to_string();
    fs::create_dir_all(place.path("work")).unwrap();
    let global = format!("global(workDirectory=\"{}\")\nmodule(load=\"imfile\")\n", at("work"));
    place.write("rsyslog.conf", global + configuration);
    let modules = format!("-M{}", daemon.modules.display());
    let arguments = ["-n", "-i", &at("rsyslog.pid"), "-f", &at("rsyslog.conf"), &modules];
    Some(daemon.start(place, &arguments.map(str::to_owned)))
}

/// Starts syslog-ng with a configuration.
pub fn syslog_ng(place: &Place, configuration: &str) -> Option<Daemon> {
    let daemon = Unpacked::new("syslog-ng-core", "usr/sbin/syslog-ng", "libaffile.so")?;
    let at = |name: &str| place.path(name).display().to_string();
    place.write("syslog-ng.conf", configuration);
    let options = format!(
        "-F --no-caps -f {} -R {} -p {} -c {} --module-path={}",
        at("syslog-ng.conf"),
        at("syslog-ng.persist"),
        at("syslog-ng.pid"),
        at("syslog-ng.ctl"),
        daemon.modules.display()
    );
    let arguments: Vec<String> = options.split_whitespace().map(str::to_owned).collect();
    Some(daemon.start(place, &arguments))
}
