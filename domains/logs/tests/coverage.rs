//! The calendar: what is there of sources on each day.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

#[allow(dead_code, reason = "other tests use the rest")]
mod world;

use garrison_kernel::{Actor, KernelError};
use garrison_logs::acts::DisableSource;
use garrison_logs::coverage::CoverSources;
use garrison_logs::intake::Refused;
use garrison_logs::{Coverage, CoveredDay, Target};
use garrison_testkit::Engine;
use garrison_web::Question;
use jiff::SignedDuration;
use world::{World, id};

/// All pages, of so many days each.
async fn pages(world: &World, who: &Actor, (from, to): (&str, &str), limit: i64) -> Vec<CoveredDay> {
    let (mut days, mut cursor) = (Vec::new(), None);
    loop {
        let asked = CoverSources {
            source: None,
            from: Some(from.parse().unwrap()),
            to: Some(to.parse().unwrap()),
            limit: Some(limit),
            cursor,
        };
        let mut tx = world.platform.kernel.read(who, CoverSources::VERB).await.unwrap();
        let page = asked.answer(&mut tx).await.unwrap();
        assert!(page.items.len() <= usize::try_from(limit).unwrap());
        days.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return days;
        }
    }
}

fn told(days: &[CoveredDay]) -> Vec<String> {
    let line = |day: &CoveredDay| {
        let state = format!("{:?}", day.state).to_lowercase();
        format!("{} {} {state} {} {}", day.name, day.day, day.events, day.why.join("; "))
            .trim_end()
            .to_owned()
    };
    days.iter().map(line).collect()
}

/// A day, from midnight to midnight, on which each source does something else.
async fn live_a_day(world: &World, [whole, quiet, limited]: [&Target; 3]) {
    for minute in 0..1440 {
        if minute % 30 == 0 {
            world.send(whole, 1).await.unwrap();
        }
        if minute % 30 == 0 && minute <= 600 {
            world.send(quiet, 2).await.unwrap();
        }
        match minute {
            300 => {
                world.send(limited, 1).await.unwrap();
                assert!(matches!(world.send(limited, 5).await, Err(Refused::Rate(1))));
                world.keep().await;
            }
            600 => {
                let late = world.source("late", None).await;
                world.send(&late, 1).await.unwrap();
            }
            _ => {}
        }
        world.pass(1).await;
    }
    world.keep().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_whole_or_the_calendar_says_why_not() {
    let world = World::new(Engine::Sqlite).await;
    let admin = world.administrator().await;
    let whole = world.source("whole", Some(60)).await;
    let quiet = world.source("quiet", Some(60)).await;
    let limited = Target { rate: Some(1), ..world.source("limited", None).await };
    world.source("none", Some(60)).await;
    let off = world.source("off", None).await;
    world.act(&admin, DisableSource { source: id(&off) }).await.unwrap();
    // Five minutes to midnight.
    world.platform.clock.advance(SignedDuration::from_mins(834));
    world.logs.beat().await.unwrap();
    for target in [&whole, &quiet] {
        world.send(target, 1).await.unwrap();
    }
    world.pass(5).await;
    live_a_day(&world, [&whole, &quiet, &limited]).await;
    let open = pages(&world, &admin, ("2026-11-23", "2026-11-23"), 500).await;
    assert!(open.iter().all(|day| day.state == Coverage::Open), "{:?}", told(&open));
    world.pass(6).await;

    let day = "2026-11-23";
    let wanted = [
        format!("late {day} partial 1 created at 10:00"),
        format!("limited {day} partial 1 refused 5 by rate"),
        format!("none {day} missing 0"),
        format!("off {day} disabled 0"),
        format!("quiet {day} partial 42 silent for 840 minutes"),
        format!("whole {day} whole 48"),
    ];
    for limit in [1, 4, 6, 500] {
        assert_eq!(told(&pages(&world, &admin, (day, day), limit).await), wanted, "{limit}");
    }
    let days = told(&pages(&world, &admin, ("2026-11-20", "2026-12-24"), 500).await);
    let of_whole: Vec<&String> = days.iter().filter(|line| line.starts_with("whole")).collect();
    assert_eq!(
        of_whole,
        [
            "whole 2026-11-22 partial 1 created at 10:01; silent for 834 minutes; server down for 834 minutes",
            "whole 2026-11-23 whole 48",
            "whole 2026-11-24 open 0",
        ]
    );

    // The server ends, and is back a day and an hour later.
    world.send(&Target { rate: None, ..limited }, 1).await.unwrap();
    world.keep().await;
    let world = world.restart(25 * 60).await;
    let days = told(&pages(&world, &admin, ("2026-11-24", "2026-11-24"), 500).await);
    assert!(days.contains(&"limited 2026-11-24 partial 1 server down for 1434 minutes".into()), "{days:?}");
    assert!(days.contains(&"none 2026-11-24 missing 0 server down for 1434 minutes".into()), "{days:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_counted_before_a_kill_is_counted_after_it() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let admin = world.administrator().await;
        let target = world.source("web", None).await;
        world.send(&target, 2).await.unwrap();
        world.keep().await;
        world.send(&target, 3).await.unwrap();
        let world = world.restart(0).await;
        world.keep().await;
        let days = pages(&world, &admin, ("2026-11-22", "2026-11-22"), 500).await;
        assert_eq!(told(&days), ["web 2026-11-22 open 5"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_sees_nothing() {
    let world = World::new(Engine::Sqlite).await;
    let target = world.source("web", None).await;
    world.send(&target, 1).await.unwrap();
    world.keep().await;
    let origin = garrison_testkit::origin();
    let other = world.platform.kernel.found_tenant(&"umbra".parse().unwrap(), origin).await.unwrap();
    let stranger = world.person(other, "ulla", "administrator").await;
    assert!(pages(&world, &stranger, ("2026-11-22", "2026-11-22"), 500).await.is_empty());
    let mut tx = world.platform.kernel.read(&stranger, CoverSources::VERB).await.unwrap();
    let asked = CoverSources { source: Some(id(&target)), ..CoverSources::default() };
    assert!(matches!(asked.answer(&mut tx).await, Err(KernelError::NotFound)));
}
