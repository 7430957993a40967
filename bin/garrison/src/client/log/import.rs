//! `garrison log import`: files of logs, piece by piece, to a source.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use flate2::read::MultiGzDecoder;
use garrison_base::Exit;
use garrison_decode::{Frame, Framer, evtx};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value as Json, json};

use crate::cli::client::LogImportArgs;
use crate::client::Client;
use crate::client::failure::Failure;
use crate::client::interrupt::Interrupt;
use crate::client::row::{self, rows};
use crate::client::wire::{Sent, encoded};
use crate::output::counted;
use crate::say;

/// Bytes of a piece at most: a third of what the server takes at once.
const PIECE: usize = 4 << 20;

/// Bytes that are read at a time.
const CHUNK: usize = 256 << 10;

/// Pieces that are smaller travel as they are.
const SMALL: usize = 1 << 10;

/// The level of zstd: most of what can be gained, at the speed of a disk.
const LEVEL: i32 = 3;

/// How often a piece is sent again that the server cannot take just now.
const AGAIN: u32 = 10;

rows! {
    /// What became of the events.
    Imported { "SOURCE" 20 "/source" "ACCEPTED" 10 "/accepted" "REFUSED" 7 "/refused" }
}

/// `garrison log import`
pub fn run(args: &LogImportArgs) -> anyhow::Result<Exit> {
    let client = Client::open(&args.client)?;
    let mut post = Post {
        path: format!("intake/{}", encoded(&args.source)),
        interrupt: Interrupt::catch()?,
        bar: bar(&args.files),
        accepted: 0,
        refused: 0,
        client,
    };
    let done = args.files.iter().try_for_each(|file| post.file(file));
    post.bar.finish_and_clear();
    let Post { client, accepted, refused, .. } = post;
    if done.is_ok() || accepted + refused > 0 {
        let counts = json!({ "source": args.source, "accepted": accepted, "refused": refused });
        row::print(client.format, &Imported::from(counts))?;
    }
    done?;
    if refused > 0 {
        say!("{} longer than 1 MiB: such events are not taken", counted(refused, "event"));
        return Ok(Exit::Partial);
    }
    Ok(Exit::Ok)
}

fn bar(files: &[PathBuf]) -> ProgressBar {
    let size = |path: &PathBuf| fs::metadata(path).map_or(0, |metadata| metadata.len());
    let target = ProgressDrawTarget::stderr_with_hz(5);
    let bar = ProgressBar::with_draw_target(Some(files.iter().map(size).sum()), target);
    let style =
        ProgressStyle::with_template("{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left");
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Whole events, as many as travel at once.
#[derive(Default)]
struct Piece {
    bytes: Vec<u8>,
    /// The line of the file on which it begins, from 1.
    line: u64,
}

/// Gathers events into pieces.
#[derive(Default)]
struct Pieces {
    ready: Vec<Piece>,
    open: Piece,
    long: u64,
}

impl Pieces {
    fn add(&mut self, frame: Frame<'_>) {
        if frame.cut {
            self.long += 1;
            return;
        }
        if self.open.bytes.len() + frame.bytes.len() >= PIECE {
            self.ready.push(std::mem::take(&mut self.open));
        }
        if self.open.bytes.is_empty() {
            self.open.line = frame.line;
        }
        self.open.bytes.extend_from_slice(frame.bytes);
        self.open.bytes.push(b'\n');
    }

    fn take(&mut self, last: bool) -> Vec<Piece> {
        if last && !self.open.bytes.is_empty() {
            self.ready.push(std::mem::take(&mut self.open));
        }
        std::mem::take(&mut self.ready)
    }
}

/// Sends pieces, and counts.
struct Post {
    client: Client,
    path: String,
    interrupt: Interrupt,
    bar: ProgressBar,
    accepted: u64,
    refused: u64,
}

impl Post {
    fn file(&mut self, path: &Path) -> anyhow::Result<()> {
        let reading = || format!("reading {}", path.display());
        let mut reader = open(path, &self.bar).with_context(reading)?;
        let (mut framer, mut pieces) = (Framer::default(), Pieces::default());
        let mut chunk = vec![0; CHUNK];
        let mut first = true;
        loop {
            let length = match reader.read(&mut chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    self.interrupt.check()?;
                    continue;
                }
                length => length.with_context(reading)?,
            };
            let read = chunk.get(..length).unwrap_or_default();
            if std::mem::take(&mut first) && read.starts_with(evtx::MAGIC) {
                let words = "a Windows event file is not sent: `garrison hunt` reads it";
                return Err(Failure::usage(format!("{}: {words}", path.display())).into());
            }
            if length == 0 {
                framer.finish(&mut |frame| pieces.add(frame));
            } else {
                framer.push(read, &mut |frame| pieces.add(frame));
            }
            for piece in pieces.take(length == 0) {
                self.piece(&piece).with_context(|| {
                    let before = counted(self.accepted, "event");
                    format!("{}, from line {} on ({before} taken before)", path.display(), piece.line)
                })?;
            }
            if length == 0 {
                self.refused += pieces.long;
                return Ok(());
            }
        }
    }

    fn piece(&mut self, piece: &Piece) -> anyhow::Result<()> {
        let packed = (piece.bytes.len() >= SMALL).then(|| zstd::encode_all(piece.bytes.as_slice(), LEVEL));
        let packed = packed.transpose().context("packing")?;
        let (bytes, encoding) = match &packed {
            Some(packed) => (packed, Some("zstd")),
            None => (&piece.bytes, None),
        };
        let mut tries = 0;
        loop {
            self.interrupt.check()?;
            match self.client.wire.post(&self.path, bytes, encoding)? {
                Sent::Done(taken) => {
                    let count = |name: &str| taken.get(name).and_then(Json::as_u64).unwrap_or_default();
                    self.accepted += count("accepted");
                    self.refused += count("refused");
                    return Ok(());
                }
                Sent::Later(_, why) if tries == AGAIN => return Err(why.into()),
                Sent::Later(pause, why) => {
                    tries += 1;
                    // A source with a limit makes one wait again and again: once for each piece is enough.
                    if tries == 1 {
                        self.bar.suspend(|| say!("waiting, and sending it again: {why}"));
                    }
                    self.interrupt.wait(pause)?;
                }
            }
        }
    }
}

