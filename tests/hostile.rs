//! Input that means harm or is broken: a clear word, bounded memory, and (see `Ran::new`) never a crash.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

use std::io::{self, Write};
use std::path::Path;
use std::process::{ChildStdin, Command};

use flate2::Compression;
use flate2::write::GzEncoder;
use regex::Regex;
use serde_json::Value;

use crate::support::{Place, REFUSED, Ran};

mod support;

const HUNT: &str = "hunt --threads 1 --rules rules -o ndjson";
const GOOD: &str =
    "Nov 20 13:05:00 web-1 sshd[812]: Failed password for root from 203.0.113.24 port 40022 ssh2\n";

/// Address space that the bounded runs get beside the program's own file: twice what a hunt over small files needs. With
/// too little of it the C library's memory takes a system call for every piece, and a run lasts for ever.
const KILOBYTES: u64 = 100_000;

/// The parts of the rule that some tests replace.
const SELECTION: &str = "{action: login, outcome: failure}";
const DETECTION: &str =
    "detection:\n  selection: {action: login, outcome: failure}\n  condition: selection\n";

/// A folder with the rule of the tests.
fn place() -> Place {
    let place = Place::new();
    place.write("rules/refused.yml", REFUSED);
    place
}

/// The command under a limit of address space: beyond it, allocations fail and the run dies by a signal.
fn bounded(command: &Command) -> Command {
    let program = std::fs::metadata(command.get_program()).unwrap().len() / 1024;
    let limit = format!("ulimit -v {} && exec \"$@\"", program + KILOBYTES);
    let mut shell = Command::new("sh");
    shell.args(["-c", &limit, "sh"]).arg(command.get_program()).args(command.get_args());
    shell.current_dir(command.get_current_dir().unwrap());
    shell
}

/// Hunts in a file within bounded memory.
fn hunt(place: &Place, file: &str) -> Ran {
    let line = format!("{HUNT} {file}");
    Ran::new(&line, bounded(&place.command(&line)).output().unwrap())
}

/// Hunts in a text.
fn hunt_in(text: impl AsRef<[u8]>) -> Ran {
    let place = place();
    place.write("x.log", text);
    hunt(&place, "x.log")
}

fn assert_told(ran: &Ran, pattern: &str) {
    assert!(Regex::new(pattern).unwrap().is_match(&ran.err), "no {pattern} in: {}", ran.err);
}

/// Bytes without any order, the same in every run.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

/// Writes the same bytes again and again, a megabyte at a time.
fn repeat(out: &mut impl Write, unit: &[u8], megabytes: usize) -> io::Result<()> {
    let block = unit.repeat((1 << 20) / unit.len());
    (0..megabytes).try_for_each(|_| out.write_all(&block))
}

/// Hunts in standard input that is written piece by piece.
fn hunt_in_stream(feed: fn(&mut ChildStdin) -> io::Result<()>) -> Ran {
    let line = format!("{HUNT} -");
    let place = place();
    Ran::fed(&line, &mut bounded(&place.command(&line)), feed)
}

#[test]
fn a_line_of_100_megabytes_is_cut_and_the_lines_around_it_are_read() {
    let ran = hunt_in_stream(|pipe| {
        pipe.write_all(GOOD.as_bytes())?;
        repeat(pipe, b"x", 100)?;
        write!(pipe, "\n{GOOD}")
    });
    assert_eq!((ran.code, ran.rows().len()), (1, 2), "{}", ran.err);
    assert_told(&ran, r"(?m)^-:2: longer than \d+ bytes");
}

#[test]
fn json_of_100_megabytes_without_an_end_hides_no_line_after_it() {
    let ran = hunt_in_stream(|pipe| {
        pipe.write_all(b"{\"a\": [")?;
        repeat(pipe, b"\"x\",\n", 100)?;
        write!(pipe, "\n{GOOD}")
    });
    assert_eq!(ran.rows().len(), 1, "{}", ran.err);
}

#[test]
fn binary_input_that_is_named_is_a_failure() {
    let piped = place().run_on(&format!("{HUNT} -"), noise(100_000));
    for ran in [hunt_in(noise(100_000)), piped] {
        assert_eq!((ran.code, ran.out.as_str()), (1, ""));
        assert_told(&ran, r"(?m)^(x\.log|-): binary");
    }
}

