//! The scope of reads: nobody is shown what policy would not allow, whatever the statement says.

use garrison_base::NodeId;
use garrison_kernel::{Actor, AuditFilter, KernelError, TokenLimits};
use garrison_testkit::Engine;

use crate::support::house::Step;
use crate::support::notes::{self, Change, Write};
use crate::support::{AUDIT_READ, World, arrange, holder, refused};

/// A world with one note on each node.
async fn noted(engine: Engine) -> World {
    let world = World::new(engine).await;
    for (node, words) in [
        (world.platform.root, "acme"),
        (world.shop, "shop"),
        (world.checkout, "checkout"),
        (world.pay, "pay"),
    ] {
        world.note(node, words).await;
    }
    world
}

async fn move_node(world: &World, node: NodeId, parent: NodeId) {
    world.step(Step::Move { node, parent }).await;
}

#[tokio::test]
async fn a_read_shows_the_granted_nodes_and_what_is_below_them() {
    for engine in Engine::all() {
        let world = noted(engine).await;
        let ada = world.holding("ada", "reader", world.shop).await;
        assert_eq!(world.seen(&ada).await.unwrap(), ["checkout", "shop"]);
        let bob = world.holding("bob", "reader", world.checkout).await;
        assert_eq!(world.seen(&bob).await.unwrap(), ["checkout"]);
        let cleo = world.holding("cleo", "reader", world.platform.root).await;
        assert_eq!(world.seen(&cleo).await.unwrap(), ["acme", "checkout", "pay", "shop"]);
    }
}

#[tokio::test]
async fn grants_on_two_nodes_are_seen_together_and_nothing_twice() {
    for engine in Engine::all() {
        let world = noted(engine).await;
        let person = world.person("ada").await;
        for node in [world.checkout, world.pay, world.shop] {
            world.grant(holder(person), "reader", node).await;
        }
        let ada = world.platform.person(person);
        assert_eq!(world.seen(&ada).await.unwrap(), ["checkout", "pay", "shop"]);
    }
}

#[tokio::test]
async fn a_read_without_any_grant_is_denied() {
    for engine in Engine::all() {
        let world = noted(engine).await;
        let ada = world.platform.person(world.person("ada").await);
        assert!(matches!(world.seen(&ada).await, Err(KernelError::Denied { .. })));
        // A role that allows other things does not help.
        let eve = world.holding("eve", "ender", world.shop).await;
        assert!(matches!(world.seen(&eve).await, Err(KernelError::Denied { .. })));
    }
}

#[tokio::test]
async fn a_moved_subtree_is_seen_where_it_hangs_now() {
    for engine in Engine::all() {
        let mut world = noted(engine).await;
        let ada = world.holding("ada", "reader", world.shop).await;
        let bob = world.holding("bob", "reader", world.pay).await;
        move_node(&world, world.checkout, world.pay).await;
        for moment in ["before the restart", "after it"] {
            assert_eq!(world.seen(&ada).await.unwrap(), ["shop"], "{moment}");
            assert_eq!(world.seen(&bob).await.unwrap(), ["checkout", "pay"], "{moment}");
            world.reopen().await;
        }
        move_node(&world, world.checkout, world.shop).await;
        assert_eq!(world.seen(&ada).await.unwrap(), ["checkout", "shop"]);
        assert_eq!(world.seen(&bob).await.unwrap(), ["pay"]);
    }
}

