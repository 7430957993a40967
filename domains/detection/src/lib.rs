//! Detection: what the rules found in the logs, as alerts, and what people made of it.

pub mod acts;
mod live;
mod model;
pub mod problem;
mod reads;
mod store;

pub use live::{Event, Judge, Live};
pub use model::{Alert, AlertDetail, AlertEvent, AlertState, CloseReason, Grouped, MatchedField};
pub use reads::{ListAlerts, ShowAlert};

use garrison_base::TenantId;
use garrison_kernel::{Actor, Kernel, KernelError, Migration, Module, Origin, System, Verb};
use garrison_web::{Question, Routes};

const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, sql: include_str!("../migrations/0001_detection.sql") }];

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
}

/// The routes. Raising is no route: only detection itself does it.
pub fn routes() -> Routes {
    Routes::new()
        .act::<acts::AcknowledgeAlert>("Say that somebody looks at an alert.")
        .act::<acts::CloseAlert>("Close an alert, with the reason.")
        .act::<acts::ReopenAlert>("Open a closed alert again.")
        .act::<acts::AssignAlert>("Give an alert to a person, or to nobody.")
        .question::<ListAlerts>()
        .recorded::<ShowAlert>(
            "/alert/{alert}",
            "One alert: its first and last events, and why they matched.",
        )
}

/// How far the logs of a tenant were judged: the number that the last `alert:raise` brought. Nothing where
/// none was performed yet.
pub async fn position(kernel: &Kernel, tenant: TenantId) -> Result<Option<u64>, KernelError> {
    let detection = Actor::system(System::DETECTION, tenant, Origin::system("detection"));
    let mut tx = kernel.read(&detection, LOOK).await?;
    store::position(&mut tx).await
}
