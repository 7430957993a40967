// Bypass 8, writing: a statement made by the macro that forgets its tenant.
const EVERYTHING: garrison_kernel::Tenanted = garrison_kernel::tenanted!("DELETE FROM node");

fn main() {
    let _ = EVERYTHING;
}
