//! Sealed objects, opened while the engine reads them: on the disk there is cipher text alone, and the engine knows of none.
//!
//! A read opens the segments that it touches, whole, so that no byte is handed out that was not checked. That an object was
//! cut is noticed by what reads its end, which is where a Parquet file says what is in it.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::future::ready;
use futures_util::stream::{self, BoxStream};
use garrison_secrets::{NotSealed, Opener, StreamKey, plain_len};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    RenameOptions, Result,
};

/// The name of this store in its errors.
const NAME: &str = "Sealed";
/// Objects whose keys are kept ready, about a KiB each.
const OPENERS: usize = 4096;

/// What is known of a location.
pub(crate) enum Kind {
    /// A sealed object.
    Sealed(Seal),
    /// A file that was written before files were sealed.
    Plain,
    /// Nothing, or that its key is gone.
    Unknown,
}

/// How an object is sealed.
pub(crate) struct Seal {
    /// Under which key.
    pub(crate) key: Arc<StreamKey>,
    /// To which associated data: what it is, wherever it lies.
    pub(crate) object: String,
}

/// Knows which locations are sealed, and how.
pub(crate) trait Seals: fmt::Debug + Send + Sync + 'static {
    /// What is known of this one. It is asked for each read, so a key that is gone opens nothing any more.
    fn of(&self, location: &Path) -> Kind;
}

/// A store for reading, in which sealed objects look as they did before they were sealed. An object never changes under
/// its name.
pub(crate) struct Sealed {
    inner: Arc<dyn ObjectStore>,
    seals: Arc<dyn Seals>,
    openers: Mutex<HashMap<Path, Arc<Opener>>>,
}

impl Sealed {
    /// Opens what is in `inner`.
    pub(crate) fn new(inner: Arc<dyn ObjectStore>, seals: Arc<dyn Seals>) -> Self {
        Self { inner, seals, openers: Mutex::default() }
    }

    /// How an object is sealed; nothing where it is not. What was made of a key that is gone goes with it.
    fn seal(&self, location: &Path) -> Result<Option<Seal>> {
        match self.seals.of(location) {
            Kind::Sealed(seal) => Ok(Some(seal)),
            Kind::Plain => Ok(None),
            Kind::Unknown => {
                self.openers().remove(location);
                Err(unknown(location))
            }
        }
    }

    async fn opener(&self, location: &Path, seal: &Seal) -> Result<Arc<Opener>> {
        let known = self.openers().get(location).cloned();
        if let Some(opener) = known {
            return Ok(opener);
        }
        let length = self.inner.head(location).await?.size;
        if plain_len(length).is_none() {
            return Err(not_opened(location));
        }
        let header = self.inner.get_range(location, 0..StreamKey::HEADER as u64).await;
        let header = header.map_err(|error| self.unreadable(location, error))?;
        let opener = header
            .first_chunk()
            .ok_or(NotSealed)
            .and_then(|header| seal.key.opener(seal.object.as_bytes(), header, length))
            .map_err(|NotSealed| not_opened(location))?;
        Ok(Arc::new(opener))
    }

    /// Keeps an opener under which something opened: before that, nobody knows whether the header is the right one.
    fn remember(&self, location: &Path, opener: Arc<Opener>) {
        let mut openers = self.openers();
        if openers.contains_key(location) {
            return;
        }
        if openers.len() >= OPENERS {
            openers.clear();
        }
        openers.insert(location.clone(), opener);
    }

    /// An object without its content.
    async fn describe(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let options = GetOptions { range: None, head: true, ..options };
        let found = self.inner.get_opts(location, options).await?;
        let payload = GetResultPayload::Stream(stream::empty().boxed());
        Ok(GetResult { payload, meta: plain_meta(found.meta)?, range: 0..0, attributes: found.attributes })
    }

    /// What does not open is looked at anew the next time: somebody may have put the right file back.
    fn refused(&self, location: &Path) -> Error {
        self.openers().remove(location);
        not_opened(location)
    }

    /// What the store below says does not always name the object, such as where one that was cut ends too early.
    fn unreadable(&self, location: &Path, error: Error) -> Error {
        self.openers().remove(location);
        match error {
            Error::NotFound { .. } => error,
            error => {
                Error::Generic { store: NAME, source: format!("{location} cannot be read: {error}").into() }
            }
        }
    }

