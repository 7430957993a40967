//! The rows that decisions rest on, in memory: read once and verified, then followed by generation.

use foldhash::HashMap;
use garrison_base::{GrantId, GroupId, NodeId, TenantId, Timestamp};
use garrison_secrets::{MacKey, Tag};

use super::rows::{self, ACTOR, Changes, GRANT, MEMBER, NODE, RULE, TABLES, TENANT, Table, Total};
use crate::db::{DbError, FromCell, Tx, Value};
use crate::{ActorId, Holder};

/// A person, service account or group.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) tenant: TenantId,
    pub(crate) name: String,
    /// The person behind it: approvals count persons, not accounts.
    pub(crate) principal: Holder,
    pub(crate) active: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct NodeRow {
    pub(crate) tenant: TenantId,
    pub(crate) parent: Option<NodeId>,
    pub(crate) name: String,
    pub(crate) production: bool,
    pub(crate) live: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    pub(crate) id: GrantId,
    pub(crate) role: u16,
    pub(crate) since: Timestamp,
    pub(crate) until: Option<Timestamp>,
}

impl Held {
    pub(crate) fn counts(&self, now: Timestamp) -> bool {
        self.since <= now && self.until.is_none_or(|until| now < until)
    }
}

/// A slot of an approval rule.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// Its name, such as `owner`.
    #[schema(min_length = 1, max_length = 60, pattern = "^[a-z0-9-]+$")]
    pub name: String,
    /// The role that whoever fills it must hold at the node.
    #[schema(min_length = 1, max_length = 60)]
    pub role: String,
}

/// All of it. Nothing here is a decision that was made before (I4): only what decisions are made from.
#[derive(Default)]
pub(crate) struct Index {
    pub(crate) generation: i64,
    pub(crate) total: Total,
    pub(crate) tenants: HashMap<TenantId, (String, NodeId)>,
    pub(crate) known: HashMap<Holder, Known>,
    pub(crate) nodes: HashMap<NodeId, NodeRow>,
    pub(crate) children: HashMap<NodeId, HashMap<String, NodeId>>,
    pub(crate) groups: HashMap<ActorId, Vec<GroupId>>,
    pub(crate) grants: HashMap<(Holder, NodeId), Vec<Held>>,
    /// Where a holder holds anything.
    pub(crate) places: HashMap<Holder, Vec<NodeId>>,
    pub(crate) rules: HashMap<(NodeId, String), Vec<Slot>>,
    pub(crate) roles: Vec<String>,
    /// What each row is remembered by: an older one that is put back is not taken for it.
    marks: HashMap<u64, u64>,
    role_numbers: HashMap<String, u16>,
}

/// Rows that changed since a generation, read and verified.
pub(crate) struct Delta {
    since: i64,
    generation: i64,
    total: Total,
    rows: Vec<(&'static Table, Vec<Value>, Tag)>,
}

impl Delta {
    /// Reads them. From generation 0 on these are all rows there are, and their sum must be the head's.
    pub(crate) async fn read(tx: &mut Tx<'_>, key: &MacKey, since: i64) -> Result<Self, DbError> {
        let (generation, total) = rows::read_head(tx, key).await?;
        let mut delta = Self { since, generation, total, rows: Vec::new() };
        let mut sum = Total::default();
        for table in TABLES {
            for row in tx.rows(table.since(), vec![since.into()]).await? {
                let tag = table.verify(key, &row)?;
                if row.get::<i64>(table.columns.len())? > generation {
                    let row = format!("1, older than a row of {}", table.name);
                    return Err(DbError::Tampered { table: "authz_head", row });
                }
                sum.add(&tag);
                delta.rows.push((table, row.cells(table.columns.len()).to_vec(), tag));
            }
        }
        if since == 0 && sum != total {
            let row = "the whole: a row is missing, or an older one was put back".into();
            return Err(DbError::Tampered { table: "authz_head", row });
        }
        Ok(delta)
    }
}

impl Index {
    /// Takes over what was read, unless somebody else has meanwhile.
    pub(crate) fn take(&mut self, delta: &Delta) -> Result<(), DbError> {
        if self.generation != delta.since {
            return Ok(());
        }
        for (table, cells, tag) in &delta.rows {
            self.apply(table, cells, tag)?;
        }
        (self.generation, self.total) = (delta.generation, delta.total);
        Ok(())
    }

    /// Takes over what one act has changed, once that is committed.
    pub(crate) fn committed(&mut self, changes: &Changes) -> Result<(), DbError> {
        let Some((generation, total)) = changes.head() else { return Ok(()) };
        // Somebody has read these rows from the database already, and perhaps newer ones.
        if generation <= self.generation {
            return Ok(());
        }
        for (table, cells, tag) in &changes.rows {
            self.apply(table, cells, tag)?;
        }
        (self.generation, self.total) = (generation, total);
        Ok(())
    }

    /// Takes over one row, new or changed.
    fn apply(&mut self, table: &Table, cells: &[Value], tag: &Tag) -> Result<(), DbError> {
        let (place, mark) = table.mark(cells, tag);
        self.marks.insert(place, mark);
        let cells = Cells(cells);
        match table.name {
            name if name == TENANT.name => {
                self.tenants.insert(cells.get(0)?, (cells.get(1)?, cells.get(2)?));
            }
            name if name == ACTOR.name => {
                let known = Known {
                    tenant: cells.get(1)?,
                    name: cells.get(2)?,
                    principal: cells.get(3)?,
                    active: cells.get::<String>(4)? == "active",
                };
                self.known.insert(cells.get(0)?, known);
            }
            name if name == NODE.name => {
                let node = NodeRow {
                    tenant: cells.get(1)?,
                    parent: cells.get(2)?,
                    name: cells.get(3)?,
                    production: cells.get::<i64>(5)? != 0,
                    live: cells.get::<String>(6)? == "live",
                };
                self.apply_node(cells.get(0)?, node);
            }
            name if name == MEMBER.name => self.apply_member(&cells)?,
            name if name == GRANT.name => self.apply_grant(&cells)?,
            name if name == RULE.name => {
                let slots: Vec<Slot> = serde_json::from_str(&cells.get::<String>(4)?)
                    .map_err(|_| DbError::Column { column: 4, expected: "slots" })?;
                let at = (cells.get(2)?, cells.get(3)?);
                if slots.is_empty() {
                    self.rules.remove(&at)
                } else {
                    self.rules.insert(at, slots)
                };
            }
            _ => {}
        }
        Ok(())
    }

