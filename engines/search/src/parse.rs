//! From text to a query.

mod value;

use crate::error::{SyntaxError, shown};
use crate::pattern::{Part, Pattern};
use crate::query::{Query, is_plain_name};
use crate::scan::{Keyword, Relation, Scanner, Stop};
use std::net::Ipv6Addr;
use std::ops::Range;

/// Bytes of a query.
pub const MOST_BYTES: usize = 16 * 1024;
/// Levels of parentheses, lists and `not`. Recursion stays below it, here and in whoever walks a query.
pub const MOST_NESTED: usize = 64;
/// Words, phrases and values of a query.
pub const MOST_TERMS: usize = 1000;
/// Bytes of a field's name, which a list repeats for each of its values.
const MOST_NAME: usize = 256;

/// Reads a query.
///
/// `not` binds closer than `and`, and `and`, written or not, closer than `or`. An empty text asks for
/// everything.
pub fn parse(text: &str) -> Result<Query, SyntaxError> {
    if text.len() > MOST_BYTES {
        let message =
            format!("the query has {} bytes and may have {MOST_BYTES}; search in several steps", text.len());
        let end = text.ceil_char_boundary(MOST_BYTES);
        return Err(SyntaxError::new(message, end..text.len()));
    }
    let mut parser = Parser { scan: Scanner::new(text), depth: 0, terms: 0, last: None };
    parser.scan.skip_space();
    if parser.scan.rest().is_empty() {
        return Ok(Query::All);
    }
    let query = parser.any()?;
    if parser.scan.rest().is_empty() {
        return Ok(query);
    }
    Err(parser.closes_nothing())
}

struct Parser<'q> {
    scan: Scanner<'q>,
    depth: usize,
    terms: usize,
    /// The connective or parenthesis that was read last, to blame when nothing follows it.
    last: Option<Range<usize>>,
}

/// The name of a field and the operator behind it.
struct Subject<'q> {
    name: String,
    relation: Relation,
    /// As typed, for messages.
    written: &'q str,
    place: Range<usize>,
}

impl<'q> Parser<'q> {
    fn here(&self, length: usize, message: impl Into<String>) -> SyntaxError {
        SyntaxError::new(message, self.scan.place()..self.scan.place() + length)
    }

    fn closes_nothing(&self) -> SyntaxError {
        self.here(1, "this parenthesis closes nothing; remove it, or put text with parentheses in quotes")
    }

    /// Reads the keyword if it is next, with the space behind it.
    fn eat(&mut self, wanted: Keyword) -> bool {
        match self.scan.keyword() {
            Some((keyword, length)) if keyword == wanted => {
                self.advance(length);
                true
            }
            _ => false,
        }
    }

    fn advance(&mut self, length: usize) {
        let start = self.scan.place();
        self.last = Some(start..start + length);
        while self.scan.place() < start + length {
            self.scan.bump();
        }
        self.scan.skip_space();
    }

    fn deeper(&mut self, levels: usize) -> Result<(), SyntaxError> {
        self.depth += levels;
        if self.depth > MOST_NESTED {
            let message = format!("the query is nested deeper than {MOST_NESTED} levels; write it flatter");
            return Err(self.here(0, message));
        }
        Ok(())
    }

    fn one_more_term(&mut self) -> Result<(), SyntaxError> {
        self.terms += 1;
        if self.terms > MOST_TERMS {
            let message = format!("the query has more than {MOST_TERMS} terms; search in several steps");
            return Err(self.here(0, message));
        }
        Ok(())
    }

    fn any(&mut self) -> Result<Query, SyntaxError> {
        let mut parts = Vec::new();
        loop {
            match self.all()? {
                Query::Or(inner) => parts.extend(inner),
                part => parts.push(part),
            }
            if !self.eat(Keyword::Or) {
                return Ok(one_or(parts, Query::Or));
            }
        }
    }

    fn all(&mut self) -> Result<Query, SyntaxError> {
        let mut parts = Vec::new();
        loop {
            match self.not()? {
                Query::And(inner) => parts.extend(inner),
                part => parts.push(part),
            }
            if self.eat(Keyword::And) {
                continue;
            }
            let is_or = self.scan.keyword().is_some_and(|(keyword, _)| keyword == Keyword::Or);
            if is_or || matches!(self.scan.peek(), None | Some(')')) {
                return Ok(one_or(parts, Query::And));
            }
        }
    }

    fn not(&mut self) -> Result<Query, SyntaxError> {
        let mut nots = 0;
        while self.eat(Keyword::Not) {
            nots += 1;
            self.deeper(1)?;
        }
        let mut query = self.operand()?;
        for _ in 0..nots {
            query = Query::Not(Box::new(query));
        }
        self.depth -= nots;
        Ok(query)
    }

    fn operand(&mut self) -> Result<Query, SyntaxError> {
        if self.scan.keyword().is_some() || matches!(self.scan.peek(), None | Some(')')) {
            return Err(self.operand_is_missing());
        }
        let query = if self.scan.peek() == Some('(') { self.group()? } else { self.term()? };
        self.scan.skip_space();
        Ok(query)
    }

