//! Questions about what the kernel owns: grants, requests, records.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use garrison_base::{GrantId, NodeId, RequestId, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::authz::Slot;
use crate::authz::rows::GRANT;
use crate::db::{Row, Value};
use crate::{Holder, KernelError, ReadTx, Record, Request, Scoped, Verb, audit, waiting};

/// A grant, as people see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct GrantRow {
    /// Its id.
    pub id: GrantId,
    /// Who holds it.
    pub holder: Holder,
    /// The holder's name.
    pub holder_name: String,
    /// Where.
    pub node: NodeId,
    /// The node's path.
    pub path: String,
    /// The role.
    pub role: String,
    /// From when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// Until when; absent where it has no end.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
    /// The duty that it serves.
    pub duty: String,
    /// Why it was given.
    pub reason: String,
    /// `active`, or how it ended.
    pub state: String,
}

/// Which records are asked for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct AuditFilter {
    /// Only before this number.
    pub before: Option<i64>,
    /// Only this operation.
    pub operation: Option<String>,
    /// Only this actor.
    pub actor: Option<String>,
    /// Only this object.
    pub object: Option<String>,
    /// Only this result.
    pub result: Option<String>,
    /// Only those that were received from this moment on.
    pub from: Option<Timestamp>,
    /// Only those that were received before this moment.
    pub to: Option<Timestamp>,
}