#[tokio::test]
async fn a_token_only_takes_away() {
    for engine in Engine::all() {
        let world = noted(engine).await;
        let ada = world.holding("ada", "reader", world.shop).await;
        let token = |verbs: &[&str], node| {
            let verbs = verbs.iter().map(|verb| (*verb).to_owned()).collect();
            Actor { limits: Some(TokenLimits { verbs, node }), ..ada.clone() }
        };
        let root = world.platform.root;
        for (verbs, node, seen) in [
            (&["note:read"][..], root, &["checkout", "shop"][..]),
            (&["note:*"], root, &["checkout", "shop"]),
            (&["*"], world.shop, &["checkout", "shop"]),
            (&["note:read"], world.checkout, &["checkout"]),
        ] {
            assert_eq!(world.seen(&token(verbs, node)).await.unwrap(), seen, "{verbs:?}");
        }
        for (verbs, node) in [
            (&["note:write"][..], root),
            (&[], root),
            (&["not:*", "note"], root),
            (&["note:read"], world.pay),
        ] {
            assert!(
                matches!(world.seen(&token(verbs, node)).await, Err(KernelError::Denied { .. })),
                "{verbs:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_token_limits_acts_like_reads() {
    for engine in Engine::all() {
        let world = noted(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        let limits = TokenLimits { verbs: vec!["note:write".into()], node: world.checkout };
        let token = Actor { limits: Some(limits), ..ada.clone() };
        let write = |node| Write { node, words: "by token".into() };
        world.kernel().act(&token, write(world.checkout)).await.unwrap();
        assert_eq!(refused(world.kernel().act(&token, write(world.shop)).await), "access/denied");
        let note = world.note(world.checkout, "another").await;
        let change = Change { note, words: "changed".into() };
        assert_eq!(refused(world.kernel().act(&token, change).await), "access/denied");
    }
}

#[tokio::test]
async fn no_read_crosses_into_another_tenant() {
    for engine in Engine::all() {
        let world = noted(engine).await;
        let founded = world.kernel().found_tenant(&"globex".parse().unwrap(), world.system().origin).await;
        let (globex, their_root) = founded.unwrap();
        let hank = arrange(world.kernel(), globex, Step::Person("hank".into())).await.unwrap();
        let grant = Step::Grant {
            holder: hank.parse().unwrap(),
            role: "administrator".into(),
            node: their_root,
            until: None,
        };
        arrange(world.kernel(), globex, grant).await.unwrap();
        let hank = Actor { tenant: globex, ..world.platform.actor(hank.parse().unwrap()) };
        assert_eq!(world.seen(&hank).await.unwrap(), Vec::<String>::new());
        let mut tx = world.kernel().read(&hank, AUDIT_READ).await.unwrap();
        let records = tx.records(&AuditFilter::default(), 1_000).await.unwrap();
        assert!(records.len() > 2 && records.iter().all(|record| record.tenant == globex));
        let names: Vec<_> = tx.whole_tree().await.unwrap().into_iter().map(|node| node.name).collect();
        assert_eq!(names, ["globex"]);
        assert!(tx.node(world.shop).await.is_err() && !tx.sees(world.shop));
        assert_eq!(tx.grants((None, None), true, ("", 100)).await.unwrap().len(), 1);
        // Whoever says that he is of another tenant is nobody there.
        let forged = Actor { tenant: world.platform.tenant, ..hank };
        assert!(matches!(world.seen(&forged).await, Err(KernelError::Denied { .. })));
    }
}

#[tokio::test]
async fn the_tree_grants_requests_and_records_are_scoped_like_notes() {
    for engine in Engine::all() {
        let world = noted(engine).await;
        let ada = world.holding("ada", "administrator", world.shop).await;
        let bob = world.holding("bob", "writer", world.pay).await;
        world.rule(world.platform.root, <Write as garrison_kernel::Act>::VERB, &[("owner", "owner")]).await;
        for (actor, node) in [(&ada, world.checkout), (&bob, world.pay)] {
            world.kernel().act(actor, Write { node, words: "asked".into() }).await.unwrap();
        }

        let mut tx = world.kernel().read(&ada, AUDIT_READ).await.unwrap();
        let names: Vec<_> = tx.whole_tree().await.unwrap().into_iter().map(|node| node.name).collect();
        assert_eq!(names, ["shop", "checkout"]);
        let levels = tx.level(world.platform.root, "", 10).await.unwrap();
        assert_eq!(levels.iter().map(|level| level.node.name.as_str()).collect::<Vec<_>>(), ["shop"]);
        assert_eq!(tx.find_node("acme/shop/checkout"), Some(world.checkout));
        assert_eq!(tx.find_node("acme/pay"), None);
        assert_eq!(tx.find_node(&world.pay.to_string()), None);
        let grants = tx.grants((None, None), false, ("", 10)).await.unwrap();
        assert_eq!(grants.iter().map(|grant| grant.path.as_str()).collect::<Vec<_>>(), ["acme/shop"]);
        let requests = tx.requests(None, (None, 10)).await.unwrap();
        assert_eq!(requests.iter().map(|request| request.node).collect::<Vec<_>>(), [world.checkout]);
        let hidden = tx.records(&AuditFilter::default(), 1_000).await.unwrap();
        assert!(hidden.iter().all(|record| [world.shop, world.checkout].contains(&record.node)));
        assert!(hidden.iter().any(|record| record.result == "waiting"));
        // The same, oldest first and with their bytes; after a number, and within a time.
        let mut after = tx.records_after(0, (None, None), 1_000).await.unwrap();
        assert!(after.iter().all(|(record, bytes)| *bytes == serde_json::to_vec(record).unwrap()));
        after.reverse();
        assert_eq!(after.iter().map(|(record, _)| record.clone()).collect::<Vec<_>>(), hidden);
        let (oldest, newest) = (&hidden[hidden.len() - 1], &hidden[0]);
        let one = tx.records_after(oldest.seq - 1, (None, None), 1).await.unwrap();
        assert_eq!(one.iter().map(|(record, _)| record.seq).collect::<Vec<_>>(), [oldest.seq]);
        assert_eq!(tx.records_after(newest.seq, (None, None), 10).await.unwrap().len(), 0);
        let since = tx.records_after(0, (Some(oldest.received), None), 1_000).await.unwrap();
        let until = tx.records_after(0, (None, Some(oldest.received)), 1_000).await.unwrap();
        assert_eq!((since.len(), until.len()), (hidden.len(), 0));
    }
}

#[tokio::test]
async fn a_read_sees_one_moment() {
    for engine in Engine::all() {
        let world = noted(engine).await;
        let mut tx = world.kernel().read(&world.system(), notes::READ).await.unwrap();
        let before = crate::support::words(&mut tx).await.unwrap();
        world.note(world.shop, "later").await;
        assert_eq!(crate::support::words(&mut tx).await.unwrap(), before);
        drop(tx);
        assert_eq!(world.notes().await.len(), before.len() + 1);
    }
}
