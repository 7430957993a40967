// Bypass 8, reading: a statement without a scope, as text.
use garrison_kernel::{KernelError, ReadTx, Row};

async fn everything(tx: &mut ReadTx<'_>) -> Result<Vec<Row>, KernelError> {
    tx.rows("SELECT name FROM node", Vec::new()).await
}

fn main() {}
