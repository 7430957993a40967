//! The directory: the service tree, and who works on it.

pub mod acts;
mod model;
mod reads;
mod store;

pub use model::{Group, HistoryEntry, LevelView, Member, NodeView, Person, Post, PostLevel, Service};

use garrison_kernel::{Migration, Module};
use garrison_web::{Question, Routes};

const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, sql: include_str!("../migrations/0001_directory.sql") }];

/// What the kernel folds in.
pub fn module() -> Module {
    Module::new("directory", MIGRATIONS, include_str!("policy.cedar"))
        .act::<acts::CreateNode>()
        .act::<acts::RenameNode>()
        .act::<acts::MoveNode>()
        .act::<acts::MergeNode>()
        .act::<acts::MarkNode>()
        .act::<acts::ApplyTree>()
        .act::<acts::CreatePerson>()
        .act::<acts::ChangePerson>()
        .act::<acts::DisablePerson>()
        .act::<acts::EnablePerson>()
        .act::<acts::CreateService>()
        .act::<acts::DisableService>()
        .act::<acts::EnableService>()
        .act::<acts::HandOverService>()
        .act::<acts::CreateGroup>()
        .act::<acts::AddMember>()
        .act::<acts::RemoveMember>()
        .act::<acts::CreatePost>()
        .act::<acts::FillPost>()
        .act::<acts::VacatePost>()
        .read(reads::ListNodes::VERB)
        .read(reads::ShowNode::VERB)
        .read(reads::FindNode::VERB)
        .read(reads::NodeHistory::VERB)
        .read(reads::WholeTree::VERB)
        .read(reads::ListPersons::VERB)
        .read(reads::ShowPerson::VERB)
        .read(reads::ListServices::VERB)
        .read(reads::ListGroups::VERB)
        .read(reads::ListMembers::VERB)
        .read(reads::ListPosts::VERB)
}

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .act::<acts::CreateNode>("Hang a new node under another.")
        .act::<acts::RenameNode>("Give a node another name.")
        .act::<acts::MoveNode>("Hang a node, with all below it, under another.")
        .act::<acts::MergeNode>("Merge a node into another.")
        .act::<acts::MarkNode>("Mark a node as production, or take the mark away.")
        .act::<acts::ApplyTree>("Make the tree below a node hold these nodes.")
        .act::<acts::CreatePerson>("Make a person known.")
        .act::<acts::ChangePerson>("Change what is known of a person.")
        .act::<acts::DisablePerson>("Disable a person.")
        .act::<acts::EnablePerson>("Enable a person again.")
        .act::<acts::CreateService>("Make a service account.")
        .act::<acts::DisableService>("Disable a service account.")
        .act::<acts::EnableService>("Enable a service account again.")
        .act::<acts::HandOverService>("Give a service account to another owner.")
        .act::<acts::CreateGroup>("Make a group.")
        .act::<acts::AddMember>("Take somebody into a group.")
        .act::<acts::RemoveMember>("Take somebody out of a group.")
        .act::<acts::CreatePost>("Make a post at a node.")
        .act::<acts::FillPost>("Put a person on a post.")
        .act::<acts::VacatePost>("Take the person off a post.")
        .question::<reads::ListNodes>()
        .question::<reads::ShowNode>()
        .question::<reads::FindNode>()
        .question::<reads::NodeHistory>()
        .question::<reads::WholeTree>()
        .question::<reads::ListPersons>()
        .question::<reads::ShowPerson>()
        .question::<reads::ListServices>()
        .question::<reads::ListGroups>()
        .question::<reads::ListMembers>()
        .question::<reads::ListPosts>()
}
