// Bypass 4: a statement that writes, through a transaction that reads.
use garrison_kernel::{KernelError, ReadTx, tenanted};

async fn write(tx: &mut ReadTx<'_>) -> Result<u64, KernelError> {
    tx.run(tenanted!("DELETE FROM node WHERE tenant = {tenant}"), Vec::new()).await
}

fn main() {}
