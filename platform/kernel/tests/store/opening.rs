//! Opening: what was kept is there again, and what does not fit stops the start.

use std::sync::Arc;

use garrison_kernel::{Kernel, Migration, Module, OpenError, Options, Verb};
use garrison_secrets::RootKey;
use garrison_testkit::{Database, Engine, Platform, SeededEntropy};

use crate::support::notes::{MIGRATIONS, READ, Write};
use crate::support::{World, holder, modules};

const STEPS: &[Migration] = &[
    Migration { version: 1, sql: "CREATE TABLE first (id TEXT PRIMARY KEY, body BLOB NOT NULL);" },
    Migration { version: 2, sql: "CREATE TABLE second (id TEXT PRIMARY KEY);" },
];
const OTHER: &[Migration] = &[Migration { version: 1, sql: "CREATE TABLE other (id TEXT PRIMARY KEY);" }];
/// Its second statement cannot be run.
const BROKEN: &[Migration] = &[
    STEPS[0],
    Migration { version: 2, sql: "CREATE TABLE second (id TEXT PRIMARY KEY); CREATE TABLE first (id TEXT);" },
];

fn domain(steps: &'static [Migration]) -> Vec<Module> {
    vec![Module::new("domain", steps, "")]
}

fn words<T>(opened: Result<T, OpenError>) -> String {
    opened.err().map(|error| error.to_string()).unwrap_or_default()
}

fn tables(database: &Database, engine: Engine) -> Vec<String> {
    let sql = match engine {
        Engine::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
        Engine::Postgres => "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename",
    };
    database.by_hand(sql).lines().map(Into::into).collect()
}

#[tokio::test]
async fn everything_is_there_again_after_a_restart() {
    for engine in Engine::all() {
        let mut world = World::new(engine).await;
        let person = world.person("ada").await;
        let group = world.group("crew", &[person]).await;
        world.grant(garrison_kernel::Holder::Group(group), "writer", world.shop).await;
        world.grant(holder(person), "reader", world.pay).await;
        world.note(world.pay, "kept").await;
        let ada = world.platform.person(person);
        let state = async |world: &World| {
            let explained =
                world.kernel().explain(&ada, ada.id, "note:write", &world.checkout.into()).await.unwrap();
            let explained = serde_json::to_value(explained).unwrap();
            (world.seen(&ada).await.unwrap(), explained, world.records().await)
        };
        let before = state(&world).await;
        world.reopen().await;
        assert_eq!(state(&world).await, before);
        world.note(world.shop, "goes on").await;
        assert_eq!(world.last_record().await.seq, before.2.len() as i64 + 1);
    }
}

#[tokio::test]
async fn data_of_a_newer_build_is_refused() {
    for engine in Engine::all() {
        let platform = Platform::new(engine, domain(STEPS)).await;
        assert!(tables(&platform.database, engine).contains(&"second".to_owned()));
        let older = words(platform.reopen(domain(&STEPS[..1])).await);
        assert!(older.contains("newer") && older.contains("domain"), "{older}");
        platform.reopen(domain(STEPS)).await.unwrap().verify().await.unwrap();
    }
}

#[tokio::test]
async fn a_migration_that_was_applied_may_not_change() {
    for engine in Engine::all() {
        let platform = Platform::new(engine, domain(&STEPS[..1])).await;
        let other = words(platform.reopen(domain(OTHER)).await);
        assert!(other.contains("migration 1 of domain"), "{other}");
        assert!(!tables(&platform.database, engine).contains(&"other".to_owned()));
    }
}

#[tokio::test]
async fn an_older_state_is_brought_up_step_by_step_and_each_step_once() {
    for engine in Engine::all() {
        let platform = Platform::new(engine, domain(&STEPS[..1])).await;
        for _ in 0..2 {
            platform.reopen(domain(STEPS)).await.unwrap().close().await;
        }
        let ledger = "SELECT version FROM migration WHERE domain = 'domain' ORDER BY version";
        assert_eq!(platform.database.by_hand(ledger).lines().collect::<Vec<_>>(), ["1", "2"]);
    }
}

#[tokio::test]
async fn a_migration_that_breaks_off_leaves_nothing() {
    for engine in Engine::all() {
        let platform = Platform::new(engine, domain(&STEPS[..1])).await;
        let before = tables(&platform.database, engine);
        assert!(platform.reopen(domain(BROKEN)).await.is_err());
        assert_eq!(tables(&platform.database, engine), before);
        platform.reopen(domain(STEPS)).await.unwrap();
    }
}

const ROWS: &str = "SELECT node_id, name, generation FROM node ORDER BY node_id";

#[tokio::test]
async fn another_root_key_does_not_open_the_state() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        world.note(world.shop, "kept").await;
        world.kernel().close().await;
        let database = &world.platform.database;
        let dump = database.by_hand(ROWS);
        let other = RootKey::ephemeral(&SeededEntropy::new(4711));
        let options = Options {
            database: database.url.clone(),
            connections: 2,
            root_key: &other,
            clock: world.platform.clock.clone(),
            entropy: Arc::new(SeededEntropy::new(1)),
            journal: None,
        };
        // Not even with a policy that allows everything.
        let yes = Module::new("yes", &[], r#"@id("yes") permit (principal, action, resource);"#)
            .read(Verb::new("yes:yes"));
        let opened = words(Kernel::open(options, modules().into_iter().chain([yes]).collect()).await);
        assert!(opened.contains("changed by hand"), "{opened}");
        assert_eq!(database.by_hand(ROWS), dump);
    }
}

#[tokio::test]
async fn wrong_policies_and_verbs_stop_the_start() {
    for engine in Engine::all() {
        let platform = Platform::new(engine, Vec::new()).await;
        let notes = |policy| vec![Module::new("notes", MIGRATIONS, policy).act::<Write>()];
        for (policy, complaint) in [
            (r#"permit (principal, action, resource);"#, "@id"),
            (
                r#"@id("a") permit (principal, action == Action::"note:unheard-of", resource);"#,
                "note:unheard-of",
            ),
            (r#"@id("a") permit (principal, action, resource) when { resource.colour == "red" };"#, "colour"),
            (
                r#"@id("a") permit (principal, action, resource) when { resource.owner == principal };"#,
                "owner",
            ),
            (r#"@id("a") permit (principal, action"#, ""),
        ] {
            let refused = platform.reopen(notes(policy)).await;
            assert!(matches!(refused, Err(OpenError::Policy(_))), "{policy}");
            let refused = words(refused);
            assert!(refused.contains("notes") && refused.contains(complaint), "{refused}");
        }
        let twice = vec![Module::new("one", &[], "").read(READ), Module::new("two", &[], "").read(READ)];
        assert!(matches!(platform.reopen(twice).await, Err(OpenError::Twice(READ))));
    }
}
