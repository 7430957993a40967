//! The tree: nodes are the kernel's, because every decision goes up it.

use garrison_base::{GrantId, NodeId, PathName, TenantId};

use crate::authz::rows::{NODE, TENANT};
use crate::db::{FromCell, Row, Value};
use crate::{KernelError, ReadTx, Scoped, WriteTx};

/// How many levels a tree may have.
pub const DEPTH: usize = 24;

/// What kind of place a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum NodeKind {
    /// A company, a department.
    Organisation,
    /// What customers know by name.
    Product,
    /// A part of a product that runs.
    Service,
    /// Where a service runs: production, staging.
    Environment,
    /// Any other group of things.
    Group,
}

impl NodeKind {
    /// As it is stored and spelled.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Product => "product",
            Self::Service => "service",
            Self::Environment => "environment",
            Self::Group => "group",
        }
    }
}

impl std::fmt::Display for NodeKind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromCell for NodeKind {
    fn from_cell(cell: &Value) -> Option<Self> {
        let text = String::from_cell(cell)?;
        [Self::Organisation, Self::Product, Self::Service, Self::Environment, Self::Group]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// A node to be.
#[derive(Debug, Clone)]
pub struct NewNode {
    /// Under which it hangs.
    pub parent: NodeId,
    /// Its name, unique there.
    pub name: PathName,
    /// Its kind.
    pub kind: NodeKind,
    /// Whether it, and all below, is production.
    pub production: bool,
}

/// A node as it is stored.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its id.
    pub id: NodeId,
    /// The one above; nothing for the root.
    pub parent: Option<NodeId>,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: NodeKind,
    /// Whether it is itself marked as production.
    pub production: bool,
}

impl Node {
    const COLUMNS: usize = 5;

    fn read(row: &Row) -> Result<Self, KernelError> {
        Ok(Self {
            id: row.get(0)?,
            parent: row.get(1)?,
            name: row.get(2)?,
            kind: row.get(3)?,
            production: row.get::<i64>(4)? != 0,
        })
    }
}

/// A node in a listing of one level.
#[derive(Debug, Clone)]
pub struct Level {
    /// The node.
    pub node: Node,
    /// How many nodes hang directly under it.
    pub children: i64,
    /// How many objects hang on it and below.
    pub objects: i64,
}

impl ReadTx<'_> {
    /// A node that may be seen.
    pub async fn node(&mut self, id: NodeId) -> Result<Node, KernelError> {
        const ONE: Scoped = crate::scoped!(
            "SELECT n.node_id, n.parent, n.name, n.kind, n.production FROM node n
             WHERE {scope:n} AND n.node_id = $2 AND n.state = 'live'"
        );
        let row = self.row(ONE, vec![Value::text(id)]).await?.ok_or(KernelError::NotFound)?;
        Node::read(&row)
    }

