use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use garrison_base::{NodeId, TenantId, Timestamp};

use crate::db::{DbError, Row, Tx, Value};
use crate::kernel::Inner;
use crate::{Actor, ActorId, Holder, KernelError, ObjectRef, Scoped};

/// A transaction that reads what its actor may see, all from one moment.
pub struct ReadTx<'t> {
    tx: Lent<'t>,
    inner: Arc<Inner>,
    actor: ActorId,
    tenant: TenantId,
    /// The nodes whose subtrees are visible; nothing means the whole tenant.
    roots: Option<Vec<NodeId>>,
    now: Timestamp,
}

enum Lent<'t> {
    Own(Tx<'static>),
    Of(&'t mut Tx<'static>),
}

impl<'t> ReadTx<'t> {
    /// One of its own, for a question.
    pub(crate) fn own(
        tx: Tx<'static>,
        inner: Arc<Inner>,
        actor: &Actor,
        roots: Option<Vec<NodeId>>,
        now: Timestamp,
    ) -> Self {
        Self { tx: Lent::Own(tx), inner, actor: actor.id, tenant: actor.tenant, roots, now }
    }

    /// Over a transaction that writes, for the preview of an act: what is true now, in the whole tenant.
    pub(crate) fn within(tx: &'t mut Tx<'static>, inner: Arc<Inner>, actor: &Actor, now: Timestamp) -> Self {
        Self { tx: Lent::Of(tx), inner, actor: actor.id, tenant: actor.tenant, roots: None, now }
    }

    pub(crate) fn raw(&mut self) -> &mut Tx<'static> {
        match &mut self.tx {
            Lent::Own(tx) => tx,
            Lent::Of(tx) => tx,
        }
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    pub(crate) fn roots(&self) -> Option<&[NodeId]> {
        self.roots.as_deref()
    }

    /// Who reads.
    pub fn actor(&self) -> ActorId {
        self.actor
    }

    /// Whether somebody is known in the tenant, and active.
    pub fn is_active(&self, who: Holder) -> bool {
        let index = self.inner.index();
        index.known.get(&who).is_some_and(|known| known.tenant == self.tenant && known.active)
    }

    /// The person behind an account of the tenant.
    pub fn principal_of(&self, who: Holder) -> Option<Holder> {
        let index = self.inner.index();
        index.known.get(&who).filter(|known| known.tenant == self.tenant).map(|known| known.principal)
    }

    /// The roles that count at a node, above it or below it, for the person behind an account: granted to them, to
    /// another account of theirs, or to a group of one. Each with the node that it was granted at.
    pub fn roles_around(&self, who: ActorId, node: NodeId) -> Vec<(String, NodeId)> {
        let index = self.inner.index();
        let person = index.known.get(&Holder::Actor(who)).map(|known| known.principal);
        let mut accounts = vec![who];
        for (holder, known) in &index.known {
            if let Holder::Actor(account) = holder
                && known.tenant == self.tenant
                && Some(known.principal) == person
            {
                accounts.push(*account);
            }
        }
        let mut found = BTreeSet::new();
        for holder in accounts.iter().flat_map(|account| index.holders(*account)) {
            for at in index.places.get(&holder).into_iter().flatten() {
                let around = index.trail(node).any(|above| above == *at)
                    || index.trail(*at).any(|above| above == node);
                let held = index.grants.get(&(holder, *at)).filter(|_| around).into_iter().flatten();
                let roles = held.filter(|held| held.counts(self.now));
                let roles = roles.filter_map(|held| index.roles.get(usize::from(held.role)));
                found.extend(roles.map(|role| (role.clone(), *at)));
            }
        }
        found.into_iter().collect()
    }

    /// Refuses a domain's own row whose MAC does not fit.
    pub fn check(&self, table: &'static str, cells: &[Value], mac: &[u8]) -> Result<(), KernelError> {
        self.inner.keys.check_row(table, cells, mac)
    }

    /// Opens a secret that was sealed to its place.
    pub fn reveal(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, KernelError> {
        self.inner.keys.reveal(place, sealed)
    }

    /// The tenant that is read.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// When.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The rows that the statement answers, of those that may be seen. `args` begin with `$2`.
    pub async fn rows(&mut self, statement: Scoped, args: Vec<Value>) -> Result<Vec<Row>, KernelError> {
        let mut all = vec![Value::text(self.tenant)];
        all.extend(args);
        let roots = self.roots.as_ref().map(|roots| (all.len() + 1, roots.len()));
        all.extend(self.roots.iter().flatten().map(Value::text));
        Ok(self.raw().rows(statement.expand(roots), all).await?)
    }

    /// The first row, if there is one.
    pub async fn row(&mut self, statement: Scoped, args: Vec<Value>) -> Result<Option<Row>, KernelError> {
        Ok(self.rows(statement, args).await?.into_iter().next())
    }

    /// Whether a node may be seen here.
    pub fn sees(&self, node: NodeId) -> bool {
        let index = self.inner.index();
        let same = index.nodes.get(&node).is_some_and(|row| row.tenant == self.tenant && row.live);
        same && self.roots.as_ref().is_none_or(|roots| index.trail(node).any(|at| roots.contains(&at)))
    }

    /// The node itself, or, where it is gone, the one that it was merged into.
    pub fn living(&self, node: NodeId) -> Option<NodeId> {
        let index = self.inner.index();
        let lives =
            |at: &NodeId| index.nodes.get(at).is_some_and(|row| row.live && row.tenant == self.tenant);
        index.trail(node).find(lives)
    }

    /// The nodes that may be seen, also former ones; nothing where that is the whole tenant. For what lies outside the
    /// database and is narrowed there.
    pub fn visible(&self) -> Option<HashSet<NodeId>> {
        let roots = self.roots.as_ref()?;
        let index = self.inner.index();
        let below = |node: &NodeId| index.trail(*node).any(|at| roots.contains(&at));
        let mine = index.nodes.iter().filter(|(_, row)| row.tenant == self.tenant);
        Some(mine.map(|(node, _)| *node).filter(below).collect())
    }

    /// The path of a node, `acme/shop/checkout`; empty for one that does not exist.
    pub fn path(&self, node: NodeId) -> String {
        self.inner.index().path(node)
    }

    /// The root of the tenant's tree.
    pub fn root(&self) -> Result<NodeId, KernelError> {
        self.inner.index().tenants.get(&self.tenant).map(|(_, root)| *root).ok_or(KernelError::NotFound)
    }

    /// The node of an object of the tenant.
    pub async fn node_of(&mut self, object: &ObjectRef) -> Result<NodeId, KernelError> {
        let (inner, tenant) = (self.inner.clone(), self.tenant);
        Ok(super::locate(self.raw(), &inner, tenant, object).await?.node)
    }
}

impl std::fmt::Debug for ReadTx<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ReadTx")
            .field("tenant", &self.tenant)
            .field("roots", &self.roots)
            .finish_non_exhaustive()
    }
}

impl From<DbError> for KernelError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Exists => Self::Exists,
            other => Self::Database(other),
        }
    }
}
