//! Answers that come line by line for as long as it takes, and bodies that are no JSON.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value as Json;
use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body};

use super::{Wire, broke, is_untrusted};
use crate::client::failure::Failure;
use crate::client::interrupt::{Interrupt, LOOK};

/// No line is longer: the longest event with all its fields, each byte escaped.
const LINE_BYTES: usize = 64 << 20;

/// Bytes that are read at a time.
const CHUNK: usize = 256 << 10;

/// Chunks that may wait to be printed.
const WAITING: usize = 8;

/// What says why something was refused is not longer.
const PROBLEM_BYTES: u64 = 1 << 20;

/// For sending a piece and its answer, which comes when the events are on the server's disk.
const SENDING: Duration = Duration::from_mins(2);

/// How long to wait at most where the server says when to come again.
const LONGEST_WAIT: u64 = 60;

/// What came next of an answer.
pub enum Next {
    /// Whole lines, each with its line end.
    Lines(Vec<u8>),
    /// Nothing more: the server has ended it.
    End,
    /// The connection broke, for this reason.
    Broke(String),
    /// Ctrl-C was pressed.
    Interrupted,
}

/// What became of bytes that were sent.
pub enum Sent {
    /// They were taken.
    Done(Json),
    /// Nothing of them was: they may be sent again after this time.
    Later(Duration, Failure),
}

/// An answer that comes line by line. A thread of its own reads it, so that Ctrl-C is noticed at once.
pub struct Lines {
    heard: Receiver<Heard>,
    interrupt: Interrupt,
}

enum Heard {
    Lines(Vec<u8>),
    Refused(anyhow::Error),
    Broke(String),
}

