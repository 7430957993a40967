use garrison_base::{NodeId, Timestamp, TokenId};
use garrison_kernel::{
    ActorId, KernelError, ReadTx, Row, Scoped, Tenanted, Value, WriteTx, scoped, tenanted,
};

use super::{check, get, json, put};

/// An API token.
pub(crate) struct Token {
    pub(crate) id: TokenId,
    pub(crate) node: NodeId,
    pub(crate) actor: ActorId,
    pub(crate) name: String,
    pub(crate) verbs: Vec<String>,
    pub(crate) limit: NodeId,
    pub(crate) tag: Vec<u8>,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) state: String,
}

impl Token {
    fn cells(&self) -> Result<Vec<Value>, KernelError> {
        Ok(vec![
            Value::text(self.id),
            Value::text(self.node),
            Value::text(self.actor),
            Value::text(&self.name),
            json(&self.verbs)?.into(),
            Value::text(self.limit),
            self.tag.clone().into(),
            self.created.into(),
            self.expires.into(),
            Value::text(&self.state),
        ])
    }

    fn read(row: &Row) -> Result<Self, KernelError> {
        Ok(Self {
            id: row.get(0)?,
            node: row.get(1)?,
            actor: row.get(2)?,
            name: row.get(3)?,
            verbs: serde_json::from_str(&row.get::<String>(4)?).map_err(KernelError::Stored)?,
            limit: row.get(5)?,
            tag: row.get(6)?,
            created: row.get(7)?,
            expires: row.get(8)?,
            state: row.get(9)?,
        })
    }
}

/// Writes it, new or changed.
pub(crate) async fn put_token(tx: &mut WriteTx<'_>, row: &Token) -> Result<(), KernelError> {
    const PUT: Tenanted = tenanted!(
        "INSERT INTO access_token (token, node_id, actor, name, verbs, limit_node, tag, created, expires, state, mac, tenant)
         VALUES ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, {tenant})
         ON CONFLICT (token) DO UPDATE SET node_id = excluded.node_id, actor = excluded.actor, name = excluded.name, verbs = excluded.verbs, limit_node = excluded.limit_node, tag = excluded.tag, created = excluded.created, expires = excluded.expires, state = excluded.state, mac = excluded.mac"
    );
    put(tx, "access_token", PUT, row.cells()?).await
}

/// The one of this id.
pub(crate) async fn token(tx: &mut ReadTx<'_>, id: &impl ToString) -> Result<Option<Token>, KernelError> {
    const ONE: Scoped = scoped!(
        "SELECT t.token, t.node_id, t.actor, t.name, t.verbs, t.limit_node, t.tag, t.created, t.expires, t.state, t.mac FROM access_token t WHERE {scope:t} AND t.token = $2"
    );
    let row =
        get(tx, "access_token", ONE, Value::text(id.to_string()), |row| Token::read(row)?.cells()).await?;
    row.as_ref().map(Token::read).transpose()
}

/// The tokens of an actor that are active.
pub(crate) async fn tokens_of(tx: &mut ReadTx<'_>, actor: &str) -> Result<Vec<Token>, KernelError> {
    const ALL: Scoped = scoped!(
        "SELECT t.token, t.node_id, t.actor, t.name, t.verbs, t.limit_node, t.tag, t.created, t.expires, t.state, t.mac
         FROM access_token t WHERE {scope:t} AND t.actor = $2 AND t.state = 'active' ORDER BY t.token DESC LIMIT 500"
    );
    let rows = tx.rows(ALL, vec![actor.into()]).await?;
    rows.iter()
        .map(|row| {
            check(tx, "access_token", row, |row| Token::read(row)?.cells())?;
            Token::read(row)
        })
        .collect()
}

/// Ends the tokens of an actor; tells how many. A row that was changed by hand ends like the others.
pub(crate) async fn end_tokens(tx: &mut WriteTx<'_>, actor: ActorId) -> Result<u64, KernelError> {
    const END: Tenanted = tenanted!("DELETE FROM access_token WHERE tenant = {tenant} AND actor = $2");
    tx.run(END, vec![Value::text(actor)]).await
}
