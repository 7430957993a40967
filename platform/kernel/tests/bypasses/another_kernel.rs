// Bypass 6: another kernel on the same state, whose policies allow everything, without the root key.
use std::sync::Arc;

use garrison_kernel::{DatabaseUrl, Kernel, Module, Options};

async fn allow_everything(database: DatabaseUrl, clock: Arc<dyn garrison_base::Clock>, entropy: Arc<dyn garrison_base::Entropy>) {
    let yes = Module::new("yes", &[], r#"@id("yes") permit (principal, action, resource);"#);
    let _ = Kernel::open(Options { database, connections: 1, clock, entropy, journal: None }, vec![yes]).await;
}

fn main() {}
