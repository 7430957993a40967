//! Which crate may depend on which.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use serde::Deserialize;

use crate::output;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    path: Option<String>,
    kind: Option<String>,
}

/// The floor of the house a crate is on: the folder it is in.
fn floor(manifest: &str) -> &str {
    ["bin", "platform", "engines", "domains", "xtask"]
        .into_iter()
        .find(|folder| manifest.contains(&format!("/{folder}/")))
        .unwrap_or("unknown")
}

/// The domains that every other may use.
const FOUNDATION: [&str; 4] = ["garrison-facts", "garrison-directory", "garrison-access", "garrison-cases"];

/// Whether a crate of one floor may use a crate of another.
fn allowed(from: &Package, to: &str, to_floor: &str) -> bool {
    match floor(&from.manifest_path) {
        "bin" => to_floor != "xtask",
        "domains" if from.name == "garrison-facts" => to_floor == "platform",
        "domains" => matches!(to_floor, "platform" | "engines") || FOUNDATION.contains(&to),
        "platform" => to_floor == "platform",
        // The engines know nothing of the platform but its words.
        "engines" => to == "garrison-base",
        _ => false,
    }
}

pub fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let text = output(
        Command::new("cargo")
            .args(["metadata", "--format-version=1", "--no-deps", "--locked"])
            .current_dir(root),
    )?;
    let metadata: Metadata = serde_json::from_str(&text).context("reading cargo metadata")?;
    let mut problems = Vec::new();
    for package in &metadata.packages {
        for dependency in &package.dependencies {
            let Some(path) = &dependency.path else { continue };
            let for_tests = dependency.kind.as_deref() == Some("dev");
            if !for_tests && !allowed(package, &dependency.name, floor(&format!("{path}/"))) {
                problems.push(format!(
                    "{} must not depend on {}: see the arrows in ARCHITECTURE.md",
                    package.name, dependency.name
                ));
            }
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_use_the_base_and_nothing_else() {
        let engine = Package {
            name: "e".into(),
            manifest_path: "/x/engines/e/Cargo.toml".into(),
            dependencies: vec![],
        };
        assert!(allowed(&engine, "garrison-base", "platform"));
        assert!(!allowed(&engine, "garrison-kernel", "platform"));
        assert!(!allowed(&engine, "garrison-decode", "engines"));
    }
}
