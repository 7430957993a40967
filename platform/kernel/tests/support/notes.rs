//! Notes that hang on nodes: a domain as small as one can be.

use garrison_base::{DepositId, NodeId, Timestamp};
use garrison_kernel::{
    Act, Done, Fact, FollowUp, KernelError, Migration, Module, ObjectRef, Permit, Preview, Problem,
    ProblemType, ReadAct, ReadTx, StoredFact, Summary, Verb, WriteTx, problems, scoped, tenanted,
};
use serde::{Deserialize, Serialize};

#[allow(unexpected_cfgs, reason = "the macro asks for a feature of the crate that uses it")]
mod id {
    garrison_base::ids! {
        /// A note.
        NoteId = "not";
    }
}
pub use id::NoteId;

impl From<NoteId> for ObjectRef {
    fn from(id: NoteId) -> Self {
        Self::new("note", id)
    }
}

/// The verb of ordinary reads.
pub const READ: Verb = Verb::new("note:read");

/// `told` holds what followers and timers did, once for each time that they did it.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    sql: "CREATE TABLE note (note_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, node_id TEXT NOT NULL, words TEXT NOT NULL);
          CREATE TABLE told (told_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, node_id TEXT NOT NULL, words TEXT NOT NULL);",
}];

const POLICY: &str = r#"
@id("readers")
permit (principal in Role::"reader", action in [Action::"note:read", Action::"note:ask"], resource);
@id("writers")
permit (
    principal in Role::"writer",
    action in [
        Action::"note:write", Action::"note:change", Action::"note:fail", Action::"note:break", Action::"note:reveal",
        Action::"note:join", Action::"note:claim", Action::"note:remind", Action::"note:read", Action::"note:ask",
        Action::"note:peek"
    ],
    resource
);
@id("frozen")
forbid (principal, action in [Action::"note:change", Action::"note:read"], resource)
when { resource.production && principal.kind != "system" }
unless { principal in Role::"operator" };
@id("operators")
permit (principal in Role::"operator", action == Action::"note:change", resource);
@id("enders")
permit (principal in Role::"ender", action == Action::"grant:end", resource);
@id("approvers")
permit (principal, action in [Action::"note:ask"], resource)
when { principal in Role::"owner" || principal in Role::"guard" };
"#;

pub fn module() -> Module {
    Module::new("notes", MIGRATIONS, POLICY)
        .act::<Write>()
        .act::<Change>()
        .act::<Fail>()
        .act::<Break>()
        .act::<Reveal>()
        .act::<Join>()
        .act::<Claim>()
        .act::<Remind>()
        .act::<Tell>()
        .act::<Peek>()
        .read(READ)
        .read_act::<Ask>()
        .follow("notes-told", Written::KIND, follow)
        .timer("note-due", |note| Some(FollowUp::new(Tell::about(note.parse().ok()?, "due"))))
}

/// Everything that is told about notes is told again, in the table `told`.
pub fn follow(fact: &StoredFact) -> Vec<FollowUp> {
    let Ok(written) = serde_json::from_slice::<Written>(&fact.body) else { return Vec::new() };
    vec![FollowUp::new(Tell::about(written.note, &format!("{}: {}", fact.id, written.words)))]
}

#[derive(Debug, thiserror::Error)]
pub enum NoteError {
    #[error("the note is refused: {0}")]
    Refused(String),
    #[error(transparent)]
    Kernel(#[from] KernelError),
}

impl Problem for NoteError {
    fn kind(&self) -> &'static ProblemType {
        match self {
            Self::Refused(_) => &problems::INVALID,
            Self::Kernel(error) => error.kind(),
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Written {
    pub note: NoteId,
    pub words: String,
}

impl Fact for Written {
    const KIND: &'static str = "note-written";
}

async fn insert(
    permit: Timestamp,
    tx: &mut WriteTx<'_>,
    node: NodeId,
    words: &str,
) -> Result<NoteId, KernelError> {
    let note = NoteId::new(permit, tx.entropy());
    let sql = tenanted!("INSERT INTO note (note_id, tenant, node_id, words) VALUES ($2, {tenant}, $3, $4)");
    tx.run(sql, vec![note.to_string().into(), node.to_string().into(), words.into()]).await?;
    tx.register(&note.into(), node, None).await?;
    Ok(note)
}

/// Writes a note on a node, and tells of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Write {
    pub node: NodeId,
    pub words: String,
}

impl Act for Write {
    const VERB: Verb = Verb::new("note:write");
    type Output = NoteId;
    type Fact = Written;
    type Error = NoteError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.node.into()]
    }

