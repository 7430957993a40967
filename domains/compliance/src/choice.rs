//! Which records are put before an auditor: exceptions, operations of high risk, and of all others a random share.

use std::fmt;

use garrison_base::Entropy;
use garrison_kernel::{ActorId, FromCell, Record, System, Value};
use serde::{Serialize, Serializer};

use crate::model::ItemReason;

/// Operations that change who may do what, what is kept, or what can be read and proven. Each use is reviewed, whatever
/// came of it.
pub const HIGH_RISK: [&str; 34] = [
    "account:invite",
    "account:invite-first",
    "approval-rule:set",
    "backup:create",
    "backup:forget",
    "backup:restore",
    "evidence:pack",
    "grant:create",
    "grant:end",
    "group:add",
    "group:remove",
    "hold:end",
    "key:destroy",
    "key:rotate",
    "key:rotate-root",
    "log:expire",
    "node:mark",
    "node:merge",
    "node:move",
    "person:change",
    "person:create",
    "person:disable",
    "person:enable",
    "post:fill",
    "post:vacate",
    "retention:set",
    "service:create",
    "service:enable",
    "service:hand-over",
    "source:change",
    "source:disable",
    "stream:classify",
    "token:create",
    "tree:apply",
];

/// Acts that tell of a gap in what is kept.
const GAPS: [&str; 1] = ["log:resume"];

/// One in so many of the other records is put before an auditor: 5 %.
const SHARE: u64 = 20;

/// Whether a record counts for a review at all. Reviewing leaves records too: if these counted, each review would beget
/// the next. One that was refused or failed counts.
pub(crate) fn counts(record: &Record) -> bool {
    !record.operation.starts_with("review:") || is_exception(record)
}

/// Why a record is put before an auditor, whatever chance says.
pub(crate) fn reason(record: &Record) -> Option<ItemReason> {
    if is_exception(record) {
        return Some(ItemReason::Exception);
    }
    HIGH_RISK.contains(&record.operation.as_str()).then_some(ItemReason::HighRisk)
}

/// What was refused, what failed, what was done at the machine's own console past all approvals, and gaps.
fn is_exception(record: &Record) -> bool {
    matches!(record.result.as_str(), "denied" | "failure")
        || record.actor.id == ActorId::System(System::CONSOLE)
        || GAPS.contains(&record.operation.as_str())
}

/// What a sample is chosen by. It is drawn when the day is over, and stands in the record of the act that drew it, so that
/// everybody can choose again: nobody chose.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed([u8; 32]);

impl Seed {
    /// A new one.
    pub(crate) fn draw(entropy: &dyn Entropy) -> Self {
        let mut seed = [0; 32];
        entropy.fill(&mut seed);
        Self(seed)
    }

    /// Whether the record of this number is in the sample: the first eight bytes of SHA-256 over the seed and the number
    /// (eight bytes, the highest first) are, read as a number, in the lowest twentieth.
    pub fn chooses(self, seq: i64) -> bool {
        self.mark(seq) < u64::MAX / SHARE
    }

    /// What decides: the lowest come first.
    pub(crate) fn mark(self, seq: i64) -> u64 {
        let hash = garrison_secrets::digest(&[self.0.as_slice(), &seq.to_be_bytes()].concat());
        hash.iter().take(8).fold(0, |mark, byte| (mark << 8) | u64::from(*byte))
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl Serialize for Seed {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl From<Seed> for Value {
    fn from(seed: Seed) -> Self {
        seed.0.into()
    }
}

impl FromCell for Seed {
    fn from_cell(cell: &Value) -> Option<Self> {
        Vec::<u8>::from_cell(cell)?.try_into().ok().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_can_be_chosen_again_with_other_tools() {
        // ( printf '00%.0s' $(seq 32); printf '%016x' 1 ) | xxd -r -p | sha256sum
        assert_eq!(Seed([0; 32]).mark(1), 0x08e0_0266_fff0_aacc);
        assert_eq!(Seed([0xab; 32]).to_string(), "ab".repeat(32));
    }

    #[test]
    fn about_one_in_twenty_is_chosen() {
        let chosen = (1..=100_000).filter(|seq| Seed([7; 32]).chooses(*seq)).count();
        // Five standard deviations around 5,000.
        assert!((4_655..=5_345).contains(&chosen), "{chosen}");
    }

    #[test]
    fn the_list_is_in_order_and_names_nothing_twice() {
        assert!(HIGH_RISK.is_sorted_by(|left, right| left < right));
    }
}
