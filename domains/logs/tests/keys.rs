//! Keys of streams and days: what a stream holds, rotation, and destruction that destroys what it says and nothing else.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

#[allow(dead_code, reason = "other tests use the rest")]
mod world;

use std::fs;
use std::time::Duration;

use arrow::array::AsArray as _;
use arrow::datatypes::Int64Type;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use garrison_base::{BackupId, Clock as _};
use garrison_kernel::{Actor, Outcome, Problem, System};
use garrison_lake::{Ask, Budget, Question as Asked, Scope};
use garrison_logs::acts::{
    ClassifyStream, CreateBackup, CreateHold, DestroyKey, ForgetBackup, KeepLogs, KeptFile, RotateKey,
};
use garrison_logs::reads::ListKeyChanges;
use garrison_logs::{DataKey, Day, HeldKey, KeyChange, NotedBackup};
use garrison_secrets::{Class, KeyError, SystemEntropy};
use garrison_testkit::{Engine, Platform, origin};
use garrison_web::Question as _;
use jiff::SignedDuration;
use world::{World, key_store};

fn classify(stream: &str, class: Class) -> ClassifyStream {
    ClassifyStream { stream: stream.parse().unwrap(), class }
}

fn destroy(stream: &str, from: Option<&str>, to: &str) -> DestroyKey {
    DestroyKey {
        stream: stream.parse().unwrap(),
        from_day: from.map(|day| day.parse().unwrap()),
        to_day: to.parse().unwrap(),
        reason: "the contract has ended".parse().unwrap(),
    }
}

/// How many events of a source can be read.
async fn readable(world: &World, source: &str) -> i64 {
    let ask = Ask::Sql(format!("SELECT count(raw) FROM logs WHERE source = '{source}'"));
    let scope = Scope { tenant: world.platform.tenant, nodes: None, from: 0, to: i64::MAX };
    let budget = Budget { time: Duration::from_secs(30), memory: 64 << 20, disk: 1 << 30 };
    let mut answer = world.logs.lake().ask(Asked { ask, scope, budget }, ());
    let batch = answer.next().await.unwrap().unwrap();
    batch.column(0).as_primitive::<Int64Type>().value(0)
}

/// The listed keys of a stream: day, class and version.
fn listed(platform: &Platform, stream: &str) -> Vec<String> {
    let sql = format!("SELECT day, class, version FROM logs_key WHERE stream = '{stream}' ORDER BY day");
    platform.database.by_hand(&sql).lines().map(str::to_owned).collect()
}

fn row(day: &str, class: &str, version: u32) -> String {
    format!("{}|{class}|{version}", day.parse::<Day>().unwrap().number())
}

/// The versions of the customer's key that are there.
fn alive(world: &World) -> Vec<u32> {
    let keys = world.keys.keys().into_iter();
    let alive = keys.filter(|key| key.class == Class::Customer && key.destroyed.is_none());
    alive.map(|key| key.version).collect()
}

async fn changes(world: &World, actor: &Actor) -> Vec<KeyChange> {
    let mut tx = world.platform.kernel.read(actor, ListKeyChanges::VERB).await.unwrap();
    ListKeyChanges { change: None, limit: None, cursor: None }.answer(&mut tx).await.unwrap().items
}

async fn refused(world: &World, actor: &Actor, act: DestroyKey) -> Box<dyn Problem> {
    world.act(actor, act).await.unwrap_err()
}

/// Three days with events of `orders`, of which the last two are a customer's, and of `auth`; it is the fourth day.
async fn furnished(engine: Engine) -> (World, Actor) {
    let world = World::new(engine).await;
    let admin = world.administrator().await;
    let (orders, auth) = (world.source("orders", None).await, world.source("auth", None).await);
    let classified = world.act(&admin, classify("orders", Class::Customer)).await.unwrap();
    assert!(classified.changed);
    assert_eq!(classified.from.to_string(), "2026-11-23");
    for count in [2, 3, 4] {
        world.send(&orders, count).await.unwrap();
        world.send(&auth, 1).await.unwrap();
        world.keep().await;
        world.skip(1);
    }
    let expected = [
        row("2026-11-22", "security", 1),
        row("2026-11-23", "customer", 1),
        row("2026-11-24", "customer", 1),
    ];
    assert_eq!(listed(&world.platform, "orders"), expected);
    assert_eq!((readable(&world, "orders").await, readable(&world, "auth").await), (9, 3));
    (world, admin)
}

