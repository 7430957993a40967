//! The questions that people ask of notices.

use garrison_base::{AlertId, DeliveryId};
use garrison_kernel::{KernelError, ReadTx, Verb};
use garrison_web::{Page, Question, page_limit};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::model::{Delivery, DeliveryState};
use crate::store;

/// Lists deliveries.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListDeliveries {
    /// Only those in this state: `waiting`, `sent`, `failed`.
    #[param(value_type = Option<String>)]
    pub state: Option<DeliveryState>,
    /// Only those to this target of the configuration.
    pub target: Option<String>,
    /// Only those of this alert.
    #[param(value_type = Option<String>)]
    pub alert: Option<AlertId>,
    /// How many at most, 1 to 500; 100 where nothing is said.
    pub limit: Option<i64>,
    /// Where to go on: `next` of the page before.
    pub cursor: Option<String>,
}

impl Question for ListDeliveries {
    const VERB: Verb = Verb::new("delivery:list");
    const PATH: &'static str = "/delivery";
    const SUMMARY: &'static str = "Notices of alerts: what waits, was sent or failed, newest first.";
    type Answer = Page<Delivery>;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        let limit = page_limit(self.limit)?;
        let before: Option<DeliveryId> = tx.open_cursor(Self::VERB, self.cursor.as_deref())?;
        let items = store::deliveries(tx, &self, before, limit + 1).await?;
        Page::cut(items, limit, (tx, Self::VERB), |last: &Delivery| last.id)
    }
}
