//! Documents that may span lines: JSON objects, lists of them, Windows events in XML.

use garrison_base::limits::EVENT_BYTES;
use memchr::{memchr, memmem};

/// What stands at the start of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// A document of so many bytes.
    Document(usize),
    /// Something around documents, of so many bytes.
    Wrapper(usize),
    /// The opening of a list of objects, of so many bytes.
    List(usize),
    /// No document; so many bytes were looked at to learn it.
    Line(usize),
    /// Not enough to tell.
    More,
}

/// Follows one JSON object to its end, over any number of pieces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Scan {
    depth: u32,
    string: bool,
    escaped: bool,
}

/// Where an object ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Behind so many bytes.
    At(usize),
    /// A line ends inside a string behind so many bytes: this is not JSON.
    Broken(usize),
    /// Not here.
    Open,
}

impl Scan {
    pub(super) fn feed(&mut self, text: &[u8]) -> End {
        for (place, byte) in text.iter().enumerate() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\n' if self.string => return End::Broken(place),
                b'\\' if self.string => self.escaped = true,
                b'"' => self.string = !self.string,
                _ if self.string => {}
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' if self.depth <= 1 => return End::At(place + 1),
                b'}' | b']' => self.depth -= 1,
                _ => {}
            }
        }
        End::Open
    }
}

/// Looks at a text that begins with `{`. `last` tells that nothing comes behind it.
pub(super) fn object(text: &[u8], last: bool) -> Start {
    if let Some(start) = list_in_object(text, last) {
        return start;
    }
    // The usual case, one object a line, needs no look inside.
    let line = memchr(b'\n', text).and_then(|end| text.get(..end));
    if let Some(line) = line.filter(|line| line.trim_ascii_end().ends_with(b"}")) {
        return Start::Line(line.len());
    }
    match Scan::default().feed(text) {
        End::At(length) if length <= EVENT_BYTES => behind(text, length, last),
        End::Open if !last && text.len() <= EVENT_BYTES => Start::More,
        End::Broken(seen) => Start::Line(seen),
        End::At(_) | End::Open => Start::Line(text.len()),
    }
}

/// An object is a document if only another one, or nothing, stands behind it on its line.
fn behind(text: &[u8], length: usize, last: bool) -> Start {
    let rest = text.get(length..).unwrap_or_default();
    match rest.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b',')) {
        Some(b'\n' | b'{') => Start::Document(length),
        None if last => Start::Document(length),
        None => Start::More,
        Some(_) => Start::Line(length),
    }
}

/// Names under which services wrap lists of events, and how far into the object they are looked for.
const LISTS: [&[u8]; 2] = [b"\"Records\"", b"\"value\""];
const LIST_WITHIN: usize = 256;

/// `{"Records":[{`, with other plain values before it.
fn list_in_object(text: &[u8], last: bool) -> Option<Start> {
    let head = text.get(..LIST_WITHIN).unwrap_or(text);
    let (place, name) = LISTS.iter().find_map(|name| Some((memmem::find(head, name)?, name)))?;
    let before = text.get(..place)?;
    if before.iter().filter(|byte| matches!(byte, b'{' | b'[')).count() != 1 {
        return None;
    }
    match list_opening(text.get(place + name.len()..)?, b":[", last) {
        Start::List(length) => Some(Start::List(place + name.len() + length)),
        Start::More => Some(Start::More),
        _ => None,
    }
}

/// Whether the text begins with the opening of a list of objects, blanks between its marks disregarded.
pub(super) fn list_opening(text: &[u8], opening: &[u8], last: bool) -> Start {
    let mut wanted = opening.iter();
    let mut length = 0;
    for (place, byte) in text.iter().enumerate().filter(|(_, byte)| !byte.is_ascii_whitespace()) {
        match wanted.next() {
            Some(mark) if mark == byte => length = place + 1,
            None if *byte == b'{' => return Start::List(length),
            _ => return Start::Line(place),
        }
    }
    if last || text.len() > LIST_WITHIN { Start::Line(text.len()) } else { Start::More }
}

/// Looks at a text that begins with `<`.
pub(super) fn xml(text: &[u8], last: bool) -> Start {
    let named = |name: &[u8]| {
        text.strip_prefix(name).is_some_and(|rest| {
            rest.first().is_none_or(|byte| matches!(byte, b'>' | b' ' | b'\t' | b'\r' | b'\n'))
        })
    };
    let until = |end: &[u8]| {
        memmem::find(text.get(..EVENT_BYTES).unwrap_or(text), end).map(|place| place + end.len())
    };
    let (end, whole): (&[u8], fn(usize) -> Start) = if named(b"<Event") {
        (b"</Event>", Start::Document)
    } else if text.starts_with(b"<?xml") || named(b"<Events") || named(b"</Events") {
        (b">", Start::Wrapper)
    } else {
        return Start::Line(0);
    };
    match until(end) {
        Some(length) => whole(length),
        None if !last && text.len() <= EVENT_BYTES => Start::More,
        None => Start::Line(text.len()),
    }
}
