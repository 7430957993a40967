// Bypass 8, writing: a statement without a tenant, as text.
use garrison_kernel::{KernelError, WriteTx};

async fn everything(tx: &mut WriteTx<'_>) -> Result<u64, KernelError> {
    tx.run("DELETE FROM node", Vec::new()).await
}

fn main() {}
