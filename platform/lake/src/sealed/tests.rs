use futures_util::TryStreamExt as _;
use garrison_base::Entropy as _;
use garrison_secrets::SystemEntropy;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;

use super::*;

/// Bytes of plaintext in a full first segment, and in others.
const FIRST: u64 = ROOM - 40;
const ROOM: u64 = 65_536 - 16;

const REFUSED: &str = "does not open: it was changed, moved, or sealed under another key";

/// What ends in `.sealed` is sealed to its name, and `old` is not sealed.
#[derive(Clone)]
struct OneKey(Arc<StreamKey>);

impl OneKey {
    fn new() -> Self {
        Self(Arc::new(StreamKey::fresh(&SystemEntropy)))
    }

    fn over(&self, inner: Arc<dyn ObjectStore>) -> Sealed {
        Sealed::new(inner, Arc::new(self.clone()))
    }

    async fn put(&self, store: &dyn ObjectStore, name: &str, plain: &[u8]) -> Vec<u8> {
        let sealed = self.0.seal(name.as_bytes(), plain, &SystemEntropy);
        put(store, name, &sealed).await;
        sealed
    }
}

impl fmt::Debug for OneKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("OneKey")
    }
}

impl Seals for OneKey {
    fn of(&self, location: &Path) -> Kind {
        match location.as_ref() {
            "old" => Kind::Plain,
            name if name.ends_with("sealed") => {
                Kind::Sealed(Seal { key: self.0.clone(), object: name.to_owned() })
            }
            _ => Kind::Unknown,
        }
    }
}

async fn put(store: &dyn ObjectStore, name: &str, bytes: &[u8]) {
    store.put(&name.into(), bytes.to_vec().into()).await.unwrap();
}

fn plain(length: u64) -> Vec<u8> {
    let mut plain = vec![0; usize::try_from(length).unwrap()];
    SystemEntropy.fill(&mut plain);
    plain
}

fn cut(plain: &[u8], range: &Range<u64>) -> Vec<u8> {
    let place = |byte: u64| usize::try_from(byte).unwrap().min(plain.len());
    plain[place(range.start)..place(range.end)].to_vec()
}

async fn get(store: &Sealed, location: &Path, range: Option<GetRange>) -> Result<(GetResult, Bytes)> {
    let options = GetOptions { range, ..GetOptions::default() };
    let found = store.get_opts(location, options.clone()).await?;
    let bytes = store.get_opts(location, options).await?.bytes().await?;
    Ok((found, bytes))
}

#[tokio::test]
async fn every_kind_of_range_is_the_same_as_in_the_plaintext() {
    let dir = tempfile::tempdir().unwrap();
    let memory: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let local: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new_with_prefix(dir.path()).unwrap());
    let key = OneKey::new();
    for inner in [memory, local] {
        for length in [0, 1, FIRST, FIRST + 1, FIRST + ROOM, FIRST + ROOM + 1, 200_000] {
            let location = Path::from(format!("{length}/sealed"));
            let plain = plain(length);
            key.put(&*inner, location.as_ref(), &plain).await;
            let store = key.over(inner.clone());
            assert_eq!(store.head(&location).await.unwrap().size, length);
            let mut ranges = vec![(None, 0..length)];
            for n in [0, 1, 8, length / 2, length, length + 1] {
                ranges.push((Some(GetRange::Suffix(n)), length.saturating_sub(n)..length));
                if n < length {
                    ranges.push((Some(GetRange::Offset(n)), n..length));
                    ranges.push((Some(GetRange::Bounded(n..length + 9)), n..length));
                    let short = n..length.min(n + 3);
                    ranges.push((Some(GetRange::Bounded(short.clone())), short));
                }
            }
            for (asked, range) in ranges {
                let (found, bytes) = get(&store, &location, asked.clone()).await.unwrap();
                assert_eq!(found.meta.size, length);
                assert!(bytes == cut(&plain, &range), "{asked:?} of {length}");
                assert!(range.is_empty() || found.range == range, "{asked:?} of {length}");
            }
            for (from, to) in [(length, length + 1), (1, 1)] {
                let outside = get(&store, &location, Some(GetRange::Bounded(from..to))).await.unwrap_err();
                assert!(outside.to_string().contains(location.as_ref()), "{outside}");
            }
        }
    }
}

