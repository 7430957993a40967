//! A backup of the record: its log copied beside the process that writes it, and the tree made again from the records.

use std::fs;
use std::io::{Read as _, Write as _};
use std::sync::Arc;

use garrison_base::TenantId;
use garrison_journal::{Archive, Entry, Kind, Log, Options, Stream, TreeError, pin, remake, witnessed};
use garrison_secrets::{RootKey, SystemEntropy};

use crate::{files, open, options, record, records, root, sealed_at, signer};

#[test]
fn a_tree_is_made_again_from_the_records_of_its_checkpoint() {
    for size in [0, 1, 255, 256, 300, 70_000] {
        let [first, again] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let tree = sealed_at(options(first.path(), &[]), &[size]);
        let note = tree.checkpoint().unwrap().to_string();
        // More is kept by now than was sealed.
        let kept = || records(size + 9).into_iter().map(Ok);
        let checkpoint = remake(&options(again.path(), &[]), &note, kept()).unwrap();
        assert_eq!((checkpoint.size, checkpoint.root), (size, root(size)));
        let opened = open(options(again.path(), &[]), &records(size + 9)).unwrap();
        assert_eq!((opened.sealed_size(), opened.checkpoint().unwrap().to_string()), (size, note.clone()));
        for (name, bytes) in files(first.path()).iter().filter(|(name, _)| name.starts_with("tile/")) {
            assert_eq!(files(again.path()).get(name), Some(bytes), "{name} of {size}");
        }
    }
}

#[test]
fn records_that_were_not_sealed_make_no_tree() {
    let [first, again] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let note = sealed_at(options(first.path(), &[]), &[300]).checkpoint().unwrap().to_string();
    let again = again.path().join("tree");
    let mut changed = records(300);
    changed[17] = record(1_000);
    let cases = [(changed, Kind::Edited), (records(299), Kind::Truncated)];
    for (kept, kind) in cases {
        match remake(&options(&again, &[]), &note, kept.into_iter().map(Ok)) {
            Err(TreeError::Fault(fault)) => assert_eq!(fault.kind, kind),
            other => panic!("{kind}: {other:?}"),
        }
        assert!(!again.join("checkpoint").exists());
    }
    let forged = note.replacen("300", "299", 1);
    assert!(remake(&options(&again, &[]), &forged, records(300).into_iter().map(Ok)).is_err());
}

#[test]
fn witnesses_tell_what_they_know() {
    let [here, elsewhere] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let [told, new] = ["told", "new"].map(|name| elsewhere.path().join(name));
    let tree = sealed_at(options(here.path(), std::slice::from_ref(&told)), &[300]);
    let known = witnessed(&[told.clone(), new], tree.verifier()).unwrap();
    let [known] = &known[..] else { panic!("{known:?}") };
    assert_eq!((&known.place, known.checkpoint.size), (&told, 300));
    assert_eq!(known.note, tree.checkpoint().unwrap().to_string());
    assert!(witnessed(std::slice::from_ref(&told), signer(8).verifier()).is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_copied_of_a_log_while_it_is_written_opens() {
    let [dir, pinned] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let key = RootKey::ephemeral(&SystemEntropy);
    let log = |dir: &std::path::Path| {
        let (dir, name) = (dir.to_owned(), "test".to_owned());
        let (key, entropy) = (key.seal("log"), Arc::new(SystemEntropy));
        Log::open(Options { dir, name, key, entropy, segment: 64 << 10, first: 1 }).unwrap().0
    };
    let entry = |number: usize| Entry {
        tenant: TenantId::from_bytes([7; 16]),
        stream: Stream(3),
        bytes: format!("{number:01000}").into_bytes(),
    };
    let writer = Arc::new(log(dir.path()));
    let writing = tokio::spawn({
        let writer = writer.clone();
        async move {
            for number in 0..400 {
                writer.append(vec![entry(number)]).await.unwrap();
            }
        }
    });
    let mut rounds = 0;
    while rounds == 0 || !writing.is_finished() {
        let before = *writer.durable().borrow();
        pin(dir.path(), pinned.path()).unwrap();
        let archive = Archive::open(pinned.path(), ("test", &key.seal("log")), u64::MAX).unwrap();
        let copied = tempfile::tempdir().unwrap();
        for extent in archive.extents() {
            let (path, bytes) = extent.unwrap();
            let mut copy = Vec::new();
            fs::File::open(path).unwrap().take(bytes).read_to_end(&mut copy).unwrap();
            let to = copied.path().join(path.file_name().unwrap());
            fs::File::create(to).unwrap().write_all(&copy).unwrap();
        }
        let again = log(copied.path());
        let read = again.reader(1).read(usize::MAX).unwrap();
        assert!(read.len() as u64 >= before, "{} of {before}", read.len());
        rounds += 1;
    }
    writing.await.unwrap();
    // What the log lets go of stays where it was pinned.
    let all = writer.reader(1).read(usize::MAX).unwrap();
    pin(dir.path(), pinned.path()).unwrap();
    writer.release(u64::MAX - 1).unwrap();
    assert!(writer.reader(1).read(usize::MAX).unwrap().len() < all.len());
    let archive = Archive::open(pinned.path(), ("test", &key.seal("log")), 1).unwrap();
    assert_eq!(archive.entries().count(), all.len());
}
