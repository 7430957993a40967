//! `cargo xtask bench access`: decisions, acts and the tree in one process; the server's start and memory.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::{Output, output};

/// What was asked for: name in the JSON, words, target, whether more is better.
const TARGETS: [(&str, &str, f64, bool); 6] = [
    ("decisions_per_second", "decisions a second, one core", 20_000.0, true),
    ("decision_p99_us", "decision, 99th percentile, microseconds", 1_000.0, false),
    ("acts_per_second", "acts a second, SQLite, 8 writers, durable", 1_500.0, true),
    ("level_ms", "a level of the tree with counts, milliseconds", 100.0, false),
    ("start_ms", "start of the server to its first answer, milliseconds", 1_000.0, false),
    ("idle_mib", "resident memory of the idle server, MiB", 80.0, false),
];

/// Runs both, and prints them side by side with the targets.
pub fn bench(root: &Path, format: Output) -> anyhow::Result<()> {
    eprintln!("building (release, some minutes the first time)");
    output(
        Command::new("cargo").args(["build", "--release", "--quiet", "--bin", "garrison"]).current_dir(root),
    )?;
    let example = ["run", "--release", "--quiet", "--package", "garrison-testkit", "--example", "access"];
    let text = output(Command::new("cargo").args(example).current_dir(root))?;
    let mut result: Value =
        serde_json::from_str(text.trim()).context("the measurement did not print JSON")?;
    let (start, idle) = server(&root.join("target/release/garrison"))?;
    if let Value::Object(fields) = &mut result {
        fields.insert("start_ms".to_owned(), json!(start));
        fields.insert("idle_mib".to_owned(), json!(idle));
        fields.insert("area".to_owned(), json!("access"));
    }
    match format {
        Output::Json => println!("{result}"),
        Output::Table => table(&result),
    }
    Ok(())
}

fn table(result: &Value) {
    let number = |name: &str| result.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN);
    println!("{:<58}{:>12}{:>12}", "", "measured", "target");
    for (name, words, target, more) in TARGETS {
        let sign = if more { ">=" } else { "<" };
        println!("{words:<58}{:>12.1}{:>12}", number(name), format!("{sign} {target}"));
    }
    let (acts, bare) = (number("acts_per_second"), number("bare_inserts_per_second"));
    println!(
        "limit: the sqlite3 shell makes {bare:.0} durable one-row transactions a second; ratio {:.2}",
        acts / bare
    );
    println!("opened and verified everything in {:.0} ms", number("open_and_verify_ms"));
}

/// How long the server takes to its first answer, in milliseconds, and what it holds when idle, in MiB.
fn server(program: &Path) -> anyhow::Result<(f64, f64)> {
    let folder = tempdir()?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let address = format!("127.0.0.1:{port}");
    output(
        Command::new(program).args(["init", "--listen", &address]).current_dir(&folder).stderr(Stdio::null()),
    )?;
    let started = now();
    let child = Command::new(program).arg("serve").current_dir(&folder).stderr(Stdio::null()).spawn();
    let mut server = Running(child.context("starting the server")?);
    while TcpStream::connect(&address).is_err() {
        if now().duration_since(started) > Duration::from_secs(30) || server.0.try_wait()?.is_some() {
            bail!("the server did not start");
        }
        pause(Duration::from_millis(2));
    }
    let start = now().duration_since(started).as_secs_f64() * 1_000.0;
    pause(Duration::from_secs(5));
    let status = fs::read_to_string(format!("/proc/{}/status", server.0.id()))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: f64 = resident.trim().trim_end_matches(" kB").parse().context("VmRSS")?;
    drop(server);
    fs::remove_dir_all(&folder)?;
    Ok((start, kib / 1024.0))
}

#[expect(clippy::disallowed_methods, reason = "a measurement must look at the clock")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "it is measured how long something takes that tells nobody")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

fn tempdir() -> anyhow::Result<std::path::PathBuf> {
    let path = output(Command::new("mktemp").arg("--directory"))?;
    Ok(path.trim().into())
}

/// Killed when it is no longer looked at.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
