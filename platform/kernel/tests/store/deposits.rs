//! Secrets that are put down for an act: taken once, in time, by the right tenant.

use garrison_base::DepositId;
use garrison_kernel::{Actor, Origin, System};
use garrison_testkit::{Engine, SeededEntropy};
use jiff::SignedDuration;

use crate::support::notes::{Claim, Write};
use crate::support::{World, done, refused};

async fn put_down(world: &World) -> DepositId {
    let expires = world.kernel().now() + SignedDuration::from_mins(10);
    world.kernel().deposit(world.platform.tenant, b"canary-0815", expires).await.unwrap()
}

#[tokio::test]
async fn a_secret_is_taken_once() {
    for engine in Engine::all() {
        let mut world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        let claim = Claim { node: world.shop, deposit: put_down(&world).await };
        world.reopen().await;
        assert_eq!(done(world.kernel().act(&ada, claim.clone()).await.unwrap()), "canary-0815");
        assert_eq!(refused(world.kernel().act(&ada, claim).await), "object/not-found");
        let never = DepositId::new(world.kernel().now(), &SeededEntropy::new(99));
        assert_eq!(
            refused(world.kernel().act(&ada, Claim { node: world.shop, deposit: never }).await),
            "object/not-found"
        );
    }
}

#[tokio::test]
async fn an_act_that_fails_does_not_use_the_secret_up() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        let deposit = put_down(&world).await;
        assert_eq!(
            refused(world.kernel().act(&ada, Claim { node: world.pay, deposit }).await),
            "object/not-found"
        );
        assert_eq!(
            done(world.kernel().act(&ada, Claim { node: world.shop, deposit }).await.unwrap()),
            "canary-0815"
        );
    }
}

#[tokio::test]
async fn a_secret_expires_and_is_thrown_away() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        let deposit = put_down(&world).await;
        world.platform.clock.advance(SignedDuration::from_mins(11));
        assert_eq!(
            refused(world.kernel().act(&ada, Claim { node: world.shop, deposit }).await),
            "object/not-found"
        );
        let count = || world.platform.database.by_hand("SELECT COUNT(*) FROM deposit").trim().to_owned();
        assert_eq!(count(), "1");
        world.kernel().tidy().await.unwrap();
        assert_eq!(count(), "0");
    }
}

#[tokio::test]
async fn another_tenant_does_not_find_the_secret_even_when_the_row_says_so() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let deposit = put_down(&world).await;
        let founded = world.kernel().found_tenant(&"globex".parse().unwrap(), Origin::system("req-2")).await;
        let (globex, root) = founded.unwrap();
        let thief = Actor::system(System::SETUP, globex, Origin::system("req-2"));
        let claim = Claim { node: root, deposit };
        assert_eq!(refused(world.kernel().act(&thief, claim.clone()).await), "object/not-found");
        world.platform.database.by_hand(&format!("UPDATE deposit SET tenant = '{globex}'"));
        let stolen = world.kernel().act(&thief, claim).await;
        assert_eq!(stolen.err().map(|problem| problem.kind().name), Some("server/tampered"), "{engine:?}");
    }
}

#[tokio::test]
async fn a_secret_is_nowhere_in_the_clear() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        let deposit = put_down(&world).await;
        let sealed = match engine {
            Engine::Sqlite => "SELECT lower(hex(sealed)) FROM deposit",
            Engine::Postgres => "SELECT encode(sealed, 'hex') FROM deposit",
        };
        let plain: String = b"canary".iter().map(|byte| format!("{byte:02x}")).collect();
        let sealed = world.platform.database.by_hand(sealed);
        assert!(sealed.len() > plain.len() && !sealed.contains(&plain), "{sealed}");
        done(world.kernel().act(&ada, Claim { node: world.shop, deposit }).await.unwrap());
        done(world.kernel().act(&ada, Write { node: world.shop, words: "after".into() }).await.unwrap());
        let records = serde_json::to_string(&world.records().await).unwrap();
        assert!(records.contains("a secret was taken") && !records.contains("canary"));
    }
}

#[tokio::test]
async fn a_secret_does_not_open_in_anothers_place() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        let (mine, other) = (put_down(&world).await, put_down(&world).await);
        let swap = format!(
            "UPDATE deposit SET sealed = (SELECT sealed FROM deposit WHERE deposit_id = '{other}')
             WHERE deposit_id = '{mine}'"
        );
        world.platform.database.by_hand(&swap);
        let swapped = world.kernel().act(&ada, Claim { node: world.shop, deposit: mine }).await;
        assert_eq!(refused(swapped), "server/tampered");
    }
}
