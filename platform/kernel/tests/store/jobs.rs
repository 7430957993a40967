//! What happens by itself: facts that are followed, timers that are due.

use garrison_kernel::{Module, Verb};
use garrison_testkit::Engine;
use jiff::SignedDuration;

use crate::support::house::Step;
use crate::support::notes::{Change, Fail, NoteId, Remind, Write};
use crate::support::{World, modules, perform, refused};

/// What followers and timers told, in the order of their ids: `fact: words`, or `due`.
fn told(world: &World) -> Vec<String> {
    world.platform.database.by_hand("SELECT words FROM told ORDER BY words").lines().map(Into::into).collect()
}

fn place(world: &World) -> i64 {
    let place = "SELECT seq FROM consumer WHERE name = 'notes-told'";
    world.platform.database.by_hand(place).trim().parse().unwrap()
}

#[tokio::test]
async fn every_fact_is_followed_once_by_an_act_of_garrison_itself() {
    for engine in Engine::all() {
        let mut world = World::new(engine).await;
        world.note(world.shop, "one").await;
        let first = world.last_record().await.seq;
        world.note(world.pay, "two").await;
        assert_eq!(world.kernel().work().await.unwrap(), 2);
        let expected = [format!("acts/{first}: one"), format!("acts/{}: two", first + 1)];
        assert_eq!(told(&world), expected);
        let record = world.last_record().await;
        assert_eq!((record.operation.as_str(), record.actor.kind.as_str()), ("note:tell", "system"));
        assert_eq!(
            (record.actor.name.as_str(), record.request),
            ("sys_follower", format!("acts/{}", first + 1))
        );
        assert_eq!(world.kernel().work().await.unwrap(), 0);
        world.reopen().await;
        assert_eq!(world.kernel().work().await.unwrap(), 0);
        assert_eq!(told(&world), expected);
    }
}

#[tokio::test]
async fn facts_are_followed_in_the_order_in_which_they_happened() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        // More than are looked at in one go.
        let words: Vec<String> = (0..120).map(|number| format!("n-{number:03}")).collect();
        for words in &words {
            world.note(world.shop, words).await;
        }
        while world.kernel().work().await.unwrap() > 0 {}
        let records = world.records().await;
        let followed = records.iter().filter(|record| record.operation == "note:tell");
        let followed: Vec<_> =
            followed.map(|record| record.content["words"].as_str().unwrap().to_owned()).collect();
        let ends: Vec<_> = followed.iter().map(|told| told.split_once(": ").unwrap().1.to_owned()).collect();
        assert_eq!(ends, words);
    }
}

#[tokio::test]
async fn an_act_that_did_not_succeed_tells_nothing() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        refused(world.kernel().act(&ada, Fail { node: world.shop }).await);
        refused(world.kernel().act(&ada, Write { node: world.pay, words: "no".into() }).await);
        assert_eq!(world.kernel().work().await.unwrap(), 0);
        let outbox = world.platform.database.by_hand("SELECT COUNT(*) FROM outbox");
        assert_eq!(outbox.trim(), "0");
    }
}

#[tokio::test]
async fn the_place_of_a_follower_is_committed_with_its_effect() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        world.note(world.shop, "one").await;
        let fact = world.last_record().await.seq;
        world.kernel().work().await.unwrap();
        assert_eq!(place(&world), fact);
        // As if the process had ended before the commit: neither effect nor place. Both come together again.
        world.platform.database.by_hand("DELETE FROM told; UPDATE consumer SET seq = 0");
        world.kernel().work().await.unwrap();
        assert_eq!((told(&world).len(), place(&world)), (1, fact));
    }
}

