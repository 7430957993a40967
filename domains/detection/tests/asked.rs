//! What people ask of alerts: lists, sums, and the numbers of changes.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests fail loudly")]

mod support;

use garrison_base::{AlertId, NodeId};
use garrison_detection::acts::{AcknowledgeAlert, AssignAlert, ReopenAlert};
use garrison_detection::{
    Alert, AlertFilter, AlertOrder, AlertPage, AlertPart, Buckets, Grouped, ListAlerts, SummariseAlerts,
};
use garrison_directory::acts::CreateNode;
use garrison_facts::{AlertLevel, EntityKind};
use garrison_kernel::{Actor, NodeKind, Problem as _, System};
use garrison_testkit::{Engine, origin};
use garrison_web::Question;
use serde_json::{Value, json};

use support::{World, grant, person};

async fn page(world: &World, who: &Actor, asked: ListAlerts) -> AlertPage {
    let mut tx = world.platform.kernel.read(who, ListAlerts::VERB).await.unwrap();
    asked.answer(&mut tx).await.unwrap()
}

async fn summary(world: &World, who: &Actor, filter: AlertFilter, buckets: i64) -> Value {
    let mut tx = world.platform.kernel.read(who, ListAlerts::VERB).await.unwrap();
    let asked = SummariseAlerts { filter, over: Buckets { buckets: Some(buckets) } };
    serde_json::to_value(asked.answer(&mut tx).await.unwrap()).unwrap()
}

async fn shop(world: &World) -> NodeId {
    let setup = Actor::system(System::SETUP, world.platform.tenant, origin());
    let (parent, name) = (world.platform.root, "shop".parse().unwrap());
    let new = CreateNode { parent, name, kind: NodeKind::Product, production: false };
    world.act(&setup, new).await.unwrap().node
}

/// Forty alerts of four rules on thirteen hosts, two seconds apart, half of them at the shop.
async fn many(world: &World, shop: NodeId) -> Vec<AlertId> {
    let group = |number: i64| Grouped {
        rule: format!("rule-{}", number % 4),
        title: format!("Finding {}", number % 4),
        level: AlertLevel::ALL[usize::try_from(number).unwrap() % 5],
        node: if number % 2 == 0 { shop } else { world.platform.root },
        entity_kind: if number % 3 == 0 { EntityKind::Ip } else { EntityKind::Host },
        entity: format!("web{}", number % 13),
        events: Vec::new(),
        ..world.hit(number * 2, number * 2)
    };
    let raised = world.raise(1, (0..40).map(group).collect()).await.new;
    assert_eq!(raised.len(), 40, "each is of its own rule, entity or kind");
    let analyst = world.analyst();
    for alert in &raised[..6] {
        world.close(*alert).await.unwrap();
    }
    for alert in &raised[6..12] {
        world.act(&analyst, AcknowledgeAlert { alert: *alert }).await.unwrap();
        world.act(&analyst, AssignAlert { alert: *alert, to: Some(world.analyst) }).await.unwrap();
    }
    raised
}

#[tokio::test]
async fn every_write_of_an_alert_has_the_next_number() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let analyst = world.analyst();
        let position = async || page(&world, &analyst, ListAlerts::default()).await.position;
        assert_eq!(position().await, 0);
        let other = Grouped { entity: "web2".into(), ..world.hit(0, 0) };
        let new = world.raise(1, vec![world.hit(0, 0), other]).await.new;
        let [alert, other] = new[..] else { panic!("{new:?}") };
        let changes = [world.show(alert).await.alert.change, world.show(other).await.alert.change];
        assert_eq!((changes, position().await), ([1, 2], 2));
        let mut seen = position().await;
        let mut moved = async |what: &str| {
            let change = world.show(alert).await.alert.change;
            assert!(change > seen, "{what}: {change} after {seen}");
            assert_eq!(position().await, change, "{what}");
            seen = change;
        };
        world.raise(2, vec![world.hit(1, 1)]).await;
        moved("it goes on").await;
        world.act(&analyst, AcknowledgeAlert { alert }).await.unwrap();
        moved("acknowledged").await;
        world.act(&analyst, AssignAlert { alert, to: Some(world.analyst) }).await.unwrap();
        moved("given").await;
        world.close(alert).await.unwrap();
        moved("closed").await;
        world.act(&analyst, ReopenAlert { alert }).await.unwrap();
        moved("opened again").await;
        // What changes nothing has no number, and the other alert keeps its own.
        let last = position().await;
        assert!(!world.act(&analyst, AssignAlert { alert, to: Some(world.analyst) }).await.unwrap().changed);
        world.raise(3, Vec::new()).await;
        assert_eq!((position().await, world.show(other).await.alert.change), (last, 2));
    }
}

