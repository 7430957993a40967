//! What a log stands for: its size and root. C2SP tlog-checkpoint.

use std::fmt;

use crate::decimal::decimal;
use crate::hash::{Hash, from_base64, to_base64};
use crate::key::{Signer, Verifier};
use crate::note::{self, Note, NoteError, VerifyError};

/// A tree head. Who signs two that do not follow from each other is caught by whoever has both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: not empty, without a line break; here also the name of the key that signs.
    pub origin: String,
    /// Entries of the tree.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
    /// Further lines, none of them empty. The format advises against them.
    pub extensions: Vec<String>,
}

/// A checkpoint that cannot be read, written or believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Too long to be looked at.
    #[error("the checkpoint has {0} bytes, and may have 1 MiB")]
    Long(usize),
    /// The last character is no line break.
    #[error("the checkpoint does not end with a line break")]
    Unfinished,
    /// Lines are missing.
    #[error("the checkpoint has {0} lines and needs three: origin, size and root")]
    Short(usize),
    /// An origin must be there.
    #[error("line 1 of the checkpoint, its origin, is empty")]
    Origin,
    /// The size is no number, or not written in the one way.
    #[error("line 2 of the checkpoint is not a size: a number without leading zeros, below 2^64")]
    Size,
    /// The root is no hash, or not written in the one way.
    #[error("line 3 of the checkpoint is not a root: 32 bytes in base64")]
    Root,
    /// Further lines must say something.
    #[error("line {0} of the checkpoint is empty")]
    Extension(usize),
    /// Written, it would read as another one.
    #[error("the origin or a further line of the checkpoint has a line break in it")]
    Broken,
    /// Signed by a key that is not the log's.
    #[error("the checkpoint is of the log {origin:?}, and the key is that of {key:?}")]
    Foreign {
        /// Whose checkpoint it says to be.
        origin: String,
        /// The name of the key.
        key: String,
    },
    /// The note around it.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The signature.
    #[error(transparent)]
    Signature(#[from] VerifyError),
}

impl Checkpoint {
    /// A checkpoint without further lines.
    pub fn new(origin: impl Into<String>, size: u64, root: Hash) -> Self {
        Self { origin: origin.into(), size, root, extensions: Vec::new() }
    }

    /// Reads the text of a checkpoint, without its signatures.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        if text.len() > note::MOST_BYTES {
            return Err(CheckpointError::Long(text.len()));
        }
        let mut lines = text.strip_suffix('\n').ok_or(CheckpointError::Unfinished)?.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(CheckpointError::Short(text.matches('\n').count()));
        };
        if origin.is_empty() {
            return Err(CheckpointError::Origin);
        }
        let size = decimal(size).ok_or(CheckpointError::Size)?;
        let root = from_base64(root).ok_or(CheckpointError::Root)?;
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        match extensions.iter().position(String::is_empty) {
            Some(before) => Err(CheckpointError::Extension(4 + before)),
            None => Ok(Self { origin: origin.to_owned(), size, root, extensions }),
        }
    }

    /// The checkpoint as a note with these signatures. A log must sign only what every checkpoint that it signed before
    /// is consistent with.
    pub fn sign(&self, signers: &[&Signer]) -> Result<Note, CheckpointError> {
        let text = self.to_string();
        if Self::parse(&text)? != *self {
            return Err(CheckpointError::Broken);
        }
        Ok(Note::sign(&text, signers)?)
    }

    /// The checkpoint in a note, if the key signed it and has its origin for a name.
    pub fn verify(note: &Note, key: &Verifier) -> Result<Self, CheckpointError> {
        let checkpoint = Self::parse(note.verify(key)?)?;
        if checkpoint.origin == key.name() {
            return Ok(checkpoint);
        }
        Err(CheckpointError::Foreign { origin: checkpoint.origin, key: key.name().to_owned() })
    }
}

