//! A test that is made ready once and asked of many values.

use std::net::IpAddr;

use ipnet::IpNet;
use regex::{Regex, RegexBuilder};

use crate::matching::matches_value;
use crate::pattern::Pattern;
use crate::query::{Op, Test};

/// Bytes that a regular expression may have when it is ready.
const MOST_REGEX_BYTES: usize = 1 << 20;

/// A test that is ready to be asked many times.
#[derive(Debug, Clone)]
pub enum Ready {
    /// The whole value, in any case.
    Is(Pattern),
    /// There is a value.
    Present,
    /// An order to a number, where there is one, or else to a text.
    Compare(Op, Option<f64>, String),
    /// An address in a network.
    Network(IpNet),
    /// A regular expression.
    Matches(Regex),
}

impl Ready {
    /// Makes a test ready; the error is a regular expression that cannot be read, or is too large.
    pub fn new(test: &Test) -> Result<Self, regex::Error> {
        Ok(match test {
            Test::Is(pattern) => Self::Is(pattern.clone()),
            Test::Present => Self::Present,
            Test::Compare(op, value) => Self::Compare(*op, value.parse().ok(), value.clone()),
            Test::Network(network) => Self::Network(*network),
            Test::Matches(text) => {
                Self::Matches(RegexBuilder::new(text).size_limit(MOST_REGEX_BYTES).build()?)
            }
        })
    }

    /// Whether a value passes.
    pub fn holds(&self, value: &str) -> bool {
        match self {
            Self::Is(pattern) => matches_value(pattern, value),
            Self::Present => true,
            Self::Compare(op, number, text) => {
                let order = match (number, value.trim().parse::<f64>()) {
                    (Some(number), Ok(value)) => value.partial_cmp(number),
                    // A number is not in any order to what is none.
                    (Some(_), Err(_)) => None,
                    (None, _) => Some(value.cmp(text)),
                };
                order.is_some_and(|order| op.holds(order))
            }
            Self::Network(network) => {
                let plain = value.strip_prefix("::ffff:").unwrap_or(value);
                plain.parse().is_ok_and(|address: IpAddr| network.contains(&address))
            }
            Self::Matches(regex) => regex.is_match(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Query, parse};

    fn ready(query: &str) -> Result<Ready, regex::Error> {
        match parse(query).unwrap() {
            Query::Field { test, .. } => Ready::new(&test),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_pass_or_do_not() {
        for (query, value, expected) in [
            ("f:root", "ROOT", true),
            ("f:root", "root2", false),
            ("f:*", "", true),
            ("f>=500", "500", true),
            ("f>500", " 501 ", true),
            ("f<500", "NaN", false),
            ("f<500", "none", false),
            ("f>b", "c", true),
            ("f>b", "1", false),
            ("f:192.0.2.0/24", "192.0.2.7", true),
            ("f:192.0.2.0/24", "::ffff:192.0.2.7", true),
            ("f:192.0.2.0/24", "198.51.100.7", false),
            ("f:2001:db8::/32", "2001:db8::1", true),
            ("f:192.0.2.0/24", "localhost", false),
            ("f:/^a\\d+$/", "a12", true),
            ("f:/^a\\d+$/", "b", false),
        ] {
            assert_eq!(ready(query).unwrap().holds(value), expected, "{query} of {value}");
        }
    }

    #[test]
    fn a_regular_expression_that_is_none_or_too_large_is_refused() {
        for query in ["f:/(/", "f:/\\w{200}{200}/"] {
            assert!(ready(query).is_err(), "{query}");
        }
    }
}
