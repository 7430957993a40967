//! Signed notes: a text, a blank line, and a line for each signature. C2SP signed-note.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::key::{KeyId, Signer, Verifier, is_name};

/// Bytes of a note with its signatures.
pub(crate) const MOST_BYTES: usize = 1024 * 1024;
/// Signatures of a note; readers of the format must take 16.
const MOST_SIGNATURES: usize = 100;

/// A text and who claims to have signed it. The text is shown to whoever [verifies](Self::verify) a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Signature {
    name: String,
    key: KeyId,
    bytes: Vec<u8>,
}

/// A text that is not a note, or cannot become one. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Too long to be looked at.
    #[error("the note has {0} bytes, and may have 1 MiB")]
    Long(usize),
    /// Only line breaks may be in it.
    #[error("line {0} of the note has a control character in it")]
    Control(usize),
    /// The last character is no line break.
    #[error("the note does not end with a line break")]
    Unfinished,
    /// Text and signatures run into each other.
    #[error("the note has no blank line between its text and its signatures")]
    NoBlankLine,
    /// Nobody signed.
    #[error("the note has no signature")]
    Unsigned,
    /// Too many to be looked at.
    #[error("the note has more than {MOST_SIGNATURES} signatures")]
    ManySignatures,
    /// A line below the blank one is not a signature.
    #[error("line {line} of the note is not a signature: {reason}")]
    Signature {
        /// Which line of the note.
        line: usize,
        /// What it lacks.
        reason: &'static str,
    },
    /// The library did not sign.
    #[error("the key {0:?} could not sign")]
    Signer(String),
}

/// A note that a key does not vouch for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The key signed nothing here.
    #[error("the note has no signature of the key {0}")]
    Absent(String),
    /// What claims to be its signature is none.
    #[error("the signature of {0:?} is wrong: the text is not what the key signed")]
    Wrong(String),
}

impl Note {
    /// Signs a text, which must end with a line break and have no other control characters in it.
    pub fn sign(text: &str, signers: &[&Signer]) -> Result<Self, NoteError> {
        if !text.ends_with('\n') {
            return Err(NoteError::Unfinished);
        }
        let signatures =
            signers.iter().map(|signer| Signature::new(text, signer)).collect::<Result<Vec<_>, _>>()?;
        let note = Self { text: text.to_owned(), signatures };
        // Limits and characters are those of a reader.
        Self::parse(&note.to_string())
    }

    /// Reads a note, without a look at whether its signatures are right.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > MOST_BYTES {
            return Err(NoteError::Long(note.len()));
        }
        if let Some(before) = note.split('\n').position(|line| line.contains(|char: char| char < ' ')) {
            return Err(NoteError::Control(before + 1));
        }
        if !note.ends_with('\n') {
            return Err(NoteError::Unfinished);
        }
        // The text may have blank lines too; the last one ends it.
        let (head, below) = note.rsplit_once("\n\n").ok_or(NoteError::NoBlankLine)?;
        let text = format!("{head}\n");
        let first = text.matches('\n').count() + 2;
        let mut signatures = Vec::new();
        for (line, signature) in (first..).zip(below.split_terminator('\n')) {
            if signatures.len() == MOST_SIGNATURES {
                return Err(NoteError::ManySignatures);
            }
            let signature =
                Signature::parse(signature).map_err(|reason| NoteError::Signature { line, reason })?;
            signatures.push(signature);
        }
        if signatures.is_empty() {
            return Err(NoteError::Unsigned);
        }
        Ok(Self { text, signatures })
    }

    /// The text, with the line break at its end, if the key signed it.
    ///
    /// Signatures of other keys are not looked at, even those of a key with the same name. One that claims to be of
    /// this key and is not condemns the note, whatever else it has.
    pub fn verify(&self, key: &Verifier) -> Result<&str, VerifyError> {
        let of_key = |signature: &&Signature| signature.name == key.name() && signature.key == key.id();
        let mut signatures = self.signatures.iter().filter(of_key).peekable();
        if signatures.peek().is_none() {
            return Err(VerifyError::Absent(key.to_string()));
        }
        if signatures.all(|signature| key.made(&signature.bytes, &self.text)) {
            Ok(&self.text)
        } else {
            Err(VerifyError::Wrong(key.name().to_owned()))
        }
    }
}

/// The note as it is sent; what [`Note::parse`] read, to the byte.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for signature in &self.signatures {
            let bytes = [signature.key.as_slice(), &signature.bytes].concat();
            writeln!(f, "\u{2014} {} {}", signature.name, STANDARD.encode(bytes))?;
        }
        Ok(())
    }
}

