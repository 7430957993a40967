//! JSON objects, flattened.

use std::borrow::Cow;
use std::fmt;

use garrison_base::{Fields, Value, limits};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Flattens one JSON object: nested names are joined by dots, the elements of a list become several values
/// of one name. Deeper than [`limits::DEPTH`], or behind [`limits::FIELDS`] fields, values are left out.
/// `None` if the text is not one JSON object.
pub fn flatten(text: &str) -> Option<Fields<'_>> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let mut fields = Fields::with_capacity(48);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let flat = Flatten { fields: &mut fields, path: &mut String::new(), name: None, depth: 0 };
    flat.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(fields)
}

/// Visits one value and adds what it holds under its name.
struct Flatten<'f, 'de> {
    fields: &'f mut Fields<'de>,
    /// The names of the enclosing objects, each with a dot behind it.
    path: &'f mut String,
    /// The value's own name. The outermost object has none.
    name: Option<Cow<'de, str>>,
    depth: usize,
}

impl<'de> Flatten<'_, 'de> {
    fn push(self, value: Value<'de>) {
        let name = self.name.unwrap_or_default();
        if self.fields.is_full() || self.path.len() + name.len() > limits::NAME_BYTES {
            self.fields.mark_cut();
            return;
        }
        let name = if self.path.is_empty() { name } else { Cow::Owned(format!("{}{name}", self.path)) };
        self.fields.push(name, value);
    }
}

impl<'de> DeserializeSeed<'de> for Flatten<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Flatten<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let length = self.path.len();
        if let Some(name) = &self.name {
            let marker = Flatten {
                name: Some(name.clone()),
                fields: &mut *self.fields,
                path: &mut *self.path,
                depth: 0,
            };
            marker.push(Value::Nested);
            self.path.push_str(name);
            self.path.push('.');
        }
        let depth = self.depth + 1;
        while let Some(Name(name)) = map.next_key()? {
            if depth > limits::DEPTH || self.fields.is_full() {
                self.fields.mark_cut();
                map.next_value::<IgnoredAny>()?;
            } else {
                map.next_value_seed(Flatten {
                    fields: self.fields,
                    path: self.path,
                    name: Some(name),
                    depth,
                })?;
            }
        }
        self.path.truncate(length);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let depth = self.depth + 1;
        let before = self.fields.len();
        if depth > limits::DEPTH {
            self.fields.mark_cut();
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let element = |this: &mut Self, seq: &mut A| {
            let seed = Flatten { fields: this.fields, path: this.path, name: this.name.clone(), depth };
            seq.next_element_seed(seed)
        };
        let mut this = self;
        while element(&mut this, &mut seq)?.is_some() {}
        if this.fields.len() == before {
            this.push(Value::Nested);
        }
        Ok(())
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        self.push(Value::Text(Cow::Borrowed(text)));
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.push(Value::Text(Cow::Owned(text.to_owned())));
        Ok(())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.push(Value::Int(number));
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.push(i64::try_from(number).map_or(Value::Uint(number), Value::Int));
        Ok(())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.push(Value::Float(number));
        Ok(())
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<(), E> {
        self.push(Value::Bool(truth));
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.push(Value::Null);
        Ok(())
    }
}

/// A key, borrowed where it has no escapes.
struct Name<'de>(Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let fields = flatten(text).unwrap();
        fields.iter().map(|(name, value)| format!("{name}={value:?}")).collect()
    }

    #[test]
    fn names_are_joined_and_lists_repeat() {
        assert_eq!(
            shown(r#"{"a":{"b":[1,{"c":"x"}]},"d":[],"e":null,"f":1.5,"g":true}"#),
            [
                "a=Nested",
                "a.b=Int(1)",
                "a.b=Nested",
                "a.b.c=Text(\"x\")",
                "d=Nested",
                "e=Null",
                "f=Float(1.5)",
                "g=Bool(true)"
            ]
        );
    }

    #[test]
    fn depth_and_width_are_bounded() {
        let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
        assert!(flatten(&deep).is_none_or(|fields| fields.len() <= limits::DEPTH));
        let wide = format!("{{{}\"z\":1}}", (0..10_000).map(|n| format!("\"k{n}\":1,")).collect::<String>());
        assert_eq!(flatten(&wide).unwrap().len(), limits::FIELDS);
    }

    #[test]
    fn only_one_whole_object_will_do() {
        for text in ["", "[]", "1", "{\"a\":1", "{\"a\":1} {", "{\"a\":}", "null"] {
            assert!(flatten(text).is_none(), "{text}");
        }
    }
}
