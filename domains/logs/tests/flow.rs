//! Events on their way: into the log, found at once, into files, over a restart, and seen by whom they concern.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail loudly")]

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::Int64Type;
use datafusion::logical_expr::{SortExpr, col};
use garrison_base::{NodeId, SystemClock};
use garrison_decode::Events;
use garrison_journal::Log;
use garrison_kernel::{Actor, Module, Outcome, System};
use garrison_lake::{Ask, Budget, LakeError, Question, Scope};
use garrison_logs::acts::CreateSource;
use garrison_logs::intake::{Refused, Sender};
use garrison_logs::{Logs, Seen, Settle, Target, Watch, filter};
use garrison_secrets::{KeyStore, Passphrase, RootKey, SystemEntropy};
use garrison_testkit::{Engine, Platform, origin};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

fn modules() -> Vec<Module> {
    vec![garrison_directory::module(), garrison_access::module(), garrison_logs::module()]
}

/// Remembers every event that it was shown.
#[derive(Clone, Default)]
struct Witness(Arc<Mutex<Vec<(i64, String)>>>);

impl Watch for Witness {
    fn event(&mut self, seen: &Seen<'_>) {
        let raw = String::from_utf8_lossy(&seen.record.raw).into_owned();
        self.0.lock().unwrap().push((seen.id, raw));
    }

    fn shown(&mut self, _: u64) {}
}

struct Nothing;

impl Settle for Nothing {
    fn settle(
        &self,
        _: u64,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), garrison_logs::SettleError>> + Send + '_>> {
        Box::pin(async { Ok(()) })
    }
}

struct World {
    platform: Platform,
    logs: Logs,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    witness: Witness,
}

impl World {
    async fn new(engine: Engine) -> Self {
        let platform = Platform::new(engine, modules()).await;
        let (logs, stop, tasks, witness) = open(&platform).await;
        Self { platform, logs, stop, tasks, witness }
    }

    /// Ends without a last word, and starts again on the same folder and database.
    async fn restart(mut self) -> Self {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
        drop(self.logs);
        let (logs, stop, tasks, witness) = open(&self.platform).await;
        Self { platform: self.platform, logs, stop, tasks, witness }
    }

    async fn source(&self, name: &str, node: NodeId) -> Target {
        let act = CreateSource {
            node,
            name: name.parse().unwrap(),
            purpose: "a test".parse().unwrap(),
            stream: None,
            rate_limit: None,
            silence_minutes: None,
        };
        let actor = Actor::system(System::LOGS, self.platform.tenant, origin());
        let Ok(Outcome::Done(_)) = self.platform.kernel.act(&actor, act).await else { panic!("no source") };
        self.logs
            .configured(self.platform.tenant, &name.parse().unwrap(), &"x".parse().unwrap())
            .await
            .unwrap()
            .unwrap()
    }

    async fn send(&self, target: &Target, lines: &[&str]) {
        let mut events = Events::default();
        for line in lines {
            events.push(line.as_bytes());
        }
        let taken = self.logs.intake().take(&Sender::default(), &[(target.clone(), events)]).await.unwrap();
        assert_eq!(taken.accepted, lines.len() as u64);
    }

    fn scope(&self) -> Scope {
        Scope { tenant: self.platform.tenant, nodes: None, from: 0, to: i64::MAX }
    }

    async fn ask(&self, ask: Ask, scope: Scope) -> Result<Vec<RecordBatch>, LakeError> {
        let budget = Budget { time: Duration::from_secs(30), memory: 64 << 20, disk: 1 << 30 };
        let mut answer = self.logs.lake().ask(Question { ask, scope, budget }, ());
        let mut batches = Vec::new();
        while let Some(batch) = answer.next().await? {
            batches.push(batch);
        }
        Ok(batches)
    }

    async fn count(&self, condition: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM logs WHERE {condition}");
        let batches = self.ask(Ask::Sql(sql), self.scope()).await.unwrap();
        batches[0].column(0).as_primitive::<Int64Type>().value(0)
    }

