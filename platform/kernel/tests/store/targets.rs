//! What an act is about: things that do not exist, of another tenant, or out of sight are answered alike.

use garrison_base::{GrantId, GroupId, NodeId, PersonId, RequestId, ServiceId};
use garrison_kernel::{Act, Actor, ActorId, Holder, Kernel, Origin, System};
use garrison_testkit::{Engine, SeededEntropy};

use crate::support::house::{Disable, EndGrant, Step};
use crate::support::notes::{Ask, Change, Join, NoteId, Write};
use crate::support::requests::{Approve, Reject, Take, Withdraw};
use crate::support::{World, arrange, done, waiting};

/// One of everything that an act can be about.
struct Things {
    node: NodeId,
    note: NoteId,
    person: PersonId,
    service: ServiceId,
    group: GroupId,
    grant: GrantId,
    request: RequestId,
}

impl Things {
    /// Ids that were never given to anything.
    fn unknown(world: &World) -> Self {
        let (now, entropy) = (world.kernel().now(), SeededEntropy::new(99));
        Self {
            node: NodeId::new(now, &entropy),
            note: NoteId::new(now, &entropy),
            person: PersonId::new(now, &entropy),
            service: ServiceId::new(now, &entropy),
            group: GroupId::new(now, &entropy),
            grant: GrantId::new(now, &entropy),
            request: RequestId::new(now, &entropy),
        }
    }

    /// Things of a tenant of its own.
    async fn foreign(kernel: &Kernel) -> Self {
        let founded = kernel.found_tenant(&"globex".parse().unwrap(), Origin::system("req-foreign")).await;
        let (tenant, root) = founded.unwrap();
        let made = async |step| arrange(kernel, tenant, step).await.unwrap();
        let node = made(Step::Node { parent: root, name: "lab".parse().unwrap(), production: false }).await;
        let node = node.parse().unwrap();
        let person: PersonId = made(Step::Person("hank".into())).await.parse().unwrap();
        let holder = Holder::Actor(ActorId::Person(person));
        let service = made(Step::Service { name: "robot".into(), principal: holder }).await.parse().unwrap();
        let group = made(Step::Group("crew".into())).await.parse().unwrap();
        let grant =
            made(Step::Grant { holder, role: "writer".into(), node, until: None }).await.parse().unwrap();
        let system = Actor::system(System::SETUP, tenant, Origin::system("req-foreign"));
        let note = done(kernel.act(&system, Write { node, words: "foreign".into() }).await.unwrap());
        let slots = serde_json::from_str(r#"[{"name": "owner", "role": "owner"}]"#).unwrap();
        made(Step::Rule { node, verb: "note:write".into(), slots }).await;
        let hank =
            Actor { id: ActorId::Person(person), tenant, origin: garrison_testkit::origin(), limits: None };
        let request = waiting(kernel.act(&hank, Write { node, words: "asked".into() }).await.unwrap());
        Self { node, note, person, service, group, grant, request }
    }
}

/// Tries every act on the things; tells what each was answered, and what was recorded.
async fn answers(world: &World, actor: &Actor, things: &Things) -> Vec<(String, String)> {
    let own = world.note(world.platform.root, "own").await;
    let words = || "no".to_owned();
    let mut answers = vec![
        answer(world, actor, Write { node: things.node, words: words() }).await,
        answer(world, actor, Change { note: things.note, words: words() }).await,
        answer(world, actor, Join { from: own, into: things.note }).await,
        answer(world, actor, EndGrant { grant: things.grant }).await,
        answer(world, actor, Approve { request: things.request, digest: String::new() }).await,
        answer(world, actor, Reject { request: things.request }).await,
        answer(world, actor, Withdraw { request: things.request }).await,
        answer(world, actor, Take { request: things.request }).await,
    ];
    let actors = [ActorId::Person(things.person), ActorId::Service(things.service)].map(Holder::Actor);
    for who in actors.into_iter().chain([Holder::Group(things.group)]) {
        answers.push(answer(world, actor, Disable { who }).await);
    }
    let problem = world.kernel().ask(actor, Ask { note: things.note }).await.unwrap_err();
    answers.push((problem.to_string(), world.last_record().await.reason));
    let explained =
        world.kernel().explain(actor, actor.id, "note:write", &things.node.into()).await.unwrap_err();
    answers.push((explained.to_string(), String::new()));
    answers
}

async fn answer<A: Act>(world: &World, actor: &Actor, act: A) -> (String, String) {
    let verb = A::VERB;
    let before = world.records().await.len();
    let Err(problem) = world.kernel().act(actor, act).await else { panic!("{verb} was not refused") };
    let records = world.records().await;
    assert_eq!(records.len(), before + 1, "{verb}: exactly one record");
    let record = records.last().unwrap();
    assert_eq!((record.operation.as_str(), record.result.as_str()), (verb.as_str(), "denied"));
    (format!("{} {problem}", problem.kind().name), record.reason.clone())
}

#[tokio::test]
async fn what_belongs_to_another_tenant_is_answered_like_what_does_not_exist() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "administrator", world.platform.root).await;
        let foreign = Things::foreign(world.kernel()).await;
        let unknown = answers(&world, &ada, &Things::unknown(&world)).await;
        assert!(
            unknown
                .iter()
                .all(|(answer, _)| answer.ends_with("there is no such object, or you may not see it"))
        );
        assert_eq!(answers(&world, &ada, &foreign).await, unknown);
        assert_eq!(answers(&world, &world.system(), &foreign).await, unknown, "not even Garrison itself");
        assert_eq!(world.notes().await, ["own", "own", "own"]);
    }
}

