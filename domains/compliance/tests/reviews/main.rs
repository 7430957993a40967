//! Reviews: what is put before an auditor, who may sign, and what happens when nobody does.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests fail loudly")]

mod opening;
mod world;

use std::collections::BTreeSet;

use garrison_access::acts::{Approve, SetApprovalRule};
use garrison_base::NodeId;
use garrison_compliance::acts::SignReview;
use garrison_compliance::{ItemReason, Review, ReviewDetail, ReviewState, Seed, overdue_reviews};
use garrison_detection::{AlertFilter, ListAlerts};
use garrison_directory::acts::{AddMember, CreateGroup, CreateService, HandOverService, MergeNode};
use garrison_kernel::{Actor, ActorId, AuditFilter, Holder, Outcome, Slot, TokenLimits, Verb};
use garrison_testkit::Engine;
use garrison_web::Question as _;
use jiff::SignedDuration;
use world::{World, new_grant};

/// The numbers of the items that are there for a reason.
fn items(detail: &ReviewDetail, reason: ItemReason) -> BTreeSet<i64> {
    let of_reason = detail.items.iter().filter(|one| one.item.reason == reason);
    of_reason.map(|one| one.item.seq).collect()
}

/// What a seed chooses of these numbers, done again by what the README says.
fn chosen(seed: Seed, seqs: &[i64]) -> BTreeSet<i64> {
    let chosen: BTreeSet<i64> = seqs.iter().copied().filter(|seq| seed.chooses(*seq)).collect();
    assert!(!chosen.is_empty(), "this seed chooses none: choose another day for the test");
    chosen
}

/// The numbers of the records of an operation at a node.
async fn numbers(world: &World, operation: &str, node: NodeId) -> Vec<i64> {
    let records = world.records(Some(operation)).await.into_iter();
    let day = world.yesterday();
    records
        .filter(|record| record.node == node && garrison_compliance::Day::of(record.received) == day)
        .map(|record| record.seq)
        .collect()
}

#[tokio::test]
async fn a_day_is_put_before_an_auditor() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let bob = world.person("bob", &[]).await;
        world.fail_login().await;
        world.fail_login().await;
        world.grant(Holder::Actor(bob.id), "operator", world.shop).await;
        world.try_in_vain(&bob).await;
        world.nodes("n", 120).await;
        assert_eq!(world.next_day().await, 2);

        let day = world.yesterday();
        let at_root = world.review(world.platform.root, day).await;
        // The founding of bob, and two logins that failed. Opening the reviews of the day before does not count.
        let counts = |review: &Review| [review.records, review.exceptions, review.high_risk, review.sampled];
        assert_eq!(counts(&at_root), [3, 2, 1, 0]);
        let shown = world.show(&world.olga, at_root.id).await.unwrap();
        let operations: Vec<_> = shown.items.iter().map(|one| one.record.operation.as_str()).collect();
        assert_eq!(operations, ["person:create", "login:prove", "login:prove"]);

        let at_shop = world.review(world.shop, day).await;
        let sample = chosen(at_shop.seed, &numbers(&world, "node:create", world.shop).await);
        assert_eq!(counts(&at_shop), [122, 1, 1, i64::try_from(sample.len()).unwrap()]);
        assert_eq!((at_shop.state, at_shop.undecided), (ReviewState::Open, 2 + at_shop.sampled));
        let shown = world.show(&world.olga, at_shop.id).await.unwrap();
        assert_eq!(items(&shown, ItemReason::Sample), sample);
        assert_eq!(
            items(&shown, ItemReason::HighRisk),
            BTreeSet::from_iter(numbers(&world, "grant:create", world.shop).await)
        );
        assert_eq!(
            items(&shown, ItemReason::Exception),
            BTreeSet::from_iter(numbers(&world, "node:rename", world.shop).await)
        );
        // Everybody can choose again: the seed stands in the record.
        let opened = world.records(Some("review:open")).await;
        assert!(opened[0].reason.contains(&at_shop.seed.to_string()), "{}", opened[0].reason);
        // That the records were read is recorded.
        assert_eq!(world.records(Some("review:show")).await.len(), 2);
    }
}

