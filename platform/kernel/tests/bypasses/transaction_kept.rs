// Bypass 7: a transaction that is kept beyond the act it was lent to.
use garrison_kernel::WriteTx;

fn keep<'lent>(tx: &'lent mut WriteTx<'lent>) -> &'static mut WriteTx<'static> {
    tx
}

fn main() {}
