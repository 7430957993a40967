//! Objects: what hangs on a node. The kernel alone says where.

use std::sync::Arc;

use garrison_base::{NodeId, TenantId};

use super::WriteTx;
use super::write::tampered;
use crate::authz::Located;
use crate::authz::rows::GRANT;
use crate::db::{Row, Tx, Value};
use crate::kernel::Inner;
use crate::tally::OBJECT;
use crate::{ActorId, Holder, KernelError, ObjectRef};

const COLUMNS: &str = "id, kind, tenant, node_id, owner, revision, mac";

/// Finds an object of the tenant. One of another tenant is not found, like one that does not exist.
pub(crate) async fn locate(
    tx: &mut Tx<'_>,
    inner: &Arc<Inner>,
    tenant: TenantId,
    object: &ObjectRef,
) -> Result<Located, KernelError> {
    let located = |node, owner| Located { kind: object.kind.to_owned(), id: object.id.clone(), node, owner };
    match object.kind {
        "tenant" => {
            let root =
                inner.index().tenants.get(&tenant).map(|(_, root)| *root).ok_or(KernelError::NotFound)?;
            Ok(Located { kind: "tenant".into(), id: tenant.to_string(), node: root, owner: None })
        }
        "node" => {
            let node: NodeId = object.id.parse().map_err(|_| KernelError::NotFound)?;
            let index = inner.index();
            index
                .nodes
                .get(&node)
                .filter(|row| row.tenant == tenant && row.live)
                .ok_or(KernelError::NotFound)?;
            Ok(located(node, None))
        }
        // Persons, service accounts and groups belong to the tenant as a whole.
        "person" | "service" | "group" => {
            let holder: Holder = object.id.parse().map_err(|_| KernelError::NotFound)?;
            let index = inner.index();
            index.known.get(&holder).filter(|known| known.tenant == tenant).ok_or(KernelError::NotFound)?;
            let root = index.tenants.get(&tenant).map(|(_, root)| *root).ok_or(KernelError::NotFound)?;
            // Persons are their own; a service account is its owner's.
            let principal = index.known.get(&holder).map(|known| known.principal.to_string());
            Ok(located(root, principal.filter(|_| object.kind != "group")))
        }
        "grant" => {
            let row = GRANT.find(tx, &inner.keys.rows, vec![object.id.as_str().into()]).await?;
            let row = row.ok_or(KernelError::NotFound)?;
            if row.get::<TenantId>(1)? != tenant {
                return Err(KernelError::NotFound);
            }
            Ok(located(row.get(3)?, Some(row.get(2)?)))
        }
        _ => {
            let row = find(tx, object).await?;
            check(inner, &object.id, &row)?;
            if row.get::<TenantId>(2)? != tenant {
                return Err(KernelError::NotFound);
            }
            Ok(located(row.get(3)?, row.get(4)?))
        }
    }
}

async fn find(tx: &mut Tx<'_>, object: &ObjectRef) -> Result<Row, KernelError> {
    let sql = format!("SELECT {COLUMNS} FROM object WHERE id = $1 AND kind = $2");
    tx.row(sql, vec![object.id.as_str().into(), object.kind.into()]).await?.ok_or(KernelError::NotFound)
}

fn check(inner: &Inner, id: &str, row: &Row) -> Result<(), KernelError> {
    let fits = inner.keys.check_own("object", row.cells(6), &row.get::<Vec<u8>>(6)?);
    fits.map_err(|_| tampered("object", &id))
}

impl WriteTx<'_> {
    /// Hangs a new object on a node; `owner` is the actor whose own it is, if it is somebody's.
    pub async fn register(
        &mut self,
        object: &ObjectRef,
        node: NodeId,
        owner: Option<ActorId>,
    ) -> Result<(), KernelError> {
        self.node_of(&node.into()).await?;
        self.write_object((&object.id, object.kind), node, Value::maybe(owner), 1).await
    }

    /// Notes that the object was changed, and returns its new revision: waiting acts that rest on it are void.
    pub async fn touch(&mut self, object: &ObjectRef) -> Result<i64, KernelError> {
        let row = self.own_object(object).await?;
        let revision = row.get::<i64>(5)? + 1;
        let owner = Value::maybe(row.get::<Option<String>>(4)?);
        self.write_object((&object.id, object.kind), row.get(3)?, owner, revision).await?;
        Ok(revision)
    }

    /// Hangs an object on another node.
    pub async fn rehang(&mut self, object: &ObjectRef, node: NodeId) -> Result<(), KernelError> {
        let row = self.own_object(object).await?;
        self.node_of(&node.into()).await?;
        let owner = Value::maybe(row.get::<Option<String>>(4)?);
        self.write_object((&object.id, object.kind), node, owner, row.get::<i64>(5)? + 1).await
    }

    async fn own_object(&mut self, object: &ObjectRef) -> Result<Row, KernelError> {
        let row = find(self.raw(), object).await?;
        check(self.inner(), &object.id, &row)?;
        if row.get::<TenantId>(2)? == self.tenant() { Ok(row) } else { Err(KernelError::NotFound) }
    }

    async fn write_object(
        &mut self,
        (id, kind): (&str, &str),
        node: NodeId,
        owner: Value,
        revision: i64,
    ) -> Result<(), KernelError> {
        let mut cells = vec![
            id.into(),
            kind.into(),
            Value::text(self.tenant()),
            Value::text(node),
            owner,
            revision.into(),
        ];
        let before = self.raw().row("SELECT mac FROM object WHERE id = $1", vec![id.into()]).await?;
        let before = before.map(|row| row.get::<Vec<u8>>(0)).transpose()?;
        let mac = self.inner().keys.seal_own("object", &cells);
        let inner = self.inner();
        OBJECT.count(self.raw(), &inner.keys, before.as_deref(), &mac).await?;
        cells.push(mac.into());
        let sql = format!(
            "INSERT INTO object ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (id) DO UPDATE SET node_id = excluded.node_id, revision = excluded.revision, mac = excluded.mac"
        );
        self.raw().run(sql, cells).await?;
        Ok(())
    }

    /// Moves every object of one node to another; tells how many.
    pub(crate) async fn rehang_all(&mut self, from: NodeId, to: NodeId) -> Result<usize, KernelError> {
        let rows = self
            .raw()
            .rows(format!("SELECT {COLUMNS} FROM object WHERE node_id = $1"), vec![Value::text(from)])
            .await?;
        for row in &rows {
            let (id, kind): (String, String) = (row.get(0)?, row.get(1)?);
            check(self.inner(), &id, row)?;
            let owner = Value::maybe(row.get::<Option<String>>(4)?);
            self.write_object((&id, &kind), to, owner, row.get::<i64>(5)? + 1).await?;
        }
        Ok(rows.len())
    }
}
