//! The command line as a whole: what every command promises, found by walking the help texts.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Place, REFUSED, Ran};

mod support;

const FORMATS: [&str; 5] = ["table", "json", "ndjson", "yaml", "csv"];

/// Commands whose output is made for another program, in that program's own format, or that print none.
const NO_DATA: [&str; 4] = ["completion", "config schema", "man", "serve"];

/// Command lines that print at least one row without reading anything but `broken`.
const PRINTING: [&str; 8] = [
    "config show",
    "config show --origin",
    "rule list",
    "rule show sudo",
    "rule lint --rules broken",
    "rule test",
    "version",
    "log generate --events 50",
];

/// A folder with a rule that is refused, so that `rule lint` has something to say.
fn place() -> Place {
    let place = Place::new();
    place.write("broken/rule.yml", "title: No detection\nlogsource: {product: linux}\n");
    place
}

/// Every command by its words, with its help. A command that has commands of its own comes first.
fn walk(place: &Place, words: &str, found: &mut Vec<(String, String)>) {
    let ran = place.run(&format!("{words} --help"));
    assert_eq!(ran.code, 0, "{words} --help");
    let names: Vec<String> = commands(&ran.out).map(str::to_owned).collect();
    found.push((words.to_owned(), ran.out));
    for name in names {
        walk(place, format!("{words} {name}").trim(), found);
    }
}

/// The names under `Commands:` in a help text.
fn commands(help: &str) -> impl Iterator<Item = &str> {
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    // What is indented further goes on with the words of the line before.
    let entries = list.take_while(|line| !line.is_empty()).filter_map(|line| line.strip_prefix("  "));
    entries.filter_map(|line| line.split(' ').next()).filter(|name| !["", "help"].contains(name))
}

fn all_commands() -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(&Place::new(), "", &mut found);
    found
}

/// The commands that do something, with their help.
fn leaves() -> Vec<(String, String)> {
    all_commands().into_iter().filter(|(_, help)| commands(help).next().is_none()).collect()
}

#[test]
fn the_walk_reaches_the_leaves() {
    let names: Vec<String> = leaves().into_iter().map(|(words, _)| words).collect();
    for known in ["hunt", "rule lint", "log generate", "completion", "man", "version"] {
        assert!(names.iter().any(|name| name == known), "{known} is not among {names:?}");
    }
}

#[test]
fn every_help_has_examples() {
    for (words, help) in all_commands() {
        let examples = help.lines().skip_while(|line| *line != "Examples:").skip(1);
        let called = examples.take_while(|line| line.starts_with("  ")).any(|line| line.contains("garrison"));
        assert!(called, "garrison {words} --help shows no example");
    }
}

#[test]
fn every_command_that_prints_data_takes_every_format() {
    for (words, help) in leaves() {
        let offered = help.contains("-o, --output <") && FORMATS.iter().all(|name| help.contains(name));
        assert_eq!(offered, !NO_DATA.contains(&words.as_str()), "garrison {words}: -o");
    }
}

#[test]
fn an_unknown_format_is_refused_by_every_command() {
    let place = Place::new();
    for (words, _) in leaves().into_iter().filter(|(words, _)| !NO_DATA.contains(&words.as_str())) {
        let ran = place.run(&format!("{words} -o xml"));
        assert_eq!((ran.code, ran.err.contains("--output")), (2, true), "garrison {words}: {}", ran.err);
    }
}

#[test]
fn json_and_ndjson_hold_the_same_rows() {
    let place = place();
    for line in PRINTING {
        let list: Vec<Value> = serde_json::from_str(&place.run(&format!("{line} -o json")).out).unwrap();
        let rows = place.run(&format!("{line} -o ndjson")).rows();
        assert!(!rows.is_empty() && rows == list, "garrison {line}");
    }
}

#[test]
fn csv_has_a_head_line_and_as_many_cells_in_every_record() {
    let place = place();
    for line in PRINTING {
        let records = csv(&place.run(&format!("{line} -o csv")).out);
        let head = records[0].join(",");
        assert!(head.chars().all(|char| matches!(char, 'a'..='z' | '_' | ',')), "garrison {line}: {head}");
        assert!(records.len() > 1, "garrison {line} prints no record");
        assert!(records.iter().all(|record| record.len() == records[0].len()), "garrison {line}");
    }
}

/// Records of CSV as RFC 4180 describes it.
fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut cells, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    for char in text.chars() {
        match char {
            // A doubled quote closes and opens again; what is lost of it does not change the number of cells.
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                cells.push(std::mem::take(&mut cell));
                records.push(std::mem::take(&mut cells));
            }
            _ => cell.push(char),
        }
    }
    assert!(!quoted && cell.is_empty() && cells.is_empty(), "the last record has no end");
    records
}

#[test]
fn yaml_is_a_list() {
    let place = place();
    for line in PRINTING {
        let out = place.run(&format!("{line} -o yaml")).out;
        assert!(out.starts_with("- "), "garrison {line}: {out}");
    }
}

#[test]
fn no_rows_are_still_a_document() {
    let place = Place::new();
    place.write("quiet.log", "nothing happens\n");
    for line in ["rule lint", "hunt quiet.log"] {
        for (format, nothing) in [("json", "[]\n"), ("ndjson", ""), ("yaml", "[]\n")] {
            let ran = place.run(&format!("{line} -o {format}"));
            assert_eq!(ran.out, nothing, "garrison {line} -o {format}");
        }
    }
}

