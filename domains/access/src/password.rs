//! Passwords: Argon2id (RFC 9106) with 19 MiB, two passes, one lane, as OWASP advises; keyed by a MAC whose key
//! is not in the database, so that a stolen database alone cannot be tried offline.

use std::sync::LazyLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use garrison_kernel::Kernel;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::problem::AccessError;

/// How many are worked out at the same time: each takes 19 MiB and a processor for some ten milliseconds.
static AT_ONCE: Semaphore = Semaphore::const_new(4);

static PARAMS: LazyLock<Params> =
    LazyLock::new(|| Params::new(19 * 1024, 2, 1, None).unwrap_or(Params::DEFAULT));

fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, PARAMS.clone())
}

/// What Argon2 is given: 256 bits that depend on every byte of the password, and on the key.
fn keyed(kernel: &Kernel, password: &str) -> Zeroizing<String> {
    Zeroizing::new(STANDARD_NO_PAD.encode(kernel.tag("password", password.as_bytes())))
}

/// The hash to store, in PHC form.
pub(crate) async fn hash(kernel: &Kernel, password: &str) -> Result<String, AccessError> {
    let keyed = keyed(kernel, password);
    let mut salt = [0; 16];
    kernel.entropy().fill(&mut salt);
    let work = move || argon2().hash_password_with_salt(keyed.as_bytes(), &salt).map(|hash| hash.to_string());
    let _turn = AT_ONCE.acquire().await;
    let broke_off = |error: String| AccessError::Kernel(garrison_kernel::KernelError::BrokeOff(error));
    let hashed = tokio::task::spawn_blocking(work).await.map_err(|error| broke_off(error.to_string()))?;
    hashed.map_err(|error| broke_off(error.to_string()))
}

/// Whether a password is the one whose hash is stored. Where there is none the same work is done, so that the
/// time does not tell which names exist.
pub(crate) async fn is_right(kernel: &Kernel, password: &str, stored: Option<String>) -> bool {
    let keyed = keyed(kernel, password);
    let known = stored.is_some();
    let work = move || {
        let stored = stored.unwrap_or_else(|| NOBODY.clone());
        PasswordHash::new(&stored)
            .is_ok_and(|stored| argon2().verify_password(keyed.as_bytes(), &stored).is_ok())
    };
    let _turn = AT_ONCE.acquire().await;
    tokio::task::spawn_blocking(work).await.unwrap_or(false) && known
}

/// A hash that belongs to nobody.
static NOBODY: LazyLock<String> = LazyLock::new(|| {
    argon2()
        .hash_password_with_salt(b"nobody", b"nobody's salt 16")
        .map(|hash| hash.to_string())
        .unwrap_or_default()
});

/// The passwords that are tried first, beyond 11 characters. (Shorter ones are refused anyway.)
const COMMON: [&str; 16] = [
    "123456789012",
    "1234567890123",
    "qwertyuiop12",
    "qwertyuiop123",
    "password1234",
    "password12345",
    "passwordpassword",
    "administrator",
    "letmeinletmein",
    "iloveyou1234",
    "changeme1234",
    "changemechangeme",
    "welcome12345",
    "correcthorsebatterystaple",
    "qwerty123456",
    "garrisongarrison",
];

/// Refuses passwords that are easy to guess (NIST SP 800-63B: length and a list; no rules of composition).
pub(crate) fn check(password: &str, name: &str) -> Result<(), AccessError> {
    let length = password.chars().count();
    if length < 12 {
        return Err(AccessError::Weak("has fewer than 12 characters"));
    }
    if length > 256 {
        return Err(AccessError::Weak("has more than 256 characters"));
    }
    let lower = password.to_lowercase();
    if COMMON.contains(&lower.as_str()) {
        return Err(AccessError::Weak("is one of the most common ones"));
    }
    if name.len() >= 3 && lower.replace(name, "").chars().count() < 8 {
        return Err(AccessError::Weak("is little more than the name"));
    }
    let mut different: Vec<char> = lower.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < 5 {
        return Err(AccessError::Weak("repeats a few characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easy_passwords_are_refused() {
        for weak in ["short", "aaaaaaaaaaaa", "abababababab", "Password1234", "anna.bergmann1"] {
            assert!(check(weak, "anna.bergmann").is_err(), "{weak}");
        }
        for good in ["four plain words here", "密码是一个很长的句子真的很长", "x9!kq-Lm2#vT0"] {
            assert!(check(good, "anna").is_ok(), "{good}");
        }
        assert!(check(&"ab cd ef gh ".repeat(30), "anna").is_err());
    }
}
