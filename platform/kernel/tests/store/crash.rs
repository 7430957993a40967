//! `kill -9` in the middle of acts: what was answered is recorded, and effect and record are there together.
//!
//! The process that is killed is this test program itself, started anew for [`the_child`].

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use garrison_base::SystemClock;
use garrison_kernel::{Actor, DatabaseUrl, Kernel, Options, Origin, System};
use garrison_secrets::{RootKey, SystemEntropy};
use garrison_testkit::{Database, Engine};

use crate::support::notes::Write;
use crate::support::{AUDIT_READ, modules, records, words};

/// Where the child finds its database and its key, and in which tenant it acts.
const PLACE: &str = "GARRISON_TEST_CRASH";

async fn open(database: DatabaseUrl, root_key: &RootKey) -> Kernel {
    let options = Options {
        database,
        connections: 4,
        root_key,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        journal: None,
    };
    Kernel::open(options, modules()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_child() {
    #[expect(clippy::disallowed_methods, reason = "the test that starts it tells it where to work")]
    let Ok(place) = std::env::var(PLACE) else { return };
    let parts: Vec<&str> = place.split(' ').collect();
    let [kind, database, keys, tenant, root, round] = parts[..] else { panic!("{place}") };
    let database = match kind {
        "sqlite" => DatabaseUrl::Sqlite(database.into()),
        _ => DatabaseUrl::Postgres(database.into()),
    };
    let kernel = open(database, &RootKey::open(keys.as_ref()).unwrap()).await;
    let actor = Actor::system(System::SETUP, tenant.parse().unwrap(), Origin::system("req-child"));
    let node = root.parse().unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..4 {
        let (kernel, actor, round) = (kernel.clone(), actor.clone(), round.to_owned());
        tasks.spawn(async move {
            for number in 0_u64.. {
                let words = format!("{round}-{task}-{number}");
                kernel.act(&actor, Write { node, words: words.clone() }).await.unwrap();
                // One write for a line: what the parent reads was answered, whatever happens to us then.
                std::io::stdout().write_all(format!("answered {words}\n").as_bytes()).unwrap();
            }
        });
    }
    tasks.join_all().await;
}

fn start(place: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::the_child", "--nocapture"])
        .env(PLACE, place)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Lets the child perform acts, kills it after so many answers, and returns what it had answered.
fn kill_after(place: &str, answers: usize) -> Vec<String> {
    let mut child = start(place);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut answered = Vec::new();
    while answered.len() < answers {
        let line = lines.next().expect("the child performs acts until it is killed");
        answered.extend(line.rsplit_once("answered ").map(|(_, words)| words.to_owned()));
    }
    // SIGKILL: nothing of it runs any more. What it wrote to the pipe before is still there to be read.
    child.kill().unwrap();
    child.wait().unwrap();
    answered
        .extend(lines.filter_map(|line| line.rsplit_once("answered ").map(|(_, words)| words.to_owned())));
    answered
}

#[tokio::test]
async fn killed_in_mid_act_nothing_that_was_answered_is_lost_and_nothing_is_half_done() {
    for engine in Engine::all() {
        let database = Database::new(engine);
        let root_key = RootKey::create(&database.folder(), &SystemEntropy).unwrap();
        let kernel = open(database.url.clone(), &root_key).await;
        let (tenant, root) =
            kernel.found_tenant(&"acme".parse().unwrap(), Origin::system("req-1")).await.unwrap();
        kernel.close().await;
        let system = Actor::system(System::SETUP, tenant, Origin::system("req-1"));
        let mut random = fastrand::Rng::with_seed(4711);
        let mut answered = BTreeSet::new();
        for round in 0..8 {
            let (kind, url) = match &database.url {
                DatabaseUrl::Sqlite(path) => ("sqlite", path.display().to_string()),
                DatabaseUrl::Postgres(url) => ("postgres", url.clone()),
            };
            let keys = database.folder();
            let place = format!("{kind} {url} {} {tenant} {root} {round}", keys.display());
            answered.extend(kill_after(&place, random.usize(1..60)));

            let kernel = open(database.url.clone(), &root_key).await;
            kernel.verify().await.unwrap();
            // One transaction: on PostgreSQL, the last commit of the dead may still be on its way.
            let mut tx = kernel.read(&system, AUDIT_READ).await.unwrap();
            let notes: BTreeSet<String> = words(&mut tx).await.unwrap().into_iter().collect();
            let records = records(&mut tx).await;
            drop(tx);
            let written = records.iter().filter(|record| record.operation == "note:write");
            let recorded: BTreeSet<String> =
                written.map(|record| record.content["words"].as_str().unwrap().to_owned()).collect();
            assert_eq!(notes, recorded, "{engine:?}, round {round}: effect and record belong together");
            let lost: Vec<_> = answered.difference(&recorded).collect();
            assert!(lost.is_empty(), "{engine:?}, round {round}: answered and lost: {lost:?}");
            kernel.close().await;
        }
        // What was told of each is there too, for whoever follows.
        let kernel = open(database.url.clone(), &root_key).await;
        let told = database.by_hand("SELECT COUNT(*) FROM outbox");
        let mut tx = kernel.read(&system, AUDIT_READ).await.unwrap();
        assert_eq!(told.trim(), words(&mut tx).await.unwrap().len().to_string());
    }
}
