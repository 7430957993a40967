// Bypass 2: a permit that policy never gave.
fn main() {
    let _ = garrison_kernel::Permit::<()>::new;
}
