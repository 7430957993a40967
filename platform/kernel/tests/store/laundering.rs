//! An edit by hand must not become true because an act touches the row afterwards.

use garrison_kernel::{Act as _, Holder};
use garrison_testkit::Engine;

use crate::support::house::{EndGrant, Step};
use crate::support::notes::Write;
use crate::support::{World, holder, modules, refused};

/// Puts the row of the table back as it was when this was called.
fn keep<'w>(world: &'w World, table: &'static str, key: String) -> impl Fn() + 'w {
    world.platform.database.by_hand(&format!("CREATE TABLE kept AS SELECT * FROM {table} WHERE {key}"));
    move || {
        let sql = format!("DELETE FROM {table} WHERE {key}; INSERT INTO {table} SELECT * FROM kept");
        world.platform.database.by_hand(&sql);
    }
}

#[tokio::test]
async fn an_actor_that_was_disabled_stays_so_when_an_older_row_is_put_back_and_renamed() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        let who = Holder::Actor(ada.id);
        let put_back = keep(&world, "actor", format!("actor = '{}'", ada.id));
        world.step(Step::Active { who, active: false }).await;
        put_back();
        let renamed = world.try_step(Step::RenameActor { who, name: "eve".into() }).await;
        assert!(!world.allowed(&ada, Write::VERB, world.shop).await, "{engine:?}: {renamed:?}");
        assert_eq!(renamed.err().map(|problem| problem.kind().name), Some("server/tampered"), "{engine:?}");
    }
}

#[tokio::test]
async fn a_node_that_was_moved_stays_there_when_an_older_row_is_put_back_and_renamed() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        let put_back = keep(&world, "node", format!("node_id = '{}'", world.checkout));
        world.step(Step::Move { node: world.checkout, parent: world.pay }).await;
        put_back();
        let renamed =
            world.try_step(Step::Rename { node: world.checkout, name: "till".parse().unwrap() }).await;
        assert!(!world.allowed(&ada, Write::VERB, world.checkout).await, "{engine:?}: {renamed:?}");
        assert_eq!(renamed.err().map(|problem| problem.kind().name), Some("server/tampered"), "{engine:?}");
    }
}

#[tokio::test]
async fn a_row_that_was_deleted_by_hand_is_not_made_anew() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let person = world.person("ada").await;
        let group = world.group("crew", &[person]).await;
        world.platform.database.by_hand(&format!("DELETE FROM actor WHERE actor = '{person}'"));
        // It does not matter what the act says, but the loss must be found afterwards, too.
        let _ = world.try_step(Step::Active { who: holder(person), active: false }).await;
        let member = garrison_kernel::ActorId::Person(person);
        let _ = world.try_step(Step::Member { group, member, active: false }).await;
        assert!(world.kernel().verify().await.is_err());
        assert!(world.platform.reopen(modules()).await.is_err());
    }
}

#[tokio::test]
async fn a_grant_cannot_be_ended_by_who_moved_it_into_reach_by_hand() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let eve = world.holding("eve", "ender", world.shop).await;
        let grant = world.grant(holder(world.person("ada").await), "writer", world.pay).await;
        assert_eq!(refused(world.kernel().act(&eve, EndGrant { grant }).await), "object/not-found");
        let sql = format!("UPDATE grants SET node_id = '{}' WHERE grant_id = '{grant}'", world.shop);
        world.platform.database.by_hand(&sql);
        assert_eq!(refused(world.kernel().act(&eve, EndGrant { grant }).await), "server/tampered");
        let state =
            world.platform.database.by_hand(&format!("SELECT state FROM grants WHERE grant_id = '{grant}'"));
        assert_eq!(state.trim(), "active");
    }
}

#[tokio::test]
async fn nothing_is_recorded_behind_a_head_that_was_put_back() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let put_back = keep(&world, "log_head", "log_id = 'acts'".into());
        world.note(world.shop, "recorded").await;
        put_back();
        let write = Write { node: world.shop, words: "not recorded".into() };
        assert_eq!(
            refused(world.kernel().act(&world.system(), write).await),
            "server/tampered",
            "{engine:?}"
        );
        assert_eq!(world.notes().await, ["recorded"]);
    }
}

#[tokio::test]
async fn a_forged_head_of_the_rights_stops_every_act() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        world.platform.database.by_hand("UPDATE authz_head SET generation = generation + 1");
        let write = Write { node: world.shop, words: "no".into() };
        assert_eq!(refused(world.kernel().act(&ada, write).await), "server/tampered");
    }
}

#[tokio::test]
async fn a_forged_row_with_a_future_generation_is_not_followed() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let eve = world.platform.person(world.person("eve").await);
        let sql = format!(
            "INSERT INTO grants SELECT 'grt_00000000000000000000000001', tenant, '{}', node_id, 'administrator', since,
                 until, duty, reason, 'active', generation + 10, mac FROM grants",
            eve.id
        );
        world.holding("ada", "writer", world.platform.root).await;
        world.platform.database.by_hand(&sql);
        for words in ["one", "two"] {
            let _ =
                world.kernel().act(&world.system(), Write { node: world.shop, words: words.into() }).await;
            let _ = world.try_step(Step::Person(words.into())).await;
            assert!(!world.allowed(&eve, Write::VERB, world.shop).await);
        }
        assert!(world.kernel().verify().await.is_err());
    }
}
