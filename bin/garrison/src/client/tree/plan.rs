//! What makes a tree hold the nodes that a file names.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value as Json, json};

use super::source::Wanted;
use super::string;
use crate::output::counted;
use crate::say;

/// How many nodes one act brings, and about how many bytes: the server reads no more.
const CHUNK: usize = 5_000;
const CHUNK_BYTES: usize = 3 << 20;

/// A node as it is.
struct Known {
    kind: String,
    production: bool,
}

/// A node that nobody sees anything above of: the root, or where one's rights begin.
struct Top {
    id: String,
    path: String,
}

/// What must be done, in the order in which it can be.
pub struct Plan {
    steps: Vec<Step>,
}

struct Step {
    what: What,
    path: String,
    top: String,
    /// The names below the top; none for the top itself.
    below: Vec<String>,
    kind: &'static str,
    production: bool,
}

#[derive(PartialEq)]
enum What {
    Create,
    Mark,
    /// Of another kind than wanted, which nothing can change.
    Kind {
        before: String,
    },
}

/// Compares; every mistake of the file with its place where it does not fit.
pub fn plan(tree: &[Json], wanted: &[Wanted]) -> Result<Plan, Vec<String>> {
    let known: HashMap<String, Known> = tree.iter().map(known).collect();
    let tops = tops(tree);
    let mut named: HashMap<&str, &str> = HashMap::new();
    let mut errors = Vec::new();
    let mut steps = Vec::new();
    let mut sorted: Vec<&Wanted> = wanted.iter().collect();
    sorted.sort_by_key(|node| node.path.split('/').count());
    for node in sorted {
        if let Some(before) = named.insert(&node.path, &node.place) {
            errors.push(format!("{}: `{}` is named before, at {before}", node.place, node.path));
            continue;
        }
        let Some(top) = tops.iter().find(|top| is_within(&node.path, &top.path)) else {
            let words = "is not in the part of the tree that you see; a path begins with the root's name";
            errors.push(format!("{}: `{}` {words}", node.place, node.path));
            continue;
        };
        let above = node.path.rsplit_once('/').map(|(above, _)| above);
        if let Some(above) = above.filter(|above| {
            node.path != top.path && !known.contains_key(*above) && !named.contains_key(above)
        }) {
            errors.push(format!("{}: there is no node `{above}` to hang `{}` on", node.place, node.path));
            continue;
        }
        steps.extend(step(node, top, known.get(&node.path)));
    }
    if errors.is_empty() { Ok(Plan { steps }) } else { Err(errors) }
}

fn known(node: &Json) -> (String, Known) {
    let production = node.get("production").and_then(Json::as_bool) == Some(true);
    (string(node, "/path"), Known { kind: string(node, "/kind"), production })
}

fn tops(tree: &[Json]) -> Vec<Top> {
    let ids: std::collections::HashSet<&str> =
        tree.iter().filter_map(|node| node.get("id")?.as_str()).collect();
    let is_top =
        |node: &&Json| node.get("parent").and_then(Json::as_str).is_none_or(|parent| !ids.contains(parent));
    let top = |node: &Json| Top { id: string(node, "/id"), path: string(node, "/path") };
    tree.iter().filter(is_top).map(top).collect()
}