#[test]
fn a_binary_file_in_a_folder_is_skipped_with_a_word() {
    let place = place();
    place.write("logs/core", noise(100_000));
    place.write("logs/auth.log", GOOD);
    let ran = hunt(&place, "logs");
    assert_eq!((ran.code, ran.rows().len()), (3, 1));
    assert_told(&ran, r"(?m)^logs/core: skipped: \S");
}

#[test]
fn bytes_that_are_not_utf8_hide_nothing() {
    let line = b"Nov 20 13:05:00 web-1 sshd[8]: Failed password for invalid user \xff\xc3\x28 from 192.0.2.7 port 4 ssh2\n";
    let ran = hunt_in(line);
    assert_eq!(ran.rows()[0]["address"], "192.0.2.7");
    assert_told(&ran, "1 not UTF-8");
}

#[test]
fn nul_bytes_hide_nothing() {
    let nul = "\0".repeat(4096);
    let ran = hunt_in(format!("{}{nul}\n{GOOD}", GOOD.repeat(100)));
    assert_eq!(ran.rows().len(), 101);
}

#[test]
fn nul_bytes_in_front_of_a_line_do_not_hide_it() {
    // A host that loses power leaves a block of NUL in its log, and the next line follows without a line end.
    let nul = "\0".repeat(4096);
    let ran = hunt_in(format!("{}{nul}{GOOD}", GOOD.repeat(100)));
    assert_eq!(ran.rows().len(), 101);
}

#[test]
fn a_log_that_begins_with_nul_bytes_is_still_a_log() {
    // The same block where the log was rotated just before.
    let ran = hunt_in(format!("{}\n{}", "\0".repeat(512), GOOD.repeat(100)));
    assert_eq!((ran.code, ran.rows().len()), (3, 100), "{}", ran.err);
}

/// A line with what terminals obey: erase the screen, set the title, C1, and turn the direction of writing.
const ESCAPES: &str = "Nov 20 13:05:00 web-1 sshd[8]: Failed password for invalid user \
     \u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}toor\u{2066}\u{200f}\u{61c} from 192.0.2.7 port 4 ssh2";

