//! The proof that an entry is in a log, as a text that stands by itself. C2SP tlog-proof.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::decimal::decimal;
use crate::hash::{Hash, from_base64, leaf_hash, to_base64};
use crate::key::Verifier;
use crate::note::{self, Note, NoteError};
use crate::verify::{ProofError, verify_inclusion};

const HEAD: &str = "c2sp.org/tlog-proof@v1\n";
/// As much as a note may have for the checkpoint, and the same for all before it.
const MOST_BYTES: usize = 2 * note::MOST_BYTES;
/// The longest way from a leaf to the root, in a tree of fewer than 2^64 leaves.
const MOST_HASHES: usize = 64;

/// What somebody needs to check that an entry is in a log, besides the entry and the log's public key: no server, no
/// secret. In files, its ending is `.tlog-proof`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The entry's place in the log, counted from 0.
    pub index: u64,
    /// Its siblings, as [`inclusion`](crate::inclusion) gives them.
    pub proof: Vec<Hash>,
    /// What the application adds. Nothing vouches for it. Empty where there is none.
    pub extra: Vec<u8>,
    /// The signed checkpoint that the proof leads to.
    pub checkpoint: Note,
}

/// Evidence that cannot be read, or is none. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// Too long to be looked at.
    #[error("the proof has {0} bytes, and may have 2 MiB")]
    Long(usize),
    /// Something else.
    #[error("line 1 is not that of a proof, `c2sp.org/tlog-proof@v1`")]
    Head,
    /// No blank line, and so no checkpoint behind it.
    #[error("the proof has no blank line with a checkpoint behind it")]
    NoCheckpoint,
    /// Additional data is announced and cannot be read.
    #[error("line 2 is not `extra` and base64 that is not empty")]
    Extra,
    /// The place in the log.
    #[error("line {0} is not `index` and a number without leading zeros, below 2^64")]
    Index(usize),
    /// One of the hashes.
    #[error("line {0} is not a hash: 32 bytes in base64")]
    Hash(usize),
    /// More than any tree needs.
    #[error("the proof has more than {MOST_HASHES} hashes")]
    ManyHashes,
    /// The checkpoint is not a note.
    #[error("in the checkpoint, {0}")]
    Note(#[from] NoteError),
    /// The checkpoint is not one of this log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The entry is not at this place of the checkpoint's tree.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl Evidence {
    /// Reads evidence, without a look at whether it is right.
    pub fn parse(text: &str) -> Result<Self, EvidenceError> {
        if text.len() > MOST_BYTES {
            return Err(EvidenceError::Long(text.len()));
        }
        let rest = text.strip_prefix(HEAD).ok_or(EvidenceError::Head)?;
        // No line before the checkpoint is empty, so the first empty one is that before it.
        let (lines, checkpoint) = rest.split_once("\n\n").ok_or(EvidenceError::NoCheckpoint)?;
        let mut lines = (2..).zip(lines.split('\n')).peekable();
        let extra = match lines.next_if(|(_, line)| line.starts_with("extra ")) {
            Some((_, line)) => parse_extra(line).ok_or(EvidenceError::Extra)?,
            None => Vec::new(),
        };
        let (number, line) = lines.next().unwrap_or((3, ""));
        let index = line.strip_prefix("index ").and_then(decimal).ok_or(EvidenceError::Index(number))?;
        let mut proof = Vec::new();
        for (number, line) in lines {
            if proof.len() == MOST_HASHES {
                return Err(EvidenceError::ManyHashes);
            }
            proof.push(from_base64(line).ok_or(EvidenceError::Hash(number))?);
        }
        Ok(Self { index, proof, extra, checkpoint: Note::parse(checkpoint)? })
    }

    /// Whether the entry is in the log that this key signs for. The answer is the checkpoint that says so; `extra` stays
    /// as doubtful as it was.
    pub fn check(&self, entry: &[u8], key: &Verifier) -> Result<Checkpoint, EvidenceError> {
        let checkpoint = Checkpoint::verify(&self.checkpoint, key)?;
        let leaf = leaf_hash(entry);
        verify_inclusion(&leaf, self.index, checkpoint.size, &self.proof, &checkpoint.root)?;
        Ok(checkpoint)
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        if !self.extra.is_empty() {
            writeln!(f, "extra {}", STANDARD.encode(&self.extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", to_base64(hash)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// An empty one would be another way to write that there is none.
fn parse_extra(line: &str) -> Option<Vec<u8>> {
    let extra = STANDARD.decode(line.strip_prefix("extra ")?).ok()?;
    (!extra.is_empty()).then_some(extra)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Signer;
    use crate::note::VerifyError;
    use crate::sample::{LARGE, entry};
    use crate::{inclusion, root_of};
    use proptest::prelude::*;

    /// Made by another program, from the specifications, for the entries `entry 0` to `entry 4` and the seed with the
    /// bytes from 0 to 31.
    const TEXT: &str = "\
c2sp.org/tlog-proof@v1
index 3
V8efTzGuApxdS9MLBzwnyU35NDiytGl+Hh7vW8A5SkE=
WkdmL9ijF9lgSaP59HxV3GfKZgUbqjaD27GbL+CaB7A=
SFM123z+yWXxX/dF/GJcQdXqJkaTaTAWWCj3PdS2iFQ=

log.example/records
5
fKo0Xb2JKmZFTWxlEuo8PqPw0+whvj/C4jdXBf049nI=

\u{2014} log.example/records bRQ3znR6mVdvjrxkwDZNDEYu/80C3OtCXHShvrRS8bEkKOhjhh0NVO2KE3nmv2gOsI+pkA+kaQy0lKKnd1Sh8Z1gyQI=
";

    fn signer(name: &str) -> Signer {
        Signer::from_seed(name, &std::array::from_fn(|place| u8::try_from(place).unwrap())).unwrap()
    }

    fn evidence(index: usize, size: usize) -> Evidence {
        let key = signer("log.example/records");
        let root = root_of(LARGE.tiles(), size as u64).unwrap();
        Evidence {
            index: index as u64,
            proof: inclusion(LARGE.tiles(), index as u64, size as u64).unwrap(),
            extra: Vec::new(),
            checkpoint: Checkpoint::new("log.example/records", size as u64, root).sign(&[&key]).unwrap(),
        }
    }

    #[test]
    fn evidence_is_what_another_program_makes() {
        assert_eq!(evidence(3, 5).to_string(), TEXT);
        assert_eq!(Evidence::parse(TEXT), Ok(evidence(3, 5)));
    }

    #[test]
    fn it_holds_for_its_entry_place_and_log_only() {
        let key = signer("log.example/records");
        let found = evidence(3, 5);
        let checkpoint = found.check(b"entry 3", key.verifier()).unwrap();
        assert_eq!((checkpoint.origin.as_str(), checkpoint.size), ("log.example/records", 5));

        assert_eq!(found.check(b"entry 2", key.verifier()), Err(EvidenceError::Proof(ProofError::Root)));
        let moved = Evidence { index: 2, ..found.clone() };
        assert_eq!(moved.check(b"entry 3", key.verifier()), Err(EvidenceError::Proof(ProofError::Root)));
        let outside = Evidence { index: 5, ..found.clone() };
        let absent = ProofError::Absent { index: 5, size: 5 };
        assert_eq!(outside.check(b"entry 3", key.verifier()), Err(EvidenceError::Proof(absent)));
        let other = signer("log.example/others");
        let unsigned = found.check(b"entry 3", other.verifier());
        let expected = VerifyError::Absent(other.verifier().to_string());
        assert_eq!(unsigned, Err(EvidenceError::Checkpoint(CheckpointError::Signature(expected))));
    }

    #[test]
    fn what_is_not_evidence_is_refused_by_line() {
        let wrong = |text: &str| Evidence::parse(text).unwrap_err();
        let with = |from: &str, to: &str| {
            assert!(TEXT.contains(from));
            wrong(&TEXT.replacen(from, to, 1))
        };
        assert_eq!(wrong(""), EvidenceError::Head);
        assert_eq!(with("@v1", "@v2"), EvidenceError::Head);
        assert_eq!(with("@v1\n", "@v1\r\n"), EvidenceError::Head);
        assert_eq!(wrong("c2sp.org/tlog-proof@v1\nindex 3\n"), EvidenceError::NoCheckpoint);
        for index in ["index 03", "index", "index ", "index -3", "Index 3", " index 3", "index 3 ", "extra"] {
            assert_eq!(with("index 3", index), EvidenceError::Index(2), "{index}");
        }
        assert_eq!(with("index 3", "extra YQ==\nindex x"), EvidenceError::Index(3));
        assert_eq!(wrong(&format!("{HEAD}extra YQ==\n\n")), EvidenceError::Index(3));
        assert_eq!(with("index 3", "index 3\nextra YQ=="), EvidenceError::Hash(3));
        for extra in ["extra ", "extra YQ", "extra  YQ==", "extra YR=="] {
            assert_eq!(with("index 3", &format!("{extra}\nindex 3")), EvidenceError::Extra, "{extra}");
        }
        assert_eq!(with("V8ef", "V8e"), EvidenceError::Hash(3));
        assert_eq!(with("CaB7A=", "CaB7B="), EvidenceError::Hash(4));
        let hash = "V8efTzGuApxdS9MLBzwnyU35NDiytGl+Hh7vW8A5SkE=\n";
        assert_eq!(with("index 3\n", &format!("index 3\n{}", hash.repeat(62))), EvidenceError::ManyHashes);
        assert_eq!(with("\n\n\u{2014}", "\n\u{2014}"), EvidenceError::Note(NoteError::NoBlankLine));
        assert_eq!(
            wrong(&format!("{HEAD}{}", "a".repeat(MOST_BYTES))),
            EvidenceError::Long(HEAD.len() + MOST_BYTES)
        );
    }

    #[test]
    fn extra_data_is_carried_and_not_believed() {
        let key = signer("log.example/records");
        let with = Evidence { extra: b"a".to_vec(), ..evidence(0, 1) };
        let text = with.to_string();
        assert!(
            text.starts_with("c2sp.org/tlog-proof@v1\nextra YQ==\nindex 0\n\nlog.example/records\n1\n"),
            "{text}"
        );
        assert_eq!(Evidence::parse(&text), Ok(with));
        let changed = Evidence::parse(&text.replace("YQ==", "Yg==")).unwrap();
        assert!(changed.check(b"entry 0", key.verifier()).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn evidence_reads_as_written_and_holds(
            size in 1..=70_000usize, part in any::<prop::sample::Index>(), extra in any::<Vec<u8>>(),
        ) {
            let index = part.index(size);
            let made = Evidence { extra, ..evidence(index, size) };
            let read = Evidence::parse(&made.to_string()).unwrap();
            prop_assert_eq!(&read, &made);
            let key = signer("log.example/records");
            prop_assert_eq!(read.check(&entry(index), key.verifier()).map(|found| found.size), Ok(size as u64));
        }

        #[test]
        fn changed_evidence_is_refused(
            size in 1..2000usize, part in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(),
            put in any::<char>(), how in 0..3,
        ) {
            let index = part.index(size);
            let text = evidence(index, size).to_string();
            let mut chars: Vec<char> = text.chars().collect();
            let place = place.index(chars.len());
            match how {
                0 => chars[place] = put,
                1 => chars.insert(place, put),
                _ => {
                    chars.remove(place);
                }
            }
            let changed: String = chars.into_iter().collect();
            let key = signer("log.example/records");
            let held =
                Evidence::parse(&changed).is_ok_and(|read| read.check(&entry(index), key.verifier()).is_ok());
            prop_assert!(!held || changed == text, "{:?}", changed);
        }

        #[test]
        fn what_is_read_is_written_so(
            head in "(extra [A-Za-z=]{0,4}\n)?index [0-9]{1,3}\n([A-Z]{42}[A-E]=\n){0,2}", tail in "\\PC{0,3}",
        ) {
            let text = format!("{HEAD}{head}\n{tail}\n\n\u{2014} a AAAAAAA=\n");
            if let Ok(read) = Evidence::parse(&text) {
                prop_assert_eq!(read.to_string(), text);
            }
        }
    }
}