    async fn preview(&self, _tx: &mut ReadTx<'_>) -> Result<Preview, NoteError> {
        Ok(Preview::sentence(format!("a note is written: {}", self.words)))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, NoteError> {
        let note = insert(permit.now(), tx, self.node, &self.words).await?;
        let summary = Summary::of(format!("a note was written: {}", self.words)).object(note);
        Ok(Done::new(note, summary, Written { note, words: self.words.clone() }))
    }
}

/// Changes the words of a note.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Change {
    pub note: NoteId,
    pub words: String,
}

impl Act for Change {
    const VERB: Verb = Verb::new("note:change");
    type Output = i64;
    type Fact = ();
    type Error = NoteError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.note.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, NoteError> {
        let sql = scoped!("SELECT n.words FROM note n WHERE {scope:n} AND n.note_id = $2");
        let row = tx.row(sql, vec![self.note.to_string().into()]).await?.ok_or(KernelError::NotFound)?;
        let before: String = row.get(0).map_err(KernelError::from)?;
        Ok(Preview::sentence("a note is changed").change("words", before, &self.words))
    }

    async fn perform(&self, _permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, NoteError> {
        let sql = tenanted!("UPDATE note SET words = $3 WHERE tenant = {tenant} AND note_id = $2");
        tx.run(sql, vec![self.note.to_string().into(), self.words.as_str().into()]).await?;
        let revision = tx.touch(&self.note.into()).await?;
        Ok(Done::new(revision, Summary::of("a note was changed"), ()))
    }
}

/// Writes everywhere that it can, and fails then.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fail {
    pub node: NodeId,
}

impl Act for Fail {
    const VERB: Verb = Verb::new("note:fail");
    type Output = ();
    type Fact = ();
    type Error = NoteError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.node.into()]
    }

    async fn preview(&self, _tx: &mut ReadTx<'_>) -> Result<Preview, NoteError> {
        Ok(Preview::sentence("a note is refused"))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, NoteError> {
        let note = insert(permit.now(), tx, self.node, "left behind").await?;
        let name = "left-behind".parse().map_err(|_| NoteError::Refused("not a name".into()))?;
        tx.rename_node(self.node, &name).await?;
        tx.remind("note-due", &note.into(), permit.now()).await?;
        Err(NoteError::Refused("left behind".into()))
    }
}

/// Writes, and panics then.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Break {
    pub node: NodeId,
}

impl Act for Break {
    const VERB: Verb = Verb::new("note:break");
    type Output = ();
    type Fact = ();
    type Error = NoteError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.node.into()]
    }

    async fn preview(&self, _tx: &mut ReadTx<'_>) -> Result<Preview, NoteError> {
        Ok(Preview::sentence("it breaks"))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, NoteError> {
        insert(permit.now(), tx, self.node, "left behind").await?;
        panic!("a defect of the act");
    }
}

/// Answers something that nobody but the requester may see.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reveal {
    pub node: NodeId,
}

impl Act for Reveal {
    const VERB: Verb = Verb::new("note:reveal");
    type Output = String;
    type Fact = ();
    type Error = NoteError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.node.into()]
    }

    async fn preview(&self, _tx: &mut ReadTx<'_>) -> Result<Preview, NoteError> {
        Ok(Preview::sentence("the secret is revealed"))
    }

    async fn perform(&self, _permit: &Permit<Self>, _tx: &mut WriteTx<'_>) -> Result<Done<Self>, NoteError> {
        Ok(Done::new("canary-4711".into(), Summary::of("the secret was revealed"), ()))
    }
}

/// Joins one note to another: an act with two targets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Join {
    pub from: NoteId,
    pub into: NoteId,
}

impl Act for Join {
    const VERB: Verb = Verb::new("note:join");
    type Output = ();
    type Fact = ();
    type Error = NoteError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.from.into(), self.into.into()]
    }

    async fn preview(&self, _tx: &mut ReadTx<'_>) -> Result<Preview, NoteError> {
        Ok(Preview::sentence("two notes are joined"))
    }

    async fn perform(&self, _permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, NoteError> {
        let sql = tenanted!("DELETE FROM note WHERE tenant = {tenant} AND note_id = $2");
        tx.run(sql, vec![self.from.to_string().into()]).await?;
        tx.touch(&self.into.into()).await?;
        Ok(Done::new((), Summary::of("two notes were joined"), ()))
    }
}

