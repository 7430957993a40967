// Bypass 8, reading: a statement made by the macro that forgets its scope.
const EVERYTHING: garrison_kernel::Scoped = garrison_kernel::scoped!("SELECT name FROM node");

fn main() {
    let _ = EVERYTHING;
}
