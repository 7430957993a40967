// Bypass 6, the other way: a kernel around a decision of one's own.
fn main() {
    let _ = garrison_kernel::Kernel;
}