    /// The texts that a filter finds, in order.
    async fn found(&self, query: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for batch in self.ask(rows(query, false), self.scope()).await.unwrap() {
            let raw = batch.column(0).as_string::<i32>();
            texts.extend((0..raw.len()).map(|row| raw.value(row).to_owned()));
        }
        texts.sort();
        texts
    }

    /// Waits until so many events can be found.
    async fn until(&self, events: i64) {
        for _ in 0..600 {
            if self.count("true").await >= events {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} of {events} events can be found", self.count("true").await);
    }
}

/// The texts of the events that a filter finds, as a question.
fn rows(query: &str, latest_first: bool) -> Ask {
    let now = "2026-11-22T10:00:00Z".parse().unwrap();
    let condition = filter::condition(&garrison_search::parse(query).unwrap(), now).unwrap();
    let order = if latest_first { vec![SortExpr::new(col("received"), false, false)] } else { Vec::new() };
    Ask::Rows { condition, wanted: vec![col("raw")], order, limit: Some(1_000) }
}

async fn open(platform: &Platform) -> (Logs, CancellationToken, JoinSet<()>, Witness) {
    let dir = platform.database.folder();
    let options = garrison_journal::Options {
        dir: dir.join("log"),
        name: "events".into(),
        key: platform.root_key.seal("journal/events"),
        entropy: Arc::new(SystemEntropy),
        segment: 1 << 20,
        first: 1,
    };
    let (log, _) = Log::open(options).unwrap();
    let stop = CancellationToken::new();
    let parts: (Arc<dyn garrison_base::Clock>, Arc<dyn garrison_base::Entropy>) =
        (Arc::new(SystemClock), Arc::new(SystemEntropy));
    let keys = dir.join("keys");
    if !keys.exists() {
        RootKey::create(&keys, &SystemEntropy).unwrap();
    }
    let keys = KeyStore::open(&keys, &Passphrase::None, Box::new(SystemEntropy)).unwrap();
    let (lake, keys) = (dir.join("lake"), Arc::new(keys));
    let logs = Logs::open(&platform.kernel, (&lake, keys), Arc::new(log), parts, stop.clone());
    let logs = logs.await.unwrap();
    let witness = Witness::default();
    let tasks = logs.start(Box::new(witness.clone()), Arc::new(Nothing));
    (logs, stop, tasks, witness)
}

const LINES: [&str; 6] = [
    "<38>1 2026-11-22T09:59:58Z web-1 sshd 100 - - Failed password for root from 203.0.113.24 port 4022 ssh2",
    r#"{"host":"db-1","user":"Anna","message":"slow query","duration":1250,"src":"2001:db8::7","nested":{"level":"WARN"}}"#,
    r#"{"host":"db-2","user":"bob","message":"ok","duration":12,"src":"10.1.2.3"}"#,
    r#"192.0.2.9 - - [22/Nov/2026:09:59:59 +0000] "GET /wp-login.php?x=1 HTTP/1.1" 404 153 "-" "curl/8""#,
    "plain words of no format, with mimikatz inside",
    "plain words again; nothing to see",
];

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_is_found_in_memory_in_files_and_after_a_restart() {
    for engine in Engine::all() {
        let mut world = World::new(engine).await;
        let target = world.source("web", world.platform.root).await;
        world.send(&target, &LINES).await;
        world.until(6).await;
        questions(&world).await;
        world.logs.keep().await.unwrap();
        assert_eq!(world.logs.lake().hot(), (0, 0));
        assert_eq!(world.logs.lake().files(world.platform.tenant).len(), 1);
        questions(&world).await;
        world.send(&target, &["one more line"]).await;
        world.until(7).await;
        world = world.restart().await;
        world.until(7).await;
        assert_eq!(world.count("true").await, 7);
        // What is in files was shown before; what was in memory only is shown again, under the same id.
        let shown: Vec<String> = world.witness.0.lock().unwrap().iter().map(|(_, raw)| raw.clone()).collect();
        assert_eq!(shown, ["one more line"]);
        assert_eq!(world.count("raw = 'one more line'").await, 1);
        world.stop.cancel();
    }
}

async fn questions(world: &World) {
    for (query, places) in [
        ("", &[0, 1, 2, 3, 4, 5][..]),
        ("failed", &[0]),
        ("\"failed password\"", &[0]),
        ("mimikatz", &[4]),
        ("mimi", &[]),
        ("mimi*", &[4]),
        ("host:web-1", &[0]),
        ("host:DB-*", &[1, 2]),
        ("user:anna", &[1]),
        ("user:(anna or bob)", &[1, 2]),
        ("src_ip:203.0.113.0/24", &[0]),
        ("src_ip:2001:db8::/32", &[1]),
        ("src_ip:10.1.2.3", &[2]),
        ("status_code>=400", &[3]),
        ("duration>100", &[1]),
        ("duration:*", &[1, 2]),
        ("nested.level:warn", &[1]),
        ("message:/^slow/", &[1]),
        ("plain and not again", &[4]),
        ("plain or failed", &[0, 4, 5]),
        ("claimed>=2026-11-22T09:59:59Z", &[3]),
        ("received>now-1m", &[0, 1, 2, 3, 4, 5]),
        ("source:web format:raw", &[4, 5]),
        ("not src_ip:10.1.2.3", &[0, 1, 3, 4, 5]),
        ("-duration>100 host:*", &[0, 2]),
    ] {
        let mut want: Vec<String> = places.iter().map(|place| LINES[*place].to_owned()).collect();
        want.sort();
        assert_eq!(world.found(query).await, want, "{query}");
    }
    assert_eq!(world.count("has(raw, 'mimikatz')").await, 1);
    assert_eq!(world.count("field(raw, 'duration') = '12'").await, 1);
    assert_eq!(world.count("cidr(src_ip, '10.0.0.0/8')").await, 1);
}

/// The files are taken away, and only who would have to read them is told so.
#[tokio::test(flavor = "multi_thread")]
async fn files_without_the_words_are_not_read() {
    let world = World::new(Engine::Sqlite).await;
    let target = world.source("web", world.platform.root).await;
    world.send(&target, &LINES).await;
    world.until(6).await;
    world.logs.keep().await.unwrap();
    let lake = world.platform.database.folder().join("lake");
    for file in world.logs.lake().files(world.platform.tenant) {
        std::fs::remove_file(lake.join(file.path())).unwrap();
    }
    // An index of words is wrong for one absent word in 256; for all three it never is here.
    for (query, reads) in [
        ("absentone absenttwo absentthree", false),
        ("\"absentone absenttwo absentthree\"", false),
        ("failed \"absentone absenttwo absentthree\"", false),
        ("failed", true),
        ("absent*", true),
        ("", true),
    ] {
        for latest_first in [false, true] {
            let answered = world.ask(rows(query, latest_first), world.scope()).await;
            let count = |batches: Vec<RecordBatch>| batches.iter().map(RecordBatch::num_rows).sum::<usize>();
            let found = answered.map(count);
            let expected =
                if reads { matches!(found, Err(LakeError::Engine(_))) } else { matches!(found, Ok(0)) };
            assert!(expected, "{query}, the latest first: {latest_first}: {found:?}");
        }
    }
    world.stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_what_is_not_theirs() {
    let world = World::new(Engine::Sqlite).await;
    let target = world.source("web", world.platform.root).await;
    world.send(&target, &LINES).await;
    world.until(6).await;
    let other = garrison_base::TenantId::new(world.platform.kernel.now(), world.platform.kernel.entropy());
    let elsewhere = NodeId::new(world.platform.kernel.now(), world.platform.kernel.entropy());
    let count = Ask::Sql("SELECT count(*) FROM logs".into());
    for kept in [false, true] {
        if kept {
            world.logs.keep().await.unwrap();
        }
        for (scope, want) in [
            (world.scope(), 6),
            (Scope { tenant: other, ..world.scope() }, 0),
            (Scope { nodes: Some(Arc::new(HashSet::from([elsewhere]))), ..world.scope() }, 0),
            (Scope { nodes: Some(Arc::new(HashSet::from([world.platform.root]))), ..world.scope() }, 6),
            (Scope { nodes: Some(Arc::new(HashSet::new())), ..world.scope() }, 0),
            (Scope { to: 1, ..world.scope() }, 0),
        ] {
            let batches = world.ask(count.clone(), scope.clone()).await.unwrap();
            assert_eq!(batches[0].column(0).as_primitive::<Int64Type>().value(0), want, "{scope:?}");
        }
        // No text gets behind the narrowing, and none changes anything.
        for sql in [
            "DROP TABLE logs",
            "CREATE TABLE x AS SELECT 1",
            "INSERT INTO logs SELECT * FROM logs",
            "COPY logs TO '/tmp/x'",
            "SET x = 1",
            "SELECT * FROM information_schema.tables",
            "SELECT * FROM '/etc/passwd'",
            "CREATE EXTERNAL TABLE x STORED AS PARQUET LOCATION '/'",
            "EXPLAIN ANALYZE SELECT 1; SELECT 2",
            "EXPLAIN ANALYZE SELECT count(*) FROM logs",
            "EXPLAIN SELECT count(*) FROM logs",
        ] {
            let refused = world.ask(Ask::Sql(sql.into()), world.scope()).await;
            assert!(matches!(refused, Err(LakeError::Question(_))), "{sql}: {refused:?}");
        }
    }
    world.stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_has_a_budget() {
    let world = World::new(Engine::Sqlite).await;
    let target = world.source("web", world.platform.root).await;
    let lines: Vec<String> = (0..2_000).map(|number| format!("line {number}")).collect();
    world.send(&target, &lines.iter().map(String::as_str).collect::<Vec<_>>()).await;
    world.until(2_000).await;
    let sql = "SELECT a.raw, b.raw, c.raw FROM logs a, logs b, logs c ORDER BY a.raw || b.raw || c.raw";
    let budget = Budget { time: Duration::from_secs(2), memory: 16 << 20, disk: 1 << 40 };
    let question = Question { ask: Ask::Sql(sql.into()), scope: world.scope(), budget };
    let ended = async {
        let mut answer = world.logs.lake().ask(question, ());
        while answer.next().await?.is_some() {}
        Ok::<_, LakeError>(())
    };
    let ended = ended.await;
    assert!(matches!(ended, Err(LakeError::Memory(_) | LakeError::Time(_))), "{ended:?}");

    // Whoever does not read loses the place when the time is over, and is told.
    let (held, free) = tokio::sync::oneshot::channel::<()>();
    let ask = Ask::Sql("SELECT a.raw FROM logs a, logs b, logs c".into());
    let budget = Budget { time: Duration::from_secs(1), ..budget };
    let mut answer = world.logs.lake().ask(Question { ask, scope: world.scope(), budget }, held);
    let let_go = tokio::time::timeout(Duration::from_mins(1), free).await;
    assert!(let_go.is_ok(), "the place is still held");
    let ended = loop {
        match answer.next().await {
            Ok(Some(_)) => {}
            ended => break ended,
        }
    };
    assert!(matches!(ended, Err(LakeError::Time(1))), "{ended:?}");
    world.stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_question_harms_the_server() {
    let world = World::new(Engine::Sqlite).await;
    let target = world.source("web", world.platform.root).await;
    world.send(&target, &["a line"]).await;
    world.until(1).await;
    let many = |count: usize, join: &str, each: fn(usize) -> String| {
        (0..count).map(each).collect::<Vec<_>>().join(join)
    };
    // As deep as the longest texts that are taken.
    assert_eq!(world.found(&many(1_000, " ", |n| format!("w{n}"))).await, Vec::<String>::new());
    assert_eq!(world.found(&many(900, " ", |n| format!("not f{n}:a"))).await, ["a line"]);
    assert_eq!(world.count(&many(600, " OR ", |n| format!("id = {n}"))).await, 0);
    let doubled = (0..14).fold("SELECT raw AS x0 FROM logs".to_owned(), |inner, level| {
        format!("SELECT x{level} || x{level} AS x{} FROM ({inner})", level + 1)
    });
    for sql in [
        format!("SELECT {}", many(900, " + ", |n| n.to_string())),
        format!("SELECT {}", many(900, " || ", |n| format!("'{n}'"))),
        format!("SELECT length(x14) FROM ({doubled})"),
        many(300, " UNION ALL ", |n| format!("SELECT {n}")),
    ] {
        let answered = world.ask(Ask::Sql(sql.clone()), world.scope()).await;
        assert!(answered.is_ok(), "{sql:.200}: {answered:?}");
    }
    for sql in [
        format!("SELECT {}", many(4_000, " + ", |_| "1".to_owned())),
        "SELECT * FROM generate_series(1, 1000000000000)".to_owned(),
        "SELECT length(repeat(raw, 1000000000)) FROM logs".to_owned(),
        "SELECT count(*) FROM logs WHERE raw ~ '('".to_owned(),
    ] {
        let refused = world.ask(Ask::Sql(sql.clone()), world.scope()).await;
        assert!(matches!(refused, Err(LakeError::Question(_))), "{sql:.200}: {refused:?}");
    }
    world.stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_refuse_and_are_told() {
    let world = World::new(Engine::Sqlite).await;
    let target = world.source("web", world.platform.root).await;
    let slow = Target { rate: Some(10), ..target.clone() };
    let events = |count: usize| {
        let mut events = Events::default();
        (0..count).for_each(|_| events.push(b"x"));
        events
    };
    let take = async |target: &Target, count| {
        world.logs.intake().take(&Sender::default(), &[(target.clone(), events(count))]).await
    };
    assert_eq!(take(&slow, 10).await.unwrap().accepted, 10);
    assert!(matches!(take(&slow, 10).await, Err(Refused::Rate(10))));
    let mut long = Events::default();
    long.push(&vec![b'x'; (1 << 20) + 1]);
    long.push(b"short");
    let taken = world.logs.intake().take(&Sender::default(), &[(target.clone(), long)]).await.unwrap();
    assert_eq!((taken.accepted, taken.refused), (1, 1));
    let mut much = Events::default();
    (0..13).for_each(|_| much.push(&vec![b'x'; 1 << 20]));
    let refused = world.logs.intake().take(&Sender::default(), &[(target, much)]).await;
    assert!(matches!(refused, Err(Refused::TooMuch(_))));
    world.until(11).await;
    assert_eq!(world.count("true").await, 11);
    world.stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_joined_without_losing_or_doubling() {
    let world = World::new(Engine::Sqlite).await;
    let target = world.source("web", world.platform.root).await;
    for round in 0..10 {
        let lines: Vec<String> = (0..50)
            .map(|line| format!("<13>1 2026-11-22T10:00:00Z host-{line} app - - - round{round} word{line}"))
            .collect();
        world.send(&target, &lines.iter().map(String::as_str).collect::<Vec<_>>()).await;
        world.until((round + 1) * 50).await;
        world.logs.keep().await.unwrap();
    }
    let tenant = world.platform.tenant;
    assert!(world.logs.lake().files(tenant).len() >= 10);
    // As if the day was over.
    let later = world.platform.kernel.now().as_second().div_euclid(3600) + 10_000_000;
    let lake = world.logs.lake();
    let compacted = lake.compact(tenant, later).await.unwrap().unwrap();
    lake.replace(tenant, &compacted.old, compacted.new);
    let files = lake.files(tenant);
    assert!(files.len() <= 2 && files.iter().all(|file| file.sorted), "{files:?}");
    assert!(lake.compact(tenant, later).await.unwrap().is_none());
    assert_eq!(world.count("true").await, 500);
    assert_eq!(world.count("host = 'host-7'").await, 10);
    assert_eq!(world.found("round3 word7").await.len(), 1);
    assert_eq!(world.found("absentword").await.len(), 0);
    let hosts = Ask::Sql("SELECT host FROM logs".into());
    let batches = world.ask(hosts, world.scope()).await.unwrap();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 500);
    world.stop.cancel();
}
