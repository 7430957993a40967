//! The founding of a tenant: the one act that no grant can allow, because there is nobody yet.

use garrison_base::{NodeId, PathName, TenantId};
use serde_json::json;

use crate::audit::{self, LOG, Record, RecordActor, RecordObject, RecordSource};
use crate::authz::rows;
use crate::{Actor, Kernel, KernelError, Origin, System, WriteTx};

impl Kernel {
    /// Founds a tenant with the root of its tree. Only a process that holds the root key can: the command line
    /// on the machine itself.
    pub async fn found_tenant(
        &self,
        name: &PathName,
        origin: Origin,
    ) -> Result<(TenantId, NodeId), KernelError> {
        let inner = &self.0;
        let (mut tx, turn) = inner.db.write().await?;
        let heads = inner.catch_up(&mut tx).await?;
        if heads.behind {
            return Err(rows::put_back().into());
        }
        let now = inner.clock.now();
        let (tenant, root) = (TenantId::new(now, &*inner.entropy), NodeId::new(now, &*inner.entropy));
        let actor = Actor::system(System::SETUP, tenant, origin);
        let mut lent = WriteTx::new(&mut tx, inner, (&actor, now), heads.rights);
        lent.create_root(root, name).await?;
        let (changes, _) = lent.finish();
        let mut record = Record {
            log_id: LOG.to_owned(),
            seq: 0,
            received: now,
            tenant,
            node: root,
            stream: "audit".to_owned(),
            tag: "operation".to_owned(),
            actor: RecordActor {
                id: actor.id,
                name: actor.id.to_string(),
                groups: vec!["everyone".to_owned()],
                kind: "system".to_owned(),
            },
            source: RecordSource {
                ip: actor.origin.ip,
                port: actor.origin.port,
                sender: actor.origin.agent.clone(),
            },
            operation: "tenant:found".to_owned(),
            method: actor.origin.method,
            object: RecordObject {
                kind: "tenant".to_owned(),
                id: tenant.to_string(),
                component: "kernel".to_owned(),
            },
            content: json!({ "name": name }),
            result: "success".to_owned(),
            reason: format!("the tenant {name} was founded on the machine"),
            session: actor.origin.session.clone(),
            request: actor.origin.request.clone(),
            approvals: Vec::new(),
            rights: changes.head().map(|(generation, _)| generation),
        };
        let seen = inner.seen().log.clone();
        let with = changes.finish(&inner.keys.rows, heads.log.seq + 1).into_iter().collect();
        let ends = (&heads.log, seen.as_ref());
        let head = audit::append(&mut tx, &inner.keys.audit, ends, &mut record, with).await?;
        tx.commit().await?;
        inner.committed(&changes)?;
        let seq = head.seq;
        inner.seen().log = Some(head);
        drop(turn);
        inner.keep(seq).await?;
        Ok((tenant, root))
    }
}
