//! Detection: what the rules found in the logs, as alerts, and what people made of it.

pub mod acts;
mod changes;
mod filter;
mod language;
mod live;
mod model;
mod predicate;
pub mod problem;
mod reads;
mod routes;
mod rules;
mod store;
mod stream;
mod summary;
mod trial;

pub use filter::AlertFilter;
pub use live::{Event, Judge, Live, Rules};
pub use model::{Alert, AlertDetail, AlertEvent, AlertState, CloseReason, Grouped, MatchedField};
pub use predicate::{Judged, Predicate, PredicateOp};
pub use reads::{AlertOrder, AlertPage, AlertPart, ListAlerts, ShowAlert};
pub use routes::routes;
pub use rules::{ListRules, RuleDetail, RuleItem, RuleSource};
pub use stream::FollowAlerts;
pub use summary::{
    AlertBucket, AlertSummary, Buckets, Frequent, PerLevel, PerState, SummariseAlerts, TopOfAlerts,
};
pub use trial::{RoutedSource, RuleTrial, TestRule};

use garrison_base::TenantId;
use garrison_facts::ReviewOverdue;
use garrison_kernel::{
    Actor, Fact as _, FollowUp, Kernel, KernelError, Migration, Module, Origin, StoredFact, System, Verb,
};
use garrison_web::Question as _;

const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, sql: include_str!("../migrations/0001_detection.sql") },
    Migration { version: 2, sql: include_str!("../migrations/0002_sealed.sql") },
    Migration { version: 3, sql: include_str!("../migrations/0003_changes.sql") },
];

/// The verb by which detection looks at its own rows.
const LOOK: Verb = Verb::new("detection:look");

/// What the kernel folds in.
pub fn module() -> Module {
    Module::new("detection", MIGRATIONS, include_str!("policy.cedar"))
        .act::<acts::RaiseAlerts>()
        .act::<acts::AcknowledgeAlert>()
        .act::<acts::CloseAlert>()
        .act::<acts::ReopenAlert>()
        .act::<acts::AssignAlert>()
        .read(LOOK)
        .read(ListAlerts::VERB)
        .read_act::<ShowAlert>()
        .read(rules::LIST)
        .read(rules::SHOW)
        .read(trial::TEST)
        .follow("detection/review-overdue", ReviewOverdue::KIND, overdue)
}

/// An overdue review is an alert: it is told to whom alerts are told, and stays in the list until somebody closes it.
fn overdue(fact: &StoredFact) -> Vec<FollowUp> {
    let told = serde_json::from_slice::<ReviewOverdue>(&fact.body);
    let told = told.inspect_err(|error| tracing::error!(fact = %fact.id, %error, "a fact cannot be read"));
    told.map(|told| FollowUp::new(acts::RaiseAlerts::overdue(&fact.id, &told))).into_iter().collect()
}

/// How far the logs of a tenant were judged: the number that the last `alert:raise` brought. Nothing where
/// none was performed yet.
pub async fn position(kernel: &Kernel, tenant: TenantId) -> Result<Option<u64>, KernelError> {
    let detection = Actor::system(System::DETECTION, tenant, Origin::system("detection"));
    let mut tx = kernel.read(&detection, LOOK).await?;
    store::position(&mut tx).await
}
