//! Files and functions that are too long, with a ratchet.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use syn::visit::{self, Visit};

use super::Source;

/// Lines beyond which a file, or a function, must be in the ratchet.
const FILE: usize = 500;
const FUNCTION: usize = 70;

const RATCHET: &str = "xtask/ratchet.txt";

pub fn check(root: &Path, sources: &[Source]) -> anyhow::Result<Vec<String>> {
    let listed = listed(root)?;
    let found = found(sources)?;
    let grown = found.iter().filter_map(|(name, lines)| match listed.get(name) {
        None => Some(format!("{name} has {lines} lines: split it by meaning")),
        Some(limit) if lines > limit => Some(format!("{name} has grown from {limit} to {lines} lines")),
        Some(_) => None,
    });
    let shrunk = listed.iter().filter(|(name, limit)| found.get(*name).is_none_or(|lines| lines < limit));
    let shrunk = shrunk
        .map(|(name, _)| format!("{name} is shorter than {RATCHET} says: run `cargo xtask tidy --bless`"));
    Ok(grown.chain(shrunk).collect())
}

pub fn bless(root: &Path, sources: &[Source]) -> anyhow::Result<()> {
    let lines: Vec<String> =
        found(sources)?.iter().map(|(name, lines)| format!("{lines} {name}\n")).collect();
    std::fs::write(root.join(RATCHET), lines.concat()).context("writing the ratchet")
}

fn listed(root: &Path) -> anyhow::Result<BTreeMap<String, usize>> {
    let text = std::fs::read_to_string(root.join(RATCHET)).context("reading the ratchet")?;
    let entry = |line: &str| {
        line.split_once(' ').and_then(|(lines, name)| Some((name.to_owned(), lines.parse().ok()?)))
    };
    Ok(text.lines().filter_map(entry).collect())
}

/// Everything beyond the limits: `path` or `path::function`, and its lines.
fn found(sources: &[Source]) -> anyhow::Result<BTreeMap<String, usize>> {
    let mut found = BTreeMap::new();
    for source in sources.iter().filter(|source| source.path.extension().is_some_and(|ending| ending == "rs"))
    {
        let path = source.path.display().to_string();
        let lines = source.text.lines().count();
        if lines > FILE {
            found.insert(path.clone(), lines);
        }
        let file = syn::parse_file(&source.text).with_context(|| format!("parsing {path}"))?;
        let mut functions = Functions { path, found: &mut found };
        functions.visit_file(&file);
    }
    Ok(found)
}

struct Functions<'f> {
    path: String,
    found: &'f mut BTreeMap<String, usize>,
}

impl Functions<'_> {
    fn measure(&mut self, name: &syn::Ident, block: &syn::Block) {
        let braces = block.brace_token.span;
        let lines = braces.close().end().line - braces.open().start().line + 1;
        if lines > FUNCTION {
            self.found.insert(format!("{}::{name}", self.path), lines);
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.measure(&function.sig.ident, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.measure(&function.sig.ident, &function.block);
        visit::visit_impl_item_fn(self, function);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_functions_are_found_where_they_are() {
        let body = "    let _ = 1;\n".repeat(FUNCTION);
        let text = format!("mod a {{\n impl X {{\n fn long() {{\n{body}}}\n }}\n}}\nfn short() {{}}\n");
        let found = found(&[Source { path: "x.rs".into(), text }]).unwrap();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [("x.rs::long".to_owned(), FUNCTION + 2)]);
    }
}