    fn operand_is_missing(&self) -> SyntaxError {
        if let Some((_, length)) = self.scan.keyword() {
            let word = shown(self.scan.rest().get(..length).unwrap_or(""));
            let message = format!(
                "`{word}` has nothing on its left; write a term before it, or `\"{word}\"` for the word itself"
            );
            return self.here(length, message);
        }
        let Some(last) = &self.last else { return self.closes_nothing() };
        let word = self.scan.between(last.clone());
        let message = match (word, self.scan.peek()) {
            ("(", Some(_)) => {
                let place = last.start..self.scan.place() + 1;
                let message = "the parentheses are empty; write a query into them, or put text with \
                               parentheses in quotes";
                return SyntaxError::new(message, place);
            }
            ("(", None) => "this parenthesis is never closed; write a query behind it and a `)`".to_owned(),
            ("-" | "!", _) => format!("`{word}` has nothing to deny; write a term directly behind it"),
            _ => format!(
                "`{word}` has nothing on its right; write a term behind it, or `\"{word}\"` for the word itself"
            ),
        };
        SyntaxError::new(message, last.clone())
    }

    fn group(&mut self) -> Result<Query, SyntaxError> {
        let open = self.scan.place();
        self.deeper(1)?;
        self.advance(1);
        let query = self.any()?;
        if !self.scan.eat(")") {
            let message = "this parenthesis is never closed; add a `)` where it should end";
            return Err(SyntaxError::new(message, open..open + 1));
        }
        self.depth -= 1;
        Ok(query)
    }

    fn term(&mut self) -> Result<Query, SyntaxError> {
        let start = self.scan.place();
        if self.scan.peek() == Some('"') {
            return self.phrase(start);
        }
        if self.scan.peek() == Some('`') {
            let name = self.scan.quoted('`')?;
            let named = start..self.scan.place();
            let subject = self.subject(start, name)?.ok_or_else(|| {
                let message = "a name in backticks needs a value, as in `` `odd name`:value ``";
                SyntaxError::new(message, named)
            })?;
            return self.field(&subject);
        }
        if let Some(address) = self.address() {
            self.one_more_term()?;
            return Ok(Query::Text(Pattern::exactly(address, false)));
        }
        let bare = self.scan.bare(Stop::Word)?;
        if bare.raw.is_empty() || matches!(bare.raw, "|" | "&" | "-") {
            return Err(self.lone_operator(start));
        }
        let behind = self.scan.clone();
        if let Some(subject) = self.subject(start, bare.raw.to_owned())? {
            return self.field(&subject);
        }
        self.scan = behind;
        self.one_more_term()?;
        Ok(match bare.parts.as_slice() {
            [Part::Any] => Query::All,
            _ => Query::Text(Pattern { parts: bare.parts, phrase: false }),
        })
    }

    fn phrase(&mut self, start: usize) -> Result<Query, SyntaxError> {
        let text = self.scan.quoted('"')?;
        self.scan.end_of_quotes()?;
        if text.is_empty() {
            let message = "there is nothing between the quotes; write the text to look for";
            return Err(SyntaxError::new(message, start..self.scan.place()));
        }
        self.one_more_term()?;
        Ok(Query::Text(Pattern::exactly(text, true)))
    }

    /// An IPv6 address as free text, whose colons make no field.
    fn address(&mut self) -> Option<String> {
        let mut scan = self.scan.clone();
        let raw = scan.bare(Stop::Value).ok()?.raw;
        raw.parse::<Ipv6Addr>().ok()?;
        self.scan = scan;
        Some(raw.to_owned())
    }

    fn lone_operator(&mut self, start: usize) -> SyntaxError {
        self.scan.relation();
        let place = start..self.scan.place();
        let operator = self.scan.between(place.clone());
        let message = match operator {
            "|" => "`|` is no part of a query; for or write `or`, for the character write `\"|\"`".to_owned(),
            "&" => {
                "`&` is no part of a query; for and write `and`, for the character write `\"&\"`".to_owned()
            }
            "-" => "`-` stands alone; for not put it directly before a word, for the character write `\"-\"`"
                .to_owned(),
            _ => format!(
                "`{operator}` has no field on its left; write `field{operator}value`, \
                 or put text with `{operator}` in quotes"
            ),
        };
        SyntaxError::new(message, place)
    }

    /// What the name that was read from `start` on is the name of, if an operator follows.
    fn subject(&mut self, start: usize, name: String) -> Result<Option<Subject<'q>>, SyntaxError> {
        let place = start..self.scan.place();
        let written = self.scan.between(place.clone());
        self.scan.skip_space();
        let Some(relation) = self.scan.relation() else { return Ok(None) };
        let message = if name.is_empty() {
            "the name of the field is empty".to_owned()
        } else if name.len() > MOST_NAME {
            format!("the name of the field has {} bytes and may have {MOST_NAME}", name.len())
        } else if written.starts_with('`') || is_plain_name(&name) {
            let place = start..self.scan.place();
            return Ok(Some(Subject { name, relation, written: self.scan.between(place.clone()), place }));
        } else {
            format!(
                "`{}` is not the name of a field, which has letters, digits and `_ . @ -` and is no bare \
                 number; put an odd name in backticks, and text with operators in quotes",
                shown(&name)
            )
        };
        Err(SyntaxError::new(message, place))
    }
}

fn one_or(mut parts: Vec<Query>, many: fn(Vec<Query>) -> Query) -> Query {
    match parts.pop() {
        Some(part) if parts.is_empty() => part,
        last => {
            parts.extend(last);
            many(parts)
        }
    }
}

#[cfg(test)]
mod tests;
