//! What stands in the log for the events that came together.
//!
//! One byte for the version, then the fields in the order of [`Batch`], as postcard writes them
//! (<https://postcard.jamesmunns.com/wire-format>). An event's id is the batch's number in the log times 2^20 plus its place
//! in the batch, so that ids grow, and tell where the event stands. What one batch may bring holds far fewer events,
//! also where each line holds many.

use std::net::SocketAddr;

use garrison_base::{NodeId, SourceId};
use serde::{Deserialize, Serialize};

/// Events of one batch at most.
pub const EVENTS: usize = 1 << 14;
/// Bytes of one batch at most, about.
pub const BYTES: usize = 1 << 20;

/// Ids of one batch.
pub(crate) const PLACES: u64 = 1 << 20;

const VERSION: u8 = 1;

/// A source as it was when the events came.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// The source.
    pub source: [u8; 16],
    /// Its node.
    pub node: [u8; 16],
    /// Its name.
    pub name: String,
    /// Its stream.
    pub stream: String,
}

impl Origin {
    /// The source.
    pub fn source(&self) -> SourceId {
        SourceId::from_bytes(self.source)
    }

    /// Its node.
    pub fn node(&self) -> NodeId {
        NodeId::from_bytes(self.node)
    }
}

/// Events that came together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch<'a> {
    /// From where.
    pub origin: Origin,
    /// When, in microseconds since 1970.
    pub received: i64,
    /// From which address.
    pub peer: Option<SocketAddr>,
    /// Who proved to be sending: an account, or nobody.
    pub sender: Option<String>,
    /// The events, each as it came.
    #[serde(borrow)]
    pub events: Vec<&'a [u8]>,
}

impl<'a> Batch<'a> {
    /// The bytes.
    pub fn encode(&self) -> Vec<u8> {
        // Writing to memory fails only for types that postcard does not know, and it knows these.
        let body = postcard::to_extend(self, vec![VERSION]);
        body.unwrap_or_default()
    }

    /// The batch of these bytes; nothing for those of another version.
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let (version, body) = bytes.split_first()?;
        (*version == VERSION).then(|| postcard::from_bytes(body).ok()).flatten()
    }
}

/// The id of the event at this place of the batch of this number.
pub fn event_id(seq: u64, place: usize) -> i64 {
    i64::try_from((seq << 20) | (place as u64).min(PLACES - 1)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let origin = Origin { source: [1; 16], node: [2; 16], name: "web".into(), stream: "logs".into() };
        let peer = "192.0.2.1:514".parse().ok();
        let batch = Batch { origin, received: 7, peer, sender: None, events: vec![b"a", b"", b"\xff\n"] };
        let bytes = batch.encode();
        assert_eq!(Batch::decode(&bytes).unwrap(), batch);
        for cut in 0..bytes.len() {
            assert_eq!(Batch::decode(&bytes[..cut]), None, "{cut}");
        }
        assert_eq!(Batch::decode(&[2]), None);
        assert_eq!(event_id(1, 0), 1 << 20);
        assert!(event_id(1, EVENTS - 1) < event_id(2, 0));
    }
}
