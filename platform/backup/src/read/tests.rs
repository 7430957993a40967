use std::os::unix::fs::symlink;
use std::sync::Arc;

use garrison_secrets::SystemEntropy;
use tempfile::TempDir;

use super::*;
use crate::{Making, Told};

struct Sample {
    dir: TempDir,
    key: RecoveryKey,
    backup: PathBuf,
}

fn sample() -> Sample {
    let dir = tempfile::tempdir().unwrap();
    let key = RecoveryKey::create(&dir.path().join("recovery.key"), &SystemEntropy).unwrap();
    let now = "2026-11-22T10:00:00Z".parse().unwrap();
    let id = BackupId::new(now, &SystemEntropy);
    let sealed = dir.path().join("sealed before");
    fs::write(&sealed, b"cipher text, and more").unwrap();
    let mut making = Making::begin(dir.path(), id, Arc::new(SystemEntropy)).unwrap();
    making.seal("keys/root.key".parse().unwrap(), b"secret").unwrap();
    making.seal("state/000000".parse().unwrap(), &vec![7; 100_000]).unwrap();
    making.seal("state/000001".parse().unwrap(), &vec![8; 100_000]).unwrap();
    making.copy("log/1.log".parse().unwrap(), &sealed, Some(11)).unwrap();
    let told = Told { made: now, expires: now, tenants: 1, records: 3, checkpoint: None };
    let made = making.finish(told, &key.public()).unwrap();
    assert!(Backup::open(&dir.path().join(id.to_string())).is_err(), "it has its name too early");
    let backup = made.publish().unwrap();
    Sample { dir, key, backup }
}

/// Reads everything that there is, with the key.
fn look(backup: &Path, key: &RecoveryKey) -> Result<(), BackupError> {
    let unlocked = Backup::open(backup)?.unlock(key)?;
    let count = unlocked.objects().count();
    (0..count).try_for_each(|number| unlocked.check(number))
}

fn files(backup: &Path) -> Vec<(String, PathBuf)> {
    let mut names = vec![INDEX.to_owned(), MANIFEST.to_owned()];
    names.extend((0..4).map(place));
    names.into_iter().map(|name| (name.clone(), backup.join(name))).collect()
}

#[test]
fn what_was_put_in_comes_out() {
    let Sample { dir, key, backup } = sample();
    let opened = Backup::open(&backup).unwrap();
    let mut read = 0;
    opened.check(&mut |bytes| read += bytes).unwrap();
    assert!(read > opened.bytes(), "the index is read too");
    let unlocked = opened.unlock(&key).unwrap();
    let names: Vec<_> = unlocked.objects().map(|(_, name, _)| name.to_string()).collect();
    assert_eq!(names, ["keys/root.key", "state/000000", "state/000001", "log/1.log"]);
    assert_eq!(unlocked.read(0).unwrap().as_slice(), b"secret");
    assert!(unlocked.read(1).unwrap().iter().all(|byte| *byte == 7));
    let to = dir.path().join("restored");
    unlocked.write(3, &to).unwrap();
    assert_eq!(fs::read(&to).unwrap(), b"cipher text");
    assert!(unlocked.write(3, &to).is_err(), "what is there is not written over");
    // Neither what is in it nor what it is called stands there for whoever has no key.
    for (_, path) in files(&backup) {
        let bytes = fs::read(path).unwrap();
        let holds = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
        assert!(!holds(b"secret") && !holds(b"root.key"));
    }
}

#[test]
fn every_change_is_named() {
    let Sample { dir: _dir, key, backup } = sample();
    for (name, path) in files(&backup) {
        let right = fs::read(&path).unwrap();
        let named = |what: &str| {
            let error = look(&backup, &key).expect_err(what);
            let place = error.place().unwrap_or_default();
            assert!(place.split(' ').next() == Some(name.as_str()), "{what} of {name}: {error}");
        };
        for place in [0, 1, right.len() / 3, right.len() / 2, right.len() - 2, right.len() - 1] {
            let mut changed = right.clone();
            changed[place] ^= 1;
            fs::write(&path, changed).unwrap();
            named("a changed byte");
            fs::write(&path, &right[..place]).unwrap();
            named("a cut");
        }
        fs::write(&path, [right.as_slice(), b"x"].concat()).unwrap();
        named("a longer file");
        fs::remove_file(&path).unwrap();
        named("a missing file");
        symlink("/dev/zero", &path).unwrap();
        named("a link");
        fs::remove_file(&path).unwrap();
        fs::write(&path, &right).unwrap();
    }
    look(&backup, &key).unwrap();
}