#[tokio::test]
async fn many_ranges_are_what_each_would_be() {
    let inner = Arc::new(InMemory::new());
    let (key, plain, location) = (OneKey::new(), plain(400_000), Path::from("a.sealed"));
    key.put(&*inner, "a.sealed", &plain).await;
    let store = key.over(inner);
    for ranges in [
        vec![],
        vec![7..8, 7..8],
        vec![399_999..400_000, 0..1],
        vec![5..70_000, 60_000..60_001, 5..70_000],
        vec![0..FIRST, FIRST..FIRST + ROOM, FIRST + ROOM..400_000],
        vec![300_000..390_000, 10..20, FIRST - 1..FIRST + 2, 140_000..200_000, 150_000..150_001],
    ] {
        let parts = store.get_ranges(&location, &ranges).await.unwrap();
        let wanted: Vec<_> = ranges.iter().map(|range| cut(&plain, range)).collect();
        assert!(parts == wanted, "{ranges:?}");
    }
    assert!(store.get_ranges(&location, &[0..1, 400_000..400_001]).await.is_err());
}

#[test]
fn ranges_that_share_a_segment_are_one() {
    let (key, length) = (OneKey::new(), 400_000);
    let sealed = key.0.seal(b"", &plain(length), &SystemEntropy);
    let opener = key.0.opener(b"", sealed.first_chunk().unwrap(), sealed.len() as u64).unwrap();
    let far = FIRST + 2 * ROOM;
    let found = runs(&opener, &[far + 9..far + 10, 9..10, far..far + 5, 0..5, FIRST + 1..FIRST + 2]);
    assert_eq!(found, [0..FIRST + 2, far..far + 10]);
}

#[tokio::test]
async fn a_range_touches_its_segments_only() {
    let inner = Arc::new(InMemory::new());
    let (key, plain, location) = (OneKey::new(), plain(200_000), Path::from("a.sealed"));
    let mut sealed = key.put(&*inner, "a.sealed", &plain).await;
    sealed[2 * 65_536 + 5] ^= 1;
    put(&*inner, "a.sealed", &sealed).await;
    let store = key.over(inner);
    let (before, broken) = (0..FIRST + ROOM, FIRST + ROOM..FIRST + ROOM + 3);
    let behind = FIRST + 2 * ROOM..200_000;
    let parts = store.get_ranges(&location, &[before.clone(), behind.clone()]).await.unwrap();
    assert!(parts == [cut(&plain, &before), cut(&plain, &behind)]);
    for refused in [
        store.get_ranges(&location, &[before, broken.clone()]).await.map(|_| ()),
        store.get_range(&location, broken).await.map(|_| ()),
        store.get(&location).await.map(|_| ()),
    ] {
        assert!(refused.unwrap_err().to_string().ends_with(&format!("a.sealed {REFUSED}")));
    }
}

#[tokio::test]
async fn what_was_changed_or_moved_is_refused_with_its_name() {
    let inner: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let (key, location) = (OneKey::new(), Path::from("b.sealed"));
    let right = key.put(&*inner, "b.sealed", &plain(FIRST + 2 * ROOM)).await;
    let other = key.put(&*inner, "a.sealed", &plain(FIRST + 2 * ROOM)).await;
    let foreign = OneKey::new().put(&*inner, "b.sealed", &plain(FIRST + 2 * ROOM)).await;
    let mut flipped = right.clone();
    flipped[3 * 65_536 - 1] ^= 0x80;
    // One store that had opened the right object before, and one that had not.
    let before = key.over(inner.clone());
    for wrong in [
        flipped,
        other,
        foreign,
        right[..2 * 65_536].to_vec(),
        right[..right.len() - 1].to_vec(),
        right[..20].to_vec(),
        Vec::new(),
        [&right[..], &[0]].concat(),
    ] {
        put(&*inner, "b.sealed", &right).await;
        before.get_range(&location, 0..9).await.unwrap();
        put(&*inner, "b.sealed", &wrong).await;
        let after = key.over(inner.clone());
        let refused = get(&after, &location, None).await.unwrap_err();
        assert!(refused.to_string().ends_with(&format!("b.sealed {REFUSED}")), "{refused}");
        assert!(get(&after, &location, Some(GetRange::Suffix(8))).await.is_err());
        let end = FIRST + 2 * ROOM - 8..FIRST + 2 * ROOM;
        assert!(before.get_ranges(&location, &[end]).await.is_err() || wrong.len() > right.len());
        assert!(get(&before, &location, None).await.is_err());
        put(&*inner, "b.sealed", &right).await;
        after.get(&location).await.unwrap();
    }
}

