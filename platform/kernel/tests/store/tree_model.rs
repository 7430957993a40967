//! Many random operations on the tree, beside a model that is too simple to be wrong.

use std::collections::BTreeMap;

use garrison_base::NodeId;
use garrison_kernel::DEPTH;
use garrison_testkit::Engine;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::support::house::Step;
use crate::support::{World, notes};

/// An operation; nodes are counted in the order in which they were made, the ones that are gone included.
#[derive(Debug, Clone)]
enum Operation {
    Create(usize, u8),
    Rename(usize, u8),
    Move(usize, usize),
    Merge(usize, usize),
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let (node, name) = (0..40_usize, 0..4_u8);
    let operation = prop_oneof![
        5 => (node.clone(), name.clone()).prop_map(|(parent, name)| Operation::Create(parent, name)),
        1 => (node.clone(), name).prop_map(|(node, name)| Operation::Rename(node, name)),
        3 => (node.clone(), node.clone()).prop_map(|(node, parent)| Operation::Move(node, parent)),
        2 => (node.clone(), node).prop_map(|(from, into)| Operation::Merge(from, into)),
    ];
    proptest::collection::vec(operation, 1..40)
}

/// The tree as parents and names: nothing derived, everything looked up.
struct Model {
    made: Vec<NodeId>,
    /// Nodes that are gone, and what each was merged into: what is about them is seen there.
    gone: BTreeMap<NodeId, NodeId>,
    live: BTreeMap<NodeId, (Option<NodeId>, String)>,
}

impl Model {
    fn pick(&self, number: usize) -> NodeId {
        self.made[number % self.made.len()]
    }

    /// The node and all above it, nearest first.
    fn trail(&self, node: NodeId) -> Vec<NodeId> {
        let mut trail = vec![node];
        while let Some(above) = self.above(trail[trail.len() - 1]) {
            trail.push(above);
        }
        trail
    }

    fn above(&self, node: NodeId) -> Option<NodeId> {
        self.gone.get(&node).copied().or_else(|| self.live.get(&node)?.0)
    }

    fn children(&self, node: NodeId) -> Vec<NodeId> {
        self.live.iter().filter(|(_, (parent, _))| *parent == Some(node)).map(|(id, _)| *id).collect()
    }

    /// How many levels are below a node.
    fn height(&self, node: NodeId) -> usize {
        self.children(node).into_iter().map(|child| 1 + self.height(child)).max().unwrap_or_default()
    }

    fn taken(&self, parent: NodeId, name: &str, but: Option<NodeId>) -> bool {
        self.children(parent).into_iter().any(|child| Some(child) != but && self.live[&child].1 == name)
    }

    fn may_move(&self, node: NodeId, parent: NodeId) -> bool {
        let both = self.live.contains_key(&node) && self.live.contains_key(&parent);
        both && self.live[&node].0.is_some()
            && !self.trail(parent).contains(&node)
            && self.trail(parent).len() + 1 + self.height(node) <= DEPTH
            && !self.taken(parent, &self.live[&node].1, Some(node))
    }

    /// Does it in the model; tells whether it can be done.
    fn apply(&mut self, operation: &Operation) -> bool {
        match *operation {
            Operation::Create(parent, name) => {
                let parent = self.pick(parent);
                self.live.contains_key(&parent)
                    && self.trail(parent).len() < DEPTH
                    && !self.taken(parent, &text(name), None)
            }
            Operation::Rename(node, name) => {
                let node = self.pick(node);
                let Some((parent, _)) = self.live.get(&node).cloned() else { return false };
                let free = parent.is_none_or(|parent| !self.taken(parent, &text(name), Some(node)));
                if free {
                    self.live.insert(node, (parent, text(name)));
                }
                free
            }
            Operation::Move(node, parent) => {
                let (node, parent) = (self.pick(node), self.pick(parent));
                let may = self.may_move(node, parent);
                if may {
                    self.live.insert(node, (Some(parent), self.live[&node].1.clone()));
                }
                may
            }
            Operation::Merge(from, into) => {
                let (from, into) = (self.pick(from), self.pick(into));
                let both = self.live.contains_key(&from) && self.live.contains_key(&into);
                let may = both
                    && self.live[&from].0.is_some()
                    && !self.trail(into).contains(&from)
                    && self.children(from).into_iter().all(|child| self.may_move(child, into));
                if may {
                    for child in self.children(from) {
                        self.live.insert(child, (Some(into), self.live[&child].1.clone()));
                    }
                    self.live.remove(&from);
                    self.gone.insert(from, into);
                }
                may
            }
        }
    }

