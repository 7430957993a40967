//! The commands of the machine: init, config, doctor, status, tenant.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Place, Ran};

#[expect(dead_code, reason = "other tests use the rest")]
mod support;

/// A folder in which `garrison init` was run, with a port that nobody else uses.
fn made() -> Place {
    let place = Place::new();
    let ran = place.run(&format!("init --listen 127.0.0.1:{}", free_port()));
    assert_eq!(ran.code, 0, "{}", ran.err);
    place
}

/// A port that was free a moment ago; the system does not give it to the next one who asks at once.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The row of `doctor` on one thing.
fn checked(ran: &Ran, check: &str) -> Value {
    let row = ran.rows().into_iter().find(|row| row["check"] == check);
    row.unwrap_or_else(|| panic!("no check {check}: {}{}", ran.out, ran.err))
}

/// Runs `doctor`, which must fail for this reason, with these words and this fix.
fn fails(place: &Place, options: &str, check: &str, (what, fix): (&str, &str)) {
    let ran = place.run(&format!("doctor -o ndjson {options}"));
    let row = checked(&ran, check);
    assert_eq!((ran.code, row["state"].as_str()), (3, Some("fail")), "{row}");
    assert!(row["what"].as_str().unwrap().contains(what), "{row}");
    assert!(row["fix"].as_str().unwrap().contains(fix), "{row}");
}

#[test]
fn init_makes_everything_and_tells_it() {
    let place = Place::new();
    let ran = place.run("init here --name siem.example --tenant acme -o ndjson");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let made: Vec<Value> = ran.rows();
    let note = |what: &str| made.iter().find(|row| row["made"] == what).expect(what)["note"].to_string();
    assert!(note("certificate").contains("siem.example"), "{}", ran.out);
    assert!(note("authority").contains("SHA-256 "), "{}", ran.out);
    assert!(note("tenant").contains("acme"), "{}", ran.out);
    assert!(ran.err.contains("garrison serve --config here/garrison.toml"), "{}", ran.err);

    assert_eq!(mode(&place.path("here/data")), 0o700);
    assert_eq!(mode(&place.path("here/keys")), 0o700);
    assert_eq!(mode(&place.path("here/keys/root.key")), 0o600);
    assert_eq!(mode(&place.path("here/keys/tls/ca.key")), 0o600);
    let list = place.run("tenant list --config here/garrison.toml -o ndjson").rows();
    assert_eq!(list.iter().map(|row| &row["name"]).collect::<Vec<_>>(), ["acme"]);
}

#[test]
fn a_second_init_touches_nothing() {
    let place = made();
    let before = ["garrison.toml", "keys/root.key", "keys/tls/ca.pem"]
        .map(|name| (name, fs::read(place.path("garrison").join(name)).unwrap()));
    let ran = place.run("init");
    assert_eq!((ran.code, ran.out.as_str()), (7, ""), "{}", ran.err);
    assert!(ran.err.contains("garrison.toml is there already"), "{}", ran.err);
    for (name, bytes) in before {
        assert_eq!(fs::read(place.path("garrison").join(name)).unwrap(), bytes, "{name}");
    }
}

#[test]
fn an_init_that_cannot_end_leaves_what_was_there_and_nothing_else() {
    let place = Place::new();
    place.write("here/keys/root.key", "somebody's");
    let ran = place.run("init here");
    assert_eq!(ran.code, 7, "{}", ran.err);
    assert!(ran.err.contains("here/keys is there already, and not empty"), "{}", ran.err);
    let names: Vec<_> =
        fs::read_dir(place.path("here")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["keys"]);
    assert_eq!(fs::read_to_string(place.path("here/keys/root.key")).unwrap(), "somebody's");

    // A name that is none is found when the configuration is read again.
    let ran = place.run("init there --name siem_example:1");
    assert_eq!((ran.code, place.path("there").exists()), (1, false), "{}", ran.err);
    assert!(ran.err.contains("siem_example:1"), "{}", ran.err);
}

