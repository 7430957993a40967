//! The questions that people ask of detection.

use garrison_base::{AlertId, NodeId, Timestamp};
use garrison_facts::AlertLevel;
use garrison_kernel::{KernelError, ObjectRef, ReadAct, ReadTx, Verb};
use garrison_web::{Page, Question, page_limit};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::model::{Alert, AlertDetail, AlertState};
use crate::store;

/// Lists alerts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListAlerts {
    /// Only those in this state: `open`, `acknowledged`, `closed`.
    #[param(value_type = Option<String>)]
    pub state: Option<AlertState>,
    /// Only those that are at least so severe: `informational`, `low`, `medium`, `high`, `critical`.
    #[param(value_type = Option<String>)]
    pub level: Option<AlertLevel>,
    /// Only those of this rule.
    pub rule: Option<String>,
    /// Only those about this host, user, address or source.
    pub entity: Option<String>,
    /// Only those at this node and below.
    #[param(value_type = Option<String>)]
    pub node: Option<NodeId>,
    /// How many at most, 1 to 500; 100 where nothing is said.
    pub limit: Option<i64>,
    /// Where to go on: `next` of the page before.
    pub cursor: Option<String>,
}

impl Question for ListAlerts {
    const VERB: Verb = Verb::new("alert:list");
    const PATH: &'static str = "/alert";
    const SUMMARY: &'static str = "Alerts, the last seen first.";
    type Answer = Page<Alert>;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        let limit = page_limit(self.limit)?;
        let after: Option<(Timestamp, AlertId)> = tx.open_cursor(Self::VERB, self.cursor.as_deref())?;
        let items = store::alerts(tx, &self, after, limit + 1).await?;
        Page::cut(items, limit, (tx, Self::VERB), |last: &Alert| (last.last_seen, last.id))
    }
}

/// Shows one alert. What events say is customer content, so the asking is recorded.
#[derive(Debug, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ShowAlert {
    /// Which.
    #[param(value_type = String)]
    pub alert: AlertId,
}

impl ReadAct for ShowAlert {
    const VERB: Verb = Verb::new("alert:show");
    type Output = AlertDetail;
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.alert.into()]
    }

    async fn read(&self, tx: &mut ReadTx<'_>) -> Result<AlertDetail, KernelError> {
        store::detail(tx, self.alert).await
    }
}
