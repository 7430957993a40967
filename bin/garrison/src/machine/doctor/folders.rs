//! The data folder, the disk under it, and the keys.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use garrison_secrets::{KeyFileError, KeyStore, RootKey, SystemEntropy};

use super::{Check, size};
use crate::config::Config;

const DATA: &str = "data folder";
const DISK: &str = "disk";
const KEYS: &str = "root key";

/// With less free, it is time to do something.
const LITTLE: u64 = 2 << 30;

/// With less free, the database may soon not be able to write its log.
const TOO_LITTLE: u64 = 256 << 20;

/// The data folder: there, ours, closed to others, and writable.
pub fn data(config: &Config) -> Check {
    let (dir, shown) = (&config.data.dir, config.data.dir.display());
    let metadata = match fs::metadata(dir) {
        Ok(metadata) if metadata.is_dir() => metadata,
        Ok(_) => return Check::fail(DATA, format!("{shown} is not a folder"), "set `data.dir` to a folder"),
        Err(error) => {
            let fix = "`garrison init` makes one; else set `data.dir` to where it is";
            return Check::fail(DATA, format!("{shown}: {error}"), fix);
        }
    };
    let us = rustix::process::geteuid().as_raw();
    if let Err(error) = written(dir) {
        let fix = format!("make it writable for the user of the server: chown -R USER {shown}");
        return Check::fail(DATA, format!("{shown} cannot be written: {error}"), fix);
    }
    if metadata.uid() != us {
        let what = format!("{shown} belongs to user {}, and this is user {us}", metadata.uid());
        return Check::warn(DATA, what, "run the server, and this command, as the owner of the folder");
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        let what = format!("{shown} can be entered by other users");
        return Check::warn(DATA, what, format!("chmod 700 {shown}"));
    }
    Check::ok(DATA, shown.to_string())
}

/// Rights do not tell everything: a file system may be read-only.
fn written(dir: &Path) -> io::Result<()> {
    let path = dir.join(".garrison-doctor");
    File::create(&path)?;
    fs::remove_file(&path)
}

/// What is free on the disk of the data folder; `None` where there is no folder.
pub fn disk(config: &Config) -> Option<Check> {
    let disk = rustix::fs::statvfs(&config.data.dir).ok()?;
    Some(judged(disk.f_bavail.saturating_mul(disk.f_frsize), &config.data.dir))
}

fn judged(free: u64, dir: &Path) -> Check {
    let what = format!("{} are free for {}", size(free), dir.display());
    let fix = "make room, or move the folder to a larger disk and set `data.dir`";
    match free {
        ..TOO_LITTLE => Check::fail(DISK, what, fix),
        TOO_LITTLE..LITTLE => Check::warn(DISK, what, fix),
        _ => Check::ok(DISK, what),
    }
}

/// The keys: the root key there, whole and fitting its store, for its owner only, and not among the data.
pub fn keys(config: &Config) -> Check {
    let dir = &config.keys.dir;
    if let Err(error) = opened(config) {
        return Check::fail(KEYS, error.to_string(), key_fix(&error));
    }
    // Links and dots must not hide where the folder really is.
    if let (Ok(keys), Ok(data)) = (dir.canonicalize(), config.data.dir.canonicalize())
        && keys.starts_with(&data)
    {
        let what =
            format!("{} is inside the data folder: a copy of the data is a copy of the key", keys.display());
        return Check::fail(KEYS, what, "move the folder out of it, and set `keys.dir` to its new place");
    }
    let open = open_to_others(config);
    if !open.is_empty() {
        let what = format!("others can read {}", open.join(", "));
        return Check::fail(KEYS, what, format!("chmod go= {}", open.join(" ")));
    }
    let sealed = RootKey::is_sealed(dir).unwrap_or(false);
    passphrase(config, sealed).unwrap_or_else(|| {
        let form = if sealed { "sealed by a passphrase" } else { "in the clear, protected by its rights" };
        Check::ok(KEYS, format!("{}, {form}", dir.join("root.key").display()))
    })
}

/// Opens the root key, and the store where there is one: a check makes nothing.
fn opened(config: &Config) -> Result<(), KeyFileError> {
    let (dir, passphrase) = (&config.keys.dir, config.keys.passphrase()?);
    if dir.join("keys.store").exists() {
        KeyStore::open(dir, &passphrase, Box::new(SystemEntropy)).map(|_| ())
    } else {
        RootKey::open_sealed(dir, &passphrase).map(|_| ())
    }
}

/// What is wrong with a passphrase that opens the key.
fn passphrase(config: &Config, sealed: bool) -> Option<Check> {
    let file = config.keys.passphrase_file.as_ref()?;
    let shown = file.display();
    if !sealed {
        let what = format!("the root key stands in the clear, although `keys.passphrase_file` is {shown}");
        let fix = format!("stop the server, then `garrison key rotate-root --passphrase-file {shown}`");
        return Some(Check::warn(KEYS, what, fix));
    }
    let beside = |folder: &Path| match (file.canonicalize(), folder.canonicalize()) {
        (Ok(file), Ok(folder)) => file.starts_with(folder),
        _ => false,
    };
    let folder = [&config.keys.dir, &config.data.dir].into_iter().find(|folder| beside(folder))?;
    let what = format!("{shown} is inside {}: a copy of that is a copy of the passphrase", folder.display());
    Some(Check::warn(KEYS, what, "move it elsewhere, and set `keys.passphrase_file` to its new place"))
}

/// What of the keys group or others can read. Whoever has `ca.key` can sign any name.
fn open_to_others(config: &Config) -> Vec<String> {
    let (dir, tls) = (&config.keys.dir, config.tls_dir());
    let files = [dir.clone(), dir.join("keys.store"), tls.join("ca.key"), tls.join("server.key")];
    let open = |path: &&std::path::PathBuf| {
        fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
    };
    files.iter().filter(open).map(|path| path.display().to_string()).collect()
}

fn key_fix(error: &KeyFileError) -> String {
    match error {
        KeyFileError::Open(path) => format!("chmod 600 {}", path.display()),
        KeyFileError::Missing(_) | KeyFileError::Malformed(_) => {
            "put it back from its copy, or set `keys.dir` to where it is: a new key does not fit the data"
                .to_owned()
        }
        KeyFileError::Foreign(_) => {
            "put the copies of root.key and keys.store that were made together back".to_owned()
        }
        KeyFileError::Excessive(_) => "put it back from its copy: somebody wrote to it".to_owned(),
        KeyFileError::Sealed(_) | KeyFileError::WrongPassphrase(_) | KeyFileError::Passphrase(..) => {
            "set `keys.passphrase_file` to a file that holds the passphrase, with rights 600".to_owned()
        }
        KeyFileError::Exists(_)
        | KeyFileError::Io(..)
        | KeyFileError::Taken(_)
        | KeyFileError::Weak
        | KeyFileError::NotSealed(_) => "it must be readable for the user of the server".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn a_full_disk_is_told_in_time() {
        let state = |free| judged(free, Path::new("/srv")).state;
        assert_eq!(state(TOO_LITTLE - 1), State::Fail);
        assert_eq!(state(TOO_LITTLE), State::Warn);
        assert_eq!(state(LITTLE - 1), State::Warn);
        assert_eq!(state(LITTLE), State::Ok);
        assert_eq!(judged(3 << 30, Path::new("/srv")).what, "3 GiB are free for /srv");
    }
}
