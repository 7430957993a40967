//! What is kept cannot be read without the keys, cannot be changed unseen, and can be proven to somebody who trusts
//! nobody here.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail loudly"
)]

#[path = "sealed/changed.rs"]
mod changed;
#[path = "support/logs.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod logs;
#[path = "sealed/packs.rs"]
mod packs;
#[path = "sealed/proofs.rs"]
mod proofs;
#[path = "support/server.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod server;
#[allow(dead_code, reason = "other tests use the rest")]
mod support;

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use logs::{Siem, wait_for};
use memchr::memmem;
use serde_json::{Value, json};
use support::{Place, Ran};

/// Stands in events and nowhere else: questions do not ask for it, because what is asked is recorded.
const CANARY: &str = "canary-7f3a9";
/// The starter rule "SSH login to an account that belongs to a daemon".
const DAEMON_LOGIN: &str = "f88b7b85-23ae-4274-bf5c-50eb5d6e471b";
/// More events than wait in memory for their minute: what is there is written to files at once.
const MANY: usize = 140_000;

/// Where a server keeps everything.
const DATA: &str = "garrison/data";

/// Runs SQL behind the server's back, as somebody who holds the database would.
fn by_hand(place: &Place, sql: &str) -> String {
    let database = place.path(DATA).join("garrison.db");
    let ran = Command::new("sqlite3").args(["-cmd", ".timeout 10000"]).arg(database).arg(sql).output();
    let ran = Ran::new(sql, ran.expect("sqlite3"));
    assert_eq!(ran.code, 0, "{sql}: {}", ran.err);
    ran.out.trim().to_owned()
}

/// Puts a database back, without what others wrote beside it.
fn database_is(place: &Place, bytes: &[u8]) {
    let database = place.path(DATA).join("garrison.db");
    for beside in ["garrison.db-wal", "garrison.db-shm"].map(|name| database.with_file_name(name)) {
        if beside.exists() {
            fs::remove_file(beside).unwrap();
        }
    }
    fs::write(database, bytes).unwrap();
}

/// All files below a folder.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(dir).sort_by_file_name().into_iter().map(Result::unwrap);
    entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}

/// Events over HTTP and over syslog, one of them an alert; all of them in files.
fn fill(siem: &Siem) {
    let token = siem.sender("robot", Some(&siem.top));
    let new = json!({ "node": siem.top, "name": "shop", "purpose": "tests", "stream": "shop" });
    siem.make("/api/v1/source/create", &new, "source");
    siem.send(&token, "shop", &format!("<86>1 - web-2 checkout 12 - - order {CANARY} was paid\n"));
    let login = "Accepted publickey for redis from 203.0.113.24 port 55501 ssh2: RSA SHA256";
    let mut syslog = TcpStream::connect(("127.0.0.1", siem.syslog)).unwrap();
    syslog.write_all(format!("<86>1 - web-1 sshd 811 - - {login}:{CANARY}\n").as_bytes()).unwrap();
    for program in ["checkout", "sshd"] {
        let found = siem.await_found(&format!("program:{program}"), 1);
        assert!(found[0]["raw"].as_str().unwrap().contains(CANARY), "{found:?}");
    }
    let alert = siem.await_alert(DAEMON_LOGIN);
    let alert = siem.server.get(&siem.admin, &format!("/api/v1/alert/{}", alert["id"].as_str().unwrap()));
    assert!(alert["events"][0]["raw"].as_str().unwrap().ends_with(CANARY), "{alert}");
    assert_eq!((&alert["entity"], &alert["state"]), (&json!("web-1"), &json!("open")));
    // An act of a person.
    siem.node("warehouse");

    siem.send(&token, "shop", &"filler\n".repeat(MANY));
    wait_for("files of both streams", || {
        let sql = "SELECT count(DISTINCT stream) FROM logs_file WHERE stream IN ('logs', 'shop')";
        let streams = by_hand(&siem.server.place, sql);
        if streams == "2" { Ok(()) } else { Err(streams) }
    });
    // What is in files is still found.
    for program in ["checkout", "sshd"] {
        assert_eq!(siem.found(&format!("program:{program}")).len(), 1, "{program}");
    }
}

/// Looks into everything that is kept, as somebody who took the disk.
fn assert_unreadable(place: &Place) {
    let holds = |bytes: &[u8], text: &str| memmem::find(bytes, text.as_bytes()).is_some();
    let mut known = 0;
    for path in files(&place.path(DATA)) {
        let bytes = fs::read(&path).unwrap();
        assert!(!holds(&bytes, CANARY), "{} tells what an event says", path.display());
        // Texts in a Parquet file are packed, so that the canary would not be seen there.
        assert!(!bytes.starts_with(b"PAR1"), "{} is not sealed", path.display());
        known += usize::from(holds(&bytes, "web-1"));
    }
    assert!(known > 0, "the host that the alert is about is not seen either: this looks in the wrong place");
}