    /// The part of a row's MAC that is remembered.
    pub(crate) fn mark(&self, place: u64) -> Option<u64> {
        self.marks.get(&place).copied()
    }

    fn apply_node(&mut self, id: NodeId, node: NodeRow) {
        if let Some(before) = self.nodes.get(&id)
            && let Some(siblings) = before.parent.and_then(|parent| self.children.get_mut(&parent))
            && siblings.get(&before.name) == Some(&id)
        {
            siblings.remove(&before.name);
        }
        if let Some(parent) = node.parent.filter(|_| node.live) {
            self.children.entry(parent).or_default().insert(node.name.clone(), id);
        }
        self.nodes.insert(id, node);
    }

    fn apply_member(&mut self, cells: &Cells<'_>) -> Result<(), DbError> {
        let (group, member): (GroupId, ActorId) = (cells.get(0)?, cells.get(1)?);
        let groups = self.groups.entry(member).or_default();
        groups.retain(|known| *known != group);
        if cells.get::<String>(3)? == "active" {
            groups.push(group);
        }
        Ok(())
    }

    fn apply_grant(&mut self, cells: &Cells<'_>) -> Result<(), DbError> {
        let (holder, node): (Holder, NodeId) = (cells.get(2)?, cells.get(3)?);
        let role = self.role_number(&cells.get::<String>(4)?);
        let held = Held { id: cells.get(0)?, role, since: cells.get(5)?, until: cells.get(6)? };
        let grants = self.grants.entry((holder, node)).or_default();
        grants.retain(|known| known.id != held.id);
        if cells.get::<String>(9)? == "active" {
            grants.push(held);
        }
        if grants.is_empty() {
            self.grants.remove(&(holder, node));
            if let Some(places) = self.places.get_mut(&holder) {
                places.retain(|place| *place != node);
            }
        } else if grants.len() == 1 {
            let places = self.places.entry(holder).or_default();
            if !places.contains(&node) {
                places.push(node);
            }
        }
        Ok(())
    }

    fn role_number(&mut self, role: &str) -> u16 {
        if let Some(number) = self.role_numbers.get(role) {
            return *number;
        }
        let number = u16::try_from(self.roles.len()).unwrap_or(u16::MAX);
        self.roles.push(role.to_owned());
        self.role_numbers.insert(role.to_owned(), number);
        number
    }

    /// The node and all above it, nearest first. Ends at a node that is not live, and so reaches nothing.
    pub(crate) fn trail(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        let mut next = Some(node);
        // A tree is never this deep; a loop, which no act can make, must not hold the server.
        std::iter::from_fn(move || {
            let node = next?;
            next = self.nodes.get(&node).and_then(|row| row.parent);
            Some(node)
        })
        .take(crate::tree::DEPTH)
    }

    /// `acme/shop/checkout`, without the tenant's root.
    pub(crate) fn path(&self, node: NodeId) -> String {
        let names: Vec<&str> =
            self.trail(node).filter_map(|node| self.nodes.get(&node)).map(|row| row.name.as_str()).collect();
        names.iter().rev().copied().collect::<Vec<_>>().join("/")
    }

    /// The actor and its groups.
    pub(crate) fn holders(&self, actor: ActorId) -> impl Iterator<Item = Holder> {
        let groups = self.groups.get(&actor).map_or(&[][..], Vec::as_slice);
        let active =
            |group: &&GroupId| self.known.get(&Holder::Group(**group)).is_some_and(|known| known.active);
        std::iter::once(Holder::Actor(actor))
            .chain(groups.iter().filter(active).map(|group| Holder::Group(*group)))
    }

    /// The grants that count for the actor at the node, with the node that each stands at.
    pub(crate) fn held(&self, actor: ActorId, node: NodeId, now: Timestamp) -> Vec<(NodeId, Holder, Held)> {
        let mut found = Vec::new();
        for holder in self.holders(actor) {
            if !self.places.contains_key(&holder) {
                continue;
            }
            for at in self.trail(node) {
                let grants = self.grants.get(&(holder, at)).into_iter().flatten();
                found.extend(grants.filter(|held| held.counts(now)).map(|held| (at, holder, *held)));
            }
        }
        found
    }

    /// The slots that an act needs: the nearest rule for the verb on the way up.
    pub(crate) fn rule(&self, node: NodeId, verb: crate::Verb) -> Option<&[Slot]> {
        self.trail(node).find_map(|at| self.rules.get(&(at, verb.as_str().to_owned()))).map(Vec::as_slice)
    }
}

/// Cells by position, as the types that are asked for.
struct Cells<'c>(&'c [Value]);

impl Cells<'_> {
    fn get<T: FromCell>(&self, column: usize) -> Result<T, DbError> {
        self.0
            .get(column)
            .and_then(T::from_cell)
            .ok_or(DbError::Column { column, expected: std::any::type_name::<T>() })
    }
}
