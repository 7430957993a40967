//! Approval rules: which slots an act needs.

use garrison_kernel::{Act as _, ActorId, RequestState, Slot};
use garrison_testkit::Engine;

use crate::support::house::Step;
use crate::support::notes::{Join, Write};
use crate::support::{World, done, holder, perform, refused, waiting};

fn slot(name: &str, role: &str) -> Slot {
    Slot { name: name.into(), role: role.into() }
}

#[tokio::test]
async fn a_rule_reaches_down_to_where_a_nearer_one_stands() {
    for engine in Engine::all() {
        let mut world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.platform.root).await;
        world.rule(world.platform.root, Write::VERB, &[("guard", "guard")]).await;
        world.rule(world.shop, Write::VERB, &[("owner", "owner")]).await;
        for moment in ["before the restart", "after it"] {
            for (node, slots) in
                [(world.checkout, [slot("owner", "owner")]), (world.pay, [slot("guard", "guard")])]
            {
                let write = Write { node, words: "asked".into() };
                let request = waiting(world.kernel().act(&ada, write).await.unwrap());
                assert_eq!(world.request(request).await.slots, slots, "{moment}");
            }
            world.reopen().await;
        }
    }
}

#[tokio::test]
async fn a_rule_is_about_one_verb() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        world.rule(world.shop, Join::VERB, &[("owner", "owner")]).await;
        perform(&world, &ada, Write { node: world.shop, words: "at once".into() }).await;
        assert_eq!(world.notes().await, ["at once"]);
    }
}

#[tokio::test]
async fn a_denied_act_does_not_wait() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "reader", world.shop).await;
        world.rule(world.shop, Write::VERB, &[("owner", "owner")]).await;
        let write = Write { node: world.shop, words: "no".into() };
        assert_eq!(refused(world.kernel().act(&ada, write).await), "access/denied");
    }
}

#[tokio::test]
async fn a_rule_names_known_verbs_and_roles_and_every_slot_once() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let rule = |verb: &str, slots: Vec<Slot>| Step::Rule { node: world.shop, verb: verb.into(), slots };
        for step in [
            rule("note:unheard-of", vec![slot("owner", "owner")]),
            rule("note:write", vec![slot("owner", "emperor")]),
            // Two people are meant; one would be enough.
            rule("note:write", vec![slot("owner", "owner"), slot("owner", "owner")]),
            rule("note:write", vec![slot("owner", "owner"), slot("owner", "guard")]),
            rule("note:write", vec![slot("", "owner")]),
        ] {
            let words = format!("{step:?}");
            let problem = world.try_step(step).await.err();
            assert_eq!(
                problem.map(|problem| problem.kind().name),
                Some("request/invalid"),
                "{engine:?}: {words}"
            );
        }
    }
}

#[tokio::test]
async fn two_people_of_one_role_can_be_demanded() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        world.rule(world.shop, Write::VERB, &[("first", "owner"), ("second", "owner")]).await;
        let (bob, cleo) = (
            world.holding("bob", "owner", world.shop).await,
            world.holding("cleo", "owner", world.shop).await,
        );
        let write = Write { node: world.shop, words: "approved".into() };
        let request = waiting(world.kernel().act(&ada, write).await.unwrap());
        assert_eq!(done(world.approve(&bob, request).await.unwrap()), "first");
        assert_eq!(refused(world.approve(&bob, request).await), "approval/not-yours");
        assert_eq!(done(world.approve(&cleo, request).await.unwrap()), "second");
        assert_eq!(world.notes().await, ["approved"]);
    }
}

/// Joining takes two notes, on two nodes with rules of their own.
#[tokio::test]
async fn a_slot_is_filled_by_who_holds_the_role_where_the_rule_stands() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.platform.root).await;
        world.rule(world.pay, Join::VERB, &[("owner", "owner")]).await;
        let (from, into) = (world.note(world.shop, "from").await, world.note(world.pay, "into").await);
        let of_the_shop = world.holding("bob", "owner", world.shop).await;
        let of_pay = world.holding("cleo", "owner", world.pay).await;
        let request = waiting(world.kernel().act(&ada, Join { from, into }).await.unwrap());
        // The owner of the shop has no say in what is done to `pay`.
        let answer = world.approve(&of_the_shop, request).await;
        assert_eq!(world.notes().await, ["from", "into"], "{engine:?}");
        assert_eq!(refused(answer), "approval/not-yours");
        done(world.approve(&of_pay, request).await.unwrap());
        assert_eq!(world.notes().await, ["into"]);
    }
}

#[tokio::test]
async fn slots_of_two_rules_do_not_get_in_each_others_way() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.platform.root).await;
        world.rule(world.shop, Join::VERB, &[("approver", "owner")]).await;
        world.rule(world.pay, Join::VERB, &[("approver", "guard")]).await;
        let (from, into) = (world.note(world.shop, "from").await, world.note(world.pay, "into").await);
        let mut approvers = Vec::new();
        for (name, role) in [("bob", "owner"), ("cleo", "guard")] {
            let person = world.person(name).await;
            world.grant(holder(person), role, world.platform.root).await;
            approvers.push(world.platform.actor(ActorId::Person(person)));
        }
        let request = waiting(world.kernel().act(&ada, Join { from, into }).await.unwrap());
        for approver in &approvers {
            assert_eq!(world.notes().await, ["from", "into"]);
            let answer = world.approve(approver, request).await;
            assert!(answer.is_ok(), "{engine:?}: {answer:?}");
        }
        assert_eq!(world.request(request).await.state, RequestState::Done, "{engine:?}");
        assert_eq!(world.notes().await, ["into"]);
    }
}
