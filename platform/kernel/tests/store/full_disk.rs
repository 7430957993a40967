//! A disk that is full: acts fail with a clear word, and go on when there is room.

use std::process::Command;
use std::sync::Arc;

use garrison_base::SystemClock;
use garrison_kernel::{Actor, DatabaseUrl, Kernel, Options, Origin, System};
use garrison_secrets::{RootKey, SystemEntropy};

use crate::support::modules;
use crate::support::notes::Write;
use crate::support::refused;

#[tokio::test]
async fn when_there_is_room_again_acts_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let mounted =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"]).arg(dir.path()).status();
    if !mounted.is_ok_and(|status| status.success()) {
        println!("skipped: this machine does not let a test mount a small file system");
        return;
    }
    let options = Options {
        database: DatabaseUrl::Sqlite(dir.path().join("garrison.db")),
        connections: 2,
        root_key: &RootKey::ephemeral(&SystemEntropy),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        journal: None,
    };
    let kernel = Box::pin(Kernel::open(options, modules())).await.unwrap();
    let (tenant, node) = kernel.found_tenant(&"acme".parse().unwrap(), Origin::system("test")).await.unwrap();
    let actor = Actor::system(System::SETUP, tenant, Origin::system("test"));
    let ballast = dir.path().join("ballast");
    for round in 0..3 {
        let _ = std::fs::write(&ballast, vec![1; 3 << 20]);
        let long = "x".repeat(4_000);
        // What room the log of the database has left is used up first.
        let failed = async {
            loop {
                let said = kernel.act(&actor, Write { node, words: long.clone() }).await;
                if said.is_err() {
                    return refused(said);
                }
            }
        };
        assert_eq!(failed.await, "server/unavailable", "round {round}");
        std::fs::remove_file(&ballast).unwrap();
        kernel.act(&actor, Write { node, words: "there is room".into() }).await.unwrap();
        kernel.verify().await.unwrap();
    }
    kernel.close().await;
    drop(kernel);
    let unmounted = Command::new("umount").arg(dir.path()).status();
    assert!(unmounted.unwrap().success());
}
