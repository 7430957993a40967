//! Several tenants in one state, and what Garrison itself does in each.

use garrison_base::{NodeId, TenantId};
use garrison_kernel::{Actor, Kernel, Origin, System};
use garrison_testkit::Engine;

use crate::support::house::Step;
use crate::support::notes::{Change, Write};
use crate::support::{AUDIT_READ, World, arrange, done, perform, records, refused};

async fn found(kernel: &Kernel, name: &str) -> (TenantId, NodeId) {
    kernel.found_tenant(&name.parse().unwrap(), Origin::system("req-found")).await.unwrap()
}

#[tokio::test]
async fn tenants_share_nothing_but_the_log() {
    for engine in Engine::all() {
        let mut world = World::new(engine).await;
        let (globex, their_root) = found(world.kernel(), "globex").await;
        // The same names mean other things there.
        let their_shop = Step::Node { parent: their_root, name: "shop".parse().unwrap(), production: false };
        let their_shop: NodeId = arrange(world.kernel(), globex, their_shop).await.unwrap().parse().unwrap();
        arrange(world.kernel(), globex, Step::Person("ada".into())).await.unwrap();
        world.person("ada").await;
        let them = Actor::system(System::SETUP, globex, Origin::system("req-1"));
        done(world.kernel().act(&them, Write { node: their_shop, words: "theirs".into() }).await.unwrap());
        world.note(world.shop, "ours").await;

        for _ in ["before the restart", "after it"] {
            assert_eq!(world.notes().await, ["ours"]);
            assert_eq!(world.seen(&them).await.unwrap(), ["theirs"]);
            let names: Vec<_> =
                world.kernel().tenants().await.unwrap().into_iter().map(|(_, name)| name).collect();
            assert_eq!(names, ["acme", "globex"]);
            world.reopen().await;
        }
        let mut tx = world.kernel().read(&them, AUDIT_READ).await.unwrap();
        let theirs = records(&mut tx).await;
        drop(tx);
        let ours = world.records().await;
        let mut all: Vec<i64> = theirs.iter().chain(&ours).map(|record| record.seq).collect();
        all.sort_unstable();
        assert_eq!(all, (1..=world.kernel().verify().await.unwrap()).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn founding_is_recorded_and_a_name_is_taken_once() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let first = world.records().await.into_iter().next().unwrap();
        assert_eq!(
            (first.operation.as_str(), first.result.as_str(), first.seq),
            ("tenant:found", "success", 1)
        );
        assert_eq!(first.object.id, world.platform.tenant.to_string());
        let count = world.kernel().verify().await.unwrap();
        let again = world.kernel().found_tenant(&"acme".parse().unwrap(), Origin::system("req-2")).await;
        assert_eq!(again.unwrap_err().to_string(), "the name is taken");
        assert_eq!(world.kernel().verify().await.unwrap(), count);
        world.note(world.shop, "goes on").await;
    }
}

#[tokio::test]
async fn garrison_itself_is_bound_to_a_tenant_and_named_in_the_record() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let note = world.note(world.shop, "ours").await;
        let (globex, their_root) = found(world.kernel(), "globex").await;
        let them = Actor::system(System::LOGIN, globex, Origin::system("req-1"));
        let change = Change { note, words: "theirs".into() };
        assert_eq!(refused(world.kernel().act(&them, change).await), "object/not-found");
        done(world.kernel().act(&them, Write { node: their_root, words: "theirs".into() }).await.unwrap());
        assert_eq!(world.notes().await, ["ours"]);
        for (system, name) in
            [(System::LOGIN, "sys_login"), (System::CONSOLE, "sys_console"), (System::SETUP, "sys_setup")]
        {
            let actor = Actor::system(system, world.platform.tenant, Origin::system("req-3"));
            perform(&world, &actor, Write { node: world.shop, words: name.into() }).await;
            let record = world.last_record().await;
            assert_eq!((record.actor.kind.as_str(), record.actor.name.as_str()), ("system", name));
            assert_eq!(record.actor.id.to_string(), name);
        }
    }
}

#[tokio::test]
async fn garrison_itself_needs_a_policy_too() {
    for engine in Engine::all() {
        let policy = r#"@id("nobody") permit (principal in Role::"writer", action == Action::"note:write", resource);"#;
        let notes =
            garrison_kernel::Module::new("notes", crate::support::notes::MIGRATIONS, policy).act::<Write>();
        let platform = garrison_testkit::Platform::new(engine, vec![notes]).await;
        let system = Actor::system(System::SETUP, platform.tenant, Origin::system("req-1"));
        let write = Write { node: platform.root, words: "no".into() };
        assert_eq!(refused(platform.kernel.act(&system, write).await), "access/denied");
    }
}

#[tokio::test]
async fn a_tenant_that_was_never_founded_has_nothing() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let nowhere = TenantId::new(world.kernel().now(), &garrison_testkit::SeededEntropy::new(99));
        let actor = Actor::system(System::SETUP, nowhere, Origin::system("req-1"));
        let write = Write { node: world.shop, words: "no".into() };
        assert_eq!(refused(world.kernel().act(&actor, write).await), "object/not-found");
        assert!(world.seen(&actor).await.is_err());
        world.kernel().verify().await.unwrap();
    }
}
