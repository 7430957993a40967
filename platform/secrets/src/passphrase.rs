//! A root key that does not stand in its file in the clear: it is sealed under a key that Argon2id (RFC 9106) makes of a
//! passphrase.
//!
//! The file has one line: a head, the costs, a salt and the sealed key, the last two in base64. Costs and salt are
//! authenticated with the key.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use garrison_base::Entropy;
use zeroize::{Zeroize as _, Zeroizing};

use crate::{KeyFileError, RootKey, SealKey};

/// What stands before a sealed root key in its file.
pub(crate) const HEAD: &str = "garrison-root-sealed-v1";

/// The second recommended option of RFC 9106, section 4: 64 MiB, three passes, four lanes.
const USUAL: Costs = Costs { memory: 64 << 10, passes: 3, lanes: 4 };
/// What a file may demand at most: one that was forged must neither take the memory of the machine nor its time.
const MOST: Costs = Costs { memory: 256 << 10, passes: 10, lanes: 16 };

/// Bytes of the salt, as the RFC recommends.
const SALT: usize = 16;
/// The longest file of a passphrase that is read, in bytes.
const LONGEST: usize = 1 << 10;

/// What seals the root key in its file. Never printed; wiped when dropped.
#[derive(Clone, Default)]
pub enum Passphrase {
    /// Nothing: the key stands there in the clear, and the rights of the file protect it.
    #[default]
    None,
    /// This text.
    Text(Zeroizing<String>),
}

impl Passphrase {
    /// Characters that a new passphrase has at least.
    pub const LEAST: usize = 12;

    /// The text of a file, without a line end behind it. Others than its owner and group may not read the file, and only
    /// its owner may write it: systemd gives credentials to the user of a service by an access list, which looks like
    /// rights of the group.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let refuse = |why| KeyFileError::Passphrase(path.into(), why);
        let io = |error| KeyFileError::Io(path.into(), error);
        let file = File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.permissions().mode() & 0o027 != 0 {
            return Err(refuse("others can read it, or its group can change it; run `chmod 600` on it"));
        }
        // It does not grow, so that there is one copy to be wiped.
        let mut text = Zeroizing::new(String::with_capacity(LONGEST + 2));
        file.take(LONGEST as u64 + 1).read_to_string(&mut text).map_err(io)?;
        if text.len() > LONGEST {
            return Err(refuse("it has more than 1,024 bytes; it must hold the passphrase and nothing else"));
        }
        match text.trim_end_matches(['\n', '\r']) {
            "" => Err(refuse("it is empty; it must hold the passphrase")),
            line => Ok(Self::Text(Zeroizing::new(line.to_owned()))),
        }
    }

    /// Refuses what is too easily guessed to seal anything new.
    pub(crate) fn check_new(&self) -> Result<(), KeyFileError> {
        match self {
            Self::Text(text) if text.chars().count() < Self::LEAST => Err(KeyFileError::Weak),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::None => "None",
            Self::Text(_) => "Text(..)",
        })
    }
}

/// What a guess costs: memory in KiB, passes over it, lanes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Costs {
    memory: u32,
    passes: u32,
    lanes: u32,
}

impl Costs {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(',');
        let mut number = |name: &str| parts.next()?.strip_prefix(name)?.parse::<u32>().ok();
        let costs = Self { memory: number("m=")?, passes: number("t=")?, lanes: number("p=")? };
        parts.next().is_none().then_some(costs)
    }

    fn are_bearable(self) -> bool {
        self.memory <= MOST.memory && self.passes <= MOST.passes && self.lanes <= MOST.lanes
    }
}

impl fmt::Display for Costs {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "m={},t={},p={}", self.memory, self.passes, self.lanes)
    }
}

/// The line that holds a root key under this passphrase. Each has a salt of its own.
pub(crate) fn seal(root: &RootKey, text: &str, entropy: &dyn Entropy) -> Option<String> {
    let mut salt = [0; SALT];
    entropy.fill(&mut salt);
    let sealed = derive(text, &salt, USUAL)?.seal(&place(USUAL, &salt), root.bytes(), entropy);
    Some(format!("{HEAD} {USUAL} {} {}\n", STANDARD.encode(salt), STANDARD.encode(sealed)))
}

/// The root key of such a line, of which `line` is what stands behind the head.
pub(crate) fn open(path: &Path, line: &str, text: &str) -> Result<RootKey, KeyFileError> {
    let malformed = || KeyFileError::Malformed(path.into());
    let mut parts = line.split_ascii_whitespace();
    let (Some(costs), Some(salt), Some(sealed), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(malformed());
    };
    let costs = Costs::read(costs).ok_or_else(malformed)?;
    if !costs.are_bearable() {
        return Err(KeyFileError::Excessive(path.into()));
    }
    let salt = STANDARD.decode(salt).ok().and_then(|salt| <[u8; SALT]>::try_from(salt).ok());
    let (salt, sealed) = salt.zip(STANDARD.decode(sealed).ok()).ok_or_else(malformed)?;
    let key = derive(text, &salt, costs).ok_or_else(malformed)?;
    let wrong = |_| KeyFileError::WrongPassphrase(path.into());
    RootKey::of(&key.open(&place(costs, &salt), &sealed).map_err(wrong)?).ok_or_else(malformed)
}

