use std::sync::Arc;

use garrison_base::{DepositId, Entropy, NodeId, RequestId, TenantId, Timestamp};

use crate::authz::rows::{Changes, NODE, Table, Total};
use crate::db::{Row, Tx, Value};
use crate::kernel::Inner;
use crate::{Actor, KernelError, ObjectRef, ReadTx, Tenanted};

/// The transaction of one act that was allowed. Only [`Kernel::act`](crate::Kernel::act) lends one; it cannot
/// be made, kept or ended by anybody else (invariant I1).
pub struct WriteTx<'t> {
    tx: &'t mut Tx<'static>,
    inner: &'t Arc<Inner>,
    actor: &'t Actor,
    now: Timestamp,
    changes: Changes,
    complete: Vec<RequestId>,
}

impl<'t> WriteTx<'t> {
    pub(crate) fn new(
        tx: &'t mut Tx<'static>,
        inner: &'t Arc<Inner>,
        (actor, now): (&'t Actor, Timestamp),
        rights: (i64, Total),
    ) -> Self {
        Self { tx, inner, actor, now, changes: Changes::upon(rights), complete: Vec::new() }
    }

    /// What the act has changed of the rows that decisions rest on, and which requests it has completed.
    pub(crate) fn finish(self) -> (Changes, Vec<RequestId>) {
        (self.changes, self.complete)
    }

    /// The last slot of a request was filled.
    pub(crate) fn complete(&mut self, request: RequestId) {
        self.complete.push(request);
    }

    pub(crate) fn actor(&self) -> &'t Actor {
        self.actor
    }

    pub(crate) fn raw(&mut self) -> &mut Tx<'static> {
        self.tx
    }

    pub(crate) fn inner(&self) -> &'t Arc<Inner> {
        self.inner
    }

    pub(crate) fn tenant(&self) -> TenantId {
        self.actor.tenant
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Where new ids and secrets come from.
    pub fn entropy(&self) -> &'t dyn Entropy {
        &*self.inner.entropy
    }

    /// Changes rows of the act's tenant; tells how many. `args` begin with `$2`.
    pub async fn run(&mut self, statement: Tenanted, args: Vec<Value>) -> Result<u64, KernelError> {
        let args = self.with_tenant(args);
        Ok(self.tx.run(statement.expand(), args).await?)
    }

    /// Rows of the act's tenant. `args` begin with `$2`.
    pub async fn rows(&mut self, statement: Tenanted, args: Vec<Value>) -> Result<Vec<Row>, KernelError> {
        let args = self.with_tenant(args);
        Ok(self.tx.rows(statement.expand(), args).await?)
    }

    /// The first row, if there is one.
    pub async fn row(&mut self, statement: Tenanted, args: Vec<Value>) -> Result<Option<Row>, KernelError> {
        Ok(self.rows(statement, args).await?.into_iter().next())
    }

    fn with_tenant(&self, args: Vec<Value>) -> Vec<Value> {
        std::iter::once(Value::text(self.tenant())).chain(args).collect()
    }

    /// What the tenant's rows are now, for the questions that reads and acts share.
    pub fn read(&mut self) -> ReadTx<'_> {
        ReadTx::within(self.tx, self.inner.clone(), self.actor, self.now)
    }

    pub(crate) async fn put(&mut self, table: &'static Table, cells: Vec<Value>) -> Result<(), KernelError> {
        let known = |place| self.inner.index().mark(place);
        Ok(self.changes.put(self.tx, &self.inner.keys.rows, (table, cells), &known).await?)
    }

    /// A row that decisions rest on, as this transaction sees it.
    pub(crate) async fn find(&mut self, table: &'static Table, keys: Vec<Value>) -> Result<Row, KernelError> {
        let known = |place| self.inner.index().mark(place);
        let row = table.find(self.tx, &self.inner.keys.rows, keys.clone()).await?;
        let tag = row.as_ref().map(|row| table.verify(&self.inner.keys.rows, row)).transpose()?;
        self.changes.expect(table, &keys, tag.as_ref(), &known)?;
        row.ok_or(KernelError::NotFound)
    }

    /// Takes a secret that was put down for this act; it is there once.
    pub async fn claim(&mut self, deposit: DepositId) -> Result<Vec<u8>, KernelError> {
        const TAKE: Tenanted = crate::tenanted!(
            "DELETE FROM deposit WHERE tenant = {tenant} AND deposit_id = $2 AND expires > $3 RETURNING sealed"
        );
        let row = self
            .row(TAKE, vec![Value::text(deposit), self.now.into()])
            .await?
            .ok_or(KernelError::NotFound)?;
        let sealed: Vec<u8> = row.get(0)?;
        let opened = self.inner.keys.deposits.open(&format!("deposit/{}/{deposit}", self.tenant()), &sealed);
        Ok(opened.map_err(|_| tampered("deposit", &deposit))?.to_vec())
    }

    /// Asks for the timer `kind` to look at an object at a time. What is to be done is found out then.
    pub async fn remind(
        &mut self,
        kind: &'static str,
        object: &ObjectRef,
        at: Timestamp,
    ) -> Result<(), KernelError> {
        const ADD: Tenanted = crate::tenanted!(
            "INSERT INTO due (due_id, tenant, kind, object, due_at, leased_until, attempts)
             VALUES ($2, {tenant}, $3, $4, $5, 0, 0)
             ON CONFLICT (due_id) DO UPDATE SET due_at = excluded.due_at, leased_until = 0, attempts = 0"
        );
        let id = format!("{kind}/{}", object.id);
        self.run(ADD, vec![id.into(), kind.into(), object.id.as_str().into(), at.into()]).await.map(|_| ())
    }

    /// What is stored of a secret, so that it can be recognised and not be read.
    pub fn tag(&self, purpose: &str, secret: &[u8]) -> Vec<u8> {
        self.inner.keys.tag(purpose, secret)
    }

    /// Seals a secret to its place, `table/id`.
    pub fn conceal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        self.inner.keys.conceal(place, plain, self.entropy())
    }

    /// A MAC over the cells of a domain's own row, for rows that whoever writes the database must not forge.
    pub fn seal(&self, table: &str, cells: &[Value]) -> Vec<u8> {
        self.inner.keys.seal_row(table, cells)
    }

    /// Refuses a row whose MAC does not fit.
    pub fn check(&self, table: &'static str, cells: &[Value], mac: &[u8]) -> Result<(), KernelError> {
        self.inner.keys.check_row(table, cells, mac)
    }

    /// The node of an object of the tenant.
    pub async fn node_of(&mut self, object: &ObjectRef) -> Result<NodeId, KernelError> {
        let tenant = self.tenant();
        if object.kind == "node" {
            // From the rows, not from the index: the node may be one that this act has made.
            let row = self.find(&NODE, vec![object.id.as_str().into()]).await?;
            let there = row.get::<TenantId>(1)? == tenant && row.get::<String>(6)? == "live";
            return if there { Ok(row.get(0)?) } else { Err(KernelError::NotFound) };
        }
        Ok(super::locate(self.tx, self.inner, tenant, object).await?.node)
    }
}

/// The error for a row whose MAC does not fit.
pub(crate) fn tampered(table: &'static str, row: &impl ToString) -> KernelError {
    KernelError::Database(crate::db::DbError::Tampered { table, row: row.to_string() })
}
