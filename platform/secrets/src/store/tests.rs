use super::*;
use crate::SystemEntropy;
use crate::file::{FILE, NEXT};

fn tenant(byte: u8) -> TenantId {
    TenantId::from_bytes([byte; 16])
}

fn open(dir: &Path) -> Result<KeyStore, KeyFileError> {
    open_with(dir, &Passphrase::None)
}

fn open_with(dir: &Path, passphrase: &Passphrase) -> Result<KeyStore, KeyFileError> {
    KeyStore::open(dir, passphrase, Box::new(SystemEntropy))
}

fn text(words: &str) -> Passphrase {
    Passphrase::Text(Zeroizing::new(words.to_owned()))
}

fn opens(store: &KeyStore, of: (TenantId, Class, u32), wrapped: &[u8], sealed: &[u8]) -> bool {
    store.unwrap(of, "a day", wrapped).is_ok_and(|key| key.open(b"x", sealed).is_ok())
}

#[test]
fn what_was_wrapped_survives_new_versions_and_new_root_keys() {
    let dir = tempfile::tempdir().unwrap();
    let tag = RootKey::create(dir.path(), &SystemEntropy).unwrap().mac("rows").tag(&[b"x"]);
    let (key, now) = (StreamKey::fresh(&SystemEntropy), Timestamp::UNIX_EPOCH);
    let sealed = key.seal(b"x", b"words", &SystemEntropy);
    let of = (tenant(1), Class::Security);
    let store = open(dir.path()).unwrap();
    let (version, wrapped) = store.wrap(of, "a day", &key, now).unwrap();
    assert_eq!(version, 1);
    assert_eq!(store.rotate(of.0, of.1, now).unwrap(), 2);
    assert_eq!(store.wrap(of, "a day", &key, now).unwrap().0, 2);
    let before = fs::read(dir.path().join(FILE)).unwrap();
    store.rotate_root(None).unwrap();
    assert_ne!(fs::read(dir.path().join(FILE)).unwrap(), before);
    drop(store);
    let store = open(dir.path()).unwrap();
    assert!(opens(&store, (of.0, of.1, 1), &wrapped, &sealed));
    assert_eq!(store.base().mac("rows").tag(&[b"x"]), tag, "what is derived stays");
    assert!(store.unwrap((of.0, of.1, 1), "another day", &wrapped).is_err());
    assert!(!opens(&store, (of.0, of.1, 2), &wrapped, &sealed));
    assert!(matches!(
        store.unwrap((tenant(2), of.1, 1), "a day", &wrapped),
        Err(KeyError::Unknown { version: 1, .. })
    ));
}

#[test]
fn destroying_takes_one_version_of_one_class_for_good() {
    let dir = tempfile::tempdir().unwrap();
    RootKey::create(dir.path(), &SystemEntropy).unwrap();
    let (key, now) = (StreamKey::fresh(&SystemEntropy), Timestamp::UNIX_EPOCH);
    let store = open(dir.path()).unwrap();
    let wraps = |class| store.wrap((tenant(1), class), "a day", &key, now).unwrap().1;
    let (security, customer) = (wraps(Class::Security), wraps(Class::Customer));
    let gone = (tenant(1), Class::Customer, 1);
    store.destroy(gone, now).unwrap();
    assert!(matches!(store.unwrap(gone, "a day", &customer), Err(KeyError::Destroyed { .. })));
    assert!(store.unwrap((tenant(1), Class::Security, 1), "a day", &security).is_ok());
    assert_eq!(store.wrap((tenant(1), Class::Customer), "a day", &key, now).unwrap().0, 2);
    drop(store);
    assert_eq!(open(dir.path()).unwrap().keys().len(), 3);
}

#[test]
fn keys_of_security_records_are_not_destroyed() {
    let dir = tempfile::tempdir().unwrap();
    RootKey::create(dir.path(), &SystemEntropy).unwrap();
    let (store, now) = (open(dir.path()).unwrap(), Timestamp::UNIX_EPOCH);
    store.rotate(tenant(1), Class::Security, now).unwrap();
    let refused = store.destroy((tenant(1), Class::Security, 1), now);
    assert!(matches!(refused, Err(KeyError::Security)));
    assert_eq!(store.keys().first().unwrap().destroyed, None);
}

#[test]
fn a_store_that_was_changed_or_belongs_to_another_root_key_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    RootKey::create(dir.path(), &SystemEntropy).unwrap();
    let store = open(dir.path()).unwrap();
    store.rotate(tenant(1), Class::Security, Timestamp::UNIX_EPOCH).unwrap();
    let path = dir.path().join(STORE);
    let right = fs::read_to_string(&path).unwrap();
    drop(store);
    for (from, to) in
        [("\"version\": 1,\n      \"made\"", "\"version\": 2,\n      \"made\""), ("security", "customer")]
    {
        let changed = right.replace(from, to);
        assert_ne!(changed, right);
        fs::write(&path, changed).unwrap();
        assert!(matches!(open(dir.path()), Err(KeyFileError::Foreign(_))));
    }
    fs::write(&path, &right).unwrap();
    open(dir.path()).unwrap();
    fs::remove_file(dir.path().join(FILE)).unwrap();
    RootKey::create(dir.path(), &SystemEntropy).unwrap();
    assert!(matches!(open(dir.path()), Err(KeyFileError::Foreign(_))));
}

