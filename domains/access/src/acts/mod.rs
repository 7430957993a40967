//! The acts, one to a file.

mod approve;
mod begin_login;
mod change_password;
mod choose_password;
mod create_grant;
mod create_token;
mod end_all;
mod end_grant;
mod end_session;
mod end_token;
mod enrol;
mod enter_session;
mod expire_request;
mod hand_over;
mod invite;
mod invite_first;
mod prove_login;
mod reject;
mod renew_session;
mod set_approval_rule;
mod take_output;
mod withdraw;

pub use approve::{Approve, FilledSlot};
pub use begin_login::{BeginLogin, Begun};
pub use change_password::ChangePassword;
pub use choose_password::{ChoosePassword, Enrolment};
pub use create_grant::{CreateGrant, CreatedGrant};
pub use create_token::{CreateToken, CreatedToken};
pub use end_all::EndAll;
pub use end_grant::EndGrant;
pub use end_session::EndSession;
pub use end_token::EndToken;
pub(crate) use enrol::hex;
pub use enrol::{Enrol, Enrolled};
pub use enter_session::{EnterSession, Entered};
pub use expire_request::ExpireRequest;
pub use hand_over::{HandOver, HandedOver};
pub use invite::{Invite, Invited};
pub use invite_first::InviteFirst;
pub(crate) use prove_login::account_key;
pub use prove_login::{Proof, ProveLogin, Proved};
pub use reject::Reject;
pub use renew_session::{RenewSession, Renewed};
pub use set_approval_rule::{SetApprovalRule, SetRule};
pub use take_output::{TakeOutput, TakenOutput};
pub use withdraw::Withdraw;

use serde::Serialize;
use utoipa::ToSchema;

/// The answer of an act that ends something.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ended {
    /// How many ended by this.
    pub ended: u64,
}
