//! What changes while an act waits: it is authorised again, shown as it runs, and runs once.

use garrison_base::RequestId;
use garrison_kernel::{Act as _, ActorId, Holder, Kernel, Options, RequestState};
use garrison_testkit::{Engine, SeededEntropy};

use crate::support::house::{self, Step};
use crate::support::notes::{Change, Write};
use crate::support::requests::{self, Approve, Withdraw};
use crate::support::{World, holder, modules, perform, waiting};
use crate::waiting::Guarded;

/// Both approve; then it must have been refused, and nothing done.
async fn refused_in_the_end(guarded: &Guarded, request: RequestId, engine: Engine) {
    let state = guarded.world.request(request).await;
    assert_eq!(state.state, RequestState::Refused, "{engine:?}: {}", state.why);
    assert!(!guarded.world.notes().await.contains(&"approved".to_owned()));
    let record = guarded.world.last_record().await;
    assert_eq!((record.result.as_str(), record.request), ("denied", request.to_string()));
    assert!(record.approvals.contains(&request.to_string()));
}

#[tokio::test]
async fn it_is_void_when_its_target_has_changed() {
    for engine in Engine::all() {
        let guarded = Guarded::new(engine).await;
        let world = &guarded.world;
        let note = world.note(world.shop, "before").await;
        world.rule(world.shop, Change::VERB, &[("owner", "owner"), ("guard", "guard")]).await;
        let change = |words: &str| Change { note, words: words.into() };
        let ask = async || waiting(world.kernel().act(&guarded.ada, change("approved")).await.unwrap());
        // The second change puts the words back: what was approved rested on another revision still.
        for words in [&["other"][..], &["another", "other"]] {
            let request = ask().await;
            guarded.approve(&guarded.bob, request).await;
            for words in words {
                perform(world, &world.system(), change(words)).await;
            }
            guarded.approve(&guarded.cleo, request).await;
            refused_in_the_end(&guarded, request, engine).await;
            assert!(world.request(request).await.why.contains("changed"));
        }
        let request = ask().await;
        guarded.approve(&guarded.bob, request).await;
        guarded.approve(&guarded.cleo, request).await;
        assert_eq!(world.notes().await, ["approved"]);
    }
}

#[tokio::test]
async fn it_is_refused_when_its_node_was_moved_renamed_or_is_gone() {
    for engine in Engine::all() {
        let guarded = Guarded::new(engine).await;
        let world = &guarded.world;
        let steps = [
            Step::Rename { node: world.checkout, name: "till".parse().unwrap() },
            Step::Move { node: world.checkout, parent: world.platform.root },
            Step::Merge { from: world.checkout, into: world.shop },
        ];
        for step in steps {
            world.step(Step::Production { node: world.checkout, production: false }).await;
            let request = guarded.ask().await;
            guarded.approve(&guarded.bob, request).await;
            let back = matches!(step, Step::Move { .. });
            world.step(step).await;
            if back {
                world.step(Step::Move { node: world.checkout, parent: world.shop }).await;
            }
            guarded.approve(&guarded.cleo, request).await;
            refused_in_the_end(&guarded, request, engine).await;
        }
    }
}

#[tokio::test]
async fn it_is_refused_when_the_requester_may_no_longer() {
    for engine in Engine::all() {
        let guarded = Guarded::new(engine).await;
        let world = &guarded.world;
        let who = Holder::Actor(guarded.ada.id);
        let request = guarded.ask().await;
        guarded.approve(&guarded.bob, request).await;
        world.step(Step::Active { who, active: false }).await;
        guarded.approve(&guarded.cleo, request).await;
        refused_in_the_end(&guarded, request, engine).await;

        world.step(Step::Active { who, active: true }).await;
        let request = guarded.ask().await;
        guarded.approve(&guarded.bob, request).await;
        let mut tx = world.kernel().read(&world.system(), Write::VERB).await.unwrap();
        let grant = tx.grants((Some(who), None), false, ("", 1)).await.unwrap()[0].id;
        drop(tx);
        world.step(Step::End(grant)).await;
        guarded.approve(&guarded.cleo, request).await;
        refused_in_the_end(&guarded, request, engine).await;
    }
}

