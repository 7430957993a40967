//! Measures the kernel: decisions, acts, a level of the tree. Prints one line of JSON.
//! Run by `cargo xtask bench access`; not a test, so nothing here asserts a time.

#![expect(
    clippy::cast_precision_loss,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a measurement stops when it cannot go on, and must look at the clock"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use garrison_base::{NodeId, PersonId};
use garrison_directory::acts::{CreateGroup, CreatePerson};
use garrison_kernel::{
    Act, Actor, ActorId, Done, Holder, KernelError, Module, NewGrant, NewNode, NodeKind, ObjectRef, Outcome,
    Permit, Preview, ReadTx, Summary, System, Verb, WriteTx,
};
use garrison_testkit::{Engine, Platform, origin};
use serde::{Deserialize, Serialize};
use serde_json::json;

const SHOW: Verb = Verb::new("node:show");

/// How much there is: the numbers of the target.
struct Size {
    persons: usize,
    nodes: usize,
    objects: usize,
    grants: usize,
    acts: usize,
}

fn main() {
    let small = std::env::args().any(|arg| arg == "--small");
    let size = if small {
        Size { persons: 100, nodes: 500, objects: 5_000, grants: 5_000, acts: 800 }
    } else {
        Size { persons: 10_000, nodes: 20_000, objects: 100_000, grants: 1_000_000, acts: 8_000 }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(measure(size));
}

async fn measure(size: Size) {
    let modules = || vec![garrison_directory::module(), bench_module()];
    let mut platform = Platform::new(Engine::Sqlite, modules()).await;
    let setup = Actor::system(System::SETUP, platform.tenant, origin());

    let started = Instant::now();
    let administrator = person(&platform, &setup, "administrator").await;
    fill(&platform, &setup, Fill::Administrator(administrator)).await;
    let actor = platform.person(administrator);
    let acts = acts_per_second(&platform, &actor, size.acts).await;
    let bare = bare_inserts_per_second(&platform, size.acts / 8);
    eprintln!("acts measured after {:?}", started.elapsed());

    let nodes = tree(&platform, &setup, size.nodes).await;
    let mut persons = Vec::new();
    for number in 0..size.persons {
        persons.push(person(&platform, &setup, &format!("person{number}")).await);
    }
    eprintln!("tree and persons after {:?}", started.elapsed());
    let mut random = fastrand::Rng::with_seed(1);
    for batch in 0..size.grants.div_ceil(2_000) {
        let count = 2_000.min(size.grants - batch * 2_000);
        let grants =
            (0..count).map(|_| (persons[random.usize(..persons.len())], nodes[random.usize(..nodes.len())]));
        fill(&platform, &setup, Fill::Grants(grants.collect())).await;
    }
    eprintln!("grants after {:?}", started.elapsed());
    for batch in 0..size.objects.div_ceil(2_000) {
        let count = 2_000.min(size.objects - batch * 2_000);
        let places = (0..count)
            .map(|number| (batch * 2_000 + number, nodes[nodes.len() - 1 - random.usize(..nodes.len() / 2)]));
        fill(&platform, &setup, Fill::Objects(places.collect())).await;
    }
    eprintln!("objects after {:?}", started.elapsed());

    let reopening = Instant::now();
    platform.kernel = platform.reopen(modules()).await.unwrap();
    let reopened = reopening.elapsed();
    let decisions = decisions(&platform, &persons, &nodes);
    let level = level(&platform, &actor).await;
    println!(
        "{}",
        json!({
            "grants": size.grants, "objects": size.objects, "nodes": size.nodes, "persons": size.persons,
            "decisions_per_second": decisions.0, "decision_p50_us": decisions.1, "decision_p99_us": decisions.2,
            "acts_per_second": acts.0, "acts_failed": acts.1, "bare_inserts_per_second": bare,
            "level_ms": level, "open_and_verify_ms": millis(reopened),
        })
    );
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Decisions of one thread, one after the other, from the index.
fn decisions(platform: &Platform, persons: &[PersonId], nodes: &[NodeId]) -> (f64, f64, f64) {
    let mut random = fastrand::Rng::with_seed(2);
    let asked: Vec<(Actor, NodeId)> = (0..100_000)
        .map(|_| {
            (platform.person(persons[random.usize(..persons.len())]), nodes[random.usize(..nodes.len())])
        })
        .collect();
    let mut times = Vec::with_capacity(asked.len());
    let mut allowed = 0;
    let started = Instant::now();
    for (actor, node) in &asked {
        let one = Instant::now();
        allowed += usize::from(platform.kernel.decide(actor, SHOW, *node));
        times.push(one.elapsed());
    }
    let whole = started.elapsed();
    eprintln!("{allowed} of {} allowed", asked.len());
    times.sort_unstable();
    let micros = |part: usize| times[times.len() * part / 100].as_secs_f64() * 1e6;
    (asked.len() as f64 / whole.as_secs_f64(), micros(50), micros(99))
}

/// Acts of eight writers at once, each a group that is made: two tables, the record, the heads.
async fn acts_per_second(platform: &Platform, actor: &Actor, count: usize) -> (f64, usize) {
    let started = Instant::now();
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let (kernel, actor) = (platform.kernel.clone(), actor.clone());
            tokio::spawn(async move {
                let mut failed = 0;
                for number in 0..count / 8 {
                    let name = format!("group-{writer}-{number}").parse().unwrap();
                    let act = CreateGroup { name, purpose: "bench".parse().unwrap() };
                    failed += usize::from(kernel.act(&actor, act).await.is_err());
                }
                failed
            })
        })
        .collect();
    let mut failed = 0;
    for writer in writers {
        failed += writer.await.unwrap();
    }
    (count as f64 / started.elapsed().as_secs_f64(), failed)
}

