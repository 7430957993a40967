use garrison_base::{AlertId, NodeId};
use garrison_facts::{AlertLevel, AlertsRaised, EntityKind, RaisedAlert, ReviewOverdue};
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};

use crate::model::{AlertEvent, GROUPS, Grouped};
use crate::store;

/// Raises alerts for what the rules found, up to a place in the logs. Detection's own act: the place moves in the
/// same transaction, so that what is judged again after a crash raises nothing twice.
///
/// It is recorded without what the events say, so its stored form cannot be read back. It never waits, so it
/// need not be.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RaiseAlerts {
    upto: u64,
    late: bool,
    hits: Vec<Grouped>,
}

/// What was raised.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Raised {
    /// The new alerts.
    pub new: Vec<AlertId>,
    /// How many groups continued an alert.
    pub continued: usize,
}

impl RaiseAlerts {
    /// Everything that was found up to `upto`, with what came before. At most 500 groups; texts and events are
    /// cut to what is kept of them. What is `late` is raised wherever the place is, and does not move it: what is judged
    /// again after a crash may then be counted twice.
    pub fn new(upto: u64, late: bool, hits: Vec<Grouped>) -> Self {
        Self { upto, late, hits: hits.into_iter().map(Grouped::limited).collect() }
    }

    /// That a review is overdue, as the fact of this id tells it.
    pub(crate) fn overdue(fact: &str, told: &ReviewOverdue) -> Self {
        let title = format!("The review of {} is overdue", told.day);
        let event = AlertEvent {
            id: fact.to_owned(),
            time: told.due,
            source: "garrison".to_owned(),
            why: Vec::new(),
            raw: format!(
                "nobody has signed the review {} of {}, which was due at {:.0}",
                told.review, told.day, told.due
            ),
        };
        let hit = Grouped {
            rule: "garrison/review-overdue".to_owned(),
            title,
            level: AlertLevel::High,
            node: told.node,
            entity_kind: EntityKind::Review,
            entity: told.review.to_string(),
            count: 1,
            first_seen: told.due,
            last_seen: told.due,
            events: vec![event],
        };
        // No place in the logs moves by it.
        Self::new(0, true, vec![hit])
    }

    /// Raises one group, which is the change of this number.
    async fn raise(
        &self,
        (hit, change): (&Grouped, i64),
        permit: &Permit<Self>,
        tx: &mut WriteTx<'_>,
    ) -> Result<Option<RaisedAlert>, KernelError> {
        let node = home(hit.node, permit, tx).await?;
        if let Some(alert) = store::to_continue(tx, node, hit).await? {
            store::continue_alert(tx, alert, hit, change).await?;
            return Ok(None);
        }
        let alert = AlertId::new(permit.now(), tx.entropy());
        tx.register(&alert.into(), node, None).await?;
        store::add_alert(tx, (alert, node), hit, change).await?;
        Ok(Some(RaisedAlert {
            alert,
            rule: hit.rule.clone(),
            title: hit.title.clone(),
            level: hit.level,
            node,
            entity_kind: hit.entity_kind,
            entity: hit.entity.clone(),
            first_seen: hit.first_seen,
        }))
    }
}

/// The node of the events, or the root where that node is gone: one that was merged meanwhile must not hold up
/// everything behind it.
async fn home(
    node: NodeId,
    permit: &Permit<RaiseAlerts>,
    tx: &mut WriteTx<'_>,
) -> Result<NodeId, KernelError> {
    match tx.node_of(&node.into()).await {
        Err(KernelError::NotFound) => Ok(permit.node()),
        found => found,
    }
}

impl Act for RaiseAlerts {
    const VERB: Verb = Verb::new("alert:raise");
    type Output = Raised;
    type Fact = Option<AlertsRaised>;
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("raise alerts for {} groups of events", self.hits.len())))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        if self.hits.len() > GROUPS {
            return Err(KernelError::Invalid(format!("one act brings at most {GROUPS} groups")));
        }
        let upto = i64::try_from(self.upto).map_err(|_| KernelError::Invalid("upto is too large".into()))?;
        let before = store::position_before(tx).await?;
        if !self.late && before.is_some_and(|before| upto <= before) {
            let words = format!("nothing: everything up to {upto} was judged before");
            return Ok(Done::new(Raised::default(), Summary::of(words), None));
        }
        let mut alerts = Vec::new();
        if !self.hits.is_empty() {
            let count = i64::try_from(self.hits.len()).unwrap_or(i64::MAX);
            let first = store::take_changes(tx, count).await?;
            for (change, hit) in (first..).zip(&self.hits) {
                alerts.extend(self.raise((hit, change), permit, tx).await?);
            }
        }
        if !self.late {
            store::move_position(tx, upto).await?;
        }
        let new: Vec<AlertId> = alerts.iter().map(|alert| alert.alert).collect();
        let continued = self.hits.len() - new.len();
        let words = format!("{} new alerts, {continued} continued", new.len());
        let fact = (!alerts.is_empty()).then_some(AlertsRaised { alerts });
        Ok(Done::new(Raised { new, continued }, Summary::of(words), fact))
    }
}