    fn openers(&self) -> MutexGuard<'_, HashMap<Path, Arc<Opener>>> {
        self.openers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for Sealed {
    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(for_reading("put"))
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(for_reading("put_multipart"))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let Some(seal) = self.seal(location)? else { return self.inner.get_opts(location, options).await };
        if options.head {
            return self.describe(location, options).await;
        }
        let opener = self.opener(location, &seal).await?;
        let length = opener.plain_len();
        let asked = options.range.as_ref().map_or(Ok(0..length), |range| range.as_range(length));
        let plain = asked.map_err(|error| outside(location, error))?;
        let wanted = opener.segments(plain.clone());
        if wanted.is_empty() {
            return self.describe(location, options).await;
        }
        let options = GetOptions { range: Some(GetRange::Bounded(wanted)), ..options };
        let found = self.inner.get_opts(location, options).await;
        let found = found.map_err(|error| self.unreadable(location, error))?;
        let (meta, attributes) = (found.meta.clone(), found.attributes.clone());
        if meta.size != opener.sealed_len() {
            return Err(self.refused(location));
        }
        let sealed = found.bytes().await?;
        let bytes = open(&opener, plain.clone(), sealed).map_err(|NotSealed| self.refused(location))?;
        self.remember(location, opener);
        let payload = GetResultPayload::Stream(stream::once(ready(Ok(bytes))).boxed());
        Ok(GetResult { payload, meta: ObjectMeta { size: length, ..meta }, range: plain, attributes })
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let Some(seal) = self.seal(location)? else { return self.inner.get_ranges(location, ranges).await };
        let opener = self.opener(location, &seal).await?;
        let within = |range: &Range<u64>| {
            let asked = GetRange::Bounded(range.clone()).as_range(opener.plain_len());
            asked.map_err(|error| outside(location, error))
        };
        let ranges = ranges.iter().map(within).collect::<Result<Vec<_>>>()?;
        let runs = runs(&opener, &ranges);
        let wanted: Vec<_> = runs.iter().map(|run| opener.segments(run.clone())).collect();
        // One call: the store below knows best what a request costs, and which of them are one.
        let fetched = self.inner.get_ranges(location, &wanted).await;
        let fetched = fetched.map_err(|error| self.unreadable(location, error))?;
        let opened: Result<Vec<_>, NotSealed> = runs
            .into_iter()
            .zip(fetched)
            .map(|(run, sealed)| Ok((run.start, open(&opener, run, sealed)?)))
            .collect();
        let Ok(opened) = opened else { return Err(self.refused(location)) };
        let parts: Option<Vec<_>> = ranges.iter().map(|range| part(&opened, range)).collect();
        let parts = parts.ok_or_else(|| self.refused(location))?;
        if !parts.is_empty() {
            self.remember(location, opener);
        }
        Ok(parts)
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        locations.map(|location| location.and_then(|_| Err(for_reading("delete")))).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        shown(self.seals.clone(), self.inner.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        shown(self.seals.clone(), self.inner.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let ListResult { common_prefixes, objects } = self.inner.list_with_delimiter(prefix).await?;
        let objects =
            objects.into_iter().filter_map(|meta| known(&*self.seals, meta)).collect::<Result<Vec<_>>>()?;
        Ok(ListResult { common_prefixes, objects })
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(for_reading("copy"))
    }

    async fn rename_opts(&self, _: &Path, _: &Path, _: RenameOptions) -> Result<()> {
        Err(for_reading("rename"))
    }
}

impl fmt::Display for Sealed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{NAME}({})", self.inner)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct(NAME).field("inner", &self.inner).field("seals", &self.seals).finish_non_exhaustive()
    }
}

/// The ranges in order, those together that share a segment or follow each other, so that no segment is opened twice.
fn runs(opener: &Opener, ranges: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut ranges = ranges.to_vec();
    ranges.sort_unstable_by_key(|range| range.start);
    let mut runs: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match runs.last_mut() {
            Some(last) if opener.segments(range.clone()).start <= opener.segments(last.clone()).end => {
                last.end = last.end.max(range.end);
            }
            _ => runs.push(range),
        }
    }
    runs
}

/// Opens what was fetched, where it stands if nobody else holds it, as is so for what was read from a file.
fn open(opener: &Opener, plain: Range<u64>, sealed: Bytes) -> Result<Bytes, NotSealed> {
    let mut bytes = BytesMut::from(sealed);
    let found = opener.open(plain, &mut bytes)?;
    Ok(bytes.freeze().slice(found))
}

/// A range, out of the run that it is a part of.
fn part(runs: &[(u64, Bytes)], range: &Range<u64>) -> Option<Bytes> {
    let place = runs.partition_point(|(start, _)| *start <= range.start).checked_sub(1)?;
    let (start, run) = runs.get(place)?;
    let within = |byte: u64| byte.checked_sub(*start).and_then(|byte| usize::try_from(byte).ok());
    let (from, to) = (within(range.start)?, within(range.end)?);
    run.get(from..to).map(|part| run.slice_ref(part))
}

/// A listing with the lengths that a reader sees, of what is known.
fn shown(
    seals: Arc<dyn Seals>,
    listed: BoxStream<'static, Result<ObjectMeta>>,
) -> BoxStream<'static, Result<ObjectMeta>> {
    let show = move |listed: Result<ObjectMeta>| match listed {
        Ok(meta) => known(&*seals, meta),
        Err(error) => Some(Err(error)),
    };
    listed.filter_map(move |listed| ready(show(listed))).boxed()
}

fn known(seals: &dyn Seals, meta: ObjectMeta) -> Option<Result<ObjectMeta>> {
    match seals.of(&meta.location) {
        Kind::Sealed(_) => Some(plain_meta(meta)),
        Kind::Plain => Some(Ok(meta)),
        Kind::Unknown => None,
    }
}

fn plain_meta(meta: ObjectMeta) -> Result<ObjectMeta> {
    let size = plain_len(meta.size).ok_or_else(|| not_opened(&meta.location))?;
    Ok(ObjectMeta { size, ..meta })
}

fn not_opened(location: &Path) -> Error {
    let what = format!("{location} does not open: it was changed, moved, or sealed under another key");
    Error::Generic { store: NAME, source: what.into() }
}

fn outside(location: &Path, error: impl fmt::Display) -> Error {
    Error::Generic { store: NAME, source: format!("{location}: {error}").into() }
}

fn unknown(location: &Path) -> Error {
    Error::NotFound {
        path: location.to_string(),
        source: "it is not listed, or there is no key for it".into(),
    }
}

fn for_reading(operation: &str) -> Error {
    Error::NotSupported { source: format!("{operation}: the lake writes its files itself").into() }
}

#[cfg(test)]
mod tests;
