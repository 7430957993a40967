use garrison_base::PersonId;
use garrison_kernel::Fact;
use serde::{Deserialize, Serialize};

/// A person was disabled: whatever lives on their behalf ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonDisabled {
    /// Who.
    pub person: PersonId,
}

impl Fact for PersonDisabled {
    const KIND: &'static str = "person-disabled";
}