#[test]
fn the_address_of_postgres_is_kept_from_others_and_not_shown() {
    let place = Place::new();
    // Nobody listens on port 1.
    place.write("url", "postgres://garrison:hunter2@127.0.0.1:1/garrison\n");
    let ran = place.run("init --postgres-url-file url");
    assert_eq!((ran.code, place.path("garrison").exists()), (1, false), "{}", ran.err);
    assert!(ran.err.contains("opening the database") && !ran.err.contains("hunter2"), "{}", ran.err);

    place.write("url", "mysql://garrison:hunter2@127.0.0.1:1/garrison\n");
    let ran = place.run("init --postgres-url-file url");
    assert_eq!((ran.code, place.path("garrison").exists()), (1, false), "{}", ran.err);
    assert!(ran.err.contains("must hold postgres://") && !ran.err.contains("hunter2"), "{}", ran.err);
}

#[test]
fn an_unknown_key_names_the_nearest_one() {
    let place = made();
    assert_eq!(place.run("config check").code, 0);
    let ran = place.run("config check --set server.lisen=127.0.0.1:1 -o ndjson");
    let rows = ran.rows();
    assert_eq!((ran.code, rows.len(), rows[0]["state"].as_str()), (3, 1, Some("refused")));
    let what = rows[0]["what"].as_str().unwrap();
    assert!(what.contains("`server.lisen`") && what.contains("did you mean `server.listen`?"), "{what}");
    let ran = place.run("config show --set server.lisen=127.0.0.1:1");
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("did you mean `server.listen`?"), "{}", ran.err);
}

#[test]
fn every_value_tells_its_origin_and_no_secret_is_shown() {
    let place = made();
    place.write("garrison/garrison.d/log.toml", "log.format = 'json'");
    let output = place
        .command("config show --origin -o ndjson --set server.shutdown_seconds=5")
        .env("GARRISON__DATABASE__URL", "postgres://garrison:hunter2@127.0.0.1/garrison")
        .output()
        .unwrap();
    let ran = Ran::new("config show", output);
    let rows = ran.rows();
    let origin =
        |key: &str| rows.iter().find(|row| row["key"] == key).expect(key)["origin"].as_str().unwrap();
    assert_eq!(origin("server.listen"), "garrison/garrison.toml");
    assert_eq!(origin("log.format"), "garrison/garrison.d/log.toml");
    assert_eq!(origin("database.url"), "environment GARRISON__DATABASE__URL");
    assert_eq!(origin("server.shutdown_seconds"), "command line");
    assert_eq!(origin("log.level"), "default");
    assert!(ran.out.contains("(secret)") && !ran.out.contains("hunter2"), "{}", ran.out);

    let plain = place.run("config show -o ndjson").rows();
    assert!(plain.iter().all(|row| row.get("origin").is_none() && row.get("value").is_some()), "{plain:?}");
}

#[test]
fn the_schema_describes_the_configuration() {
    let schema: Value = serde_json::from_str(&Place::new().run("config schema").out).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["$defs"]["Server"]["additionalProperties"], false);
}

#[test]
fn doctor_finds_nothing_wrong_with_what_init_made() {
    let place = made();
    let ran = place.run("doctor -o ndjson");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for check in ["configuration", "data folder", "root key", "certificate", "port", "database"] {
        let row = checked(&ran, check);
        assert_eq!((row["state"].as_str(), row["fix"].as_str()), (Some("ok"), Some("")), "{row}");
    }
    assert!(
        checked(&ran, "database")["what"].as_str().unwrap().contains("1 audit records; tenants: 1"),
        "{}",
        ran.out
    );
    assert!(checked(&ran, "certificate")["what"].as_str().unwrap().contains("localhost"), "{}", ran.out);
    assert!(!place.path("garrison/data/.garrison-doctor").exists());
}

#[test]
fn doctor_finds_a_key_that_others_can_read() {
    let place = made();
    fs::set_permissions(place.path("garrison/keys/root.key"), fs::Permissions::from_mode(0o644)).unwrap();
    fails(&place, "", "root key", ("can be read by others", "chmod 600"));
}

#[test]
fn doctor_finds_that_the_key_is_gone_or_among_the_data() {
    let place = made();
    fs::rename(place.path("garrison/keys"), place.path("garrison/data/keys")).unwrap();
    fails(&place, "", "root key", ("there is no key file", "put it back"));
    symlink(place.path("garrison/data/keys"), place.path("garrison/keys")).unwrap();
    fails(&place, "", "root key", ("is inside the data folder", "set `keys.dir`"));
}

