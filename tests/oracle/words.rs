//! What generated rules and events have in common: they match often only because both speak few words.

/// Fields that hold any kind of value. `A` differs from `a` only in case; `n.x` and `l.x` are paths, and
/// `n.x` sometimes also is a key as it stands.
pub const FIELDS: [&str; 9] = ["a", "A", "b", "c", "字段", "n.x", "n.y.z", "l.x", "absent"];

/// Values that rules are made of, too. They hold what escapes, wildcards, dashes and lower-casing trip over:
/// among them the Kelvin sign, the long s, dotted capital i, and sigma in and at the end of a word.
pub const WORDS: [&str; 39] = [
    "foo",
    "FOO",
    "foobar",
    "bar",
    "bar foo",
    "a-b",
    "-foo",
    "/foo",
    "\u{2013}foo",
    "\u{2014}foo /bar",
    "\u{2015}foo",
    "cmd /c -foo",
    "a*b",
    "a?b",
    "a\\b",
    "a\\*b",
    "dir\\foo.exe",
    "\\\\srv\\dir\\",
    "it's",
    "foo%name%",
    "straße",
    "STRASSE",
    "STRAẞE",
    "İstanbul",
    "istanbul",
    "ΟΔΟΣ",
    "οδος",
    "οδοσ",
    "\u{17f}et",
    "SET",
    "\u{212a}9",
    "k9",
    "é",
    "É",
    "密碼",
    "10",
    "1.5",
    "True",
    "FALSE",
];

/// Only these may stand in very short texts, so that every way to escape comes up against every value.
pub const ALPHABET: [char; 5] = ['a', 'b', '\\', '*', '?'];

pub const NUMBERS: [&str; 7] = ["10", "-3", "0", "7", "1.5", "10.0", "123456789012"];
