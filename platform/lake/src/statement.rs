//! What a statement may look like, before it is planned: planning itself takes time, memory and stack, and is not
//! under the question's budget.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as Parsed;
use datafusion::sql::sqlparser::ast::{ObjectName, Query, Statement, Visit, Visitor, visit_relations};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use crate::LakeError;

/// Words and operators; the values of a list do not count.
const WORDS: usize = 2_000;
/// Queries, with those inside it and those that WITH names.
const QUERIES: usize = 16;
/// Tables, when everything named by WITH stands where it is used.
const TABLES: usize = 64;

/// Whether a text is short enough to be parsed: a chain of operators nests as deep as it is long.
pub(crate) fn check_text(text: &str) -> Result<(), LakeError> {
    let tokens = Tokenizer::new(&GenericDialect {}, text)
        .tokenize()
        .map_err(|error| LakeError::Question(error.to_string()))?;
    let counts = |token: &&Token| {
        !matches!(
            token,
            Token::Whitespace(_) | Token::Comma | Token::Number(..) | Token::SingleQuotedString(_)
        )
    };
    let words = tokens.iter().filter(counts).count();
    if words > WORDS {
        return Err(LakeError::Question(format!(
            "the statement has {words} words and operators, and at most {WORDS} can be planned; \
             `column IN (...)` takes many values"
        )));
    }
    Ok(())
}

/// Whether it reads, and unfolds to a plan of bearable size.
pub(crate) fn check(parsed: &Parsed) -> Result<(), LakeError> {
    let refused = |words: String| Err(LakeError::Question(words));
    let query = match parsed {
        Parsed::Statement(statement) => match &**statement {
            Statement::Query(query) => query,
            // A plan tells of files and rows that the narrowing hides.
            Statement::Explain { .. } => return refused("EXPLAIN is not answered".to_owned()),
            // Refused by name when it is planned.
            _ => return Ok(()),
        },
        Parsed::Explain(_) => return refused("EXPLAIN is not answered".to_owned()),
        _ => return Ok(()),
    };
    let mut shape = Shape::default();
    let _ = query.visit(&mut shape);
    if shape.queries > QUERIES {
        return refused(format!("the statement has {} queries in it, and may have {QUERIES}", shape.queries));
    }
    if shape.withs > usize::from(query.with.is_some()) {
        return refused("WITH may stand at the beginning of the statement only".to_owned());
    }
    let mut known = HashMap::new();
    for named in query.with.iter().flat_map(|with| &with.cte_tables) {
        let size = tables(&named.query, &known);
        known.insert(named.alias.name.value.to_lowercase(), size);
    }
    let size = tables(query, &known);
    if size > TABLES {
        return refused(format!(
            "the statement names {size} tables, with what WITH names where it is used, and {TABLES} may be named"
        ));
    }
    Ok(())
}

#[derive(Default)]
struct Shape {
    queries: usize,
    withs: usize,
}

impl Visitor for Shape {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.queries += 1;
        self.withs += usize::from(query.with.is_some());
        ControlFlow::Continue(())
    }
}

fn tables(of: &Query, known: &HashMap<String, usize>) -> usize {
    let mut size = 0_usize;
    let _ = visit_relations(of, |name: &ObjectName| {
        let last = name.0.last().and_then(|part| part.as_ident()).map(|name| name.value.to_lowercase());
        let unfolded = last.and_then(|name| known.get(&name).copied()).unwrap_or(1);
        size = size.saturating_add(unfolded);
        ControlFlow::<()>::Continue(())
    });
    size
}

#[cfg(test)]
mod tests {
    use datafusion::sql::parser::DFParser;

    use super::*;

    fn judge(text: &str) -> Result<(), LakeError> {
        check_text(text)?;
        check(&DFParser::parse_sql(text).unwrap()[0])
    }

    #[test]
    fn what_people_ask_passes() {
        for text in [
            "SELECT host, count(*) FROM logs WHERE \"user\" = 'x' GROUP BY 1 ORDER BY 2 DESC LIMIT 10",
            "WITH a AS (SELECT * FROM logs), b AS (SELECT * FROM a) SELECT * FROM a JOIN b ON a.id = b.id",
            "SELECT * FROM logs WHERE host IN (SELECT host FROM logs WHERE status = 'failure')",
        ] {
            judge(text).unwrap();
        }
        let many: Vec<String> = (0..3_000).map(|number| number.to_string()).collect();
        judge(&format!("SELECT * FROM logs WHERE id IN ({})", many.join(", "))).unwrap();
    }

    #[test]
    fn what_unfolds_without_end_is_refused() {
        let doubled = |count: usize| {
            let named: Vec<String> = (1..=count)
                .map(|place| {
                    format!("a{place} AS (SELECT * FROM A{0} UNION ALL SELECT * FROM \"a{0}\")", place - 1)
                })
                .collect();
            format!("WITH a0 AS (SELECT * FROM logs), {} SELECT * FROM a{count}", named.join(", "))
        };
        judge(&doubled(3)).unwrap();
        let nested = (0..16).fold("logs".to_owned(), |inner, _| format!("(SELECT * FROM {inner})"));
        for (text, word) in [
            (doubled(10), "tables"),
            (format!("SELECT * FROM {nested}"), "queries in it"),
            (format!("SELECT 1{}", "+1".repeat(2_500)), "words and operators"),
            ("SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a)".to_owned(), "WITH"),
            ("EXPLAIN SELECT 1".to_owned(), "EXPLAIN"),
        ] {
            let refused = judge(&text).unwrap_err().to_string();
            assert!(refused.contains(word), "{refused}");
        }
    }
}
