//! Where one event ends and the next begins.
//!
//! Text is cut at line ends. JSON may stand one object a line, several in a line, pretty-printed over many
//! lines, as a list, or as services write it, `{"Records": [...]}`; the elements of lists become events of
//! their own. Windows events in XML may span lines or share one.

mod document;

use garrison_base::limits::EVENT_BYTES;
use memchr::memchr;

use document::{End, Scan, Start};

/// The bytes of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'b> {
    /// The bytes, without the line end.
    pub bytes: &'b [u8],
    /// The line on which they begin, from 1.
    pub line: u64,
    /// The event was longer than [`EVENT_BYTES`]; what is missing was skipped.
    pub cut: bool,
}

/// Cuts a stream of bytes into frames. Holds at most one event and one chunk.
#[derive(Debug)]
pub struct Framer {
    buffer: Vec<u8>,
    mode: Mode,
    line: u64,
    /// So many bytes ahead no document over several lines is looked for: a look that began earlier has
    /// seen them and found none. Without this, a file of opening braces would be looked through again and
    /// again.
    doubted: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Lines,
    /// Between the elements of a JSON list.
    List,
    /// In the rest of a line that was too long.
    SkipLine,
    /// In the rest of an element that was too long.
    SkipElement(Scan),
}

/// What to do with the start of the buffer.
enum Step {
    /// A frame of so many bytes, then so many bytes to pass over.
    Frame { length: usize, pass: usize, cut: bool },
    /// Bytes that belong to no event.
    Pass(usize),
    /// Not enough to tell.
    More,
}

impl Default for Framer {
    fn default() -> Self {
        Self { buffer: Vec::new(), mode: Mode::Lines, line: 1, doubted: 0 }
    }
}

impl Framer {
    /// Takes the next bytes; calls `emit` for each frame that is complete.
    pub fn push(&mut self, chunk: &[u8], emit: &mut dyn FnMut(Frame<'_>)) {
        self.buffer.extend_from_slice(chunk);
        self.drain(false, emit);
    }

    /// The stream has ended: what is left is the last frame.
    pub fn finish(&mut self, emit: &mut dyn FnMut(Frame<'_>)) {
        self.drain(true, emit);
        *self = Self { line: self.line, ..Self::default() };
    }

    /// The line that is read next, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    fn drain(&mut self, last: bool, emit: &mut dyn FnMut(Frame<'_>)) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut rest = buffer.as_slice();
        while !rest.is_empty() {
            let (length, pass) = match self.step(rest, last) {
                Step::More => break,
                Step::Pass(pass) => (0, pass),
                Step::Frame { length, pass, cut } => {
                    let bytes = rest.get(..length).unwrap_or(rest);
                    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
                    if !bytes.iter().all(u8::is_ascii_whitespace) {
                        emit(Frame { bytes, line: self.line, cut });
                    }
                    (length, pass)
                }
            };
            let (done, after) = rest.split_at((length + pass).clamp(1, rest.len()));
            self.line += memchr::memchr_iter(b'\n', done).count() as u64;
            self.doubted = self.doubted.saturating_sub(done.len());
            rest = after;
        }
        let done = buffer.len() - rest.len();
        buffer.drain(..done);
        self.buffer = buffer;
    }

    fn step(&mut self, rest: &[u8], last: bool) -> Step {
        match self.mode {
            Mode::Lines => self.lines(rest, last),
            Mode::List => self.list(rest, last),
            Mode::SkipLine => match memchr(b'\n', rest) {
                Some(end) => {
                    self.mode = Mode::Lines;
                    Step::Pass(end + 1)
                }
                None => Step::Pass(rest.len()),
            },
            Mode::SkipElement(mut scan) => match scan.feed(rest) {
                End::At(length) => {
                    self.mode = Mode::List;
                    Step::Pass(length)
                }
                End::Broken(_) => {
                    self.mode = Mode::SkipLine;
                    Step::Pass(0)
                }
                End::Open => {
                    self.mode = Mode::SkipElement(scan);
                    Step::Pass(rest.len())
                }
            },
        }
    }

    fn lines(&mut self, rest: &[u8], last: bool) -> Step {
        let indent = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let text = rest.get(indent..).unwrap_or_default();
        let Some(first) = text.first() else {
            return Step::Pass(rest.len());
        };
        if rest.get(..indent).is_some_and(|blank| blank.contains(&b'\n')) {
            return Step::Pass(indent);
        }
        let start = match first {
            b'[' | b'{' | b'<' if self.doubted > 0 => Start::Line(0),
            b'[' => document::list_opening(text, b"[", last),
            b'{' => document::object(text, last),
            b'<' => document::xml(text, last),
            b'}' | b']' if is_closing(text) => match memchr(b'\n', text) {
                Some(end) => Start::Wrapper(end + 1),
                None if last => Start::Wrapper(text.len()),
                None => Start::More,
            },
            _ => Start::Line(0),
        };
        match start {
            Start::Document(length) => Step::Frame { length: indent + length, pass: 0, cut: false },
            Start::Wrapper(length) => Step::Pass(indent + length),
            Start::List(length) => {
                self.mode = Mode::List;
                Step::Pass(indent + length)
            }
            Start::Line(seen) => {
                self.doubted = self.doubted.max(indent + seen);
                self.line_end(rest, last)
            }
            Start::More => Step::More,
        }
    }

    fn line_end(&mut self, rest: &[u8], last: bool) -> Step {
        match memchr(b'\n', rest) {
            Some(end) if end <= EVENT_BYTES => Step::Frame { length: end, pass: 1, cut: false },
            None if rest.len() <= EVENT_BYTES && last => {
                Step::Frame { length: rest.len(), pass: 0, cut: false }
            }
            None if rest.len() <= EVENT_BYTES => Step::More,
            _ => {
                self.mode = Mode::SkipLine;
                Step::Frame { length: EVENT_BYTES, pass: 0, cut: true }
            }
        }
    }

    fn list(&mut self, rest: &[u8], last: bool) -> Step {
        let gap = rest.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b',').count();
        match rest.get(gap) {
            _ if gap > 0 => Step::Pass(gap),
            Some(b'{') => self.element(rest, last),
            Some(b']') => {
                self.mode = Mode::Lines;
                Step::Pass(1)
            }
            _ => {
                self.mode = Mode::Lines;
                self.line_end(rest, last)
            }
        }
    }

