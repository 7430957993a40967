//! A slow, obvious evaluator of Sigma conditions. It shares no code with the product, so that the two can
//! only agree by both being right, or by both making the same mistake.

use std::net::IpAddr;

use serde_json::{Number, Value};

use crate::tree::{Node, Operator, Part, Pattern, Rules, Text};

/// The positions of the rules that match the event.
pub fn matching(rules: &Rules, event: &Value) -> Vec<usize> {
    let event = Event::new(event, &rules.fields);
    let numbered = rules.rules.iter().enumerate();
    numbered.filter(|(_, rule)| holds(&rule.tree, &event)).map(|(position, _)| position).collect()
}

/// An event with everything that the rules may ask about it worked out once.
struct Event<'e> {
    /// For each field name of the rules: its values, or `None` where the event has no such field.
    fields: Vec<Option<Vec<Leaf<'e>>>>,
    /// The values at all depths, which keywords search.
    everywhere: Vec<Leaf<'e>>,
    /// The texts of all those values in a row. What is not in here is in none of them.
    all_text: Text,
}

/// A value that is not a list.
struct Leaf<'e> {
    value: &'e Value,
    text: Option<Text>,
}

impl<'e> Event<'e> {
    fn new(event: &'e Value, names: &[String]) -> Event<'e> {
        let leaves = |values: Vec<&'e Value>| values.into_iter().map(Leaf::new).collect();
        let everywhere: Vec<Leaf> = leaves(scalars(event));
        let texts = || everywhere.iter().filter_map(|leaf| leaf.text.as_ref());
        let all_text = Text {
            exact: texts().map(|text| text.exact.as_str()).collect(),
            lower: texts().map(|text| text.lower.as_str()).collect(),
        };
        let fields = names.iter().map(|name| look_up(event, name).map(leaves)).collect();
        Event { fields, everywhere, all_text }
    }
}

impl<'e> Leaf<'e> {
    fn new(value: &'e Value) -> Leaf<'e> {
        let exact = match value {
            Value::String(string) => Some(string.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(bool) => Some(bool.to_string()),
            Value::Null | Value::Object(_) | Value::Array(_) => None,
        };
        let text = exact.map(Text::new);
        Leaf { value, text }
    }
}

/// What the key as it is written holds, and what the path holds that its dots spell: both are the field.
fn look_up<'e>(event: &'e Value, name: &str) -> Option<Vec<&'e Value>> {
    let literal = event.get(name).filter(|_| name.contains('.')).map(elements);
    match (literal, follow(event, name)) {
        (Some(literal), Some(path)) => Some([literal, path].concat()),
        (literal, path) => literal.or(path),
    }
}

fn follow<'e>(event: &'e Value, name: &str) -> Option<Vec<&'e Value>> {
    let mut reached = vec![event];
    for step in name.split('.') {
        let objects = reached.into_iter().flat_map(elements);
        reached = objects.filter_map(|object| object.get(step)).collect();
    }
    if reached.is_empty() { None } else { Some(reached.into_iter().flat_map(elements).collect()) }
}

/// A list stands for its elements, anything else for itself.
fn elements(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().flat_map(elements).collect(),
        other => vec![other],
    }
}

fn scalars(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().flat_map(scalars).collect(),
        Value::Object(object) => object.values().flat_map(scalars).collect(),
        scalar => vec![scalar],
    }
}

fn holds(node: &Node, event: &Event) -> bool {
    match node {
        Node::And(children) => children.iter().all(|child| holds(child, event)),
        Node::Or(children) => children.iter().any(|child| holds(child, event)),
        Node::Not(child) => !holds(child, event),
        Node::Field(field, pattern) => field_matches(event, *field, pattern),
        Node::Keyword(pattern) => keyword_matches(event, pattern),
    }
}

fn field_matches(event: &Event, field: usize, pattern: &Pattern) -> bool {
    let values = event.fields[field].as_deref();
    match pattern {
        Pattern::Null => values.is_none_or(|values| values.iter().any(|leaf| leaf.value.is_null())),
        Pattern::Exists(wanted) => values.is_some() == *wanted,
        Pattern::AnyOf(patterns) => patterns.iter().any(|pattern| field_matches(event, field, pattern)),
        Pattern::FieldRef { field: other, starts, ends } => {
            let others = event.fields[*other].as_deref().unwrap_or_default();
            let refers = |leaf: &Leaf| others.iter().any(|other| refers_to(leaf, other, *starts, *ends));
            values.unwrap_or_default().iter().any(refers)
        }
        _ => values.unwrap_or_default().iter().any(|leaf| leaf_matches(leaf, pattern)),
    }
}