    /// The visible nodes directly under one, by name, after `after`, with what hangs on them.
    pub async fn level(
        &mut self,
        parent: NodeId,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Level>, KernelError> {
        const PAGE: Scoped = crate::scoped!(
            "SELECT n.node_id, n.parent, n.name, n.kind, n.production,
                 (SELECT COUNT(*) FROM node c WHERE c.tenant = $1 AND c.parent = n.node_id AND c.state = 'live'),
                 (SELECT COUNT(*) FROM node_trail t JOIN object o ON o.node_id = t.node_id WHERE t.ancestor = n.node_id)
             FROM node n
             WHERE {scope:n} AND n.parent = $2 AND n.state = 'live' AND n.name > $3 ORDER BY n.name LIMIT $4"
        );
        let rows = self.rows(PAGE, vec![Value::text(parent), after.into(), limit.into()]).await?;
        let level = |row: &Row| {
            let children = row.get(Node::COLUMNS)?;
            Ok(Level { node: Node::read(row)?, children, objects: row.get(Node::COLUMNS + 1)? })
        };
        rows.iter().map(level).collect()
    }

    /// The highest visible nodes: the root, or where the actor's grants begin.
    pub async fn top(&mut self, after: &str, limit: i64) -> Result<Vec<Level>, KernelError> {
        let tops = match self.roots() {
            None => vec![self.root()?],
            Some(roots) => roots.to_vec(),
        };
        let mut levels = Vec::new();
        for top in tops {
            let node = self.node(top).await?;
            // A root below another root is seen there.
            if node.parent.is_none_or(|parent| !self.sees(parent)) && node.name.as_str() > after {
                let (children, objects) = self.counts(top).await?;
                levels.push(Level { node, children, objects });
            }
        }
        levels.sort_by(|left, right| left.node.name.cmp(&right.node.name));
        levels.truncate(usize::try_from(limit).unwrap_or_default());
        Ok(levels)
    }

    async fn counts(&mut self, node: NodeId) -> Result<(i64, i64), KernelError> {
        const ONE: Scoped = crate::scoped!(
            "SELECT (SELECT COUNT(*) FROM node c WHERE c.tenant = $1 AND c.parent = n.node_id AND c.state = 'live'),
                 (SELECT COUNT(*) FROM node_trail t JOIN object o ON o.node_id = t.node_id WHERE t.ancestor = n.node_id)
             FROM node n WHERE {scope:n} AND n.node_id = $2"
        );
        let row = self.row(ONE, vec![Value::text(node)]).await?.ok_or(KernelError::NotFound)?;
        Ok((row.get(0)?, row.get(1)?))
    }

    /// Every visible node, parents before children.
    pub async fn whole_tree(&mut self) -> Result<Vec<Node>, KernelError> {
        const ALL: Scoped = crate::scoped!(
            "SELECT n.node_id, n.parent, n.name, n.kind, n.production FROM node n
             WHERE {scope:n} AND n.state = 'live'
             ORDER BY (SELECT MAX(t.distance) FROM node_trail t WHERE t.node_id = n.node_id), n.name"
        );
        self.rows(ALL, Vec::new()).await?.iter().map(Node::read).collect()
    }

    /// The node that a path names, `acme/shop`, or that an id names; only where it may be seen.
    pub fn find_node(&self, text: &str) -> Option<NodeId> {
        if let Ok(id) = text.parse::<NodeId>() {
            return self.sees(id).then_some(id);
        }
        let root = self.root().ok()?;
        let index = self.inner().index();
        let mut names = text.split('/');
        let root_name = &index.nodes.get(&root)?.name;
        if names.next()? != root_name {
            return None;
        }
        let found = names.try_fold(root, |at, name| index.children.get(&at)?.get(name).copied())?;
        drop(index);
        self.sees(found).then_some(found)
    }
}

impl WriteTx<'_> {
    /// A node of the tenant, from its verified row: what is written again must not make an edit by hand true.
    async fn own_node(&mut self, id: NodeId) -> Result<Node, KernelError> {
        let row = self.find(&NODE, vec![Value::text(id)]).await?;
        if row.get::<TenantId>(1)? != self.tenant() || row.get::<String>(6)? != "live" {
            return Err(KernelError::NotFound);
        }
        let production = row.get::<i64>(5)? != 0;
        Ok(Node { id, parent: row.get(2)?, name: row.get(3)?, kind: row.get(4)?, production })
    }

    /// Hangs a new node under another.
    pub async fn create_node(&mut self, new: NewNode) -> Result<NodeId, KernelError> {
        self.node_of(&new.parent.into()).await?;
        self.check_depth(new.parent, 0).await?;
        let id = NodeId::new(self.now(), self.entropy());
        self.write_node(&Node {
            id,
            parent: Some(new.parent),
            name: new.name.into(),
            kind: new.kind,
            production: new.production,
        })
        .await?;
        self.start_trail(id, Some(new.parent)).await?;
        Ok(id)
    }

    /// The root of a new tenant.
    pub(crate) async fn create_root(&mut self, id: NodeId, name: &PathName) -> Result<(), KernelError> {
        let now = self.now();
        let row = vec![Value::text(self.tenant()), name.as_str().into(), Value::text(id), now.into()];
        self.put(&TENANT, row).await?;
        let root = Node {
            id,
            parent: None,
            name: name.to_string(),
            kind: NodeKind::Organisation,
            production: false,
        };
        self.write_node(&root).await?;
        self.start_trail(id, None).await
    }

    /// Refuses what would hang deeper than a tree may be: `below` levels under a child of `parent`.
    async fn check_depth(&mut self, parent: NodeId, below: i64) -> Result<(), KernelError> {
        let sql = "SELECT COUNT(*) FROM node_trail WHERE node_id = $1";
        let above = self.raw().row(sql, vec![Value::text(parent)]).await?;
        let above = above.map(|row| row.get::<i64>(0)).transpose()?.unwrap_or_default();
        if usize::try_from(above + below + 1).is_ok_and(|levels| levels <= DEPTH) {
            return Ok(());
        }
        Err(KernelError::Invalid(format!("a tree has at most {DEPTH} levels")))
    }

    /// Whether a node is another, or hangs below it: by the parents' rows, which are sealed.
    async fn is_below(&mut self, node: NodeId, above: NodeId) -> Result<bool, KernelError> {
        let mut at = Some(node);
        for _ in 0..DEPTH {
            let Some(node) = at else { return Ok(false) };
            if node == above {
                return Ok(true);
            }
            at = self.find(&NODE, vec![Value::text(node)]).await?.get(2)?;
        }
        Ok(true)
    }

