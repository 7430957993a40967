//! Events in sealed files, and the same files unsealed.

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::iter::{repeat_n, repeat_with};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use arrow::array::{
    ArrayRef, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray, new_null_array,
};
use arrow::datatypes::{Field, SchemaRef};
use fastrand::Rng;
use garrison_base::{NodeId, TenantId};
use garrison_lake::{FileEntry, Hot, Keyring, Lake};
use garrison_logs::columns;
use garrison_secrets::{StreamKey, SystemEntropy, digest};

/// A file for each hour.
const HOURS: usize = 8;
pub const EVENTS: usize = 2_000_000;
/// Nanoseconds from one event to the next.
const STEP: usize = 3_600_000_000_000 / (EVENTS / HOURS);
/// Bytes of an event, about.
const WIDTH: usize = 400;
/// 2026-11-22, in hours since 1970.
const DAY: i64 = 498_696;
const STREAM: &str = "auth";
/// Stands in one event.
pub const RARE: &str = "zebrafinch";

pub fn tenant() -> TenantId {
    TenantId::from_bytes([7; 16])
}

/// Two lakes with the same events.
pub struct Lakes {
    pub sealed: Arc<Lake>,
    pub plain: Arc<Lake>,
    pub sealed_dir: PathBuf,
    /// The sealed ones.
    pub files: Vec<FileEntry>,
    pub keys: Arc<Keys>,
}

impl Lakes {
    /// Makes the events, always the same.
    pub fn make(dir: &Path) -> anyhow::Result<Self> {
        let keys = Arc::new(Keys::default());
        let open = |dir: &Path| -> anyhow::Result<Arc<Lake>> {
            Ok(Arc::new(Lake::open(dir, columns::layout(), keys.clone(), Arc::new(SystemEntropy))?))
        };
        let (sealed_dir, plain_dir) = (dir.join("sealed"), dir.join("plain"));
        let (sealed, plain) = (open(&sealed_dir)?, open(&plain_dir)?);
        let mut rng = Rng::with_seed(7);
        let words: Vec<String> = repeat_with(|| word(&mut rng)).take(4_000).collect();
        for (hour, last) in (DAY..).zip(1..).take(HOURS) {
            let events = events(hour, &words, &mut rng);
            let batch = batch(&columns::schema(), &events)?;
            sealed.add(tenant(), vec![Hot { stream: STREAM.into(), hour, batch, last }]);
            // Hour by hour: all of them at once would need some gigabytes.
            let (count, written) = sealed.write(tenant(), last)?;
            sealed.adopt(tenant(), count, written);
        }
        let files: Vec<FileEntry> = sealed.files(tenant()).iter().map(|file| (**file).clone()).collect();
        let unsealed = files.iter().map(|file| unseal((&sealed_dir, &plain_dir), file, &keys));
        plain.load(unsealed.collect::<anyhow::Result<_>>()?)?;
        Ok(Self { sealed, plain, sealed_dir, files, keys })
    }
}

/// Writes a file as it was before it was sealed, as files of older versions are.
fn unseal((from, to): (&Path, &Path), file: &FileEntry, keys: &Keys) -> anyhow::Result<FileEntry> {
    let key = keys.find(file.tenant, &file.stream, file.day()).context("the key of a file is gone")?;
    let open = |path: String, part: &str| -> anyhow::Result<Vec<u8>> {
        let object = format!("{}/{}/{part}", file.tenant, file.id);
        Ok(key.open(object.as_bytes(), &fs::read(from.join(path))?)?)
    };
    let (events, words) = (open(file.path(), "events")?, open(file.words_path(), "words")?);
    let (bytes, digest) = (events.len() as u64, digest(&events));
    let plain = FileEntry { sealed: false, bytes, digest, ..file.clone() };
    for (path, bytes) in [(plain.path(), events), (plain.words_path(), words)] {
        let path = to.join(path);
        fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
        fs::write(path, bytes)?;
    }
    Ok(plain)
}

/// Keys in memory.
#[derive(Default)]
pub struct Keys(Mutex<HashMap<Of, Arc<StreamKey>>>);

