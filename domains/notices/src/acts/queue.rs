use std::cmp::Reverse;

use garrison_base::{DeliveryId, NodeId};
use garrison_facts::RaisedAlert;
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};

use crate::model::{FLOOD, Notice, NoticeData, Target};
use crate::store;

/// Queues a notice for each new alert and each target that wants to be told of it. A follower's act.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueDeliveries {
    /// The new alerts.
    pub alerts: Vec<RaisedAlert>,
    /// The targets that are configured.
    pub targets: Vec<Target>,
}

/// What was queued.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Queued {
    /// How many deliveries.
    pub queued: usize,
    /// How many more there would have been, beyond what one target is told at once.
    pub left_out: usize,
}

/// Below which path a target wants to be told: the whole tree, a part, or one that is not in this tenant.
enum Part {
    Whole,
    Below(String),
    Nowhere,
}

impl Part {
    fn of(target: &Target, tx: &ReadTx<'_>) -> Self {
        let Some(node) = &target.node else { return Self::Whole };
        tx.find_node(node).map_or(Self::Nowhere, |node| Self::Below(tx.path(node)))
    }

    fn holds(&self, node: NodeId, tx: &ReadTx<'_>) -> bool {
        match self {
            Self::Whole => true,
            Self::Below(top) => {
                tx.path(node).strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
            Self::Nowhere => false,
        }
    }
}

impl QueueDeliveries {
    /// The alerts that a target wants to be told of, the most severe first.
    fn wanted(&self, target: &Target, part: &Part, tx: &ReadTx<'_>) -> Vec<&RaisedAlert> {
        let wants = |alert: &&RaisedAlert| alert.level >= target.min_level && part.holds(alert.node, tx);
        let mut wanted: Vec<_> = self.alerts.iter().filter(wants).collect();
        wanted.sort_by_key(|alert| Reverse(alert.level));
        wanted
    }

    async fn queue(
        &self,
        target: &Target,
        alert: &RaisedAlert,
        permit: &Permit<Self>,
        tx: &mut WriteTx<'_>,
    ) -> Result<(), KernelError> {
        let notice = Notice {
            kind: "alert.raised".to_owned(),
            timestamp: permit.now(),
            data: NoticeData {
                alert: alert.alert,
                rule: alert.rule.clone(),
                title: alert.title.clone(),
                level: alert.level,
                node: alert.node,
                path: tx.read().path(alert.node),
                entity_kind: alert.entity_kind,
                entity: alert.entity.clone(),
                first_seen: alert.first_seen,
            },
        };
        let id = DeliveryId::new(permit.now(), tx.entropy());
        store::add(tx, (id, permit.now()), target, &notice).await
    }
}

impl Act for QueueDeliveries {
    const VERB: Verb = Verb::new("delivery:queue");
    type Output = Queued;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        let (alerts, targets) = (self.alerts.len(), self.targets.len());
        Ok(Preview::sentence(format!("queue notices of {alerts} alerts for {targets} targets")))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let (mut done, mut nowhere) = (Queued::default(), 0);
        for target in &self.targets {
            let part = Part::of(target, &tx.read());
            nowhere += usize::from(matches!(part, Part::Nowhere));
            let wanted = self.wanted(target, &part, &tx.read());
            done.left_out += wanted.len().saturating_sub(FLOOD);
            for alert in wanted.into_iter().take(FLOOD) {
                self.queue(target, alert, permit, tx).await?;
                done.queued += 1;
            }
        }
        let mut words = format!("queued {} notices of {} alerts", done.queued, self.alerts.len());
        if done.left_out > 0 {
            words.push_str(&format!(", left out {} beyond {FLOOD} for one target", done.left_out));
        }
        if nowhere > 0 {
            words.push_str(&format!("; {nowhere} targets name a node that is not here"));
        }
        Ok(Done::new(done, Summary::of(words), ()))
    }
}