#[tokio::test]
async fn of_a_thousand_records_one_in_twenty_is_chosen_and_nobody_chose() {
    let world = World::new(Engine::Sqlite).await;
    world.nodes("n", 1_000).await;
    // More than one act looks through.
    assert_eq!(world.next_day().await, 1);
    let review = world.review(world.shop, world.yesterday()).await;
    let sample = chosen(review.seed, &numbers(&world, "node:create", world.shop).await);
    let shown = world.show(&world.olga, review.id).await.unwrap();
    assert_eq!((review.records, items(&shown, ItemReason::Sample)), (1_000, sample.clone()));
    // Five standard deviations around 50.
    assert!((16..=84).contains(&sample.len()), "{}", sample.len());
}

#[tokio::test]
async fn where_chance_chooses_none_one_is_seen() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        for day in 0..8 {
            world.nodes(&format!("d{day}-"), 1).await;
            world.next_day().await;
            let review = world.review(world.shop, world.yesterday()).await;
            assert_eq!([review.records, review.sampled], [1, 1], "day {day}");
        }
    }
}

#[tokio::test]
async fn a_review_is_signed_when_every_item_has_a_verdict() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let bob = world.person("bob", &[]).await;
        world.fail_login().await;
        world.fail_login().await;
        world.next_day().await;
        let review = world.review(world.platform.root, world.yesterday()).await;
        let refused = world.sign(&world.olga, review.id).await.unwrap_err();
        assert_eq!(refused.kind().name, "review/undecided");
        let words = refused.to_string();
        assert!(words.contains("3 of 3 items") && words.contains("2 of login:prove"), "{words}");

        let noted = world.note(&world.olga, review.id, (&[], Some("login:prove"))).await.unwrap();
        assert_eq!((noted.noted, noted.undecided), (2, 1));
        for wrong in [(&[][..], Some("login:prove")), (&[][..], None), (&[1_000_000][..], None)] {
            let refused = world.note(&world.olga, review.id, wrong).await.unwrap_err();
            assert_eq!(refused.kind().name, "request/invalid", "{wrong:?}");
        }
        assert!(world.sign(&world.olga, review.id).await.is_err());
        world.note_all(&world.olga, review.id).await;
        assert!(world.sign(&bob, review.id).await.is_err(), "bob holds nothing");
        let signed = world.sign(&world.olga, review.id).await.unwrap();
        assert_eq!((signed.items, signed.findings), (3, 0));

        let review = world.review(world.platform.root, world.yesterday()).await;
        assert_eq!((review.state, review.signer), (ReviewState::Signed, Some(world.olga.id)));
        assert_eq!(review.opinion.as_deref(), Some("a quiet day"));
        for late in [
            world.sign(&world.olga, review.id).await.unwrap_err(),
            world.note(&world.olga, review.id, (&[], Some("login:prove"))).await.unwrap_err(),
        ] {
            assert_eq!(late.kind().name, "review/state");
        }
    }
}

