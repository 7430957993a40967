//! Random rules as YAML text, made of everything that Sigma 2 offers except timestamp parts.

use std::collections::BTreeMap;

use fastrand::Rng;

use crate::words::{ALPHABET, FIELDS, NUMBERS, WORDS};

/// Identifiers that begin like operators or quantifiers, or with the `_` that selectors pass over.
const IDENTIFIERS: [&str; 14] = [
    "sel",
    "sel_a",
    "sel_b",
    "SEL_a",
    "selection",
    "filter",
    "filter_1",
    "_sel",
    "_hidden",
    "notsel",
    "order",
    "android",
    "all_in",
    "1_of",
];

const SELECTORS: &str = "them them sel* sel_* filter* *_a * _* s*l f*r*";

/// Texts as a rule has them, before its escapes and wildcards are understood.
const RAW: &str = r"
    * ? ** \ \\ \* \? \\* \\\* a\ a\\ *\* \\? *\\b ?\?b
    f?o *oo fo* f*o* *\foo.exe *\\foo.exe \\\\srv\\* \\srv\dir\ 密? ?stan*
";

/// Understood by Python, which only checks them, and by Rust.
const REGEXES: &str = r"
    foo ^foo foo$ ^FOO$ ^bar$ foo.bar o{2}b? ^\d+$ \d\.\d \ba\b [ab]\* \\$ ^$
    stra(ß|ẞ|ss)e (?i)σ [kſ] 密. ^(true|.{3})$
";

/// Each of these depends on a flag where `lines` has line breaks.
const LINE_REGEXES: &str = "^bar$ ^foo$ o$ ^b foo.bar bar.foo ^f.*r$ o.$";

const NETWORKS: [&str; 10] = [
    "10.0.0.0/8",
    "10.0.0.0/24",
    "10.0.0.6/31",
    "10.0.0.7/32",
    "0.0.0.0/0",
    "192.168.0.0/16",
    "fe80::/10",
    "2001:db8::/32",
    "::1/128",
    "::/0",
];

/// With `-` or `/` where windash looks for it, where it must not look, and next to a wildcard.
const DASHED: [&str; 8] = ["-foo", "/foo", "a-b", "*-foo", "-foo*", "cmd /c -foo", " /bar", "-密碼"];

/// What `code` holds in encoded form, and what it does not.
const DECODED: [&str; 5] = ["foo", "oo", "foobar", "密碼", "Foo"];

/// Plain ASCII, because pySigma refuses to widen anything else.
const WIDENED: [&str; 4] = ["foo", "oo", "say foo", "Foo"];

pub fn rule(random: &mut Rng, id: &str) -> String {
    let mut names = IDENTIFIERS.to_vec();
    random.shuffle(&mut names);
    names.truncate(random.usize(2..5));
    let detections: Vec<String> =
        names.iter().map(|name| format!("  {name}: {}\n", detection(random))).collect();
    let condition = quoted(&expression(random, &names, 3));
    let condition = match random.u8(..8) {
        0 => format!("[{condition}, {}]", quoted(&expression(random, &names, 1))),
        _ => condition,
    };
    format!(
        "title: Generated {id}\nid: {id}\nlogsource:\n  category: test\ndetection:\n{}  condition: {condition}\n",
        detections.concat()
    )
}

/// Parentheses come and go at random, so that precedence decides what belongs together.
fn expression(random: &mut Rng, names: &[&str], depth: u8) -> String {
    if depth == 0 {
        return operand(random, names);
    }
    let part = |random: &mut Rng| expression(random, names, depth - 1);
    match random.u8(..16) {
        0..=3 => operand(random, names),
        4..=5 => format!("not {}", part(random)),
        6 => format!("not ({})", part(random)),
        7..=8 => format!("({})", part(random)),
        9..=12 => format!("{} and {}", part(random), part(random)),
        _ => format!("{} or {}", part(random), part(random)),
    }
}

fn operand(random: &mut Rng, names: &[&str]) -> String {
    let name = pick(random, names);
    let pattern = word_of(random, SELECTORS);
    // pySigma refuses a selector that selects nothing.
    if random.bool() || !names.iter().any(|name| selects(pattern, name)) {
        return name.to_owned();
    }
    format!("{} of {pattern}", word_of(random, "1 all any"))
}

fn selects(pattern: &str, name: &str) -> bool {
    let hidden = name.starts_with('_') && !pattern.starts_with('_');
    let pattern = if pattern == "them" { "*" } else { pattern };
    let regex = format!("^{}$", pattern.replace('*', ".*"));
    !hidden && regex::Regex::new(&regex).is_ok_and(|regex| regex.is_match(name))
}