/// Writes a note of a secret that was put down before.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claim {
    pub node: NodeId,
    pub deposit: DepositId,
}

impl Act for Claim {
    const VERB: Verb = Verb::new("note:claim");
    type Output = String;
    type Fact = ();
    type Error = NoteError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.node.into()]
    }

    async fn preview(&self, _tx: &mut ReadTx<'_>) -> Result<Preview, NoteError> {
        Ok(Preview::sentence("a secret is taken"))
    }

    async fn perform(&self, _permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, NoteError> {
        let secret = tx.claim(self.deposit).await?;
        Ok(Done::new(String::from_utf8_lossy(&secret).into_owned(), Summary::of("a secret was taken"), ()))
    }
}

/// Asks to be told of a note at a time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Remind {
    pub note: NoteId,
    pub at: Timestamp,
}

impl Act for Remind {
    const VERB: Verb = Verb::new("note:remind");
    type Output = ();
    type Fact = ();
    type Error = NoteError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.note.into()]
    }

    async fn preview(&self, _tx: &mut ReadTx<'_>) -> Result<Preview, NoteError> {
        Ok(Preview::sentence("a reminder is set"))
    }

    async fn perform(&self, _permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, NoteError> {
        tx.remind("note-due", &self.note.into(), self.at).await?;
        Ok(Done::new((), Summary::of("a reminder was set"), ()))
    }
}

/// What followers and timers do. A note of the words `refused` may not be told of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tell {
    note: NoteId,
    words: String,
}

impl Tell {
    fn about(note: NoteId, words: &str) -> Self {
        Self { note, words: words.to_owned() }
    }
}

impl Act for Tell {
    const VERB: Verb = Verb::new("note:tell");
    type Output = ();
    type Fact = ();
    type Error = NoteError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.note.into()]
    }

    async fn preview(&self, _tx: &mut ReadTx<'_>) -> Result<Preview, NoteError> {
        Ok(Preview::sentence("a note is told of"))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, NoteError> {
        if self.words.ends_with("refused") {
            return Err(NoteError::Refused("nobody may be told".into()));
        }
        let id = NoteId::new(permit.now(), tx.entropy()).to_string();
        let sql =
            tenanted!("INSERT INTO told (told_id, tenant, node_id, words) VALUES ($2, {tenant}, $3, $4)");
        tx.run(sql, vec![id.into(), permit.node().to_string().into(), self.words.as_str().into()]).await?;
        Ok(Done::new((), Summary::of("a note was told of"), ()))
    }
}

/// Its preview tries to write.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Peek {
    pub node: NodeId,
}

impl Act for Peek {
    const VERB: Verb = Verb::new("note:peek");
    type Output = ();
    type Fact = ();
    type Error = NoteError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.node.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, NoteError> {
        let sql = scoped!("DELETE FROM note AS n WHERE {scope:n} RETURNING words");
        // A refusal of the database is as good as one that leaves no trace.
        let _ = tx.rows(sql, Vec::new()).await;
        Ok(Preview::sentence("nothing is done"))
    }

    async fn perform(&self, _permit: &Permit<Self>, _tx: &mut WriteTx<'_>) -> Result<Done<Self>, NoteError> {
        Ok(Done::new((), Summary::of("nothing was done"), ()))
    }
}

/// A question whose asking is recorded: the words of a note.
#[derive(Debug, Clone, Serialize)]
pub struct Ask {
    pub note: NoteId,
}

impl ReadAct for Ask {
    const VERB: Verb = Verb::new("note:ask");
    type Output = String;
    type Error = NoteError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.note.into()]
    }

    async fn read(&self, tx: &mut ReadTx<'_>) -> Result<String, NoteError> {
        let sql = scoped!("SELECT n.words FROM note n WHERE {scope:n} AND n.note_id = $2");
        let row = tx.row(sql, vec![self.note.to_string().into()]).await?.ok_or(KernelError::NotFound)?;
        Ok(row.get(0).map_err(KernelError::from)?)
    }
}
