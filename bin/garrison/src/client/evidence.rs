//! `garrison evidence`: records with their proofs in one file.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use garrison_base::{Clock as _, Exit, SystemClock};
use garrison_decode::time::Guess;
use garrison_evidence::{MOST_BYTES, Refused, Verified};
use garrison_transparency::Verifier;
use jiff::tz::Offset;
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::cli::client::{EvidenceCommand, EvidencePackArgs, EvidenceVerifyArgs};
use crate::client::failure::Failure;
use crate::client::{Client, row};
use crate::hunt::time::When;
use crate::output::{Column, Row};
use crate::say;

/// For the server to look through the record, prove what fits, and send it.
const PATIENCE: Duration = Duration::from_mins(5);

/// `garrison evidence`
pub fn run(command: &EvidenceCommand) -> anyhow::Result<Exit> {
    match command {
        EvidenceCommand::Pack(args) => pack(args),
        EvidenceCommand::Verify(args) => verify(args),
    }
}

fn pack(args: &EvidencePackArgs) -> anyhow::Result<Exit> {
    let client = Client::open(&args.client)?;
    let (from, to) = (moment(args.from.as_ref())?, moment(args.to.as_ref())?);
    let after = args.after.map(|seq| seq.to_string());
    let asked = [
        ("query", args.query.as_deref()),
        ("from", from.as_deref()),
        ("to", to.as_deref()),
        ("after", after.as_deref()),
    ];
    let asked: Vec<_> = asked.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let file = client.wire.file(("evidence", asked.as_slice()), MOST_BYTES, PATIENCE)?;
    let verified = garrison_evidence::verify(&file, None)
        .map_err(|refused| anyhow!("the server's pack does not hold, and is not written: {refused}"))?;
    write(&args.out, &file)?;
    row::print(client.format, &Told::of(&verified))?;
    say!("Check it, also on a machine without Garrison's data:");
    say!("  garrison evidence verify {} --key '{}'", args.out.display(), verified.key);
    let Some(next) = verified.manifest.next else { return Ok(Exit::Ok) };
    say!("the pack is full and there may be more records; go on with --after {next} and another file");
    Ok(Exit::Partial)
}

/// A time as the server takes it.
fn moment(when: Option<&When>) -> anyhow::Result<Option<String>> {
    let now = Guess { latest: SystemClock.now(), zone: Offset::UTC };
    let Some(when) = when else { return Ok(None) };
    let moment = when.moment(&now).ok_or_else(|| Failure::usage("a time is out of range"))?;
    Ok(Some(moment.to_string()))
}

/// Puts the file in its place, whole; for its owner only, since records tell of people.
fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let writing = || format!("writing {}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut part = NamedTempFile::new_in(folder).with_context(writing)?;
    part.write_all(bytes).and_then(|()| part.as_file().sync_all()).with_context(writing)?;
    part.persist(path).map_err(|error| error.error).with_context(writing)?;
    Ok(())
}

fn verify(args: &EvidenceVerifyArgs) -> anyhow::Result<Exit> {
    let key = args.key.as_deref().map(Verifier::parse).transpose();
    let key = key.map_err(|error| Failure::usage(format!("the public key of the log: {error}")))?;
    let verified = garrison_evidence::verify(&read(&args.file)?, key.as_ref());
    let told = verified.as_ref().map_or_else(Told::wrong, Told::of);
    row::print(args.output.output, &told)?;
    let Ok(verified) = verified else { return Ok(Exit::Found) };
    if key.is_none() {
        say!(
            "the key came with the pack, so anybody can have made it: compare the key with the one that the owner of the log gave you"
        );
        say!("  {}", verified.key);
    }
    Ok(Exit::Ok)
}

/// The file, and a byte more where it is longer than a pack.
fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let reading = || format!("reading {}", path.display());
    let mut bytes = Vec::new();
    let most = u64::try_from(MOST_BYTES)?.saturating_add(1);
    File::open(path).with_context(reading)?.take(most).read_to_end(&mut bytes).with_context(reading)?;
    Ok(bytes)
}

/// What a pack holds, or where it is wrong.
#[derive(Default, Serialize)]
struct Told {
    holds: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    complete: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    made_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    made: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Told {
    fn of(verified: &Verified) -> Self {
        let manifest = &verified.manifest;
        Self {
            holds: true,
            records: Some(manifest.records),
            of: Some(verified.checkpoint.size),
            complete: Some(manifest.complete),
            sealed: verified.sealed().map(str::to_owned),
            key: Some(verified.key.to_string()),
            query: Some(manifest.asked.query.clone()),
            made_by: Some(manifest.made.by.clone()),
            made: Some(manifest.made.at.clone()),
            place: None,
            why: None,
        }
    }

    fn wrong(refused: &Refused) -> Self {
        Self { place: Some(refused.place.clone()), why: Some(refused.what.clone()), ..Self::default() }
    }
}

impl Row for Told {
    const COLUMNS: &'static [Column] = &[
        Column::whole("HOLDS", 5),
        Column::whole("RECORDS", 7),
        Column::whole("OF", 6),
        Column::whole("COMPLETE", 8),
        Column::whole("SEALED", 20),
        Column::new("MADE BY", 14),
        Column::whole("MADE", 20),
        Column::new("QUERY", 30),
        Column::whole("PLACE", 20),
        Column::new("WHY NOT", 60),
    ];

    fn cells(&self) -> Vec<String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let complete = self.complete.map(|complete| if complete { "yes" } else { "NO" });
        vec![
            if self.holds { "yes" } else { "NO" }.to_owned(),
            self.records.map(|count| count.to_string()).unwrap_or_default(),
            self.of.map(|count| count.to_string()).unwrap_or_default(),
            complete.unwrap_or_default().to_owned(),
            text(&self.sealed),
            text(&self.made_by),
            text(&self.made),
            text(&self.query),
            text(&self.place),
            text(&self.why),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_whole_for_its_owner_and_takes_the_place_of_an_earlier_one() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pack.zip");
        for bytes in [b"before".as_slice(), b"after"] {
            write(&path, bytes).unwrap();
            assert_eq!(read(&path).unwrap(), bytes);
        }
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(write(&dir.path().join("none/pack.zip"), b"x").is_err());
    }
}
