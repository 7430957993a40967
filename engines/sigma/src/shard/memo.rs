//! What a matcher found in a value, remembered: logs repeat themselves.

use foldhash::HashMap;

use super::PredicateId;

/// Longer values hardly ever repeat.
const LONGEST: usize = 512;
/// Bytes of values that are remembered for one shard; when they are full, all are forgotten. Forgetting
/// everything costs one scan for each value that comes again, and needs no order of use.
const MOST_BYTES: usize = 8 << 20;

/// Remembers for each slot which indexed predicates hold for a value.
#[derive(Debug, Default)]
pub(super) struct Memo {
    slots: Vec<HashMap<Box<str>, Box<[PredicateId]>>>,
    bytes: usize,
}

impl Memo {
    pub(super) fn get(&self, slot: usize, text: &str) -> Option<&[PredicateId]> {
        self.slots.get(slot)?.get(text).map(AsRef::as_ref)
    }

    pub(super) fn insert(&mut self, slot: usize, text: &str, predicates: &[PredicateId]) {
        if text.len() > LONGEST {
            return;
        }
        if self.bytes > MOST_BYTES {
            *self = Self::default();
        }
        if self.slots.len() <= slot {
            self.slots.resize_with(slot + 1, HashMap::default);
        }
        // The keys, the values, and what the table needs for each.
        self.bytes += text.len() + size_of_val(predicates) + 48;
        if let Some(known) = self.slots.get_mut(slot) {
            known.insert(text.into(), predicates.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded() {
        let mut memo = Memo::default();
        for number in 0..200_000 {
            memo.insert(3, &format!("{number:0>100}"), &[1, 2]);
            assert!(memo.bytes <= MOST_BYTES + 1024);
        }
        assert_eq!(memo.get(3, &format!("{:0>100}", 199_999)), Some(&[1, 2][..]));
        memo.insert(0, &"x".repeat(LONGEST + 1), &[]);
        assert_eq!(memo.get(0, &"x".repeat(LONGEST + 1)), None);
    }
}
