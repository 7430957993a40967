//! How long logs are kept: nothing goes early, nothing that is held goes, and what goes leaves a trace.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

#[allow(dead_code, reason = "other tests use the rest")]
mod world;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use garrison_kernel::{Act as _, Actor};
use garrison_lake::FileEntry;
use garrison_logs::Retention;
use garrison_logs::acts::{CreateHold, EndHold, ExpireLogs, KeptFile, SetRetention};
use garrison_logs::reads::{ListHolds, ListRetention};
use garrison_testkit::Engine;
use garrison_web::Question;
use world::World;

fn set(stream: &str, days: i64) -> SetRetention {
    SetRetention { stream: stream.parse().unwrap(), days }
}

fn files(world: &World) -> Vec<Arc<FileEntry>> {
    world.logs.lake().files(world.platform.tenant)
}

fn streams(world: &World) -> Vec<String> {
    let mut streams: Vec<String> = files(world).iter().map(|file| file.stream.clone()).collect();
    streams.sort();
    streams
}

/// Where a file and its index of words lie.
fn paths(world: &World, file: &FileEntry) -> [PathBuf; 2] {
    let lake = world.platform.database.folder().join("lake");
    [lake.join(file.path()), lake.join(file.words_path())]
}

fn keys_of_auth(world: &World) -> String {
    world.platform.database.by_hand("SELECT count(*) FROM logs_key WHERE stream = 'auth'").trim().to_owned()
}

