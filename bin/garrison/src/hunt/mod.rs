//! `garrison hunt`: find attacks in log files.
//!
//! Every file has one worker and one bounded channel; the channels are emptied in the order of the files.
//! So the output has a fixed order, a finding is printed as soon as its turn comes, and memory stays
//! bounded: a worker that is far ahead waits.

mod finding;
mod reader;
mod summary;
pub mod time;
mod worker;

use std::io::{IsTerminal as _, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvError, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use garrison_base::{Clock, Exit};
use garrison_decode::Format as LogFormat;
use garrison_decode::time::Guess;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use walkdir::WalkDir;

use crate::cli::HuntArgs;
use crate::output::{Format, Printer, counted};
use crate::rule::load;
use crate::say;
use finding::Finding;
use summary::Summary;
use worker::{Hunt, Input, Report, Tally, Trouble};

/// Findings that may wait to be printed, for each file.
const WAITING: usize = 64;

pub fn run(args: &HuntArgs, clock: &dyn Clock) -> anyhow::Result<Exit> {
    let rules = load::rule_set(&args.rules, args.level)?;
    let now = Guess { latest: clock.now(), zone: args.zone.0 };
    let moment = |when: &Option<time::When>| when.as_ref().and_then(|when| when.moment(&now));
    if let (Some(from), Some(to)) = (moment(&args.from), moment(&args.to))
        && from >= to
    {
        say!("--from must be before --to: {from} is not before {to}");
        return Ok(Exit::Usage);
    }
    let (stopped, progress) = (AtomicBool::new(false), AtomicU64::new(0));
    let hunt = Hunt {
        rules: &rules,
        ungated: args.ungated,
        from: moment(&args.from),
        to: moment(&args.to),
        zone: args.zone.0,
        clock,
        stopped: &stopped,
        progress: &progress,
    };
    let (inputs, missing) = inputs(&args.inputs);
    let printer = Printer::stdout(args.output.output);
    let mut desk = Desk {
        printer,
        summary: Summary::default(),
        tally: Tally::default(),
        troubles: 0,
        bar: bar(&inputs),
    };
    for trouble in &missing {
        desk.trouble(trouble);
    }
    let done = work(&hunt, &inputs, args.threads, &mut desk);
    desk.bar.finish_and_clear();
    let Desk { printer, summary, tally, troubles, .. } = desk;
    done.and_then(|()| printer.finish::<Finding>()).context("printing findings")?;
    let table_on_terminal = args.output.output == Format::Table && std::io::stdout().is_terminal();
    if args.summary || table_on_terminal {
        summary.print();
    }
    last_words(&summary, &tally, inputs.len(), troubles);
    Ok(match (troubles, summary.findings) {
        (0, 0) => Exit::Ok,
        (0, _) => Exit::Found,
        _ => Exit::Failed,
    })
}

/// The files to read, in order: those of folders by name. Folders that cannot be read are troubles.
fn inputs(paths: &[PathBuf]) -> (Vec<Input>, Vec<Trouble>) {
    let (mut inputs, mut troubles) = (Vec::new(), Vec::new());
    for path in paths {
        if !path.is_dir() {
            inputs.push(Input { path: path.clone(), named: true });
            continue;
        }
        for entry in WalkDir::new(path).follow_links(true).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_file() => {
                    inputs.push(Input { path: entry.into_path(), named: false });
                }
                Ok(_) => {}
                Err(error) => {
                    let file = error.path().unwrap_or(path).to_string_lossy().into();
                    let reason = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                    troubles.push(Trouble { file, line: None, reason, skipped: false });
                }
            }
        }
    }
    (inputs, troubles)
}

