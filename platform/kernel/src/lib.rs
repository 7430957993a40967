//! The kernel: the one door to the state.
//!
//! Whatever changes state is an [`Act`]. [`Kernel::act`] resolves its targets, authorises it on every one of
//! them, lets it wait where approvals are demanded, performs it in one transaction, appends the audit record
//! and queues the fact: all or nothing. There is no other way to a [`WriteTx`].
//!
//! The kernel owns nodes, objects, memberships, grants and approval rules, and the evaluation of policy.
//! Domains bring verbs and policies as data ([`Module`]); there is no pluggable policy.
//!
//! Nothing outside this crate uses an SQL driver.

mod act;
mod actor;
mod audit;
mod authz;
mod db;
mod error;
mod jobs;
mod keeping;
mod kernel;
mod keys;
mod module;
mod perform;
pub mod problem;
mod reads;
mod record;
mod setup;
mod snapshot;
mod statement;
mod tally;
mod tree;
mod tx;
mod waiting;
mod words;

pub use act::{Act, Change, Done, Fact, Permit, Preview, ReadAct, Summary};
pub use actor::{Actor, ActorId, Holder, Method, Origin, System, TokenLimits};
pub use audit::{Record, RecordActor, RecordObject, RecordSource};
pub use authz::{Asked, ExplainedGrant, Explanation, PolicyError, PolicyTable, Slot};
pub use db::{
    Copied, CopyError, DatabaseUrl, DbError, FromCell, Migration, Row, Value, empty_database, fill_database,
    is_empty_database,
};
pub use error::KernelError;
pub use garrison_base::Exit;
pub use keeping::{Difference, Journal, JournalError, Journaled};
pub use kernel::{Kernel, OpenError, Options, Outcome};
pub use module::{FollowUp, Module, StoredFact};
pub use problem::{Problem, ProblemType, problems};
pub use reads::{AuditFilter, GrantRow};
pub use snapshot::Snapshot;
pub use statement::{Scoped, Tenanted};
pub use tree::{DEPTH, Level, Merged, NewNode, Node, NodeKind};
pub use tx::{NewGrant, ReadTx, WriteTx};
pub use waiting::{Approval, Request, RequestState};
pub use words::{ObjectRef, Verb};
