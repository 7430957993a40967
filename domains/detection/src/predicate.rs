//! What a rule asks, part by part, and what one event answers.

use garrison_base::Value;
use garrison_sigma::Verdict;
use garrison_sigma::expr::Expr;
use serde::Serialize;
use utoipa::ToSchema;

/// What is told of the values of an event, in characters.
const SEEN: usize = 500;

/// How a part of a rule is made of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PredicateOp {
    /// All of its parts.
    And,
    /// At least one of its parts.
    Or,
    /// At least so many of its parts.
    Of,
    /// Not its part.
    Not,
    /// It has no parts, and asks one field.
    Test,
}

/// A part of a rule.
#[derive(Debug, Serialize, ToSchema)]
pub struct Predicate {
    /// How it is made of its parts.
    pub op: PredicateOp,
    /// What it asks, in a few words.
    pub words: String,
    /// The field that is asked, by its Sigma name; absent where any field may answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is asked of the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<String>,
    /// The name of the detection in the rule, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its parts.
    #[schema(no_recursion)]
    pub children: Vec<Predicate>,
}

/// A part of a rule, and what one event says to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Judged {
    /// How it is made of its parts.
    pub op: PredicateOp,
    /// What it asks, in a few words.
    pub words: String,
    /// The field that is asked, by its Sigma name; absent where any field may answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is asked of the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<String>,
    /// The name of the detection in the rule, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it holds.
    pub holds: bool,
    /// What the event has in the field; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// Its parts, also those that decided nothing.
    #[schema(no_recursion)]
    pub children: Vec<Judged>,
}

impl Predicate {
    /// What an expression asks. Nested no deeper than the reader of rules lets one be.
    pub(crate) fn of(expr: &Expr) -> Self {
        let (op, words, parts): (_, _, &[Expr]) = match expr {
            Expr::Named(name, inner) => return Self { name: Some(name.to_string()), ..Self::of(inner) },
            Expr::All(parts) => (PredicateOp::And, "all of these".to_owned(), parts),
            Expr::Any(parts) => (PredicateOp::Or, "any of these".to_owned(), parts),
            Expr::AtLeast(least, parts) => (PredicateOp::Of, format!("at least {least} of these"), parts),
            Expr::Not(inner) => (PredicateOp::Not, "not this".to_owned(), std::slice::from_ref(inner)),
            Expr::Is(asked) => {
                let (field, test) = (asked.field.as_deref().map(str::to_owned), asked.question());
                let words = format!("{} {test}", field.as_deref().unwrap_or("any field"));
                let (name, children) = (None, Vec::new());
                return Self { op: PredicateOp::Test, words, field, test: Some(test), name, children };
            }
        };
        let children = parts.iter().map(Self::of).collect();
        Self { op, words, field: None, test: None, name: None, children }
    }

    /// The same with what an event says to it.
    pub(crate) fn judged(self, verdict: Verdict<'_>) -> Judged {
        let Self { op, words, field, test, name, children } = self;
        let Verdict { holds, seen, children: verdicts } = verdict;
        let children = children.into_iter().zip(verdicts).map(|(part, verdict)| part.judged(verdict));
        Judged { op, words, field, test, name, holds, seen: told(&seen), children: children.collect() }
    }
}

/// The values of a field as one text, cut to what is shown.
fn told(seen: &[&Value<'_>]) -> Option<String> {
    if seen.is_empty() {
        return None;
    }
    let (mut all, mut number) = (String::new(), String::new());
    for (place, value) in seen.iter().enumerate() {
        all.push_str(if place > 0 { ", " } else { "" });
        all.extend(value.text(&mut number).unwrap_or_default().chars().take(SEEN));
        if all.chars().nth(SEEN).is_some() {
            break;
        }
    }
    Some(all.chars().take(SEEN).collect())
}
