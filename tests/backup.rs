//! A backup that is made while everything goes on is restored elsewhere, and is the same; one that is not as it was written
//! is refused by name; an older state does not come back unnoticed.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail loudly"
)]

#[path = "support/logs.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod logs;
#[path = "support/server.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod server;
#[allow(dead_code, reason = "other tests use the rest")]
mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use logs::{Siem, wait_for};
use serde_json::{Value, json};
use server::{Server, code};
use support::Place;

/// Acts and requests with events that come while a backup is made.
const MEANWHILE: usize = 30;
/// More events than wait in memory for their minute: what is there is written to files at once.
const MANY: usize = 140_000;

/// The only row that a command prints, which must end so.
fn row(place: &Place, line: &str, exit: i32) -> Value {
    let ran = place.run(&format!("{line} -o json"));
    assert_eq!(ran.code, exit, "{line}: {}{}", ran.out, ran.err);
    let mut rows: Vec<Value> =
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.out));
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

/// What a command says that does nothing.
fn refused(place: &Place, line: &str, exit: i32) -> String {
    let ran = place.run(line);
    assert_eq!((ran.code, ran.out.as_str()), (exit, ""), "{line}: {}", ran.err);
    ran.err
}

/// The files of a backup, by their names in it.
fn files(backup: &Path) -> Vec<(String, PathBuf)> {
    let entries = walkdir::WalkDir::new(backup).sort_by_file_name().into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| (entry.path().strip_prefix(backup).unwrap().display().to_string(), entry.into_path()))
        .collect()
}

/// A machine with a configuration, and nothing else.
fn empty_machine(siem: &Siem) -> Place {
    let place = Place::new();
    for name in ["garrison.toml", "garrison.d/intake.toml"] {
        let name = format!("garrison/{name}");
        place.write(&name, fs::read(siem.server.place.path(&name)).unwrap());
    }
    place
}

fn nothing_is_there(place: &Place) {
    for folder in ["garrison/data", "garrison/keys"].map(|folder| place.path(folder)) {
        let there: Vec<_> =
            fs::read_dir(&folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
        assert!(there.is_empty(), "{there:?}");
    }
}

/// The same people and addresses, on the server of another folder.
fn moved(siem: Siem, place: Place) -> Siem {
    let Siem { server, syslog, admin, me, top } = siem;
    let port = server.port();
    drop(server.kill());
    Siem { server: Server::start(place, port), syslog, admin, me, top }
}

/// Makes a backup while acts are performed and events come.
fn make(siem: &Siem, token: &str, public: &str) -> Value {
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for number in 0..MEANWHILE {
                siem.node(&format!("meanwhile-{number}"));
                siem.send(
                    token,
                    "shop",
                    &format!("<86>1 - web-1 checkout 12 - - order meanwhile {number}\n"),
                );
            }
        });
        row(&siem.server.place, &format!("backup create --to bäckups --recovery {public} --expires 7"), 0)
    })
}

/// What cannot be made or looked at is told with what to do, and no key is repeated.
fn says_what_to_do(place: &Place, public: &str) {
    for (line, said) in [
        ("backup create --to bäckups".to_owned(), "backup.recovery"),
        (format!("backup create --to none --recovery {public}"), "there is no folder"),
        ("backup create --to bäckups --recovery garrison.toml".to_owned(), "reading the recovery key"),
        (
            "backup create --to bäckups --recovery garrison-recovery-secret-v1".to_owned(),
            "not the public half",
        ),
        ("backup verify --from none".to_owned(), "none: "),
    ] {
        let err = refused(place, &line, 1);
        assert!(err.contains(said) && !err.contains("secret-v1"), "{line}: {err}");
    }
    // Opening a database that is not there would make it.
    let gone = place.path("gone.db");
    let line = format!(
        "backup create --to bäckups --recovery {public} --set database.url=sqlite:{}",
        gone.display()
    );
    assert!(refused(place, &line, 1).contains("there is no database") && !gone.exists());
    assert!(!place.path("garrison/data/pinned").exists());
}

/// Every object, changed in several places, cut and missing.
fn every_change_is_named(place: &Place, backup: &Path) {
    let verify = format!("backup verify --from {} --key recovery.key", backup.display());
    for (name, path) in files(backup) {
        let right = fs::read(&path).unwrap();
        let named = |what: &str| {
            let row = row(place, &verify, 3);
            assert!(row["place"].as_str().unwrap().starts_with(&name), "{what} of {name}: {row}");
            assert!(!row["what"].as_str().unwrap().is_empty(), "{row}");
        };
        for place in [0, right.len() / 2, right.len() - 1] {
            let mut changed = right.clone();
            changed[place] ^= 1;
            fs::write(&path, changed).unwrap();
            named("a changed byte");
        }
        fs::write(&path, &right[..right.len() - 1]).unwrap();
        named("a cut");
        fs::remove_file(&path).unwrap();
        named("a missing file");
        fs::write(&path, &right).unwrap();
    }
    assert_eq!(row(place, &verify, 0)["state"], "right");
}

