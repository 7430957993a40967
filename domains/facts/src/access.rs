use garrison_base::PersonId;
use garrison_kernel::Fact;
use serde::{Deserialize, Serialize};

/// A person's password or second factor was set anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountSecured {
    /// Who.
    pub person: PersonId,
}

impl Fact for AccountSecured {
    const KIND: &'static str = "account-secured";
}
