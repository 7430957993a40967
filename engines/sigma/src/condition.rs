//! Conditions: `selection and not 1 of filter_*`.

use std::sync::Arc;

use crate::expr::Expr;
use crate::pattern::Pattern;

/// Parses a condition over the named detections and puts these in its place.
///
/// `not` binds closer than `and`, `and` closer than `or`. `1 of`, `any of`, `N of` and `all of` take a
/// name with `*` or `them`; names that begin with `_` take part only where the pattern begins so too.
pub(crate) fn resolve(text: &str, detections: &[(String, Expr)]) -> Result<Expr, String> {
    if text.contains('|') {
        return Err("aggregations behind `|` were replaced by correlation rules in Sigma 2".to_owned());
    }
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, place: 0, depth: 0, detections };
    let expr = parser.any()?;
    match parser.peek() {
        None => Ok(expr),
        Some(token) => Err(format!("`and` or `or` is missing before `{token}`")),
    }
}

fn tokens(text: &str) -> Result<Vec<&str>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_name = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '*');
        let length = match first {
            '(' | ')' => 1,
            first if is_name(first) => rest.find(|char| !is_name(char)).unwrap_or(rest.len()),
            other => return Err(format!("`{other}` means nothing in a condition")),
        };
        let (token, after) = rest.split_at(length);
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

/// Recursion stays below this; no published rule nests deeper than four.
const MOST_NESTED: usize = 64;