#[tokio::test]
async fn what_is_out_of_sight_is_answered_like_what_does_not_exist() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        let note = world.note(world.pay, "hidden").await;
        let bob = world.person("bob").await;
        let grant = world.grant(Holder::Actor(ActorId::Person(bob)), "writer", world.pay).await;
        let unknown = Things::unknown(&world);
        let pairs = [
            (
                answer(&world, &ada, Write { node: world.pay, words: "no".into() }).await,
                answer(&world, &ada, Write { node: unknown.node, words: "no".into() }).await,
            ),
            (
                answer(&world, &ada, Change { note, words: "no".into() }).await,
                answer(&world, &ada, Change { note: unknown.note, words: "no".into() }).await,
            ),
            (
                answer(&world, &ada, EndGrant { grant }).await,
                answer(&world, &ada, EndGrant { grant: unknown.grant }).await,
            ),
        ];
        for (hidden, missing) in pairs {
            assert_eq!(hidden, missing);
        }
        assert_eq!(world.notes().await, ["hidden"]);
    }
}

#[tokio::test]
async fn every_target_must_be_allowed_not_only_the_first() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        let (mine, other) = (world.note(world.shop, "mine").await, world.note(world.pay, "other").await);
        for (from, into) in [(mine, other), (other, mine)] {
            answer(&world, &ada, Join { from, into }).await;
        }
        assert_eq!(world.notes().await, ["mine", "other"]);
        let also_mine = world.note(world.checkout, "also mine").await;
        done(world.kernel().act(&ada, Join { from: mine, into: also_mine }).await.unwrap());
        assert_eq!(world.notes().await, ["also mine", "other"]);
    }
}

#[tokio::test]
async fn an_id_of_another_kind_finds_nothing() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "administrator", world.platform.root).await;
        let note = world.note(world.shop, "a note").await;
        let object = garrison_kernel::ObjectRef::new("request", note);
        world.kernel().explain(&ada, ada.id, "request:approve", &object).await.unwrap_err();
        let object = garrison_kernel::ObjectRef::new("node", note);
        world.kernel().explain(&ada, ada.id, "note:write", &object).await.unwrap_err();
        assert!(world.allowed(&ada, Change::VERB, note).await);
    }
}
