//! Reviews come by themselves: when a day is over, its records are looked through in the order of their numbers, each
//! once, so that none is left out whatever the clock did meanwhile.

use garrison_base::{Day, TenantId};
use garrison_kernel::{Actor, Kernel, KernelError, Origin, Outcome, Problem, ReadTx, Record, System, Verb};

use crate::acts::OpenReviews;
use crate::choice::Seed;
use crate::model::{Progress, ReviewState, Stage};
use crate::store;

/// The verb by which compliance looks at its own rows.
pub(crate) const LOOK: Verb = Verb::new("review:look");

/// What is to be done next.
pub(crate) struct Next {
    /// Records are looked through from behind this number.
    pub(crate) after: i64,
    /// The day that they belong to.
    pub(crate) day: Day,
    /// The seed of the day, where some of it was looked through already.
    pub(crate) seed: Option<Seed>,
    /// Whether all of it was, and what is left is to open its reviews.
    pub(crate) looked: bool,
    today: Day,
}

impl Next {
    /// Nothing where all days that are over were looked through. A record belongs to its day, or, where that or a later one
    /// has reviews, to the one behind these. Where nothing was ever looked through, yesterday is the first day.
    pub(crate) async fn find(tx: &mut ReadTx<'_>) -> Result<Option<Self>, KernelError> {
        let today = Day::of(tx.now());
        let after = match store::progress(tx).await? {
            Some(Progress { stage: Stage::Whole, seq, .. }) => seq,
            Some(Progress { stage, seq: after, day, seed }) => {
                let looked = stage == Stage::Opening;
                return Ok(Some(Self { after, day, seed: Some(seed), looked, today }));
            }
            None => tx.last_record_before(today.plus(-1).midnight()).await?,
        };
        let Some((first, _)) = tx.records_after(after, (None, None), 1).await?.into_iter().next() else {
            return Ok(None);
        };
        // One from a time that is yet to come was made before a clock was put back: it must not hold up those behind it.
        let received = Day::of(first.received);
        let day = if received > today { today.plus(-1) } else { received };
        let reviewed = store::last_day(tx, today).await?;
        let day = reviewed.map_or(day, |reviewed| day.max(reviewed.plus(1)));
        Ok((day < today).then_some(Self { after, day, seed: None, looked: false, today }))
    }

    /// Whether a record that comes next belongs to the day.
    pub(crate) fn has(&self, record: &Record) -> bool {
        let received = Day::of(record.received);
        received <= self.day || received > self.today
    }
}

fn compliance(tenant: TenantId) -> Actor {
    Actor::system(System::COMPLIANCE, tenant, Origin::system("compliance"))
}

/// Opens the reviews of all days that are over; tells how many. What was done once is not done again. A tenant whose
/// reviews cannot be opened does not hold up the others.
pub async fn open_reviews(kernel: &Kernel) -> Result<usize, Box<dyn Problem>> {
    let mut opened = Ok(0);
    for (tenant, _) in kernel.tenants().await? {
        let more = open_of(kernel, &compliance(tenant)).await;
        opened = opened.and_then(|opened| Ok(opened + more?));
    }
    opened
}

async fn open_of(kernel: &Kernel, actor: &Actor) -> Result<usize, Box<dyn Problem>> {
    let mut opened = 0;
    while let Some(next) = due(kernel, actor).await? {
        match kernel.act(actor, OpenReviews { after: next.after }).await? {
            Outcome::Done(done) if done.changed => opened += done.opened,
            // Another process was faster; what is left is found the next time.
            Outcome::Done(_) | Outcome::Waiting(_) => break,
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
