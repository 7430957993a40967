//! The files of logs, beside what the records tell of them.

use std::collections::BTreeMap;
use std::path::Path;

use garrison_base::TenantId;
use garrison_journal::{Archive, Fault, Kind};
use garrison_kernel::{JournalError, Record};
use garrison_lake::{FileEntry, Keyring, Wrong, WrongFile};
use garrison_logs::acts::{DestroyKey, KeptFile};
use indicatif::HumanBytes;

use super::progress;

/// All files that records tell of, by their names.
pub type Told = BTreeMap<String, Account>;

/// What the records tell of a file.
pub struct Account {
    tenant: TenantId,
    file: KeptFile,
    /// It was joined with others, was due, or was destroyed.
    gone: bool,
}

/// What the records tell, from the first to the last.
pub fn told(archive: &Archive) -> Result<Told, JournalError> {
    let mut told = Told::new();
    for record in archive.records() {
        // A record that cannot be read is of no act that lists files.
        if let Ok(record) = serde_json::from_slice::<Record>(&record?.bytes)
            && record.result == "success"
        {
            hear(&mut told, &record);
        }
    }
    Ok(told)
}

fn hear(told: &mut Told, record: &Record) {
    let list =
        |name: &str| record.content.get(name).and_then(serde_json::Value::as_array).into_iter().flatten();
    let files =
        |name: &str| list(name).filter_map(|file| serde_json::from_value::<KeptFile>(file.clone()).ok());
    let account = |file: KeptFile| (file.file.clone(), Account { tenant: record.tenant, file, gone: false });
    let goes = |account: &mut Account| account.gone = true;
    match record.operation.as_str() {
        "log:keep" => told.extend(files("files").map(account)),
        "log:compact" => {
            let old = list("old").filter_map(serde_json::Value::as_str);
            old.for_each(|old| told.get_mut(old).into_iter().for_each(goes));
            told.extend(files("new").map(account));
        }
        "log:expire" => {
            files("files").for_each(|file| told.get_mut(&file.file).into_iter().for_each(goes));
        }
        "key:destroy" => {
            if let Ok(act) = serde_json::from_value::<DestroyKey>(record.content.clone()) {
                let of_tenant = told.values_mut().filter(|account| account.tenant == record.tenant);
                let covered = of_tenant
                    .filter(|account| act.covers(&account.file.stream, account.file.hour.div_euclid(24)));
                covered.for_each(goes);
            }
        }
        _ => {}
    }
}

/// Compares the list with the records, then reads the files of these days again. A server that runs may change the list
/// meanwhile: what differs is looked for in the records as they are `later`.
pub fn check(
    lake: &Path,
    (entries, keys): (&[FileEntry], &dyn Keyring),
    told: &Told,
    wanted: impl Fn(&FileEntry) -> bool,
    later: impl Fn() -> Result<Told, Fault>,
) -> Result<String, Fault> {
    if compare(told, told, entries).is_err() {
        compare(told, &later()?, entries)?;
    }
    let wanted: Vec<&FileEntry> = entries.iter().filter(|&entry| wanted(entry)).collect();
    let bar = progress(wanted.iter().map(|entry| entry.bytes).sum(), "reading {bytes} of {total_bytes}");
    let mut bytes = 0;
    for entry in &wanted {
        match garrison_lake::check(lake, entry, keys) {
            Ok(read) => bytes += read,
            Err(wrong) => {
                // It may have been joined with others, or due, since it was found on the list.
                let gone =
                    wrong.wrong == Wrong::Missing && later()?.get(&entry.id.0).is_some_and(|told| told.gone);
                if !gone {
                    return Err(fault(&wrong));
                }
            }
        }
        bar.inc(entry.bytes);
    }
    bar.finish_and_clear();
    Ok(format!("{} files, {}", wanted.len(), HumanBytes(bytes)))
}

/// The list against the records from before and after it was read.
fn compare(before: &Told, after: &Told, entries: &[FileEntry]) -> Result<(), Fault> {
    let listed: BTreeMap<&str, &FileEntry> =
        entries.iter().map(|entry| (entry.id.0.as_str(), entry)).collect();
    let differs =
        |kind: Kind, id: &str, what: &str| Err(Fault::new(kind, format!("the file {id} on the list"), what));
    let stays = |told: &Told, id: &str| told.get(id).is_some_and(|account| !account.gone);
    for id in before.keys().map(String::as_str) {
        if stays(before, id) && stays(after, id) && !listed.contains_key(id) {
            return differs(Kind::Deleted, id, "the records tell of it, and the list does not");
        }
    }
    for (id, entry) in listed {
        let Some(account) = after.get(id) else {
            return differs(Kind::Edited, id, "no record tells of it");
        };
        if before.get(id).is_some_and(|account| account.gone) {
            return differs(Kind::Edited, id, "the records tell that it went");
        }
        if account.tenant != entry.tenant || account.file != KeptFile::from(entry) {
            return differs(Kind::Edited, id, "the records tell something else of it");
        }
    }
    Ok(())
}

fn fault(WrongFile { path, wrong }: &WrongFile) -> Fault {
    let kind = match wrong {
        Wrong::Missing => Kind::Deleted,
        Wrong::Length { found, written } if found < written => Kind::Truncated,
        Wrong::Length { .. } | Wrong::Digest => Kind::Edited,
        Wrong::Unreadable(_) => Kind::Unreadable,
    };
    Fault::new(kind, path.display().to_string(), wrong.to_string())
}