#[test]
fn a_rotation_that_breaks_off_leaves_a_store_that_opens() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    RootKey::create(dir.path(), &SystemEntropy).unwrap();
    open(dir.path()).unwrap();
    let (old_root, old_store) = (fs::read(path(FILE)).unwrap(), fs::read(path(STORE)).unwrap());
    open(dir.path()).unwrap().rotate_root(None).unwrap();
    let (new_root, new_store) = (fs::read(path(FILE)).unwrap(), fs::read(path(STORE)).unwrap());
    let broken_off = |root: &[u8], store: &[u8]| {
        let _ = fs::remove_file(path(NEXT));
        fs::write(path(FILE), root).unwrap();
        fs::copy(path(FILE), path(NEXT)).unwrap();
        fs::write(path(NEXT), &new_root).unwrap();
        fs::write(path(STORE), store).unwrap();
        open(dir.path()).unwrap().rotate_root(None).unwrap();
        open(dir.path()).unwrap();
    };
    broken_off(&old_root, &old_store);
    broken_off(&old_root, &new_store);
}

#[test]
fn one_process_at_a_time_changes_it() {
    let dir = tempfile::tempdir().unwrap();
    RootKey::create(dir.path(), &SystemEntropy).unwrap();
    let (one, other) = (open(dir.path()).unwrap(), open(dir.path()));
    one.hold().unwrap();
    let refused = other.unwrap().rotate(tenant(1), Class::Security, Timestamp::UNIX_EPOCH);
    assert!(matches!(refused, Err(KeyError::File(KeyFileError::Taken(_)))));
}

#[test]
fn a_sealed_root_key_stays_sealed_when_it_is_rotated() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (text("the first passphrase"), text("the second passphrase"));
    RootKey::create_sealed(dir.path(), &first, &SystemEntropy).unwrap();
    let file = || fs::read_to_string(dir.path().join(FILE)).unwrap();
    let (key, now) = (StreamKey::fresh(&SystemEntropy), Timestamp::UNIX_EPOCH);
    let store = open_with(dir.path(), &first).unwrap();
    let (version, wrapped) = store.wrap((tenant(1), Class::Customer), "a day", &key, now).unwrap();
    let of = (tenant(1), Class::Customer, version);
    let before = file();
    store.rotate_root(None).unwrap();
    let salt = |file: &str| file.split(' ').nth(2).map(str::to_owned);
    assert!(RootKey::is_sealed(dir.path()).unwrap());
    assert_ne!(salt(&before), salt(&file()));
    drop(store);
    assert!(matches!(open(dir.path()), Err(KeyFileError::Sealed(_))));
    assert!(matches!(open_with(dir.path(), &second), Err(KeyFileError::WrongPassphrase(_))));

    let store = open_with(dir.path(), &first).unwrap();
    assert!(matches!(store.rotate_root(Some(&text("short"))), Err(KeyError::File(KeyFileError::Weak))));
    store.rotate_root(Some(&second)).unwrap();
    drop(store);
    assert!(open_with(dir.path(), &first).is_err());
    let store = open_with(dir.path(), &second).unwrap();
    assert!(store.unwrap(of, "a day", &wrapped).is_ok());
    store.rotate_root(Some(&Passphrase::None)).unwrap();
    drop(store);
    assert!(!RootKey::is_sealed(dir.path()).unwrap());
    assert!(open(dir.path()).unwrap().unwrap(of, "a day", &wrapped).is_ok());
}

#[test]
fn a_change_of_the_passphrase_that_breaks_off_says_which_one_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let (first, second) = (text("the first passphrase"), text("the second passphrase"));
    RootKey::create_sealed(dir.path(), &first, &SystemEntropy).unwrap();
    let store = open_with(dir.path(), &first).unwrap();
    let before = fs::read(path(FILE)).unwrap();
    store.rotate_root(Some(&second)).unwrap();
    drop(store);
    // As if it had ended before the new key took the old one's place.
    fs::rename(path(FILE), path(NEXT)).unwrap();
    RootKey::create(dir.path(), &SystemEntropy).unwrap();
    fs::write(path(FILE), before).unwrap();
    assert!(
        matches!(open_with(dir.path(), &first), Err(KeyFileError::WrongPassphrase(at)) if at == path(NEXT))
    );
    open_with(dir.path(), &second).unwrap();
    assert!(!path(NEXT).exists());
}

#[test]
fn a_change_by_who_does_not_know_the_new_passphrase_undoes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (text("the first passphrase"), text("the second passphrase"));
    RootKey::create_sealed(dir.path(), &first, &SystemEntropy).unwrap();
    drop(open_with(dir.path(), &first).unwrap());
    let [late, early] = [(); 2].map(|()| open_with(dir.path(), &first).unwrap());
    early.rotate_root(Some(&second)).unwrap();
    drop(early);
    for attempt in 0..2 {
        let refused = late.rotate(tenant(1), Class::Security, Timestamp::UNIX_EPOCH);
        let wrong = matches!(refused, Err(KeyError::File(KeyFileError::WrongPassphrase(_))));
        assert!(wrong, "{attempt}: {refused:?}");
    }
    drop(late);
    assert!(open_with(dir.path(), &second).unwrap().keys().is_empty());
}

#[test]
fn after_a_rotation_that_failed_the_folder_counts() {
    let dir = tempfile::tempdir().unwrap();
    RootKey::create(dir.path(), &SystemEntropy).unwrap();
    let store = open(dir.path()).unwrap();
    store.rotate(tenant(1), Class::Customer, Timestamp::UNIX_EPOCH).unwrap();
    let path = dir.path().join(STORE);
    let right = fs::read(&path).unwrap();
    // A folder stands where the store belongs, so that it is not replaced.
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(store.rotate_root(None), Err(KeyError::File(KeyFileError::Io(..)))));
    fs::remove_dir(&path).unwrap();
    fs::write(&path, right).unwrap();
    store.rotate(tenant(1), Class::Customer, Timestamp::UNIX_EPOCH).unwrap();
    store.rotate_root(None).unwrap();
    drop(store);
    assert_eq!(open(dir.path()).unwrap().keys().len(), 2);
}
