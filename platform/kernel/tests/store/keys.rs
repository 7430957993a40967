//! Idempotency keys: the same request never acts twice.

use garrison_base::RequestId;
use garrison_kernel::{Act, Actor, Outcome};
use garrison_testkit::Engine;
use jiff::SignedDuration;
use serde_json::Value as Json;

use crate::support::house::Step;
use crate::support::notes::{Fail, NoteId, Reveal, Write};
use crate::support::{World, done, holder, refused, waiting};

fn keyed(actor: &Actor, key: &str) -> Actor {
    let mut actor = actor.clone();
    actor.origin.idempotency_key = Some(key.into());
    actor
}

fn write(world: &World, words: &str) -> Write {
    Write { node: world.shop, words: words.into() }
}

async fn answer<A: Act>(world: &World, actor: &Actor, act: A) -> Json {
    done(world.kernel().act_as_json(actor, act).await.unwrap())
}

#[tokio::test]
async fn a_repeated_request_is_answered_alike_and_done_once() {
    for engine in Engine::all() {
        let mut world = World::new(engine).await;
        let ada = keyed(&world.holding("ada", "writer", world.shop).await, "k-1");
        let first = answer(&world, &ada, write(&world, "once")).await;
        first.as_str().unwrap().parse::<NoteId>().unwrap();
        let records = world.records().await;
        assert_eq!(answer(&world, &ada, write(&world, "once")).await, first);
        world.reopen().await;
        assert_eq!(answer(&world, &ada, write(&world, "once")).await, first);
        assert_eq!(world.notes().await, ["once"]);
        assert_eq!(world.records().await, records);
        // Another key is another request.
        assert_ne!(answer(&world, &keyed(&ada, "k-2"), write(&world, "once")).await, first);
        assert_eq!(world.notes().await, ["once", "once"]);
    }
}

#[tokio::test]
async fn a_key_that_came_with_another_request_is_refused() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = keyed(&world.holding("ada", "writer", world.shop).await, "k-1");
        answer(&world, &ada, write(&world, "once")).await;
        assert_eq!(
            refused(world.kernel().act_as_json(&ada, write(&world, "other")).await),
            "idempotency/reused"
        );
        let same_content = Reveal { node: world.shop };
        assert_eq!(refused(world.kernel().act_as_json(&ada, same_content).await), "idempotency/reused");
        assert_eq!(world.notes().await, ["once"]);
    }
}

#[tokio::test]
async fn different_actors_may_use_the_same_key() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = keyed(&world.holding("ada", "writer", world.shop).await, "k-1");
        let bob = keyed(&world.holding("bob", "writer", world.shop).await, "k-1");
        let first = answer(&world, &ada, write(&world, "same")).await;
        assert_ne!(answer(&world, &bob, write(&world, "same")).await, first);
        assert_eq!(world.notes().await, ["same", "same"]);
    }
}

#[tokio::test]
async fn a_request_that_did_not_succeed_may_be_tried_again() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let person = world.person("ada").await;
        let ada = keyed(&world.platform.person(person), "k-1");
        refused(world.kernel().act_as_json(&ada, write(&world, "later")).await);
        world.grant(holder(person), "writer", world.shop).await;
        refused(world.kernel().act_as_json(&keyed(&ada, "k-2"), Fail { node: world.shop }).await);
        refused(world.kernel().act_as_json(&keyed(&ada, "k-2"), Fail { node: world.shop }).await);
        answer(&world, &ada, write(&world, "later")).await;
        assert_eq!(world.notes().await, ["later"]);
    }
}

#[tokio::test]
async fn a_repeated_request_that_waits_makes_no_second_one() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = keyed(&world.holding("ada", "writer", world.shop).await, "k-1");
        world.rule(world.shop, Write::VERB, &[("owner", "owner")]).await;
        let ask = async || -> RequestId {
            waiting(world.kernel().act_as_json(&ada, write(&world, "ask")).await.unwrap())
        };
        let first = ask().await;
        assert_eq!(ask().await, first);
        // Neither a changed rule nor a lost grant changes what was answered.
        world.rule(world.shop, Write::VERB, &[]).await;
        assert_eq!(ask().await, first);
        let mut tx = world.kernel().read(&world.system(), Write::VERB).await.unwrap();
        assert_eq!(tx.requests(None, (None, 10)).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn two_at_once_with_one_key_act_once() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = keyed(&world.holding("ada", "writer", world.shop).await, "k-1");
        let act = || world.kernel().act_as_json(&ada, write(&world, "once"));
        let (first, second, third) = tokio::join!(act(), act(), act());
        let first = done(first.unwrap());
        assert_eq!([done(second.unwrap()), done(third.unwrap())], [first.clone(), first]);
        assert_eq!(world.notes().await, ["once"]);
    }
}

#[tokio::test]
async fn keys_are_forgotten_after_a_day_and_not_before() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = keyed(&world.holding("ada", "writer", world.shop).await, "k-1");
        let first = answer(&world, &ada, write(&world, "again")).await;
        world.platform.clock.advance(SignedDuration::from_hours(23));
        world.kernel().tidy().await.unwrap();
        assert_eq!(answer(&world, &ada, write(&world, "again")).await, first);
        world.platform.clock.advance(SignedDuration::from_hours(2));
        world.kernel().tidy().await.unwrap();
        assert_ne!(answer(&world, &ada, write(&world, "again")).await, first);
    }
}

#[tokio::test]
async fn an_answer_is_sealed_and_opens_only_for_its_own_request() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        answer(&world, &keyed(&ada, "k-1"), Reveal { node: world.shop }).await;
        answer(&world, &keyed(&ada, "k-2"), Reveal { node: world.shop }).await;
        let swap =
            "UPDATE idempotency SET answer = (SELECT answer FROM idempotency WHERE idempotency_key LIKE '%/k-2')
                    WHERE idempotency_key LIKE '%/k-1'";
        world.platform.database.by_hand(swap);
        let swapped = world.kernel().act_as_json(&keyed(&ada, "k-1"), Reveal { node: world.shop }).await;
        assert_eq!(refused(swapped), "server/tampered");
        let second =
            world.kernel().act_as_json(&keyed(&ada, "k-2"), Reveal { node: world.shop }).await.unwrap();
        assert!(matches!(second, Outcome::Done(Json::String(secret)) if secret == "canary-4711"));
    }
}

#[tokio::test]
async fn a_key_belongs_to_the_session_that_it_came_with() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let session = keyed(&world.holding("ada", "writer", world.shop).await, "k-1");
        answer(&world, &session, Reveal { node: world.shop }).await;
        let mut token = session.clone();
        token.origin.session = "tok_of_the_same_person".into();
        let limits = garrison_kernel::TokenLimits { verbs: vec!["note:read".into()], node: world.shop };
        token.limits = Some(limits);
        let again = world.kernel().act_as_json(&token, Reveal { node: world.shop }).await;
        assert_eq!(refused(again), "access/denied", "{engine:?}");
    }
}

#[tokio::test]
async fn who_was_disabled_is_not_answered_again() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = keyed(&world.holding("ada", "writer", world.shop).await, "k-1");
        answer(&world, &ada, Reveal { node: world.shop }).await;
        world.step(Step::Active { who: garrison_kernel::Holder::Actor(ada.id), active: false }).await;
        let again = world.kernel().act_as_json(&ada, Reveal { node: world.shop }).await;
        assert_eq!(refused(again), "access/denied", "{engine:?}");
    }
}