#[tokio::test]
async fn who_has_a_part_in_it_does_not_review_it() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let (root, shop) = (world.platform.root, world.shop);
        let above = world.person("above", &[("auditor", shop), ("operator", root)]).await;
        let below = world.person("below", &[("auditor", root), ("owner", shop)]).await;
        let looks = world.person("looks", &[("auditor", shop), ("viewer", root)]).await;
        let otto = world.person("otto", &[("auditor", root)]).await;
        world.nodes("n", 1).await;
        world.try_in_vain(&world.olga).await;
        world.next_day().await;
        let (at_root, at_shop) =
            (world.review(root, world.yesterday()).await, world.review(shop, world.yesterday()).await);

        // Her own record is among them: not hers to judge, nor a review to sign.
        let own: Vec<i64> = numbers(&world, "node:rename", shop).await;
        for refused in [
            world.note(&world.olga, at_shop.id, (&own, None)).await.unwrap_err(),
            world.sign(&world.olga, at_shop.id).await.unwrap_err(),
        ] {
            assert_eq!(refused.kind().name, "review/involved");
            assert!(refused.to_string().contains("your own"), "{refused}");
        }
        for (who, review, role) in [(&above, &at_shop, "operator"), (&below, &at_root, "owner")] {
            let operation = if review.id == at_shop.id { "node:rename" } else { "person:create" };
            let refused = world.note(who, review.id, (&[], Some(operation))).await.unwrap_err();
            assert_eq!(refused.kind().name, "review/involved");
            assert!(refused.to_string().contains(role), "{refused}");
        }
        world.note_all(&otto, at_shop.id).await;
        let refused = world.sign(&above, at_shop.id).await.unwrap_err();
        assert_eq!(refused.kind().name, "review/involved");
        // A token of a right person is none.
        let limits = Some(TokenLimits { verbs: vec!["*".into()], node: root });
        let refused = world.sign(&Actor { limits, ..looks.clone() }, at_shop.id).await.unwrap_err();
        assert!(matches!(refused.kind().status, 403 | 404), "{refused}");
        world.sign(&looks, at_shop.id).await.unwrap();
        // An administrator sees how reviews stand, and neither reads nor signs them.
        assert_eq!(world.reviews(&world.ann, world.yesterday()).await.len(), 2);
        assert!(world.show(&world.ann, at_root.id).await.is_err());
        assert!(world.sign(&world.ann, at_root.id).await.is_err());
    }
}

#[tokio::test]
async fn what_one_s_group_and_service_account_hold_counts() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let rita = world.person("rita", &[("auditor", world.shop)]).await;
        let sam = world.person("sam", &[("auditor", world.shop)]).await;
        world.nodes("n", 1).await;
        world.next_day().await;
        let review = world.review(world.shop, world.yesterday()).await;
        world.note_all(&rita, review.id).await;

        let ActorId::Person(owner) = rita.id else { panic!("{rita:?}") };
        let new = CreateService {
            name: "robot".parse().unwrap(),
            owner,
            purpose: "restarts what hangs".parse().unwrap(),
        };
        let robot = world.act(&world.ann, new).await.unwrap().service;
        world.grant(Holder::Actor(ActorId::Service(robot)), "operator", world.shop).await;
        let new = CreateGroup { name: "team".parse().unwrap(), purpose: "runs the shop".parse().unwrap() };
        let group = world.act(&world.ann, new).await.unwrap().group;
        world.act(&world.ann, AddMember { group, member: sam.id }).await.unwrap();
        world.grant(Holder::Group(group), "operator", world.platform.root).await;
        for who in [&rita, &sam] {
            let refused = world.sign(who, review.id).await.unwrap_err();
            assert_eq!(refused.kind().name, "review/involved", "{refused}");
        }
    }
}

