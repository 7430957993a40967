//! Waiting acts: who fills the slots, and what comes of it.

use garrison_base::RequestId;
use garrison_kernel::{Act as _, Actor, ActorId, Holder, RequestState, TokenLimits};
use garrison_testkit::Engine;
use jiff::SignedDuration;

use crate::support::house::Step;
use crate::support::notes::{Fail, Reveal, Write};
use crate::support::requests::{Approve, Reject, Take, Withdraw};
use crate::support::{World, done, holder, perform, refused, waiting};

/// Writing in the shop needs an owner and a guard. Ada asks; Bob owns, Cleo guards.
pub struct Guarded {
    pub world: World,
    pub ada: Actor,
    pub bob: Actor,
    pub cleo: Actor,
}

impl Guarded {
    pub async fn new(engine: Engine) -> Self {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        let bob = world.holding("bob", "owner", world.shop).await;
        let cleo = world.holding("cleo", "guard", world.platform.root).await;
        for verb in [Write::VERB, Reveal::VERB, Fail::VERB] {
            world.rule(world.shop, verb, &[("owner", "owner"), ("guard", "guard")]).await;
        }
        Self { world, ada, bob, cleo }
    }

    pub async fn ask(&self) -> RequestId {
        self.ask_as(&self.ada).await
    }

    pub async fn ask_as(&self, actor: &Actor) -> RequestId {
        let write = Write { node: self.world.checkout, words: "approved".into() };
        waiting(self.world.kernel().act(actor, write).await.unwrap())
    }

    pub async fn approve(&self, actor: &Actor, request: RequestId) -> String {
        done(self.world.approve(actor, request).await.unwrap())
    }

    /// Why somebody cannot approve.
    pub async fn refusal(&self, actor: &Actor, request: RequestId) -> &'static str {
        refused(self.world.approve(actor, request).await)
    }

    pub async fn state(&self, request: RequestId) -> RequestState {
        self.world.request(request).await.state
    }
}

#[tokio::test]
async fn it_runs_when_two_people_with_the_two_roles_have_approved() {
    for engine in Engine::all() {
        let mut guarded = Guarded::new(engine).await;
        let request = guarded.ask().await;
        assert_eq!(guarded.approve(&guarded.cleo, request).await, "guard");
        assert_eq!(guarded.state(request).await, RequestState::Open);
        assert_eq!(guarded.world.notes().await, Vec::<String>::new());
        guarded.world.reopen().await;
        assert_eq!(guarded.approve(&guarded.bob, request).await, "owner");

        assert_eq!(guarded.world.notes().await, ["approved"]);
        assert_eq!(guarded.state(request).await, RequestState::Done);
        let record = guarded.world.last_record().await;
        assert_eq!((record.operation.as_str(), record.result.as_str()), ("note:write", "success"));
        assert_eq!((record.actor.id, record.request), (guarded.ada.id, request.to_string()));
        let approvals = [
            request.to_string(),
            format!("guard: {}", guarded.cleo.id),
            format!("owner: {}", guarded.bob.id),
        ];
        assert_eq!(record.approvals, approvals);
        // Its fact is told like that of any other act.
        assert_eq!(guarded.world.kernel().work().await.unwrap(), 1);
    }
}

#[tokio::test]
async fn approvers_see_exactly_what_will_be_done() {
    for engine in Engine::all() {
        let guarded = Guarded::new(engine).await;
        let request = guarded.ask().await;
        let shown = guarded.world.request(request).await;
        assert_eq!((shown.verb.as_str(), shown.requester), ("note:write", guarded.ada.id));
        assert_eq!(shown.act["words"], "approved");
        assert_eq!(shown.preview.sentence, "a note is written: approved");
        assert!(shown.approvals.is_empty() && shown.slots.len() == 2);
        // Who approves something else than what waits approves nothing.
        let other = Approve { request, digest: "0".repeat(64) };
        assert_eq!(refused(guarded.world.kernel().act(&guarded.bob, other).await), "approval/not-yours");
        guarded.approve(&guarded.bob, request).await;
        let shown = guarded.world.request(request).await;
        let filled: Vec<_> =
            shown.approvals.iter().map(|filled| (filled.slot.as_str(), filled.actor)).collect();
        assert_eq!(filled, [("owner", guarded.bob.id)]);
    }
}

