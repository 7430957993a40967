//! Somebody who kept copies of whole tables puts them back together, so that every row and every sum fits.

use garrison_kernel::{Act as _, DbError, KernelError};
use garrison_testkit::Engine;

use crate::support::house::Step;
use crate::support::notes::Write;
use crate::support::{World, holder, modules, refused};

const RIGHTS: [&str; 7] = ["tenant", "actor", "node", "member", "grants", "approval_rule", "authz_head"];
const RECORD: [&str; 2] = ["audit", "log_head"];

fn keep(world: &World, tables: &[&str]) {
    for table in tables {
        world.platform.database.by_hand(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}"));
    }
}

fn put_back(world: &World, tables: &[&str]) {
    for table in tables {
        let sql = format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}");
        world.platform.database.by_hand(&sql);
    }
}

#[tokio::test]
async fn the_rights_of_yesterday_do_not_fit_the_record() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.person("ada").await;
        let grant = world.grant(holder(ada), "writer", world.shop).await;
        keep(&world, &RIGHTS);
        world.step(Step::End(grant)).await;
        put_back(&world, &RIGHTS);
        // While it runs: nothing is built upon them, and it is told.
        let ada = world.platform.person(ada);
        let act = world.kernel().act(&ada, Write { node: world.shop, words: "x".into() }).await;
        assert_eq!(refused(act), "server/tampered", "{engine:?}");
        assert!(world.notes().await.is_empty());
        assert!(matches!(
            world.kernel().verify().await,
            Err(KernelError::Database(DbError::Tampered { .. }))
        ));
        // While it is stopped.
        let opened = world.platform.reopen(modules()).await;
        let complaint = opened.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(complaint.contains("authz_head"), "{engine:?}: {complaint}");
    }
}

#[tokio::test]
async fn a_record_that_was_cut_after_the_start_is_missed_by_the_first_act() {
    for engine in Engine::all() {
        let mut world = World::new(engine).await;
        let ada = world.holding("ada", "reader", world.shop).await;
        keep(&world, &RECORD);
        // A refusal changes no right, and is recorded.
        assert_eq!(
            refused(world.kernel().act(&ada, Write { node: world.shop, words: "x".into() }).await),
            "access/denied"
        );
        world.reopen().await;
        put_back(&world, &RECORD);
        let act = world.kernel().act(&ada, Write { node: world.shop, words: "y".into() }).await;
        assert_eq!(refused(act), "server/tampered", "{engine:?}: {}", Write::VERB);
    }
}
