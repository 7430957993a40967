//! Keys that sign notes, and the text in which a public one is handed on: Ed25519, signature type 1 of C2SP signed-note.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::hash::sha256;

/// The type of signature, as it stands before the public key.
const TYPE: u8 = 1;
/// Bytes of a key's name. The format has no limit; a name is an address without a scheme.
const MOST_NAME: usize = 255;
/// Bytes of a key as text: name, two `+`, 8 digits and the base64 of 33 bytes.
const MOST_TEXT: usize = MOST_NAME + 2 + 8 + 44;

/// The first bytes of a hash over name, type and public key. It finds a key and proves nothing.
pub(crate) type KeyId = [u8; 4];

/// Signs notes. It knows the secret; what may be shown is its [`Verifier`].
#[derive(Debug)]
pub struct Signer {
    verifier: Verifier,
    pair: Ed25519KeyPair,
}

/// Recognises the notes of one signer. As text, `NAME+ID+BASE64`, it is what others need to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    id: KeyId,
    public: [u8; 32],
}

/// A key that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The name is empty, long, or has characters that notes cannot have there.
    #[error("{0:?} is not the name of a key: 1 to 255 bytes without spaces, control characters and `+`")]
    Name(String),
    /// The text is longer than any key.
    #[error("a key of {0} bytes is longer than any")]
    Long(usize),
    /// The text is not in three parts.
    #[error("a key has three parts with `+` between them: its name, 8 hexadecimal digits, and base64")]
    Form,
    /// The last part.
    #[error("the last part of the key {0:?} is not an Ed25519 key: the base64 of a byte 1 and 32 bytes")]
    Public(String),
    /// Name, id and key do not belong together.
    #[error("the key {name:?} is damaged: name and base64 give the id {id}, and another one is written")]
    Id {
        /// The name, as written.
        name: String,
        /// The id that belongs to name and key.
        id: String,
    },
    /// The seed cannot be made a key.
    #[error("the seed of the key {0:?} is not usable")]
    Seed(String),
}

impl Signer {
    /// The key of this name whose secret is `seed`, as RFC 8032, section 5.1.5, begins.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let refused = || KeyError::Seed(name.to_owned());
        check_name(name)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| refused())?;
        let public: &[u8] = pair.public_key().as_ref();
        let public = public.try_into().map_err(|_| refused())?;
        Ok(Self { verifier: Verifier::new(name, public)?, pair })
    }

    /// What others need to recognise its notes.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// `None` where the library fails, which it has no reason to.
    pub(crate) fn sign(&self, text: &str) -> Option<Vec<u8>> {
        let signature = self.pair.try_sign(text.as_bytes()).ok()?;
        let bytes: &[u8] = signature.as_ref();
        Some(bytes.to_vec())
    }
}

impl Verifier {
    /// The public key of this name, as RFC 8032 encodes it. Whether it is a point of the curve, the first signature
    /// tells.
    pub fn new(name: &str, public: [u8; 32]) -> Result<Self, KeyError> {
        check_name(name)?;
        let [a, b, c, d, ..] = sha256(&[name.as_bytes(), b"\n", &[TYPE], &public].concat());
        Ok(Self { name: name.to_owned(), id: [a, b, c, d], public })
    }

    /// Reads the text form. The id must be in lower case.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if text.len() > MOST_TEXT {
            return Err(KeyError::Long(text.len()));
        }
        let (name, rest) = text.split_once('+').ok_or(KeyError::Form)?;
        let (id, public) = rest.split_once('+').ok_or(KeyError::Form)?;
        let refused = || KeyError::Public(name.to_owned());
        let typed = STANDARD.decode(public).map_err(|_| refused())?;
        let public = typed.strip_prefix(&[TYPE]).ok_or_else(refused)?;
        let public = public.try_into().map_err(|_| refused())?;
        let verifier = Self::new(name, public)?;
        if verifier.id_text() != id {
            return Err(KeyError::Id { name: name.to_owned(), id: verifier.id_text() });
        }
        Ok(verifier)
    }

    /// The name, which is the origin of the checkpoints that it signs.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn id(&self) -> KeyId {
        self.id
    }

    pub(crate) fn made(&self, signature: &[u8], text: &str) -> bool {
        UnparsedPublicKey::new(&ED25519, self.public).verify(text.as_bytes(), signature).is_ok()
    }

    fn id_text(&self) -> String {
        format!("{:08x}", u32::from_be_bytes(self.id))
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let public = STANDARD.encode([[TYPE].as_slice(), &self.public].concat());
        write!(f, "{}+{}+{public}", self.name, self.id_text())
    }
}

