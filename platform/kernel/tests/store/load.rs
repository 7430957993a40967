//! Many at once: nobody fails, and the sequence has no gaps.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use garrison_base::{NodeId, SystemClock, TenantId};
use garrison_kernel::{Actor, DatabaseUrl, Kernel, Options, Origin, System};
use garrison_secrets::{RootKey, SystemEntropy};
use garrison_testkit::{Engine, SeededEntropy};
use tokio::task::JoinSet;

use crate::support::notes::{self, Ask, Write};
use crate::support::{AUDIT_READ, World, done, modules, records, words};

const TASKS: usize = 8;

/// A second kernel on the same database, as another process would have.
async fn another(world: &World) -> Kernel {
    let options = Options {
        database: world.platform.database.url.clone(),
        connections: 4,
        root_key: &world.platform.root_key,
        clock: world.platform.clock.clone(),
        entropy: Arc::new(SeededEntropy::new(4711)),
        journal: None,
    };
    Kernel::open(options, modules()).await.unwrap()
}

/// Tasks that each perform `acts` acts; every one must succeed.
fn spawn(tasks: &mut JoinSet<()>, kernel: &Kernel, actor: &Actor, (node, name): (NodeId, &str), acts: usize) {
    for task in 0..TASKS {
        let (kernel, actor, name) = (kernel.clone(), actor.clone(), format!("{name}-{task}"));
        tasks.spawn(async move {
            for number in 0..acts {
                let words = format!("{name}-{number}");
                done(kernel.act(&actor, Write { node, words }).await.unwrap());
            }
        });
    }
}