#[tokio::test]
async fn it_is_refused_when_an_approver_no_longer_holds_the_role() {
    for engine in Engine::all() {
        let guarded = Guarded::new(engine).await;
        let world = &guarded.world;
        let person = world.person("greta").await;
        let group = world.group("guards", &[person]).await;
        world.grant(Holder::Group(group), "guard", world.shop).await;
        let greta = world.platform.person(person);
        let member = ActorId::Person(person);
        let changes = [
            (Step::Member { group, member, active: false }, Step::Member { group, member, active: true }),
            (
                Step::Active { who: Holder::Group(group), active: false },
                Step::Active { who: Holder::Group(group), active: true },
            ),
            (
                Step::Active { who: holder(person), active: false },
                Step::Active { who: holder(person), active: true },
            ),
        ];
        for (change, back) in changes {
            let request = guarded.ask().await;
            guarded.approve(&greta, request).await;
            world.step(change).await;
            guarded.approve(&guarded.bob, request).await;
            refused_in_the_end(&guarded, request, engine).await;
            world.step(back).await;
        }
        // And when two approvers turn out to be one person.
        let request = guarded.ask().await;
        guarded.approve(&greta, request).await;
        world.step(Step::Principal { who: holder(person), principal: Holder::Actor(guarded.bob.id) }).await;
        if world.approve(&guarded.bob, request).await.is_ok() {
            refused_in_the_end(&guarded, request, engine).await;
        }
        assert_eq!(world.notes().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_group_that_is_joined_in_mid_flight_counts() {
    for engine in Engine::all() {
        let guarded = Guarded::new(engine).await;
        let world = &guarded.world;
        let person = world.person("greta").await;
        let group = world.group("guards", &[]).await;
        world.grant(Holder::Group(group), "guard", world.shop).await;
        let request = guarded.ask().await;
        let greta = world.platform.person(person);
        assert_eq!(guarded.refusal(&greta, request).await, "approval/not-yours");
        world.step(Step::Member { group, member: ActorId::Person(person), active: true }).await;
        guarded.approve(&greta, request).await;
        guarded.approve(&guarded.bob, request).await;
        assert_eq!(world.notes().await, ["approved"]);
    }
}

/// Keeps a copy of the request as it is now, and puts it back later.
fn keep(world: &World, request: RequestId) -> impl Fn() + '_ {
    world.platform.database.by_hand("DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT * FROM waiting");
    move || {
        let sql = format!(
            "DELETE FROM waiting WHERE request_id = '{request}';
             INSERT INTO waiting SELECT * FROM kept WHERE request_id = '{request}'"
        );
        world.platform.database.by_hand(&sql);
    }
}

#[tokio::test]
async fn it_runs_once_even_when_its_row_is_put_back_by_hand() {
    for engine in Engine::all() {
        let guarded = Guarded::new(engine).await;
        let world = &guarded.world;
        let request = guarded.ask().await;
        let put_back = keep(world, request);
        guarded.approve(&guarded.bob, request).await;
        guarded.approve(&guarded.cleo, request).await;
        assert_eq!(world.notes().await, ["approved"]);

        put_back();
        world.platform.database.by_hand("DELETE FROM approval WHERE slot = 'guard'");
        // Whether the approval is refused or the run: it must not run again.
        let _ = world.approve(&guarded.cleo, request).await;
        world.kernel().work().await.unwrap();
        assert_eq!(world.notes().await, ["approved"]);
    }
}

#[tokio::test]
async fn a_request_that_was_taken_back_does_not_run_when_its_row_is_put_back_by_hand() {
    for engine in Engine::all() {
        let guarded = Guarded::new(engine).await;
        let world = &guarded.world;
        let request = guarded.ask().await;
        let put_back = keep(world, request);
        perform(world, &guarded.ada, Withdraw { request }).await;
        put_back();
        for approver in [&guarded.bob, &guarded.cleo] {
            let digest = world.request(request).await.digest;
            let _ = world.kernel().act(approver, Approve { request, digest }).await;
        }
        assert_eq!(world.notes().await, Vec::<String>::new(), "{engine:?}");
    }
}

#[tokio::test]
async fn what_was_approved_before_a_crash_runs_after_it() {
    for engine in Engine::all() {
        let mut guarded = Guarded::new(engine).await;
        let request = guarded.ask().await;
        guarded.approve(&guarded.bob, request).await;
        // A build that does not know the act: it can take the last approval, and not run what was approved. What it
        // leaves is what a process leaves that is killed between the two.
        let platform = &guarded.world.platform;
        let without_notes = platform.reopen(vec![house::module(), requests::module()]).await.unwrap();
        let digest = {
            let mut tx = without_notes.read(&guarded.world.system(), Approve::VERB).await.unwrap();
            tx.request(request).await.unwrap().digest
        };
        let _ = without_notes.act(&guarded.cleo, Approve { request, digest }).await;
        without_notes.close().await;

        let options = Options {
            database: platform.database.url.clone(),
            connections: 4,
            root_key: &platform.root_key,
            clock: platform.clock.clone(),
            entropy: std::sync::Arc::new(SeededEntropy::new(4711)),
            journal: None,
        };
        guarded.world.platform.kernel = Kernel::open(options, modules()).await.unwrap();
        assert_eq!(guarded.world.request(request).await.approvals.len(), 2);
        // Whoever was to run it may still be at it for a while.
        guarded.world.platform.clock.advance(jiff::SignedDuration::from_mins(5));
        guarded.world.kernel().work().await.unwrap();
        assert_eq!(guarded.world.notes().await, ["approved"], "{engine:?}");
        assert_eq!(guarded.state(request).await, RequestState::Done);
    }
}