#[test]
fn no_rows_of_csv_still_have_their_head_line() {
    let place = Place::new();
    place.write("quiet.log", "nothing happens\n");
    for line in ["rule lint", "hunt quiet.log"] {
        let ran = place.run(&format!("{line} -o csv"));
        assert_eq!(csv(&ran.out).len(), 1, "garrison {line} -o csv");
    }
}

#[test]
fn a_table_lines_its_columns_up() {
    let out = Place::new().run("rule list").out;
    let lines: Vec<&str> = out.lines().collect();
    let title = lines[0].find("TITLE").unwrap();
    let begins = |line: &&str| line.get(title - 2..title) == Some("  ") && !line[title..].starts_with(' ');
    assert!(lines.iter().all(begins), "{out}");
}

#[test]
fn completion_scripts_know_the_commands() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = place.run(&format!("completion {shell}")).out;
        assert!(script.contains("hunt"), "completion {shell}");
    }
}

#[test]
fn bash_can_read_its_completion_script() {
    let place = Place::new();
    place.write("garrison.bash", place.run("completion bash").out);
    let read = Command::new("bash").arg("-n").arg(place.path("garrison.bash")).status().unwrap();
    assert!(read.success());
}

fn is_manual(text: &str) -> bool {
    (text.starts_with(".ie") || text.starts_with(".TH")) && text.contains("\n.SH NAME")
}

#[test]
fn man_prints_a_manual_page() {
    assert!(is_manual(&Place::new().run("man").out));
}

#[test]
fn man_writes_a_page_for_each_command() {
    let place = Place::new();
    place.write("pages/.keep", "");
    assert_eq!(place.run("man --dir pages").code, 0);
    for (words, _) in all_commands() {
        let name = format!("garrison {words}").trim().replace(' ', "-");
        let page = std::fs::read_to_string(place.path(&format!("pages/{name}.1"))).unwrap_or_default();
        assert!(is_manual(&page), "{name}.1");
    }
}

#[test]
fn wrong_usage_is_answered_by_2_and_names_what_is_wrong() {
    let place = Place::new();
    for (line, named) in [
        ("hunnt", "hunnt"),
        ("hunt --no-such-flag x", "--no-such-flag"),
        ("hunt", "<FILE|DIR|->"),
        ("hunt --level loud x", "--level"),
        ("hunt --from soon x", "--from"),
        ("hunt --from 2026-02-30 x", "--from"),
        ("hunt --to 25:00 x", "--to"),
        ("hunt --zone Mars x", "--zone"),
        ("hunt --threads none x", "--threads"),
        ("hunt --threads 0 x", "--threads"),
        ("rule list --level 5", "--level"),
        ("rule show", "<ID|TITLE>"),
        ("rule lint stray", "stray"),
        ("log generate --story nowhere", "--story"),
        ("log generate --events many", "--events"),
        ("log generate --date 2026-13-40", "--date"),
        ("init --listen here", "--listen"),
        ("config show --set server.listen", "--set"),
        ("tenant create", "<NAME>"),
        ("completion tcsh", "<SHELL>"),
        ("completion", "<SHELL>"),
    ] {
        let ran = place.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "garrison {line}: {}", ran.err);
        assert!(ran.err.contains(named), "garrison {line}: {}", ran.err);
    }
}

#[test]
fn the_starter_rules_pass_their_tests() {
    let ran = Place::new().run("rule test -o ndjson");
    let last = ran.err.lines().last().unwrap();
    let passed: usize = last.strip_suffix(" passed, 0 failed").expect(last).parse().unwrap();
    assert_eq!((ran.code, passed), (0, ran.rows().len()));
}

#[test]
fn a_failing_rule_test_is_counted_and_named() {
    let place = Place::new();
    place.write("mine/login.yml", REFUSED);
    let tests = std::fs::read_to_string(starter("linux/sshd/root_login.test.yml")).unwrap();
    place.write("mine/login.test.yml", tests);
    let ran = place.run("rule test --rules mine -o ndjson");
    let failed = ran.rows().iter().filter(|row| row["result"] == "failed").count();
    assert_eq!(ran.code, 3, "the tests are those of another rule");
    assert!(failed > 0 && ran.err.trim_end().ends_with(&format!(", {failed} failed")), "{}", ran.err);
}

/// A file of the starter rules.
fn starter(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules").join(name)
}

#[test]
fn a_rule_that_does_not_exist_is_4() {
    let ran = Place::new().run("rule show nonsense");
    assert_eq!((ran.code, ran.out.as_str()), (4, ""));
    assert!(ran.err.contains("nonsense"), "{}", ran.err);
}

#[test]
fn words_are_not_mixed_into_data() {
    let ran = place().run("rule lint --rules broken -o json");
    assert!(ran.err.contains("refused"), "the summary is on standard error: {}", ran.err);
    assert!(serde_json::from_str::<Vec<Value>>(&ran.out).is_ok(), "{}", ran.out);
}

#[test]
fn logs_can_be_piped_into_a_hunt() {
    let place = Place::new();
    let logs = place.run("log generate --story shop --attack --events 2000").out;
    assert_eq!(place.run_on("hunt -", logs).code, 3);
}

#[test]
fn the_same_seed_gives_the_same_logs() {
    let place = Place::new();
    let logs = |seed: u64| place.run(&format!("log generate --events 500 --seed {seed}")).out;
    assert_eq!(logs(7), logs(7));
    assert_ne!(logs(7), logs(8));
}

#[test]
fn a_reader_that_stops_early_is_no_failure() {
    let place = Place::new();
    let mut child = place
        .command("log generate --events 200000")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ran = Ran::new("log generate", child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}