impl ReadTx<'_> {
    /// Where the next page of a list begins, sealed: nobody can look behind it, make one, or use it for
    /// another list or in another tenant.
    pub fn cursor(&self, list: Verb, key: &impl Serialize) -> Result<String, KernelError> {
        let plain = serde_json::to_vec(key).map_err(KernelError::Stored)?;
        let inner = self.inner();
        Ok(URL_SAFE_NO_PAD.encode(inner.keys.cursors.seal(&self.cursor_place(list), &plain, &*inner.entropy)))
    }

    /// The key in a cursor; the default where there is none.
    pub fn open_cursor<K: DeserializeOwned + Default>(
        &self,
        list: Verb,
        cursor: Option<&str>,
    ) -> Result<K, KernelError> {
        let Some(cursor) = cursor else { return Ok(K::default()) };
        let bad = || KernelError::Invalid("the cursor is not one of this list; ask again without it".into());
        let sealed = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| bad())?;
        let plain = self.inner().keys.cursors.open(&self.cursor_place(list), &sealed).map_err(|_| bad())?;
        serde_json::from_slice(&plain).map_err(|_| bad())
    }

    fn cursor_place(&self, list: Verb) -> String {
        format!("cursor/{}/{list}", self.tenant())
    }

    /// Grants by id, after `after`; of one holder, at one node, or all; active ones, or also ended ones.
    pub async fn grants(
        &mut self,
        (holder, node): (Option<Holder>, Option<NodeId>),
        ended: bool,
        (after, limit): (&str, i64),
    ) -> Result<Vec<GrantRow>, KernelError> {
        const PAGE: Scoped = crate::scoped!(
            "SELECT g.grant_id, g.tenant, g.holder, g.node_id, g.role, g.since, g.until, g.duty, g.reason, g.state,
                 g.generation, g.mac
             FROM grants g
             WHERE {scope:g} AND g.grant_id > $2 AND ($3 IS NULL OR g.holder = $3) AND ($4 IS NULL OR g.node_id = $4)
               AND (g.state = 'active' OR $5 = 1)
             ORDER BY g.grant_id LIMIT $6"
        );
        let args = vec![
            after.into(),
            Value::maybe(holder),
            Value::maybe(node),
            i64::from(ended).into(),
            limit.into(),
        ];
        let rows = self.rows(PAGE, args).await?;
        rows.iter().map(|row| self.grant_row(row)).collect()
    }

    fn grant_row(&self, row: &Row) -> Result<GrantRow, KernelError> {
        GRANT.verify(&self.inner().keys.rows, row)?;
        let (holder, node): (Holder, NodeId) = (row.get(2)?, row.get(3)?);
        Ok(GrantRow {
            id: row.get(0)?,
            holder,
            holder_name: self.name_of(holder),
            node,
            path: self.path(node),
            role: row.get(4)?,
            since: row.get(5)?,
            until: row.get(6)?,
            duty: row.get(7)?,
            reason: row.get(8)?,
            state: row.get(9)?,
        })
    }

    /// The name of a person, service account or group; its id where it has none.
    pub fn name_of(&self, holder: Holder) -> String {
        let index = self.inner().index();
        index.known.get(&holder).map_or_else(|| holder.to_string(), |known| known.name.clone())
    }

    /// The approval rules at the visible nodes: node, verb, slots.
    pub fn approval_rules(&self) -> Vec<(NodeId, String, Vec<Slot>)> {
        let all: Vec<_> = {
            let index = self.inner().index();
            index.rules.iter().map(|((node, verb), slots)| (*node, verb.clone(), slots.clone())).collect()
        };
        let mut seen: Vec<_> = all.into_iter().filter(|(node, _, _)| self.sees(*node)).collect();
        seen.sort_by(|left, right| (left.0, &left.1).cmp(&(right.0, &right.1)));
        seen
    }

    /// Waiting acts, newest first, before `before`; in one state, or all.
    pub async fn requests(
        &mut self,
        state: Option<&str>,
        (before, limit): (Option<RequestId>, i64),
    ) -> Result<Vec<Request>, KernelError> {
        const PAGE: Scoped = crate::scoped!(
            "SELECT w.request_id FROM waiting w
             WHERE {scope:w} AND ($2 IS NULL OR w.request_id < $2) AND ($3 IS NULL OR w.state = $3)
             ORDER BY w.request_id DESC LIMIT $4"
        );
        let rows = self.rows(PAGE, vec![Value::maybe(before), Value::maybe(state), limit.into()]).await?;
        let mut requests = Vec::with_capacity(rows.len());
        for row in rows {
            requests.push(self.request(row.get(0)?).await?);
        }
        Ok(requests)
    }

    /// One waiting act that may be seen.
    pub async fn request(&mut self, id: RequestId) -> Result<Request, KernelError> {
        const ONE: Scoped =
            crate::scoped!("SELECT w.request_id FROM waiting w WHERE {scope:w} AND w.request_id = $2");
        self.row(ONE, vec![Value::text(id)]).await?.ok_or(KernelError::NotFound)?;
        let (inner, tenant) = (self.inner().clone(), self.tenant());
        waiting::view(&inner, self.raw(), tenant, id).await
    }

    /// Records, newest first. Each is verified: one that was changed by hand is an error, not an answer.
    pub async fn records(&mut self, filter: &AuditFilter, limit: i64) -> Result<Vec<Record>, KernelError> {
        const PAGE: Scoped = crate::scoped!(
            "SELECT a.seq, a.record, a.hash, a.mac, a.tenant, a.node_id, a.received, a.operation, a.actor, a.object,
                 a.result, a.request
             FROM audit a
             WHERE {scope:a} AND ($2 IS NULL OR a.seq < $2) AND ($3 IS NULL OR a.operation = $3)
               AND ($4 IS NULL OR a.actor = $4) AND ($5 IS NULL OR a.object = $5) AND ($6 IS NULL OR a.result = $6)
               AND ($7 IS NULL OR a.received >= $7) AND ($8 IS NULL OR a.received < $8)
             ORDER BY a.seq DESC LIMIT $9"
        );
        let args = vec![
            filter.before.into(),
            Value::maybe(filter.operation.as_ref()),
            Value::maybe(filter.actor.as_ref()),
            Value::maybe(filter.object.as_ref()),
            Value::maybe(filter.result.as_ref()),
            filter.from.into(),
            filter.to.into(),
            limit.into(),
        ];
        let rows = self.rows(PAGE, args).await?;
        let key = &self.inner().keys.audit;
        rows.iter().map(|row| Ok(audit::open(key, row)?.0)).collect()
    }

    /// Records with their bytes as they were written and sealed, oldest first: after a number, received from one time on
    /// and before another. Each is verified.
    pub async fn records_after(
        &mut self,
        after: i64,
        (from, to): (Option<Timestamp>, Option<Timestamp>),
        limit: i64,
    ) -> Result<Vec<(Record, Vec<u8>)>, KernelError> {
        const PAGE: Scoped = crate::scoped!(
            "SELECT a.seq, a.record, a.hash, a.mac, a.tenant, a.node_id, a.received, a.operation, a.actor, a.object,
                 a.result, a.request
             FROM audit a
             WHERE {scope:a} AND a.seq > $2 AND ($3 IS NULL OR a.received >= $3) AND ($4 IS NULL OR a.received < $4)
             ORDER BY a.seq LIMIT $5"
        );
        let rows = self.rows(PAGE, vec![after.into(), from.into(), to.into(), limit.into()]).await?;
        let key = &self.inner().keys.audit;
        rows.iter().map(|row| Ok((audit::open(key, row)?.0, row.get(1)?))).collect()
    }

    /// The number of the last record that was received before a moment; 0 where there is none.
    pub async fn last_record_before(&mut self, moment: Timestamp) -> Result<i64, KernelError> {
        const LAST: Scoped =
            crate::scoped!("SELECT MAX(a.seq) FROM audit a WHERE {scope:a} AND a.received < $2");
        let row = self.row(LAST, vec![moment.into()]).await?;
        let last = row.map(|row| row.get::<Option<i64>>(0)).transpose()?.flatten();
        Ok(last.unwrap_or(0))
    }

    /// One record by its number.
    pub async fn record(&mut self, seq: i64) -> Result<Record, KernelError> {
        Ok(self.one_record(seq).await?.0)
    }

    /// The bytes of a record, as they were written and sealed.
    pub async fn record_bytes(&mut self, seq: i64) -> Result<Vec<u8>, KernelError> {
        Ok(self.one_record(seq).await?.1)
    }

    async fn one_record(&mut self, seq: i64) -> Result<(Record, Vec<u8>), KernelError> {
        const ONE: Scoped = crate::scoped!(
            "SELECT a.seq, a.record, a.hash, a.mac, a.tenant, a.node_id, a.received, a.operation, a.actor, a.object,
                 a.result, a.request
             FROM audit a WHERE {scope:a} AND a.seq = $2"
        );
        let row = self.row(ONE, vec![seq.into()]).await?.ok_or(KernelError::NotFound)?;
        Ok((audit::open(&self.inner().keys.audit, &row)?.0, row.get(1)?))
    }
}
