//! Who may review: somebody who has no part in what is reviewed.

use garrison_base::NodeId;
use garrison_kernel::{ActorId, Holder, ReadTx, Record};

use crate::model::{Review, ReviewItem, ReviewState};
use crate::problem::ReviewError;

/// Roles by which nobody changes anything but reviews. Whatever other role there is or will be is one that operates.
const ONLY_LOOK: [&str; 3] = ["auditor", "supervision", "viewer"];

/// Refuses a review that is not complete yet, or that is signed.
pub(crate) fn may_change(review: &Review) -> Result<(), ReviewError> {
    match review.state {
        ReviewState::Open | ReviewState::Overdue => Ok(()),
        state => Err(ReviewError::State { review: review.id, state }),
    }
}

/// Refuses whoever holds a role that operates at the node, above it or below it, by whatever account or group.
pub(crate) fn does_not_operate(tx: &ReadTx<'_>, who: ActorId, node: NodeId) -> Result<(), ReviewError> {
    let held = tx.roles_around(who, node);
    match held.into_iter().find(|(role, _)| !ONLY_LOOK.contains(&role.as_str())) {
        Some((role, at)) => Err(ReviewError::Operates { role, path: tx.path(at) }),
        None => Ok(()),
    }
}

/// Who beside its actor has a part in a record: the person behind the account, which may be handed over later, and who filled
/// the slots of what waited.
pub(crate) fn involved(tx: &ReadTx<'_>, record: &Record) -> Vec<ActorId> {
    let person = match tx.principal_of(Holder::Actor(record.actor.id)) {
        Some(Holder::Actor(person)) if person != record.actor.id => Some(person),
        _ => None,
    };
    // The first names the request; each of the others is `SLOT: WHO`.
    let filled = record.approvals.iter().filter_map(|filled| filled.rsplit_once(": "));
    person.into_iter().chain(filled.filter_map(|(_, who)| who.parse().ok())).collect()
}

/// Refuses whoever did or approved some of it, by whatever account.
pub(crate) fn did_none_of(tx: &ReadTx<'_>, who: ActorId, items: &[ReviewItem]) -> Result<(), ReviewError> {
    let person = tx.principal_of(Holder::Actor(who));
    let same = |other: &ActorId| {
        *other == who || (person.is_some() && tx.principal_of(Holder::Actor(*other)) == person)
    };
    match items.iter().find(|item| same(&item.actor) || item.involved.iter().any(same)) {
        Some(item) => Err(ReviewError::Own { seq: item.seq }),
        None => Ok(()),
    }
}
