//! The tree: what can be made of it, and what cannot.

use garrison_base::NodeId;
use garrison_kernel::{Act as _, DEPTH, KernelError};
use garrison_testkit::Engine;

use crate::support::house::Step;
use crate::support::notes::{self, Write};
use crate::support::{World, holder};

async fn refusal(world: &World, step: Step) -> &'static str {
    world.try_step(step).await.unwrap_err().kind().name
}

async fn path(world: &World, node: NodeId) -> String {
    world.kernel().read(&world.system(), notes::READ).await.unwrap().path(node)
}

#[tokio::test]
async fn nodes_are_made_renamed_and_moved() {
    for engine in Engine::all() {
        let mut world = World::new(engine).await;
        let basket = world.node(world.checkout, "basket").await;
        world.step(Step::Rename { node: world.checkout, name: "till".parse().unwrap() }).await;
        assert_eq!(path(&world, basket).await, "acme/shop/till/basket");
        world.step(Step::Move { node: world.checkout, parent: world.pay }).await;
        for _ in ["before the restart", "after it"] {
            assert_eq!(path(&world, basket).await, "acme/pay/till/basket");
            let mut tx = world.kernel().read(&world.system(), notes::READ).await.unwrap();
            assert_eq!(tx.find_node("acme/pay/till/basket"), Some(basket));
            assert_eq!(tx.find_node("acme/shop/till"), None);
            assert_eq!(tx.find_node("acme/pay/checkout"), None);
            assert_eq!(tx.node(basket).await.unwrap().parent, Some(world.checkout));
            drop(tx);
            world.reopen().await;
        }
    }
}

#[tokio::test]
async fn siblings_have_names_of_their_own() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let twin = |parent, name: &str| Step::Node { parent, name: name.parse().unwrap(), production: false };
        let root = world.platform.root;
        assert_eq!(refusal(&world, twin(root, "shop")).await, "object/exists");
        let name = || "shop".parse().unwrap();
        assert_eq!(refusal(&world, Step::Rename { node: world.pay, name: name() }).await, "object/exists");
        // Elsewhere the name is free, until one of the two moves to the other.
        let other: NodeId = world.step(twin(world.pay, "checkout")).await.parse().unwrap();
        assert_eq!(refusal(&world, Step::Move { node: other, parent: world.shop }).await, "object/exists");
        assert_eq!(refusal(&world, Step::Merge { from: world.pay, into: world.shop }).await, "object/exists");
        assert_eq!(path(&world, other).await, "acme/pay/checkout");
        // The name of a node that is gone is free again.
        world.step(Step::Merge { from: other, into: world.pay }).await;
        world.step(twin(world.pay, "checkout")).await;
    }
}

#[tokio::test]
async fn a_node_never_hangs_below_itself() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let basket = world.node(world.checkout, "basket").await;
        for parent in [world.shop, world.checkout, basket] {
            assert_eq!(refusal(&world, Step::Move { node: world.shop, parent }).await, "request/invalid");
            assert_eq!(
                refusal(&world, Step::Merge { from: world.shop, into: parent }).await,
                "request/invalid"
            );
        }
        let root = world.platform.root;
        assert_eq!(refusal(&world, Step::Move { node: root, parent: world.pay }).await, "request/invalid");
        assert_eq!(refusal(&world, Step::Merge { from: root, into: world.pay }).await, "request/invalid");
        // Two nodes that change places within one act make no loop either.
        let swap = |node, parent| Step::Move { node, parent };
        let both = crate::support::house::Arrange {
            steps: vec![swap(world.shop, world.pay), swap(world.pay, world.shop)],
        };
        assert!(world.kernel().act(&world.system(), both).await.is_err());
        assert_eq!(path(&world, basket).await, "acme/shop/checkout/basket");
        assert_eq!(path(&world, world.pay).await, "acme/pay");
    }
}

#[tokio::test]
async fn a_tree_has_no_more_levels_than_it_may() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        // The root and `deep` are the first two levels.
        let top = world.node(world.platform.root, "deep").await;
        let mut lowest = top;
        for level in 3..=DEPTH {
            lowest = world.node(lowest, &format!("level-{level}")).await;
        }
        let one_more = Step::Node { parent: lowest, name: "too-deep".parse().unwrap(), production: false };
        assert_eq!(refusal(&world, one_more).await, "request/invalid");
        assert_eq!(refusal(&world, Step::Move { node: world.pay, parent: lowest }).await, "request/invalid");
        // What is below the node that moves counts too.
        assert_eq!(refusal(&world, Step::Move { node: top, parent: world.pay }).await, "request/invalid");
        let ada = world.holding("ada", "reader", world.platform.root).await;
        world.note(lowest, "at the bottom").await;
        assert_eq!(world.seen(&ada).await.unwrap(), ["at the bottom"]);
        assert!(world.allowed(&ada, notes::READ, lowest).await);
    }
}

