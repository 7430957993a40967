//! Where a backup is restored to, under other names until it is whole.
//!
//! The work goes on in a folder inside each of the two folders, which may be mounted and cannot be renamed themselves. At the
//! end what is in it goes up: the keys first, the database last, without which no server starts. Where this breaks off,
//! nothing that was restored is lost, and nothing can be taken for a whole.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use garrison_kernel::{DatabaseUrl, empty_database, is_empty_database};

use crate::config::{Config, Engine, Secret};
use crate::serve;

/// The folder in which the work goes on.
const RESTORING: &str = "restoring";

/// Why nothing was touched, in words.
#[derive(Debug)]
pub struct Refused(pub String);

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}; nothing was touched", self.0)
    }
}

impl std::error::Error for Refused {}

/// What is being restored.
pub struct Work {
    /// The configuration of the work: folders and database as they are called meanwhile.
    pub config: Config,
    /// Witnesses that know more, with how much.
    pub set_aside: Vec<(PathBuf, u64)>,
    /// Whether the database was filled.
    pub filled: bool,
    /// The file of a `SQLite` database that lies elsewhere, and what it will be called.
    file: Option<(PathBuf, PathBuf)>,
    /// The folder of the data, which another restore would find locked.
    _turn: File,
}

impl Work {
    /// Begins, where nothing is there that could be newer.
    pub async fn begin(config: &Config) -> anyhow::Result<Self> {
        let turn = turn(&config.data.dir)?;
        let broken_off = config.data.dir.join(RESTORING).exists();
        for (folder, what) in [(&config.data.dir, "data"), (&config.keys.dir, "keys")] {
            if let Some(name) = first_in(folder)? {
                let words =
                    format!("the folder of the {what}, {}, is not empty: {name} is in it", folder.display());
                return Err(in_the_way(words, broken_off).into());
            }
        }
        let mut work =
            Self { config: config.clone(), set_aside: Vec::new(), filled: false, file: None, _turn: turn };
        match config.engine() {
            Some(Engine::Sqlite(path)) => work.use_file(config, &path)?,
            _ => {
                if !is_empty_database(&serve::database(config)?).await? {
                    return Err(in_the_way("the database has tables already".to_owned(), broken_off).into());
                }
            }
        }
        work.config.data.dir = config.data.dir.join(RESTORING);
        work.config.keys.dir = config.keys.dir.join(RESTORING);
        for folder in [work.data(), work.keys()] {
            // A restore that was killed left it; it held nothing that anybody was told of.
            remove(folder)?;
            make(folder)?;
        }
        if let Some(above) = work.sqlite().as_deref().and_then(Path::parent) {
            make(above)?;
        }
        Ok(work)
    }

    fn use_file(&mut self, config: &Config, path: &Path) -> anyhow::Result<()> {
        // What is beside a database that is gone would be taken for a part of the new one.
        if let Some(there) = beside(path).iter().find(|path| path.symlink_metadata().is_ok()) {
            return Err(Refused(format!("{} is there already: move it away", there.display())).into());
        }
        let now = if let Ok(below) = path.strip_prefix(&config.data.dir) {
            config.data.dir.join(RESTORING).join(below)
        } else {
            let now = path.with_added_extension(RESTORING);
            remove_database(&now)?;
            self.file = Some((now.clone(), path.to_owned()));
            now
        };
        self.config.database.url = Secret::new(format!("sqlite:{}", now.display()));
        Ok(())
    }

    /// The folder of the data, as it is called meanwhile.
    pub fn data(&self) -> &Path {
        &self.config.data.dir
    }

    /// The folder of the keys.
    pub fn keys(&self) -> &Path {
        &self.config.keys.dir
    }

    /// The file of the database, as it is called meanwhile.
    fn sqlite(&self) -> Option<PathBuf> {
        match self.config.engine() {
            Some(Engine::Sqlite(path)) => Some(path),
            _ => None,
        }
    }

    /// Gives everything its name.
    pub fn publish(self) -> anyhow::Result<()> {
        let database = self.sqlite();
        for folder in [self.keys(), self.data()] {
            sync_all(folder)?;
        }
        raise(self.keys(), None)?;
        raise(self.data(), database.as_deref())?;
        if let Some((now, then)) = &self.file {
            for (now, then) in beside(now).into_iter().zip(beside(then)) {
                if now.exists() {
                    rename(&now, &then)?;
                }
            }
            then.parent().map_or(Ok(()), sync)?;
        }
        for (witness, size) in &self.set_aside {
            let renamed = rename(witness, &aside(witness, *size));
            renamed.and_then(|()| witness.parent().map_or(Ok(()), sync)).context(
                "everything is restored; only the witness must still be set aside by hand, before the server starts",
            )?;
        }
        Ok(())
    }

    /// Leaves what was there before: nothing.
    pub async fn undo(self) -> anyhow::Result<()> {
        if self.filled && matches!(self.config.engine(), Some(Engine::Postgres(_))) {
            let url: DatabaseUrl = serve::database(&self.config)?;
            empty_database(&url).await.context("emptying the database again")?;
        }
        if let Some((now, _)) = &self.file {
            remove_database(now)?;
        }
        remove(self.data())?;
        remove(self.keys())
    }
}

/// What a witness is called that was set aside: it still tells how many records it knew.
pub fn aside(witness: &Path, size: u64) -> PathBuf {
    witness.with_added_extension(format!("lost-{size}"))
}