#[test]
fn terminal_codes_do_not_reach_the_table() {
    let place = place();
    place.write("\u{1b}[31m.log", format!("{ESCAPES}\n"));
    let ran = place.run("hunt --rules rules --summary .");
    let obeyed = |char: &char| {
        (char.is_control() && *char != '\n')
            || matches!(char, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(ran.out.contains("SSH login refused"), "{}", ran.out);
    assert_eq!(ran.out.chars().find(obeyed), None, "standard output");
    assert_eq!(ran.err.chars().find(obeyed), None, "standard error");
}

#[test]
fn terminal_codes_are_escaped_in_ndjson_and_not_lost() {
    let ran = hunt_in(ESCAPES);
    assert!(!ran.out.contains('\u{1b}') && !ran.out.contains('\u{7}'));
    assert_eq!(ran.rows()[0]["raw"], ESCAPES);
}

#[test]
fn a_formula_is_defused_in_csv() {
    for start in ["=", "+", "-", "@"] {
        let place = place();
        let name = format!("{start}HYPERLINK(1)");
        place.write("x.log", GOOD.replace("root", &format!("invalid user {name}")));
        let out = place.run("hunt --rules rules -o csv x.log").out;
        // The apostrophe that OWASP advises; quotes alone do not stop a spreadsheet.
        assert!(out.contains(&format!("'{name}")), "{out}");
    }
}

#[test]
fn deep_json_is_bounded() {
    for (open, close) in [("{\"a\":", "}"), ("[", "]")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        let ran = hunt_in(format!("{{\"a\":{deep}}}\n{GOOD}"));
        assert_eq!(ran.rows().len(), 1, "{open}");
    }
}

#[test]
fn json_of_100_000_keys_is_bounded() {
    let keys: Vec<String> = (0..100_000).map(|key| format!("\"{key}\":1")).collect();
    let ran = hunt_in(format!("{{{}}}\n{GOOD}", keys.join(",")));
    assert_eq!((ran.code, ran.rows().len()), (1, 1), "{}", ran.err);
    assert!(ran.err.contains(":1: has more"), "{}", ran.err);
}

/// Hunts in a gigabyte of the same bytes, compressed by gzip and by zstd. Both formats may be appended to
/// themselves, so that only a part has to be compressed.
fn hunt_in_bombs(unit: &[u8]) -> [Ran; 2] {
    let part = unit.repeat((16 << 20) / unit.len());
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&part).unwrap();
    let place = place();
    place.write("bomb.gz", gzip.finish().unwrap().repeat(64));
    place.write("bomb.zst", zstd::encode_all(part.as_slice(), 0).unwrap().repeat(64));
    ["bomb.gz", "bomb.zst"].map(|bomb| hunt(&place, bomb))
}

#[test]
fn bombs_are_refused() {
    for (unit, word) in [
        ("\0", "binary|expands"),
        ("a", "longer|expands"),
        // Nothing is wrong with any of these lines.
        ("log\n", "expands"),
    ] {
        for ran in hunt_in_bombs(unit.as_bytes()) {
            assert_eq!(ran.code, 1, "{unit:?}: {}", ran.err);
            assert_told(&ran, &format!(r"(?m)^bomb\.\w+(:\d+)?: ({word})"));
        }
    }
}

#[test]
fn an_event_file_that_is_none_is_a_failure() {
    for rest in [vec![], vec![0; 3], noise(200_000)] {
        let ran = hunt_in([b"ElfFile\0".as_slice(), &rest].concat());
        assert_eq!((ran.code, ran.out.as_str()), (1, ""));
        assert_told(&ran, r"(?m)^x\.log: \S");
    }
}

#[test]
fn a_truncated_event_file_is_a_failure_that_says_so() {
    let data = std::env::var_os("GARRISON_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), Into::into);
    let Some(whole) = event_file(&data.join("sigma/regression_data")) else {
        println!("skipped: no Windows event file in the test data");
        return;
    };
    let ran = hunt_in(&whole[..whole.len() / 2]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert_told(&ran, r"(?m)^x\.log: \S");
}

/// Some Windows event file under a folder: the first by name.
fn event_file(folder: &Path) -> Option<Vec<u8>> {
    let mut entries: Vec<_> = folder.read_dir().ok()?.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries.iter().find_map(|path| match path.extension() {
        Some(extension) if extension == "evtx" => Some(std::fs::read(path).unwrap()),
        _ => event_file(path),
    })
}

#[test]
fn nothing_is_no_failure() {
    for text in ["", "\n", "\n\n\r\n \n"] {
        let ran = hunt_in(text);
        assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{text:?}");
        assert_told(&ran, "0 events");
    }
}

#[test]
fn carriage_returns_are_no_part_of_an_event() {
    let rows = hunt_in(GOOD.replace('\n', "\r\n").repeat(2)).rows();
    let raw: Vec<&Value> = rows.iter().map(|row| &row["raw"]).collect();
    assert_eq!(raw, [GOOD.trim_end(), GOOD.trim_end()]);
}

#[test]
fn utf16_is_read_as_text() {
    for endian in [u16::to_le_bytes, u16::to_be_bytes] {
        let text = format!("\u{feff}{}", GOOD.replace("root", "größe"));
        let bytes: Vec<u8> = text.encode_utf16().flat_map(endian).collect();
        assert_eq!(hunt_in(bytes).rows()[0]["user"], "größe");
    }
}

#[test]
fn a_byte_order_mark_hides_nothing() {
    assert_eq!(hunt_in(format!("\u{feff}{GOOD}")).rows().len(), 1);
}

#[test]
fn json_without_an_end_hides_no_line_after_it() {
    for broken in ["{", "[", "{\"a\": \"", "{\"a\": {\"b\": 1}", "{\"Records\": [", "[{\"a\": 1},", "}{", "]"]
    {
        let ran = hunt_in(format!("{broken}\n{}", GOOD.repeat(3)));
        assert_eq!(ran.rows().len(), 3, "{broken}");
    }
}

#[test]
fn audit_events_that_never_end_are_judged_once_each() {
    let place = place();
    let rule = REFUSED.replace("sshd", "auditd").replace(SELECTION, "{exe: /bin/x}");
    place.write("rules/audit.yml", rule);
    let line = |id| {
        format!("type=SYSCALL msg=audit(1795179600.100:{id}): syscall=59 pid=9 comm=\"x\" exe=\"/bin/x\"\n")
    };
    place.write("audit.log", (0..10_000).map(line).collect::<String>());
    assert_eq!(hunt(&place, "audit.log").rows().len(), 10_000);
}

/// What `rule lint` says of a file that holds one rule, which must be refused with its file and line.
fn refusal(rule: impl AsRef<[u8]>) -> (u64, String) {
    let place = Place::new();
    place.write("bad/rule.yml", rule);
    let line = "rule lint --rules bad -o ndjson";
    let ran = Ran::new(line, bounded(&place.command(line)).output().unwrap());
    let rows = ran.rows();
    assert_eq!((ran.code, rows.len()), (3, 1), "{}{}", ran.out, ran.err);
    assert_eq!((&rows[0]["file"], &rows[0]["severity"]), (&"bad/rule.yml".into(), &"error".into()));
    (rows[0]["line"].as_u64().unwrap(), rows[0]["reason"].as_str().unwrap().to_owned())
}

#[test]
fn rule_files_that_are_no_rules_are_refused() {
    let anchor = |level| format!("a{level}: &a{level} [{}]\n", format!("*a{},", level - 1).repeat(10));
    let anchors = (1..12).map(anchor).collect::<Vec<_>>().concat();
    let deep = format!("{REFUSED}deep: {}{}\n", "[".repeat(50_000), "]".repeat(50_000));
    for (what, text) in [
        ("binary", noise(50_000)),
        ("NUL bytes", vec![0; 1000]),
        ("2 MB", format!("{REFUSED}# {}\n", "x".repeat(2_000_000)).into_bytes()),
        ("aliases that multiply", format!("a0: &a0 [x, x]\n{anchors}{REFUSED}").into_bytes()),
        ("deep", deep.into_bytes()),
        ("a list", b"- a\n- b\n".to_vec()),
        ("a text", b"just words\n".to_vec()),
        ("no end of a quote", b"title: 'open\n".to_vec()),
    ] {
        let (line, reason) = refusal(text);
        assert!(line > 0 && !reason.is_empty(), "{what}");
    }
}

#[test]
fn a_wrong_part_of_a_rule_is_refused_on_its_line() {
    for (right, wrong, line) in [
        ("title: SSH login refused", "title: [1]", 1),
        ("level: low", "level: 7", 7),
        (DETECTION, "detection: 5\n", 4),
        ("condition: selection", "condition: {}", 6),
        ("condition: selection", "condition: selection and", 6),
        ("condition: selection", "condition: other", 6),
        (SELECTION, "{action: {a: b}}", 5),
        (SELECTION, "{action: [{a: b}]}", 5),
        (SELECTION, "{action|nonsense: login}", 5),
        (SELECTION, "{action|re: '('}", 5),
        (SELECTION, "{action|re: 'a(?=b)'}", 5),
        (SELECTION, "{action|re: 'a(?<!b)c'}", 5),
        (SELECTION, "{action|cidr: 10.0.0.0/99}", 5),
    ] {
        let bad = REFUSED.replace(right, wrong);
        assert_ne!(bad, REFUSED);
        let (told, reason) = refusal(&bad);
        assert_eq!(told, line, "{wrong}: {reason}");
        // Two back quotes with nothing between them: the reason names nothing.
        assert!(!reason.is_empty() && !reason.contains("``"), "{wrong}: {reason}");
    }
}

#[test]
fn a_log_source_that_cannot_be_read_is_not_taken_for_every_log() {
    for source in ["{product: {a: b}}", "{product: [linux]}", "{product: 5}", "{}", "[]", "linux"] {
        let (line, _) = refusal(REFUSED.replace("{product: linux, service: sshd}", source));
        assert_eq!(line, 3, "{source}");
    }
}

#[test]
fn a_label_of_a_wrong_type_is_refused() {
    for label in ["id: {}", "tags: {a: b}", "tags: [[a]]", "status: [1]", "description: {}", "date: [1]"] {
        let rest = REFUSED.replace("id: 11111111-1111-4111-8111-111111111111\n", "");
        assert_eq!(refusal(format!("{label}\n{rest}")).0, 1, "{label}");
    }
}
