/// Events one behind the other in one piece of memory.
#[derive(Debug, Default, Clone)]
pub struct Events {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Events {
    /// Adds one.
    pub fn push(&mut self, event: &[u8]) {
        self.bytes.extend_from_slice(event);
        self.ends.push(self.bytes.len());
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Their bytes in sum.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let event = self.bytes.get(start..end).unwrap_or_default();
            start = end;
            event
        })
    }

    /// Takes all away.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}