#[tokio::test]
async fn who_approved_it_has_a_part_in_it() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let kernel = &world.platform.kernel;
        let bob = world.person("bob", &[]).await;
        let slots = vec![Slot { name: "second".into(), role: "auditor".into() }];
        let rule = SetApprovalRule { node: world.shop, verb: "grant:create".into(), slots };
        world.act(&world.ann, rule).await.unwrap();
        let asked = new_grant(Holder::Actor(bob.id), "operator", world.shop);
        let asked = kernel.act(&world.ann, asked).await.unwrap();
        let Outcome::Waiting(approval) = asked else { panic!("it does not wait") };
        let mut tx = kernel.read(&world.olga, Verb::new("approval:show")).await.unwrap();
        let digest = tx.request(approval).await.unwrap().digest;
        drop(tx);
        let approve = Approve { approval, digest, slot: None, opinion: "as agreed".parse().unwrap() };
        world.act(&world.olga, approve).await.unwrap();
        world.next_day().await;

        let review = world.review(world.shop, world.yesterday()).await;
        let refused = world.note(&world.olga, review.id, (&[], Some("grant:create"))).await.unwrap_err();
        assert_eq!(refused.kind().name, "review/involved");
        assert!(refused.to_string().contains("approved"), "{refused}");
        // Nobody is taken out by hand.
        let change = "UPDATE compliance_item SET involved = NULL WHERE operation = 'grant:create'";
        world.platform.database.by_hand(change);
        let refused = world.sign(&world.olga, review.id).await.unwrap_err();
        assert_eq!(refused.kind().name, "server/tampered", "{refused}");
    }
}

#[tokio::test]
async fn what_an_account_did_stays_its_owner_s_when_it_is_handed_over() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let rita = world.person("rita", &[("auditor", world.shop)]).await;
        let bob = world.person("bob", &[]).await;
        let (ActorId::Person(owner), ActorId::Person(next)) = (rita.id, bob.id) else { panic!("{bob:?}") };
        let new =
            CreateService { name: "robot".parse().unwrap(), owner, purpose: "restarts".parse().unwrap() };
        let service = world.act(&world.ann, new).await.unwrap().service;
        let robot = world.platform.actor(ActorId::Service(service));
        world.grant(Holder::Actor(robot.id), "viewer", world.shop).await;
        world.try_in_vain(&robot).await;
        world.next_day().await;
        world.act(&world.ann, HandOverService { service, owner: next }).await.unwrap();

        let review = world.review(world.shop, world.yesterday()).await;
        let refused = world.note(&rita, review.id, (&[], Some("node:rename"))).await.unwrap_err();
        assert_eq!(refused.kind().name, "review/involved", "{refused}");
        world.note(&world.olga, review.id, (&[], Some("node:rename"))).await.unwrap();
    }
}

#[tokio::test]
async fn a_signature_may_need_approval_and_who_may_not_sign_does_not_ask_for_it() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let slots = vec![Slot { name: "second".into(), role: "auditor".into() }];
        let rule = SetApprovalRule { node: world.platform.root, verb: "review:sign".into(), slots };
        world.act(&world.ann, rule).await.unwrap();
        world.nodes("n", 1).await;
        world.next_day().await;
        let review = world.review(world.shop, world.yesterday()).await;
        let sign = || SignReview { review: review.id, opinion: "a quiet day".parse().unwrap() };
        let refused = world.platform.kernel.act(&world.olga, sign()).await.unwrap_err();
        assert_eq!(refused.kind().name, "review/undecided");
        world.note_all(&world.olga, review.id).await;
        let asked = world.platform.kernel.act(&world.olga, sign()).await.unwrap();
        assert!(matches!(asked, Outcome::Waiting(_)), "{asked:?}");
        assert_eq!(world.state(&review).await, ReviewState::Open);
    }
}

#[tokio::test]
async fn who_audits_a_part_sees_the_reviews_of_that_part() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let vera = world.person("vera", &[("auditor", world.shop)]).await;
        world.fail_login().await;
        world.nodes("n", 1).await;
        assert_eq!(world.next_day().await, 2);
        let seen = world.reviews(&vera, world.yesterday()).await;
        assert_eq!(seen.iter().map(|review| review.node).collect::<Vec<_>>(), [world.shop]);
        let at_root = world.review(world.platform.root, world.yesterday()).await;
        assert!(world.show(&vera, at_root.id).await.is_err());
        assert!(world.show(&vera, seen[0].id).await.is_ok());
    }
}