/// Every note has its record, every record its note, and no number is missing.
async fn whole(kernel: &Kernel, actor: &Actor) -> BTreeSet<String> {
    let mut tx = kernel.read(actor, AUDIT_READ).await.unwrap();
    let notes = words(&mut tx).await.unwrap();
    let records = records(&mut tx).await;
    drop(tx);
    let numbers: Vec<i64> = records.iter().map(|record| record.seq).collect();
    assert_eq!(numbers, (1..=numbers.len() as i64).collect::<Vec<_>>());
    let written =
        records.iter().filter(|record| record.operation == "note:write" && record.result == "success");
    let mut recorded: Vec<_> =
        written.map(|record| record.content["words"].as_str().unwrap().to_owned()).collect();
    recorded.sort_unstable();
    assert_eq!(notes, recorded);
    kernel.verify().await.unwrap();
    let set: BTreeSet<String> = notes.iter().cloned().collect();
    assert_eq!(set.len(), notes.len(), "nothing twice");
    set
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_at_once_perform_a_hundred_acts_each_and_none_fails() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        let mut tasks = JoinSet::new();
        spawn(&mut tasks, world.kernel(), &ada, (world.shop, "one"), 100);
        tasks.join_all().await;
        assert_eq!(whole(world.kernel(), &world.system()).await.len(), TASKS * 100);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_and_questions_go_on_beside_writers() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        let note = world.note(world.shop, "asked").await;
        let mut tasks = JoinSet::new();
        spawn(&mut tasks, world.kernel(), &ada, (world.shop, "one"), 20);
        for _ in 0..TASKS {
            let (kernel, ada) = (world.kernel().clone(), ada.clone());
            tasks.spawn(async move {
                for _ in 0..20 {
                    assert_eq!(kernel.ask(&ada, Ask { note }).await.unwrap(), "asked");
                    let mut tx = kernel.read(&ada, notes::READ).await.unwrap();
                    assert!(!words(&mut tx).await.unwrap().is_empty());
                }
            });
        }
        tasks.join_all().await;
        assert_eq!(whole(world.kernel(), &world.system()).await.len(), TASKS * 20 + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_kernels_on_one_database_do_not_fail_each_other() {
    for engine in Engine::all().into_iter().filter(|engine| *engine == Engine::Postgres) {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        let other = another(&world).await;
        let mut tasks = JoinSet::new();
        spawn(&mut tasks, world.kernel(), &ada, (world.shop, "one"), 50);
        spawn(&mut tasks, &other, &ada, (world.shop, "two"), 50);
        let failed = failures(tasks).await;
        assert_eq!(failed, Vec::<String>::new());
        assert_eq!(whole(&other, &world.system()).await.len(), 2 * TASKS * 50);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_deposits_and_jobs_of_two_kernels_do_not_fail_each_other() {
    for engine in Engine::all().into_iter().filter(|engine| *engine == Engine::Postgres) {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        let note = world.note(world.shop, "asked").await;
        let mut tasks = JoinSet::new();
        for kernel in [world.kernel().clone(), another(&world).await] {
            let (ada, tenant) = (ada.clone(), world.platform.tenant);
            tasks.spawn(async move {
                for _ in 0..50 {
                    assert_eq!(kernel.ask(&ada, Ask { note }).await.unwrap(), "asked");
                    kernel.deposit(tenant, b"secret", kernel.now()).await.unwrap();
                    kernel.work().await.unwrap();
                    kernel.tidy().await.unwrap();
                }
            });
        }
        assert_eq!(failures(tasks).await, Vec::<String>::new());
        let told = world.platform.database.by_hand("SELECT COUNT(*) FROM told");
        assert_eq!(told.trim(), "1", "a fact is followed once, also by two");
    }
}

/// What tasks said that did not come to their end.
async fn failures(mut tasks: JoinSet<()>) -> Vec<String> {
    let mut failures = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        failures.extend(ended.err().map(|error| error.to_string()));
    }
    failures
}

#[tokio::test]
async fn what_one_kernel_changes_counts_for_the_other_at_once() {
    for engine in Engine::all().into_iter().filter(|engine| *engine == Engine::Postgres) {
        let world = World::new(engine).await;
        let other = another(&world).await;
        for round in 0..20 {
            let person = world.person(&format!("person-{round}")).await;
            let grant = world.grant(crate::support::holder(person), "writer", world.shop).await;
            let actor = world.platform.person(person);
            let write = || Write { node: world.shop, words: "written".into() };
            done(other.act(&actor, write()).await.unwrap());
            world.step(crate::support::house::Step::End(grant)).await;
            assert!(other.act(&actor, write()).await.is_err());
            assert!(other.read(&actor, notes::READ).await.is_err());
        }
        other.verify().await.unwrap();
    }
}

fn scripts_postgres(verb: &str, folder: &Path) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/postgres");
    let output = Command::new(script).arg(verb).arg(folder).output().unwrap();
    assert!(output.status.success(), "{verb}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A server of its own, because it is restarted.
struct Server {
    folder: tempfile::TempDir,
    url: String,
}

impl Server {
    fn start() -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        // The server does not run as root, and must come in.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let url = scripts_postgres("start", &folder.path().join("pg"));
        Self { folder, url }
    }

    fn restart(&self) {
        scripts_postgres("restart", &self.folder.path().join("pg"));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        scripts_postgres("stop", &self.folder.path().join("pg"));
    }
}

/// Performs acts until it is told to stop; returns the words of those that were answered with success.
async fn insist(
    kernel: Kernel,
    actor: Actor,
    (node, name): (NodeId, String),
    stop: Arc<AtomicBool>,
) -> Vec<String> {
    let mut answered = Vec::new();
    let mut number = 0;
    while !stop.load(Ordering::SeqCst) {
        let words = format!("{name}-{number}");
        number += 1;
        if kernel.act(&actor, Write { node, words: words.clone() }).await.is_ok() {
            answered.push(words);
        }
        tokio::task::yield_now().await;
    }
    answered
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_postgres_under_load_loses_nothing_that_was_answered() {
    if !Engine::all().contains(&Engine::Postgres) {
        return;
    }
    let server = Server::start();
    let options = Options {
        database: DatabaseUrl::Postgres(format!("{}/postgres", server.url)),
        connections: 4,
        root_key: &RootKey::ephemeral(&SystemEntropy),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        journal: None,
    };
    let kernel = Kernel::open(options, modules()).await.unwrap();
    let founded: (TenantId, NodeId) =
        kernel.found_tenant(&"acme".parse().unwrap(), Origin::system("req-1")).await.unwrap();
    let actor = Actor::system(System::SETUP, founded.0, Origin::system("req-2"));
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        tasks.spawn(insist(kernel.clone(), actor.clone(), (founded.1, format!("task-{task}")), stop.clone()));
    }
    for round in 0..3 {
        // Under load before, and under load again afterwards.
        let written = count(&kernel, &actor).await + 50;
        while count(&kernel, &actor).await < written {
            tokio::task::yield_now().await;
        }
        server.restart();
        let done = Write { node: founded.1, words: format!("round-{round}") };
        while kernel.act(&actor, done.clone()).await.is_err() {
            tokio::task::yield_now().await;
        }
    }
    stop.store(true, Ordering::SeqCst);
    let answered: BTreeSet<String> = tasks.join_all().await.into_iter().flatten().collect();
    let kept = whole(&kernel, &actor).await;
    let lost: Vec<_> = answered.difference(&kept).collect();
    assert!(lost.is_empty(), "answered and lost: {lost:?}");
    assert!(answered.len() >= 150);
}

async fn count(kernel: &Kernel, actor: &Actor) -> usize {
    loop {
        // While the server restarts, there is nobody to ask.
        if let Ok(mut tx) = kernel.read(actor, notes::READ).await
            && let Ok(words) = words(&mut tx).await
        {
            return words.len();
        }
        tokio::task::yield_now().await;
    }
}
