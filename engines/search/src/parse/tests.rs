use super::*;
use crate::query::{Op, Test};

fn word(text: &str) -> Query {
    Query::Text(Pattern::exactly(text.to_owned(), false))
}

fn field(name: &str, test: Test) -> Query {
    Query::Field { name: name.to_owned(), test }
}

fn is(name: &str, text: &str) -> Query {
    field(name, Test::Is(Pattern::exactly(text.to_owned(), false)))
}

fn not(query: Query) -> Query {
    Query::Not(Box::new(query))
}

#[test]
fn precedence() {
    let (a, b, c) = (|| word("a"), || word("b"), || word("c"));
    let a_or_b_and_c = Query::Or(vec![a(), Query::And(vec![b(), c()])]);
    assert_eq!(parse("a or b and c"), Ok(a_or_b_and_c.clone()));
    assert_eq!(parse("a OR b c"), Ok(a_or_b_and_c.clone()));
    assert_eq!(parse("a||b&&c"), Ok(a_or_b_and_c));
    assert_eq!(parse("(a or b) c"), Ok(Query::And(vec![Query::Or(vec![a(), b()]), c()])));
    assert_eq!(parse("not a b"), Ok(Query::And(vec![not(a()), b()])));
    assert_eq!(parse("a -b !c"), Ok(Query::And(vec![a(), not(b()), not(c())])));
    assert_eq!(parse("not(a)or(b)"), Ok(Query::Or(vec![not(a()), b()])));
    assert_eq!(parse("-(a b)"), Ok(not(Query::And(vec![a(), b()]))));
    assert_eq!(parse("not not a"), Ok(not(not(a()))));
}

#[test]
fn everything() {
    for query in ["", " \n", "*", "**", "(*)"] {
        assert_eq!(parse(query), Ok(Query::All), "{query:?}");
    }
}