impl Signature {
    fn new(text: &str, signer: &Signer) -> Result<Self, NoteError> {
        let name = signer.verifier().name().to_owned();
        let Some(bytes) = signer.sign(text) else { return Err(NoteError::Signer(name)) };
        Ok(Self { name, key: signer.verifier().id(), bytes })
    }

    fn parse(line: &str) -> Result<Self, &'static str> {
        let rest = line.strip_prefix("\u{2014} ").ok_or("it does not begin with an em dash and a space")?;
        let (name, bytes) = rest.split_once(' ').ok_or("it has no space behind a name")?;
        if !is_name(name) {
            return Err("it has no name of a key");
        }
        let bytes = STANDARD.decode(bytes).map_err(|_| "what follows the name is not base64")?;
        match bytes.split_first_chunk() {
            Some((key, bytes)) if !bytes.is_empty() => {
                Ok(Self { name: name.to_owned(), key: *key, bytes: bytes.to_vec() })
            }
            _ => Err("it is too short for the id of a key and a signature"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn signer(name: &str, seed: u8) -> Signer {
        Signer::from_seed(name, &[seed; 32]).unwrap()
    }

    fn sign(text: &str, signers: &[&Signer]) -> String {
        Note::sign(text, signers).unwrap().to_string()
    }

    fn verify<'n>(note: &'n Note, signer: &Signer) -> Result<&'n str, VerifyError> {
        note.verify(signer.verifier())
    }

    /// A checkpoint that the checksum database of Go signed.
    #[test]
    fn a_note_of_the_world_verifies() {
        let text = "go.sum database tree\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let note = format!(
            "{text}\n\u{2014} sum.golang.org Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q\
             1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        );
        let key = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
        let key = Verifier::parse(key).unwrap();
        let parsed = Note::parse(&note).unwrap();
        assert_eq!(parsed.verify(&key), Ok(text));
        assert_eq!(parsed.to_string(), note);
        let changed = Note::parse(&note.replace("20852163", "20852164")).unwrap();
        assert_eq!(changed.verify(&key), Err(VerifyError::Wrong("sum.golang.org".into())));
    }

    #[test]
    fn each_signer_is_found() {
        let (one, two, three) = (signer("a.example", 1), signer("b.example", 2), signer("a.example", 3));
        let text = "first\n\n\u{2014} a.example AAAAAAAA\n\n";
        let note = Note::sign(text, &[&one, &two]).unwrap();
        assert_eq!(verify(&note, &one), Ok(text));
        assert_eq!(verify(&note, &two), Ok(text));
        // The same name is not the same key.
        assert_eq!(verify(&note, &three), Err(VerifyError::Absent(three.verifier().to_string())));
        assert_eq!(Note::parse(&note.to_string()), Ok(note));
    }

    #[test]
    fn a_wrong_signature_condemns_and_an_unknown_one_does_not() {
        let (one, two) = (signer("a.example", 1), signer("b.example", 2));
        let right = sign("text\n", &[&one]);
        let stolen = sign("other\n", &[&one]).replace("other\n\n", "");
        for note in [format!("{right}{stolen}"), format!("text\n\n{stolen}{}", right.replace("text\n\n", ""))]
        {
            let note = Note::parse(&note).unwrap();
            assert_eq!(verify(&note, &one), Err(VerifyError::Wrong("a.example".into())));
        }
        let strange = "\u{2014} c.example AAAAAAA=\n\u{2014} a.example AAAAAAAA\n";
        let note = Note::parse(&format!("{right}{strange}")).unwrap();
        assert_eq!(verify(&note, &one), Ok("text\n"));
        assert!(matches!(verify(&note, &two), Err(VerifyError::Absent(_))));
        let twice = Note::sign("text\n", &[&one, &one]).unwrap();
        assert_eq!(verify(&twice, &one), Ok("text\n"));
    }