#[tokio::test]
async fn an_object_that_was_cut_is_named_whoever_notices() {
    let dir = tempfile::tempdir().unwrap();
    let local: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new_with_prefix(dir.path()).unwrap());
    let (key, location) = (OneKey::new(), Path::from("c.sealed"));
    let right = key.put(&*local, "c.sealed", &plain(FIRST + 2 * ROOM)).await;
    let (start, end) = (0..9, FIRST + ROOM + 5..FIRST + 2 * ROOM);
    for length in [3 * 65_536 - 1, 2 * 65_536 + 1, 2 * 65_536, 65_536, 41, 0] {
        let store = key.over(local.clone());
        put(&*local, "c.sealed", &right).await;
        store.get_ranges(&location, &[start.clone(), end.clone()]).await.unwrap();
        put(&*local, "c.sealed", &right[..length]).await;
        for refused in [
            store.get_ranges(&location, &[start.clone(), end.clone()]).await.map(|_| ()),
            store.get_range(&location, end.clone()).await.map(|_| ()),
            store.get(&location).await.map(|_| ()),
        ] {
            let told = refused.unwrap_err().to_string();
            assert!(told.contains("c.sealed"), "{length}: {told}");
        }
    }
}

/// A question may end, because another file is wrong, when it has read the header and nothing else.
#[tokio::test]
async fn a_header_under_which_nothing_opened_is_not_remembered() {
    let inner: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let (key, location) = (OneKey::new(), Path::from("a.sealed"));
    let store = key.over(inner.clone());
    OneKey::new().put(&*inner, "a.sealed", b"what we wrote").await;
    let Kind::Sealed(seal) = key.of(&location) else { panic!("it is sealed") };
    store.opener(&location, &seal).await.unwrap();
    key.put(&*inner, "a.sealed", b"what we wrote").await;
    assert_eq!(store.get(&location).await.unwrap().bytes().await.unwrap(), "what we wrote");
}

#[tokio::test]
async fn only_what_is_known_is_there_and_nothing_is_written() {
    let inner: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let key = OneKey::new();
    key.put(&*inner, "a.sealed", b"sealed").await;
    put(&*inner, "old", b"not sealed").await;
    put(&*inner, "else", b"somebody's").await;
    let store = key.over(inner.clone());
    let [old, unknown, sealed] = ["old", "else", "a.sealed"].map(Path::from);
    assert_eq!(store.get(&old).await.unwrap().bytes().await.unwrap(), "not sealed");
    assert_eq!(store.get_ranges(&old, &[4..10, 0..3]).await.unwrap(), ["sealed", "not"]);
    for refused in [
        store.get(&unknown).await.map(|_| ()),
        store.head(&unknown).await.map(|_| ()),
        store.get_ranges(&unknown, &[0..1, 1..2]).await.map(|_| ()),
    ] {
        assert!(matches!(refused, Err(Error::NotFound { path, .. }) if path == "else"));
    }
    let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
    let listed: Vec<_> = listed.iter().map(|meta| (meta.location.as_ref(), meta.size)).collect();
    assert_eq!(listed, [("a.sealed", 6), ("old", 10)]);
    assert_eq!(store.list_with_delimiter(None).await.unwrap().objects.len(), 2);
    for refused in [
        store.put(&sealed, "new".into()).await.map(|_| ()),
        store.put_multipart(&sealed).await.map(|_| ()),
        store.copy(&sealed, &old).await,
        store.rename(&sealed, &old).await,
        store.delete(&sealed).await,
    ] {
        assert!(matches!(refused, Err(Error::NotSupported { .. })), "{refused:?}");
    }
    assert_eq!(store.get(&sealed).await.unwrap().bytes().await.unwrap(), "sealed");
}
