//! The questions that people ask of the directory.

use garrison_base::{GroupId, NodeId};
use garrison_kernel::{KernelError, Node, ReadTx, Verb};
use garrison_web::{Page, Question, page_limit};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::model::{Group, HistoryEntry, LevelView, Member, NodeView, Person, Post, Service};
use crate::store;

/// Lists the nodes directly under one.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListNodes {
    /// Under which, by id or path; the root where nothing is said.
    pub parent: Option<String>,
    /// How many at most, 1 to 500; 100 where nothing is said.
    pub limit: Option<i64>,
    /// Where to go on: `next` of the page before.
    pub cursor: Option<String>,
}

fn view(tx: &ReadTx<'_>, node: Node) -> NodeView {
    NodeView {
        id: node.id,
        parent: node.parent,
        path: tx.path(node.id),
        name: node.name,
        kind: node.kind,
        production: node.production,
    }
}

fn find(tx: &ReadTx<'_>, text: &str) -> Result<NodeId, KernelError> {
    tx.find_node(text).ok_or(KernelError::NotFound)
}

impl Question for ListNodes {
    const VERB: Verb = Verb::new("node:list");
    const PATH: &'static str = "/node";
    const SUMMARY: &'static str = "The nodes directly under one, with how much hangs on each.";
    type Answer = Page<LevelView>;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        let limit = page_limit(self.limit)?;
        let after: String = tx.open_cursor(Self::VERB, self.cursor.as_deref())?;
        let levels = match &self.parent {
            Some(parent) => tx.level(find(tx, parent)?, &after, limit + 1).await?,
            None => tx.top(&after, limit + 1).await?,
        };
        let items = levels
            .into_iter()
            .map(|level| LevelView {
                node: view(tx, level.node),
                children: level.children,
                objects: level.objects,
            })
            .collect();
        Page::cut(items, limit, (tx, Self::VERB), |last: &LevelView| last.node.name.clone())
    }
}

/// Shows one node.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ShowNode {
    /// Its id.
    pub node: NodeId,
}

impl Question for ShowNode {
    const VERB: Verb = Verb::new("node:show");
    const PATH: &'static str = "/node/{node}";
    const SUMMARY: &'static str = "One node.";
    type Answer = NodeView;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<NodeView, KernelError> {
        let node = tx.node(self.node).await?;
        Ok(view(tx, node))
    }
}

/// Finds a node by its path.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct FindNode {
    /// The path from the root, such as `acme/shop/checkout`; or an id.
    pub path: String,
}

impl Question for FindNode {
    const VERB: Verb = Verb::new("node:find");
    const PATH: &'static str = "/node-at";
    const SUMMARY: &'static str = "The node that a path names.";
    type Answer = NodeView;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<NodeView, KernelError> {
        let node = tx.node(find(tx, &self.path)?).await?;
        Ok(view(tx, node))
    }
}

/// Tells what happened to a node.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct NodeHistory {
    /// Which.
    pub node: NodeId,
}

impl Question for NodeHistory {
    const VERB: Verb = Verb::new("node:history");
    const PATH: &'static str = "/node/{node}/history";
    const SUMMARY: &'static str = "What happened to a node, newest first, at most 500 entries.";
    type Answer = Vec<HistoryEntry>;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        tx.node(self.node).await?;
        store::history(tx, self.node).await
    }
}

/// The whole visible tree.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct WholeTree {}

impl Question for WholeTree {
    const VERB: Verb = Verb::new("tree:export");
    const PATH: &'static str = "/tree";
    const SUMMARY: &'static str = "Every node that may be seen, parents before children.";
    type Answer = Vec<NodeView>;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        let nodes = tx.whole_tree().await?;
        Ok(nodes.into_iter().map(|node| view(tx, node)).collect())
    }
}