    fn step(&self, operation: &Operation) -> Step {
        let name = |name| text(name).parse().unwrap();
        match *operation {
            Operation::Create(parent, word) => {
                Step::Node { parent: self.pick(parent), name: name(word), production: false }
            }
            Operation::Rename(node, word) => Step::Rename { node: self.pick(node), name: name(word) },
            Operation::Move(node, parent) => Step::Move { node: self.pick(node), parent: self.pick(parent) },
            Operation::Merge(from, into) => Step::Merge { from: self.pick(from), into: self.pick(into) },
        }
    }

    /// What `node_trail` must hold.
    fn closure(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .made
            .iter()
            .flat_map(|node| {
                let trail = self.trail(*node).into_iter().enumerate();
                trail.map(move |(distance, above)| format!("{node}|{above}|{distance}"))
            })
            .collect();
        lines.sort();
        lines
    }

    fn path(&self, node: NodeId) -> String {
        let names: Vec<&str> = self.trail(node).iter().rev().map(|node| self.live[node].1.as_str()).collect();
        names.join("/")
    }
}

fn text(name: u8) -> String {
    format!("name-{name}")
}

async fn compare(world: &World, model: &Model) {
    let mut lines: Vec<String> = world
        .platform
        .database
        .by_hand("SELECT node_id, ancestor, distance FROM node_trail")
        .lines()
        .map(Into::into)
        .collect();
    lines.sort();
    assert_eq!(lines, model.closure());
    let mut tx = world.kernel().read(&world.system(), notes::READ).await.unwrap();
    let tree = tx.whole_tree().await.unwrap();
    let stored: BTreeMap<_, _> = tree.into_iter().map(|node| (node.id, (node.parent, node.name))).collect();
    assert_eq!(stored, model.live);
    for node in &model.made {
        let path = model.live.contains_key(node).then(|| model.path(*node));
        assert_eq!(tx.sees(*node), path.is_some());
        if let Some(path) = path {
            assert_eq!((tx.path(*node), tx.find_node(&path)), (path.clone(), Some(*node)));
        }
    }
}

async fn run(engine: Engine, operations: Vec<Operation>) {
    let mut world = World::new(engine).await;
    let mut model = Model { made: Vec::new(), gone: BTreeMap::new(), live: BTreeMap::new() };
    for (id, parent, name) in [
        (world.platform.root, None, "acme"),
        (world.shop, Some(world.platform.root), "shop"),
        (world.pay, Some(world.platform.root), "pay"),
        (world.checkout, Some(world.shop), "checkout"),
    ] {
        model.made.push(id);
        model.live.insert(id, (parent, name.into()));
    }
    for operation in &operations {
        let made = world.try_step(model.step(operation)).await;
        assert_eq!(made.is_ok(), model.apply(operation), "{operation:?}: {made:?}");
        if let (Operation::Create(parent, name), Ok(id)) = (operation, made) {
            let (id, parent) = (id.parse().unwrap(), model.pick(*parent));
            model.made.push(id);
            model.live.insert(id, (Some(parent), text(*name)));
        }
    }
    compare(&world, &model).await;
    world.kernel().verify().await.unwrap();
    // What the kernel has followed in memory must be what it reads when it opens.
    world.reopen().await;
    compare(&world, &model).await;
}

#[test]
fn the_tree_and_its_trails_are_right_after_any_operations() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for engine in Engine::all() {
        let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let result = runner.run(&operations(), |operations| {
            runtime.block_on(run(engine, operations));
            Ok(())
        });
        result.unwrap_or_else(|failure| panic!("{engine:?}: {failure}"));
    }
}