/// The first thing in a folder that is not ours; nothing where it is empty or not there.
fn first_in(folder: &Path) -> anyhow::Result<Option<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("reading the folder {}", folder.display())),
    };
    for entry in entries {
        let name = entry.with_context(|| format!("reading the folder {}", folder.display()))?.file_name();
        // A file system that is mounted there has a folder of its own.
        if ![RESTORING, "lost+found"].map(OsStr::new).contains(&name.as_os_str()) {
            return Ok(Some(name.to_string_lossy().into_owned()));
        }
    }
    Ok(None)
}

/// Keeps every other restore away from a folder until this one ends.
fn turn(folder: &Path) -> anyhow::Result<File> {
    make(folder)?;
    let turn = File::open(folder).with_context(|| format!("opening the folder {}", folder.display()))?;
    // Any other error: not every file system locks folders.
    if let Err(TryLockError::WouldBlock) = turn.try_lock() {
        let words = format!("something is being restored into {} already", folder.display());
        return Err(Refused(words).into());
    }
    Ok(turn)
}

fn in_the_way(mut words: String, broken_off: bool) -> Refused {
    if broken_off {
        words.push_str(". A restore was broken off here: if that left it, remove it, and begin again");
    }
    Refused(words)
}

/// A folder that only its owner may enter, with those above it.
pub fn make(folder: &Path) -> anyhow::Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("making the folder {}", folder.display()))
}

/// Moves what is in a folder into the one above it, what is or holds the database last, and removes it.
fn raise(folder: &Path, database: Option<&Path>) -> anyhow::Result<()> {
    let above = folder.parent().context("a folder above")?;
    let entries = fs::read_dir(folder).with_context(|| format!("reading the folder {}", folder.display()))?;
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.sort_by_key(|path| database.is_some_and(|database| database.starts_with(path)));
    for path in paths {
        rename(&path, &above.join(path.file_name().unwrap_or_default()))?;
    }
    remove(folder)?;
    sync(above)
}

/// A database, with what `SQLite` keeps beside it; the file itself last.
fn beside(path: &Path) -> [PathBuf; 3] {
    let with = |end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    [with("-wal"), with("-shm"), path.to_owned()]
}

fn remove_database(path: &Path) -> anyhow::Result<()> {
    for path in beside(path) {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("removing {}", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn remove(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn rename(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::rename(from, to).with_context(|| format!("renaming {} to {}", from.display(), to.display()))
}

/// Flushes a folder with all folders in it, so that every name stays.
fn sync_all(folder: &Path) -> anyhow::Result<()> {
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.with_context(|| format!("reading the folder {}", folder.display()))?;
        if entry.file_type().is_dir() {
            sync(entry.path())?;
        }
    }
    Ok(())
}

fn sync(folder: &Path) -> anyhow::Result<()> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .with_context(|| format!("flushing {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database elsewhere, or in a folder of its own.
    fn config(dir: &Path, database: &str) -> Config {
        let mut config = Config::default();
        config.data.dir = dir.join("data");
        config.keys.dir = dir.join("keys");
        config.database.url = Secret::new(format!("sqlite:{}", dir.join(database).display()));
        config
    }

    fn refused(begun: anyhow::Result<Work>) -> String {
        let error = begun.err().unwrap();
        assert!(error.is::<Refused>(), "{error:#}");
        error.to_string()
    }

    #[tokio::test]
    async fn what_is_restored_gets_its_names_at_the_end() {
        for database in ["data/inner/garrison.db", "elsewhere/garrison.db"] {
            let dir = tempfile::tempdir().unwrap();
            let config = config(dir.path(), database);
            // A restore that was killed left it.
            fs::create_dir_all(config.data.dir.join(RESTORING).join("lake")).unwrap();
            let work = Work::begin(&config).await.unwrap();
            let path = work.sqlite().unwrap();
            fs::write(&path, "rows").unwrap();
            fs::write(work.keys().join("root.key"), "key").unwrap();
            make(&work.data().join("log/deep")).unwrap();
            assert!(refused(Work::begin(&config).await).contains("already"), "two at once");
            assert!(path.exists() && !dir.path().join(database).exists());
            work.publish().unwrap();
            assert_eq!(fs::read(dir.path().join(database)).unwrap(), b"rows");
            assert!(config.keys.dir.join("root.key").exists() && config.data.dir.join("log/deep").exists());
            for folder in [&config.data.dir, &config.keys.dir] {
                assert!(!folder.join(RESTORING).exists());
            }
            assert!(refused(Work::begin(&config).await).contains("is not empty"));
        }
    }

    #[tokio::test]
    async fn what_is_undone_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path(), "elsewhere/garrison.db");
        let work = Work::begin(&config).await.unwrap();
        fs::write(work.sqlite().unwrap(), "rows").unwrap();
        fs::write(work.keys().join("root.key"), "key").unwrap();
        work.undo().await.unwrap();
        for folder in [&config.data.dir, &config.keys.dir, &dir.path().join("elsewhere")] {
            assert_eq!(fs::read_dir(folder).unwrap().count(), 0, "{}", folder.display());
        }
    }

    #[tokio::test]
    async fn what_is_beside_a_database_that_is_gone_is_in_the_way() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path(), "elsewhere/garrison.db");
        fs::create_dir(dir.path().join("elsewhere")).unwrap();
        fs::write(dir.path().join("elsewhere/garrison.db-wal"), "of another").unwrap();
        assert!(refused(Work::begin(&config).await).contains("garrison.db-wal is there already"));
        fs::create_dir_all(config.data.dir.join(RESTORING)).unwrap();
        fs::create_dir_all(config.keys.dir.join("tls")).unwrap();
        let said = refused(Work::begin(&config).await);
        assert!(said.contains("tls is in it. A restore was broken off here"), "{said}");
    }
}
