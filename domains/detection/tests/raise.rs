//! Raising alerts, and what people do with them.

mod support;

use garrison_base::NodeId;
use garrison_detection::acts::{AcknowledgeAlert, AssignAlert, RaiseAlerts, Raised, ReopenAlert};
use garrison_detection::{
    Alert, AlertFilter, AlertPart, AlertState, CloseReason, Grouped, ListAlerts, ShowAlert, position,
};
use garrison_directory::acts::DisablePerson;
use garrison_facts::{AlertLevel, EntityKind};
use garrison_kernel::{Actor, ActorId, Problem, System};
use garrison_testkit::{Engine, origin};
use garrison_web::Question;

use support::{World, at, event, person};

#[tokio::test]
async fn groups_within_an_hour_are_one_alert() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let raised = world.raise(10, vec![world.hit(0, 1)]).await;
        let [alert] = raised.new[..] else { panic!("{raised:?}") };
        let later = world.raise(20, vec![world.hit(3_601, 3_601)]).await;
        assert_eq!(later, Raised { new: vec![], continued: 1 });
        let too_late = world.raise(30, vec![world.hit(3_601 + 3_601, 3_601 + 3_601)]).await;
        assert_eq!((too_late.new.len(), too_late.continued), (1, 0));
        // What comes late widens the alert at its beginning.
        let before = world.raise(40, vec![world.hit(-60, -60)]).await;
        assert_eq!(before.continued, 1);
        let shown = world.show(alert).await.alert;
        assert_eq!((shown.count, shown.first_seen, shown.last_seen), (4, at(-60), at(3_601)));
    }
}

#[tokio::test]
async fn another_rule_entity_or_kind_is_another_alert() {
    let world = World::new(Engine::Sqlite).await;
    let groups = vec![
        world.hit(0, 0),
        Grouped { rule: "rule-2".into(), ..world.hit(0, 0) },
        Grouped { entity: "web2".into(), ..world.hit(0, 0) },
        Grouped { entity_kind: EntityKind::Source, ..world.hit(0, 0) },
        Grouped { title: "Something else".into(), ..world.hit(0, 0) },
    ];
    let raised = world.raise(1, groups).await;
    assert_eq!((raised.new.len(), raised.continued), (4, 1));
}

#[tokio::test]
async fn what_is_judged_again_raises_nothing() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let judged = async || position(&world.platform.kernel, world.platform.tenant).await.unwrap();
        assert_eq!(judged().await, None);
        let raised = world.raise(10, vec![world.hit(0, 0)]).await;
        assert_eq!(judged().await, Some(10));
        for upto in [10, 3] {
            assert_eq!(world.raise(upto, vec![world.hit(0, 0)]).await, Raised::default());
        }
        assert_eq!(judged().await, Some(10));
        assert_eq!(world.show(raised.new[0]).await.alert.count, 1);
    }
}

#[tokio::test]
async fn what_comes_after_a_closing_is_new() {
    let world = World::new(Engine::Sqlite).await;
    let first = world.raise(1, vec![world.hit(0, 0)]).await.new[0];
    world.act(&world.analyst(), AcknowledgeAlert { alert: first }).await.unwrap();
    assert_eq!(world.raise(2, vec![world.hit(1, 1)]).await.continued, 1, "it is not closed yet");
    world.close(first).await.unwrap();
    let second = world.raise(3, vec![world.hit(2, 2)]).await.new[0];
    assert_ne!(first, second);
    let closed = world.show(first).await.alert;
    assert_eq!(closed.state, AlertState::Closed);
    assert_eq!((closed.reason, closed.count), (Some(CloseReason::Benign), 2));
    assert_eq!(closed.note.as_deref(), Some("the backup does this"));
}