/// What `audit verify` says: its exit code, and what it tells of each part.
fn verified(place: &Place) -> (i32, Vec<Value>) {
    let ran = place.run("audit verify -o json");
    let parts = serde_json::from_str(&ran.out);
    (ran.code, parts.unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err)))
}

/// Everything is as it was sealed.
fn assert_right(place: &Place) {
    let (code, parts) = verified(place);
    let told: Vec<_> = parts.iter().map(|part| (part["part"].clone(), part["state"].clone())).collect();
    let right = |part: &str| (json!(part), json!("right"));
    let expected = ["journal", "tree", "database", "files"].map(right);
    assert_eq!((code, told), (0, expected.to_vec()), "{parts:?}");
}

/// One part is wrong, in one of these ways; answers the place that is named.
fn assert_wrong(place: &Place, what: &str, (part, kinds): (&str, &[&str])) -> String {
    let (code, parts) = verified(place);
    let wrong: Vec<_> = parts.iter().filter(|part| part["state"] != "right").collect();
    assert_eq!((code, wrong.len()), (3, 1), "{what}: {parts:?}");
    let text = |name: &str| wrong[0][name].as_str().unwrap_or_default();
    assert!(text("part") == part && kinds.contains(&text("kind")), "{what}: {parts:?}");
    assert!(!text("what").is_empty(), "{what}: {parts:?}");
    text("place").to_owned()
}

/// Copies a folder, but for files that are prepared and hold nothing.
fn copy(from: &Path, to: &Path) {
    for path in files(from) {
        let below = path.strip_prefix(from).unwrap();
        if below.file_name().unwrap().to_str().unwrap().starts_with("spare-") {
            continue;
        }
        let target = to.join(below);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&path, target).unwrap();
    }
}

/// What a server says that must not start.
fn refused_to_start(place: &Place) -> String {
    let mut command = place.command("serve");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    for _ in 0..600 {
        if child.try_wait().unwrap().is_some() {
            let ran = Ran::new("serve", child.wait_with_output().unwrap());
            assert_eq!(ran.code, 1, "{}", ran.err);
            return ran.err;
        }
        sleep(Duration::from_millis(100));
    }
    child.kill().unwrap();
    panic!("the server started: {}", String::from_utf8_lossy(&child.wait_with_output().unwrap().stderr));
}

/// An older copy of everything is put in the place of what a server kept, whose witness lies elsewhere.
fn roll_back(siem: Siem, witness: &Path) {
    let [data, older, newer] = [DATA, "older", "newer"].map(|name| siem.server.place.path(name));
    copy(&data, &older);
    let mut siem = siem.killed();
    siem.node("later");
    siem.server.stop();
    let place = &siem.server.place;
    assert_right(place);
    let known: u64 = fs::read_to_string(witness).unwrap().lines().nth(1).unwrap().parse().unwrap();
    let later = by_hand(place, "SELECT max(seq) FROM audit WHERE operation = 'node:create'");
    let later: u64 = later.parse().unwrap();
    assert!(known >= later, "the witness was told of {known} records, and not of {later}");

    // Only the database: the journal knows.
    let newest = fs::read(data.join("garrison.db")).unwrap();
    database_is(place, &fs::read(older.join("garrison.db")).unwrap());
    let kept: u64 = by_hand(place, "SELECT max(seq) FROM audit").parse().unwrap();
    assert!(kept < known, "{kept} of {known}");
    let named = assert_wrong(place, "an older database", ("database", &["rolled back"]));
    assert!(named.contains(&format!("record {}", kept + 1)), "{named}");
    database_is(place, &newest);
    assert_right(place);

    // Everything: the witness knows, and nothing else can.
    fs::rename(&data, &newer).unwrap();
    fs::rename(&older, &data).unwrap();
    let said = refused_to_start(place);
    assert!(said.contains("rolled back") && said.contains(&witness.display().to_string()), "{said}");
    let named = assert_wrong(place, "an older copy of all", ("tree", &["rolled back"]));
    assert_eq!(named, format!("record {}", kept + 1));
    fs::remove_file(witness).unwrap();
    assert_right(place);
}

#[test]
fn nothing_on_the_disk_tells_what_events_say_and_every_change_is_found() {
    let elsewhere = tempfile::tempdir().unwrap();
    let witness = elsewhere.path().join("checkpoint");
    let mut siem = Siem::new(&format!("[journal]\nwitnesses = ['{}']\n", witness.display()));
    fill(&siem);
    siem.server.stop();
    assert_unreadable(&siem.server.place);
    assert_right(&siem.server.place);
    changed::files_of_logs(&siem.server.place);
    changed::journal_and_tree(&siem.server.place);
    changed::database(&siem.server.place);
    assert_right(&siem.server.place);
    roll_back(siem, &witness);
}
