//! Performing and recording: all or nothing, and always a record.

use std::future::Future as _;

use garrison_kernel::{Act as _, scoped};
use garrison_testkit::Engine;
use serde_json::Value as Json;

use crate::support::notes::{self, Ask, Break, Fail, Peek, Write};
use crate::support::{World, perform, refused, waiting};

#[tokio::test]
async fn an_act_leaves_its_effect_and_exactly_one_record() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        let before = world.records().await;

        let note = perform(&world, &ada, Write { node: world.checkout, words: "hello".into() }).await;

        assert_eq!(world.notes().await, ["hello"]);
        let after = world.records().await;
        assert_eq!(after.len(), before.len() + 1);
        assert_eq!(after[..before.len()], before);
        let record = after.last().unwrap();
        assert_eq!(record.seq, before.last().unwrap().seq + 1);
        assert_eq!((record.operation.as_str(), record.result.as_str()), ("note:write", "success"));
        assert_eq!(
            (record.object.kind.as_str(), record.object.id.as_str()),
            ("note", note.to_string().as_str())
        );
        assert_eq!((record.actor.id, record.actor.name.as_str()), (ada.id, "ada"));
        assert_eq!((record.node, record.tenant), (world.checkout, world.platform.tenant));
        assert_eq!(record.content["words"], "hello");
        assert_eq!(record.object.component, "notes");
        assert_eq!(record.received, world.kernel().now());
    }
}

#[tokio::test]
async fn no_field_of_a_record_is_ever_empty() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        let act = || Write { node: world.shop, words: "hello".into() };
        perform(&world, &ada, act()).await;
        refused(world.kernel().act(&ada, Fail { node: world.shop }).await);
        refused(world.kernel().act(&ada, Write { node: world.pay, words: "no".into() }).await);
        refused(world.kernel().act(&ada, Write { node: world.platform.root, words: "no".into() }).await);
        // A client that says nothing of itself, and comes without a session.
        let mut bare = ada.clone();
        (bare.origin.agent, bare.origin.session, bare.origin.request) =
            (String::new(), String::new(), String::new());
        perform(&world, &bare, act()).await;
        world.rule(world.shop, Write::VERB, &[("owner", "owner")]).await;
        waiting(world.kernel().act(&ada, act()).await.unwrap());

        for record in world.records().await {
            let fields = serde_json::to_value(&record).unwrap();
            for (name, value) in fields.as_object().unwrap() {
                // An act that nobody had to approve has no approvals.
                let may_be_empty = name == "approvals" && record.result != "waiting";
                assert!(may_be_empty || !is_empty(value), "{engine:?}: {name} of {fields}");
            }
            for whole in ["actor", "source", "object"] {
                let parts = fields[whole].as_object().unwrap();
                assert!(parts.values().all(|value| !is_empty(value)), "{engine:?}: {whole} of {fields}");
            }
        }
    }
}

#[tokio::test]
async fn denials_and_failures_are_recorded_too() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        let root = world.platform.root;

        assert_eq!(
            refused(world.kernel().act(&ada, Write { node: root, words: "no".into() }).await),
            "access/denied"
        );
        let denied = world.last_record().await;
        assert_eq!((denied.result.as_str(), denied.object.id), ("denied", root.to_string()));
        assert!(denied.reason.contains("note:write"), "{}", denied.reason);

        assert_eq!(refused(world.kernel().act(&ada, Fail { node: world.shop }).await), "request/invalid");
        let failed = world.last_record().await;
        assert_eq!(
            (failed.result.as_str(), failed.reason.as_str()),
            ("failure", "the note is refused: left behind")
        );
        assert_eq!(failed.seq, denied.seq + 1);
    }
}

#[tokio::test]
async fn a_failed_act_leaves_nothing_behind_although_it_wrote() {
    for engine in Engine::all() {
        let mut world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        refused(world.kernel().act(&ada, Fail { node: world.shop }).await);

        assert_eq!(world.notes().await, Vec::<String>::new());
        assert_eq!(world.kernel().work().await.unwrap(), 0, "a timer was left behind");
        // Neither what the kernel keeps in memory, nor what it reads when it opens.
        for moment in ["before the restart", "after it"] {
            let tx = world.kernel().read(&world.system(), notes::READ).await.unwrap();
            assert_eq!(tx.path(world.shop), "acme/shop", "{moment}");
            drop(tx);
            world.reopen().await;
        }
        let objects = "SELECT COUNT(*) FROM object WHERE kind = 'note'";
        assert_eq!(world.platform.database.by_hand(objects).trim(), "0");
    }
}

#[tokio::test]
async fn an_act_that_panics_leaves_nothing_behind_and_holds_nobody_up() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        assert_eq!(refused(world.kernel().act(&ada, Break { node: world.shop }).await), "server/defect");
        perform(&world, &ada, Write { node: world.shop, words: "after".into() }).await;
        assert_eq!(world.notes().await, ["after"]);
        world.kernel().verify().await.unwrap();
    }
}

#[tokio::test]
async fn an_act_goes_on_when_its_caller_goes_away() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        // What earlier acts have told is taken first, so that only the one below wakes.
        world.kernel().wait_for_acts().await;
        let mut act = Box::pin(world.kernel().act(&ada, Write { node: world.shop, words: "alone".into() }));
        let polled = std::future::poll_fn(|context| std::task::Poll::Ready(act.as_mut().poll(context))).await;
        assert!(polled.is_pending());
        drop(act);
        world.kernel().wait_for_acts().await;
        assert_eq!(world.notes().await, ["alone"]);
        assert_eq!(world.last_record().await.operation, "note:write");
    }
}

#[tokio::test]
async fn a_question_is_recorded_before_it_is_answered_and_when_it_is_denied() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let note = world.note(world.shop, "to be asked").await;
        let ada = world.holding("ada", "reader", world.shop).await;
        let eve = world.holding("eve", "reader", world.pay).await;

        assert_eq!(world.kernel().ask(&ada, Ask { note }).await.unwrap(), "to be asked");
        let asked = world.last_record().await;
        assert_eq!(
            (asked.operation.as_str(), asked.result.as_str(), asked.actor.id),
            ("note:ask", "success", ada.id)
        );
        assert_eq!(
            (asked.object.id, asked.content["note"].as_str()),
            (note.to_string(), Some(&*note.to_string()))
        );

        let problem = world.kernel().ask(&eve, Ask { note }).await.unwrap_err();
        assert_eq!(problem.kind().name, "object/not-found");
        let denied = world.last_record().await;
        assert_eq!((denied.seq, denied.result.as_str(), denied.actor.id), (asked.seq + 1, "denied", eve.id));
    }
}

#[tokio::test]
async fn an_ordinary_read_cannot_write() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        world.note(world.shop, "stays").await;
        let mut tx = world.kernel().read(&world.system(), notes::READ).await.unwrap();
        let sql = scoped!("DELETE FROM note AS n WHERE {scope:n} RETURNING words");
        tx.rows(sql, Vec::new()).await.unwrap_err();
        drop(tx);
        assert_eq!(world.notes().await, ["stays"]);
    }
}

#[tokio::test]
async fn a_preview_cannot_write() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        world.note(world.shop, "stays").await;
        let ada = world.holding("ada", "writer", world.shop).await;
        world.rule(world.shop, Peek::VERB, &[("owner", "owner")]).await;
        waiting(world.kernel().act(&ada, Peek { node: world.shop }).await.unwrap());
        assert_eq!(world.notes().await, ["stays"], "{engine:?}");
    }
}

fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.is_empty(),
        Json::Bool(_) | Json::Number(_) => false,
    }
}
