//! Grants: who may do what where, and what an explanation tells.

use garrison_base::NodeId;
use garrison_kernel::{Act as _, ActorId, Holder, KernelError, TokenLimits};
use garrison_testkit::Engine;
use jiff::SignedDuration;

use crate::support::house::Step;
use crate::support::notes::{self, Change, Write};
use crate::support::{World, holder, refused};

#[tokio::test]
async fn a_grant_reaches_down_and_neither_up_nor_aside() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "writer", world.shop).await;
        let allowed = async |node| world.allowed(&ada, Write::VERB, node).await;
        assert!(allowed(world.shop).await && allowed(world.checkout).await);
        assert!(!allowed(world.platform.root).await && !allowed(world.pay).await);
        let below = world.node(world.checkout, "basket").await;
        assert!(allowed(below).await, "a new node is reached too");
        world.step(Step::Move { node: world.checkout, parent: world.pay }).await;
        assert!(!allowed(below).await, "a node that was moved away is not");
    }
}

#[tokio::test]
async fn a_grant_counts_until_its_end() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.person("ada").await;
        let until = world.kernel().now() + SignedDuration::from_hours(1);
        let grant =
            Step::Grant { holder: holder(ada), role: "writer".into(), node: world.shop, until: Some(until) };
        world.step(grant).await;
        let ada = world.platform.person(ada);
        assert!(world.allowed(&ada, Write::VERB, world.shop).await);
        world.platform.clock.advance(SignedDuration::from_secs(3_599));
        assert!(world.allowed(&ada, Write::VERB, world.shop).await);
        world.platform.clock.advance(SignedDuration::from_secs(2));
        assert!(!world.allowed(&ada, Write::VERB, world.shop).await);
        let write = Write { node: world.shop, words: "late".into() };
        assert_eq!(refused(world.kernel().act(&ada, write).await), "object/not-found");
        assert!(world.seen(&ada).await.is_err());
        // A clock that is set back must not bring forward what is to come: the grant begins when it was given.
        world.platform.clock.advance(SignedDuration::from_hours(-2));
        assert!(!world.allowed(&ada, Write::VERB, world.shop).await);
    }
}

#[tokio::test]
async fn an_ended_grant_is_gone_at_once_and_stays_gone() {
    for engine in Engine::all() {
        let mut world = World::new(engine).await;
        let ada = world.person("ada").await;
        let first = world.grant(holder(ada), "writer", world.shop).await;
        let second = world.grant(holder(ada), "writer", world.shop).await;
        let ada = world.platform.person(ada);
        world.step(Step::End(first)).await;
        assert!(world.allowed(&ada, Write::VERB, world.shop).await, "the other grant counts still");
        world.step(Step::End(second)).await;
        for moment in ["before the restart", "after it"] {
            assert!(!world.allowed(&ada, Write::VERB, world.shop).await, "{moment}");
            assert!(world.seen(&ada).await.is_err(), "{moment}");
            world.reopen().await;
        }
    }
}

#[tokio::test]
async fn members_hold_what_their_group_holds_while_both_are_active() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let person = world.person("ada").await;
        let group = world.group("crew", &[person]).await;
        world.grant(Holder::Group(group), "writer", world.shop).await;
        let ada = world.platform.person(person);
        let allowed = async || world.allowed(&ada, Write::VERB, world.checkout).await;
        assert!(allowed().await);

        let who = Holder::Group(group);
        world.step(Step::Active { who, active: false }).await;
        assert!(!allowed().await, "a disabled group holds nothing");
        world.step(Step::Active { who, active: true }).await;
        assert!(allowed().await);

        let member = ActorId::Person(person);
        world.step(Step::Member { group, member, active: false }).await;
        assert!(!allowed().await, "who has left holds nothing through the group");
        assert!(world.seen(&ada).await.is_err());
        world.step(Step::Member { group, member, active: true }).await;
        assert!(allowed().await);
    }
}

#[tokio::test]
async fn a_disabled_actor_is_denied_everything() {
    for engine in Engine::all() {
        let mut world = World::new(engine).await;
        let ada = world.holding("ada", "administrator", world.platform.root).await;
        let note = world.note(world.shop, "a note").await;
        world.step(Step::Active { who: Holder::Actor(ada.id), active: false }).await;
        for moment in ["before the restart", "after it"] {
            assert!(!world.allowed(&ada, Write::VERB, world.shop).await, "{moment}");
            let change = Change { note, words: "no".into() };
            assert_eq!(refused(world.kernel().act(&ada, change).await), "access/denied", "{moment}");
            assert!(world.kernel().ask(&ada, notes::Ask { note }).await.is_err(), "{moment}");
            assert!(world.seen(&ada).await.is_err(), "{moment}");
            world.reopen().await;
        }
        world.step(Step::Active { who: Holder::Actor(ada.id), active: true }).await;
        assert!(world.allowed(&ada, Write::VERB, world.shop).await);
    }
}

#[tokio::test]
async fn a_policy_that_forbids_wins_over_every_one_that_allows() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.holding("ada", "administrator", world.platform.root).await;
        let bob = world.holding("bob", "operator", world.shop).await;
        let note = world.note(world.checkout, "a note").await;
        // The mark is inherited, like the grant.
        world.step(Step::Production { node: world.shop, production: true }).await;
        assert!(!world.allowed(&ada, Change::VERB, note).await);
        assert!(world.allowed(&bob, Change::VERB, note).await);
        let change = Change { note, words: "no".into() };
        assert_eq!(refused(world.kernel().act(&ada, change).await), "access/denied");
        world.step(Step::Production { node: world.shop, production: false }).await;
        assert!(world.allowed(&ada, Change::VERB, note).await);
    }
}

