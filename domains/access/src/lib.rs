//! Access: who is at the door, who may do what, and who agreed.

pub mod acts;
mod credential;
mod founding;
mod gate;
mod handed;
mod login;
mod model;
mod pages;
mod password;
pub mod problem;
mod reads;
mod recovery;
mod routes;
mod session;
mod store;
mod totp;
mod whoami;

pub use login::{Begin, EnrolmentView, Profile, Step, Stepped};
pub use model::{Next, SessionKind, SessionLimits, SessionView, TokenView};
pub use recovery::Recovery;
pub use routes::routes;

use garrison_base::TenantId;
use garrison_facts::PersonDisabled;
use garrison_kernel::{Fact, FollowUp, Kernel, KernelError, Migration, Module, Origin, StoredFact, Verb};
use garrison_web::Question;

/// The login system: recognises callers, leads logins.
#[derive(Clone)]
pub struct Access {
    kernel: Kernel,
    limits: SessionLimits,
}

impl Access {
    /// On a kernel, with the limits of sessions.
    pub fn new(kernel: Kernel, limits: SessionLimits) -> Self {
        Self { kernel, limits }
    }

    /// Whether nobody in the tenant can log in yet.
    pub async fn awaits_first(&self, tenant: TenantId) -> Result<bool, KernelError> {
        let mut tx = self.look(tenant, &Origin::system("start")).await?;
        Ok(!store::any_credential(&mut tx).await?)
    }
}

const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, sql: include_str!("../migrations/0001_access.sql") },
    Migration { version: 2, sql: include_str!("../migrations/0002_hand_over.sql") },
];

/// The verb by which somebody asks about the rights of somebody else.
pub(crate) const EXPLAIN: Verb = Verb::new("access:explain");

/// What the kernel folds in.
pub fn module() -> Module {
    Module::new("access", MIGRATIONS, include_str!("policy.cedar"))
        .act::<acts::Invite>()
        .act::<acts::InviteFirst>()
        .act::<acts::BeginLogin>()
        .act::<acts::ProveLogin>()
        .act::<acts::ChoosePassword>()
        .act::<acts::Enrol>()
        .act::<acts::ChangePassword>()
        .act::<acts::RenewSession>()
        .act::<acts::EndSession>()
        .act::<acts::HandOver>()
        .act::<acts::EnterSession>()
        .act::<acts::EndAll>()
        .act::<acts::CreateToken>()
        .act::<acts::EndToken>()
        .act::<acts::CreateGrant>()
        .act::<acts::EndGrant>()
        .act::<acts::SetApprovalRule>()
        .act::<acts::Approve>()
        .act::<acts::Reject>()
        .act::<acts::Withdraw>()
        .act::<acts::ExpireRequest>()
        .act::<acts::TakeOutput>()
        .read(gate::LOOK)
        .read(EXPLAIN)
        .read(reads::ListGrants::VERB)
        .read(reads::ListRules::VERB)
        .read(reads::ListRequests::VERB)
        .read(reads::ShowRequest::VERB)
        .read(reads::ListSessions::VERB)
        .read(reads::ListSessionsOf::VERB)
        .read(reads::ListTokens::VERB)
        .read_act::<reads::ListRecords>()
        .read_act::<reads::ShowRecord>()
        .timer("approval-deadline", |object| {
            object.parse().ok().map(|approval| FollowUp::new(acts::ExpireRequest { approval }))
        })
        .follow("access/person-disabled", PersonDisabled::KIND, end_what_lives)
}

fn end_what_lives(fact: &StoredFact) -> Vec<FollowUp> {
    let told = serde_json::from_slice::<PersonDisabled>(&fact.body);
    told.map(|told| FollowUp::new(acts::EndAll { person: told.person })).into_iter().collect()
}
