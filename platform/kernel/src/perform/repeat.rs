//! Requests that come twice: an idempotency key is answered as it was answered before.

use garrison_base::RequestId;
use serde_json::Value as Json;

use super::{Attempt, Finished};
use crate::db::Value;
use crate::{Holder, KernelError, Outcome};

impl Attempt<'_> {
    /// The key that came with the request, within the session or token that it came with; and what it was for.
    fn key(&self) -> Option<(String, [u8; 32])> {
        let key = self.actor.origin.idempotency_key.as_deref()?;
        let key = format!("{}/{key}", self.actor.origin.session);
        let content = serde_json::to_vec(&self.act.content().ok()?).ok()?;
        Some((
            key,
            garrison_secrets::digest(&[self.act.verb().as_str().as_bytes(), b"\0", &content].concat()),
        ))
    }

    /// What the same request was answered before, if it was.
    pub(super) async fn repeated(&mut self) -> Result<Option<Result<Finished, KernelError>>, KernelError> {
        let Some((key, digest)) = self.key() else { return Ok(None) };
        // Whoever is disabled is answered nothing any more, not even what was answered before.
        let active =
            self.inner.index().known.get(&Holder::Actor(self.actor.id)).is_none_or(|known| known.active);
        if !active {
            return Ok(None);
        }
        let place = self.key_place(&key);
        let args = vec![Value::text(self.actor.tenant), Value::text(self.actor.id), key.into()];
        let sql = "SELECT digest, answer FROM idempotency WHERE tenant = $1 AND actor = $2 AND idempotency_key = $3";
        let Some(row) = self.tx.row(sql, args).await? else { return Ok(None) };
        if row.get::<Vec<u8>>(0)? != digest {
            return Ok(Some(Err(KernelError::KeyReused)));
        }
        let answer = self.inner.keys.outputs.open(&place, &row.get::<Vec<u8>>(1)?);
        let answer = answer.map_err(|_| {
            KernelError::Database(crate::DbError::Tampered { table: "idempotency", row: place })
        })?;
        let answer: (Option<RequestId>, Json) =
            serde_json::from_slice(&answer).map_err(KernelError::Stored)?;
        Ok(Some(Ok(Finished::Repeated(match answer {
            (Some(request), _) => Outcome::Waiting(request),
            (None, output) => Outcome::Done(output),
        }))))
    }

    pub(super) async fn remember(&mut self, outcome: &Outcome<Json>) -> Result<(), KernelError> {
        let Some((key, digest)) = self.key() else { return Ok(()) };
        let answer = match outcome {
            Outcome::Done(output) => (None, output.clone()),
            Outcome::Waiting(request) => (Some(*request), Json::Null),
        };
        let answer = serde_json::to_vec(&answer).map_err(KernelError::Stored)?;
        let sealed = self.inner.keys.outputs.seal(&self.key_place(&key), &answer, &*self.inner.entropy);
        let args = vec![
            Value::text(self.actor.tenant),
            Value::text(self.actor.id),
            key.into(),
            digest.into(),
            sealed.into(),
            self.now.into(),
        ];
        let sql = "INSERT INTO idempotency (tenant, actor, idempotency_key, digest, answer, created)
                   VALUES ($1, $2, $3, $4, $5, $6)";
        self.tx.run(sql, args).await?;
        Ok(())
    }

    fn key_place(&self, key: &str) -> String {
        format!("idempotency/{}/{}/{key}", self.actor.tenant, self.actor.id)
    }
}