#[tokio::test]
async fn the_first_and_the_last_events_are_kept() {
    let world = World::new(Engine::Sqlite).await;
    let alert = world.raise(1, vec![world.hit(0, 49)]).await.new[0];
    world.raise(2, vec![world.hit(50, 99)]).await;
    let shown = world.show(alert).await;
    assert_eq!(shown.alert.count, 100);
    let kept: Vec<_> = shown.events.iter().map(|event| event.id.clone()).collect();
    let wanted: Vec<_> = (0..10).chain(90..100).map(|second| format!("event{second}")).collect();
    assert_eq!(kept, wanted);
}

#[tokio::test]
async fn what_events_say_does_not_stand_in_the_database_as_it_came() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let stored = || world.platform.database.by_hand("SELECT events, length(sealed) FROM detection_alert");
        let alert = world.raise(1, vec![world.hit(0, 0)]).await.new[0];
        assert!(!stored().contains("it is 0"), "{}", stored());
        assert_eq!(world.show(alert).await.events, [event(0)]);
        // As a version wrote it that did not seal: it is read, and sealed with the next event.
        let before = serde_json::to_string(&[event(0)]).unwrap();
        let unsealed = format!("UPDATE detection_alert SET sealed = NULL, events = '{before}'");
        world.platform.database.by_hand(&unsealed);
        assert!(stored().contains("it is 0"), "{}", stored());
        assert_eq!(world.show(alert).await.events, [event(0)]);
        world.raise(2, vec![world.hit(1, 1)]).await;
        assert!(!stored().contains("it is 0"), "{}", stored());
        assert_eq!(world.show(alert).await.events, [event(0), event(1)]);
    }
}

#[tokio::test]
async fn events_open_beside_their_own_alert_only() {
    let world = World::new(Engine::Sqlite).await;
    let other = Grouped { entity: "web2".into(), ..world.hit(5, 5) };
    let new = world.raise(1, vec![world.hit(0, 0), other]).await.new;
    let moved = format!(
        "UPDATE detection_alert SET sealed = (SELECT sealed FROM detection_alert WHERE alert_id = '{}')",
        new[1]
    );
    world.platform.database.by_hand(&moved);
    let refused = world.platform.kernel.ask(&world.analyst(), ShowAlert { alert: new[0] }).await;
    assert!(
        refused.as_ref().is_err_and(|problem| problem.to_string().contains(&new[0].to_string())),
        "{refused:?}"
    );
    assert_eq!(world.show(new[1]).await.events, [event(5)]);
}

#[tokio::test]
async fn a_group_whose_node_is_gone_hangs_on_the_root() {
    let world = World::new(Engine::Sqlite).await;
    let gone: NodeId = "node_7ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse().unwrap();
    let alert = world.raise(1, vec![Grouped { node: gone, ..world.hit(0, 0) }]).await.new[0];
    assert_eq!(world.show(alert).await.alert.node, world.platform.root);
}

#[tokio::test]
async fn only_so_many_groups_at_once() {
    let world = World::new(Engine::Sqlite).await;
    let detection = Actor::system(System::DETECTION, world.platform.tenant, origin());
    let many = RaiseAlerts::new(1, false, vec![Grouped { events: vec![], ..world.hit(0, 0) }; 501]);
    let refused = world.act(&detection, many).await.unwrap_err();
    assert_eq!(refused.kind().name, "request/invalid");
    assert_eq!(position(&world.platform.kernel, world.platform.tenant).await.unwrap(), None);
}

#[tokio::test]
async fn a_wrong_state_is_a_conflict() {
    let world = World::new(Engine::Sqlite).await;
    let (analyst, alert) = (world.analyst(), world.raise(1, vec![world.hit(0, 0)]).await.new[0]);
    let conflict = |problem: Box<dyn Problem>| assert_eq!(problem.kind().status, 409, "{problem}");
    conflict(world.act(&analyst, ReopenAlert { alert }).await.unwrap_err());
    world.act(&analyst, AcknowledgeAlert { alert }).await.unwrap();
    conflict(world.act(&analyst, AcknowledgeAlert { alert }).await.unwrap_err());
    world.close(alert).await.unwrap();
    conflict(world.close(alert).await.unwrap_err());
    conflict(world.act(&analyst, AssignAlert { alert, to: None }).await.unwrap_err());
    world.act(&analyst, ReopenAlert { alert }).await.unwrap();
    world.act(&analyst, AcknowledgeAlert { alert }).await.unwrap();
    world.act(&analyst, ReopenAlert { alert }).await.unwrap();
    let shown = world.show(alert).await.alert;
    assert_eq!((shown.state, shown.reason, shown.note), (AlertState::Open, None, None));
}

