//! Time-based one-time passwords (RFC 6238): SHA-1, six digits, 30 seconds, one step before and after; and
//! recovery codes.

use garrison_base::{Entropy, Timestamp};
use totp_rs::{Builder, Totp};

/// How many recovery codes are given.
const CODES: usize = 10;

/// A new secret of 160 bits.
pub(crate) fn fresh(entropy: &dyn Entropy) -> Vec<u8> {
    let mut secret = vec![0; 20];
    entropy.fill(&mut secret);
    secret
}

fn totp(secret: &[u8], account: &str) -> Option<Totp> {
    let builder = Builder::new().with_secret(secret).with_account_name(account).with_issuer(Some("Garrison"));
    builder.build().ok()
}

/// What an authenticator app reads: the address, and the secret for typing.
pub(crate) fn enrolment(secret: &[u8], account: &str) -> Option<(String, String)> {
    let totp = totp(secret, account)?;
    Some((totp.to_url().ok()?, totp.secret().to_base32()))
}

/// The step whose code this is, when it is later than the last one that was used: a code counts once.
pub(crate) fn step(secret: &[u8], code: &str, now: Timestamp, last: i64) -> Option<i64> {
    let time = u64::try_from(now.as_second()).ok()?;
    let digits: String = code.chars().filter(|char| !char.is_whitespace()).collect();
    let step = i64::try_from(totp(secret, "account")?.check(&digits, time)?).ok()?;
    (step > last).then_some(step)
}

/// New recovery codes, `XXXXX-XXXXX` of Crockford's alphabet: 50 bits each.
pub(crate) fn recovery_codes(entropy: &dyn Entropy) -> Vec<String> {
    let code = || {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes);
        let text = garrison_base::id::encode(u128::from_be_bytes(bytes));
        let mut letters = text.chars().skip(1);
        let mut five = || letters.by_ref().take(5).collect::<String>();
        format!("{}-{}", five(), five())
    };
    (0..CODES).map(|_| code()).collect()
}

/// A recovery code as it was given, however it was typed.
pub(crate) fn normal_code(typed: &str) -> String {
    let plain: String = typed.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_uppercase();
    plain.replace('O', "0").replace(['I', 'L'], "1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_counts_once_and_soon() {
        // RFC 6238, appendix B: at 59 seconds the eight digits are 94287082.
        let secret = b"12345678901234567890";
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(step(secret, "287082", at(59), 0), Some(1));
        assert_eq!(step(secret, "287 082", at(59), 0), Some(1));
        assert_eq!(step(secret, "287082", at(59), 1), None);
        assert_eq!(step(secret, "287082", at(89), 0), Some(1));
        assert_eq!(step(secret, "287082", at(120), 0), None);
        assert_eq!(step(secret, "287083", at(59), 0), None);
    }

    #[test]
    fn recovery_codes_differ_and_are_read_as_typed() {
        struct Counter(std::sync::atomic::AtomicU8);
        impl Entropy for Counter {
            fn fill(&self, bytes: &mut [u8]) {
                let seed = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                bytes.fill(seed.wrapping_mul(37));
            }
        }
        let codes = recovery_codes(&Counter(1.into()));
        assert_eq!(codes.len(), CODES);
        assert!(
            codes
                .iter()
                .all(|code| code.len() == 11 && codes.iter().filter(|other| *other == code).count() == 1)
        );
        assert_eq!(normal_code(" abco-1lI "), "ABC0111");
    }
}