fn leaf_matches(leaf: &Leaf, pattern: &Pattern) -> bool {
    let text = leaf.text.as_ref();
    match pattern {
        Pattern::Text { parts, cased } => text.is_some_and(|text| text_matches(parts, text, *cased)),
        Pattern::Regex(regex) => text.is_some_and(|text| regex.is_match(&text.exact)),
        Pattern::Number(number) => match leaf.value {
            Value::Number(value) => equal(value, number),
            Value::String(value) => *value == number.to_string(),
            _ => false,
        },
        Pattern::Bool(bool) => match leaf.value {
            Value::Bool(value) => value == bool,
            Value::String(value) => value.to_lowercase() == bool.to_string(),
            _ => false,
        },
        Pattern::Cidr { network, prefix } => {
            let address = leaf.value.as_str().and_then(|value| value.parse().ok());
            address.is_some_and(|address| inside(address, *network, *prefix))
        }
        Pattern::Compare { operator, number } => {
            number_of(leaf.value).is_some_and(|value| compares(value, operator, *number))
        }
        Pattern::Unresolved => false,
        Pattern::Null | Pattern::Exists(_) | Pattern::FieldRef { .. } | Pattern::AnyOf(_) => {
            unreachable!("these ask about a field, not about one value of it")
        }
    }
}

/// Panics on patterns whose meaning without a field nobody has laid down.
fn keyword_matches(event: &Event, pattern: &Pattern) -> bool {
    let mut texts = event.everywhere.iter().filter_map(|leaf| leaf.text.as_ref());
    match pattern {
        // Nearly all keywords fail the first test, which is what makes the whole quick enough.
        Pattern::Text { parts, cased } => {
            has_literals(parts, &event.all_text, *cased)
                && texts.any(|text| text_matches(parts, text, *cased))
        }
        Pattern::Number(number) => texts.any(|text| text.exact.contains(&number.to_string())),
        Pattern::Regex(regex) => texts.any(|text| regex.is_match(&text.exact)),
        Pattern::AnyOf(patterns) => patterns.iter().any(|pattern| keyword_matches(event, pattern)),
        Pattern::Null | Pattern::Unresolved => false,
        Pattern::Bool(_) | Pattern::Cidr { .. } | Pattern::Compare { .. } => {
            panic!("this kind of value has no meaning without a field")
        }
        Pattern::FieldRef { .. } | Pattern::Exists(_) => panic!("this modifier needs a field"),
    }
}

fn has_literals(parts: &[Part], text: &Text, cased: bool) -> bool {
    let text = text.in_case(cased);
    parts.iter().all(|part| match part {
        Part::Literal(literal) => text.contains(literal.in_case(cased)),
        Part::AnyRun | Part::AnyOne => true,
    })
}

fn text_matches(parts: &[Part], text: &Text, cased: bool) -> bool {
    glob(parts, text.in_case(cased), cased)
}

/// Whether the parts fit the whole text.
fn glob(parts: &[Part], text: &str, cased: bool) -> bool {
    let Some((first, rest)) = parts.split_first() else {
        return text.is_empty();
    };
    match first {
        Part::Literal(literal) => {
            text.strip_prefix(literal.in_case(cased)).is_some_and(|left| glob(rest, left, cased))
        }
        Part::AnyOne => {
            let mut characters = text.chars();
            characters.next().is_some() && glob(rest, characters.as_str(), cased)
        }
        Part::AnyRun => glob_after_any_run(rest, text, cased),
    }
}

/// Whether the parts fit any suffix of the text.
fn glob_after_any_run(parts: &[Part], text: &str, cased: bool) -> bool {
    if let Some(Part::Literal(literal)) = parts.first() {
        // Finds out nothing that the search below would not, but much sooner.
        if !text.contains(literal.in_case(cased)) {
            return false;
        }
    }
    let starts = text.char_indices().map(|(start, _)| start).chain([text.len()]);
    parts.is_empty() || starts.map(|start| &text[start..]).any(|suffix| glob(parts, suffix, cased))
}

fn refers_to(leaf: &Leaf, other: &Leaf, starts: bool, ends: bool) -> bool {
    let (Some(text), Some(other)) = (&leaf.text, &other.text) else {
        return false;
    };
    match (starts, ends) {
        (false, false) => text.lower == other.lower,
        (true, false) => text.lower.starts_with(&other.lower),
        (false, true) => text.lower.ends_with(&other.lower),
        (true, true) => text.lower.contains(&other.lower),
    }
}

/// Whole numbers are compared as such: beyond 2^53 a float would call neighbours equal.
fn equal(a: &Number, b: &Number) -> bool {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => a == b,
        _ => a.as_f64() == b.as_f64(),
    }
}

fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(string) => string.parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

fn compares(value: f64, operator: &Operator, number: f64) -> bool {
    match operator {
        Operator::Less => value < number,
        Operator::LessOrEqual => value <= number,
        Operator::Greater => value > number,
        Operator::GreaterOrEqual => value >= number,
    }
}

