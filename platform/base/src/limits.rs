//! What a stranger's bytes may cost, in one place. Every limit is checked before the bytes are parsed.

/// Bytes of one event (a line, a JSON document, an EVTX record). A longer one is cut here, counted and
/// named; the rest of it is skipped, not kept. Windows limits an event to 64 KiB, auditd a line to 8 KiB.
pub const EVENT_BYTES: usize = 1 << 20;

/// Levels of nesting that are looked into. What lies deeper is left out; the raw event has it.
pub const DEPTH: usize = 64;

/// Fields of one event. Further ones are left out and the event is marked as cut.
pub const FIELDS: usize = 4096;

/// Bytes of a field's name, with the names of the objects around it. A field with a longer one is left
/// out and the event is marked as cut.
pub const NAME_BYTES: usize = 1024;

/// auditd events that may wait for their remaining lines, and the bytes these may hold in sum.
pub const AUDIT_PENDING: usize = 512;
/// See [`AUDIT_PENDING`].
pub const AUDIT_BYTES: usize = 8 << 20;

/// Bytes of one rule file. The longest published Sigma rule has about 60 KiB.
pub const RULE_BYTES: usize = 1 << 20;

/// Nodes of one YAML document after its aliases are expanded ("billion laughs").
pub const YAML_NODES: usize = 100_000;

/// Values that one value of a rule may expand to (`windash`, `expand`).
pub const EXPANSION: usize = 200;

/// How many times larger than its compressed form a file may be, once it has passed
/// [`EXPANSION_FREE_BYTES`]. Real logs stay under 100; zip bombs begin at 1,000.
pub const COMPRESSION_RATIO: u64 = 500;
/// See [`COMPRESSION_RATIO`].
pub const EXPANSION_FREE_BYTES: u64 = 64 << 20;