/// Lists persons.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListPersons {
    /// Only those whose name, full name or address holds this.
    pub text: Option<String>,
    /// How many at most, 1 to 500; 100 where nothing is said.
    pub limit: Option<i64>,
    /// Where to go on: `next` of the page before.
    pub cursor: Option<String>,
}

impl Question for ListPersons {
    const VERB: Verb = Verb::new("person:list");
    const PATH: &'static str = "/person";
    const SUMMARY: &'static str = "Persons by name.";
    type Answer = Page<Person>;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        let limit = page_limit(self.limit)?;
        let after: String = tx.open_cursor(Self::VERB, self.cursor.as_deref())?;
        let items = store::persons(tx, self.text.as_deref().unwrap_or_default(), &after, limit + 1).await?;
        Page::cut(items, limit, (tx, Self::VERB), |last: &Person| last.name.clone())
    }
}

/// Shows one person.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ShowPerson {
    /// The id, or the name.
    pub person: String,
}

impl Question for ShowPerson {
    const VERB: Verb = Verb::new("person:show");
    const PATH: &'static str = "/person/{person}";
    const SUMMARY: &'static str = "One person, by id or name.";
    type Answer = Person;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Person, KernelError> {
        store::person(tx, &self.person).await
    }
}

/// Lists service accounts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListServices {
    /// How many at most, 1 to 500; 100 where nothing is said.
    pub limit: Option<i64>,
    /// Where to go on: `next` of the page before.
    pub cursor: Option<String>,
}

impl Question for ListServices {
    const VERB: Verb = Verb::new("service:list");
    const PATH: &'static str = "/service";
    const SUMMARY: &'static str = "Service accounts by name.";
    type Answer = Page<Service>;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        let limit = page_limit(self.limit)?;
        let after: String = tx.open_cursor(Self::VERB, self.cursor.as_deref())?;
        let items = store::services(tx, &after, limit + 1).await?;
        Page::cut(items, limit, (tx, Self::VERB), |last: &Service| last.name.clone())
    }
}

/// Lists groups.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListGroups {
    /// How many at most, 1 to 500; 100 where nothing is said.
    pub limit: Option<i64>,
    /// Where to go on: `next` of the page before.
    pub cursor: Option<String>,
}

impl Question for ListGroups {
    const VERB: Verb = Verb::new("group:list");
    const PATH: &'static str = "/group";
    const SUMMARY: &'static str = "Groups by name.";
    type Answer = Page<Group>;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        let limit = page_limit(self.limit)?;
        let after: String = tx.open_cursor(Self::VERB, self.cursor.as_deref())?;
        let items = store::groups(tx, &after, limit + 1).await?;
        Page::cut(items, limit, (tx, Self::VERB), |last: &Group| last.name.clone())
    }
}

/// Lists the members of a group.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListMembers {
    /// Which.
    pub group: GroupId,
}

impl Question for ListMembers {
    const VERB: Verb = Verb::new("group:members");
    const PATH: &'static str = "/group/{group}/member";
    const SUMMARY: &'static str = "The members of a group.";
    type Answer = Vec<Member>;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        tx.node_of(&self.group.into()).await?;
        store::members(tx, self.group).await
    }
}

/// Lists posts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListPosts {
    /// Only those at this node.
    pub node: Option<NodeId>,
    /// How many at most, 1 to 500; 100 where nothing is said.
    pub limit: Option<i64>,
    /// Where to go on: `next` of the page before.
    pub cursor: Option<String>,
}

impl Question for ListPosts {
    const VERB: Verb = Verb::new("post:list");
    const PATH: &'static str = "/post";
    const SUMMARY: &'static str = "Posts, oldest first.";
    type Answer = Page<Post>;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        let limit = page_limit(self.limit)?;
        let after: String = tx.open_cursor(Self::VERB, self.cursor.as_deref())?;
        let items = store::posts(tx, self.node, &after, limit + 1).await?;
        Page::cut(items, limit, (tx, Self::VERB), |last: &Post| last.id.to_string())
    }
}
