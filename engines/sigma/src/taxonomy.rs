//! Which log source an event is from, and what that source calls the fields that rules name.
//!
//! The knowledge is data: the files under `taxonomy/`, each a list of entries:
//!
//! ```yaml
//! - kind: windows                        # what the decoder recognised
//!   when: {Channel: Security, EventID: 4688}
//!   source: {product: windows, service: security, category: process_creation}
//!   fields: {Image: NewProcessName}        # rules say Image, the source says NewProcessName
//! ```
//!
//! `when` may use `*` for "is present". Of the entries that fit an event, the one with the most
//! conditions counts. A source may have several services and categories.

use foldhash::{HashMap, HashMapExt as _};
use garrison_base::Fields;

use crate::rule::LogSource;
use crate::shard::Aliases;
use crate::yaml::{self, Kind, Node};

/// The sources that are known, and how to recognise them.
pub struct Taxonomy {
    sources: Vec<Source>,
    kinds: HashMap<String, Vec<Group>>,
}

/// A kind of log.
#[derive(Debug, Default)]
pub struct Source {
    product: Option<String>,
    services: Vec<String>,
    categories: Vec<String>,
    fields: HashMap<String, Vec<String>>,
}

/// A source, by its place in the taxonomy. The last one is what no entry describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SourceId(usize);

impl SourceId {
    /// The place.
    pub fn index(self) -> usize {
        self.0
    }
}

/// Entries of one kind that look at the same fields.
struct Group {
    keys: Vec<Key>,
    sources: HashMap<String, SourceId>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    field: String,
    /// Only the presence counts, not the value.
    presence: bool,
}

impl Taxonomy {
    /// The files that come with the engine, by name.
    pub const BUILT_IN: [(&str, &str); 3] = [
        ("windows.yml", include_str!("../taxonomy/windows.yml")),
        ("linux.yml", include_str!("../taxonomy/linux.yml")),
        ("services.yml", include_str!("../taxonomy/services.yml")),
    ];

    /// The taxonomy that comes with the engine.
    pub fn built_in() -> Result<Self, String> {
        Self::read(Self::BUILT_IN)
    }

    /// Reads taxonomy files, given by name and text. The error names file and line.
    pub fn read<'t>(files: impl IntoIterator<Item = (&'t str, &'t str)>) -> Result<Self, String> {
        let mut taxonomy = Self { sources: Vec::new(), kinds: HashMap::new() };
        for (name, text) in files {
            let documents = yaml::parse(text).map_err(|error| format!("{name}: {error}"))?;
            for entry in documents.iter().flat_map(Node::elements) {
                taxonomy.add(entry).map_err(|reason| format!("{name}:{}: {reason}", entry.line))?;
            }
        }
        for groups in taxonomy.kinds.values_mut() {
            groups.sort_by_key(|group| std::cmp::Reverse(group.keys.len()));
        }
        taxonomy.sources.push(Source::default());
        Ok(taxonomy)
    }

    fn add(&mut self, entry: &Node) -> Result<(), String> {
        let kind = entry.get("kind").and_then(Node::text).ok_or("an entry wants a `kind`")?;
        let source = entry.get("source").ok_or("an entry wants a `source`")?;
        let parts = |key: &str| source.get(key).map(Node::texts).unwrap_or_default();
        let mut fields = HashMap::new();
        for (name, node) in pairs(entry.get("fields")) {
            fields.insert(name, node.texts());
        }
        let mut conditions: Vec<(Key, String)> = pairs(entry.get("when"))
            .map(|(field, node)| {
                let value = node.texts().concat().to_lowercase();
                (Key { field, presence: value == "*" }, value)
            })
            .collect();
        conditions.sort();
        let (keys, values): (Vec<Key>, Vec<String>) = conditions.into_iter().unzip();
        let id = SourceId(self.sources.len());
        self.sources.push(Source {
            product: parts("product").pop(),
            services: parts("service"),
            categories: parts("category"),
            fields,
        });
        let groups = self.kinds.entry(kind.to_owned()).or_default();
        let place = groups.iter().position(|group| group.keys == keys).unwrap_or(groups.len());
        if place == groups.len() {
            groups.push(Group { keys, sources: HashMap::new() });
        }
        match groups.get_mut(place).and_then(|group| group.sources.insert(values.join("\0"), id)) {
            Some(_) => Err("another entry has the same conditions".to_owned()),
            None => Ok(()),
        }
    }

    /// The sources, the unknown one last.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter()
    }

    /// A source that an entry describes; `None` for the unknown one.
    pub fn known(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(id.0).filter(|_| id.0 + 1 < self.sources.len())
    }

    /// The source of an event that a decoder recognised as `kind`.
    pub fn route(&self, kind: &str, fields: &Fields<'_>) -> SourceId {
        let groups = self.kinds.get(kind).map_or(&[][..], Vec::as_slice);
        let unknown = SourceId(self.sources.len().saturating_sub(1));
        groups.iter().find_map(|group| group.find(fields)).unwrap_or(unknown)
    }

    /// Whether rules of this log source judge events of that source. Events of an unknown source are
    /// judged by the rules that no known source feeds: those may be meant.
    pub fn applies(&self, logsource: &LogSource, id: SourceId) -> bool {
        match self.sources.get(id.0) {
            Some(_) if id.0 + 1 == self.sources.len() => !self.feeds(logsource),
            Some(source) => source.fits(logsource),
            None => false,
        }
    }

    /// Whether a known source feeds rules of this log source.
    pub fn feeds(&self, logsource: &LogSource) -> bool {
        self.sources.iter().rev().skip(1).any(|source| source.fits(logsource))
    }

    /// What a source calls its fields.
    pub fn aliases(&self, id: SourceId) -> impl Aliases + '_ {
        SourceAliases(self.sources.get(id.0))
    }
}

fn pairs(node: Option<&Node>) -> impl Iterator<Item = (String, &Node)> {
    let pairs = match node.map(|node| &node.kind) {
        Some(Kind::Map(pairs)) => pairs.as_slice(),
        _ => &[],
    };
    pairs.iter().map(|(key, value)| (key.texts().concat(), value))
}

impl Source {
    /// Its product, such as `linux`.
    pub fn product(&self) -> Option<&str> {
        self.product.as_deref()
    }

    /// Its services, such as `sshd`.
    pub fn services(&self) -> &[String] {
        &self.services
    }

    /// Its categories, such as `process_creation`.
    pub fn categories(&self) -> &[String] {
        &self.categories
    }

    fn fits(&self, logsource: &LogSource) -> bool {
        let among =
            |wanted: &Option<String>, own: &[String]| wanted.as_ref().is_none_or(|name| own.contains(name));
        among(&logsource.product, self.product.as_slice())
            && among(&logsource.service, &self.services)
            && among(&logsource.category, &self.categories)
    }
}

impl Group {
    fn find(&self, fields: &Fields<'_>) -> Option<SourceId> {
        let mut values = String::new();
        let mut scratch = String::new();
        for (place, key) in self.keys.iter().enumerate() {
            let value = fields.get(&key.field)?;
            if place > 0 {
                values.push('\0');
            }
            match value.text(&mut scratch) {
                _ if key.presence => values.push('*'),
                Some(text) => values.push_str(&text.to_lowercase()),
                None => return None,
            }
        }
        self.sources.get(&values).copied()
    }
}

struct SourceAliases<'t>(Option<&'t Source>);

impl Aliases for SourceAliases<'_> {
    fn names(&self, field: &str) -> &[String] {
        self.0.and_then(|source| source.fields.get(field)).map_or(&[], Vec::as_slice)
    }
}