#[tokio::test]
async fn a_requester_never_fills_a_slot() {
    for engine in Engine::all() {
        let guarded = Guarded::new(engine).await;
        let Holder::Actor(ActorId::Person(ada)) = Holder::Actor(guarded.ada.id) else { unreachable!() };
        guarded.world.grant(holder(ada), "owner", guarded.world.shop).await;
        let crew = guarded.world.group("crew", &[ada]).await;
        guarded.world.grant(Holder::Group(crew), "guard", guarded.world.shop).await;
        let request = guarded.ask().await;
        assert_eq!(guarded.refusal(&guarded.ada, request).await, "approval/not-yours");
    }
}

#[tokio::test]
async fn one_person_fills_one_slot_however_he_comes() {
    for engine in Engine::all() {
        let guarded = Guarded::new(engine).await;
        let world = &guarded.world;
        let person = world.person("dora").await;
        world.grant(holder(person), "owner", world.shop).await;
        let guards = world.group("guards", &[person]).await;
        world.grant(Holder::Group(guards), "guard", world.shop).await;
        let dora = world.platform.person(person);
        // Another account of hers, and a robot of hers.
        let alias = world.person("dora-admin").await;
        world.step(Step::Principal { who: holder(alias), principal: holder(person) }).await;
        let robot = world.service("robot", person).await;
        for who in [holder(alias), Holder::Actor(ActorId::Service(robot))] {
            for role in ["owner", "guard"] {
                world.grant(who, role, world.shop).await;
            }
        }

        let request = guarded.ask().await;
        guarded.approve(&dora, request).await;
        for again in [dora, world.platform.person(alias), world.platform.actor(ActorId::Service(robot))] {
            assert_eq!(guarded.refusal(&again, request).await, "approval/not-yours");
        }
        assert_eq!(guarded.state(request).await, RequestState::Open);
    }
}

#[tokio::test]
async fn who_stands_behind_a_service_account_does_not_approve_what_it_asked_for() {
    for engine in Engine::all() {
        let guarded = Guarded::new(engine).await;
        let world = &guarded.world;
        let ActorId::Person(bob) = guarded.bob.id else { unreachable!() };
        let robot = world.service("robot", bob).await;
        let robot = ActorId::Service(robot);
        world.grant(Holder::Actor(robot), "writer", world.shop).await;
        let request = guarded.ask_as(&world.platform.actor(robot)).await;
        assert_eq!(guarded.refusal(&guarded.bob, request).await, "approval/not-yours");
        // Nor once somebody else stands behind it: it was he who asked.
        let erna = holder(world.person("erna").await);
        world.step(Step::Principal { who: Holder::Actor(robot), principal: erna }).await;
        assert_eq!(guarded.refusal(&guarded.bob, request).await, "approval/not-yours", "{engine:?}");
    }
}

#[tokio::test]
async fn only_a_person_with_the_role_at_the_node_approves() {
    for engine in Engine::all() {
        let guarded = Guarded::new(engine).await;
        let world = &guarded.world;
        let request = guarded.ask().await;
        let elsewhere = world.holding("elsewhere", "owner", world.pay).await;
        let other_role = world.holding("other", "administrator", world.shop).await;
        for actor in [&elsewhere, &other_role] {
            assert_eq!(guarded.refusal(actor, request).await, "approval/not-yours");
        }
        let limits = TokenLimits { verbs: vec!["*".into()], node: world.platform.root };
        let token = Actor { limits: Some(limits), ..guarded.bob.clone() };
        assert_eq!(guarded.refusal(&token, request).await, "approval/not-yours");
        assert_eq!(guarded.refusal(&world.system(), request).await, "approval/not-yours");
        world.step(Step::Active { who: Holder::Actor(guarded.bob.id), active: false }).await;
        assert_eq!(guarded.refusal(&guarded.bob, request).await, "access/denied");
    }
}