#[test]
fn doctor_finds_data_that_cannot_be_written() {
    let place = made();
    fs::remove_dir_all(place.path("garrison/data")).unwrap();
    fails(&place, "", "data folder", ("No such file", "`garrison init`"));
    // Nobody can make a file here, not even root, for whom modes do not count.
    symlink("/proc", place.path("garrison/data")).unwrap();
    fails(&place, "", "data folder", ("cannot be written", "chown"));
    fails(&place, "", "database", ("there is no database", "backup"));
}

#[test]
fn doctor_finds_an_expired_certificate() {
    let place = made();
    let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    place.write("old.pem", params.self_signed(&key).unwrap().pem());
    place.write("old.key", key.serialize_pem());
    fs::set_permissions(place.path("old.key"), fs::Permissions::from_mode(0o600)).unwrap();
    let at = |name: &str| place.path(name).display().to_string();
    let options = format!(
        "--set server.tls=files --set server.certificate={} --set server.key={}",
        at("old.pem"),
        at("old.key")
    );
    fails(&place, &options, "certificate", ("has expired at 2021-01-01", "server.certificate"));
}

#[test]
fn doctor_finds_a_wrong_configuration() {
    let place = made();
    fails(&place, "--set server.tls=maybe", "configuration", ("own-ca, files, off", "config schema"));
    fails(&place, "--config none.toml", "configuration", ("there is no configuration", "correct it"));
}

#[test]
fn doctor_finds_a_port_that_something_else_holds() {
    let place = made();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = other.local_addr().unwrap();
    // Whoever comes is sent away, so that nobody waits.
    std::thread::spawn(move || other.incoming().for_each(drop));
    let options = format!("--set server.listen={listen}");
    fails(&place, &options, "port", ("is taken, and not by this Garrison", "ss -tlnp"));
}

#[test]
fn doctor_finds_a_row_that_was_changed_by_hand() {
    let place = made();
    let file = place.path("garrison/data/garrison.db");
    let mut bytes = fs::read(&file).unwrap();
    let name = b"sys_setup";
    let found: Vec<usize> =
        (0..bytes.len() - name.len()).filter(|at| bytes[*at..].starts_with(name)).collect();
    assert!(!found.is_empty(), "the audit record is in the file");
    for at in found {
        bytes[at..at + name.len()].copy_from_slice(b"sys_timer");
    }
    fs::write(&file, bytes).unwrap();
    fails(&place, "", "database", ("by hand", "keys.dir"));
}

#[test]
fn a_server_that_does_not_run_is_10() {
    let place = made();
    let ran = place.run("status");
    assert_eq!((ran.code, ran.out.as_str()), (10, ""));
    assert!(ran.err.contains("does not answer") && ran.err.contains("garrison serve"), "{}", ran.err);
}

#[test]
fn a_running_server_is_asked_over_its_own_address() {
    let (place, stranger) = (made(), made());
    let mut server = place.command("serve").stderr(Stdio::piped()).spawn().unwrap();
    // The pipe stays open to the end, so that the server can go on to write into it.
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines().map(Result::unwrap);
    lines.find(|line| line.contains("ready")).expect("the server tells that it is ready");

    let ran = place.run("status -o ndjson");
    let row = ran.rows().remove(0);
    assert_eq!(
        (ran.code, row["ready"].as_bool(), row["tenants"].as_u64()),
        (0, Some(true), Some(1)),
        "{row}"
    );
    assert_eq!(row["version"], env!("CARGO_PKG_VERSION"));
    let port = checked(&place.run("doctor -o ndjson"), "port");
    assert_eq!(port["state"], "ok", "{port}");
    assert!(port["what"].as_str().unwrap().starts_with("Garrison "), "{port}");

    // Whoever trusts another authority does not take this server for the own one.
    let listen =
        place.run("config show -o ndjson").rows().into_iter().find(|row| row["key"] == "server.listen");
    let listen = format!("--set server.listen={}", listen.unwrap()["value"].as_str().unwrap());
    let ran = stranger.run(&format!("status {listen}"));
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{}", ran.err);
    assert!(ran.err.contains("something else listens there"), "{}", ran.err);
    fails(&stranger, &listen, "port", ("is taken, and not by this Garrison", "ss -tlnp"));

    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(place.run("status").code, 10);
}