/// What is restored from a broken backup, or by the wrong key, is nothing.
fn nothing_half(siem: &Siem, backup: &Path) {
    let place = empty_machine(siem);
    let keys = siem.server.place.path("recovery.key");
    row(&place, "backup key --out other.key", 0);
    let restore = |key: &Path| format!("backup restore --from {} --key {}", backup.display(), key.display());
    let said = refused(&place, &restore(&place.path("other.key")), 1);
    assert!(said.contains("is sealed to the recovery key garrison-recovery-v1:"), "{said}");
    nothing_is_there(&place);
    let objects: Vec<_> =
        files(backup).into_iter().filter(|(name, _)| name.starts_with("objects/")).collect();
    for (name, path) in [objects.first().unwrap(), objects.last().unwrap()] {
        let right = fs::read(path).unwrap();
        let mut changed = right.clone();
        changed[right.len() / 2] ^= 1;
        fs::write(path, changed).unwrap();
        let wrong = row(&place, &restore(&keys), 3);
        assert!(wrong["place"].as_str().unwrap().starts_with(name.as_str()), "{wrong}");
        nothing_is_there(&place);
        fs::write(path, right).unwrap();
    }
    place.write("garrison/data/garrison.db", "somebody's");
    let said = refused(&place, &restore(&keys), 7);
    assert!(said.contains("is not empty: garrison.db is in it"), "{said}");
    assert_eq!(fs::read(place.path("garrison/data/garrison.db")).unwrap(), b"somebody's");
    assert!(!place.path("garrison/keys/root.key").exists());
}

