//! Where one event ends and the next begins.
//!
//! Text is cut at line ends. JSON may stand one document a line, pretty-printed over many lines, as a list,
//! or as CloudTrail writes it, `{"Records": [...]}`; the elements of lists become events of their own.

use garrison_base::limits::EVENT_BYTES;
use memchr::memchr;

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
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Lines,
    /// Between the elements of a JSON list.
    List,
    /// In the rest of a line that was too long.
    Skip,
}

/// What stands at the start of the buffer.
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
        Self { buffer: Vec::new(), mode: Mode::Lines, line: 1 }
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
        let buffer = std::mem::take(&mut self.buffer);
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
            rest = after;
        }
        let kept = rest.len();
        let from = buffer.len() - kept;
        self.buffer = buffer;
        self.buffer.drain(..from);
    }

    fn step(&mut self, rest: &[u8], last: bool) -> Step {
        match self.mode {
            Mode::Lines => self.lines(rest, last),
            Mode::List => self.list(rest, last),
            Mode::Skip => match memchr(b'\n', rest) {
                Some(end) => {
                    self.mode = Mode::Lines;
                    Step::Pass(end + 1)
                }
                None => Step::Pass(rest.len()),
            },
        }
    }

    fn lines(&mut self, rest: &[u8], last: bool) -> Step {
        let indent = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let Some(first) = rest.get(indent) else {
            return if last || rest.len() > EVENT_BYTES { Step::Pass(rest.len()) } else { Step::More };
        };
        let text = rest.get(indent..).unwrap_or_default();
        match first {
            _ if indent > 0 && rest.get(..indent).is_some_and(|blank| blank.contains(&b'\n')) => {
                Step::Pass(indent)
            }
            b'[' => match list_opening(text, b"[") {
                Opening::Yes(length) => {
                    self.mode = Mode::List;
                    Step::Pass(indent + length)
                }
                Opening::More if !last => Step::More,
                _ => self.line_end(rest, last),
            },
            b'{' => self.object_or_line(rest, indent, last),
            b'}' | b']' if is_closing(text) => match memchr(b'\n', rest) {
                Some(end) => Step::Pass(end + 1),
                None if last => Step::Pass(rest.len()),
                None => Step::More,
            },
            _ => self.line_end(rest, last),
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
                self.mode = Mode::Skip;
                Step::Frame { length: EVENT_BYTES, pass: 0, cut: true }
            }
        }
    }

    fn object_or_line(&mut self, rest: &[u8], indent: usize, last: bool) -> Step {
        let text = rest.get(indent..).unwrap_or_default();
        match list_opening(text, b"{\"Records\":[") {
            Opening::Yes(length) => {
                self.mode = Mode::List;
                return Step::Pass(indent + length);
            }
            Opening::More if !last => return Step::More,
            _ => {}
        }
        let line = memchr(b'\n', rest).and_then(|end| rest.get(..end));
        if line.is_some_and(|line| line.trim_ascii_end().ends_with(b"}")) {
            return self.line_end(rest, last);
        }
        match object_end(text) {
            End::At(length) if indent + length <= EVENT_BYTES => {
                Step::Frame { length: indent + length, pass: 0, cut: false }
            }
            End::More if !last && rest.len() <= EVENT_BYTES => Step::More,
            // Not one document after all: every line stands for itself.
            _ => self.line_end(rest, last),
        }
    }

    fn list(&mut self, rest: &[u8], last: bool) -> Step {
        let gap = rest.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b',').count();
        if gap > 0 {
            return Step::Pass(gap);
        }
        match object_end(rest) {
            _ if rest.first() != Some(&b'{') => {
                self.mode = Mode::Lines;
                if rest.first() == Some(&b']') { Step::Pass(1) } else { self.line_end(rest, last) }
            }
            End::At(length) if length <= EVENT_BYTES => Step::Frame { length, pass: 0, cut: false },
            End::More if !last && rest.len() <= EVENT_BYTES => Step::More,
            _ => {
                self.mode = Mode::Lines;
                self.line_end(rest, last)
            }
        }
    }
}

enum Opening {
    Yes(usize),
    No,
    More,
}

/// Whether the text begins with the opening of a list of objects, blanks between its marks disregarded.
fn list_opening(text: &[u8], opening: &[u8]) -> Opening {
    let mut wanted = opening.iter();
    let mut length = 0;
    for (place, byte) in text.iter().enumerate().filter(|(_, byte)| !byte.is_ascii_whitespace()) {
        match wanted.next() {
            Some(mark) if mark == byte => length = place + 1,
            None if *byte == b'{' => return Opening::Yes(length),
            _ => return Opening::No,
        }
    }
    if text.len() > 1024 { Opening::No } else { Opening::More }
}

/// Whether the line is only what is left of an enclosing object.
fn is_closing(text: &[u8]) -> bool {
    let line = memchr(b'\n', text).and_then(|end| text.get(..end)).unwrap_or(text);
    line.iter().all(|byte| matches!(byte, b'}' | b']' | b',' | b' ' | b'\t' | b'\r'))
}

enum End {
    At(usize),
    Broken,
    More,
}

/// The end of the JSON object that begins the text. A line end inside a string is not JSON.
fn object_end(text: &[u8]) -> End {
    let (mut depth, mut string, mut escaped) = (0_usize, false, false);
    for (place, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\n' if string => return End::Broken,
            b'\\' if string => escaped = true,
            b'"' => string = !string,
            _ if string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return End::At(place + 1),
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    End::More
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
                frames.push((String::from_utf8_lossy(frame.bytes).into_owned(), frame.line))
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