#[tokio::test]
async fn lists_are_narrowed_by_everything_that_may_be_asked() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let shop = shop(&world).await;
        many(&world, shop).await;
        let none = AlertFilter::default;
        let text = |text: &str| Some(text.to_owned());
        let between = (text("2026-11-22T10:00:20Z"), text("2026-11-22T10:00:30Z"));
        for (filter, count) in [
            (none(), 40),
            (AlertFilter { state: text("open,closed"), ..none() }, 34),
            (AlertFilter { level: Some(AlertLevel::High), ..none() }, 16),
            (AlertFilter { levels: text("low, critical"), ..none() }, 16),
            (AlertFilter { level: Some(AlertLevel::High), levels: text("low,critical"), ..none() }, 8),
            (AlertFilter { rule: text("rule-1"), ..none() }, 10),
            (AlertFilter { entity: text("web3"), ..none() }, 3),
            (AlertFilter { entity_kind: Some(EntityKind::Ip), ..none() }, 14),
            (AlertFilter { node: Some(shop), ..none() }, 20),
            (AlertFilter { assignee: text("me"), ..none() }, 6),
            (AlertFilter { assignee: text("nobody"), ..none() }, 34),
            (AlertFilter { assignee: text(&world.analyst.to_string()), ..none() }, 6),
            (AlertFilter { text: text("FINDING 2"), ..none() }, 10),
            (AlertFilter { text: text("EB3"), ..none() }, 3),
            (AlertFilter { from: between.0, to: between.1, ..none() }, 5),
            (AlertFilter { query: text("is:mine rule:rule-2 level>=low"), ..none() }, 1),
            (AlertFilter { query: text("node:acme/shop* or assignee:ann"), ..none() }, 23),
            (AlertFilter { query: text("finding"), state: text("closed"), ..none() }, 6),
        ] {
            let told = format!("{filter:?}");
            assert_eq!(world.list(filter).await.len(), count, "{told}");
        }
        for filter in [
            AlertFilter { state: text("shut"), ..none() },
            AlertFilter { levels: text("bad"), ..none() },
            AlertFilter { assignee: text("ann"), ..none() },
            AlertFilter { from: text("yesterday"), ..none() },
            AlertFilter { query: text("colour:red"), ..none() },
        ] {
            let told = format!("{filter:?}");
            let mut tx = world.platform.kernel.read(&world.analyst(), ListAlerts::VERB).await.unwrap();
            let refused = ListAlerts::from(filter).answer(&mut tx).await.unwrap_err();
            assert_eq!(refused.kind().status, 422, "{told}: {refused}");
        }
    }
}

/// All pages of an order, each of seven.
async fn pages(world: &World, sort: AlertOrder, query: Option<&str>) -> Vec<Alert> {
    let (mut cursor, mut all) = (None, Vec::new());
    loop {
        let part = AlertPart { sort: Some(sort), limit: Some(7), cursor: cursor.take() };
        let filter = AlertFilter { query: query.map(str::to_owned), ..AlertFilter::default() };
        let AlertPage { items, next, .. } = page(world, &world.analyst(), ListAlerts { filter, part }).await;
        assert!(items.len() == 7 || next.is_none(), "{} items", items.len());
        all.extend(items);
        cursor = next;
        if cursor.is_none() {
            return all;
        }
    }
}