#[test]
fn tenants_are_founded_once_and_listed() {
    let place = made();
    let ran = place.run("tenant create acme -o ndjson");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let founded = ran.rows().remove(0);
    assert!(founded["id"].as_str().unwrap().starts_with("ten_"), "{founded}");
    assert!(founded["root"].as_str().unwrap().starts_with("node_"), "{founded}");

    let ran = place.run("tenant create acme");
    assert_eq!((ran.code, ran.out.as_str()), (7, ""), "{}", ran.err);
    assert!(ran.err.contains("acme"), "{}", ran.err);
    assert_eq!(place.run("tenant create a/b").code, 2);

    let list = place.run("tenant list -o ndjson").rows();
    assert_eq!(list.iter().map(|row| &row["name"]).collect::<Vec<_>>(), ["acme", "main"]);
    assert_eq!(list[0]["id"], founded["id"]);
}

/// A file with a passphrase that only its owner may read.
fn passphrase(place: &Place, words: &str) {
    place.write("passphrase", words);
    fs::set_permissions(place.path("passphrase"), fs::Permissions::from_mode(0o600)).unwrap();
}

fn root_key(place: &Place) -> String {
    fs::read_to_string(place.path("garrison/keys/root.key")).unwrap()
}

#[test]
fn a_root_key_is_sealed_by_a_passphrase_where_one_is_given() {
    let place = Place::new();
    passphrase(&place, "too short");
    let ran = place.run("init --passphrase-file passphrase");
    assert_eq!((ran.code, place.path("garrison").exists()), (1, false), "{}", ran.err);
    assert!(ran.err.contains("at least 12 characters"), "{}", ran.err);

    passphrase(&place, "correct horse battery staple\n");
    let ran = place.run("init --passphrase-file passphrase");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(root_key(&place).starts_with("garrison-root-sealed-v1 m=65536,t=3,p=4 "));
    let row = checked(&place.run("doctor -o ndjson"), "root key");
    assert!(row["what"].as_str().unwrap().ends_with("sealed by a passphrase"), "{row}");
    assert_eq!(place.run("tenant list").code, 0);

    passphrase(&place, "another horse battery staple\n");
    fails(&place, "", "root key", ("the passphrase does not open", "keys.passphrase_file"));
    fs::set_permissions(place.path("passphrase"), fs::Permissions::from_mode(0o644)).unwrap();
    fails(&place, "", "root key", ("others can read it", "rights 600"));
}

#[test]
fn a_new_root_key_opens_the_same_state_and_leaves_a_record() {
    let place = made();
    let before = root_key(&place);
    passphrase(&place, "correct horse battery staple");
    let ran = place.run("key rotate-root --passphrase-file passphrase -o ndjson");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.rows()[0]["at"].as_str().unwrap().ends_with("sealed by a passphrase"), "{}", ran.out);
    assert!(ran.err.contains("Set `keys.passphrase_file` to"), "{}", ran.err);
    assert_ne!(root_key(&place), before);
    let refused = place.run("tenant list");
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("set `keys.passphrase_file`"), "{}", refused.err);

    let set = format!("--set keys.passphrase_file={}", place.path("passphrase").display());
    assert_eq!(place.run(&format!("key rotate-root --no-passphrase {set}")).code, 0);
    assert!(root_key(&place).starts_with("garrison-root-key-v1 "));
    let row = checked(&place.run(&format!("doctor -o ndjson {set}")), "root key");
    assert_eq!(row["state"], "warn", "{row}");
    let list = place.run("key list -o ndjson").rows();
    assert_eq!((list[0]["key"].as_str(), list[0]["wraps"].as_u64()), (Some("root"), Some(0)));
    let database = checked(&place.run("doctor -o ndjson"), "database");
    assert!(database["what"].as_str().unwrap().contains("3 audit records"), "{database}");
}

#[test]
fn days_to_verify_have_an_order() {
    let ran = Place::new().run("audit verify --from 2026-11-22 --to 2026-11-01");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
    assert!(ran.err.contains("2026-11-22 is after 2026-11-01"), "{}", ran.err);
}

#[test]
fn a_running_server_holds_the_keys() {
    let place = made();
    let mut server = place.command("serve").stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines().map(Result::unwrap);
    lines.find(|line| line.contains("ready")).expect("the server tells that it is ready");
    let before = root_key(&place);
    let ran = place.run("key rotate-root");
    assert_eq!((ran.code, ran.out.as_str(), root_key(&place)), (7, "", before), "{}", ran.err);
    assert!(ran.err.contains("stop the server first"), "{}", ran.err);
    assert_eq!(place.run("key list").code, 0);
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(place.run("key rotate-root").code, 0);
}