#[test]
fn free_text() {
    let phrase = |text: &str| Query::Text(Pattern::exactly(text.to_owned(), true));
    assert_eq!(parse("\"a AND b\""), Ok(phrase("a AND b")));
    assert_eq!(parse("\"and\""), Ok(phrase("and")));
    assert_eq!(parse(r#""a \"b\" C:\Windows\\""#), Ok(phrase(r#"a "b" C:\Windows\"#)));
    for (query, text) in [
        ("order", "order"),
        ("a-b", "a-b"),
        ("--force", "--force"),
        (r"C\:\Windows", r"C:\Windows"),
        (r"a\ b\*", "a b*"),
        ("2001:db8::1", "2001:db8::1"),
        ("::1", "::1"),
        ("/var/log", "/var/log"),
        ("10.0.0.0/8", "10.0.0.0/8"),
    ] {
        assert_eq!(parse(query), Ok(word(text)), "{query}");
    }
    let parts = vec![Part::Any, Part::Literal("a".to_owned()), Part::One];
    assert_eq!(parse("*a?"), Ok(Query::Text(Pattern { parts, phrase: false })));
}

#[test]
fn fields() {
    let compare = |op, value: &str| field("n", Test::Compare(op, value.to_owned()));
    let network = |text: &str| field("ip", Test::Network(text.parse().unwrap()));
    for (query, expected) in [
        ("n:a", is("n", "a")),
        ("n=a", is("n", "a")),
        ("n == a", is("n", "a")),
        ("n : \"a b\"", is("n", "a b")),
        ("n:\"\"", is("n", "")),
        ("n!=a", not(is("n", "a"))),
        ("n:-5", is("n", "-5")),
        ("n:or", is("n", "or")),
        ("n:10:15:00Z", is("n", "10:15:00Z")),
        ("or:a", is("or", "a")),
        ("`odd \\` name`:a", is("odd ` name", "a")),
        ("actor.id-x@y_1:a", is("actor.id-x@y_1", "a")),
        ("n:*", field("n", Test::Present)),
        ("n<1", compare(Op::Less, "1")),
        ("n<=1", compare(Op::AtMost, "1")),
        ("n > -1", compare(Op::Greater, "-1")),
        ("n>=now-15m", compare(Op::AtLeast, "now-15m")),
        ("n>2026-01-01T00:00:00Z", compare(Op::Greater, "2026-01-01T00:00:00Z")),
        ("n>\"2026-01-01 00:00\"", compare(Op::Greater, "2026-01-01 00:00")),
        ("ip:10.1.2.3/8", network("10.0.0.0/8")),
        ("ip:::1/128", network("::1/128")),
        ("ip:2001:db8::/32", network("2001:db8::/32")),
        ("ip:::1", is("ip", "::1")),
        ("ip:\"10.0.0.0/8\"", is("ip", "10.0.0.0/8")),
        (r"n:/a b\/\d\\/", field("n", Test::Matches(r"a b/\d\\".to_owned()))),
        ("n:and/or", is("n", "and/or")),
    ] {
        assert_eq!(parse(query), Ok(expected), "{query}");
    }
}

#[test]
fn lists_mean_any() {
    let three = || Query::Or(vec![is("f", "a"), is("f", "b"), is("f", "c d")]);
    for query in ["f:(a or b or \"c d\")", "f=( a,b , \"c d\")", "f:(a b \"c d\",)", "f:(a||b OR \"c d\")"] {
        assert_eq!(parse(query), Ok(three()), "{query}");
    }
    assert_eq!(parse("f!=(a b \"c d\")"), Ok(not(three())));
    assert_eq!(parse("f:(a)"), Ok(is("f", "a")));
    let mixed = vec![
        field("f", Test::Network("10.0.0.0/8".parse().unwrap())),
        field("f", Test::Matches("x".to_owned())),
        is("f", "-5"),
    ];
    assert_eq!(parse("f:(10.0.0.0/8, /x/, -5)"), Ok(Query::Or(mixed)));
}

#[test]
fn mistakes_are_named_and_placed() {
    for (query, message, place) in [
        ("a \"b", "quote is never closed; add", "\""),
        (r#"p:"C:\""#, "`\\\"` does not close it", "\""),
        ("`a:b", "backtick is never closed", "`"),
        ("`a`", "needs a value", "`a`"),
        ("``:a", "name of the field is empty", "``"),
        ("x (a b", "never closed; add a `)`", "("),
        ("x (", "write a query behind it", "("),
        ("a b)", "closes nothing", ")"),
        (")", "closes nothing", ")"),
        ("()", "parentheses are empty", "()"),
        ("a or", "`or` has nothing on its right", "or"),
        ("a and )", "`and` has nothing on its right", "and"),
        ("a or and b", "`and` has nothing on its left", "and"),
        ("|| b", "`||` has nothing on its left", "||"),
        ("not", "`not` has nothing on its right", "not"),
        ("a !", "`!` has nothing to deny", "!"),
        ("a - b", "`-` stands alone", "-"),
        ("a | count", "`|` is no part", "|"),
        (">= 10", "`>=` has no field", ">="),
        ("\"\"", "nothing between the quotes", "\"\""),
        ("a\"b\"", "middle of a word", "\""),
        ("\"a\"b", "directly", "b"),
        ("\"a\":b", "not a field's name", ":"),
        ("user:", "`user:` has no value", "user:"),
        ("user: or b", "`user:` has no value", "user:"),
        ("user!=&&b", "`user!=` has no value", "user!="),
        ("(n > )", "`n >` has no value; write a number", "n >"),
        ("n>\"\"", "has no value", "n>"),
        ("n>1*", "without wildcards", "1*"),
        ("n>(1 2)", "takes one value", "("),
        ("n=>1", "two operators", ">"),
        ("us*r:a", "not the name of a field", "us*r"),
        ("10:15", "no bare number", "10"),
        ("std::vector", "colons in quotes", ":vector"),
        ("f:()", "list is empty; write values, as in `f:(a or b)`", "()"),
        ("f:(a", "list is never closed", "("),
        ("f:(a or)", "`or` has nothing on its right", "or"),
        ("f:(or a)", "`or` has nothing on its left", "or"),
        ("f:(a or or b)", "`or` has nothing on its left", "or"),
        ("f:(a and b)", "`and` has no place", "and"),
        ("f:(a (b))", "without further parentheses", "("),
        ("f:/a", "no closing `/`; add one, or put a path in quotes: `\"/a\"`", "/"),
        ("f://", "is empty", "//"),
        ("f:/etc/passwd", "a path in quotes", "/etc/"),
        ("ip:10.0.0.0/40", "a number from 0 to 32", "10.0.0.0/40"),
        ("ip:::1/129", "a number from 0 to 128", "::1/129"),
        ("ip:10.0.0.0/+8", "is not a network", "10.0.0.0/+8"),
        ("ip:10.0.0.0/255.0.0.0", "is not a network", "10.0.0.0/255.0.0.0"),
    ] {
        let error = parse(query).unwrap_err();
        assert!(error.message.contains(message), "{query}: {error}");
        assert_eq!(&query[error.at..error.at + error.length], place, "{query}: {error}");
    }
}

#[test]
fn limits_come_before_work() {
    let refused = |query: String, message: &str| {
        let error = parse(&query).unwrap_err();
        assert!(error.message.contains(message), "{error}");
    };
    refused("é".repeat(MOST_BYTES), "bytes and may have 16384");
    refused("(".repeat(5000), "nested deeper than 64");
    refused("not ".repeat(4000), "nested deeper than 64");
    refused("!".repeat(5000), "nested deeper than 64");
    refused("a ".repeat(1001), "more than 1000 terms");
    refused(format!("f:({})", "a ".repeat(1001)), "more than 1000 terms");
    refused(format!("{}:a", "f".repeat(257)), "may have 256");

    assert!(parse(&"a ".repeat(1000)).is_ok());
    let deepest = format!("{}a{}", "(".repeat(64), ")".repeat(64));
    assert_eq!(parse(&deepest), Ok(word("a")));
    assert!(parse(&"(a) ".repeat(900)).is_ok(), "depth is given back");
    let deepest = format!("{}f:(a b)", "not ".repeat(63)).replacen("not not ", "not !", 1);
    let query = parse(&deepest).unwrap();
    assert_eq!(parse(&query.to_string()), Ok(query));
}

#[test]
fn the_examples_of_the_readme_are_queries() {
    let rows = include_str!("../../README.md").lines().filter_map(|line| line.strip_prefix("| `"));
    let queries: Vec<String> = rows.map(|row| row.split("` |").next().unwrap().replace("\\|", "|")).collect();
    assert_eq!(queries.len(), 12);
    for query in queries {
        parse(&query).unwrap_or_else(|error| panic!("{}\n{error}", error.pointed(&query)));
    }
}
