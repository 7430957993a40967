//! `cargo xtask tidy`: style as a test.
//!
//! - **Arrows**: which crate may depend on which (`ARCHITECTURE.md`), read from `cargo metadata`.
//! - **Lengths**: files and functions beyond the limits are listed in `xtask/ratchet.txt` with their
//!   length; nothing new may be added, and nothing listed may grow.
//! - **Words**: names that do not belong in the repository, and short cuts that must give a reason.

mod arrows;
mod lengths;
mod words;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use walkdir::WalkDir;

/// A text file of the repository.
pub struct Source {
    /// Relative to the root.
    pub path: PathBuf,
    pub text: String,
}

/// Checks everything; the error counts what is wrong, after it was printed.
pub fn run(root: &Path, bless: bool) -> anyhow::Result<()> {
    let sources = sources(root)?;
    if bless {
        return lengths::bless(root, &sources);
    }
    let mut problems = arrows::check(root)?;
    problems.extend(lengths::check(root, &sources)?);
    problems.extend(words::check(&sources));
    for problem in &problems {
        println!("tidy: {problem}");
    }
    if problems.is_empty() {
        println!("tidy: {} files are in order", sources.len());
        Ok(())
    } else {
        bail!("{} problems", problems.len())
    }
}

/// The texts that people write: not what is generated, fetched or data.
fn sources(root: &Path) -> anyhow::Result<Vec<Source>> {
    const FOLDERS: [&str; 9] =
        ["bin", "platform", "domains", "engines", "xtask", "tests", "benches", "fuzz", ".ci"];
    const ENDINGS: [&str; 7] = ["rs", "toml", "md", "yml", "py", "sh", "ts"];
    let left_out = |name: &str| matches!(name, "target" | "corpus" | "artifacts" | "node_modules");
    let mut sources = Vec::new();
    let top = WalkDir::new(root).max_depth(1).into_iter();
    let below = FOLDERS.iter().filter(|folder| root.join(folder).exists()).flat_map(|folder| {
        WalkDir::new(root.join(folder))
            .into_iter()
            .filter_entry(move |entry| !left_out(&entry.file_name().to_string_lossy()))
    });
    for entry in top.chain(below) {
        let entry = entry.context("walking the repository")?;
        let ending =
            entry.path().extension().map(|ending| ending.to_string_lossy().into_owned()).unwrap_or_default();
        if entry.file_type().is_file() && ENDINGS.contains(&ending.as_str()) {
            let text = std::fs::read_to_string(entry.path())
                .with_context(|| format!("reading {}", entry.path().display()))?;
            sources.push(Source { path: entry.path().strip_prefix(root)?.to_owned(), text });
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_repository_is_tidy() {
        super::run(&crate::root(), false).unwrap();
    }
}