fn detection(random: &mut Rng) -> String {
    match random.u8(..16) {
        0 => text(random),
        1 => list(random, keyword),
        2..=3 => format!("{{{}}}", keyword_item(random)),
        4..=6 => list(random, map),
        _ => map(random),
    }
}

/// A map of one or two items. YAML forbids the same key twice.
fn map(random: &mut Rng) -> String {
    let length = if random.u8(..4) == 0 { 2 } else { 1 };
    let items: BTreeMap<String, String> = (0..length).map(|_| item(random)).collect();
    let items: Vec<String> = items.iter().map(|(key, value)| format!("{}: {value}", quoted(key))).collect();
    format!("{{{}}}", items.join(", "))
}

/// A null among keywords is legal, though it never matches.
fn keyword(random: &mut Rng) -> String {
    match random.u8(..16) {
        0 => "null".to_owned(),
        1..=2 => pick(random, &NUMBERS).to_owned(),
        _ => text(random),
    }
}

fn keyword_item(random: &mut Rng) -> String {
    match random.u8(..8) {
        0 => format!("'|all': {}", text(random)),
        1..=3 => format!("'|all': {}", list(random, keyword)),
        4 => format!("'|cased': {}", text(random)),
        5 => format!("'|re': {}", regex(random)),
        6 => format!("'|windash|contains|all': {}", list(random, dashed)),
        _ => format!("'|base64offset|contains': {}", quoted(pick(random, &DECODED))),
    }
}

/// What follows a field: modifiers, each with its `|`, and the value or list of values as YAML.
type Item = (String, String);

/// Most kinds go with any field. The others match next to nothing but in the field that is made for them.
fn item(random: &mut Rng) -> (String, String) {
    let general =
        [plain, plain, affix, affix, affix, regex_item, windash, reference, exists, negated, placeholder];
    let (field, (modifiers, value)) = match random.u8(..18) {
        0 => ("num", number(random)),
        1 => ("num", compared(random)),
        2 => ("ip", network(random)),
        3 => ("code", encoded(random)),
        4 => ("code", widened(random)),
        5 => ("lines", line_regex_item(random)),
        6 => ("b", (reference(random).0, quoted("a"))),
        7 => (pick(random, &FIELDS), pick(random, &[number, compared, network, encoded, widened])(random)),
        _ => (pick(random, &FIELDS), pick(random, &general)(random)),
    };
    (format!("{field}{modifiers}"), value)
}

fn plain(random: &mut Rng) -> Item {
    match random.u8(..5) {
        0 => ("|all".to_owned(), values(random, any_value)),
        1 => ("|cased".to_owned(), values(random, text)),
        _ => (String::new(), values(random, any_value)),
    }
}

fn affix(random: &mut Rng) -> Item {
    let affix = word_of(random, "contains startswith endswith");
    let modifiers = word_of(random, "|{} |{} |{}|all |all|{} |{}|cased |cased|{} |{}|all|cased");
    (modifiers.replace("{}", affix), values(random, fragment))
}

fn number(random: &mut Rng) -> Item {
    (String::new(), values(random, |random| pick(random, &NUMBERS).to_owned()))
}

fn compared(random: &mut Rng) -> Item {
    (word_of(random, "|lt |lte |gt |gte |gt|neq").to_owned(), pick(random, &NUMBERS).to_owned())
}

fn regex_item(random: &mut Rng) -> Item {
    let modifiers = word_of(random, "|re |re |re|i |re|m |re|s |re|i|m |re|m|s |re|all |re|i|all");
    (modifiers.to_owned(), values(random, regex))
}

fn line_regex_item(random: &mut Rng) -> Item {
    let modifiers = word_of(random, "|re |re|m |re|s |re|s|m |re|i|s |re|m|i");
    (modifiers.to_owned(), values(random, |random| quoted(word_of(random, LINE_REGEXES))))
}

fn network(random: &mut Rng) -> Item {
    let modifiers = word_of(random, "|cidr |cidr |cidr|neq");
    (modifiers.to_owned(), values(random, |random| quoted(pick(random, &NETWORKS))))
}

fn encoded(random: &mut Rng) -> Item {
    let modifiers =
        "|base64 |base64|cased |base64|contains |base64offset|contains |base64offset|contains|all";
    (word_of(random, modifiers).to_owned(), values(random, |random| quoted(pick(random, &DECODED))))
}