/// Opens a file, or standard input for `-`; what its name says is packed is unpacked.
fn open(path: &Path, bar: &ProgressBar) -> io::Result<Box<dyn Read>> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin()));
    }
    let file = bar.wrap_read(File::open(path)?);
    Ok(match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz" | "gzip") => Box::new(MultiGzDecoder::new(file)),
        Some("zst" | "zstd") => Box::new(zstd::Decoder::new(file)?),
        _ => Box::new(file),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn pieces(text: &str) -> (Vec<Piece>, u64) {
        let (mut framer, mut pieces) = (Framer::default(), Pieces::default());
        let mut cut = Vec::new();
        for chunk in text.as_bytes().chunks(CHUNK) {
            framer.push(chunk, &mut |frame| pieces.add(frame));
            cut.extend(pieces.take(false));
        }
        framer.finish(&mut |frame| pieces.add(frame));
        cut.extend(pieces.take(true));
        (cut, pieces.long)
    }

    #[test]
    fn pieces_hold_whole_events_and_know_their_lines() {
        let line = format!("{}\n", "x".repeat(999));
        let text = line.repeat(10_000);
        let (cut, long) = pieces(&text);
        assert_eq!(long, 0);
        assert!(cut.len() == 3 && cut.iter().all(|piece| piece.bytes.len() <= PIECE));
        assert!(cut.iter().all(|piece| piece.bytes.ends_with(b"\n")));
        assert_eq!(cut.iter().map(|piece| piece.bytes.len()).sum::<usize>(), text.len());
        let lines: Vec<u64> = cut.iter().map(|piece| piece.line).collect();
        assert_eq!(lines, [1, 4_195, 8_389]);
    }

    #[test]
    fn what_is_too_long_is_counted_and_not_sent() {
        let (cut, long) = pieces(&format!("a\n{}\nb\n", "x".repeat(2 << 20)));
        assert_eq!((cut.len(), long), (1, 1));
        assert_eq!(cut[0].bytes, b"a\nb\n");
        assert!(pieces("\n\n").0.is_empty());
    }

    #[test]
    fn files_are_unpacked_by_their_names() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"text").unwrap();
        write("a.log.gz", &gzip.finish().unwrap());
        write("a.log.zst", &zstd::encode_all(&b"text"[..], 1).unwrap());
        write("a.log", b"text");
        for name in ["a.log.gz", "a.log.zst", "a.log"] {
            let mut text = String::new();
            let mut file = open(&dir.path().join(name), &ProgressBar::hidden()).unwrap();
            file.read_to_string(&mut text).unwrap();
            assert_eq!(text, "text", "{name}");
        }
    }
}
