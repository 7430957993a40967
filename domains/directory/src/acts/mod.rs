//! The acts, one to a file.

mod add_member;
mod apply_tree;
mod change_person;
mod create_group;
mod create_node;
mod create_person;
mod create_post;
mod create_service;
mod disable_person;
mod disable_service;
mod enable_person;
mod enable_service;
mod fill_post;
mod hand_over_service;
mod mark_node;
mod merge_node;
mod move_node;
mod remove_member;
mod rename_node;
mod vacate_post;

pub use add_member::AddMember;
pub use apply_tree::{AppliedTree, ApplyTree, WantedNode};
pub use change_person::ChangePerson;
pub use create_group::{CreateGroup, CreatedGroup};
pub use create_node::{CreateNode, CreatedNode};
pub use create_person::{CreatePerson, CreatedPerson};
pub use create_post::{CreatePost, CreatedPost};
pub use create_service::{CreateService, CreatedService};
pub use disable_person::DisablePerson;
pub use disable_service::DisableService;
pub use enable_person::EnablePerson;
pub use enable_service::EnableService;
pub use fill_post::{FillPost, FilledPost};
pub use hand_over_service::HandOverService;
pub use mark_node::MarkNode;
pub use merge_node::{MergeNode, MergedNode};
pub use move_node::MoveNode;
pub use remove_member::RemoveMember;
pub use rename_node::RenameNode;
pub use vacate_post::VacatePost;

use serde::Serialize;
use utoipa::ToSchema;

/// The answer of an act that makes nothing new.
#[derive(Debug, Serialize, ToSchema)]
pub struct Changed {
    /// Whether anything is different now.
    pub changed: bool,
}

impl Changed {
    pub(crate) fn yes() -> Self {
        Self { changed: true }
    }
}