    async fn start_trail(&mut self, id: NodeId, parent: Option<NodeId>) -> Result<(), KernelError> {
        let sql = "INSERT INTO node_trail (node_id, ancestor, distance) VALUES ($1, $1, 0)";
        self.raw().run(sql, vec![Value::text(id)]).await?;
        if let Some(parent) = parent {
            let sql = "INSERT INTO node_trail (node_id, ancestor, distance)
                       SELECT CAST($1 AS TEXT), ancestor, distance + 1 FROM node_trail WHERE node_id = $2";
            self.raw().run(sql, vec![Value::text(id), Value::text(parent)]).await?;
        }
        Ok(())
    }

    async fn write_node(&mut self, node: &Node) -> Result<(), KernelError> {
        self.write_node_as(node, "live").await
    }

    async fn write_node_as(&mut self, node: &Node, state: &str) -> Result<(), KernelError> {
        let tenant = Value::text(self.tenant());
        let cells = vec![
            Value::text(node.id),
            tenant,
            Value::maybe(node.parent),
            node.name.as_str().into(),
            node.kind.as_str().into(),
            i64::from(node.production).into(),
            state.into(),
        ];
        self.put(&NODE, cells).await
    }

    /// Gives a node another name.
    pub async fn rename_node(&mut self, id: NodeId, name: &PathName) -> Result<(), KernelError> {
        let node = self.own_node(id).await?;
        self.write_node(&Node { name: name.to_string(), ..node }).await
    }

    /// Marks a node as production, or no longer.
    pub async fn mark_production(&mut self, id: NodeId, production: bool) -> Result<(), KernelError> {
        let node = self.own_node(id).await?;
        self.write_node(&Node { production, ..node }).await
    }

    /// Hangs a node, with all below it, under another.
    pub async fn move_node(&mut self, id: NodeId, parent: NodeId) -> Result<(), KernelError> {
        let node = self.own_node(id).await?;
        if node.parent.is_none() {
            return Err(KernelError::Invalid("the root of the tree cannot be moved".into()));
        }
        self.node_of(&parent.into()).await?;
        if self.is_below(parent, id).await? {
            return Err(KernelError::Invalid("a node cannot hang below itself".into()));
        }
        let sql = "SELECT MAX(distance) FROM node_trail WHERE ancestor = $1";
        let below = self.raw().row(sql, vec![Value::text(id)]).await?;
        let below = below.map(|row| row.get::<i64>(0)).transpose()?.unwrap_or_default();
        self.check_depth(parent, below).await?;
        self.write_node(&Node { parent: Some(parent), ..node }).await?;
        self.rehang_trail(id, parent).await
    }

    async fn rehang_trail(&mut self, id: NodeId, parent: NodeId) -> Result<(), KernelError> {
        let leave = "DELETE FROM node_trail
             WHERE node_id IN (SELECT node_id FROM node_trail WHERE ancestor = $1)
               AND ancestor IN (SELECT ancestor FROM node_trail WHERE node_id = $1 AND ancestor <> $1)";
        self.raw().run(leave, vec![Value::text(id)]).await?;
        let join = "INSERT INTO node_trail (node_id, ancestor, distance)
             SELECT low.node_id, up.ancestor, low.distance + up.distance + 1 FROM node_trail low, node_trail up
             WHERE low.ancestor = $1 AND up.node_id = $2";
        self.raw().run(join, vec![Value::text(id), Value::text(parent)]).await?;
        Ok(())
    }

    /// Merges a node into another: what hangs on it moves there, its grants end (they were given for another
    /// place), and it is gone. Approval rules must be removed before: merging must not lower a guard.
    pub async fn merge_node(&mut self, from: NodeId, into: NodeId) -> Result<Merged, KernelError> {
        let node = self.own_node(from).await?;
        self.node_of(&into.into()).await?;
        if node.parent.is_none() || self.is_below(into, from).await? {
            return Err(KernelError::Invalid(
                "a node can be merged neither into itself nor into one below it".into(),
            ));
        }
        if self.inner().index().rules.keys().any(|(at, _)| *at == from) {
            return Err(KernelError::Invalid(
                "the node has approval rules of its own; remove them first, by an act of its own".into(),
            ));
        }
        let children = "SELECT node_id FROM node WHERE parent = $1 AND state = 'live'";
        let children = self.raw().rows(children, vec![Value::text(from)]).await?;
        for child in &children {
            self.move_node(child.get(0)?, into).await?;
        }
        let objects = self.rehang_all(from, into).await?;
        let grants = self.grants_at(from).await?;
        for grant in &grants {
            self.end_grant(*grant, "merged").await?;
        }
        // What is gone hangs under what it was merged into: records and requests about it stay to be seen there.
        self.rehang_trail(from, into).await?;
        self.write_node_as(&Node { parent: Some(into), ..node }, "merged").await?;
        Ok(Merged { children: children.len(), objects, ended: grants })
    }
}

/// What a merge moved and ended.
#[derive(Debug, Clone)]
pub struct Merged {
    /// Nodes that hang under the other one now.
    pub children: usize,
    /// Objects that hang on the other one now.
    pub objects: usize,
    /// Grants that ended.
    pub ended: Vec<GrantId>,
}
