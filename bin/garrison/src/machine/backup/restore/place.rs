//! Where a backup is restored to, under other names until it is whole.
//!
//! The work goes on in a folder inside each of the two folders, which may be mounted and cannot be renamed themselves. At the
//! end what is in it goes up: the keys first, the database last, without which no server starts. Where this breaks off,
//! nothing that was restored is lost, and nothing can be taken for a whole.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, DirBuilder, File};
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
}

impl Work {
    /// Begins, where nothing is there that could be newer.
    pub async fn begin(config: &Config) -> anyhow::Result<Self> {
        for (folder, what) in [(&config.data.dir, "data"), (&config.keys.dir, "keys")] {
            if let Some(name) = first_in(folder)? {
                let words =
                    format!("the folder of the {what}, {}, is not empty: {name} is in it", folder.display());
                return Err(Refused(words).into());
            }
        }
        let mut work = Self { config: config.clone(), set_aside: Vec::new(), filled: false, file: None };
        match config.engine() {
            Some(Engine::Sqlite(path)) => work.use_file(config, &path)?,
            _ => {
                if !is_empty_database(&serve::database(config)?).await? {
                    return Err(Refused("the database has tables already".to_owned()).into());
                }
            }
        }
        work.config.data.dir = config.data.dir.join(RESTORING);
        work.config.keys.dir = config.keys.dir.join(RESTORING);
        for folder in [work.data(), work.keys()] {
            // A restore that was killed left it; it held nothing that anybody was told of.
            remove(folder)?;
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.with_context(|| format!("making the folder {}", folder.display()))?;
        }
        Ok(work)
    }

    fn use_file(&mut self, config: &Config, path: &Path) -> anyhow::Result<()> {
        if path.symlink_metadata().is_ok() {
            return Err(Refused(format!("the database {} is there already", path.display())).into());
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

    /// Gives everything its name.
    pub fn publish(self) -> anyhow::Result<()> {
        raise(self.keys())?;
        raise(self.data())?;
        if let Some((now, then)) = &self.file {
            for (now, then) in beside(now).into_iter().zip(beside(then)) {
                if now.exists() {
                    rename(&now, &then)?;
                }
            }
            then.parent().map_or(Ok(()), sync)?;
        }
        for (witness, size) in &self.set_aside {
            rename(witness, &aside(witness, *size))?;
            witness.parent().map_or(Ok(()), sync)?;
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

/// Moves what is in a folder into the one above it, a database last, and removes it.
fn raise(folder: &Path) -> anyhow::Result<()> {
    let above = folder.parent().context("a folder above")?;
    let entries = fs::read_dir(folder).with_context(|| format!("reading the folder {}", folder.display()))?;
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.sort_by_key(|path| path.is_file());
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

fn sync(folder: &Path) -> anyhow::Result<()> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .with_context(|| format!("flushing {}", folder.display()))
}