#[tokio::test]
async fn a_merge_takes_along_what_hangs_there_and_ends_the_grants() {
    for engine in Engine::all() {
        let mut world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        let bob = world.holding("bob", "writer", world.pay).await;
        let note = world.note(world.shop, "on the shop").await;
        world.note(world.checkout, "on the checkout").await;
        world.step(Step::Merge { from: world.shop, into: world.pay }).await;
        for moment in ["before the restart", "after it"] {
            assert_eq!(path(&world, world.checkout).await, "acme/pay/checkout", "{moment}");
            assert!(!world.allowed(&ada, Write::VERB, world.checkout).await, "{moment}");
            assert!(world.allowed(&bob, Write::VERB, world.checkout).await, "{moment}");
            assert!(
                world.allowed(&bob, notes::Change::VERB, note).await,
                "{moment}: the object hangs there now"
            );
            let gone = world.kernel().explain(&bob, bob.id, "note:write", &world.shop.into()).await;
            assert!(matches!(gone, Err(KernelError::NotFound)), "{moment}");
            world.reopen().await;
        }
    }
}

#[tokio::test]
async fn a_merge_into_the_lowest_node_of_the_deepest_tree_keeps_the_state_whole() {
    for engine in Engine::all() {
        let mut world = World::new(engine).await;
        let mut lowest = world.shop;
        for level in 3..=DEPTH {
            lowest = world.node(lowest, &format!("level-{level}")).await;
        }
        let merged = world.try_step(Step::Merge { from: world.pay, into: lowest }).await;
        world.kernel().verify().await.unwrap_or_else(|error| panic!("{engine:?}, {merged:?}: {error}"));
        world.reopen().await;
    }
}

#[tokio::test]
async fn what_was_about_a_node_is_seen_where_it_was_merged_into() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "administrator", world.pay).await;
        let before = world.note(world.checkout, "about the checkout").await;
        let records = async || {
            let mut tx = world.kernel().read(&ada, crate::support::AUDIT_READ).await.unwrap();
            let records = crate::support::records(&mut tx).await;
            records.iter().any(|record| record.object.id == before.to_string())
        };
        assert!(!records().await);
        world.step(Step::Merge { from: world.checkout, into: world.pay }).await;
        assert!(records().await);
        assert_eq!(world.seen(&ada).await.unwrap(), ["about the checkout"]);
    }
}

#[tokio::test]
async fn a_merge_does_not_lower_a_guard() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        world.rule(world.shop, Write::VERB, &[("owner", "owner")]).await;
        let merge = || Step::Merge { from: world.shop, into: world.pay };
        assert_eq!(refusal(&world, merge()).await, "request/invalid");
        world.rule(world.shop, Write::VERB, &[]).await;
        world.step(merge()).await;
    }
}

#[tokio::test]
async fn nothing_is_done_to_a_node_that_is_gone() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let gone = world.node(world.shop, "gone").await;
        world.step(Step::Merge { from: gone, into: world.pay }).await;
        let ada = holder(world.person("ada").await);
        let name = || "again".parse().unwrap();
        for step in [
            Step::Node { parent: gone, name: name(), production: false },
            Step::Rename { node: gone, name: name() },
            Step::Move { node: gone, parent: world.pay },
            Step::Move { node: world.shop, parent: gone },
            Step::Merge { from: gone, into: world.pay },
            Step::Merge { from: world.shop, into: gone },
            Step::Production { node: gone, production: true },
            Step::Grant { holder: ada, role: "writer".into(), node: gone, until: None },
            Step::Rule { node: gone, verb: "note:write".into(), slots: Vec::new() },
        ] {
            let words = format!("{step:?}");
            assert_eq!(refusal(&world, step).await, "object/not-found", "{words}");
        }
    }
}

#[tokio::test]
async fn production_is_inherited_and_moves_with_the_node() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.platform.root).await;
        let allowed = async |node| world.allowed(&ada, notes::Change::VERB, node).await;
        world.step(Step::Production { node: world.shop, production: true }).await;
        assert!(!allowed(world.checkout).await && allowed(world.pay).await);
        world.step(Step::Move { node: world.checkout, parent: world.pay }).await;
        assert!(allowed(world.checkout).await);
        world.step(Step::Move { node: world.checkout, parent: world.shop }).await;
        assert!(!allowed(world.checkout).await);
    }
}