/// Everything verifies, from the first record to the last file.
fn verifies(place: &Place) {
    let ran = place.run("audit verify -o json");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

/// What was there when the backup was made is there again.
fn is_the_same(siem: &Siem) {
    assert_eq!(siem.server.get(&siem.admin, "/api/v1/whoami")["name"], "anna", "the session counts");
    let tree = siem.server.get(&siem.admin, "/api/v1/tree");
    let paths: Vec<&str> =
        tree.as_array().unwrap().iter().map(|node| node["path"].as_str().unwrap()).collect();
    assert!(paths.contains(&"acme/before") && !paths.contains(&"acme/later"), "{paths:?}");
    assert_eq!(siem.await_found("order kept", 1).len(), 1);
    assert_eq!(siem.await_found("order fresh", 1).len(), 1);
    // Who looks after the server does not read the record.
    siem.grant(&siem.me, "auditor", &siem.top);
    let records = siem.server.get(&siem.admin, "/api/v1/audit?operation=backup:restore");
    assert_eq!(records["items"].as_array().unwrap().len(), 1, "{records}");
}

/// Somebody who could log in then can now.
fn logs_in(siem: &Siem, (name, password, secret): (&str, &str, &str)) {
    let call = |path: &str, body: Value| {
        let reply = siem.server.call("POST", path, None, Some(&body));
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.body
    };
    let login = call("/api/v1/login/begin", json!({ "name": name, "kind": "cli" }))["login"].clone();
    call("/api/v1/login/step", json!({ "login": login, "password": password }));
    let done = call("/api/v1/login/step", json!({ "login": login, "code": code(secret, 1) }));
    assert!(done["session"].is_string(), "{done}");
}

/// The same backup into a database of the other kind.
fn into_postgres(siem: &Siem, backup: &Path) {
    let Some(server) = std::env::var("GARRISON_TEST_POSTGRES").ok().filter(|url| !url.is_empty()) else {
        return;
    };
    let place = empty_machine(siem);
    let name = format!("backup{}", std::process::id());
    let psql = |database: &str, sql: &str| {
        let mut command = Command::new("psql");
        command.args(["--quiet", "--tuples-only", "--no-align", "--dbname", &format!("{server}/{database}")]);
        let output = command.args(["--command", sql]).output().expect("psql");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    psql("postgres", &format!("CREATE DATABASE {name}"));
    place.write("garrison/garrison.d/database.toml", format!("[database]\nurl = '{server}/{name}'\n"));
    let key = siem.server.place.path("recovery.key");
    let restore = format!("backup restore --from {} --key {} --accept-loss", backup.display(), key.display());
    // The witness was set aside by the first restore, so nothing is lost that anybody knows.
    row(&place, &restore, 0);
    verifies(&place);
    assert_eq!(psql(&name, "SELECT COUNT(*) FROM audit WHERE operation = 'backup:restore'").trim(), "1");
    let said = refused(&place, &restore, 7);
    assert!(said.contains("not empty"), "{said}");
}

/// Events in files and in the log, all of it under a checkpoint; answers a token that sends more.
fn fill(siem: Siem) -> (Siem, String) {
    siem.node("before");
    let token = siem.sender("robot", Some(&siem.top));
    let new = json!({ "node": siem.top, "name": "shop", "purpose": "tests", "stream": "shop" });
    siem.make("/api/v1/source/create", &new, "source");
    siem.send(&token, "shop", "<86>1 - web-1 checkout 12 - - order kept\n");
    siem.await_found("order kept", 1);
    siem.send(&token, "shop", &"filler\n".repeat(MANY));
    wait_for("files", || {
        let written = files(&siem.server.place.path("garrison/data/lake"));
        let sealed = written.iter().any(|(name, _)| name.ends_with(".parquet.sealed"));
        if sealed { Ok(()) } else { Err(format!("{written:?}")) }
    });
    // Ended in order and begun again, so that there is a checkpoint of all that.
    let siem = siem.stopped();
    siem.send(&token, "shop", "<86>1 - web-1 checkout 12 - - order fresh\n");
    (siem, token)
}

/// Neither what events say nor a key stands in a backup for whoever has no key.
fn tells_nothing(place: &Place, backup: &Path) {
    let root = fs::read_to_string(place.path("garrison/keys/root.key")).unwrap();
    for (name, path) in files(backup) {
        let bytes = fs::read(path).unwrap();
        for text in ["order kept", "order fresh", root.trim()] {
            assert!(memchr::memmem::find(&bytes, text.as_bytes()).is_none(), "{name} tells {text}");
        }
    }
}

/// What was restored is what the backup says, up to its checkpoint.
fn leads_to_the_checkpoint(restored: &Value, backup: &Path, made: &Value) {
    let manifest = fs::read_to_string(backup.join("manifest")).unwrap();
    let manifest: Value = serde_json::from_str(manifest.lines().next().unwrap()).unwrap();
    let checkpoint: Vec<&str> = manifest["told"]["checkpoint"].as_str().unwrap().lines().collect();
    assert_eq!(restored["root"], checkpoint[2]);
    assert_eq!(restored["sealed"].to_string(), checkpoint[1]);
    assert_eq!(restored["records"], made["records"]);
}

#[test]
fn a_backup_is_restored_elsewhere_and_an_older_state_not_unnoticed() {
    let elsewhere = tempfile::tempdir().unwrap();
    let witness = elsewhere.path().join("checkpoint");
    let siem = Siem::new(&format!("[journal]\nwitnesses = ['{}']\n", witness.display()));
    let (bob, _) = server::Account::made_by(&siem.server, &siem.admin, "bob");
    let (mut siem, token) = fill(siem);

    let place = &siem.server.place;
    fs::create_dir(place.path("bäckups")).unwrap();
    // As where a system hands secrets over.
    let [root, handed] = ["garrison/keys/root.key", "handed.key"].map(|name| place.path(name));
    fs::rename(&root, &handed).unwrap();
    symlink(&handed, &root).unwrap();
    let key = row(place, "backup key --out recovery.key", 0);
    let public = key["recovery"].as_str().unwrap();
    assert!(refused(place, "backup key --out recovery.key", 7).contains("never overwritten"));
    says_what_to_do(place, public);
    let made = make(&siem, &token, public);
    let backup = PathBuf::from(made["at"].as_str().unwrap());
    let listed = row(place, "backup list", 0);
    assert_eq!((&listed["backup"], &listed["state"]), (&made["backup"], &json!("kept")), "{listed}");
    assert!(!listed["keys"].as_array().unwrap().is_empty(), "{listed}");
    assert!(!place.path("garrison/data/pinned").exists());
    tells_nothing(place, &backup);
    let checked = row(place, &format!("backup verify --from {}", backup.display()), 0);
    assert_eq!(checked["backup"], made["backup"]);
    every_change_is_named(place, &backup);
    nothing_half(&siem, &backup);

    siem.node("later");
    siem.server.stop();
    let known = fs::read_to_string(&witness).unwrap();
    let size: u64 = known.lines().nth(1).unwrap().parse().unwrap();
    let records = made["records"].as_u64().unwrap();
    assert!(size > records, "the witness knows {size}, and the backup has {records}");
    let machine = empty_machine(&siem);
    let recovery = siem.server.place.path("recovery.key");
    let restore = format!("backup restore --from {} --key {}", backup.display(), recovery.display());
    let said = refused(&machine, &restore, 7);
    assert!(
        said.contains(&format!("the records {} to {size}", records + 1)) && said.contains("--accept-loss"),
        "{said}"
    );
    nothing_is_there(&machine);
    assert_eq!(fs::read_to_string(&witness).unwrap(), known);

    let restored = row(&machine, &format!("{restore} --accept-loss"), 0);
    leads_to_the_checkpoint(&restored, &backup, &made);
    let aside = elsewhere.path().join(format!("checkpoint.lost-{size}"));
    assert_eq!((fs::read_to_string(aside).unwrap(), witness.exists()), (known, false));
    verifies(&machine);
    into_postgres(&siem, &backup);

    let siem = moved(siem, machine);
    is_the_same(&siem);
    logs_in(&siem, (&bob.name, &bob.password, &bob.secret));
    siem.send(&token, "shop", "<86>1 - web-1 checkout 12 - - order afterwards\n");
    siem.await_found("order afterwards", 1);
    let place = &siem.server.place;
    assert_eq!(
        row(place, &format!("backup forget {}", made["backup"].as_str().unwrap()), 0)["changed"],
        true
    );
    assert_eq!(row(place, "backup list", 0)["state"], "gone");
    refused(place, "backup forget bak_01JDG4Q4ZK8V3T6W0R2Y5X7B9C", 4);
}
