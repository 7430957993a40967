//! Random events: flat and nested, with lists, nulls, and objects where rules expect plain values.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::words::{ALPHABET, NUMBERS, WORDS};

/// `foo` and `密碼` in Base64, UTF-16 and both, alone and at each offset within other text. The second one is
/// the first in other case: encoded text is compared ignoring case unless the rule says `cased`.
const ENCODED: [&str; 14] = [
    "Zm9v",
    "zM9V",
    "say Zm9vYmFy!",
    "eGZvbw==",
    "eGZvb2Jhcg==",
    "eHhmb29iYXI=",
    "5a+G56K8",
    "ZgBvAG8A",
    "UABmAG8AbwA=",
    "//5mAG8AbwA=",
    "AGYAbwBv",
    "f\0o\0o\0",
    "\u{feff}f\0o\0o\0",
    "\0f\0o\0o",
];

const ADDRESSES: [&str; 12] = [
    "10.0.0.7",
    "10.0.1.1",
    "192.168.7.9",
    "10.0.0.256",
    "10.0.0",
    "fe80::1",
    "FE80::2",
    "febf::7",
    "fec0::1",
    "2001:0db8::1",
    "::1",
    "no address",
];

const LINES: [&str; 6] = ["foo\nbar", "bar\nfoo\n", "foo\r\nbar", "\n", "FOO\nBar", "foo bar"];

pub fn event(random: &mut Rng) -> Value {
    let mut event = Map::new();
    for key in ["a", "A", "b", "c", "字段"] {
        if random.u8(..4) > 0 {
            event.insert(key.to_owned(), value(random));
        }
    }
    if let (Some(Value::String(text)), true) = (event.get("a"), random.bool()) {
        let around = enclosed(random, &text.to_uppercase());
        event.insert("b".to_owned(), Value::String(around));
    }
    event.insert("num".to_owned(), number(random));
    event.insert("code".to_owned(), json!(random.choice(ENCODED)));
    event.insert("lines".to_owned(), json!(random.choice(LINES)));
    event.insert("ip".to_owned(), address(random));
    event.insert("n".to_owned(), nested(random));
    event.insert("l".to_owned(), Value::Array((0..random.u8(..3)).map(|_| nested(random)).collect()));
    if random.u8(..8) == 0 {
        event.insert("n.x".to_owned(), value(random));
    }
    Value::Object(event)
}

/// `b` refers to `a`: equal but for case, or with something before it, after it, or both.
fn enclosed(random: &mut Rng, text: &str) -> String {
    match random.u8(..4) {
        0 => text.to_owned(),
        1 => format!("x{text}"),
        2 => format!("{text}x"),
        _ => format!("x{text}x"),
    }
}

/// Something for `n.x`, `n.y.z` and `l.x` to lead into, or to run aground on.
fn nested(random: &mut Rng) -> Value {
    match random.u8(..8) {
        0 => value(random),
        1 => json!([{"x": value(random)}, text(random), {"x": value(random), "y": {"z": value(random)}}]),
        2 => json!({"y": [{"z": value(random)}, {"z": value(random)}]}),
        3 => json!({"X": value(random), "y": value(random)}),
        _ => json!({"x": value(random), "y": {"z": value(random)}}),
    }
}

fn value(random: &mut Rng) -> Value {
    match random.u8(..32) {
        0 => Value::Null,
        1 => json!(""),
        2 => json!([]),
        3 => json!({"inner": text(random)}),
        4..=6 => (0..random.u8(1..4)).map(|_| scalar(random)).collect(),
        _ => scalar(random),
    }
}

fn scalar(random: &mut Rng) -> Value {
    match random.u8(..16) {
        0 => Value::Null,
        1 => Value::Bool(random.bool()),
        2..=3 => number(random),
        _ => Value::String(text(random)),
    }
}

/// Numbers, the same numbers as text, and text that is nearly one.
fn number(random: &mut Rng) -> Value {
    let digits = random.choice(NUMBERS).unwrap_or("0");
    match random.u8(..8) {
        0..=3 => digits.parse().map_or(Value::Null, Value::Number),
        4..=5 => Value::String(digits.to_owned()),
        6 => Value::String(format!("0{digits}")),
        _ => Value::String(format!("{digits}x")),
    }
}

fn address(random: &mut Rng) -> Value {
    match random.u8(..8) {
        0 => json!([random.choice(ADDRESSES), random.choice(ADDRESSES)]),
        _ => json!(random.choice(ADDRESSES)),
    }
}

fn text(random: &mut Rng) -> String {
    let word = |random: &mut Rng| random.choice(WORDS).unwrap_or_default();
    match random.u8(..16) {
        0 => random.choice(ENCODED).unwrap_or_default().to_owned(),
        1 => random.choice(LINES).unwrap_or_default().to_owned(),
        2..=4 => (0..random.u8(..5)).filter_map(|_| random.choice(ALPHABET)).collect(),
        5 => format!("{} {}", word(random), word(random)),
        _ => word(random).to_owned(),
    }
}
