//! The filter language as a condition on the table.

use arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, cast, col, lit, try_cast};
use datafusion::scalar::ScalarValue;
use garrison_base::Timestamp;
pub use garrison_search::time;
use garrison_search::{Op, Part, Pattern, Query, Test};

use crate::columns::{PROMOTED, fold};
use crate::functions::EventTest;

/// Text columns that every event has.
const PLAIN: [&str; 7] = ["node", "stream", "source", "sender", "peer", "format", "kind"];

/// The condition of a query; nothing for all events. The error tells what cannot be asked.
pub fn condition(query: &Query, now: Timestamp) -> Result<Option<Expr>, String> {
    Ok(match query {
        Query::All => None,
        Query::And(parts) => fold_all(parts, now, Expr::and)?,
        Query::Or(parts) => {
            // One side that is everything makes all of it everything.
            let mut sides = Vec::with_capacity(parts.len());
            for part in parts {
                match condition(part, now)? {
                    Some(side) => sides.push(side),
                    None => return Ok(None),
                }
            }
            balanced(sides, Expr::or)
        }
        // An event without the field does not fulfil the inner condition, so it fulfils this one.
        Query::Not(inner) => Some(condition(inner, now)?.map_or_else(|| lit(false), Expr::is_not_true)),
        Query::Text(pattern) => Some(EventTest::text(pattern, col("raw"))),
        Query::Field { name, test } => Some(field(name, test, now)?),
    })
}

fn fold_all(parts: &[Query], now: Timestamp, join: fn(Expr, Expr) -> Expr) -> Result<Option<Expr>, String> {
    let sides: Result<Vec<_>, _> = parts.iter().map(|part| condition(part, now)).collect();
    Ok(balanced(sides?.into_iter().flatten().collect(), join))
}

/// Joins conditions so that they nest as little as can be: there may be a thousand.
fn balanced(mut sides: Vec<Expr>, join: fn(Expr, Expr) -> Expr) -> Option<Expr> {
    while sides.len() > 1 {
        let mut pairs = sides.into_iter();
        let mut joined = Vec::new();
        while let Some(left) = pairs.next() {
            joined.push(match pairs.next() {
                Some(right) => join(left, right),
                None => left,
            });
        }
        sides = joined;
    }
    sides.pop()
}

fn field(name: &str, test: &Test, now: Timestamp) -> Result<Expr, String> {
    let wanted = name.to_ascii_lowercase();
    let promoted = PROMOTED.iter().find(|promoted| promoted.name == wanted || promoted.column.ocsf == wanted);
    if let Some(promoted) = promoted {
        return column(promoted.name, test, promoted.folded);
    }
    if let Some(plain) = PLAIN.iter().find(|plain| **plain == wanted) {
        return column(plain, test, false);
    }
    match wanted.as_str() {
        "id" => number("id", test),
        "received" | "claimed" => moment(&wanted, test, now),
        "time" => moment("received", test, now),
        "raw" => EventTest::value("raw", test, col("raw")),
        _ => EventTest::field(name, test, col("raw")),
    }
}

/// A text column. Equality to a whole value is left to the engine, which knows which files cannot have it.
fn column(name: &str, test: &Test, folded: bool) -> Result<Expr, String> {
    let place = || Expr::Column(datafusion::common::Column::from_name(name));
    Ok(match test {
        Test::Present => place().is_not_null(),
        Test::Is(pattern) => match pattern.literal() {
            Some(text) if folded => place().eq(lit(fold(&text))),
            Some(text) if !text.chars().any(char::is_alphabetic) => place().eq(lit(text)),
            _ => EventTest::value(name, test, place())?,
        },
        Test::Compare(op, value) => match value.parse::<f64>() {
            Ok(number) => ordered(*op, try_cast(place(), DataType::Float64), lit(number)),
            Err(_) => ordered(*op, place(), lit(value.clone())),
        },
        Test::Network(_) | Test::Matches(_) => EventTest::value(name, test, place())?,
    })
}

fn number(name: &str, test: &Test) -> Result<Expr, String> {
    let read =
        |text: &str| text.parse::<i64>().map_err(|_| format!("`{name}` is a number; `{text}` is none"));
    match test {
        Test::Present => Ok(lit(true)),
        Test::Is(pattern) => match pattern.literal() {
            Some(text) => Ok(col(name).eq(lit(read(&text)?))),
            None => Err(format!("`{name}` is a number, and has no wildcards")),
        },
        Test::Compare(op, text) => Ok(ordered(*op, col(name), lit(read(text)?))),
        Test::Network(_) | Test::Matches(_) => {
            Err(format!("`{name}` is a number: compare it with = < > <= >="))
        }
    }
}

fn moment(name: &str, test: &Test, now: Timestamp) -> Result<Expr, String> {
    let at = |text: &str| {
        let at = time(text, now)?;
        let nanos = i64::try_from(at.as_nanosecond()).map_err(|_| format!("`{text}` is too far away"))?;
        Ok::<_, String>(lit(ScalarValue::TimestampNanosecond(Some(nanos), Some("UTC".into()))))
    };
    match test {
        Test::Present => Ok(col(name).is_not_null()),
        Test::Compare(op, text) => Ok(ordered(*op, col(name), at(text)?)),
        Test::Is(Pattern { parts, .. }) => match parts.as_slice() {
            [Part::Literal(text)] => Ok(col(name).eq(at(text)?)),
            _ => Ok(EventTest::value(name, test, cast(col(name), DataType::Utf8))?),
        },
        Test::Network(_) | Test::Matches(_) => Err(format!("`{name}` is a time: compare it with < > <= >=")),
    }
}

fn ordered(op: Op, left: Expr, right: Expr) -> Expr {
    match op {
        Op::Less => left.lt(right),
        Op::AtMost => left.lt_eq(right),
        Op::Greater => left.gt(right),
        Op::AtLeast => left.gt_eq(right),
    }
}