fn is_within(path: &str, top: &str) -> bool {
    path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn step(node: &Wanted, top: &Top, known: Option<&Known>) -> Vec<Step> {
    let step = |what: What| {
        let below = node.path.strip_prefix(&top.path).unwrap_or_default().split('/');
        let below = below.filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let (kind, production) = (node.kind.as_str(), node.production);
        Step { what, path: node.path.clone(), top: top.id.clone(), below, kind, production }
    };
    let Some(known) = known else { return vec![step(What::Create)] };
    let mut steps = Vec::new();
    if known.kind != node.kind.as_str() {
        steps.push(step(What::Kind { before: known.kind.clone() }));
    }
    if known.production != node.production {
        steps.push(step(What::Mark));
    }
    steps
}

impl Plan {
    /// Whether the tree is as it should be.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// How many nodes are of another kind than wanted.
    pub fn other_kinds(&self) -> usize {
        self.steps.iter().filter(|step| matches!(step.what, What::Kind { .. })).count()
    }

    /// The differences, as people see them.
    pub fn differences(&self) -> impl Iterator<Item = Json> {
        let words = |production: bool| if production { "production" } else { "not production" };
        self.steps.iter().map(move |step| {
            let (change, before, after) = match &step.what {
                What::Create if step.production => ("create", None, format!("{}, production", step.kind)),
                What::Create => ("create", None, step.kind.to_owned()),
                What::Mark => ("mark", Some(words(!step.production)), words(step.production).to_owned()),
                What::Kind { before } => ("kind", Some(before.as_str()), step.kind.to_owned()),
            };
            json!({ "change": change, "path": step.path, "before": before, "after": after })
        })
    }

    /// The acts that bring them about: the path of each, and its body.
    pub fn acts(&self) -> Vec<(&'static str, Json)> {
        let mut acts = Vec::new();
        let mut chunks: BTreeMap<&str, Chunk> = BTreeMap::new();
        for step in self.steps.iter().filter(|step| matches!(step.what, What::Create | What::Mark)) {
            if step.below.is_empty() {
                acts.push(("node/mark", json!({ "node": step.top, "production": step.production })));
                continue;
            }
            let node = json!({ "path": step.below, "kind": step.kind, "production": step.production });
            let chunk = chunks.entry(&step.top).or_default();
            let bytes = node.to_string().len() + 1;
            if chunk.nodes.len() == CHUNK || chunk.bytes + bytes > CHUNK_BYTES {
                acts.push(std::mem::take(chunk).act(&step.top));
            }
            chunk.bytes += bytes;
            chunk.nodes.push(node);
        }
        acts.extend(chunks.into_iter().map(|(top, chunk)| chunk.act(top)));
        acts
    }
}

#[derive(Default)]
struct Chunk {
    nodes: Vec<Json>,
    bytes: usize,
}

impl Chunk {
    fn act(self, top: &str) -> (&'static str, Json) {
        ("tree/apply", json!({ "node": top, "nodes": self.nodes }))
    }
}

/// What was done so far.
#[derive(Default)]
pub struct Progress {
    created: u64,
    marked: u64,
}

impl Progress {
    /// Adds what an act has brought.
    pub fn add(&mut self, output: &Json) {
        let number = |name: &str| output.get(name).and_then(Json::as_u64);
        self.created += number("created").unwrap_or(0);
        // The act that marks one node alone tells only that it did.
        self.marked += number("marked").unwrap_or_else(|| u64::from(output.get("changed").is_some()));
    }

    /// Whether anything was done.
    pub fn any(&self) -> bool {
        self.created + self.marked > 0
    }

    /// Tells it.
    pub fn tell(&self) {
        say!("{} made, {} marked", counted(self.created, "node"), self.marked);
    }
}

#[cfg(test)]
mod tests {
    use garrison_kernel::NodeKind;

    use super::*;

    fn tree() -> Vec<Json> {
        vec![
            json!({"id": "node_1", "parent": null, "path": "acme", "kind": "organisation", "production": false}),
            json!({"id": "node_2", "parent": "node_1", "path": "acme/shop", "kind": "product", "production": false}),
        ]
    }

    fn wanted(path: &str, kind: NodeKind, production: bool) -> Wanted {
        Wanted { path: path.into(), kind, production, place: format!("at {path}") }
    }

    #[test]
    fn only_what_differs_is_sent_parents_first() {
        let plan = plan(
            &tree(),
            &[
                wanted("acme/shop/web/live", NodeKind::Environment, true),
                wanted("acme/shop/web", NodeKind::Service, false),
                wanted("acme/shop", NodeKind::Product, true),
                wanted("acme", NodeKind::Organisation, false),
            ],
        )
        .unwrap();
        let changes: Vec<String> = plan
            .differences()
            .map(|row| format!("{} {}", string(&row, "/change"), string(&row, "/path")))
            .collect();
        assert_eq!(changes, ["mark acme/shop", "create acme/shop/web", "create acme/shop/web/live"]);
        let acts = plan.acts();
        assert_eq!(acts.len(), 1);
        assert_eq!(acts[0].1["node"], "node_1");
        assert_eq!(
            acts[0].1["nodes"][2],
            json!({"path": ["shop", "web", "live"], "kind": "environment", "production": true})
        );
    }

    #[test]
    fn the_root_is_marked_by_an_act_of_its_own_and_a_kind_stays() {
        let plan = plan(&tree(), &[wanted("acme", NodeKind::Group, true)]).unwrap();
        assert_eq!((plan.differences().count(), plan.other_kinds()), (2, 1));
        assert_eq!(plan.acts(), [("node/mark", json!({"node": "node_1", "production": true}))]);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let errors = plan(
            &tree(),
            &[
                wanted("other/x", NodeKind::Group, false),
                wanted("acme/a/b", NodeKind::Group, false),
                wanted("acme/c", NodeKind::Group, false),
                wanted("acme/c", NodeKind::Group, false),
                wanted("acmeshop", NodeKind::Group, false),
            ],
        )
        .err()
        .unwrap();
        assert_eq!(errors.len(), 4, "{errors:?}");
        assert!(
            errors.iter().any(|error| error.starts_with("at acme/a/b: there is no node `acme/a`")),
            "{errors:?}"
        );
        assert!(errors.iter().any(|error| error.contains("is named before")), "{errors:?}");
    }

    #[test]
    fn many_nodes_are_sent_in_parts() {
        let many: Vec<Wanted> =
            (0..=CHUNK).map(|number| wanted(&format!("acme/n{number}"), NodeKind::Group, false)).collect();
        let acts = plan(&tree(), &many).unwrap().acts();
        let sizes: Vec<usize> =
            acts.iter().map(|(_, body)| body["nodes"].as_array().unwrap().len()).collect();
        assert_eq!(sizes, [CHUNK, 1]);
    }
}
