//! Words that do not belong in the repository.

use super::Source;

/// Names of places where code gathers that nobody thought about.
const MODULES: [&str; 5] = ["utils", "helpers", "common", "types", "manager"];

/// What must not stand in a text, and why. Written in halves, so that this file passes its own check.
const TEXTS: [(&str, &str, &str); 7] = [
    ("allow(cl", "ippy", "use #[expect(..., reason)], which goes away with its cause"),
    ("#[ign", "ore", "a test that does not run is no test"),
    ("TO", "DO", "do it, or open an issue"),
    ("FIX", "ME", "do it, or open an issue"),
    ("to", "do!(", "unfinished code does not land"),
    ("unimpl", "emented!(", "unfinished code does not land"),
    ("/ro", "ot/.", "the path of one machine"),
];

pub fn check(sources: &[Source]) -> Vec<String> {
    sources.iter().flat_map(|source| module(source).into_iter().chain(texts(source))).collect()
}

fn module(source: &Source) -> Option<String> {
    let named = |component: std::path::Component<'_>| {
        let name = component.as_os_str().to_string_lossy();
        MODULES.contains(&name.strip_suffix(".rs").unwrap_or(&name))
    };
    let code = source.path.extension().is_some_and(|ending| ending == "rs");
    let vague = code && source.path.components().any(named);
    vague.then(|| format!("{}: name it by what it does, not by where code gathers", source.path.display()))
}

fn texts(source: &Source) -> Vec<String> {
    let mut problems = Vec::new();
    for (number, line) in (1..).zip(source.text.lines()) {
        for (head, tail, reason) in TEXTS {
            let text = format!("{head}{tail}");
            if line.contains(&text) {
                problems.push(format!("{}:{number}: `{text}`: {reason}", source.path.display()));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_are_found() {
        let source = |path: &str, text: String| Source { path: path.into(), text };
        let problems = check(&[
            source("engines/x/src/utils.rs", String::new()),
            source("bin/x.rs", format!("// {}{} later", "TO", "DO")),
            source("bin/y.rs", "fn types() {}".into()),
        ]);
        assert_eq!(problems.len(), 2, "{problems:?}");
    }
}