#[tokio::test]
async fn an_explanation_tells_what_decides_or_what_is_missing() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let person = world.person("ada").await;
        let group = world.group("crew", &[person]).await;
        let grant = world.grant(Holder::Group(group), "writer", world.shop).await;
        let ada = world.platform.person(person);
        // Somebody who may see everything asks.
        let asker = world.holding("asker", "auditor", world.platform.root).await;
        let explain = async |verb: &str, node: NodeId| {
            world.kernel().explain(&asker, ada.id, verb, &node.into()).await.unwrap()
        };

        let yes = explain("note:write", world.checkout).await;
        assert!(yes.allowed && yes.would_suffice.is_empty());
        assert_eq!(yes.policies, ["notes.writers"]);
        let decides = &yes.grants[0];
        assert_eq!((decides.grant, decides.holder, decides.node), (grant, Holder::Group(group), world.shop));
        assert_eq!((decides.role.as_str(), decides.path.as_str()), ("writer", "acme/shop"));

        let no = explain("note:write", world.pay).await;
        assert!(!no.allowed && no.grants.is_empty());
        assert_eq!(no.would_suffice, ["administrator", "writer"]);
        assert!(no.why.contains("acme/pay"), "{}", no.why);

        world.step(Step::Production { node: world.pay, production: true }).await;
        let forbidden = explain("note:change", world.pay).await;
        assert_eq!(
            (forbidden.allowed, forbidden.policies.as_slice()),
            (false, &["notes.frozen".to_owned()][..])
        );
        assert!(
            forbidden.would_suffice.is_empty(),
            "no role alone would be enough: {:?}",
            forbidden.would_suffice
        );

        world.rule(world.shop, Write::VERB, &[("owner", "owner")]).await;
        let slots = explain("note:write", world.checkout).await.approvals;
        assert_eq!(slots.iter().map(|slot| slot.role.as_str()).collect::<Vec<_>>(), ["owner"]);
        assert!(world.kernel().explain(&ada, ada.id, "note:unheard-of", &world.shop.into()).await.is_err());
        // The rights of the actor are explained, whatever the asker showed; only what the asker sees is.
        let limits = TokenLimits { verbs: Vec::new(), node: world.pay };
        let token = garrison_kernel::Actor { limits: Some(limits), ..ada.clone() };
        let shop = world.shop.into();
        assert!(world.kernel().explain(&token, ada.id, "note:write", &shop).await.unwrap().allowed);
        let unseen = world.kernel().explain(&ada, asker.id, "note:write", &world.pay.into()).await;
        assert!(matches!(unseen, Err(KernelError::NotFound)));
    }
}

#[tokio::test]
async fn an_explanation_is_what_the_act_is_answered() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let mut actors = vec![world.platform.person(world.person("nobody").await)];
        for (name, role) in
            [("ada", "reader"), ("bob", "writer"), ("cleo", "administrator"), ("dora", "operator")]
        {
            actors.push(world.holding(name, role, world.shop).await);
        }
        for actor in &actors {
            for node in [world.platform.root, world.shop, world.checkout, world.pay] {
                let explained = world.allowed(actor, Write::VERB, node).await;
                let acted = world.kernel().act(actor, Write { node, words: "tried".into() }).await;
                assert_eq!(acted.is_ok(), explained, "{} at {node}", actor.id);
                assert_eq!(world.kernel().decide(actor, Write::VERB, node), explained);
            }
        }
    }
}

#[tokio::test]
async fn a_grant_needs_a_known_role_holder_and_node() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = holder(world.person("ada").await);
        let grant = |holder, role: &str, node| Step::Grant { holder, role: role.into(), node, until: None };
        let kind = async |step| world.try_step(step).await.unwrap_err().kind().name;
        assert_eq!(kind(grant(ada, "emperor", world.shop)).await, "request/invalid");
        assert_eq!(kind(grant(ada, "Writer", world.shop)).await, "request/invalid");
        let (tenant, root) =
            world.kernel().found_tenant(&"globex".parse().unwrap(), world.system().origin).await.unwrap();
        let hank =
            crate::support::arrange(world.kernel(), tenant, Step::Person("hank".into())).await.unwrap();
        assert_eq!(kind(grant(hank.parse().unwrap(), "writer", world.shop)).await, "object/not-found");
        assert_eq!(kind(grant(ada, "writer", root)).await, "object/not-found");
        let gone = world.node(world.shop, "gone").await;
        world.step(Step::Merge { from: gone, into: world.pay }).await;
        assert_eq!(kind(grant(ada, "writer", gone)).await, "object/not-found");
    }
}

#[tokio::test]
async fn a_name_belongs_to_one_actor_of_a_tenant() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let ada = world.person("ada").await;
        let bob = world.person("bob").await;
        let kind = async |step| world.try_step(step).await.unwrap_err().kind().name;
        assert_eq!(kind(Step::Person("ada".into())).await, "object/exists");
        assert_eq!(kind(Step::Group("ada".into())).await, "object/exists");
        assert_eq!(kind(Step::RenameActor { who: holder(bob), name: "ada".into() }).await, "object/exists");
        world.step(Step::RenameActor { who: holder(ada), name: "eve".into() }).await;
        world.step(Step::RenameActor { who: holder(bob), name: "ada".into() }).await;
        let tx = world.kernel().read(&world.system(), notes::READ).await.unwrap();
        assert_eq!((tx.name_of(holder(ada)), tx.name_of(holder(bob))), ("eve".into(), "ada".into()));
    }
}