#[tokio::test(flavor = "multi_thread")]
async fn destruction_takes_these_days_and_nothing_else() {
    for engine in Engine::all() {
        let (world, admin) = furnished(engine).await;
        let before = world.platform.database.by_hand(
            "SELECT wrapped FROM logs_key WHERE stream = 'orders' AND class = 'customer' ORDER BY day LIMIT 1",
        );
        let condemned = world.act(&admin, destroy("orders", Some("2026-11-23"), "2026-11-23")).await.unwrap();
        assert_eq!((condemned.days, condemned.files, condemned.events), (1, 1, 3));
        world.logs.settle_keys().await.unwrap();

        let world = check(world, &admin).await;
        let world = check(world.away(async |_| {}).await, &admin).await;
        // Whoever kept a copy of the row has nothing that opens it.
        let wrapped = STANDARD.decode(before.trim()).unwrap();
        let day = "2026-11-23".parse::<Day>().unwrap().number();
        let place = format!("{}/orders/{day}", world.platform.tenant);
        let gone = world.keys.unwrap((world.platform.tenant, Class::Customer, 1), &place, &wrapped);
        assert!(matches!(gone, Err(KeyError::Destroyed { .. })));
    }
}

/// What is there after the destruction.
async fn check(world: World, admin: &Actor) -> World {
    let left = [row("2026-11-22", "security", 1), row("2026-11-24", "customer", 2)];
    assert_eq!(listed(&world.platform, "orders"), left);
    assert_eq!((readable(&world, "orders").await, readable(&world, "auth").await), (6, 3));
    assert_eq!(alive(&world), [2]);
    let certificates = changes(&world, admin).await;
    let [certificate] = &certificates[..] else { panic!("{certificates:?}") };
    assert_eq!((certificate.kind.as_str(), certificate.state.as_str()), ("destruction", "done"));
    assert_eq!((certificate.events, certificate.version), (3, Some(2)));
    let destroyed: Vec<u32> = certificate.destroyed.iter().map(|destroyed| destroyed.version).collect();
    assert_eq!((destroyed, certificate.backups.len()), (vec![1], 0));
    assert!(certificate.settled.is_some() && certificate.beyond.is_some());
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn security_records_stay() {
    let (world, admin) = furnished(Engine::Sqlite).await;
    for (act, kind, why) in [
        (destroy("auth", None, "2026-11-24"), "key/security", "security records on 2026-11-22"),
        (destroy("orders", None, "2026-11-24"), "key/security", "security records on 2026-11-22"),
        (destroy("orders", Some("2026-11-23"), "2026-11-25"), "request/invalid", "not over for an hour"),
        (destroy("orders", Some("2026-11-24"), "2026-11-23"), "request/invalid", "no data on these days"),
        (destroy("nothing", None, "2026-11-24"), "request/invalid", "no data on these days"),
    ] {
        let problem = refused(&world, &admin, act).await;
        assert_eq!(problem.kind().name, kind);
        assert!(problem.to_string().contains(why), "{problem}");
    }
    let hold = CreateHold {
        stream: None,
        from_day: Some("2026-11-24".parse().unwrap()),
        to_day: None,
        reason: "a case".parse().unwrap(),
    };
    world.act(&admin, hold).await.unwrap();
    let problem = refused(&world, &admin, destroy("orders", Some("2026-11-23"), "2026-11-24")).await;
    assert_eq!(problem.kind().name, "key/held");
    // Nobody who only reads logs destroys any.
    let analyst = world.person((world.platform.tenant, world.platform.root), "carl", "analyst").await;
    let problem = refused(&world, &analyst, destroy("orders", Some("2026-11-23"), "2026-11-23")).await;
    assert_eq!(problem.kind().name, "access/denied");
    world.logs.settle_keys().await.unwrap();
    assert_eq!(alive(&world), [1]);
    assert_eq!((readable(&world, "orders").await, readable(&world, "auth").await), (9, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_open_is_done_at_the_next_start() {
    let (world, admin) = furnished(Engine::Sqlite).await;
    // It is decided, and nobody is there to do it.
    let world = world
        .away(async |platform| {
            let done = platform.kernel.act(&admin, destroy("orders", Some("2026-11-23"), "2026-11-23")).await;
            assert!(matches!(done, Ok(Outcome::Done(_))));
            let keys = key_store(platform).keys();
            assert!(keys.iter().all(|key| key.destroyed.is_none()), "{keys:?}");
        })
        .await;
    assert_eq!(readable(&world, "orders").await, 6);
    world.logs.settle_keys().await.unwrap();
    let world = check(world, &admin).await;

    // The versions were destroyed, and nobody was there to note it.
    let world = world
        .away(async |platform| {
            platform
                .database
                .by_hand("UPDATE logs_key_change SET state = 'open', settled = NULL, destroyed = NULL");
        })
        .await;
    world.logs.settle_keys().await.unwrap();
    check(world, &admin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_destroyed_that_a_listed_key_needs() {
    let (world, admin) = furnished(Engine::Sqlite).await;
    let version = |version: &str| format!("UPDATE logs_key_change SET version = {version}");
    // It is decided, and the row is changed by hand.
    let world = world
        .away(async |platform| {
            let done = platform.kernel.act(&admin, destroy("orders", Some("2026-11-23"), "2026-11-23")).await;
            assert!(matches!(done, Ok(Outcome::Done(_))));
            platform.database.by_hand(&version("99"));
        })
        .await;
    let refused = world.logs.settle_keys().await.unwrap_err();
    assert!(refused.contains("nothing is destroyed"), "{refused}");
    assert_eq!((alive(&world), readable(&world, "orders").await), (vec![1], 6));
    // The row is what a crash behind the first step leaves, and the key store a copy from before that step.
    let world = world
        .away(async |platform| {
            platform.database.by_hand(&version("2"));
        })
        .await;
    world.logs.settle_keys().await.unwrap();
    check(world, &admin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_was_made_while_the_clock_was_ahead_is_not_the_new_one() {
    let (world, admin) = furnished(Engine::Sqlite).await;
    world.skip(1000);
    world.act(&admin, RotateKey { class: Class::Customer }).await.unwrap();
    world.logs.settle_keys().await.unwrap();
    world.skip(-1000);
    world.act(&admin, destroy("orders", Some("2026-11-23"), "2026-11-23")).await.unwrap();
    world.logs.settle_keys().await.unwrap();
    assert_eq!(alive(&world), [3]);
    let certificates = changes(&world, &admin).await;
    let certificate = certificates.iter().find(|change| change.kind == "destruction").unwrap();
    let destroyed: Vec<u32> = certificate.destroyed.iter().map(|destroyed| destroyed.version).collect();
    assert_eq!((destroyed, certificate.version), (vec![1, 2], Some(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_key_store_brings_nothing_back() {
    let (world, admin) = furnished(Engine::Sqlite).await;
    let path = world.platform.database.folder().join("keys/keys.store");
    let before = fs::read(&path).unwrap();
    world.act(&admin, destroy("orders", Some("2026-11-23"), "2026-11-24")).await.unwrap();
    world.logs.settle_keys().await.unwrap();
    assert_eq!(alive(&world), [2]);
    let world = world.away(async |_| fs::write(&path, before).unwrap()).await;
    world.logs.settle_keys().await.unwrap();
    assert_eq!(alive(&world), [0_u32; 0]);
    assert_eq!((readable(&world, "orders").await, readable(&world, "auth").await), (2, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn rotation_wraps_all_keys_anew_and_destroys_none() {
    for engine in Engine::all() {
        let (world, admin) = furnished(engine).await;
        for class in [Class::Customer, Class::Security] {
            world.act(&admin, RotateKey { class }).await.unwrap();
        }
        world.logs.settle_keys().await.unwrap();
        let world = world.away(async |_| {}).await;
        let wrapped = [
            row("2026-11-22", "security", 2),
            row("2026-11-23", "customer", 2),
            row("2026-11-24", "customer", 2),
        ];
        assert_eq!(listed(&world.platform, "orders"), wrapped);
        assert_eq!(alive(&world), [1, 2]);
        assert_eq!((readable(&world, "orders").await, readable(&world, "auth").await), (9, 3));
        assert!(changes(&world, &admin).await.iter().all(|change| change.state == "done"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_and_no_file_comes_to_the_lists_behind_a_renewal() {
    let (world, admin) = furnished(Engine::Sqlite).await;
    let file = world.logs.lake().files(world.platform.tenant);
    let file = file.iter().find(|file| file.stream == "orders" && file.rows == 3).unwrap().clone();
    world.act(&admin, destroy("orders", Some("2026-11-23"), "2026-11-23")).await.unwrap();
    world.logs.settle_keys().await.unwrap();
    let keep = |files: Vec<KeptFile>, keys| KeepLogs {
        upto: 0,
        files,
        keys,
        counted: Vec::new(),
        days: Vec::new(),
        refused: Vec::new(),
    };
    let key = |version| DataKey {
        stream: "orders".into(),
        day: file.day(),
        version,
        wrapped: String::new(),
        class: Class::Customer,
    };
    let late = world.act(&world.system(), keep(Vec::new(), vec![key(1)])).await.unwrap_err();
    assert!(late.to_string().contains("wraps nothing new"), "{late}");
    let late = world.act(&world.system(), keep(vec![KeptFile::from(&*file)], Vec::new())).await.unwrap_err();
    assert!(late.to_string().contains("is not listed any more"), "{late}");
    // What is of a destroyed day and comes after all has a key of its own.
    world.act(&world.system(), keep(Vec::new(), vec![key(2)])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_names_the_backups_that_can_still_read() {
    for engine in Engine::all() {
        let (world, admin) = furnished(engine).await;
        let console = Actor::system(System::CONSOLE, world.platform.tenant, origin());
        let noted = |days: i64, class: Class, version: u32| {
            let made = world.platform.clock.now();
            NotedBackup {
                backup: BackupId::new(made, &SystemEntropy),
                made,
                expires: made.checked_add(SignedDuration::from_hours(24 * days)).unwrap(),
                place: "the safe".parse().unwrap(),
                records: 9,
                keys: vec![HeldKey { class, version }],
            }
        };
        let [short, long] = [noted(2, Class::Customer, 1), noted(30, Class::Customer, 1)];
        // Of the key of security records, and of a version that stays.
        let others = [noted(30, Class::Security, 1), noted(30, Class::Customer, 2)];
        for backup in [&short, &long].into_iter().chain(&others).cloned() {
            world.act(&console, CreateBackup { backup }).await.unwrap();
        }
        let denied = world.act(&admin, CreateBackup { backup: short.clone() }).await.unwrap_err();
        assert_eq!(denied.kind().name, "access/denied");

        world.act(&admin, destroy("orders", Some("2026-11-23"), "2026-11-23")).await.unwrap();
        let named = async || -> Vec<BackupId> {
            let changes = changes(&world, &admin).await;
            changes[0].backups.iter().map(|backup| backup.backup).collect()
        };
        world.logs.settle_keys().await.unwrap();
        let mut both = [short.backup, long.backup];
        both.sort_unstable_by(|left, right| right.cmp(left));
        assert_eq!(named().await, both);
        let certificates = changes(&world, &admin).await;
        let until = |id| certificates[0].backups.iter().find(|backup| backup.backup == id).unwrap().expires;
        assert_eq!((until(short.backup), until(long.backup)), (short.expires, long.expires));
        assert_eq!(certificates[0].backups[0].place, "the safe");
        world.skip(2);
        assert_eq!(named().await, [long.backup]);
        let forgotten = world.act(&console, ForgetBackup { backup: long.backup }).await.unwrap();
        assert!(forgotten.changed);
        assert!(named().await.is_empty());
        assert!(!world.act(&console, ForgetBackup { backup: long.backup }).await.unwrap().changed);
    }
}