#[tokio::test]
async fn a_refused_act_of_a_follower_holds_nothing_up() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        for words in ["one", "refused", "three"] {
            world.note(world.shop, words).await;
        }
        world.kernel().work().await.unwrap();
        let words: Vec<_> =
            told(&world).iter().map(|told| told.split_once(": ").unwrap().1.to_owned()).collect();
        assert_eq!(words, ["one", "three"]);
        let records = world.records().await;
        let results =
            records.iter().filter(|record| record.operation == "note:tell").map(|record| &record.result);
        assert_eq!(results.collect::<Vec<_>>(), ["success", "failure", "success"]);
        assert_eq!(world.kernel().work().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_fact_is_kept_until_everybody_has_followed_it() {
    for engine in Engine::all() {
        let mut world = World::new(engine).await;
        world.kernel().work().await.unwrap();
        world.note(world.shop, "one").await;
        world.kernel().tidy().await.unwrap();
        world.kernel().work().await.unwrap();
        assert_eq!(told(&world).len(), 1);
        world.note(world.shop, "two").await;
        world.kernel().work().await.unwrap();
        // A second follower comes with an upgrade; it has not begun to follow when there is tidying.
        world.note(world.shop, "three").await;
        world.platform.kernel = world.platform.reopen(with_second_follower()).await.unwrap();
        world.kernel().tidy().await.unwrap();
        world.kernel().work().await.unwrap();
        let three = told(&world).into_iter().filter(|told| told.ends_with("three")).count();
        assert_eq!(three, 2, "{engine:?}: both followers were to be told");
        world.kernel().tidy().await.unwrap();
        assert_eq!(world.platform.database.by_hand("SELECT COUNT(*) FROM outbox").trim(), "0");
    }
}

/// The same world with one more domain that follows notes.
fn with_second_follower() -> Vec<Module> {
    let second = Module::new("second", &[], "").read(Verb::new("second:read"));
    let second = second.follow("second", "note-written", crate::support::notes::follow);
    modules().into_iter().chain([second]).collect()
}

async fn remind(world: &World, note: NoteId, hours: i64) {
    let at = world.kernel().now() + SignedDuration::from_hours(hours);
    perform(world, &world.system(), Remind { note, at }).await;
}

/// A note of which nobody has to be told any more.
async fn quiet_note(world: &World, words: &str) -> NoteId {
    let note = world.note(world.shop, words).await;
    world.kernel().work().await.unwrap();
    world.platform.database.by_hand("DELETE FROM told");
    note
}

#[tokio::test]
async fn a_timer_fires_once_when_its_time_has_come() {
    for engine in Engine::all() {
        let mut world = World::new(engine).await;
        let note = quiet_note(&world, "one").await;
        remind(&world, note, 2).await;
        assert_eq!(world.kernel().work().await.unwrap(), 0);
        // Neither a restart nor a clock that is set back brings it forward.
        world.platform.clock.advance(SignedDuration::from_hours(-48));
        world.reopen().await;
        assert_eq!(world.kernel().work().await.unwrap(), 0);
        world.platform.clock.advance(SignedDuration::from_hours(51));
        assert_eq!(world.kernel().work().await.unwrap(), 1);
        assert_eq!(told(&world), ["due"]);
        let record = world.last_record().await;
        assert_eq!((record.operation.as_str(), record.actor.name.as_str()), ("note:tell", "sys_timer"));
        world.platform.clock.advance(SignedDuration::from_hours(51));
        assert_eq!(world.kernel().work().await.unwrap(), 0);
        assert_eq!(told(&world), ["due"]);
    }
}

#[tokio::test]
async fn a_timer_that_is_set_anew_fires_at_the_new_time_only() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let note = quiet_note(&world, "one").await;
        remind(&world, note, 1).await;
        remind(&world, note, 5).await;
        world.platform.clock.advance(SignedDuration::from_hours(2));
        assert_eq!(world.kernel().work().await.unwrap(), 0);
        world.platform.clock.advance(SignedDuration::from_hours(4));
        assert_eq!(world.kernel().work().await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_timer_whose_act_is_refused_is_over_and_holds_nothing_up() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let gone = quiet_note(&world, "gone").await;
        let note = quiet_note(&world, "one").await;
        remind(&world, gone, 1).await;
        remind(&world, note, 2).await;
        world.platform.database.by_hand(&format!("DELETE FROM object WHERE id = '{gone}'"));
        world.platform.clock.advance(SignedDuration::from_hours(3));
        world.kernel().work().await.unwrap();
        assert_eq!(told(&world), ["due"]);
        assert_eq!(world.platform.database.by_hand("SELECT COUNT(*) FROM due").trim(), "0");
    }
}

#[tokio::test]
async fn two_who_look_at_once_fire_a_timer_once() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let note = quiet_note(&world, "one").await;
        remind(&world, note, 1).await;
        world.platform.clock.advance(SignedDuration::from_hours(2));
        let (one, other) = tokio::join!(world.kernel().work(), world.kernel().work());
        assert_eq!(one.unwrap() + other.unwrap(), 1);
        assert_eq!(told(&world), ["due"]);
    }
}

#[tokio::test]
async fn a_timer_that_nobody_finished_fires_again_when_its_lease_is_over() {
    for engine in Engine::all() {
        let mut world = World::new(engine).await;
        let note = quiet_note(&world, "one").await;
        remind(&world, note, 1).await;
        world.platform.clock.advance(SignedDuration::from_hours(2));
        // A process that knows no such timer takes it and cannot fire it: as if it had ended with it in hand.
        let others = vec![crate::support::house::module(), crate::support::requests::module()];
        world.platform.kernel = world.platform.reopen(others).await.unwrap();
        assert_eq!(world.kernel().work().await.unwrap(), 0);
        world.reopen().await;
        assert_eq!(world.kernel().work().await.unwrap(), 0, "it is leased");
        world.platform.clock.advance(SignedDuration::from_secs(61));
        assert_eq!(world.kernel().work().await.unwrap(), 1);
        assert_eq!(told(&world), ["due"]);
    }
}

#[tokio::test]
async fn an_act_wakes_whoever_waits_for_acts() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let note = quiet_note(&world, "one").await;
        world.kernel().wait_for_acts().await;
        let system = world.system();
        let change = perform(&world, &system, Change { note, words: "two".into() });
        tokio::join!(world.kernel().wait_for_acts(), change);
        world.step(Step::Rename { node: world.shop, name: "store".parse().unwrap() }).await;
        world.kernel().wait_for_acts().await;
    }
}