/// Reads all files and hands their reports to the desk, file by file.
fn work<W: Write>(
    hunt: &Hunt<'_>,
    inputs: &[Input],
    threads: Option<u16>,
    desk: &mut Desk<W>,
) -> std::io::Result<()> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.map_or(processors, usize::from).min(inputs.len());
    let (senders, receivers): (Vec<_>, Vec<Receiver<Report>>) =
        inputs.iter().map(|_| sync_channel(WAITING)).unzip();
    let senders: Vec<Mutex<Option<SyncSender<Report>>>> =
        senders.into_iter().map(|sender| Mutex::new(Some(sender))).collect();
    let next = AtomicUsize::new(0);
    let worker = || {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let (Some(input), Some(sender)) = (inputs.get(place), senders.get(place)) else { return };
            // Taken out, so that the channel closes when the worker is done with the file.
            let sender = sender.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(sender) = sender.filter(|_| !hunt.stopped.load(Ordering::Relaxed)) {
                // A defect that one file brings to light must not cost the others, nor leave the desk waiting.
                if catch_unwind(AssertUnwindSafe(|| worker::read(hunt, input, &sender))).is_err() {
                    let file = input.path.to_string_lossy().into();
                    let reason = "a defect in Garrison ended the reading of this file".to_owned();
                    let _ =
                        sender.send(Report::Trouble(Trouble { file, line: None, reason, skipped: false }));
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(worker);
        }
        let mut done = Ok(());
        for receiver in receivers {
            // What is printed becomes visible before we wait for more.
            let next = |desk: &mut Desk<W>| {
                receiver
                    .try_recv()
                    .or_else(|_| desk.printer.flush().map_or(Err(RecvError), |()| receiver.recv()))
            };
            while let Ok(report) = next(desk) {
                if done.is_ok() {
                    done = desk.take(&report);
                    desk.bar.set_position(hunt.progress.load(Ordering::Relaxed));
                }
                if done.is_err() {
                    hunt.stopped.store(true, Ordering::Relaxed);
                }
            }
        }
        done
    })
}

/// Where reports end: printed and counted.
struct Desk<W: Write> {
    printer: Printer<W>,
    summary: Summary,
    tally: Tally,
    troubles: u64,
    bar: ProgressBar,
}

impl<W: Write> Desk<W> {
    fn take(&mut self, report: &Report) -> std::io::Result<()> {
        match report {
            Report::Finding(finding) => {
                self.summary.add(finding);
                self.bar.suspend(|| self.printer.row(finding.as_ref()))?;
            }
            Report::Trouble(trouble) => self.trouble(trouble),
            Report::Done(tally) => self.tally.add(tally),
        }
        Ok(())
    }

    fn trouble(&mut self, trouble: &Trouble) {
        let Trouble { file, line, reason, skipped } = trouble;
        let line = line.map(|line| format!(":{line}")).unwrap_or_default();
        let skip = if *skipped { "skipped: " } else { "" };
        self.bar.suspend(|| say!("{file}{line}: {skip}{reason}"));
        self.troubles += u64::from(!skipped);
    }
}

fn bar(inputs: &[Input]) -> ProgressBar {
    let size = |input: &Input| std::fs::metadata(&input.path).map_or(0, |metadata| metadata.len());
    let bar = ProgressBar::with_draw_target(
        Some(inputs.iter().map(size).sum()),
        ProgressDrawTarget::stderr_with_hz(5),
    );
    let style =
        ProgressStyle::with_template("{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

fn last_words(summary: &Summary, tally: &Tally, files: usize, troubles: u64) {
    let mut words = format!(
        "{} of {} in {} of {}",
        counted(summary.findings, "finding"),
        counted(summary.rules() as u64, "rule"),
        counted(tally.events, "event"),
        counted(files as u64, "file"),
    );
    let raw = tally.formats.get(&LogFormat::Raw).copied().unwrap_or_default();
    for (count, what) in [
        (raw, "not understood and judged as plain text"),
        (tally.not_utf8, "not UTF-8"),
        (tally.without_time, "without a time and left out"),
        (troubles, "could not be read in full"),
    ] {
        if count > 0 {
            words += &format!("; {count} {what}");
        }
    }
    say!("{words}");
}