#[tokio::test]
async fn alerts_are_given_to_active_persons() {
    let world = World::new(Engine::Sqlite).await;
    let (analyst, alert) = (world.analyst(), world.raise(1, vec![world.hit(0, 0)]).await.new[0]);
    let (bob, eve) = (person(&world.platform, "bob", None).await, person(&world.platform, "eve", None).await);
    let setup = Actor::system(System::SETUP, world.platform.tenant, origin());
    world.act(&setup, DisablePerson { person: eve }).await.unwrap();
    let refused = world.act(&analyst, AssignAlert { alert, to: Some(eve) }).await.unwrap_err();
    assert_eq!(refused.kind().status, 422);
    assert!(world.act(&analyst, AssignAlert { alert, to: Some(bob) }).await.unwrap().changed);
    assert!(!world.act(&analyst, AssignAlert { alert, to: Some(bob) }).await.unwrap().changed);
    assert_eq!(world.show(alert).await.alert.assignee, Some(ActorId::Person(bob)));
    assert!(world.act(&analyst, AssignAlert { alert, to: None }).await.unwrap().changed);
    assert_eq!(world.show(alert).await.alert.assignee, None);
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let named = |number: i64, level| Grouped {
            entity: format!("web{number}"),
            level,
            ..world.hit(number, number)
        };
        let groups = (0..5).map(|number| named(number, AlertLevel::Low));
        let groups = groups.chain([named(9, AlertLevel::Critical)]).collect();
        world.raise(1, groups).await;
        let entities = |alerts: Vec<Alert>| alerts.into_iter().map(|alert| alert.entity).collect::<Vec<_>>();
        let severe = AlertFilter { level: Some(AlertLevel::High), ..AlertFilter::default() };
        assert_eq!(entities(world.list(severe).await), ["web9"]);
        let here = AlertFilter { node: Some(world.platform.root), ..AlertFilter::default() };
        assert_eq!(world.list(here).await.len(), 6);
        let closed = AlertFilter { state: Some("closed".into()), ..AlertFilter::default() };
        assert!(world.list(closed).await.is_empty());
        let one = AlertFilter { entity: Some("web3".into()), ..AlertFilter::default() };
        assert_eq!(entities(world.list(one).await), ["web3"]);

        let (mut cursor, mut seen) = (None, Vec::new());
        loop {
            let mut tx = world.platform.kernel.read(&world.analyst(), ListAlerts::VERB).await.unwrap();
            let part = AlertPart { limit: Some(4), cursor: cursor.take(), ..AlertPart::default() };
            let asked = ListAlerts { part, ..ListAlerts::default() };
            let page = asked.answer(&mut tx).await.unwrap();
            seen.extend(entities(page.items));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, ["web9", "web4", "web3", "web2", "web1", "web0"]);
    }
}

#[tokio::test]
async fn who_may_only_look_does_not_decide() {
    let world = World::new(Engine::Sqlite).await;
    let alert = world.raise(1, vec![world.hit(0, 0)]).await.new[0];
    let operator = person(&world.platform, "olga", Some("operator")).await;
    let operator = world.platform.person(operator);
    let refused = world.act(&operator, AcknowledgeAlert { alert }).await.unwrap_err();
    assert_eq!(refused.kind().status, 403);
    assert!(world.platform.kernel.read(&operator, ListAlerts::VERB).await.is_ok());
}