#[test]
fn objects_that_were_exchanged_are_named_also_without_the_key() {
    let Sample { dir: _dir, key, backup } = sample();
    let (one, other) = (backup.join(place(1)), backup.join(place(2)));
    assert_eq!(fs::metadata(&one).unwrap().len(), fs::metadata(&other).unwrap().len());
    let aside = backup.join("aside");
    fs::rename(&one, &aside).unwrap();
    fs::rename(&other, &one).unwrap();
    fs::rename(&aside, &other).unwrap();
    let error = Backup::open(&backup).unwrap().check(&mut |_| ()).unwrap_err();
    assert_eq!(error.place().as_deref(), Some("objects/000001"));
    let error = look(&backup, &key).unwrap_err();
    assert_eq!(error.place().as_deref(), Some("objects/000001 (state/000000)"));
}

#[test]
fn another_recovery_key_opens_nothing_and_is_told_which_one_does() {
    let Sample { dir, key, backup } = sample();
    let other = RecoveryKey::create(&dir.path().join("other.key"), &SystemEntropy).unwrap();
    let error = look(&backup, &other).unwrap_err();
    assert!(
        matches!(&error, BackupError::Key { sealed_to, .. } if *sealed_to == key.public().to_string()),
        "{error}"
    );
}

#[test]
fn a_manifest_that_was_made_anew_is_refused() {
    let Sample { dir: _dir, key, backup } = sample();
    let path = backup.join(MANIFEST);
    let text = fs::read_to_string(&path).unwrap();
    // All sizes and digests fit; only who has the key can tell.
    fs::write(&path, text.replacen("\"records\":3", "\"records\":4", 1)).unwrap();
    let opened = Backup::open(&backup).unwrap();
    opened.check(&mut |_| ()).unwrap();
    let error = opened.unlock(&key).err().unwrap();
    assert!(error.to_string().contains("authentication code"), "{error}");
    for wrong in
        ["", "\n\n", "{}\nx\n", "null", &text.replacen("backup-v1", "backup-v2", 1), &format!("{text}\n")]
    {
        fs::write(&path, wrong).unwrap();
        assert!(Backup::open(&backup).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_not_there_is_no_backup_that_was_changed() {
    let Sample { dir, key, backup } = sample();
    for nothing in [dir.path().join("none"), backup.join(MANIFEST)] {
        let error = look(&nothing, &key).unwrap_err();
        assert!(matches!(&error, BackupError::Io { path, .. } if *path == nothing), "{error}");
        assert_eq!(error.place(), None);
    }
    // The folder above the backup.
    assert!(look(dir.path(), &key).unwrap_err().to_string().contains("name the folder of a backup"));
}

#[test]
fn an_error_names_the_file_that_is_to_blame() {
    let Sample { dir, key, backup } = sample();
    let unlocked = Backup::open(&backup).unwrap().unlock(&key).unwrap();
    let to = dir.path().join("none").join("restored");
    for number in [0, 3] {
        let error = unlocked.write(number, &to).unwrap_err();
        assert!(matches!(&error, BackupError::Io { path, .. } if *path == to), "{error}");
    }
    // A folder is opened, and cannot be read.
    let id = BackupId::new("2026-11-22T10:00:00Z".parse().unwrap(), &SystemEntropy);
    let mut making = Making::begin(dir.path(), id, Arc::new(SystemEntropy)).unwrap();
    let error = making.copy("log/1.log".parse().unwrap(), &backup, None).unwrap_err();
    assert!(matches!(&error, BackupError::Io { path, .. } if *path == backup), "{error}");
}

#[test]
fn what_is_not_finished_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let id = BackupId::new("2026-11-22T10:00:00Z".parse().unwrap(), &SystemEntropy);
    let mut making = Making::begin(dir.path(), id, Arc::new(SystemEntropy)).unwrap();
    making.seal("keys/root.key".parse().unwrap(), b"secret").unwrap();
    assert!(making.copy("log/1.log".parse().unwrap(), &dir.path().join("none"), None).is_err());
    drop(making);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
