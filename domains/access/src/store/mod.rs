//! All SQL of access. Rows that open a door are written with a MAC and refused without a right one.

mod credential;
mod hand_over;
mod invitation;
mod lock;
mod login;
mod session;
mod token;

pub(crate) use credential::{Credential, any_credential, credential, put_credential};
pub(crate) use hand_over::{HandOver, forget_hand_overs, hand_over, put_hand_over, take_opened};
pub(crate) use invitation::{Invitation, drop_ways_in, invitation, put_invitation};
pub(crate) use lock::{clear_failures, count_failure, locked_until};
pub(crate) use login::{
    Login, begun_too_often, full_name_of, login, name_of, person_named, persons, put_login,
};
pub(crate) use session::{Session, end_sessions, put_session, session, sessions_of};
pub(crate) use token::{Token, end_tokens, put_token, token, tokens_of};

use garrison_kernel::{KernelError, ReadTx, Row, Scoped, Tenanted, Value, WriteTx};

/// Writes a row of `cells` with its MAC last.
async fn put(
    tx: &mut WriteTx<'_>,
    table: &'static str,
    statement: Tenanted,
    mut cells: Vec<Value>,
) -> Result<(), KernelError> {
    cells.push(tx.seal(table, &cells).into());
    tx.run(statement, cells).await.map(|_| ())
}

/// The row of an id, its MAC verified. `cells` takes the row apart as [`put`] was given it.
async fn get(
    tx: &mut ReadTx<'_>,
    table: &'static str,
    statement: Scoped,
    key: Value,
    cells: fn(&Row) -> Result<Vec<Value>, KernelError>,
) -> Result<Option<Row>, KernelError> {
    let Some(row) = tx.row(statement, vec![key]).await? else { return Ok(None) };
    check(tx, table, &row, cells)?;
    Ok(Some(row))
}

fn check(
    tx: &ReadTx<'_>,
    table: &'static str,
    row: &Row,
    cells: fn(&Row) -> Result<Vec<Value>, KernelError>,
) -> Result<(), KernelError> {
    let cells = cells(row)?;
    tx.check(table, &cells, &row.get::<Vec<u8>>(cells.len())?)
}

fn json(value: &impl serde::Serialize) -> Result<String, KernelError> {
    serde_json::to_string(value).map_err(KernelError::Stored)
}