struct Parser<'t> {
    tokens: &'t [&'t str],
    place: usize,
    depth: usize,
    detections: &'t [(String, Expr)],
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<&'t str> {
        self.tokens.get(self.place).copied()
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.peek() == Some(token);
        self.place += usize::from(found);
        found
    }

    fn any(&mut self) -> Result<Expr, String> {
        let mut parts = vec![self.all()?];
        while self.eat("or") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::Any(parts) })
    }

    fn all(&mut self) -> Result<Expr, String> {
        let mut parts = vec![self.not()?];
        while self.eat("and") {
            parts.push(self.not()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::All(parts) })
    }

    fn not(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > MOST_NESTED {
            return Err(format!("the condition is nested deeper than {MOST_NESTED} levels"));
        }
        let expr = if self.eat("not") {
            Expr::Not(Box::new(self.not()?))
        } else if self.eat("(") {
            let inner = self.any()?;
            if !self.eat(")") {
                return Err("a closing parenthesis is missing".to_owned());
            }
            inner
        } else {
            self.operand()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn operand(&mut self) -> Result<Expr, String> {
        let token = self.peek().ok_or("the condition ends where a detection is expected")?;
        self.place += 1;
        if self.eat("of") {
            let pattern =
                self.peek().ok_or_else(|| format!("`{token} of` wants a name, `name*` or `them`"))?;
            self.place += 1;
            return self.selector(token, pattern);
        }
        match token {
            "and" | "or" | ")" | "of" => Err(format!("a detection is missing before `{token}`")),
            "AND" | "OR" | "NOT" => Err(format!("`{token}` is written in lower case")),
            name => self.named(name).ok_or_else(|| self.unknown(name)),
        }
    }

    fn named(&self, name: &str) -> Option<Expr> {
        self.detections.iter().find(|(known, _)| known == name).map(part)
    }

    fn unknown(&self, name: &str) -> String {
        let known: Vec<&str> = self.detections.iter().map(|(name, _)| name.as_str()).collect();
        format!("the detection `{name}` is not defined; there are: {}", known.join(", "))
    }

    fn selector(&self, quantifier: &str, pattern: &str) -> Result<Expr, String> {
        let hidden = |name: &str| name.starts_with('_') && !pattern.starts_with('_');
        let like = Pattern::parse(pattern);
        let chosen = |name: &str| !hidden(name) && (pattern == "them" || like.matches(name));
        let mut parts: Vec<Expr> =
            self.detections.iter().filter(|(name, _)| chosen(name)).map(part).collect();
        if parts.is_empty() {
            return Err(format!("`{quantifier} of {pattern}` finds no detection"));
        }
        let least = match quantifier {
            "1" | "any" => 1,
            "all" => parts.len(),
            number => number.parse().ok().filter(|least| *least > 0).ok_or_else(|| {
                format!("`{quantifier} of` is not understood: write `1 of`, `all of` or a number")
            })?,
        };
        if least > parts.len() {
            return Err(format!(
                "`{quantifier} of {pattern}` can never be: it finds {} detections",
                parts.len()
            ));
        }
        Ok(match (least, parts.len()) {
            (_, 1) => parts.remove(0),
            (1, _) => Expr::Any(parts),
            (least, most) if least == most => Expr::All(parts),
            (least, _) => Expr::AtLeast(least, parts),
        })
    }
}

/// A detection as a part of the condition. It keeps its name, so that people find it again in the rule.
fn part((name, expr): &(String, Expr)) -> Expr {
    Expr::Named(Arc::from(name.as_str()), Box::new(expr.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::{Predicate, Test};

    fn shape(expr: &Expr) -> String {
        let join = |parts: &[Expr], with: &str| parts.iter().map(shape).collect::<Vec<_>>().join(with);
        match expr {
            Expr::All(parts) => format!("({})", join(parts, "&")),
            Expr::Any(parts) => format!("({})", join(parts, "|")),
            Expr::AtLeast(least, parts) => format!("{least}({})", join(parts, ",")),
            Expr::Not(inner) => format!("!{}", shape(inner)),
            Expr::Named(_, inner) => shape(inner),
            Expr::Is(predicate) => predicate.field.as_deref().unwrap_or("").to_owned(),
        }
    }

    fn parse(text: &str) -> Result<String, String> {
        let named = |name: &str| {
            (name.to_owned(), Expr::Is(Predicate { field: Some(name.into()), test: Test::Null }))
        };
        let detections = ["a", "b", "sel_1", "sel_2", "sel_3", "_hidden", "notepad"].map(named);
        resolve(text, &detections).map(|expr| shape(&expr))
    }

    #[test]
    fn precedence_and_selectors() {
        assert_eq!(parse("a or b and not a").unwrap(), "(a|(b&!a))");
        assert_eq!(parse("(a or b) and a").unwrap(), "((a|b)&a)");
        assert_eq!(parse("not not a").unwrap(), "!!a");
        assert_eq!(parse("1 of sel_* and notepad").unwrap(), "((sel_1|sel_2|sel_3)&notepad)");
        assert_eq!(parse("all of sel_*").unwrap(), "(sel_1&sel_2&sel_3)");
        assert_eq!(parse("2 of sel_*").unwrap(), "2(sel_1,sel_2,sel_3)");
        assert_eq!(parse("1 of _*").unwrap(), "_hidden");
        assert!(!parse("1 of them").unwrap().contains("_hidden"));
    }

    #[test]
    fn detections_keep_their_names() {
        let detections = ["a", "sel_1", "sel_2"]
            .map(|name| (name.to_owned(), Expr::Is(Predicate { field: Some("f".into()), test: Test::Null })));
        let Expr::All(parts) = resolve("a and 1 of sel_*", &detections).unwrap() else { panic!() };
        let [Expr::Named(first, _), Expr::Any(chosen)] = &parts[..] else { panic!("{parts:?}") };
        let [Expr::Named(second, _), Expr::Named(third, _)] = &chosen[..] else { panic!("{chosen:?}") };
        assert_eq!([first, second, third].map(AsRef::as_ref), ["a", "sel_1", "sel_2"]);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, word) in [
            ("a b", "missing before `b`"),
            ("a and", "ends where"),
            ("(a", "closing parenthesis"),
            ("c", "not defined"),
            ("1 of c*", "finds no detection"),
            ("4 of sel_*", "can never be"),
            ("a | count() > 5", "correlation"),
            ("a AND b", "missing before `AND`"),
            ("a & b", "means nothing"),
            ("", "ends where"),
        ] {
            let reason = parse(text).unwrap_err();
            assert!(reason.contains(word), "{text}: {reason}");
        }
        assert!(parse(&"(".repeat(100_000)).unwrap_err().contains("nested deeper"));
        assert!(parse(&"not ".repeat(100_000)).unwrap_err().contains("nested deeper"));
    }
}