/// Two streams with a file each, `auth` for 180 days, and somebody who may say so.
async fn furnished(engine: Engine) -> (World, Actor) {
    let world = World::new(engine).await;
    let admin = world.administrator().await;
    for name in ["auth", "web"] {
        let target = world.source(name, None).await;
        world.send(&target, 3).await.unwrap();
    }
    world.keep().await;
    world.act(&admin, set("auth", 180)).await.unwrap();
    assert_eq!(streams(&world), ["auth", "web"]);
    (world, admin)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_kept_for_half_a_year_at_least() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let admin = world.administrator().await;
        world.source("auth", None).await;
        for (stream, days, why) in [
            ("auth", 179, "180 days at least"),
            ("auth", -1, "180 days at least"),
            ("auth", 36_501, "36500 days at most"),
            ("auht", 400, "no stream `auht`"),
        ] {
            let refused = world.act(&admin, set(stream, days)).await.unwrap_err().to_string();
            assert!(refused.contains(why), "{refused}");
        }
        let list = async || -> Vec<Retention> {
            let mut tx = world.platform.kernel.read(&admin, ListRetention::VERB).await.unwrap();
            ListRetention { limit: None, cursor: None }.answer(&mut tx).await.unwrap().items
        };
        let listed = list().await;
        assert_eq!((listed.len(), listed[0].days, listed[0].since), (1, 365, None));
        world.act(&admin, set("auth", 180)).await.unwrap();
        let listed = list().await;
        assert_eq!((listed.len(), listed[0].days), (1, 180));
        assert!(listed[0].since.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shorter_time_tells_what_it_makes_due() {
    let (world, admin) = furnished(Engine::Sqlite).await;
    world.live(200).await;
    let shown = async |days| {
        let mut tx = world.platform.kernel.read(&admin, ListRetention::VERB).await.unwrap();
        let preview = set("web", days).preview(&mut tx).await.unwrap();
        preview
            .changes
            .into_iter()
            .map(|change| [change.what, change.before, change.after])
            .collect::<Vec<_>>()
    };
    let line = |what: &str, before: &str, after: &str| [what, before, after].map(str::to_owned);
    let shorter = [
        line("days", "365", "199"),
        line("files that become due", "0", "1"),
        line("events that become due", "0", "3"),
    ];
    assert_eq!(shown(199).await, shorter);
    // It is due after two hundred whole days, and these are not over.
    let longer = shown(200).await;
    assert_eq!(longer[1], line("files that become due", "0", "0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_before_it_is_due_or_while_it_is_held() {
    for engine in Engine::all() {
        let (world, admin) = furnished(engine).await;
        let (file, kept) = {
            let file = files(&world).into_iter().find(|file| file.stream == "auth").unwrap();
            (KeptFile::from(&*file), paths(&world, &file))
        };
        world.live(180).await;
        world.logs.expire().await.unwrap();
        assert_eq!(streams(&world), ["auth", "web"]);

        let hold = CreateHold {
            stream: Some("auth".parse().unwrap()),
            from_day: Some("2026-11-22".parse().unwrap()),
            to_day: Some("2026-11-22".parse().unwrap()),
            reason: "a case".parse().unwrap(),
        };
        let hold = world.act(&admin, hold).await.unwrap().hold;
        world.live(1).await;
        world.logs.expire().await.unwrap();
        assert_eq!(streams(&world), ["auth", "web"]);

        let end = || EndHold { hold, reason: "it is closed".parse().unwrap() };
        world.act(&admin, end()).await.unwrap();
        assert!(world.act(&admin, end()).await.is_err(), "it has ended");
        let mut tx = world.platform.kernel.read(&admin, ListHolds::VERB).await.unwrap();
        let holds = ListHolds { limit: None, cursor: None }.answer(&mut tx).await.unwrap().items;
        assert_eq!((holds.len(), holds[0].end_reason.as_deref()), (1, Some("it is closed")));
        drop(tx);

        assert_eq!(keys_of_auth(&world), "1");
        world.logs.expire().await.unwrap();
        assert_eq!(streams(&world), ["web"]);
        assert_eq!(keys_of_auth(&world), "0");
        // Questions that had begun may still read it; then it goes.
        world.logs.lake().tidy(Duration::from_hours(1));
        assert!(kept.iter().all(|path| path.exists()));
        world.logs.lake().tidy(Duration::ZERO);
        assert!(kept.iter().all(|path| !path.exists()));

        let records = world.records("log:expire").await;
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].result, "success");
        assert_eq!(records[0].content["files"][0], serde_json::to_value(&file).unwrap());
        assert_eq!(file.digest.len(), 64);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_ahead_deletes_nothing() {
    for engine in Engine::all() {
        let (world, _) = furnished(engine).await;
        world.skip(4000);
        world.logs.expire().await.unwrap();
        assert_eq!(streams(&world), ["auth", "web"]);
        // Whoever asks, and also after a start.
        let world = world.restart(0).await;
        let file = files(&world).into_iter().find(|file| file.stream == "auth").unwrap();
        let act = ExpireLogs { files: vec![KeptFile::from(&*file)] };
        let refused = world.act(&world.system(), act).await.unwrap_err().to_string();
        assert!(refused.contains("is due on"), "{refused}");
        // It is set right: what would have been due then is due then.
        world.skip(-4000);
        world.live(180).await;
        world.logs.expire().await.unwrap();
        assert_eq!(streams(&world), ["auth", "web"]);
        world.live(1).await;
        world.logs.expire().await.unwrap();
        assert_eq!(streams(&world), ["web"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_due_is_refused_whoever_asks() {
    let (world, admin) = furnished(Engine::Sqlite).await;
    world.live(181).await;
    let of = |stream: &str| {
        let file = files(&world).into_iter().find(|file| file.stream == stream).unwrap();
        KeptFile::from(&*file)
    };
    let (due, early) = (of("auth"), of("web"));
    let other = KeptFile { events: 4, ..due.clone() };
    let forged = world.act(&admin, ExpireLogs { files: vec![due.clone()] }).await.unwrap_err();
    assert_eq!(forged.kind().status, 403, "{forged}");
    for (files, why) in [
        (vec![due.clone(), early], "is due on 2027-11-23"),
        (vec![other], "not what the list says"),
        (vec![due.clone(), due], "not on the list"),
    ] {
        let refused = world.act(&world.system(), ExpireLogs { files }).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
    let records = world.records("log:expire").await;
    assert_eq!(records.len(), 4);
    assert!(records.iter().all(|record| record.result != "success"));
    let listed = world.platform.database.by_hand("SELECT count(*) FROM logs_file");
    assert_eq!(listed.trim(), "2", "a refused act changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_shortly_before_the_end_is_removed_at_the_next_start() {
    let (world, _) = furnished(Engine::Sqlite).await;
    let file = files(&world).into_iter().find(|file| file.stream == "auth").unwrap();
    let kept = paths(&world, &file);
    world.live(181).await;
    world.logs.expire().await.unwrap();
    assert!(kept.iter().all(|path| path.exists()));
    let world = world.restart(0).await;
    assert_eq!(streams(&world), ["web"]);
    let folder = kept[0].parent().unwrap();
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0, "nothing was set aside either");
    let web = files(&world)[0].clone();
    assert!(paths(&world, &web).iter().all(|path| path.exists()));
}
