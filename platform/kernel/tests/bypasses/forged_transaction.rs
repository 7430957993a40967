// Bypass 1: a transaction that was not lent by the kernel.
fn main() {
    let _ = garrison_kernel::WriteTx::new;
}