#[tokio::test]
async fn an_overdue_review_alarms_once() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let kernel = &world.platform.kernel;
        world.nodes("n", 1).await;
        world.nodes("m", 1).await;
        world.next_day().await;
        let review = world.review(world.shop, world.yesterday()).await;
        // The time of the reviews of the day before, on which all was set up, is over a day earlier.
        world.platform.clock.advance(SignedDuration::from_hours(24 * 7) - SignedDuration::from_mins(6));
        kernel.work().await.unwrap();
        assert_eq!(world.state(&review).await, ReviewState::Open);
        let before = overdue_reviews(kernel).await.unwrap();
        world.platform.clock.advance(SignedDuration::from_mins(2));
        for _ in 0..3 {
            kernel.work().await.unwrap();
        }
        assert_eq!(world.state(&review).await, ReviewState::Overdue);
        assert_eq!(overdue_reviews(kernel).await.unwrap(), before + 1);

        let alerts = async || {
            let mut tx = kernel.read(&world.olga, ListAlerts::VERB).await.unwrap();
            let about = AlertFilter { entity: Some(review.id.to_string()), ..AlertFilter::default() };
            ListAlerts::from(about).answer(&mut tx).await.unwrap().items
        };
        let found = alerts().await;
        let [alert] = &found[..] else { panic!("{found:?}") };
        assert_eq!((alert.node, alert.title.as_str()), (world.shop, title(&review).as_str()));
        let mut tx = kernel.read(&world.olga, Verb::new("audit:list")).await.unwrap();
        let filter = AuditFilter { object: Some(review.id.to_string()), ..AuditFilter::default() };
        let told = tx.records(&filter, 500).await.unwrap();
        assert_eq!(told.iter().filter(|record| record.operation == "review:overdue").count(), 1);
        drop(tx);
        // It can still be signed, and is not overdue any more then.
        world.note_all(&world.olga, review.id).await;
        world.sign(&world.olga, review.id).await.unwrap();
        assert_eq!(overdue_reviews(kernel).await.unwrap(), before);
    }
}

fn title(review: &Review) -> String {
    format!("The review of {} is overdue", review.day)
}

#[tokio::test]
async fn what_is_changed_by_hand_is_not_signed() {
    for engine in Engine::all() {
        let changes = [
            "UPDATE compliance_item SET verdict = 'fine'",
            "UPDATE compliance_item SET actor = 'sys_setup'",
            "DELETE FROM compliance_item",
            "UPDATE compliance_review SET exceptions = 0",
            "UPDATE compliance_review SET due = due + 1",
        ];
        for change in changes {
            let world = World::new(engine).await;
            world.fail_login().await;
            world.next_day().await;
            let review = world.review(world.platform.root, world.yesterday()).await;
            world.platform.database.by_hand(&format!("{change} WHERE review_id = '{}'", review.id));
            let refused = world.sign(&world.olga, review.id).await.unwrap_err();
            assert_eq!(refused.kind().name, "server/tampered", "{change}: {refused}");
        }
        let world = World::new(engine).await;
        world.platform.database.by_hand("UPDATE compliance_progress SET seq = seq + 100");
        assert!(garrison_compliance::open_reviews(&world.platform.kernel).await.is_err());
        world.platform.database.by_hand("DELETE FROM compliance_progress");
        assert!(garrison_compliance::open_reviews(&world.platform.kernel).await.is_err());
    }
}

#[tokio::test]
async fn what_was_done_at_a_node_that_is_gone_is_reviewed_where_it_went() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        world.nodes("n", 1).await;
        let mall = world.node(world.platform.root, "mall").await;
        world.act(&world.ann, MergeNode { node: world.shop, into: mall }).await.unwrap();
        assert_eq!(world.next_day().await, 2);
        let review = world.review(mall, world.yesterday()).await;
        assert_eq!([review.records, review.high_risk, review.sampled], [2, 1, 1]);
        let vera = world.person("vera", &[("auditor", mall)]).await;
        assert_eq!(world.show(&vera, review.id).await.unwrap().items.len(), 2);
    }
}
