//! Numbers as the formats of C2SP write them.

use std::str::FromStr;

/// The number, if `text` is one way to write it, the only one: ASCII digits, and no zero before another digit.
pub(crate) fn decimal<N: FromStr>(text: &str) -> Option<N> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = text == "0" || !text.starts_with('0');
    if digits && canonical { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_in_one_way() {
        assert_eq!(decimal("0"), Some(0_u64));
        assert_eq!(decimal("18446744073709551615"), Some(u64::MAX));
        assert_eq!(decimal("255"), Some(u8::MAX));
        for text in ["", "00", "01", "+1", "-1", " 1", "1 ", "1_0", "0x1", "١", "18446744073709551616"] {
            assert_eq!(decimal::<u64>(text), None, "{text:?}");
        }
        assert_eq!(decimal::<u8>("256"), None);
    }
}
