//! From a file to the bytes of its events: opening, decompressing, telling binary from text.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;
use garrison_base::limits;
use garrison_decode::evtx;

/// What a file holds.
pub enum Content {
    /// Text in any encoding that logs come in, read as UTF-8.
    Text(Box<dyn Read>),
    /// A Windows event file.
    Evtx(Box<dyn Read>),
    /// Neither: what it seems to be.
    Binary(&'static str),
}

/// Opens a file, or standard input for `-`; `progress` grows by the bytes that are read from it.
pub fn open(path: &Path, progress: Arc<AtomicU64>) -> io::Result<Content> {
    let source: Box<dyn Read> =
        if path.as_os_str() == "-" { Box::new(io::stdin()) } else { Box::new(File::open(path)?) };
    let counted = Counted { inner: source, count: Arc::clone(&progress) };
    let (magic, counted) = peek(Box::new(counted), MAGIC)?;
    let counted = BufReader::with_capacity(CHUNK, counted);
    let inner: Box<dyn Read> = match magic.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(Bounded::new(MultiGzDecoder::new(counted), progress)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            Box::new(Bounded::new(zstd::Decoder::with_buffer(counted)?, progress))
        }
        [0xfd, b'7', b'z', b'X', b'Z', ..] => {
            return Ok(Content::Binary("compressed by xz, which is not read: use xz -d first"));
        }
        [b'B', b'Z', b'h', ..] => {
            return Ok(Content::Binary("compressed by bzip2, which is not read: use bzip2 -d first"));
        }
        [b'P', b'K', 3, 4, ..] => {
            return Ok(Content::Binary("a zip archive, which is not read: unpack it first"));
        }
        _ => Box::new(counted),
    };
    classify(inner)
}

/// Bytes that are read at a time.
pub const CHUNK: usize = 256 * 1024;

/// Bytes that tell what a file is.
const MAGIC: usize = 8;

/// Looks at the first bytes, at least `least` of them if there are so many: a pipe may give them one by one.
fn peek(mut reader: Box<dyn Read>, least: usize) -> io::Result<(Vec<u8>, Box<dyn Read>)> {
    let mut head = vec![0; 4096];
    let mut filled = 0;
    while filled < least {
        match reader.read(head.get_mut(filled..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    head.truncate(filled);
    let whole = io::Cursor::new(head.clone()).chain(reader);
    Ok((head, Box::new(whole)))
}

fn classify(reader: Box<dyn Read>) -> io::Result<Content> {
    let (head, reader) = peek(reader, MAGIC)?;
    if head.starts_with(evtx::MAGIC) {
        return Ok(Content::Evtx(reader));
    }
    match head.as_slice() {
        [0xff, 0xfe, ..] => return Ok(Content::Text(Box::new(Utf16::new(reader, u16::from_le_bytes)))),
        [0xfe, 0xff, ..] => return Ok(Content::Text(Box::new(Utf16::new(reader, u16::from_be_bytes)))),
        [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            return Ok(Content::Binary("compressed twice, which is not read"));
        }
        _ => {}
    }
    // A crash can leave a run of NUL bytes at the start of a log.
    let text = head.iter().skip_while(|byte| **byte == 0);
    let control = |byte: &&u8| **byte < 0x20 && !matches!(**byte, b'\t' | b'\n' | b'\r' | 0x1b | 0x1d);
    let (length, controls) = (text.clone().count(), text.filter(control).count());
    Ok(if controls * 20 > length || (length == 0 && !head.is_empty()) {
        Content::Binary("binary, and neither a Windows event file nor compressed by gzip or zstd")
    } else {
        Content::Text(reader)
    })
}

struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.count.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

/// Stops a decompression that grows beyond what logs do.
struct Bounded<R> {
    inner: R,
    compressed: Arc<AtomicU64>,
    expanded: u64,
}

impl<R> Bounded<R> {
    fn new(inner: R, compressed: Arc<AtomicU64>) -> Self {
        Self { inner, compressed, expanded: 0 }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.expanded += length as u64;
        let compressed = self.compressed.load(Ordering::Relaxed);
        let allowed = limits::EXPANSION_FREE_BYTES.max(compressed.saturating_mul(limits::COMPRESSION_RATIO));
        if self.expanded > allowed {
            return Err(io::Error::other(format!(
                "expands to more than {} times its size: taken for a zip bomb, the rest is not read",
                limits::COMPRESSION_RATIO
            )));
        }
        Ok(length)
    }
}

/// Reads UTF-16, which Windows tools write, as UTF-8. What is no character becomes U+FFFD.
struct Utf16<R> {
    inner: R,
    unit: fn([u8; 2]) -> u16,
    bytes: Vec<u8>,
    ready: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: Read> Utf16<R> {
    fn new(inner: R, unit: fn([u8; 2]) -> u16) -> Self {
        Self { inner, unit, bytes: Vec::new(), ready: Vec::new(), given: 0, ended: false }
    }

    fn refill(&mut self) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK];
        let length = self.inner.read(&mut chunk)?;
        self.ended = length == 0;
        self.bytes.extend(chunk.iter().take(length));
        let mut units: Vec<u16> =
            self.bytes.as_chunks::<2>().0.iter().map(|pair| (self.unit)(*pair)).collect();
        // The first half of a pair waits for the second.
        if length > 0 && units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit)) {
            units.pop();
        }
        self.bytes.drain(..units.len() * 2);
        let text: String =
            char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        self.ready = text.into_bytes();
        self.given = 0;
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.ready.len() && !self.ended {
            self.refill()?;
        }
        let mut rest = self.ready.get(self.given..).unwrap_or_default();
        let length = rest.read(buffer)?;
        self.given += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf16_is_read_as_utf8() {
        let text = "\u{feff}größe 😀\n".repeat(CHUNK / 16);
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut read = String::new();
        Utf16::new(bytes.as_slice(), u16::from_le_bytes).read_to_string(&mut read).unwrap();
        assert_eq!(read, text);
    }

    /// A pipe that gives one byte at a time.
    struct Drip<'b>(&'b [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.0.len().min(buffer.len()).min(1);
            self.0.read(buffer.get_mut(..length).unwrap_or_default())
        }
    }

    #[test]
    fn bytes_may_come_one_by_one() {
        let bytes: Vec<u8> = "\u{feff}a😀b\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut read = String::new();
        Utf16::new(Drip(&bytes), u16::from_le_bytes).read_to_string(&mut read).unwrap();
        assert_eq!(read, "\u{feff}a😀b\n");
        let (head, _) = peek(Box::new(io::Cursor::new(bytes.clone())), MAGIC).unwrap();
        assert_eq!(head, bytes);
    }
}
