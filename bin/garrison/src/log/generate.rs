//! `garrison log generate`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use garrison_base::Exit;
use jiff::tz::Offset;
use serde::Serialize;

use super::Story;
use super::shop::{self, Attack, Day, Line};
use crate::cli::LogGenerateArgs;
use crate::output::{Column, Format, Printer, Row};

/// A generated line, for programs.
#[derive(Serialize)]
struct Generated {
    time: String,
    host: &'static str,
    log: &'static str,
    line: String,
}

impl Row for Generated {
    const COLUMNS: &'static [Column] =
        &[Column::new("TIME", 20), Column::new("HOST", 10), Column::new("LOG", 15), Column::new("LINE", 1)];

    fn cells(&self) -> Vec<String> {
        vec![self.time.clone(), self.host.to_owned(), self.log.to_owned(), self.line.clone()]
    }
}

/// A file that was written.
#[derive(Serialize)]
struct Written {
    file: String,
    lines: u64,
}

impl Row for Written {
    const COLUMNS: &'static [Column] = &[Column::new("FILE", 40), Column::new("LINES", 1)];

    fn cells(&self) -> Vec<String> {
        vec![self.file.clone(), self.lines.to_string()]
    }
}

pub fn run(args: &LogGenerateArgs) -> anyhow::Result<Exit> {
    let start = Offset::UTC.to_timestamp(args.date.at(0, 0, 0, 0)).context("the date is out of range")?;
    let attacks = args.attack.then(|| Attack::of_day(start)).into_iter().collect();
    let day = Day { start, events: args.events, seed: args.seed, attacks };
    let Story::Shop = args.story;
    match &args.out {
        Some(dir) => into_files(&day, dir, args.output.output)?,
        None if args.output.output == Format::Table => {
            // Logs are lines already; a head and columns would only be in the way of what reads them.
            let mut out = BufWriter::new(std::io::stdout().lock());
            shop::tell(&day, |line| writeln!(out, "{}", line.text))?;
            out.flush()?;
        }
        None => {
            let mut printer = Printer::stdout(args.output.output);
            shop::tell(&day, |Line { at, host, log, text }| {
                printer.row(&Generated { time: at.to_string(), host, log, line: text })
            })?;
            printer.finish::<Generated>()?;
        }
    }
    Ok(Exit::Ok)
}

fn into_files(day: &Day, dir: &Path, format: Format) -> anyhow::Result<()> {
    let mut files: BTreeMap<PathBuf, (BufWriter<File>, u64)> = BTreeMap::new();
    shop::tell(day, |line| {
        let path = dir.join(line.host).join(line.log);
        if !files.contains_key(&path) {
            files.insert(path.clone(), (create(&path)?, 0));
        }
        if let Some((file, lines)) = files.get_mut(&path) {
            writeln!(file, "{}", line.text).with_context(|| format!("writing {}", path.display()))?;
            *lines += 1;
        }
        anyhow::Ok(())
    })?;
    let mut printer = Printer::stdout(format);
    for (path, (mut file, lines)) in files {
        file.flush().with_context(|| format!("writing {}", path.display()))?;
        printer.row(&Written { file: path.display().to_string(), lines })?;
    }
    Ok(printer.finish::<Written>()?)
}

fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let making = || format!("making {}", path.display());
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).with_context(making)?;
    Ok(BufWriter::new(File::create(path).with_context(making)?))
}