/// The limit: the sqlite3 shell, one row a transaction, with the same durability, on the same disk.
fn bare_inserts_per_second(platform: &Platform, count: usize) -> f64 {
    let file = platform.database.folder().join("bare.db");
    let mut shell = Command::new("sqlite3")
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("sqlite3");
    let mut pipe = shell.stdin.take().unwrap();
    writeln!(
        pipe,
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE bare (id INTEGER, body TEXT);"
    )
    .unwrap();
    let started = Instant::now();
    for number in 0..count {
        writeln!(pipe, "INSERT INTO bare VALUES ({number}, '{}');", "x".repeat(1_000)).unwrap();
    }
    drop(pipe);
    shell.wait().unwrap();
    count as f64 / started.elapsed().as_secs_f64()
}

/// A level of the tree with its counts, the slowest of ten.
async fn level(platform: &Platform, actor: &Actor) -> f64 {
    let mut slowest = Duration::ZERO;
    for _ in 0..10 {
        let started = Instant::now();
        let mut tx = platform.kernel.read(actor, Verb::new("node:list")).await.unwrap();
        let level = tx.level(platform.root, "", 100).await.unwrap();
        slowest = slowest.max(started.elapsed());
        assert!(!level.is_empty());
    }
    millis(slowest)
}

async fn person(platform: &Platform, setup: &Actor, name: &str) -> PersonId {
    let act = CreatePerson {
        name: name.parse().unwrap(),
        full_name: name.parse().unwrap(),
        email: "a@example.org".parse().unwrap(),
    };
    match platform.kernel.act(setup, act).await.unwrap() {
        Outcome::Done(created) => created.person,
        Outcome::Waiting(_) => unreachable!("a system actor's act never waits"),
    }
}

/// A tree of ten levels.
async fn tree(platform: &Platform, setup: &Actor, count: usize) -> Vec<NodeId> {
    let mut nodes = vec![platform.root];
    let mut depths = vec![1_usize];
    let mut random = fastrand::Rng::with_seed(3);
    while nodes.len() < count {
        let mut wanted = Vec::new();
        for number in 0..500.min(count - nodes.len()) {
            // Ten at the top; below, children of the nodes that are there, down to the tenth level.
            let parent = if nodes.len() < 11 { 0 } else { 1 + random.usize(..nodes.len() - 1) };
            if depths[parent] < 10 {
                wanted.push((nodes[parent], depths[parent], format!("n{}-{number}", nodes.len())));
            }
            if nodes.len() < 11 && number == 9 {
                break;
            }
        }
        let parents: Vec<_> = wanted.iter().map(|(parent, _, name)| (*parent, name.clone())).collect();
        let made = fill(platform, setup, Fill::Nodes(parents)).await;
        nodes.extend(made);
        depths.extend(wanted.iter().map(|(_, depth, _)| depth + 1));
    }
    nodes
}

/// Fills the state, many rows in one act.
#[derive(Serialize, Deserialize)]
enum Fill {
    Administrator(PersonId),
    Nodes(Vec<(NodeId, String)>),
    Grants(Vec<(PersonId, NodeId)>),
    Objects(Vec<(usize, NodeId)>),
}

async fn fill(platform: &Platform, setup: &Actor, act: Fill) -> Vec<NodeId> {
    match platform.kernel.act(setup, act).await.unwrap() {
        Outcome::Done(nodes) => nodes,
        Outcome::Waiting(_) => unreachable!("a system actor's act never waits"),
    }
}

impl Act for Fill {
    const VERB: Verb = Verb::new("bench:fill");
    type Output = Vec<NodeId>;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence("fill"))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let mut made = Vec::new();
        match self {
            Self::Administrator(person) => {
                tx.grant(grant(*person, permit.node(), "administrator")).await?;
            }
            Self::Nodes(nodes) => {
                for (parent, name) in nodes {
                    let name = name.parse().map_err(|_| KernelError::Invalid("name".into()))?;
                    let new = NewNode { parent: *parent, name, kind: NodeKind::Group, production: false };
                    made.push(tx.create_node(new).await?);
                }
            }
            Self::Grants(grants) => {
                for (person, node) in grants {
                    tx.grant(grant(*person, *node, "viewer")).await?;
                }
            }
            Self::Objects(objects) => {
                for (number, node) in objects {
                    tx.register(&ObjectRef::new("host", format!("ast_{number}")), *node, None).await?;
                }
            }
        }
        Ok(Done::new(made, Summary::of("filled"), ()))
    }
}

fn grant(person: PersonId, node: NodeId, role: &str) -> NewGrant {
    NewGrant {
        holder: Holder::Actor(ActorId::Person(person)),
        role: role.into(),
        node,
        until: None,
        duty: "bench".into(),
        reason: "bench".into(),
    }
}

fn bench_module() -> Module {
    let policy =
        r#"@id("fill") permit (principal == Actor::"sys_setup", action == Action::"bench:fill", resource);"#;
    Module::new("bench", &[], policy).act::<Fill>()
}
