//! Notices: tells people and other programs of new alerts. Where to is configuration; what waits, was sent or
//! failed is rows; sending happens outside of any act.

pub mod acts;
mod config;
mod couriers;
mod deliver;
mod mail;
mod model;
mod reads;
mod store;
mod webhook;

pub use config::{BadNotices, Mail, Notices, Secret, Smtp, SmtpTls, Webhook};
pub use couriers::Couriers;
pub use deliver::deliver;
pub use model::{Channel, Delivery, DeliveryState, Target};
pub use reads::ListDeliveries;

use garrison_facts::AlertsRaised;
use garrison_kernel::{Fact as _, FollowUp, Migration, Module, StoredFact, Verb};
use garrison_web::{Question as _, Routes};

const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, sql: include_str!("../migrations/0001_notices.sql") },
    Migration { version: 2, sql: include_str!("../migrations/0002_turns.sql") },
];

/// The verb by which notices look for what is due.
const LOOK: Verb = Verb::new("delivery:look");

/// What the kernel folds in. Only the names of the targets go with it, and what they want to be told.
pub fn module(config: &Notices) -> Module {
    let targets = config.targets();
    Module::new("notices", MIGRATIONS, include_str!("policy.cedar"))
        .act::<acts::QueueDeliveries>()
        .act::<acts::SettleDelivery>()
        .read(LOOK)
        .read(ListDeliveries::VERB)
        .follow("notices/alerts-raised", AlertsRaised::KIND, move |fact: &StoredFact| queue(fact, &targets))
}

/// The routes. Queueing and settling are no routes: only notices themselves do it.
pub fn routes() -> Routes {
    Routes::new().question::<ListDeliveries>()
}

fn queue(fact: &StoredFact, targets: &[Target]) -> Vec<FollowUp> {
    if targets.is_empty() {
        return Vec::new();
    }
    let told = serde_json::from_slice::<AlertsRaised>(&fact.body);
    let told = told.inspect_err(|error| tracing::error!(fact = %fact.id, %error, "a fact cannot be read"));
    let queue = |told: AlertsRaised| acts::QueueDeliveries { alerts: told.alerts, targets: targets.to_vec() };
    told.map(|told| FollowUp::new(queue(told))).into_iter().collect()
}
