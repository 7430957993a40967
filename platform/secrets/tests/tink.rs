//! Objects that are sealed open with Tink, and those that Tink sealed open here, at every edge of a segment.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests fail loudly")]

use std::fs;
use std::path::Path;
use std::process::Command;

use garrison_base::Entropy as _;
use garrison_secrets::{StreamKey, SystemEntropy, sealed_len};
use zeroize::Zeroizing;

/// Bytes of plaintext in a full first segment, and in others.
const FIRST: usize = ROOM - 40;
const ROOM: usize = 65_536 - 16;

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemEntropy.fill(&mut bytes);
    bytes
}

/// Runs `tests/tink.py` in a folder; answers what it says. `None` where Tink is not installed, which in CI it must be.
fn tink(folder: &Path) -> Option<String> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let python = root.join("target/tink-venv/bin/python");
    if !python.exists() {
        assert!(std::env::var_os("CI").is_none(), "Tink is not installed: {}", python.display());
        println!("skipped: Tink is not installed (scripts/prepare test)");
        return None;
    }
    let ran = Command::new(python).arg("-I").arg(root.join("tests/tink.py")).arg(folder).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    Some(String::from_utf8(ran.stdout).unwrap())
}

#[test]
fn tink_and_garrison_open_what_the_other_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = random::<32>();
    let key = StreamKey::from_bytes(Zeroizing::new(bytes));
    fs::write(dir.path().join("key"), bytes).unwrap();
    let edges = [FIRST, FIRST + ROOM, FIRST + 2 * ROOM];
    let mut lengths = vec![0, 1];
    lengths.extend(edges.into_iter().flat_map(|edge| [edge - 1, edge, edge + 1]));
    let plain = |length: usize| random::<251>().into_iter().cycle().take(length).collect::<Vec<u8>>();
    for &length in &lengths {
        let plain = plain(length);
        let sealed = key.seal(format!("object-{length}").as_bytes(), &plain, &SystemEntropy);
        fs::write(dir.path().join(format!("plain-{length}")), plain).unwrap();
        fs::write(dir.path().join(format!("ours-{length}")), sealed).unwrap();
    }

    let Some(told) = tink(dir.path()) else { return };
    let expected: Vec<String> = lengths.iter().map(ToString::to_string).collect();
    assert_eq!(told.trim(), format!("[{}]", expected.join(", ")));
    for length in lengths {
        let plain = fs::read(dir.path().join(format!("plain-{length}"))).unwrap();
        let theirs = fs::read(dir.path().join(format!("theirs-{length}"))).unwrap();
        assert_eq!(theirs.len() as u64, sealed_len(length as u64), "{length}");
        let opened = key.open(format!("object-{length}").as_bytes(), &theirs).unwrap();
        assert!(opened == plain, "{length}");
    }
}
