//! What stands behind a field's operator.

use super::{Parser, Subject, one_or};
use crate::error::{SyntaxError, shown};
use crate::pattern::{Part, Pattern};
use crate::query::{Op, Query, Test};
use crate::scan::{Bare, Keyword, Relation, Stop};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr};

impl<'q> Parser<'q> {
    pub(super) fn field(&mut self, subject: &Subject<'q>) -> Result<Query, SyntaxError> {
        let spaced = self.scan.skip_space();
        // Directly behind the operator a word is a value, as in `country:OR`.
        let symbol = self.scan.rest().starts_with(['&', '|']);
        let connective = self.scan.keyword().is_some_and(|(_, length)| length > 1 && (spaced || symbol));
        let next = self.scan.peek();
        if connective || matches!(next, None | Some(')')) {
            return Err(no_value(subject));
        }
        if let Some(wrong @ ('<' | '>' | '=')) = next {
            let written = shown(subject.written);
            let message = format!(
                "two operators follow each other; write one of `: = != < <= > >=`, and a value that begins \
                 with `{wrong}` in quotes, as in `{written}\"{wrong}1\"`"
            );
            return Err(self.here(1, message));
        }
        let name = &subject.name;
        match subject.relation {
            Relation::Ordered(op) => {
                let value = self.bound(subject, op)?;
                Ok(Query::Field { name: name.clone(), test: Test::Compare(op, value) })
            }
            Relation::Equal => self.values(subject),
            Relation::Unequal => {
                self.deeper(1)?;
                let query = self.values(subject)?;
                self.depth -= 1;
                Ok(Query::Not(Box::new(query)))
            }
        }
    }

    /// The value behind `<` and its like.
    fn bound(&mut self, subject: &Subject<'q>, op: Op) -> Result<String, SyntaxError> {
        self.one_more_term()?;
        let start = self.scan.place();
        let value = match self.scan.peek() {
            Some('(') => {
                let message = format!("`{op}` takes one value; a list goes with `:`, `=` or `!=`");
                return Err(self.here(1, message));
            }
            Some('"') => {
                let text = self.scan.quoted('"')?;
                self.scan.end_of_quotes()?;
                Some(text)
            }
            _ => Pattern { parts: self.scan.bare(Stop::Value)?.parts, phrase: false }.literal(),
        };
        match value {
            Some(value) if value.is_empty() => Err(no_value(subject)),
            Some(value) => Ok(value),
            None => {
                let message = format!(
                    "`{op}` takes a value without wildcards; put `*` and `?` in quotes if they are meant"
                );
                Err(SyntaxError::new(message, start..self.scan.place()))
            }
        }
    }

    fn values(&mut self, subject: &Subject<'q>) -> Result<Query, SyntaxError> {
        if self.scan.peek() == Some('(') {
            return self.list(subject);
        }
        self.value(subject, Stop::Value)
    }

    fn list(&mut self, subject: &Subject<'q>) -> Result<Query, SyntaxError> {
        let open = self.scan.place();
        self.deeper(1)?;
        self.advance(1);
        let mut parts = Vec::new();
        loop {
            while self.scan.eat(",") {
                self.scan.skip_space();
            }
            let is_or = !parts.is_empty() && self.eat(Keyword::Or);
            match (self.scan.peek(), self.scan.keyword()) {
                (None, _) => {
                    let message = "this list is never closed; add a `)` behind its last value";
                    return Err(SyntaxError::new(message, open..open + 1));
                }
                (Some(')'), _) if parts.is_empty() => {
                    let message = format!(
                        "the list is empty; write values, as in `{}(a or b)`",
                        shown(subject.written)
                    );
                    return Err(SyntaxError::new(message, open..self.scan.place() + 1));
                }
                (Some(')'), _) if is_or => return Err(self.operand_is_missing()),
                (Some(')'), _) => break,
                (Some('('), _) => {
                    return Err(self.here(1, "a list holds values only, without further parentheses"));
                }
                (_, Some((Keyword::Or, _))) => return Err(self.operand_is_missing()),
                // `-5` and `!` begin values.
                (_, Some((_, length))) if length > 1 => return Err(self.connective_in_list(length)),
                _ => parts.push(self.value(subject, Stop::Item)?),
            }
            self.scan.skip_space();
        }
        self.scan.bump();
        self.depth -= 1;
        Ok(one_or(parts, Query::Or))
    }

    fn connective_in_list(&self, length: usize) -> SyntaxError {
        let word = shown(self.scan.rest().get(..length).unwrap_or(""));
        let message = format!(
            "a list means any of its values, `{word}` has no place in it; write the field again, as in \
             `field:a and not field:b`, or `\"{word}\"` for the word itself"
        );
        self.here(length, message)
    }

    fn value(&mut self, subject: &Subject<'q>, stop: Stop) -> Result<Query, SyntaxError> {
        self.one_more_term()?;
        let start = self.scan.place();
        let test = match self.scan.peek() {
            Some('"') => {
                let text = self.scan.quoted('"')?;
                self.scan.end_of_quotes()?;
                Test::Is(Pattern::exactly(text, false))
            }
            Some('/') => Test::Matches(self.scan.regex()?),
            _ => {
                let bare = self.scan.bare(stop)?;
                unquoted(bare).map_err(|message| SyntaxError::new(message, start..self.scan.place()))?
            }
        };
        Ok(Query::Field { name: subject.name.clone(), test })
    }
}

fn no_value(subject: &Subject<'_>) -> SyntaxError {
    let written = shown(subject.written);
    let message = match subject.relation {
        Relation::Ordered(_) => format!("`{written}` has no value; write a number, text or time behind it"),
        _ => format!(
            "`{written}` has no value; write `{written}value`, `{written}\"two words\"`, \
             or `{written}*` for any value"
        ),
    };
    SyntaxError::new(message, subject.place.clone())
}

fn unquoted(bare: Bare<'_>) -> Result<Test, String> {
    if bare.parts == [Part::Any] {
        return Ok(Test::Present);
    }
    if !bare.escaped {
        if let Some(network) = network(bare.raw)? {
            return Ok(Test::Network(network));
        }
        if bare.raw.starts_with(':') && bare.raw.parse::<Ipv6Addr>().is_err() {
            return Err("a second `:` follows the first; put text with colons in quotes".to_owned());
        }
    }
    Ok(Test::Is(Pattern { parts: bare.parts, phrase: false }))
}

/// The network, where the value is meant as one: an address, `/` and something.
fn network(raw: &str) -> Result<Option<IpNet>, String> {
    let Some((address, length)) = raw.split_once('/') else { return Ok(None) };
    let Ok(address) = address.parse::<IpAddr>() else { return Ok(None) };
    let most = if address.is_ipv4() { 32 } else { 128 };
    let digits = length.len() <= 3 && length.bytes().all(|byte| byte.is_ascii_digit());
    length
        .parse()
        .ok()
        .filter(|_| digits)
        .and_then(|length| IpNet::new(address, length).ok())
        .map(|network| Some(network.trunc()))
        .ok_or_else(|| {
            format!(
                "`{}` is not a network: behind the `/` stands a number from 0 to {most}; \
                 put it in quotes if it is meant as text",
                shown(raw)
            )
        })
}
