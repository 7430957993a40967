//! Which servers are known, and what is shown to them: one file, for its owner's eyes only.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use garrison_base::Exit;
use serde::{Deserialize, Serialize};

use crate::client::address::Address;
use crate::client::failure::Failure;

/// The contexts. Not to be printed: it holds the secrets of sessions.
#[derive(Default, Serialize, Deserialize)]
pub struct Contexts {
    /// The one that is used where nothing else is said.
    #[serde(default)]
    pub current: Option<String>,
    /// All of them by name.
    #[serde(default)]
    pub contexts: BTreeMap<String, Context>,
}

/// A server, and who one is there.
#[derive(Clone, Serialize, Deserialize)]
pub struct Context {
    /// Its address.
    pub url: String,
    /// The tenant to log in to, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The authority that its certificate must come from, in PEM; those of the system where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// The secret of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

/// The server that a command speaks with, and what is shown to it.
pub struct Target {
    /// Where.
    pub address: Address,
    /// A session's or a token's secret.
    pub secret: Option<String>,
    /// The authority, in PEM.
    pub authority: Option<String>,
}

/// A variable of the environment; an empty one counts as none.
#[expect(clippy::disallowed_methods, reason = "the one place where the client asks the environment")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Where the contexts are kept.
pub fn path() -> anyhow::Result<PathBuf> {
    let named = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = named("XDG_CONFIG_HOME").or_else(|| Some(named("HOME")?.join(".config")));
    let folder = folder.context("neither XDG_CONFIG_HOME nor HOME names a folder for the contexts")?;
    Ok(folder.join("garrison").join("contexts.json"))
}

impl Contexts {
    /// Reads them; none where there is no file.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .with_context(|| format!("{} does not hold contexts; mend or remove it", path.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }

    /// Reads, changes and writes them; another process that does the same waits.
    pub fn change<T>(path: &Path, change: impl FnOnce(&mut Self) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let lock = private_folder(path).and_then(|()| lock(path));
        let _lock = lock.with_context(|| format!("preparing {}", path.display()))?;
        let mut contexts = Self::read(path)?;
        let changed = change(&mut contexts)?;
        contexts.write(path).with_context(|| format!("writing {}", path.display()))?;
        Ok(changed)
    }

    /// A reader sees the file as it was or as it is, never a part of it.
    fn write(&self, path: &Path) -> io::Result<()> {
        let new = path.with_extension("json.new");
        if let Err(error) = fs::remove_file(&new)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&new, path)
    }

    /// The context of a name.
    pub fn named(&self, name: &str) -> Result<&Context, Failure> {
        self.contexts.get(name).ok_or_else(|| missing(name))
    }

    /// The context that counts: the one that is asked for, else the current one.
    pub fn chosen(&self, asked: Option<&str>) -> Result<Option<(&str, &Context)>, Failure> {
        let Some(name) = asked.or(self.current.as_deref()) else { return Ok(None) };
        let found = self.contexts.get_key_value(name).map(|(name, context)| (name.as_str(), context));
        match asked {
            Some(name) if found.is_none() => Err(missing(name)),
            _ => Ok(found),
        }
    }

    /// The server to speak with, by the contexts and the environment.
    pub fn target(&self, asked: Option<&str>) -> anyhow::Result<Target> {
        let chosen = self.chosen(asked)?;
        let named = variable("GARRISON_URL").map(|url| Address::parse(&url)).transpose()?;
        let known = chosen.map(|(_, context)| Address::parse(&context.url)).transpose()?;
        let address = named.or_else(|| known.clone()).ok_or_else(|| {
            Failure::new(
                Exit::Denied,
                "no server is known; log in with `garrison login URL`, or set GARRISON_URL",
            )
        })?;
        // The secret of one server is never shown to another.
        let chosen = chosen.filter(|_| known.as_ref() == Some(&address));
        let of_context =
            |part: fn(&Context) -> &Option<String>| chosen.and_then(|(_, context)| part(context).clone());
        let secret = match token()? {
            Some(token) => Some(token),
            None => of_context(|context| &context.session),
        };
        let authority = match variable("GARRISON_CA") {
            Some(path) => {
                Some(fs::read_to_string(&path).with_context(|| format!("reading GARRISON_CA, {path}"))?)
            }
            None => of_context(|context| &context.authority),
        };
        Ok(Target { address, secret, authority })
    }
}

fn missing(name: &str) -> Failure {
    let words = format!("there is no context `{name}`; `garrison context list` shows which there are");
    Failure::new(Exit::NotFound, words)
}

/// The token that the environment holds, or names a file of.
fn token() -> anyhow::Result<Option<String>> {
    if let Some(token) = variable("GARRISON_TOKEN") {
        return Ok(Some(token.trim().to_owned()));
    }
    let Some(path) = variable("GARRISON_TOKEN_FILE") else { return Ok(None) };
    let text = fs::read_to_string(&path).with_context(|| format!("reading GARRISON_TOKEN_FILE, {path}"))?;
    Ok(Some(text.trim().to_owned()))
}

fn private_folder(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    if fs::metadata(folder)?.permissions().mode() & 0o777 != 0o700 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

fn lock(path: &Path) -> io::Result<File> {
    let lock = path.with_extension("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(lock)?;
    file.lock()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(path: &Path, name: &str) {
        Contexts::change(path, |contexts| {
            contexts.contexts.insert(
                name.into(),
                Context {
                    url: "https://x".into(),
                    tenant: None,
                    authority: None,
                    session: Some("gse_secret".into()),
                },
            );
            contexts.current = Some(name.into());
            Ok(())
        })
        .unwrap();
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_the_owner_can_read_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("garrison/contexts.json");
        fs::create_dir(dir.path().join("garrison")).unwrap();
        fs::set_permissions(dir.path().join("garrison"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(&path, "{}").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        add(&path, "a");
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        let read = Contexts::read(&path).unwrap();
        assert_eq!(read.current.as_deref(), Some("a"));
        assert_eq!(read.named("a").unwrap().session.as_deref(), Some("gse_secret"));
        assert_eq!(read.named("b").err().unwrap().exit, Exit::NotFound);
        assert_eq!(read.chosen(Some("b")).err().unwrap().exit, Exit::NotFound);
        assert_eq!(read.chosen(None).unwrap().unwrap().0, "a");
    }

    #[test]
    fn a_change_that_fails_leaves_the_file_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("contexts.json");
        add(&path, "a");
        let before = fs::read(&path).unwrap();
        // What a process that was killed left behind is no hindrance.
        fs::write(path.with_extension("json.new"), "half").unwrap();
        let failed = Contexts::change(&path, |contexts| {
            contexts.contexts.clear();
            anyhow::bail!("no") as anyhow::Result<()>
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), before);
        add(&path, "b");
        assert_eq!(Contexts::read(&path).unwrap().contexts.len(), 2);
        assert!(!path.with_extension("json.new").exists());
    }

    #[test]
    fn changes_at_the_same_time_are_all_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("contexts.json");
        std::thread::scope(|scope| {
            for number in 0..8 {
                let path = &path;
                scope.spawn(move || add(path, &format!("c{number}")));
            }
        });
        assert_eq!(Contexts::read(&path).unwrap().contexts.len(), 8);
    }

    #[test]
    fn what_is_no_list_of_contexts_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("contexts.json");
        fs::write(&path, "[").unwrap();
        assert!(
            format!("{:#}", Contexts::read(&path).err().unwrap()).contains("contexts.json does not hold")
        );
    }
}
