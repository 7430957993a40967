//! Rules from folders, or those that come with the binary.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use garrison_detection::Rules;
use garrison_sigma::yaml::{self, Kind};
use garrison_sigma::{Level, Placeholders, Refused, Rule, RuleSet, Taxonomy, rule};
use rust_embed::RustEmbed;
use walkdir::WalkDir;

use crate::cli::RuleArgs;
use crate::say;

/// The starter rules, in the binary.
#[derive(RustEmbed)]
#[folder = "../../rules"]
struct Starter;

/// A file of rules or of tests.
pub struct SourceFile {
    /// As it is shown.
    pub name: String,
    pub text: String,
}

impl SourceFile {
    /// Whether it holds the tests of the rules beside it.
    pub fn is_test(&self) -> bool {
        self.name.ends_with(".test.yml") || self.name.ends_with(".test.yaml")
    }
}

/// Everything that was read.
pub struct Loaded {
    pub rules: Vec<Rule>,
    pub refused: Vec<Refused>,
    pub tests: Vec<SourceFile>,
}

/// Reads the rules that the command line asks for. What is refused hides nothing else.
pub fn load(args: &RuleArgs) -> anyhow::Result<Loaded> {
    let placeholders =
        args.placeholders.as_deref().map_or_else(|| Ok(Placeholders::default()), placeholders)?;
    let (tests, files): (Vec<_>, Vec<_>) = files(&args.rules)?.into_iter().partition(SourceFile::is_test);
    let mut loaded = Loaded { rules: Vec::new(), refused: Vec::new(), tests };
    for read in files.iter().flat_map(|file| rule::read(&file.name, &file.text, &placeholders)) {
        match read {
            Ok(rule) => loaded.rules.push(rule),
            Err(refused) => loaded.refused.push(refused),
        }
    }
    if loaded.rules.is_empty() && loaded.refused.is_empty() {
        bail!("there are no rules (*.yml) in {}", shown(&args.rules));
    }
    Ok(loaded)
}

/// The rules of at least a level, ready to judge. Refusals are told on standard error.
pub fn rule_set(args: &RuleArgs, least: Level) -> anyhow::Result<RuleSet> {
    const TOLD: usize = 5;
    let loaded = load(args)?;
    for refused in loaded.refused.iter().take(TOLD) {
        say!("rule refused: {refused}");
    }
    if loaded.refused.len() > TOLD {
        say!("and {} more rules refused; `garrison rule lint` lists them", loaded.refused.len() - TOLD);
    }
    let rules = loaded.rules.into_iter().filter(|rule| rule.level >= least).collect();
    Ok(RuleSet::new(rules, taxonomy()?))
}

/// Rules of the server: where it is wanted those in the binary, and those of folders. Tells which were refused, and why.
pub fn for_server(
    folders: &[PathBuf],
    starter_rules: bool,
    least: Level,
) -> anyhow::Result<(Rules, Vec<Refused>)> {
    let mut files = if starter_rules { starter() } else { Vec::new() };
    let starters = files.len();
    if !folders.is_empty() {
        files.extend(self::files(folders)?);
    }
    let (mut rules, mut refused, mut built_in) = (Vec::new(), Vec::new(), 0);
    for (place, file) in files.iter().enumerate().filter(|(_, file)| !file.is_test()) {
        for read in rule::read(&file.name, &file.text, &Placeholders::default()) {
            match read {
                Ok(rule) if rule.level >= least => {
                    rules.push(rule);
                    built_in += usize::from(place < starters);
                }
                Ok(_) => {}
                Err(reason) => refused.push(reason),
            }
        }
    }
    Ok((Rules { set: RuleSet::new(rules, taxonomy()?), built_in }, refused))
}

/// What changes when a file in the folders does: each file with its size and when it was written.
pub fn fingerprint(folders: &[PathBuf]) -> Vec<(PathBuf, u64, Option<std::time::SystemTime>)> {
    let files =
        folders.iter().flat_map(|folder| WalkDir::new(folder).sort_by_file_name()).filter_map(Result::ok);
    files
        .filter_map(|entry| {
            let meta = entry.metadata().ok()?;
            Some((entry.into_path(), meta.len(), meta.modified().ok()))
        })
        .collect()
}

/// The taxonomy that comes with the engine.
pub fn taxonomy() -> anyhow::Result<Taxonomy> {
    Taxonomy::built_in().map_err(|error| anyhow!("reading the built-in taxonomy: {error}"))
}

fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<SourceFile>> {
    if paths.is_empty() {
        return Ok(starter());
    }
    let mut files = Vec::new();
    for path in paths {
        // WalkDir answers for a single file as well.
        for entry in WalkDir::new(path).sort_by_file_name() {
            let entry = entry.with_context(|| format!("reading rules in {}", path.display()))?;
            let yaml =
                entry.path().extension().is_some_and(|extension| extension == "yml" || extension == "yaml");
            if entry.file_type().is_file() && (yaml || entry.depth() == 0) {
                files.push(read(entry.path())?);
            }
        }
    }
    Ok(files)
}

fn read(path: &Path) -> anyhow::Result<SourceFile> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    // Bytes that are not UTF-8 become a mark that the YAML reader or the rule's author will notice.
    Ok(SourceFile { name: path.display().to_string(), text: String::from_utf8_lossy(&bytes).into_owned() })
}

fn starter() -> Vec<SourceFile> {
    let file = |name: std::borrow::Cow<'static, str>| {
        let text = String::from_utf8_lossy(&Starter::get(&name)?.data).into_owned();
        Some(SourceFile { name: format!("rules/{name}"), text })
    };
    Starter::iter().filter(|name| name.ends_with(".yml")).filter_map(file).collect()
}

fn shown(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn placeholders(path: &Path) -> anyhow::Result<Placeholders> {
    let file = read(path)?;
    let documents = yaml::parse(&file.text).map_err(|error| anyhow!("{}: {error}", file.name))?;
    let mut placeholders = Placeholders::default();
    for document in &documents {
        let Kind::Map(pairs) = &document.kind else {
            bail!("{}:{}: placeholders are a mapping of names to lists of values", file.name, document.line);
        };
        for (name, values) in pairs {
            placeholders.insert(name.texts().concat(), values.texts());
        }
    }
    Ok(placeholders)
}