/// Whether a note may have this name in a line of its signatures.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|char: char| char.is_whitespace() || char < ' ' || char == '+')
}

fn check_name(name: &str) -> Result<(), KeyError> {
    if name.len() <= MOST_NAME && is_name(name) {
        return Ok(());
    }
    Err(KeyError::Name(name.chars().take(MOST_NAME).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The key of the checksum database of Go, as Go's own source has it.
    const GO: &str = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";

    #[test]
    fn a_key_of_the_world_is_read() {
        let key = Verifier::parse(GO).unwrap();
        assert_eq!((key.name(), key.id_text().as_str()), ("sum.golang.org", "033de0ae"));
        assert_eq!(key.to_string(), GO);
    }

    /// The seed is the bytes from 0 to 31; the expected text was made by another program.
    #[test]
    fn a_seed_gives_its_key() {
        let seed = std::array::from_fn(|place| u8::try_from(place).unwrap());
        let signer = Signer::from_seed("log.example/records", &seed).unwrap();
        let text = "log.example/records+6d1437ce+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
        assert_eq!(signer.verifier().to_string(), text);
        assert_eq!(Verifier::parse(text).as_ref(), Ok(signer.verifier()));
        assert!(!format!("{signer:?}").contains("000102"), "the secret is not shown");
    }

    #[test]
    fn a_damaged_key_is_refused() {
        let wrong = |text: &str| Verifier::parse(text).unwrap_err();
        let name = || "sum.golang.org".to_owned();
        for text in ["", "sum.golang.org", "sum.golang.org+033de0ae"] {
            assert_eq!(wrong(text), KeyError::Form);
        }
        assert_eq!(wrong(&"x".repeat(400)), KeyError::Long(400));
        let long = "y".repeat(256);
        assert_eq!(Verifier::new(&long, [7; 32]), Err(KeyError::Name("y".repeat(255))));
        let id = || KeyError::Id { name: name(), id: "033de0ae".into() };
        for text in
            [GO.replace("033de0ae", "033DE0AE"), GO.replace("033de0ae", "33de0ae"), GO.replace("03", "13")]
        {
            assert_eq!(wrong(&text), id());
        }
        for text in [GO.replace("An8", "An9"), GO.replace("sum.", "sun.")] {
            assert!(matches!(wrong(&text), KeyError::Id { .. }), "{text}");
        }
        for public in ["", "AQ==", "!", &STANDARD.encode([TYPE; 34]), &STANDARD.encode([2_u8; 33])] {
            assert_eq!(wrong(&format!("sum.golang.org+033de0ae+{public}")), KeyError::Public(name()));
        }
    }

    #[test]
    fn names_have_no_spaces() {
        for name in ["", " ", "a b", "a+b", "a\n", "a\tb", "a\u{a0}b", "a\u{3000}b", "a\u{1}b", "\u{2028}"] {
            assert_eq!(Verifier::new(name, [7; 32]), Err(KeyError::Name(name.to_owned())));
            assert!(Signer::from_seed(name, &[7; 32]).is_err());
        }
        for name in ["a", "log.example/42", "\u{e9}", "a-b_c~d:8443"] {
            assert!(Verifier::new(name, [7; 32]).is_ok());
        }
    }

    proptest! {
        #[test]
        fn a_key_reads_as_written(name in "[a-z0-9./é:-]{1,60}", public in any::<[u8; 32]>()) {
            let key = Verifier::new(&name, public).unwrap();
            prop_assert_eq!(Verifier::parse(&key.to_string()), Ok(key));
        }

        #[test]
        fn what_is_read_is_written_so(text in "[a-z]{0,3}\\+[0-9a-f]{7,9}\\+AQ[A-Za-z0-9+/=]{40,44}|\\PC*") {
            if let Ok(key) = Verifier::parse(&text) {
                prop_assert_eq!(key.to_string(), text);
            }
        }
    }
}