type Of = (TenantId, String, i64);

impl Keyring for Keys {
    fn make(
        &self,
        tenant: TenantId,
        stream: &str,
        day: i64,
    ) -> Result<Arc<StreamKey>, Box<dyn Error + Send + Sync>> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = held.entry((tenant, stream.to_owned(), day));
        Ok(key.or_insert_with(|| Arc::new(StreamKey::fresh(&SystemEntropy))).clone())
    }

    fn find(&self, tenant: TenantId, stream: &str, day: i64) -> Option<Arc<StreamKey>> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(&(tenant, stream.to_owned(), day)).cloned()
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Keys")
    }
}

struct Event {
    /// In nanoseconds since 1970.
    received: i64,
    host: String,
    program: &'static str,
    user: Option<String>,
    address: String,
    raw: String,
}

/// An hour of logins, requests and chatter of 500 hosts.
fn events(hour: i64, words: &[String], rng: &mut Rng) -> Vec<Event> {
    let times = (hour * 3_600_000_000_000..).step_by(STEP).take(EVENTS / HOURS);
    let mut events: Vec<Event> = times.map(|received| event(received, words, rng)).collect();
    if let Some(event) = events.last_mut().filter(|_| hour == DAY + 4) {
        event.raw.push_str(RARE);
    }
    events
}

fn event(received: i64, words: &[String], rng: &mut Rng) -> Event {
    let (host, pid) = (format!("host-{}", rng.u32(..500)), rng.u32(..40_000));
    let address = format!("10.{}.{}.{}", rng.u32(..200), rng.u32(..250), rng.u32(..250));
    let (program, user, said) = match rng.u32(..4) {
        0 => {
            let user = format!("user{}", rng.u32(..900));
            let said = format!("Accepted publickey for {user} from {address} port {pid} ssh2:");
            ("sshd", Some(user), said)
        }
        1 => ("nginx", None, format!("{address} - - \"GET /item/{pid} HTTP/1.1\" 200 {pid} \"-\"")),
        _ => ("app", None, format!("level=info request={} client={address}", rng.u32(..1_000_000_000))),
    };
    let mut raw = format!("<38>1 2026-11-22T10:00:00Z {host} {program} {pid} - - {said} ");
    while raw.len() < WIDTH {
        raw.push_str(words.get(rng.usize(..words.len())).map_or("", String::as_str));
        raw.push(' ');
    }
    Event { received, host, program, user, address, raw }
}

fn word(rng: &mut Rng) -> String {
    let length = rng.usize(4..=10);
    repeat_with(|| rng.digit(16)).take(length).collect()
}

fn batch(schema: &SchemaRef, events: &[Event]) -> anyhow::Result<RecordBatch> {
    let columns = schema.fields().iter().map(|field| column(field, events)).collect();
    Ok(RecordBatch::try_new(schema.clone(), columns)?)
}

fn column(field: &Field, events: &[Event]) -> ArrayRef {
    let times = || events.iter().map(|event| event.received);
    let same = |value: &str| texts(repeat_n(Some(value), events.len()));
    match field.name().as_str() {
        "id" => Arc::new(Int64Array::from_iter_values(times())),
        "received" => Arc::new(TimestampNanosecondArray::from_iter_values(times()).with_timezone("UTC")),
        "node" => same(&NodeId::from_bytes([8; 16]).to_string()),
        "stream" | "source" => same(STREAM),
        "format" => same("syslog"),
        "kind" | "program" => texts(events.iter().map(|event| Some(event.program))),
        "host" => texts(events.iter().map(|event| Some(event.host.as_str()))),
        "user" => texts(events.iter().map(|event| event.user.as_deref())),
        "src_ip" => texts(events.iter().map(|event| Some(event.address.as_str()))),
        "raw" => texts(events.iter().map(|event| Some(event.raw.as_str()))),
        _ => new_null_array(field.data_type(), events.len()),
    }
}

fn texts<'e>(values: impl Iterator<Item = Option<&'e str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}