/// The text that is signed.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, to_base64(&self.root))?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaf_hash;
    use proptest::prelude::*;

    const TEXT: &str = "log.example/42\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    fn signer(name: &str) -> Signer {
        Signer::from_seed(name, &[9; 32]).unwrap()
    }

    #[test]
    fn the_text_is_that_of_the_format() {
        let checkpoint = Checkpoint::parse(TEXT).unwrap();
        assert_eq!((checkpoint.origin.as_str(), checkpoint.size), ("log.example/42", 20_852_163));
        assert_eq!((checkpoint.root[0], checkpoint.root[31]), (0x0a, 0x62));
        assert_eq!(checkpoint.to_string(), TEXT);
        let extended = Checkpoint::parse(&format!("{TEXT}a b\n\u{e9}\n")).unwrap();
        assert_eq!(extended, Checkpoint { extensions: vec!["a b".into(), "\u{e9}".into()], ..checkpoint });
    }

    #[test]
    fn what_is_not_a_checkpoint_is_refused_by_line() {
        let wrong = |text: &str| Checkpoint::parse(text).unwrap_err();
        assert_eq!(wrong(""), CheckpointError::Unfinished);
        assert_eq!(wrong(TEXT.trim_end()), CheckpointError::Unfinished);
        assert_eq!(wrong("\n"), CheckpointError::Short(1));
        assert_eq!(wrong("a\n1\n"), CheckpointError::Short(2));
        assert_eq!(wrong(&TEXT.replace("log.example/42", "")), CheckpointError::Origin);
        for size in ["", "01", "+1", "-1", "1 ", "18446744073709551616", "0x1"] {
            assert_eq!(wrong(&TEXT.replace("20852163", size)), CheckpointError::Size, "{size}");
        }
        for (root, put) in
            [("q2I=", "q2I"), ("q2I=", "q2J="), ("CsUY", ""), ("CsUY", "CsUYCsUY"), ("q2I=", "q2I= ")]
        {
            assert_eq!(wrong(&TEXT.replace(root, put)), CheckpointError::Root, "{put}");
        }
        assert_eq!(wrong(&format!("{TEXT}\n")), CheckpointError::Extension(4));
        assert_eq!(wrong(&format!("{TEXT}a\n\nb\n")), CheckpointError::Extension(5));
        assert_eq!(wrong(&"a".repeat(note::MOST_BYTES + 1)), CheckpointError::Long(note::MOST_BYTES + 1));
    }

    #[test]
    fn the_log_s_key_must_have_signed() {
        let (key, other) = (signer("log.example/42"), signer("log.example/43"));
        let checkpoint = Checkpoint::parse(TEXT).unwrap();
        let note = checkpoint.sign(&[&key, &other]).unwrap();
        assert_eq!(Checkpoint::verify(&note, key.verifier()), Ok(checkpoint));
        let foreign =
            CheckpointError::Foreign { origin: "log.example/42".into(), key: "log.example/43".into() };
        assert_eq!(Checkpoint::verify(&note, other.verifier()), Err(foreign));
        let unknown = Checkpoint::verify(&note, signer("log.example/44").verifier());
        assert!(matches!(unknown, Err(CheckpointError::Signature(VerifyError::Absent(_)))), "{unknown:?}");
        let forged = Note::parse(&note.to_string().replace("20852163", "20852162")).unwrap();
        let forged = Checkpoint::verify(&forged, key.verifier());
        assert!(matches!(forged, Err(CheckpointError::Signature(VerifyError::Wrong(_)))), "{forged:?}");
        let text = Note::sign("log.example/42\nmore\n", &[&key]).unwrap();
        assert_eq!(Checkpoint::verify(&text, key.verifier()), Err(CheckpointError::Short(2)));
    }

    #[test]
    fn what_reads_as_another_is_not_signed() {
        let key = signer("a");
        let root = leaf_hash(b"");
        let sign = |checkpoint: Checkpoint| checkpoint.sign(&[&key]).unwrap_err();
        assert_eq!(sign(Checkpoint::new("", 1, root)), CheckpointError::Origin);
        let smuggled = format!("a\n7\n{}", to_base64(&root));
        assert_eq!(sign(Checkpoint::new(smuggled, 1, root)), CheckpointError::Broken);
        let broken = Checkpoint { extensions: vec!["a\nb".into()], ..Checkpoint::new("a", 1, root) };
        assert_eq!(sign(broken), CheckpointError::Broken);
        let empty = Checkpoint { extensions: vec![String::new()], ..Checkpoint::new("a", 1, root) };
        assert_eq!(sign(empty), CheckpointError::Extension(4));
        let control = Checkpoint::new("a\tb", 1, root);
        assert_eq!(sign(control), CheckpointError::Note(NoteError::Control(1)));
        assert_eq!(Checkpoint::new("a", 1, root).sign(&[]), Err(CheckpointError::Note(NoteError::Unsigned)));
    }

    proptest! {
        #[test]
        fn a_checkpoint_reads_as_written(
            origin in "[a-z ./+é]{1,9}", size in any::<u64>(), root in any::<[u8; 32]>(),
            extensions in prop::collection::vec("[ -~]{1,9}", 0..3),
        ) {
            let checkpoint = Checkpoint { origin, size, root, extensions };
            prop_assert_eq!(Checkpoint::parse(&checkpoint.to_string()), Ok(checkpoint));
        }

        #[test]
        fn what_is_read_is_written_so(text in "\\PC{0,3}\n[0-9]{1,3}\n[A-Z]{42}[A-E]=\n([a-z]{0,2}\n){0,2}|\\PC*") {
            if let Ok(read) = Checkpoint::parse(&text) {
                prop_assert_eq!(read.to_string(), text);
            }
        }
    }
}
