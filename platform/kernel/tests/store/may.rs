//! What somebody may do somewhere: all of it, and nothing more.

use garrison_base::NodeId;
use garrison_kernel::{Actor, ActorId, Holder, TokenLimits, Verb};
use garrison_testkit::Engine;

use crate::support::house::Step;
use crate::support::{World, holder};

/// What a writer may do, but for what is forbidden where it is production.
const WRITING: &str =
    "note:ask note:break note:claim note:fail note:join note:peek note:remind note:reveal note:write";

/// The verbs of notes and grants, in order: those of the world's own arranging are nobody's here.
async fn may(world: &World, actor: &Actor) -> Vec<String> {
    let verbs = world.kernel().may(actor).await.unwrap();
    let told = verbs.into_iter().filter(|verb| ["note", "grant"].contains(&verb.noun()));
    told.map(|verb: Verb| verb.as_str().to_owned()).collect()
}

fn listed(verbs: &[&str]) -> Vec<String> {
    let mut all: Vec<String> =
        verbs.iter().flat_map(|some| some.split_whitespace()).map(str::to_owned).collect();
    all.sort();
    all
}

/// A line of a table: what somebody holds, and where; the limits of their token; what they may do somewhere.
type Line<'l> = (&'l [(&'l str, NodeId)], Option<(&'l [&'l str], NodeId)>, &'l [&'l str]);

async fn check(world: &World, lines: &[Line<'_>]) {
    for (number, (held, token, expected)) in lines.iter().enumerate() {
        let person = world.person(&format!("p{number}")).await;
        for (role, node) in *held {
            world.grant(holder(person), role, *node).await;
        }
        let limits = token.map(|(verbs, node)| TokenLimits {
            verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
            node,
        });
        let actor = Actor { limits, ..world.platform.person(person) };
        assert_eq!(may(world, &actor).await, listed(expected), "{held:?} with {token:?}");
    }
}

#[tokio::test]
async fn what_is_allowed_somewhere_is_told() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let (root, shop, checkout, pay) = (world.platform.root, world.shop, world.checkout, world.pay);
        let lines: [Line<'_>; 4] = [
            (&[], None, &[]),
            (&[("reader", checkout)], None, &["note:ask", "note:read"]),
            (&[("writer", root)], None, &[WRITING, "note:change", "note:read"]),
            (&[("reader", shop), ("ender", pay)], None, &["grant:end", "note:ask", "note:read"]),
        ];
        check(&world, &lines).await;
    }
}

#[tokio::test]
async fn what_is_forbidden_everywhere_is_not_told() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let (root, shop, checkout, pay) = (world.platform.root, world.shop, world.checkout, world.pay);
        world.step(Step::Production { node: shop, production: true }).await;
        let lines: [Line<'_>; 6] = [
            // All that is held is production.
            (&[("writer", checkout)], None, &[WRITING]),
            // A part is not.
            (&[("writer", checkout), ("reader", pay)], None, &[WRITING, "note:read"]),
            (&[("writer", root)], None, &[WRITING, "note:change", "note:read"]),
            // What lifts the ban counts where it is held, and below.
            (&[("writer", shop), ("operator", checkout)], None, &[WRITING, "note:change", "note:read"]),
            (&[("reader", checkout), ("operator", pay)], None, &["note:ask", "note:change"]),
            (&[("operator", checkout)], None, &["note:change"]),
        ];
        check(&world, &lines).await;
    }
}

#[tokio::test]
async fn a_token_is_told_what_it_may() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let (root, shop, checkout, pay) = (world.platform.root, world.shop, world.checkout, world.pay);
        world.step(Step::Production { node: checkout, production: true }).await;
        let writer: &[(&str, NodeId)] = &[("writer", shop)];
        let lines: [Line<'_>; 6] = [
            (writer, Some((&["*"], root)), &[WRITING, "note:change", "note:read"]),
            (writer, Some((&["note:read", "note:write", "grant:*"], root)), &["note:read", "note:write"]),
            (writer, Some((&["note:*"], checkout)), &[WRITING]),
            (writer, Some((&["*"], pay)), &[]),
            (writer, Some((&[], shop)), &[]),
            (&[], Some((&["*"], root)), &[]),
        ];
        check(&world, &lines).await;
    }
}

#[tokio::test]
async fn groups_count_and_who_is_disabled_or_elsewhere_may_nothing() {
    for engine in Engine::all() {
        let world = World::new(engine).await;
        let person = world.person("ada").await;
        let group = world.group("readers", &[person]).await;
        world.grant(Holder::Group(group), "reader", world.pay).await;
        let ada = world.platform.person(person);
        assert_eq!(may(&world, &ada).await, ["note:ask", "note:read"]);
        let founded = world.kernel().found_tenant(&"globex".parse().unwrap(), world.system().origin).await;
        let elsewhere = Actor { tenant: founded.unwrap().0, ..ada.clone() };
        assert_eq!(may(&world, &elsewhere).await, listed(&[]));
        let who = Holder::Actor(ActorId::Person(person));
        world.step(Step::Active { who, active: false }).await;
        assert_eq!(may(&world, &ada).await, listed(&[]));
    }
}