    #[test]
    fn what_is_not_a_note_is_refused_by_line() {
        let parse = |note: &str| Note::parse(note).unwrap_err();
        let line = |line, reason| NoteError::Signature { line, reason };
        let dash = "it does not begin with an em dash and a space";
        let short = "it is too short for the id of a key and a signature";
        let base64 = "what follows the name is not base64";
        for (note, error) in [
            ("", NoteError::Unfinished),
            ("a\n\n\u{2014} b AAAAAAA=", NoteError::Unfinished),
            ("a\n\u{2014} b AAAAAAA=\n", NoteError::NoBlankLine),
            ("\n", NoteError::NoBlankLine),
            ("a\n\n", NoteError::Unsigned),
            ("a\r\n\n\u{2014} b AAAAAAA=\n", NoteError::Control(1)),
            ("a\n\n\u{2014} b AAAAAAA=\n\0\n", NoteError::Control(4)),
            ("a\n\n- b AAAAAAA=\n", line(3, dash)),
            ("a\nb\n\n\n\u{2014} b AAAAAAA=\nc\n", line(6, dash)),
            ("a\n\n\u{2014} b\n", line(3, "it has no space behind a name")),
            ("a\n\n\u{2014}  AAAAAAA=\n", line(3, "it has no name of a key")),
            ("a\n\n\u{2014} b+c AAAAAAA=\n", line(3, "it has no name of a key")),
            ("a\n\n\u{2014} b AAAAAAA\n", line(3, base64)),
            ("a\n\n\u{2014} b AAAAAAA= \n", line(3, base64)),
            ("a\n\n\u{2014} b AAAAAAB=\n", line(3, base64)),
            ("a\n\n\u{2014} b \n", line(3, short)),
            ("a\n\n\u{2014} b AAAAAA==\n", line(3, short)),
        ] {
            assert_eq!(parse(note), error, "{note:?}");
        }
    }

    #[test]
    fn notes_have_limits() {
        let line = "\u{2014} b AAAAAAA=\n";
        assert!(Note::parse(&format!("a\n\n{}", line.repeat(100))).is_ok());
        let many = Note::parse(&format!("a\n\n{}", line.repeat(101)));
        assert_eq!(many, Err(NoteError::ManySignatures));
        let longest = "a".repeat(MOST_BYTES - line.len() - 2);
        assert!(Note::parse(&format!("{longest}\n\n{line}")).is_ok());
        let long = Note::parse(&format!("{longest}a\n\n{line}"));
        assert_eq!(long, Err(NoteError::Long(MOST_BYTES + 1)));
    }

    #[test]
    fn only_notes_are_signed() {
        let key = signer("a.example", 1);
        assert_eq!(Note::sign("text", &[&key]), Err(NoteError::Unfinished));
        assert_eq!(Note::sign("a\n\n\u{2014} b AAAAAAA=", &[&key]), Err(NoteError::Unfinished));
        assert_eq!(Note::sign("", &[&key]), Err(NoteError::Unfinished));
        assert_eq!(Note::sign("a\nb\tc\n", &[&key]), Err(NoteError::Control(2)));
        assert_eq!(Note::sign("text\n", &[]), Err(NoteError::Unsigned));
        assert_eq!(Note::sign("text\n", &[&key; 101]), Err(NoteError::ManySignatures));
        assert!(matches!(
            Note::sign(&format!("{}\n", "a".repeat(MOST_BYTES)), &[&key]),
            Err(NoteError::Long(_))
        ));
        assert_eq!(verify(&Note::sign("\n", &[&key]).unwrap(), &key), Ok("\n"));
    }

    /// Texts whose lines look like what stands around them.
    fn texts() -> impl Strategy<Value = String> {
        let line =
            prop::sample::select(vec!["", "a", "\u{2014} a.example AAAAAAAA", "\u{2014} ", " ", "é 1"]);
        prop::collection::vec(line, 1..6).prop_map(|lines| lines.join("\n") + "\n")
    }

    proptest! {
        #[test]
        fn what_was_signed_verifies(text in texts(), seed in any::<u8>()) {
            let key = signer("a.example", seed);
            let note = Note::parse(&sign(&text, &[&key])).unwrap();
            prop_assert_eq!(verify(&note, &key), Ok(text.as_str()));
        }

        #[test]
        fn a_changed_note_never_verifies(
            text in texts(), place in any::<prop::sample::Index>(), put in any::<char>(), how in 0..3,
        ) {
            let key = signer("a.example", 1);
            let note = sign(&text, &[&key]);
            let mut chars: Vec<char> = note.chars().collect();
            let place = place.index(chars.len());
            match how {
                0 => chars[place] = put,
                1 => chars.insert(place, put),
                _ => {
                    chars.remove(place);
                }
            }
            let changed: String = chars.into_iter().collect();
            let verified = Note::parse(&changed).is_ok_and(|note| verify(&note, &key).is_ok());
            prop_assert!(!verified || changed == note, "{:?}", changed);
        }

        #[test]
        fn what_is_read_is_written_so(note in "[a\n\u{2014} ]{0,6}\n\n(\u{2014} [a+]{0,2} [AB=]{7,9}\n){0,3}|\\PC*") {
            if let Ok(read) = Note::parse(&note) {
                prop_assert_eq!(read.to_string(), note);
            }
        }
    }
}
