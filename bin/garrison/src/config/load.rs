//! Reading the configuration: each layer over the one before, every value with its origin.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use figment::value::{Dict, Map, Value};
use figment::{Error, Figment, Metadata, Profile, Provider};

use super::refusal::{refusal, told};
use super::shape::{Shape, schema};
use super::{Config, check};

/// Names the configuration file in the environment.
const NAMED: &str = "GARRISON_CONFIG";

/// Every other variable begins with this.
const PREFIX: &str = "GARRISON__";

/// What a variable ends with whose value is the path of a file with the value in it.
const IN_FILE: &str = "_file";

/// The origin of what nothing says.
pub(super) const DEFAULT: &str = "default";

/// The origin of `--set`.
pub(super) const COMMAND_LINE: &str = "command line";

/// Where the configuration may come from. Not to be printed: secrets are among the values.
#[derive(Default)]
pub struct Sources {
    /// The file that the command line names. `None`: the environment names one, or it is searched for.
    pub file: Option<PathBuf>,
    /// The current folder, absolute.
    pub folder: PathBuf,
    /// Variables of the environment; those that are not ours are passed over.
    pub environment: Vec<(String, String)>,
    /// Keys and values of `--set`, the last one counts.
    pub set: Vec<(String, String)>,
}

/// A configuration that was read and found good.
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The files that it was read from, lowest first; none where there are only defaults.
    pub files: Vec<PathBuf>,
    figment: Figment,
}

impl fmt::Debug for Loaded {
    /// Without the values as they were read: a secret is no [`super::Secret`] there yet.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Loaded");
        shown.field("config", &self.config).field("files", &self.files).finish_non_exhaustive()
    }
}

/// One source of values: a file, a variable, a pair of the command line.
struct Layer {
    origin: String,
    values: Dict,
}

impl Sources {
    /// The sources of this process, and what the command line says.
    pub fn of_process(file: Option<PathBuf>, set: Vec<(String, String)>) -> anyhow::Result<Self> {
        let folder = std::env::current_dir().context("asking for the current folder")?;
        let mut environment = Vec::new();
        for (name, value) in std::env::vars_os() {
            let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX) || *name == NAMED) else {
                continue;
            };
            let value = value.into_string().map_err(|_| anyhow!("environment {name} is not UTF-8"))?;
            environment.push((name.to_owned(), value));
        }
        Ok(Self { file, folder, environment, set })
    }
}

/// Reads and checks the configuration. Lowest first: defaults, `garrison.toml`, `garrison.d/*.toml`,
/// environment, `--set`.
///
/// # Errors
/// A file that cannot be read, an unknown key, a value that its key does not take, keys that do not go
/// together. The text names the key and where its value came from, and holds no secret.
pub fn load(sources: &Sources) -> anyhow::Result<Loaded> {
    let schema = schema();
    let shape = Shape::new(&schema);
    let files = files(sources)?;
    let mut layers = Vec::new();
    for file in &files {
        layers.push(read(file, &sources.folder, shape)?);
    }
    layers.extend(environment(&sources.environment, &sources.folder, shape)?);
    for (key, text) in &sources.set {
        let names: Vec<&str> = key.split('.').collect();
        layers.push(Layer::one(COMMAND_LINE.to_owned(), &names, text, shape));
    }
    let figment = layers.into_iter().fold(Figment::new(), Figment::merge);
    let mut config: Config = figment.extract().map_err(|error| refusal(&error, shape))?;
    config.notices.read_secrets()?;
    let loaded = Loaded { config, files, figment };
    check::all(&loaded)?;
    Ok(loaded)
}

impl Loaded {
    /// Where the value of a key came from, such as `garrison.toml` or `environment GARRISON__LOG__LEVEL`. What stands
    /// in a file of its own came from where the file is named.
    pub fn origin(&self, key: &str) -> &str {
        let named = self.figment.find_metadata(key);
        let named = named.or_else(|| self.figment.find_metadata(&format!("{key}{IN_FILE}")));
        named.map_or(DEFAULT, |metadata| &metadata.name)
    }

    /// The key with its origin, as error messages tell it.
    pub(super) fn told(&self, key: &str) -> String {
        told(key, self.origin(key))
    }
}

impl Layer {
    fn one(origin: String, names: &[&str], text: &str, shape: Shape<'_>) -> Self {
        let value = shape.at(names.iter().copied()).map_or_else(|| Value::from(text), |at| at.value(text));
        let nest = |value, name: &&str| Value::from(Dict::from([((*name).to_owned(), value)]));
        let values = names.iter().rev().fold(value, nest).into_dict().unwrap_or_default();
        Self { origin, values }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

/// The configuration file and those of `garrison.d` beside it, in the order of their names.
fn files(sources: &Sources) -> anyhow::Result<Vec<PathBuf>> {
    let Some(main) = main_file(sources)? else { return Ok(Vec::new()) };
    let folder = main.with_file_name("garrison.d");
    let mut files = Vec::new();
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![main]),
        entries => entries.with_context(|| format!("reading the folder {}", folder.display()))?,
    };
    for entry in entries {
        let path = entry.with_context(|| format!("reading the folder {}", folder.display()))?.path();
        // An editor's hidden copy is not meant.
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path.extension().is_some_and(|extension| extension == "toml") && !hidden {
            files.push(path);
        }
    }
    files.sort();
    files.insert(0, main);
    Ok(files)
}

