//! Proofs for somebody without a server, and the seal that goes on by itself.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::by_hand;
use crate::logs::{Siem, wait_for};
use crate::server::Account;
use crate::support::{Place, Ran};

/// The key of a log that has nothing to do with this one: the checksum database of Go.
pub const ANOTHER: &str = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";

/// Runs a command that asks the server as somebody.
pub fn asked(siem: &Siem, who: &str, line: &str) -> Ran {
    let place = &siem.server.place;
    let mut command = place.command(line);
    command.env("GARRISON_URL", &siem.server.url).env("GARRISON_TOKEN", who).env("GARRISON_CA", siem.ca());
    Ran::new(line, command.env("XDG_CONFIG_HOME", place.path("contexts")).output().unwrap())
}

/// The only row of an answer in JSON.
pub fn row(ran: &Ran) -> Value {
    let rows: Vec<Value> =
        serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err));
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows[0].clone()
}

/// Somebody who reads the record.
pub fn auditor(siem: &Siem) -> String {
    let (account, person) = Account::made_by(&siem.server, &siem.admin, "olga");
    siem.grant(&person, "auditor", &siem.top);
    account.session
}

/// What a program says of a proof that has nothing of Garrison in it. `None` where it is not installed, which in CI it
/// must be.
#[expect(clippy::print_stdout, reason = "whoever runs the tests is told of what was skipped")]
pub fn stranger(folder: &Place, files: &[&str], key: &str) -> Option<(bool, String)> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let python = root.join("target/proof-venv/bin/python");
    if !python.exists() {
        assert!(std::env::var_os("CI").is_none(), "cryptography is not installed: {}", python.display());
        println!("skipped in part: cryptography is not installed (scripts/prepare test)");
        return None;
    }
    let mut command = Command::new(python);
    command.arg(root.join("platform/transparency/tests/check.py"));
    let ran = command.args(files.iter().map(|file| folder.path(file))).arg(key).output().unwrap();
    let ran = Ran::new(&files.join(" "), ran);
    assert!(ran.code == 0 || (ran.code == 1 && ran.err.starts_with("refused: ")), "{}", ran.err);
    Some((ran.code == 0, ran.out + &ran.err))
}

/// The same text with another character in the middle of a line.
fn other(text: &str, number: usize) -> String {
    let mut lines: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
    let middle = lines[number].len() / 2;
    let there = &mut lines[number][middle];
    *there = if *there == 'A' { 'B' } else { 'A' };
    lines.iter().map(|line| line.iter().chain(&['\n']).collect::<String>()).collect()
}

/// A folder of somebody who has the proof, the record, and the log's public key, and nothing else.
fn outsider(siem: &Siem, auditor: &str, seq: &str) -> (Place, String) {
    let place = &siem.server.place;
    let ran = asked(siem, auditor, &format!("audit prove {seq} --out proof"));
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    let outsider = Place::new();
    fs::copy(place.path("proof"), outsider.path("proof")).unwrap();
    let record = outsider.path("record").display().to_string();
    by_hand(place, &format!("SELECT writefile('{record}', record) FROM audit WHERE seq = {seq}"));
    let told = row(&asked(siem, auditor, "audit checkpoint -o json"));
    (outsider, told["key"].as_str().unwrap().to_owned())
}

fn a_proof_holds_without_the_server(siem: &Siem, auditor: &str) {
    let seq = by_hand(&siem.server.place, "SELECT max(seq) FROM audit WHERE operation = 'node:create'");
    let (outsider, key) = outsider(siem, auditor, &seq);
    let check = |line: &str| outsider.run(&format!("audit check {line} -o json"));
    let ran = check(&format!("proof --key {key}"));
    let proven = row(&ran);
    assert_eq!(
        (ran.code, &proven["holds"], &proven["record"]),
        (0, &json!(true), &json!(seq.parse::<u64>().unwrap()))
    );
    let content = &proven["content"];
    assert_eq!((&content["operation"], &content["actor"]["name"]), (&json!("node:create"), &json!("anna")));
    assert_eq!(check(&format!("proof --key {key} --record record")).code, 0);
    if let Some((holds, said)) = stranger(&outsider, &["proof", "record"], &key) {
        let place = seq.parse::<u64>().unwrap() - 1;
        assert!(holds && said.starts_with(&format!("entry {place} of the ")), "{said}");
    }

    assert_eq!(check(&format!("proof --key {ANOTHER}")).code, 3);
    assert!(stranger(&outsider, &["proof", "record"], ANOTHER).is_none_or(|(holds, _)| !holds));
    let text = fs::read_to_string(outsider.path("proof")).unwrap();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
        outsider.write("changed", other(&text, number));
        let ran = check(&format!("changed --key {key}"));
        assert_eq!((ran.code, &row(&ran)["holds"]), (3, &json!(false)), "line {number}: {line}");
        // The record that came along counts only where there is no other.
        let along = line.starts_with("extra ");
        let ran = check(&format!("changed --key {key} --record record"));
        assert_eq!(ran.code, if along { 0 } else { 3 }, "line {number}: {line}");
        if let Some((holds, said)) = stranger(&outsider, &["changed", "record"], &key) {
            assert_eq!(holds, along, "line {number}: {line}: {said}");
        }
    }
    assert_eq!(asked(siem, auditor, "audit prove 1000000").code, 4);
    assert_eq!(asked(siem, &siem.admin, &format!("audit prove {seq}")).code, 5, "who acts does not prove");
}

/// How far the log is sealed, and since when, by the last checkpoint.
fn sealed(siem: &Siem, auditor: &str) -> (u64, jiff::Timestamp) {
    let told = siem.server.get(auditor, "/api/v1/audit/checkpoint");
    let mut lines = told["checkpoint"].as_str().expect("a checkpoint").lines();
    let size = lines.nth(1).unwrap().parse().unwrap();
    let time = lines.find_map(|line| line.strip_prefix("time ")).expect("a time");
    (size, time.parse().unwrap())
}

/// The server seals each half minute; it is waited for longer than for two of them.
fn the_seal_goes_on(siem: &Siem, auditor: &str) {
    siem.node("sealed-later");
    let act: u64 = by_hand(&siem.server.place, "SELECT max(seq) FROM audit").parse().unwrap();
    let mut last = wait_for("the act under a checkpoint", || {
        let now = sealed(siem, auditor);
        if now.0 >= act { Ok(now) } else { Err(format!("{now:?}, and not {act}")) }
    });
    // Nothing happens, and that is told too.
    wait_for("a later checkpoint of the same records", || {
        let before = std::mem::replace(&mut last, sealed(siem, auditor));
        if last.0 == before.0 && last.1 > before.1 { Ok(()) } else { Err(format!("{before:?}, {last:?}")) }
    });
}

#[test]
fn a_proof_holds_without_the_server_and_the_log_is_sealed_also_when_nothing_happens() {
    let siem = Siem::new("");
    let auditor = auditor(&siem);
    siem.node("proven");
    a_proof_holds_without_the_server(&siem, &auditor);
    the_seal_goes_on(&siem, &auditor);
}
