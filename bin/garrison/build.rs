//! Looks whether the console was built, which the program has inside.

fn main() {
    let built = "../../console/dist/index.html";
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={built}");
    let wanted = std::env::var_os("CARGO_FEATURE_CONSOLE").is_some();
    if wanted && !std::path::Path::new(built).exists() {
        println!(
            "cargo::error=console/dist is missing: run `scripts/console`, which needs Node, or build without the \
             console: `cargo build --no-default-features`"
        );
    }
}
