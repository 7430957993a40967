//! Reviews come by themselves: when a day is over, its records are looked through in the order of their numbers, each
//! once, so that none is left out whatever the clock did meanwhile.

use garrison_base::{Day, TenantId};
use garrison_kernel::{Actor, Kernel, KernelError, Origin, Outcome, Problem, ReadTx, System, Verb};

use crate::acts::OpenReviews;
use crate::choice::Seed;
use crate::model::ReviewState;
use crate::store;

/// The verb by which compliance looks at its own rows.
pub(crate) const LOOK: Verb = Verb::new("review:look");

/// What is to be looked through next.
pub(crate) struct Next {
    /// From behind the record of this number.
    pub(crate) after: i64,
    /// The day that the records belong to.
    pub(crate) day: Day,
    /// The seed of the day, where some of it was looked through already.
    pub(crate) seed: Option<Seed>,
}

impl Next {
    /// Nothing where all days that are over were looked through. A record belongs to its day, or, where the reviews of
    /// that are complete, to the next one. Where nothing was ever looked through, yesterday is the first day.
    pub(crate) async fn find(tx: &mut ReadTx<'_>) -> Result<Option<Self>, KernelError> {
        let today = Day::of(tx.now());
        let progress = store::progress(tx).await?;
        let (after, earliest) = match progress {
            Some(progress) if !progress.whole => {
                let (after, day, seed) = (progress.seq, progress.day, Some(progress.seed));
                return Ok(Some(Self { after, day, seed }));
            }
            Some(progress) => (progress.seq, progress.day.plus(1)),
            None => {
                let yesterday = today.plus(-1);
                (tx.last_record_before(yesterday.midnight()).await?, yesterday)
            }
        };
        let first = tx.records_after(after, (None, None), 1).await?.into_iter().next();
        let day = first.map(|(record, _)| Day::of(record.received).max(earliest));
        Ok(day.filter(|day| *day < today).map(|day| Self { after, day, seed: None }))
    }
}

fn compliance(tenant: TenantId) -> Actor {
    Actor::system(System::COMPLIANCE, tenant, Origin::system("compliance"))
}

/// Opens the reviews of all days that are over; tells how many. What was done once is not done again.
pub async fn open_reviews(kernel: &Kernel) -> Result<usize, Box<dyn Problem>> {
    let mut opened = 0;
    for (tenant, _) in kernel.tenants().await? {
        let actor = compliance(tenant);
        while let Some(next) = due(kernel, &actor).await? {
            match kernel.act(&actor, OpenReviews { after: next.after }).await? {
                Outcome::Done(done) if done.changed => opened += done.opened,
                // Another process was faster; what is left is found the next time.
                Outcome::Done(_) | Outcome::Waiting(_) => break,
            }
        }
    }
    Ok(opened)
}

async fn due(kernel: &Kernel, actor: &Actor) -> Result<Option<Next>, KernelError> {
    Next::find(&mut kernel.read(actor, LOOK).await?).await
}

/// How many reviews are overdue, in all tenants.
pub async fn overdue_reviews(kernel: &Kernel) -> Result<i64, KernelError> {
    let mut overdue = 0;
    for (tenant, _) in kernel.tenants().await? {
        let mut tx = kernel.read(&compliance(tenant), LOOK).await?;
        overdue += store::count(&mut tx, ReviewState::Overdue).await?;
    }
    Ok(overdue)
}