/// Shifts away what the prefix does not cover. A shift by all bits has no result, and then all is covered.
fn inside(address: IpAddr, network: IpAddr, prefix: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let covered = |ip: u32| ip.checked_shr(32 - prefix);
            covered(address.to_bits()) == covered(network.to_bits())
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let covered = |ip: u128| ip.checked_shr(128 - prefix);
            covered(address.to_bits()) == covered(network.to_bits())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn verdict(field: &Value, value: &Value, event: &Value) -> bool {
        let tree = json!({"field": field, "value": value});
        let lowered = json!([{"id": "1", "path": "p", "title": "t", "tree": tree}]);
        !matching(&Rules::read(&lowered).unwrap(), event).is_empty()
    }

    fn text(parts: &Value) -> Value {
        json!({"string": parts, "cased": false})
    }

    #[test]
    fn wildcards_try_every_split() {
        let ends_in_ab = text(&json!(["*", {"lit": "ab"}]));
        assert!(verdict(&json!("f"), &ends_in_ab, &json!({"f": "xabAB"})));
        assert!(!verdict(&json!("f"), &ends_in_ab, &json!({"f": "xabAB "})));
        let overlapping = text(&json!(["*", {"lit": "aa"}, "?", {"lit": "b"}, "*"]));
        assert!(verdict(&json!("f"), &overlapping, &json!({"f": "aaaxb"})));
        assert!(!verdict(&json!("f"), &text(&json!(["?"])), &json!({"f": ""})));
        assert!(verdict(&json!("f"), &text(&json!(["*"])), &json!({"f": ""})));
        assert!(verdict(&json!("f"), &text(&json!(["*", {"lit": "b"}])), &json!({"f": "a\nb"})));
    }

    #[test]
    fn lower_casing_is_neither_folding_nor_per_character() {
        let whole = |pattern: &str, value: &str| {
            verdict(&json!("f"), &text(&json!([{"lit": pattern}])), &json!({"f": value}))
        };
        assert!(whole("k", "\u{212a}"), "the Kelvin sign lower-cases to k");
        assert!(!whole("s", "\u{17f}"), "the long s is lower case already");
        assert!(!whole("straße", "STRASSE"));
        assert!(whole("οδος", "ΟΔΟΣ"), "a sigma that ends a word");
        let one = text(&json!(["?"]));
        assert!(!verdict(&json!("f"), &one, &json!({"f": "İ"})), "lower-cases to two characters");
    }

    #[test]
    fn paths_go_through_objects_and_lists_and_literal_keys_count_too() {
        let one = json!({"number": 1});
        assert!(verdict(&json!("a.b"), &one, &json!({"a": [{"c": 0}, {"b": [7, "1"]}]})));
        assert!(verdict(&json!("a.b"), &one, &json!({"a": {"b": 1}, "a.b": 2})));
        assert!(verdict(&json!("a.b"), &one, &json!({"a": {"b": 2}, "a.b": 1})));
        assert!(!verdict(&json!("a"), &one, &json!({"A": 1})));
    }

    #[test]
    fn absent_null_and_empty_differ() {
        let (null, empty) = (json!({"null": true}), text(&json!([])));
        for (event, is_null, is_empty, exists) in [
            (json!({}), true, false, false),
            (json!({"f": null}), true, false, true),
            (json!({"f": ""}), false, true, true),
            (json!({"f": []}), false, false, true),
            (json!({"f": {}}), false, false, true),
        ] {
            assert_eq!(verdict(&json!("f"), &null, &event), is_null, "{event} is null");
            assert_eq!(verdict(&json!("f"), &empty, &event), is_empty, "{event} is empty");
            assert_eq!(verdict(&json!("f"), &json!({"exists": true}), &event), exists, "{event} exists");
        }
    }

    #[test]
    fn numbers_match_numbers_and_their_exact_text() {
        let ten = json!({"number": 10});
        for (value, expected) in [
            (json!(10), true),
            (json!(10.0), true),
            (json!("10"), true),
            (json!("10.0"), false),
            (json!("010"), false),
            (json!(true), false),
        ] {
            assert_eq!(verdict(&json!("f"), &ten, &json!({"f": value})), expected, "{value}");
        }
    }

    #[test]
    fn networks_end_where_the_prefix_says() {
        let inside = |cidr, value| verdict(&json!("f"), &json!({"cidr": cidr}), &json!({"f": value}));
        assert!(inside("10.0.0.0/31", "10.0.0.1") && !inside("10.0.0.0/31", "10.0.0.2"));
        assert!(inside("0.0.0.0/0", "255.1.2.3") && !inside("0.0.0.0/0", "::1"));
        assert!(inside("::1", "0::1") && !inside("fe80::/10", "fec0::1"));
    }

    #[test]
    fn keywords_search_all_depths_but_not_keys() {
        let event = json!({"key": [{"inner": "some WORD here"}, 4711, null]});
        assert!(verdict(&Value::Null, &text(&json!([{"lit": "word"}])), &event));
        assert!(!verdict(&Value::Null, &text(&json!([{"lit": "inner"}])), &event));
        assert!(verdict(&Value::Null, &json!({"number": 71}), &event));
        assert!(!verdict(&Value::Null, &json!({"null": true}), &event));
    }
}