fn main_file(sources: &Sources) -> anyhow::Result<Option<PathBuf>> {
    let variable = sources.environment.iter().find(|(name, _)| name == NAMED);
    let named = match (&sources.file, variable) {
        (Some(path), _) => Some((path.clone(), "the command line".to_owned())),
        (None, Some((name, path))) => Some((PathBuf::from(path), format!("environment {name}"))),
        (None, None) => None,
    };
    let exists = |path: &Path| {
        path.try_exists().with_context(|| format!("looking for the configuration {}", path.display()))
    };
    if let Some((path, by)) = named {
        let path = sources.folder.join(path);
        if !exists(&path)? {
            bail!("there is no configuration {}, which {by} names", path.display());
        }
        return Ok(Some(path));
    }
    for path in ["garrison.toml", "garrison/garrison.toml", "/etc/garrison/garrison.toml"] {
        let path = sources.folder.join(path);
        if exists(&path)? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

fn read(path: &Path, folder: &Path, shape: Shape<'_>) -> anyhow::Result<Layer> {
    let origin = path.strip_prefix(folder).unwrap_or(path).display().to_string();
    let text = fs::read_to_string(path).with_context(|| format!("reading the configuration {origin}"))?;
    // The library's own message would quote the line, and the line may hold a password.
    let values = toml::from_str::<Dict>(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(1, |before| before.matches('\n').count() + 1);
        anyhow!("{origin} line {line}: {}", error.message())
    })?;
    let mut values = Value::from(values);
    if let Some(beside) = path.parent() {
        shape.root_paths(&mut values, beside);
    }
    Ok(Layer { origin, values: values.into_dict().unwrap_or_default() })
}

fn environment(
    variables: &[(String, String)],
    folder: &Path,
    shape: Shape<'_>,
) -> anyhow::Result<Vec<Layer>> {
    let mut seen = BTreeMap::new();
    let mut layers = Vec::new();
    for (variable, text) in variables {
        let Some(key) = variable.strip_prefix(PREFIX).map(str::to_lowercase) else { continue };
        let names: Vec<&str> = key.split("__").collect();
        let known = |names: &[&str]| shape.at(names.iter().copied()).is_some();
        // A key whose own name ends like this is itself meant.
        let inner = key.strip_suffix(IN_FILE).filter(|_| !known(&names));
        let inner = inner.map(|inner| inner.split("__").collect::<Vec<_>>()).filter(|inner| known(inner));
        let layer = if let Some(names) = &inner {
            let path = folder.join(text);
            let inside = fs::read_to_string(&path)
                .with_context(|| format!("reading {}, which {variable} names", path.display()))?;
            let origin = format!("file {} ({variable})", path.display());
            Layer::one(origin, names, inside.trim(), shape)
        } else {
            Layer::one(format!("environment {variable}"), &names, text, shape)
        };
        if let Some(other) = seen.insert(inner.unwrap_or(names).join("."), variable) {
            bail!("{other} and {variable} are both set, and only one can count: unset one of them");
        }
        layers.push(layer);
    }
    Ok(layers)
}

#[cfg(test)]
mod tests {
    use super::super::Tls;
    use super::*;

    /// A folder with these files, and a way to load from it.
    struct Folder(tempfile::TempDir);

    impl Folder {
        fn with(files: &[(&str, &str)]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            for (name, text) in files {
                let path = folder.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            Self(folder)
        }

        fn load(&self, environment: &[(&str, &str)], set: &[(&str, &str)]) -> anyhow::Result<Loaded> {
            let pairs = |pairs: &[(&str, &str)]| {
                pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
            };
            let (environment, set) = (pairs(environment), pairs(set));
            load(&Sources { file: None, folder: self.0.path().to_owned(), environment, set })
        }

        fn refused(&self, environment: &[(&str, &str)], set: &[(&str, &str)]) -> String {
            format!("{:#}", self.load(environment, set).unwrap_err())
        }
    }

    #[test]
    fn each_layer_lies_over_the_one_before_and_says_so() {
        let folder = Folder::with(&[
            (
                "garrison.toml",
                "[server]\nshutdown_seconds = 1\nnames = ['a.example']\n[log]\nlevel = 'warn'\n[data]\ndir = 'd'",
            ),
            ("garrison.d/20-b.toml", "server.shutdown_seconds = 3\nserver.listen = '127.0.0.1:1'"),
            ("garrison.d/10-a.toml", "server.shutdown_seconds = 2\nlog.format = 'json'\nkeys.dir = 'k'"),
            ("garrison.d/.20-b.toml", "an editor's copy"),
            ("garrison.d/read.me", "not ours"),
            ("secret", " postgres://g:hunter2@db/g\n"),
        ]);
        let environment = [
            ("GARRISON__SERVER__LISTEN", "127.0.0.1:2"),
            ("GARRISON__SERVER__TLS", "off"),
            ("GARRISON__DATABASE__URL_FILE", "secret"),
            ("PATH", "/bin"),
        ];
        let loaded =
            folder.load(&environment, &[("server.tls", "own-ca"), ("server.names", "b.example")]).unwrap();
        let config = &loaded.config;
        assert_eq!((config.server.shutdown_seconds, config.server.listen.port()), (3, 2));
        assert_eq!(
            (config.server.tls, config.server.names.as_slice()),
            (Tls::OwnCa, ["b.example".to_owned()].as_slice())
        );
        assert_eq!(config.database.url.expose(), "postgres://g:hunter2@db/g");
        assert_eq!(config.data.dir, folder.0.path().join("d"));
        assert_eq!(config.keys.dir, folder.0.path().join("garrison.d/k"));
        assert_eq!(loaded.files.len(), 3);

        let settings = loaded.show(true).unwrap();
        let row = |key: &str| settings.iter().find(|setting| setting.key == key).unwrap().clone();
        let origin = |key| row(key).origin.unwrap();
        assert_eq!(origin("log.level"), "garrison.toml");
        assert_eq!(origin("log.format"), "garrison.d/10-a.toml");
        assert_eq!(origin("server.shutdown_seconds"), "garrison.d/20-b.toml");
        assert_eq!(origin("server.listen"), "environment GARRISON__SERVER__LISTEN");
        assert_eq!(origin("server.tls"), "command line");
        assert_eq!(origin("server.certificate"), "default");
        let secret = folder.0.path().join("secret");
        assert_eq!(
            origin("database.url"),
            format!("file {} (GARRISON__DATABASE__URL_FILE)", secret.display())
        );
        assert_eq!(
            (row("database.url").value.as_str(), row("server.public_url").value.as_str()),
            ("(secret)", "https://127.0.0.1:2")
        );
        assert_eq!(row("server.names").value, r#"["b.example"]"#);
        assert!(loaded.show(false).unwrap().iter().all(|setting| setting.origin.is_none()));
        assert!(!format!("{settings:?} {loaded:?}").contains("hunter2"));
    }

    #[test]
    fn the_file_is_looked_for_where_it_is_said_to_be() {
        let folder = Folder::with(&[
            ("garrison/garrison.toml", "log.level = 'warn'\ndata.dir = './data'"),
            ("x.toml", "log.level = 'debug'"),
        ]);
        let loaded = folder.load(&[], &[]).unwrap();
        assert_eq!(
            (loaded.config.log.level.as_str(), loaded.origin("log.level")),
            ("warn", "garrison/garrison.toml")
        );
        assert_eq!(loaded.config.data.dir, folder.0.path().join("garrison/data"));
        assert_eq!(folder.load(&[(NAMED, "x.toml")], &[]).unwrap().config.log.level, "debug");
        assert!(
            folder
                .refused(&[(NAMED, "y.toml")], &[])
                .ends_with("y.toml, which environment GARRISON_CONFIG names")
        );

        let named = |file: &str| {
            load(&Sources { file: Some(file.into()), folder: folder.0.path().into(), ..Sources::default() })
        };
        assert_eq!(named("x.toml").unwrap().config.log.level, "debug");
        assert!(named("y.toml").unwrap_err().to_string().ends_with("y.toml, which the command line names"));
        assert_eq!(Folder::with(&[]).load(&[], &[]).unwrap().config.log.level, "info");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named_and_not_quoted() {
        let folder =
            Folder::with(&[("garrison.toml", "[log]\n\n[database]\nurl = postgres://g:hunter2@db/g")]);
        let refused = folder.refused(&[], &[]);
        assert!(refused.starts_with("garrison.toml line 4: ") && !refused.contains("hunter2"), "{refused}");

        let folder = Folder::with(&[("secret", "sqlite")]);
        let refused = folder.refused(&[("GARRISON__DATABASE__URL_FILE", "/nowhere/x")], &[]);
        assert!(
            refused.starts_with("reading /nowhere/x, which GARRISON__DATABASE__URL_FILE names: "),
            "{refused}"
        );
        assert_eq!(
            folder.refused(&[("GARRISON__LOG__LEVEL", "info"), ("GARRISON__LOG__LEVEL_FILE", "secret")], &[]),
            "GARRISON__LOG__LEVEL and GARRISON__LOG__LEVEL_FILE are both set, and only one can count: unset one of them"
        );
        let folder = Folder::with(&[("garrison.toml", "[database]\nurl = 'mysql://g:hunter2@db'")]);
        assert!(!folder.refused(&[], &[]).contains("hunter2"));
    }
}
