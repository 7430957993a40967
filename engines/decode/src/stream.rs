//! Where a syslog message ends on a stream: by octet count or by line feed, each message by itself (RFC 6587).
//!
//! A sender's choice is told by how a message begins: a count is followed by a blank and the `<` of the priority. A
//! time such as `2026-11-22T...` begins with digits too, so digits alone prove nothing. rsyslog counts the line feed at
//! the end of a message, others do not; it is not part of the event.

use garrison_base::limits::EVENT_BYTES;

use crate::events::Events;

/// Digits of a count at most: more is no count.
const DIGITS: usize = 7;

/// The messages of one connection.
#[derive(Debug, Default)]
pub struct SyslogFramer {
    buffer: Vec<u8>,
    /// How much of the buffer holds no line feed, so that it is looked through once.
    looked: usize,
    skip: Skip,
    refused: u64,
}

/// What is left of a message that is too long.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Skip {
    #[default]
    Nothing,
    /// So many bytes.
    Bytes(usize),
    /// All up to the next line feed.
    Line,
}

enum Step {
    /// A message: where it begins, where it ends, where the next begins.
    Message(usize, usize, usize),
    /// A message that is too long, of which so much is to be thrown away.
    Refused(Skip),
    /// The rest has not come yet.
    More,
}

impl SyslogFramer {
    /// Takes what came and tells the messages that are complete now.
    pub fn push(&mut self, chunk: &[u8], out: &mut Events) {
        self.buffer.extend_from_slice(chunk);
        let mut at = 0;
        loop {
            at = self.skip(at);
            match self.step(at) {
                Step::Message(from, to, next) => {
                    self.looked = 0;
                    tell(self.buffer.get(from..to).unwrap_or_default(), out);
                    at = next;
                }
                Step::Refused(skip) => {
                    self.refused += 1;
                    self.looked = 0;
                    self.skip = skip;
                }
                Step::More => break,
            }
        }
        self.buffer.drain(..at.min(self.buffer.len()));
    }

    /// The connection has ended: a line without its end is a message, a part of a counted one is not.
    pub fn finish(&mut self, out: &mut Events) {
        if self.skip == Skip::Nothing && !self.buffer.is_empty() {
            if count(&self.buffer).is_some() {
                self.refused += 1;
            } else {
                tell(&self.buffer, out);
            }
        }
        *self = Self { refused: self.refused, ..Self::default() };
    }

    /// How many messages were refused since it was asked last: too long, or cut off.
    pub fn take_refused(&mut self) -> u64 {
        std::mem::take(&mut self.refused)
    }

    /// Goes over what is not wanted.
    fn skip(&mut self, at: usize) -> usize {
        let rest = self.buffer.get(at..).unwrap_or_default();
        match self.skip {
            Skip::Nothing => at,
            Skip::Bytes(bytes) => {
                let here = bytes.min(rest.len());
                self.skip = if here < bytes { Skip::Bytes(bytes - here) } else { Skip::Nothing };
                at + here
            }
            Skip::Line => match memchr::memchr(b'\n', rest) {
                Some(place) => {
                    self.skip = Skip::Nothing;
                    at + place + 1
                }
                None => self.buffer.len(),
            },
        }
    }

    fn step(&mut self, at: usize) -> Step {
        let rest = self.buffer.get(at..).unwrap_or_default();
        if rest.is_empty() || self.skip != Skip::Nothing {
            return Step::More;
        }
        match count(rest) {
            Some(Counted { digits, length }) if length > EVENT_BYTES => {
                Step::Refused(Skip::Bytes(digits + length))
            }
            Some(Counted { digits, length }) if rest.len() >= digits + length => {
                Step::Message(at + digits, at + digits + length, at + digits + length)
            }
            Some(_) => Step::More,
            None if may_become_count(rest) => Step::More,
            None => self.line(at),
        }
    }

    fn line(&mut self, at: usize) -> Step {
        let rest = self.buffer.get(at..).unwrap_or_default();
        match memchr::memchr(b'\n', rest.get(self.looked..).unwrap_or_default()) {
            Some(place) if self.looked + place <= EVENT_BYTES => {
                let end = at + self.looked + place;
                Step::Message(at, end, end + 1)
            }
            None if rest.len() <= EVENT_BYTES => {
                self.looked = rest.len();
                Step::More
            }
            _ => Step::Refused(Skip::Line),
        }
    }
}

struct Counted {
    /// The bytes of the count and its blank.
    digits: usize,
    length: usize,
}

fn count(rest: &[u8]) -> Option<Counted> {
    let digits = rest.iter().take(DIGITS).take_while(|byte| byte.is_ascii_digit()).count();
    let number = std::str::from_utf8(rest.get(..digits)?).ok()?;
    if number.starts_with('0') || rest.get(digits) != Some(&b' ') || rest.get(digits + 1) != Some(&b'<') {
        return None;
    }
    Some(Counted { digits: digits + 1, length: number.parse().ok()? })
}

/// Whether the next bytes could make this a count.
fn may_become_count(rest: &[u8]) -> bool {
    let digits = rest.iter().take(DIGITS).take_while(|byte| byte.is_ascii_digit()).count();
    let behind = rest.get(digits..).unwrap_or_default();
    digits > 0 && matches!(behind, [] | [b' ']) && rest.first() != Some(&b'0')
}

/// Line ends and the NUL that some senders add are not part of the message; an empty one is none.
fn tell(message: &[u8], out: &mut Events) {
    let end = message.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r' | 0)).map_or(0, |last| last + 1);
    if end > 0 {
        out.push(message.get(..end).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(chunks: &[&[u8]]) -> (Vec<String>, u64) {
        let (mut framing, mut out) = (SyslogFramer::default(), Events::default());
        for chunk in chunks {
            framing.push(chunk, &mut out);
        }
        framing.finish(&mut out);
        (
            out.iter().map(|event| String::from_utf8_lossy(event).into_owned()).collect(),
            framing.take_refused(),
        )
    }

    #[test]
    fn both_framings_on_one_connection_however_they_are_cut() {
        let bytes =
            b"<1>line\n7 <2>abc\n6 <3>abc8 <4>a\nbcd<5>end\r\n\n2026-11-22 no head\n12 eggs\n<6>unended";
        let want = [
            "<1>line",
            "<2>abc",
            "<3>abc",
            "<4>a\nbcd",
            "<5>end",
            "2026-11-22 no head",
            "12 eggs",
            "<6>unended",
        ];
        assert_eq!(messages(&[bytes]), (want.map(String::from).to_vec(), 0));
        for size in 1..bytes.len() {
            let chunks: Vec<&[u8]> = bytes.chunks(size).collect();
            assert_eq!(messages(&chunks).0, want, "{size}");
        }
    }

    #[test]
    fn what_is_too_long_is_refused_and_the_next_is_read() {
        let long = vec![b'x'; EVENT_BYTES + 1];
        let counted = format!("{} <", EVENT_BYTES + 2);
        assert_eq!(messages(&[b"<1>", &long, b"\n<2>b\n"]), (vec!["<2>b".into()], 1));
        assert_eq!(messages(&[counted.as_bytes(), &long, b"<3>c\n"]), (vec!["<3>c".into()], 1));
        assert_eq!(messages(&[b"<1>a\n9 <2>cut"]), (vec!["<1>a".into()], 1));
        assert_eq!(messages(&[b"99999999 <1>a\n"]), (vec!["99999999 <1>a".into()], 0));
        assert_eq!(messages(&[b"0 <1>a\n\0\n"]), (vec!["0 <1>a".into()], 0));
    }
}
