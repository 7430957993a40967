use garrison_base::NodeId;
use garrison_kernel::{
    Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Slot, Summary, Verb, WriteTx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Demands approvals for an operation at a node and below. The nearest rule on the way up counts. No slots
/// means: take the rule of this node away.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetApprovalRule {
    /// Where.
    pub node: NodeId,
    /// For which operation, such as `grant:create`.
    #[schema(min_length = 3, max_length = 60, pattern = "^[a-z-]+:[a-z-]+$")]
    pub verb: String,
    /// The slots that must be filled, each by another person.
    #[schema(max_items = 10)]
    pub slots: Vec<Slot>,
}

/// A rule that was set.
#[derive(Debug, Serialize, ToSchema)]
pub struct SetRule {
    /// How many slots it has now.
    pub slots: usize,
}

impl Act for SetApprovalRule {
    const VERB: Verb = Verb::new("approval-rule:set");
    type Output = SetRule;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.node.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        let rules = tx.approval_rules();
        let before = rules.iter().find(|(node, verb, _)| *node == self.node && *verb == self.verb);
        let sentence =
            format!("demand {} approvals for {} at {}", self.slots.len(), self.verb, tx.path(self.node));
        Ok(Preview::sentence(sentence).change(
            "slots",
            words(before.map_or(&[], |(_, _, slots)| slots)),
            words(&self.slots),
        ))
    }

    async fn perform(&self, _: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        tx.set_rule(self.node, &self.verb, &self.slots).await?;
        let sentence =
            format!("{} at {} demands now: {}", self.verb, tx.read().path(self.node), words(&self.slots));
        Ok(Done::new(SetRule { slots: self.slots.len() }, Summary::of(sentence), ()))
    }
}

fn words(slots: &[Slot]) -> String {
    if slots.is_empty() {
        return "no approval".to_owned();
    }
    let each = slots.iter().map(|slot| format!("{} (role {})", slot.name, slot.role));
    each.collect::<Vec<_>>().join(" and ")
}
