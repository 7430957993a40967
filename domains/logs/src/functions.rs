//! What a question can ask of an event beyond SQL: its words, and the fields that are no column.
//!
//! A field that is no column is decoded from `raw` while the question runs, by the same decoder that read the event when
//! it came. So every field of every event can be asked for, and none is kept twice.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, BooleanBuilder, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use garrison_base::Fields;
use garrison_decode::Decoder;
use garrison_search::{Finder, Pattern, Query, Ready, Test, lower, words};
use ipnet::IpNet;

/// Calls back for each word of a text, in lower case.
pub fn each_word(text: &str, word: &mut dyn FnMut(&str)) {
    let mut lowered = String::new();
    for one in words(text) {
        if one.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
            word(one);
            continue;
        }
        lowered.clear();
        lowered.extend(one.chars().map(lower));
        word(&lowered);
    }
}

/// The words that every event must have for which a condition holds.
pub fn needed_words(condition: &Expr) -> Vec<String> {
    let Expr::ScalarFunction(call) = condition else { return Vec::new() };
    if let Some(test) = call.func.inner().downcast_ref::<EventTest>() {
        return match &test.what {
            What::Text(finder) => finder.pattern().words(),
            What::Field(..) | What::Value(_) => Vec::new(),
        };
    }
    match call.args.as_slice() {
        [Expr::Column(column), Expr::Literal(ScalarValue::Utf8(Some(query)), _)]
            if call.func.name() == "has" && column.name == "raw" =>
        {
            text_pattern(query).map(|pattern| pattern.words()).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// What an [`EventTest`] looks at.
#[derive(Debug, Clone)]
enum What {
    /// The text of `raw`.
    Text(Finder),
    /// A field of `raw`.
    Field(String, Ready),
    /// The column that it is given.
    Value(Ready),
}

/// A term of the filter language as a function: its text tells which, so that equal ones are one.
#[derive(Debug, Clone)]
pub struct EventTest {
    what: What,
    name: String,
    signature: Signature,
}

impl EventTest {
    fn call(what: What, name: String, column: Expr) -> Expr {
        let signature = Signature::exact(vec![DataType::Utf8], Volatility::Immutable);
        ScalarUDF::from(Self { what, name, signature }).call(vec![column])
    }

    /// The event's text has this.
    pub fn text(pattern: &Pattern, raw: Expr) -> Expr {
        let text = Query::Text(pattern.clone()).to_string();
        Self::call(What::Text(Finder::new(pattern.clone())), text, raw)
    }

    /// A field of the event passes a test.
    pub fn field(name: &str, test: &Test, raw: Expr) -> Result<Expr, String> {
        let ready = Ready::new(test).map_err(|error| error.to_string())?;
        let text = Query::Field { name: name.to_owned(), test: test.clone() }.to_string();
        Ok(Self::call(What::Field(name.to_owned(), ready), text, raw))
    }

    /// A column passes a test.
    pub fn value(name: &str, test: &Test, column: Expr) -> Result<Expr, String> {
        let ready = Ready::new(test).map_err(|error| error.to_string())?;
        let text = Query::Field { name: name.to_owned(), test: test.clone() }.to_string();
        Ok(Self::call(What::Value(ready), format!("column {text}"), column))
    }

    fn holds(&self, text: &str) -> bool {
        match &self.what {
            What::Text(finder) => finder.matches(text),
            What::Field(name, ready) => any_value(text, name, &mut |value| ready.holds(value)),
            What::Value(ready) => ready.holds(text),
        }
    }
}

impl PartialEq for EventTest {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for EventTest {}

impl Hash for EventTest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for EventTest {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        judge(&args, |text| self.holds(text))
    }
}

/// Asks each text of the first argument; nothing is no match.
fn judge(args: &ScalarFunctionArgs, holds: impl Fn(&str) -> bool) -> Result<ColumnarValue> {
    let rows = args.args.first().map(|value| value.to_array(args.number_rows)).transpose()?;
    let Some(texts) = rows.as_ref().and_then(|rows| rows.as_string_opt::<i32>()) else {
        return exec_err!("the first argument is a text");
    };
    let mut out = BooleanBuilder::with_capacity(texts.len());
    for row in 0..texts.len() {
        out.append_value(texts.is_valid(row) && holds(texts.value(row)));
    }
    Ok(ColumnarValue::Array(Arc::new(out.finish())))
}

/// Whether any value that an event has for a field passes. A name stands for itself, and for the same name inside of
/// objects where it is written with dots.
fn any_value(raw: &str, name: &str, passes: &mut dyn FnMut(&str) -> bool) -> bool {
    let mut found = false;
    let mut scratch = String::new();
    each_fields(raw, &mut |fields| {
        for (path, value) in fields.iter() {
            if path.eq_ignore_ascii_case(name) {
                // A field that is there without a text of its own is present, and equals the empty text.
                let text = value.text(&mut scratch).unwrap_or_default();
                found = found || passes(text);
            }
        }
    });
    found
}

/// Decodes an event as it was decoded when it came.
fn each_fields(raw: &str, tell: &mut dyn FnMut(&Fields<'_>)) {
    let mut decoder = Decoder::default();
    let mut emit = |record: &garrison_decode::Record<'_>| tell(&record.fields);
    // An auditd event has several lines, and is one record again.
    if raw.contains('\n') && raw.contains("msg=audit(") {
        for line in raw.lines() {
            decoder.decode(line.as_bytes(), 1, &mut emit);
        }
    } else {
        decoder.decode(raw.as_bytes(), 1, &mut emit);
    }
    decoder.finish(&mut emit);
}

/// The fields of an event, as JSON text.
pub fn fields_json(raw: &str) -> serde_json::Map<String, serde_json::Value> {
    let mut all = serde_json::Map::new();
    each_fields(raw, &mut |fields| {
        if let Ok(serde_json::Value::Object(object)) = serde_json::to_value(fields) {
            all.extend(object);
        }
    });
    all
}

fn text_pattern(query: &str) -> Option<Pattern> {
    match garrison_search::parse(query).ok()? {
        Query::Text(pattern) => Some(pattern),
        _ => None,
    }
}

/// A function of SQL with two texts, the second one constant.
#[derive(Debug, PartialEq, Eq, Hash)]
struct OfTwo {
    name: &'static str,
    kind: Kind,
    signature: Signature,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// `has(raw, 'failed password')`
    Has,
    /// `field(raw, 'TargetUserName')`
    Field,
    /// `cidr(src_ip, '10.0.0.0/8')`
    Cidr,
}

/// The functions of the table, for SQL.
pub fn for_sql() -> Vec<Arc<ScalarUDF>> {
    [("has", Kind::Has), ("field", Kind::Field), ("cidr", Kind::Cidr)]
        .map(|(name, kind)| {
            let signature = Signature::exact(vec![DataType::Utf8, DataType::Utf8], Volatility::Immutable);
            Arc::new(ScalarUDF::from(OfTwo { name, kind, signature }))
        })
        .to_vec()
}

impl ScalarUDFImpl for OfTwo {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(if self.kind == Kind::Field { DataType::Utf8 } else { DataType::Boolean })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(ColumnarValue::Scalar(ScalarValue::Utf8(Some(second)))) = args.args.get(1) else {
            return exec_err!("the second argument of {} is a text, the same for all rows", self.name);
        };
        match self.kind {
            Kind::Has => {
                let Some(pattern) = text_pattern(second) else {
                    return exec_err!("has(raw, '...') wants a word, or a phrase in double quotes");
                };
                let finder = Finder::new(pattern);
                judge(&args, |text| finder.matches(text))
            }
            Kind::Cidr => {
                let Ok(network) = second.parse::<IpNet>() else {
                    return exec_err!("cidr(column, '...') wants a network such as 10.0.0.0/8");
                };
                judge(&args, |text| Ready::Network(network).holds(text))
            }
            Kind::Field => first_value(&args, second),
        }
    }
}

fn first_value(args: &ScalarFunctionArgs, name: &str) -> Result<ColumnarValue> {
    let rows = args.args.first().map(|value| value.to_array(args.number_rows)).transpose()?;
    let Some(texts) = rows.as_ref().and_then(|rows| rows.as_string_opt::<i32>()) else {
        return exec_err!("field(raw, '...') reads a text");
    };
    let mut out = StringBuilder::new();
    for row in 0..texts.len() {
        let mut value = None;
        if texts.is_valid(row) {
            any_value(texts.value(row), name, &mut |text| {
                value = Some(text.to_owned());
                true
            });
        }
        out.append_option(value);
    }
    Ok(ColumnarValue::Array(Arc::new(out.finish()) as ArrayRef))
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{col, lit};
    use garrison_base::Timestamp;

    use super::*;
    use crate::filter;

    #[test]
    fn the_words_that_an_event_must_have_are_known() {
        for (query, words) in [
            ("NoSuchWord", &["nosuchword"][..]),
            ("\"Failed password\"", &["failed", "password"]),
            ("/var/*/log", &["var", "log"]),
            ("fail*", &[]),
            ("host:web-1", &[]),
            ("not failed", &[]),
            ("one or other", &[]),
        ] {
            let parsed = garrison_search::parse(query).unwrap();
            let condition = filter::condition(&parsed, Timestamp::UNIX_EPOCH).unwrap().unwrap();
            assert_eq!(needed_words(&condition), words, "{query}");
        }
        let has = for_sql().into_iter().find(|function| function.name() == "has").unwrap();
        assert_eq!(needed_words(&has.call(vec![col("raw"), lit("Failed")])), ["failed"]);
        assert!(needed_words(&has.call(vec![col("host"), lit("Failed")])).is_empty());
    }
}