/// Widening comes before Base64, as in the rules that people write.
fn widened(random: &mut Rng) -> Item {
    let wide = word_of(random, "|wide |utf16 |utf16be");
    let then = word_of(random, "|contains |cased |base64 |base64|contains |base64offset|contains");
    let modifiers = if random.u8(..6) == 0 { wide.to_owned() } else { format!("{wide}{then}") };
    (modifiers, values(random, |random| quoted(pick(random, &WIDENED))))
}

fn windash(random: &mut Rng) -> Item {
    let modifiers = "|windash |windash|contains |contains|windash |windash|contains|all |contains|all|windash \
        |windash|startswith |endswith|windash |windash|cased";
    (word_of(random, modifiers).to_owned(), values(random, dashed))
}

fn reference(random: &mut Rng) -> Item {
    let modifiers = "|fieldref |fieldref|startswith |fieldref|endswith |fieldref|contains |fieldref|neq \
        |fieldref|all |fieldref|contains|all";
    (word_of(random, modifiers).to_owned(), values(random, |random| quoted(pick(random, &FIELDS))))
}

fn exists(random: &mut Rng) -> Item {
    ("|exists".to_owned(), random.bool().to_string())
}

fn negated(random: &mut Rng) -> Item {
    match random.u8(..3) {
        0 => ("|neq".to_owned(), values(random, any_value)),
        1 => ("|contains|neq".to_owned(), values(random, fragment)),
        _ => ("|startswith|all|neq".to_owned(), values(random, fragment)),
    }
}

/// Nobody gives the placeholder a value.
fn placeholder(random: &mut Rng) -> Item {
    let modifiers = word_of(random, "|expand |expand|contains |contains|expand");
    (modifiers.to_owned(), format!("[{}, 'foo%name%', '%name%']", text(random)))
}

fn values(random: &mut Rng, value: fn(&mut Rng) -> String) -> String {
    if random.bool() { value(random) } else { list(random, value) }
}

fn list(random: &mut Rng, value: fn(&mut Rng) -> String) -> String {
    let values: Vec<String> = (0..random.u8(1..5)).map(|_| value(random)).collect();
    format!("[{}]", values.join(", "))
}

fn any_value(random: &mut Rng) -> String {
    match random.u8(..12) {
        0 => "null".to_owned(),
        1 => random.bool().to_string(),
        2 => pick(random, &NUMBERS).to_owned(),
        3 => "''".to_owned(),
        _ => text(random),
    }
}

fn regex(random: &mut Rng) -> String {
    quoted(word_of(random, REGEXES))
}

fn dashed(random: &mut Rng) -> String {
    quoted(pick(random, &DASHED))
}

/// A text, perhaps with wildcards, often the whole of a value.
fn text(random: &mut Rng) -> String {
    match random.u8(..8) {
        0..=3 => text_of_a_word(random),
        4 => wildcards_in_a_word(random),
        5 => quoted(word_of(random, RAW)),
        6 => quoted(&pick(random, &WORDS).to_uppercase()),
        _ => quoted(&(0..random.u8(..6)).filter_map(|_| random.choice(ALPHABET)).collect::<String>()),
    }
}

/// A text that many values contain.
fn fragment(random: &mut Rng) -> String {
    match random.u8(..8) {
        0..=1 => text(random),
        2 => "''".to_owned(),
        _ => {
            let characters: Vec<char> = pick(random, &WORDS).chars().collect();
            let start = random.usize(..characters.len());
            let end = random.usize(start + 1..=characters.len());
            quoted(&escaped(&characters[start..end].iter().collect::<String>()))
        }
    }
}

fn text_of_a_word(random: &mut Rng) -> String {
    quoted(&escaped(pick(random, &WORDS)))
}

/// One character gives way to a wildcard. What was special about the others stays, so escapes come to
/// stand before wildcards, too.
fn wildcards_in_a_word(random: &mut Rng) -> String {
    let mut characters: Vec<char> = pick(random, &WORDS).chars().collect();
    let position = random.usize(..characters.len());
    characters[position] = pick(random, &['*', '?']);
    quoted(&characters.into_iter().collect::<String>())
}

fn escaped(literal: &str) -> String {
    literal.replace('\\', "\\\\").replace('*', "\\*").replace('?', "\\?")
}

/// As a single-quoted YAML scalar.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn pick<T: Copy>(random: &mut Rng, choices: &[T]) -> T {
    choices[random.usize(..choices.len())]
}

/// One of the words of the text, which is easier to read than a list of them.
fn word_of<'t>(random: &mut Rng, text: &'t str) -> &'t str {
    let words: Vec<&str> = text.split_whitespace().collect();
    pick(random, &words)
}
