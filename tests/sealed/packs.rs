//! Evidence packs: what an auditor takes away holds on a machine that has nothing, and no change of it does.

use std::fs;

use serde_json::json;

use crate::by_hand;
use crate::logs::Siem;
use crate::proofs::{ANOTHER, asked, auditor, row, stranger};
use crate::server::Account;
use crate::support::Place;

/// Packs records that pass a filter, and brings them to somebody who has nothing else. Answers the key of the log.
fn packed(siem: &Siem, auditor: &str, query: &str) -> (Place, String) {
    let ran = asked(siem, auditor, &format!("evidence pack --query {query} --out pack.zip -o json"));
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let told = row(&ran);
    assert_eq!(
        (&told["holds"], &told["complete"], &told["made_by"]),
        (&json!(true), &json!(true), &json!("olga"))
    );
    let outsider = Place::new();
    fs::copy(siem.server.place.path("pack.zip"), outsider.path("pack.zip")).unwrap();
    (outsider, told["key"].as_str().unwrap().to_owned())
}

#[test]
fn a_pack_holds_without_the_server_and_no_change_of_it_does() {
    let siem = Siem::new("");
    let auditor = auditor(&siem);
    for name in ["packed-1", "<b>packed-2"] {
        siem.node(name);
    }
    let (outsider, key) = packed(&siem, &auditor, "operation:node:create");
    let own = row(&asked(&siem, &auditor, "audit checkpoint -o json"));
    assert_eq!(own["key"], key.as_str(), "the key that is handed over by another way");

    let count = by_hand(&siem.server.place, "SELECT count(*) FROM audit WHERE operation = 'node:create'");
    let verify = |line: &str| outsider.run(&format!("evidence verify {line} -o json"));
    let ran = verify(&format!("pack.zip --key {key}"));
    let told = row(&ran);
    assert_eq!((ran.code, told["records"].to_string()), (0, count), "{told}");
    assert!(told["of"].as_u64() > told["records"].as_u64(), "{told}");
    let unkeyed = verify("pack.zip");
    assert!(unkeyed.code == 0 && unkeyed.err.contains(&key), "{}", unkeyed.err);
    if let Some((holds, said)) = stranger(&outsider, &["pack.zip"], &key) {
        assert!(holds && said.starts_with("entries ["), "{said}");
    }

    let bytes = fs::read(outsider.path("pack.zip")).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    assert!(
        text.contains("packed-1") && text.contains("&#60;b&#62;packed-2"),
        "the report is there and escapes"
    );
    other_keys_and_changed_bytes(&outsider, &key, &bytes);
    what_was_asked_is_recorded(&siem, &auditor);
}

#[test]
fn who_audits_a_part_packs_the_records_of_that_part() {
    let siem = Siem::new("");
    let shop = siem.node("shop");
    siem.node("elsewhere");
    siem.source(&shop, "web-1");
    let (account, person) = Account::made_by(&siem.server, &siem.admin, "vera");
    siem.grant(&person, "auditor", &shop);
    let ran = asked(&siem, &account.session, "evidence pack --out part.zip -o json");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let bytes = fs::read(siem.server.place.path("part.zip")).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("web-1") && !text.contains("elsewhere"), "{}", row(&ran));
}

fn other_keys_and_changed_bytes(outsider: &Place, key: &str, bytes: &[u8]) {
    let verify = |line: &str| outsider.run(&format!("evidence verify {line} -o json"));
    let foreign = verify(&format!("pack.zip --key {ANOTHER}"));
    assert_eq!((foreign.code, &row(&foreign)["place"]), (3, &json!("log.vkey")));
    assert!(stranger(outsider, &["pack.zip"], ANOTHER).is_none_or(|(holds, _)| !holds));
    assert_eq!(verify("pack.zip --key nonsense").code, 2);
    assert_eq!(verify("none.zip").code, 1);

    let place_of = |needle: &str| memchr::memmem::find(bytes, needle.as_bytes()).unwrap();
    for (needle, named) in [
        ("\"asked\"", "manifest.json"),
        ("records.ndjson{", "records.ndjson"),
        ("proofs.ndjson{", "proofs.ndjson"),
        ("<title>", "report.html"),
    ] {
        let mut changed = bytes.to_vec();
        changed[place_of(needle) + needle.len() + 30] ^= 1;
        outsider.write("changed.zip", &changed);
        let ran = verify(&format!("changed.zip --key {key}"));
        assert_eq!((ran.code, &row(&ran)["place"]), (3, &json!(named)), "{}", ran.out);
        assert!(stranger(outsider, &["changed.zip"], key).is_none_or(|(holds, _)| !holds), "{named}");
    }
    outsider.write("changed.zip", &bytes[..bytes.len() - 1]);
    assert_eq!(verify(&format!("changed.zip --key {key}")).code, 3);
    outsider.write("changed.zip", "PK");
    assert_eq!(verify("changed.zip").code, 3);
}

fn what_was_asked_is_recorded(siem: &Siem, auditor: &str) {
    let asked_so_far = || {
        let sql = "SELECT count(*) FROM audit WHERE operation = 'evidence:pack' AND result = 'success'";
        by_hand(&siem.server.place, sql).parse::<u32>().unwrap()
    };
    let before = asked_so_far();
    assert_eq!(before, 1);
    let pack = |who: &str, line: &str| asked(siem, who, &format!("evidence pack {line} --out none.zip"));
    assert_eq!(pack(auditor, "--query operation:no:such").code, 4);
    assert_eq!(asked_so_far(), before + 1);
    let unknown = pack(auditor, "--query acter:anna");
    assert!(unknown.code == 2 && unknown.err.contains("acter"), "{}", unknown.err);
    assert_eq!(pack(auditor, "--from 2020-01-01 --to 2020-01-02").code, 4);
    assert_eq!(pack(&siem.admin, "").code, 5, "who acts does not prove");
    assert!(!siem.server.place.path("none.zip").exists());
    // The next pack tells of the question before, with the filter in it.
    let (outsider, _) = packed(siem, auditor, "verb:evidence*");
    let text = fs::read(outsider.path("pack.zip")).unwrap();
    assert!(String::from_utf8_lossy(&text).contains("no:such"));
}