#[tokio::test]
async fn an_approver_can_say_no_and_that_is_the_end() {
    for engine in Engine::all() {
        let guarded = Guarded::new(engine).await;
        let (world, request) = (&guarded.world, guarded.ask().await);
        let outsider = world.holding("eve", "administrator", world.platform.root).await;
        for actor in [&outsider, &guarded.ada] {
            assert_eq!(refused(world.kernel().act(actor, Reject { request }).await), "approval/not-yours");
        }
        guarded.approve(&guarded.bob, request).await;
        perform(world, &guarded.cleo, Reject { request }).await;
        assert_eq!(guarded.state(request).await, RequestState::Rejected);
        assert_eq!(guarded.refusal(&guarded.cleo, request).await, "approval/decided");
        assert_eq!(world.notes().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn only_the_requester_takes_a_request_back() {
    for engine in Engine::all() {
        let guarded = Guarded::new(engine).await;
        let (world, request) = (&guarded.world, guarded.ask().await);
        assert_eq!(
            refused(world.kernel().act(&guarded.bob, Withdraw { request }).await),
            "approval/not-yours"
        );
        perform(world, &guarded.ada, Withdraw { request }).await;
        assert_eq!(guarded.state(request).await, RequestState::Withdrawn);
        for approver in [&guarded.bob, &guarded.cleo] {
            assert_eq!(guarded.refusal(approver, request).await, "approval/decided");
        }
    }
}

#[tokio::test]
async fn a_request_that_nobody_decides_ends_at_its_deadline() {
    for engine in Engine::all() {
        let guarded = Guarded::new(engine).await;
        let (world, request) = (&guarded.world, guarded.ask().await);
        guarded.approve(&guarded.bob, request).await;
        world.platform.clock.advance(SignedDuration::from_hours(7 * 24 - 1));
        assert_eq!(world.kernel().work().await.unwrap(), 0);
        assert_eq!(guarded.state(request).await, RequestState::Open);
        world.platform.clock.advance(SignedDuration::from_hours(2));
        // Too late, also before the timer has been there.
        assert_eq!(guarded.refusal(&guarded.cleo, request).await, "approval/decided");
        assert_eq!(world.kernel().work().await.unwrap(), 1);
        assert_eq!(guarded.state(request).await, RequestState::Expired);
        // A clock that is set back does not open it again.
        world.platform.clock.advance(SignedDuration::from_hours(-24));
        assert_eq!(guarded.refusal(&guarded.cleo, request).await, "approval/decided");
        assert_eq!(world.notes().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn the_output_waits_sealed_for_its_requester_and_is_there_once() {
    for engine in Engine::all() {
        let guarded = Guarded::new(engine).await;
        let world = &guarded.world;
        let reveal = world.kernel().act(&guarded.ada, Reveal { node: world.shop }).await;
        let request = waiting(reveal.unwrap());
        assert_eq!(refused(world.kernel().act(&guarded.ada, Take { request }).await), "object/not-found");
        guarded.approve(&guarded.bob, request).await;
        guarded.approve(&guarded.cleo, request).await;

        let stored = match engine {
            Engine::Sqlite => "SELECT lower(hex(output)) FROM waiting",
            Engine::Postgres => "SELECT encode(output, 'hex') FROM waiting",
        };
        let stored = world.platform.database.by_hand(stored);
        let plain: String = b"canary".iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(stored.trim().len() > 2 * "canary-4711".len() && !stored.contains(&plain), "{stored}");
        let records = serde_json::to_string(&world.records().await).unwrap();
        assert!(records.contains("the secret was revealed") && !records.contains("canary"));

        assert_eq!(refused(world.kernel().act(&guarded.bob, Take { request }).await), "object/not-found");
        assert_eq!(perform(world, &guarded.ada, Take { request }).await, "canary-4711");
        assert_eq!(refused(world.kernel().act(&guarded.ada, Take { request }).await), "object/not-found");
        assert_eq!(guarded.state(request).await, RequestState::Done);
    }
}

#[tokio::test]
async fn an_approved_act_that_fails_leaves_a_failed_request_and_a_record() {
    for engine in Engine::all() {
        let guarded = Guarded::new(engine).await;
        let world = &guarded.world;
        let request = waiting(world.kernel().act(&guarded.ada, Fail { node: world.shop }).await.unwrap());
        guarded.approve(&guarded.bob, request).await;
        guarded.approve(&guarded.cleo, request).await;
        assert_eq!(guarded.state(request).await, RequestState::Failed);
        let record = world.last_record().await;
        assert_eq!((record.operation.as_str(), record.result.as_str()), ("note:fail", "failure"));
        assert_eq!(record.approvals.len(), 3);
        assert_eq!(world.notes().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn garrison_itself_waits_for_nobody() {
    for engine in Engine::all() {
        let guarded = Guarded::new(engine).await;
        guarded.world.note(guarded.world.shop, "at once").await;
        assert_eq!(guarded.world.notes().await, ["at once"]);
    }
}