    fn element(&mut self, rest: &[u8], last: bool) -> Step {
        let mut scan = Scan::default();
        match scan.feed(rest.get(..EVENT_BYTES).unwrap_or(rest)) {
            End::At(length) => Step::Frame { length, pass: 0, cut: false },
            End::Open if rest.len() >= EVENT_BYTES => {
                self.mode = Mode::SkipElement(scan);
                Step::Frame { length: EVENT_BYTES, pass: 0, cut: true }
            }
            End::Open if !last => Step::More,
            End::Broken(_) | End::Open => {
                self.mode = Mode::Lines;
                self.line_end(rest, last)
            }
        }
    }
}

/// Splits a line into the JSON objects that stand in it one behind the other. `None` if there is anything
/// else in it.
pub(crate) fn objects(line: &str) -> Option<Vec<&str>> {
    let mut objects = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        if !rest.starts_with('{') {
            return None;
        }
        let End::At(length) = Scan::default().feed(rest.as_bytes()) else { return None };
        let (object, after) = rest.split_at_checked(length)?;
        objects.push(object);
        rest = after.trim_start_matches([' ', '\t', ',']);
    }
    Some(objects)
}

/// Whether the line is only what is left of an enclosing object.
fn is_closing(text: &[u8]) -> bool {
    let line = memchr(b'\n', text).and_then(|end| text.get(..end)).unwrap_or(text);
    line.iter().all(|byte| matches!(byte, b'}' | b']' | b',' | b' ' | b'\t' | b'\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of a text, however it is cut into chunks.
    fn frames(text: &str) -> Vec<(String, u64)> {
        let split = |size: usize| {
            let mut framer = Framer::default();
            let mut frames = Vec::new();
            let mut emit = |frame: Frame<'_>| {
                frames.push((String::from_utf8_lossy(frame.bytes).into_owned(), frame.line));
            };
            for chunk in text.as_bytes().chunks(size) {
                framer.push(chunk, &mut emit);
            }
            framer.finish(&mut emit);
            frames
        };
        let whole = split(text.len().max(1));
        for size in [1, 2, 3, 7] {
            assert_eq!(split(size), whole, "chunks of {size} bytes");
        }
        whole
    }

    fn texts(text: &str) -> Vec<String> {
        frames(text).into_iter().map(|(text, _)| text).collect()
    }

    #[test]
    fn lines_with_and_without_an_end() {
        assert_eq!(frames("a\r\n\nb\nc"), [("a".into(), 1), ("b".into(), 3), ("c".into(), 4)]);
        assert!(frames("").is_empty());
    }

    #[test]
    fn json_lines_documents_and_lists() {
        assert_eq!(texts("{\"a\":1}\n{\"b\":{}}\n"), ["{\"a\":1}", "{\"b\":{}}"]);
        assert_eq!(
            texts("{\n  \"a\": \"}\"\n}\n{\n \"b\": 1 }\n"),
            ["{\n  \"a\": \"}\"\n}", "{\n \"b\": 1 }"]
        );
        assert_eq!(
            frames("[\n{\"a\":1},\n{\"b\":2}\n]\nx\n"),
            [("{\"a\":1}".into(), 2), ("{\"b\":2}".into(), 3), ("x".into(), 5)]
        );
        assert_eq!(texts("[{\"a\":[1]},{\"b\":2}]"), ["{\"a\":[1]}", "{\"b\":2}"]);
        assert_eq!(texts("{\"Records\":[{\"a\":1},{\"b\":2}]}\n"), ["{\"a\":1}", "{\"b\":2}"]);
        assert_eq!(texts("{ \"Records\" : [\n {\"a\":1} ] }"), ["{\"a\":1}"]);
    }

    #[test]
    fn what_only_looks_like_json_stays_lines() {
        assert_eq!(texts("[ 0.000] kernel\n[Sun] apache\n"), ["[ 0.000] kernel", "[Sun] apache"]);
        assert_eq!(texts("{\"a\": \"cut off\nnext line\n"), ["{\"a\": \"cut off", "next line"]);
        assert_eq!(texts("{\"a\": 1,\nplain\n"), ["{\"a\": 1,", "plain"]);
    }

    #[test]
    fn windows_events_in_xml_and_wrapped_lists() {
        assert_eq!(
            texts("<?xml version=\"1.0\"?><Events><Event a=\"1\">x</Event><Event>y</Event></Events>"),
            ["<Event a=\"1\">x</Event>", "<Event>y</Event>"]
        );
        assert_eq!(
            texts("<Event>\n  <System/>\n</Event>\nplain\n"),
            ["<Event>\n  <System/>\n</Event>", "plain"]
        );
        assert_eq!(texts("<EventID>1</EventID>\n<34>x\n"), ["<EventID>1</EventID>", "<34>x"]);
        assert_eq!(texts("{\"Count\":2,\"Records\":[{\"a\":1},{\"b\":2}]}"), ["{\"a\":1}", "{\"b\":2}"]);
        assert_eq!(texts("{foo} bar\n{ \"a\":\n1} {\"b\":2}\n"), ["{foo} bar", "{ \"a\":\n1}", " {\"b\":2}"]);
        assert_eq!(objects("{\"a\":\"}\"} {\"b\":2}").unwrap().len(), 2);
        assert_eq!(objects("{\"a\":1} x"), None);
    }

    #[test]
    fn a_long_element_is_cut_and_the_next_one_is_whole() {
        let text = format!("[{{\"a\":\"{}\"}},{{\"b\":2}}]\n", "x".repeat(3 * EVENT_BYTES));
        assert_eq!(lengths(&text), [EVENT_BYTES, 7]);
    }

    #[test]
    fn opening_braces_cost_one_look() {
        // Looking again for each of them would take hours.
        assert_eq!(lengths(&"{\n".repeat(400_000)).len(), 400_000);
        assert_eq!(lengths(&"<Event \n".repeat(200_000)).len(), 200_000);
    }

    /// The lengths of the frames of a long text.
    fn lengths(text: &str) -> Vec<usize> {
        let (mut framer, mut lengths) = (Framer::default(), Vec::new());
        for chunk in text.as_bytes().chunks(1 << 18) {
            framer.push(chunk, &mut |frame| lengths.push(frame.bytes.len()));
        }
        framer.finish(&mut |frame| lengths.push(frame.bytes.len()));
        lengths
    }

    #[test]
    fn a_long_line_is_cut_and_the_next_one_is_whole() {
        let mut framer = Framer::default();
        let mut seen = Vec::new();
        let mut emit = |frame: Frame<'_>| seen.push((frame.bytes.len(), frame.line, frame.cut));
        for _ in 0..40 {
            framer.push(&vec![b'x'; EVENT_BYTES / 8], &mut emit);
            assert!(framer.buffer.len() <= EVENT_BYTES + EVENT_BYTES / 8);
        }
        framer.push(b"\nshort\n", &mut |frame| assert_eq!(frame.bytes, b"short"));
        assert_eq!(seen, [(EVENT_BYTES, 1, true)]);
    }
}
