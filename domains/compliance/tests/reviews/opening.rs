//! When reviews are opened, and that no record is left out whatever the clock does.

use garrison_compliance::acts::{OpenReviews, Opened};
use garrison_kernel::{Actor, Origin, System};
use garrison_testkit::Engine;
use jiff::SignedDuration;

use crate::world::World;

#[tokio::test]
async fn what_was_opened_is_not_opened_again() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        world.nodes("n", 3).await;
        let before = world.records(None).await[0].seq;
        assert_eq!(world.next_day().await, 1);
        let after = world.records(None).await[0].seq;
        assert_eq!(world.open().await, 0);
        assert_eq!(world.records(None).await[0].seq, after, "looking leaves no record");
        // The same act, as after an answer that got lost.
        let compliance = Actor::system(System::COMPLIANCE, world.platform.tenant, Origin::system("again"));
        for behind in [0, before, after] {
            let done = world.act(&compliance, OpenReviews { after: behind }).await.unwrap();
            assert_eq!(done, Opened::default());
        }
        assert_eq!(world.reviews(&world.olga, world.yesterday()).await.len(), 1);
    }
}

#[tokio::test]
async fn days_without_the_server_are_caught_up_and_reviewing_begets_no_reviews() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        world.nodes("n", 1).await;
        let first = world.yesterday().plus(1);
        world.platform.clock.advance(SignedDuration::from_hours(48));
        world.nodes("m", 1).await;
        world.platform.clock.advance(SignedDuration::from_hours(48));
        assert_eq!(world.open().await, 2);
        for day in [first, first.plus(2)] {
            let review = world.review(world.shop, day).await;
            world.note_all(&world.olga, review.id).await;
            world.sign(&world.olga, review.id).await.unwrap();
        }
        assert!(world.reviews(&world.olga, first.plus(1)).await.is_empty());
        assert_eq!(world.next_day().await, 0);
    }
}

#[tokio::test]
async fn a_clock_that_ran_ahead_keeps_no_record_from_its_auditor() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let day = world.yesterday().plus(1);
        let ahead = SignedDuration::from_hours(24 * 30);
        world.nodes("a", 1).await;
        world.platform.clock.advance(ahead);
        world.nodes("b", 1).await;
        world.platform.clock.advance(-ahead);
        world.nodes("c", 1).await;
        assert_eq!(world.next_day().await, 1);
        assert_eq!(world.review(world.shop, day).await.records, 3);
    }
}

#[tokio::test]
async fn days_that_were_reviewed_ahead_of_their_time_stop_nothing() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let first = world.yesterday().plus(1);
        let three_days = SignedDuration::from_hours(24 * 3);
        world.nodes("a", 1).await;
        world.platform.clock.advance(three_days);
        world.nodes("b", 1).await;
        // Reviews of the first day and of the fourth one; then the clock is put back to the second one.
        assert_eq!(world.next_day().await, 2);
        world.platform.clock.advance(-three_days);
        for number in 0..6 {
            world.nodes(&format!("c{number}-"), 1).await;
            world.next_day().await;
        }
        let mut records = Vec::new();
        for day in 0..8 {
            let reviews = world.reviews(&world.olga, first.plus(day)).await;
            let at_shop: Vec<i64> = reviews.iter().map(|review| review.records).collect();
            assert!(at_shop.len() <= 1, "{at_shop:?}");
            records.extend(at_shop);
        }
        assert_eq!(records.iter().sum::<i64>(), 8, "each record is in one review: {records:?}");
    }
}

#[tokio::test]
async fn a_day_with_many_nodes_is_opened_in_parts_whatever_the_clock_does_meanwhile() {
    let world = World::new(Engine::Sqlite).await;
    let day = world.yesterday().plus(1);
    let after = world.records(Some("review:open")).await[0].seq - 1;
    // Each chain of ten leaves a record at the shop and at nine nodes of its own.
    let mut parent = world.shop;
    for number in 0..560 {
        parent = if number % 10 == 0 { world.shop } else { parent };
        parent = world.node(parent, &format!("n{number}")).await;
    }
    let clock = &world.platform.clock;
    clock.advance(SignedDuration::from_hours(24));
    let compliance = Actor::system(System::COMPLIANCE, world.platform.tenant, Origin::system("by hand"));
    let part = world.act(&compliance, OpenReviews { after }).await.unwrap();
    assert_eq!(part, Opened { changed: true, opened: 500 });
    clock.advance(-SignedDuration::from_hours(24));
    world.nodes("late", 1).await;
    clock.advance(SignedDuration::from_hours(24));
    assert_eq!(world.open().await, 5);
    let (shop, number) = (world.shop, day.number());
    let of_shop =
        format!("SELECT records FROM compliance_review WHERE node_id = '{shop}' AND day = {number}");
    assert_eq!(world.platform.database.by_hand(&of_shop).trim(), "56");
    // What came in between is for the next day.
    assert_eq!(world.next_day().await, 1);
    assert_eq!(world.review(world.shop, day.plus(1)).await.records, 1);
}

#[tokio::test]
async fn a_tenant_whose_reviews_cannot_be_opened_does_not_hold_up_the_others() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let kernel = &world.platform.kernel;
        let other = kernel.found_tenant(&"other".parse().unwrap(), Origin::system("second")).await.unwrap();
        let (_, other_root) = other;
        world.platform.database.by_hand(&format!(
            "UPDATE compliance_progress SET seq = seq + 1 WHERE tenant = '{}'",
            world.platform.tenant
        ));
        let day = SignedDuration::from_hours(24);
        world.platform.clock.advance(day);
        assert!(garrison_compliance::open_reviews(kernel).await.is_err());
        let reviews = format!("SELECT COUNT(*) FROM compliance_review WHERE node_id = '{other_root}'");
        assert_eq!(world.platform.database.by_hand(&reviews).trim(), "1");
    }
}
