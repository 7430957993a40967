//! The words of the directory.

use std::fmt;

use garrison_base::{GrantId, GroupId, NodeId, PersonId, PostId, ServiceId, Timestamp};
use garrison_kernel::{ActorId, FromCell, NodeKind, Value};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The four levels of posts. Each is a role, held at the post's node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PostLevel {
    /// Approves objectives and policies.
    Decision,
    /// Runs the system.
    Management,
    /// Acts.
    Execution,
    /// Reviews, and never executes there.
    Supervision,
}

impl PostLevel {
    const ALL: [Self; 4] = [Self::Decision, Self::Management, Self::Execution, Self::Supervision];

    fn as_str(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Management => "management",
            Self::Execution => "execution",
            Self::Supervision => "supervision",
        }
    }
}

impl fmt::Display for PostLevel {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromCell for PostLevel {
    fn from_cell(cell: &Value) -> Option<Self> {
        let text = String::from_cell(cell)?;
        Self::ALL.into_iter().find(|level| level.as_str() == text)
    }
}

/// A node, as people see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct NodeView {
    /// Its id.
    pub id: NodeId,
    /// The node above; absent for the root.
    pub parent: Option<NodeId>,
    /// Its name.
    pub name: String,
    /// Its path from the root.
    pub path: String,
    /// Its kind.
    pub kind: NodeKind,
    /// Whether it is itself marked as production.
    pub production: bool,
}

/// A node in a level of the tree.
#[derive(Debug, Serialize, ToSchema)]
pub struct LevelView {
    /// The node.
    #[serde(flatten)]
    pub node: NodeView,
    /// How many nodes hang directly under it.
    pub children: i64,
    /// How many objects hang on it and below.
    pub objects: i64,
}

/// What happened to a node.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryEntry {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// `created`, `renamed`, `moved`, `merged` or `marked`.
    pub what: String,
    /// As it was.
    pub before: String,
    /// As it became.
    pub after: String,
    /// Who did it.
    pub actor: ActorId,
}

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub struct Person {
    /// The id.
    pub id: PersonId,
    /// What the person types to log in.
    pub name: String,
    /// The full name.
    pub full_name: String,
    /// Where mail reaches the person.
    pub email: String,
    /// `active` or `disabled`.
    pub state: String,
    /// Since when the person is known.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
}

/// A service account.
#[derive(Debug, Serialize, ToSchema)]
pub struct Service {
    /// The id.
    pub id: ServiceId,
    /// Its name.
    pub name: String,
    /// Who answers for it.
    pub owner: PersonId,
    /// What it is for.
    pub purpose: String,
    /// `active` or `disabled`.
    pub state: String,
    /// Since when it exists.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
}

/// A group.
#[derive(Debug, Serialize, ToSchema)]
pub struct Group {
    /// The id.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub purpose: String,
    /// How many members it has.
    pub members: i64,
    /// Since when it exists.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
}

/// A member of a group.
#[derive(Debug, Serialize, ToSchema)]
pub struct Member {
    /// Who.
    pub id: ActorId,
    /// The name.
    pub name: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}

/// A post.
#[derive(Debug, Serialize, ToSchema)]
pub struct Post {
    /// The id.
    pub id: PostId,
    /// Where.
    pub node: NodeId,
    /// The node's path.
    pub path: String,
    /// What it is called.
    pub title: String,
    /// Its level.
    pub level: PostLevel,
    /// Who fills it.
    pub person: Option<PersonId>,
    /// The grant that came with it.
    pub grant: Option<GrantId>,
}
