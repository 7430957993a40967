//! What the log says twice is the same event twice: under the id that it had, also where nobody said that it ended.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

#[allow(dead_code, reason = "other tests use the rest")]
mod world;

use std::time::Duration;

use arrow::array::AsArray as _;
use arrow::datatypes::Int64Type;
use datafusion::logical_expr::{SortExpr, col};
use garrison_decode::Events;
use garrison_lake::{Ask, Budget, Question, Scope};
use garrison_logs::Target;
use garrison_logs::intake::Sender;
use garrison_testkit::Engine;
use jiff::SignedDuration;
use world::World;

/// A part of an audit event whose end never comes.
fn part(serial: u32) -> String {
    format!(
        "type=SYSCALL msg=audit(1795341600.{serial:03}:{serial}): arch=c000003e syscall=59 success=yes pid=100 \
         comm=\"id\" exe=\"/usr/bin/id\""
    )
}

async fn send(world: &World, target: &Target, line: &str) {
    let mut events = Events::default();
    events.push(line.as_bytes());
    world.logs.intake().take(&Sender::default(), &[(target.clone(), events)]).await.unwrap();
}

/// All events in the order of ids, when there are so many.
async fn all(world: &World, count: usize) -> Vec<(i64, String)> {
    for _ in 0..600 {
        let scope = Scope { tenant: world.platform.tenant, nodes: None, from: 0, to: i64::MAX };
        let ask = Ask::Rows {
            condition: None,
            wanted: vec![col("id"), col("raw")],
            order: vec![SortExpr::new(col("id"), true, true)],
            limit: None,
        };
        let budget = Budget { time: Duration::from_secs(30), memory: 64 << 20, disk: 1 << 30 };
        let mut answer = world.logs.lake().ask(Question { ask, scope, budget }, ());
        let mut rows = Vec::new();
        while let Some(batch) = answer.next().await.unwrap() {
            let ids = batch.column(0).as_primitive::<Int64Type>().values().iter().copied();
            let texts = batch.column(1).as_string::<i32>().iter().map(|raw| raw.unwrap().to_owned());
            rows.extend(ids.zip(texts));
        }
        if rows.len() >= count {
            return rows;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not so many events can be found: {count}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_are_the_same_when_the_log_is_read_again() {
    let world = World::new(Engine::Sqlite).await;
    let (audit, other) = (world.source("audit", None).await, world.source("other", None).await);
    let later = || world.platform.clock.advance(SignedDuration::from_secs(5));
    send(&world, &audit, &part(1)).await;
    send(&world, &other, "one").await;
    later();
    // By its time it is known that the first part is all that there is.
    send(&world, &other, "two").await;
    all(&world, 3).await;
    send(&world, &audit, &part(2)).await;
    // By the clock alone, since nothing else comes.
    all(&world, 4).await;
    later();
    send(&world, &other, "three").await;
    send(&world, &audit, &part(3)).await;
    later();
    send(&world, &audit, &part(4)).await;
    let first = all(&world, 7).await;
    let texts: Vec<String> = first.iter().map(|(_, raw)| raw.clone()).collect();
    let expected = ["one".into(), part(1), "two".into(), part(2), "three".into(), part(3), part(4)];
    assert_eq!(texts, expected);

    let world = world.restart(0).await;
    assert_eq!(all(&world, 7).await, first);
    world.logs.keep().await.unwrap();
    let world = world.restart(1).await;
    assert_eq!(all(&world, 7).await, first);
}
