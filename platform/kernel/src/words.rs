//! The names of operations, roles and objects.

use std::fmt;

use serde::Serialize;

/// The name of an operation, `noun:verb`. Policy, API and audit spell it the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Verb(&'static str);

impl Verb {
    /// A verb; in a constant, a wrong spelling does not compile.
    ///
    /// # Panics
    /// Unless it is lower-case letters and hyphens around one colon.
    pub const fn new(name: &'static str) -> Self {
        let bytes = name.as_bytes();
        let (mut place, mut colons) = (0, 0);
        while place < bytes.len() {
            #[expect(clippy::indexing_slicing, reason = "place is below the length; iterators are not const")]
            let byte = bytes[place];
            assert!(
                byte.is_ascii_lowercase() || byte == b':' || byte == b'-',
                "lower-case letters, `-`, one `:`"
            );
            if byte == b':' {
                colons += 1;
            }
            place += 1;
        }
        assert!(colons == 1, "a verb reads `noun:verb`");
        Self(name)
    }

    /// `noun:verb`
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// What stands before the colon.
    pub fn noun(self) -> &'static str {
        self.0.split_once(':').map_or(self.0, |(noun, _)| noun)
    }

    /// What stands after it.
    pub fn action(self) -> &'static str {
        self.0.split_once(':').map_or(self.0, |(_, action)| action)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0)
    }
}

/// A thing that an act is about: a node, or an object that hangs on one. Only the kernel knows where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    pub(crate) kind: &'static str,
    pub(crate) id: String,
}

impl ObjectRef {
    /// A reference by typed id; the id's prefix tells the kind.
    pub fn new(kind: &'static str, id: impl fmt::Display) -> Self {
        Self { kind, id: id.to_string() }
    }

    /// The actor's own tenant: the root of its tree.
    pub fn tenant() -> Self {
        Self { kind: "tenant", id: String::new() }
    }

    /// Wherever the actor may: for a question whose answer is narrowed to what may be seen.
    pub fn anywhere() -> Self {
        Self { kind: "anywhere", id: String::new() }
    }

    /// The kind, as records spell it.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The id's text.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl From<garrison_base::NodeId> for ObjectRef {
    fn from(id: garrison_base::NodeId) -> Self {
        Self::new("node", id)
    }
}

macro_rules! object_refs {
    ($($id:ident = $kind:literal),* $(,)?) => { $(
        impl From<garrison_base::$id> for ObjectRef {
            fn from(id: garrison_base::$id) -> Self {
                Self::new($kind, id)
            }
        }
    )* };
}

object_refs!(
    PersonId = "person",
    ServiceId = "service",
    GroupId = "group",
    PostId = "post",
    GrantId = "grant",
    RequestId = "request",
    SessionId = "session",
    TokenId = "token",
    LoginId = "login",
    SourceId = "source",
    SearchId = "search",
    HoldId = "hold",
    AlertId = "alert",
    DeliveryId = "delivery",
    ReviewId = "review",
);

impl From<crate::ActorId> for ObjectRef {
    fn from(id: crate::ActorId) -> Self {
        Self::new(id.kind(), id)
    }
}
