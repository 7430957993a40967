// Bypass 3: an act performed with the permit of another.
use garrison_kernel::{Act, Done, Permit, WriteTx};

async fn perform<Allowed: Act, Wanted: Act>(
    permit: &Permit<Allowed>,
    wanted: &Wanted,
    tx: &mut WriteTx<'_>,
) -> Result<Done<Wanted>, Wanted::Error> {
    wanted.perform(permit, tx).await
}

fn main() {}