/// What the sealed key is sealed to.
fn place(costs: Costs, salt: &[u8; SALT]) -> String {
    format!("root key {costs} {}", STANDARD.encode(salt))
}

/// Nothing where the algorithm does not take such costs.
fn derive(text: &str, salt: &[u8; SALT], costs: Costs) -> Option<SealKey> {
    let mut key = Zeroizing::new([0_u8; 32]);
    let params = Params::new(costs.memory, costs.passes, costs.lanes, Some(key.len())).ok()?;
    let mut blocks = vec![Block::new(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let derived = argon2.hash_password_into_with_memory(text.as_bytes(), salt, &mut *key, &mut blocks);
    blocks.zeroize();
    derived.ok().map(|()| SealKey::new(&key))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::SystemEntropy;

    const TEXT: &str = "correct horse battery staple";

    fn line() -> (RootKey, String) {
        let root = RootKey::ephemeral(&SystemEntropy);
        let line = seal(&root, TEXT, &SystemEntropy).unwrap();
        (root, line.strip_prefix(HEAD).unwrap().to_owned())
    }

    fn opened(line: &str, text: &str) -> Result<RootKey, KeyFileError> {
        open(Path::new("root.key"), line, text)
    }

    #[test]
    fn a_sealed_key_opens_with_its_passphrase_alone() {
        let (root, line) = line();
        assert_eq!(opened(&line, TEXT).unwrap().bytes(), root.bytes());
        assert!(line.starts_with(" m=65536,t=3,p=4 "), "{line}");
        assert_ne!(
            seal(&root, TEXT, &SystemEntropy).unwrap(),
            format!("{HEAD}{line}"),
            "each has its own salt"
        );
        assert!(matches!(opened(&line, "correct horse"), Err(KeyFileError::WrongPassphrase(_))));
        // Cheaper costs are not believed: they are authenticated, and make another key.
        let cheaper = line.replace("t=3", "t=1");
        assert!(matches!(opened(&cheaper, TEXT), Err(KeyFileError::WrongPassphrase(_))));
    }

    #[test]
    fn a_forged_file_takes_neither_memory_nor_time() {
        let (_, line) = line();
        for costs in ["m=262145,t=3,p=4", "m=4294967295,t=3,p=4", "m=65536,t=11,p=4", "m=65536,t=3,p=17"] {
            let refused = opened(&line.replace("m=65536,t=3,p=4", costs), TEXT);
            assert!(matches!(refused, Err(KeyFileError::Excessive(_))), "{costs}");
        }
        for costs in [
            "m=65536,t=3",
            "m=65536,t=3,p=4,x=1",
            "t=3,m=65536,p=4",
            "m=8,t=3,p=4",
            "m=65536,t=0,p=4",
            "m=-1,t=3,p=4",
        ] {
            let refused = opened(&line.replace("m=65536,t=3,p=4", costs), TEXT);
            assert!(matches!(refused, Err(KeyFileError::Malformed(_))), "{costs}");
        }
        for line in ["", "m=65536,t=3,p=4", "m=65536,t=3,p=4 AAAA AAAA", &format!("{line} more")] {
            assert!(matches!(opened(line, TEXT), Err(KeyFileError::Malformed(_))), "{line}");
        }
    }

    #[test]
    fn the_file_of_a_passphrase_is_private_and_holds_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("passphrase");
        let read = |text: &str, mode| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            Passphrase::read(&path)
        };
        assert!(matches!(read("two words\r\n", 0o600), Ok(Passphrase::Text(text)) if *text == "two words"));
        assert!(matches!(read(" kept ", 0o440), Ok(Passphrase::Text(text)) if *text == " kept "));
        for (text, mode) in [("x", 0o604), ("x", 0o620), ("\n", 0o600), (&*"x".repeat(1025), 0o600)] {
            assert!(matches!(read(text, mode), Err(KeyFileError::Passphrase(..))), "{mode:o}");
        }
        assert!(!format!("{:?}", read("hunter2", 0o600).unwrap()).contains("hunter2"));
        let weak = Passphrase::Text(Zeroizing::new("elevencharz".to_owned()));
        assert!(matches!(weak.check_new(), Err(KeyFileError::Weak)));
        assert!(matches!(Passphrase::read(&dir.path().join("none")), Err(KeyFileError::Io(..))));
    }
}