#[tokio::test]
async fn pages_follow_each_other_in_either_order() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let shop = shop(&world).await;
        let raised = many(&world, shop).await;
        for query in [None, Some("finding")] {
            let latest: Vec<AlertId> =
                pages(&world, AlertOrder::LastSeen, query).await.iter().map(|alert| alert.id).collect();
            assert_eq!(latest, raised.iter().rev().copied().collect::<Vec<_>>(), "{query:?}");
            let severe = pages(&world, AlertOrder::Level, query).await;
            let keys: Vec<_> = severe.iter().map(|alert| (alert.level, alert.last_seen, alert.id)).collect();
            let mut sorted = keys.clone();
            sorted.sort_unstable();
            sorted.dedup();
            sorted.reverse();
            assert_eq!((keys.len(), keys), (40, sorted), "{query:?}");
        }
    }
}

#[tokio::test]
async fn what_the_database_counts_is_what_is_counted_row_by_row() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let shop = shop(&world).await;
        many(&world, shop).await;
        let analyst = world.analyst();
        let text = |text: &str| Some(text.to_owned());
        let filters = || {
            let none = AlertFilter::default;
            [
                none(),
                AlertFilter { state: text("open,acknowledged"), levels: text("low,high"), ..none() },
                AlertFilter { node: Some(shop), from: text("2026-11-22T10:00:05Z"), ..none() },
                AlertFilter { from: text("1h"), to: text("2026-11-22T10:01:00Z"), ..none() },
                AlertFilter { rule: text("rule-9"), ..none() },
            ]
        };
        for (counted, looked) in filters().into_iter().zip(filters()) {
            let told = format!("{counted:?}");
            let looked = AlertFilter { query: text("entity:*"), ..looked };
            let [counted, looked] =
                [summary(&world, &analyst, counted, 7).await, summary(&world, &analyst, looked, 7).await];
            assert_eq!(counted, looked, "{told}");
        }
        let all = summary(&world, &analyst, AlertFilter::default(), 4).await;
        assert_eq!([&all["from"], &all["to"]], ["2026-11-22T10:00:00Z", "2026-11-22T10:01:18Z"]);
        assert_eq!((&all["total"], &all["levels"]["critical"]), (&json!(40), &json!(8)));
        assert_eq!(all["states"], json!({ "open": 28, "acknowledged": 6, "closed": 6 }));
        assert_eq!(all["unassigned"]["low"], 5, "one is closed, two are looked after: {all}");
        let buckets = all["buckets"].as_array().unwrap();
        let sums = buckets.iter().map(|bucket| {
            bucket["levels"].as_array().unwrap().iter().map(|count| count.as_i64().unwrap()).sum::<i64>()
        });
        assert_eq!(sums.collect::<Vec<_>>(), [10, 10, 10, 10], "{all}");
        let rule = json!({ "value": "rule-0", "label": "Finding 0", "count": 10 });
        assert_eq!((&all["top"]["rule"][0], &all["top"]["node"][1]["count"]), (&rule, &json!(20)));
        let nodes = all["top"]["node"].as_array().unwrap();
        assert!(nodes.iter().any(|node| node["label"] == "acme/shop"), "{nodes:?}");
    }
}

#[tokio::test]
async fn who_sees_a_part_counts_a_part() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let shop = shop(&world).await;
        many(&world, shop).await;
        let carl = person(&world.platform, "carl", None).await;
        grant(&world.platform, carl, ("analyst", shop)).await;
        let carl = world.platform.person(carl);
        let seen = page(&world, &carl, ListAlerts::default()).await;
        assert_eq!(seen.items.len(), 20);
        assert!(seen.items.iter().all(|alert| alert.node == shop), "{:?}", seen.items);
        // The numbers are those of the tenant, so that whoever follows the changes never asks for one twice.
        let all = page(&world, &world.analyst(), ListAlerts::default()).await;
        assert_eq!(seen.position, all.position);
        let told = summary(&world, &carl, AlertFilter::default(), 3).await;
        let top = &told["top"]["node"];
        assert_eq!((&told["total"], &top[0]["label"]), (&json!(20), &json!("acme/shop")), "{told}");
        assert_eq!(top.as_array().map(Vec::len), Some(1), "{top}");
        let query = Some("finding".to_owned());
        let looked = summary(&world, &carl, AlertFilter { query, ..AlertFilter::default() }, 3).await;
        assert_eq!(told, looked);
    }
}