impl Lines {
    /// Waits for more. A refusal is an error.
    pub fn hear(&self) -> anyhow::Result<Next> {
        loop {
            if self.interrupt.happened() {
                return Ok(Next::Interrupted);
            }
            match self.heard.recv_timeout(LOOK) {
                Ok(Heard::Lines(lines)) => return Ok(Next::Lines(lines)),
                Ok(Heard::Refused(error)) => return Err(error),
                Ok(Heard::Broke(why)) => return Ok(Next::Broke(why)),
                Err(RecvTimeoutError::Disconnected) => return Ok(Next::End),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

/// A question whose answer comes line by line.
struct Asked {
    agent: Agent,
    url: String,
    server: String,
    bearer: Option<String>,
    body: Vec<u8>,
    patience: Duration,
}

impl Wire {
    /// Asks for lines. The answer may last as long as it likes; only a silence of `patience` breaks it off.
    pub fn lines(
        &self,
        path: &str,
        body: &Json,
        patience: Duration,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Lines> {
        let asked = Asked {
            agent: self.agent.clone(),
            url: self.url(path, &[]),
            server: self.address.as_str().to_owned(),
            bearer: self.bearer(),
            body: serde_json::to_vec(body)?,
            patience,
        };
        let (tell, heard) = sync_channel(WAITING);
        let reader = thread::Builder::new().name("answer".to_owned());
        reader.spawn(move || asked.run(&tell)).context("starting to read the answer")?;
        Ok(Lines { heard, interrupt: interrupt.clone() })
    }

    /// Sends bytes as they are, once: nobody knows what became of them where the connection breaks.
    pub fn post(&self, path: &str, bytes: &[u8], encoding: Option<&str>) -> anyhow::Result<Sent> {
        let url = self.url(path, &[]);
        let post = self.agent.post(&url).config().timeout_global(Some(SENDING)).build();
        let mut post = post.header("content-type", "text/plain; charset=utf-8");
        if let Some(encoding) = encoding {
            post = post.header("content-encoding", encoding);
        }
        if let Some(bearer) = self.bearer() {
            post = post.header("authorization", bearer);
        }
        let unanswered = |error| unanswered(&error, self.address.as_str());
        let mut answer = post.send(bytes).map_err(unanswered)?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().with_config().limit(PROBLEM_BYTES).read_to_string();
        let text = text.map_err(unanswered)?;
        match status {
            200..300 => {
                let taken = serde_json::from_str(&text);
                Ok(Sent::Done(taken.with_context(|| format!("{url} answers what no Garrison does"))?))
            }
            429 | 503 => Ok(Sent::Later(pause(answer.headers()), Failure::answered(status, &text, &url))),
            _ => Err(Failure::answered(status, &text, &url).into()),
        }
    }

    /// Asks for a file of at most so many bytes, whole. `patience` is for all of it.
    pub fn file(
        &self,
        (path, query): (&str, &[(&str, &str)]),
        most: usize,
        patience: Duration,
    ) -> anyhow::Result<Vec<u8>> {
        let url = self.url(path, query);
        let get = self.agent.get(&url).config().timeout_global(Some(patience)).build();
        let get = self.bearer().into_iter().fold(get, |get, bearer| get.header("authorization", bearer));
        let unanswered = |error| unanswered(&error, self.address.as_str());
        let mut answer = get.call().map_err(unanswered)?;
        let status = answer.status().as_u16();
        if (200..300).contains(&status) {
            let most = u64::try_from(most).unwrap_or(u64::MAX);
            return Ok(answer.body_mut().with_config().limit(most).read_to_vec().map_err(unanswered)?);
        }
        let text = answer.body_mut().with_config().limit(PROBLEM_BYTES).read_to_string();
        Err(Failure::answered(status, &text.map_err(unanswered)?, &url).into())
    }

    fn bearer(&self) -> Option<String> {
        self.secret.as_ref().map(|secret| format!("Bearer {secret}"))
    }
}

impl Asked {
    fn run(&self, tell: &SyncSender<Heard>) {
        // Whoever has stopped listening need not be told.
        let _ = match self.answer() {
            Ok(body) => match bring(body.into_reader(), tell) {
                Ok(()) => return,
                Err(error) => tell.send(Heard::Broke(error.to_string())),
            },
            Err(error) => tell.send(Heard::Refused(error)),
        };
    }

    fn answer(&self) -> anyhow::Result<Body> {
        let answer = match self.attempt() {
            Err(error) if broke(&error) => self.attempt(),
            first => first,
        };
        let unanswered = |error| unanswered(&error, &self.server);
        let mut answer = answer.map_err(unanswered)?;
        let status = answer.status().as_u16();
        if (200..300).contains(&status) {
            return Ok(answer.into_body());
        }
        let text = answer.body_mut().with_config().limit(PROBLEM_BYTES).read_to_string();
        Err(Failure::answered(status, &text.map_err(unanswered)?, &self.url).into())
    }

    fn attempt(&self) -> Result<Response<Body>, ureq::Error> {
        let post = self.agent.post(&self.url).config();
        let post = post.timeout_global(None).timeout_per_read(Some(self.patience)).build();
        let mut post = post.header("content-type", "application/json");
        if let Some(bearer) = &self.bearer {
            post = post.header("authorization", bearer);
        }
        post.send(self.body.as_slice())
    }
}

fn unanswered(error: &ureq::Error, server: &str) -> Failure {
    if is_untrusted(error) {
        let words = "its certificate comes from an authority that is not trusted; `garrison login` tells \
                     which, and asks whether to trust it";
        return Failure::new(garrison_base::Exit::Failed, format!("{server}: {words}"));
    }
    Failure::unanswered(error, server)
}

/// How long the server wants one to wait (RFC 9110, section 10.2.3, in seconds); a second where it does not say.
fn pause(headers: &HeaderMap) -> Duration {
    let seconds = headers.get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Duration::from_secs(seconds.unwrap_or(1).clamp(1, LONGEST_WAIT))
}

/// Hands over what comes, cut at line ends.
fn bring(mut body: impl Read, tell: &SyncSender<Heard>) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    let mut begun = Vec::new();
    loop {
        let length = match body.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            length => length?,
        };
        if length == 0 {
            return if begun.is_empty() { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
        let read = chunk.get(..length).unwrap_or_default();
        let Some(end) = last_line_end(read) else {
            begun.extend_from_slice(read);
            if begun.len() > LINE_BYTES {
                return Err(io::Error::other("a line of the answer has no end"));
            }
            continue;
        };
        let (whole, rest) = read.split_at(end + 1);
        begun.extend_from_slice(whole);
        if tell.send(Heard::Lines(std::mem::replace(&mut begun, rest.to_vec()))).is_err() {
            return Ok(());
        }
    }
}

fn last_line_end(bytes: &[u8]) -> Option<usize> {
    bytes.iter().rposition(|byte| *byte == b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives what it has in parts of this size.
    struct Parts<'b>(&'b [u8], usize);

    impl Read for Parts<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.0.len().min(self.1).min(buffer.len());
            self.0.read(buffer.get_mut(..length).unwrap_or_default())
        }
    }

    fn brought(text: &str, size: usize) -> (Vec<String>, bool) {
        let (tell, heard) = sync_channel(1_000);
        let whole = bring(Parts(text.as_bytes(), size), &tell).is_ok();
        drop(tell);
        let lines = heard.iter().map(|heard| match heard {
            Heard::Lines(lines) => String::from_utf8(lines).unwrap(),
            _ => panic!("nothing else is told"),
        });
        (lines.collect(), whole)
    }

    #[test]
    fn only_whole_lines_are_handed_over() {
        let text = "{\"a\":1}\n\n{\"b\":2}\n";
        for size in 1..=text.len() {
            let (lines, whole) = brought(text, size);
            assert!(whole && lines.iter().all(|line| line.ends_with('\n')), "{size}: {lines:?}");
            assert_eq!(lines.concat(), text, "{size}");
        }
        assert_eq!(brought("{\"a\":1}\n{\"b\"", 4), (vec!["{\"a\":1}\n".to_owned()], false));
        assert_eq!(brought("", 4), (vec![], true));
    }

    #[test]
    fn the_server_says_how_long_to_wait() {
        let of = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", value.parse().unwrap());
            pause(&headers).as_secs()
        };
        assert_eq!((of("7"), of("0"), of("86400"), of("soon")), (7, 1, 60, 1));
        assert_eq!(pause(&HeaderMap::new()).as_secs(), 1);
    }
}
