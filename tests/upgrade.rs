//! Data that an earlier version wrote is opened by this one. `fixtures/state-*` are folders as `garrison init`
//! made them and `garrison serve` left them, one for each released form of the data; they are never changed.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail loudly"
)]

#[path = "support/server.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod server;
#[allow(dead_code, reason = "other tests use the rest")]
mod support;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use server::{Account, Server};
use support::Place;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, target) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
            // Keys are private; a checkout does not keep that.
            fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
}

#[test]
fn data_of_every_earlier_version_is_opened() {
    if std::env::var_os("GARRISON_WRITE_FIXTURE").is_some() {
        write();
    }
    let mut opened = 0;
    for entry in fs::read_dir(fixtures()).unwrap() {
        let fixture = entry.unwrap().path();
        let place = Place::new();
        copy(&fixture, &place.path("garrison"));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let file = place.path("garrison/garrison.toml");
        let text = fs::read_to_string(&file).unwrap();
        let line = text.lines().find(|line| line.starts_with("listen = ")).unwrap();
        fs::write(&file, text.replace(line, &format!("listen = \"127.0.0.1:{port}\""))).unwrap();
        // A certificate of then may have run out by now; the authority makes another.
        let server = Server::start(place, port);
        assert!(server.links.is_empty(), "somebody could log in then, and can now");
        let link = server.link("recover anna");
        let anna = Account::activate(&server, &json!({ "invitation": link, "kind": "cli" }), "anna");
        let tree = server.get(&anna.session, "/api/v1/tree");
        let paths: Vec<&str> =
            tree.as_array().unwrap().iter().map(|node| node["path"].as_str().unwrap()).collect();
        assert_eq!(paths, ["acme", "acme/shop", "acme/shop/production"], "{}", fixture.display());
        let waiting = server.get(&anna.session, "/api/v1/approval")["items"].clone();
        assert_eq!(waiting[0]["verb"], "node:rename", "{waiting}");
        let grants = server.get(&anna.session, "/api/v1/grant")["items"].clone();
        assert!(grants.as_array().unwrap().iter().any(|grant| grant["role"] == "viewer"), "{grants}");
        opened += 1;
    }
    assert!(opened > 0, "there is no fixture");
}

/// Writes the fixture of this version; done once for each form of the data, by hand.
fn write() {
    let mut server = Server::new();
    let anna = server.first("anna");
    let session = &anna.session;
    let top = server.get(session, "/api/v1/node")["items"][0]["id"].clone();
    let new = json!({ "parent": top, "name": "shop", "kind": "product" });
    let shop = server.post(session, "/api/v1/node/create", &new)["node"].clone();
    let new = json!({ "parent": shop, "name": "production", "kind": "environment", "production": true });
    server.post(session, "/api/v1/node/create", &new);
    let (_, bob) = Account::made_by(&server, session, "bob");
    let new =
        json!({ "holder": bob, "role": "viewer", "node": shop, "duty": "shop", "reason": "looks after it" });
    server.post(session, "/api/v1/grant/create", &new);
    let group =
        server.post(session, "/api/v1/group/create", &json!({ "name": "team", "purpose": "the shop" }));
    server.post(session, "/api/v1/group/add", &json!({ "group": group["group"], "member": bob }));
    let rule =
        json!({ "node": shop, "verb": "node:rename", "slots": [{ "name": "owner", "role": "owner" }] });
    server.post(session, "/api/v1/approval-rule/set", &rule);
    let rename = json!({ "node": shop, "name": "store" });
    assert_eq!(server.call("POST", "/api/v1/node/rename", Some(session), Some(&rename)).status, 202);
    server.stop();
    let target = fixtures().join(concat!("state-", env!("CARGO_PKG_VERSION")));
    assert!(!target.exists(), "{} is there already; a fixture is never changed", target.display());
    copy(&server.place.path("garrison"), &target);
}
