//! What may be typed next.

use crate::pattern::{is_keyword, lower, write_literal};
use crate::query::written_name;
use crate::scan::{Scanner, Stop};

/// What may stand from a place to the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The byte where what an item replaces begins; it ends at the cursor.
    pub from: usize,
    /// In the order of the fields or values given, in any case the same; quoted where they need it.
    pub items: Vec<String>,
}

/// Offers names of fields, `and`, `or` and `not`, or behind `field:` its values.
///
/// The cursor is a byte of `text`; what stands behind it is not looked at. The text may be any: where
/// nothing sensible can follow, there are no items.
pub fn complete(
    text: &str,
    cursor: usize,
    fields: &[&str],
    values: &dyn Fn(&str) -> Vec<String>,
) -> Completion {
    let cursor = text.floor_char_boundary(cursor);
    let head = text.get(..cursor).unwrap_or("");
    let Some(spot) = spot(head) else { return Completion { from: cursor, items: Vec::new() } };
    let typed = folded(head.get(spot.from..).unwrap_or("").trim_start_matches(['"', '`']));
    let begins = |item: &&str| folded(item).starts_with(&typed);

    let items = if let Some(field) = spot.field {
        values(&field).iter().map(String::as_str).filter(begins).map(written_value).collect()
    } else {
        let keywords: &[&str] = if spot.follows { &["and", "or", "not"] } else { &["not"] };
        let names = fields.iter().copied().filter(begins).map(written_name);
        names.chain(keywords.iter().copied().filter(begins).map(str::to_owned)).collect()
    };
    Completion { from: spot.from, items }
}

/// Where the cursor stands.
struct Spot {
    from: usize,
    /// The field whose value is being typed.
    field: Option<String>,
    /// Whether a term precedes, so that `and` and `or` make sense.
    follows: bool,
}

/// Reads as the parser does, but forgives: what is typed is seldom complete.
fn spot(head: &str) -> Option<Spot> {
    let mut scan = Scanner::new(head);
    let mut follows = false;
    loop {
        scan.skip_space();
        let from = scan.place();
        if scan.rest().is_empty() {
            return Some(Spot { from, field: None, follows });
        }
        if scan.eat(")") {
            follows = true;
            continue;
        }
        let is_symbol = !scan.rest().starts_with(char::is_alphabetic);
        let symbol = scan.keyword().filter(|_| is_symbol).map_or(0, |(_, length)| length);
        if scan.eat("(") || symbol > 0 {
            (0..symbol).for_each(|_| _ = scan.bump());
            follows = false;
            continue;
        }
        let name = match scan.peek() {
            Some('"') => {
                scan.quoted('"').ok()?;
                follows = true;
                continue;
            }
            Some('`') => scan.quoted('`').unwrap_or_default(),
            _ => scan.bare(Stop::Word).ok()?.raw.to_owned(),
        };
        if scan.rest().is_empty() {
            return Some(Spot { from, field: None, follows });
        }
        follows = !is_keyword(&name);
        let behind = scan.clone();
        scan.skip_space();
        if scan.relation().is_none() {
            scan = behind;
        } else if let Some(from) = open_value(&mut scan) {
            return Some(Spot { from, field: Some(name), follows });
        }
    }
}

/// Reads the value or list behind an operator; where the cursor still stands in it, says where its last
/// value begins.
fn open_value(scan: &mut Scanner<'_>) -> Option<usize> {
    scan.skip_space();
    if !scan.eat("(") {
        let from = scan.place();
        return value_is_open(scan, Stop::Value).then_some(from);
    }
    loop {
        scan.skip_space();
        let from = scan.place();
        if scan.eat(")") {
            return None;
        }
        if !scan.eat(",") && value_is_open(scan, Stop::Item) {
            return Some(from);
        }
    }
}

/// Reads a value, or at least one character, and says whether the cursor still stands in it.
fn value_is_open(scan: &mut Scanner<'_>, stop: Stop) -> bool {
    if scan.peek() == Some('"') {
        return scan.quoted('"').is_err();
    }
    let before = scan.place();
    let read = scan.bare(stop).is_ok();
    let open = read && scan.rest().is_empty();
    if !open && scan.place() == before {
        scan.bump();
    }
    open
}

fn folded(text: &str) -> String {
    text.chars().map(lower).collect()
}

fn written_value(value: &str) -> String {
    let mut written = String::new();
    // Writing to a `String` cannot fail.
    let _ = write_literal(&mut written, value);
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn offered(text: &str) -> String {
        let (head, tail) = text.split_once('^').unwrap();
        let values = |field: &str| match field {
            "user" => ["root", "Admin", "a b", "or"].map(str::to_owned).to_vec(),
            "odd name" => vec!["x".to_owned()],
            _ => Vec::new(),
        };
        let found =
            complete(&format!("{head}{tail}"), head.len(), &["user", "user_id", "odd name", "node"], &values);
        format!("{}|{}", &head[found.from..], found.items.join(" "))
    }

    #[test]
    fn names_values_and_keywords() {
        for (text, expected) in [
            ("^", "|user user_id `odd name` node not"),
            ("us^", "us|user user_id"),
            ("US^er:x", "US|user user_id"),
            ("a n^", "n|node not"),
            ("a ^", "|user user_id `odd name` node and or not"),
            ("a and ^", "|user user_id `odd name` node not"),
            ("a an^", "an|and"),
            ("(a) o^", "o|`odd name` or"),
            ("-us^", "us|user user_id"),
            ("a &&us^", "us|user user_id"),
            ("`od^", "`od|`odd name`"),
            ("user:^", "|root Admin \"a b\" \"or\""),
            ("x user:a^", "a|Admin \"a b\""),
            ("user != R^", "R|root"),
            ("user:\"a ^", "\"a |\"a b\""),
            ("user:(root or a^", "a|Admin \"a b\""),
            ("user:(root, ^", "|root Admin \"a b\" \"or\""),
            ("user:(root) no^", "no|node not"),
            ("`odd name`:^", "|x"),
            ("user:root an^", "an|and"),
            ("\"user:^", "|"),
            ("unknown:^", "|"),
        ] {
            assert_eq!(offered(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "[a&|!() :=\"`,\\\\é/*-]{0,12}", cursor in 0usize..30) {
            let found = complete(&text, cursor, &["a", "é"], &|_| vec!["a".to_owned()]);
            prop_assert!(found.from <= cursor && text.is_char_boundary(found.from));
        }
    }
}
