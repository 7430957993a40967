use std::collections::BTreeMap;

use garrison_base::{Day, NodeId, ReviewId};
use garrison_kernel::{
    Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Record, Summary, Verb, WriteTx,
};
use serde::{Deserialize, Serialize};

use crate::OVERDUE;
use crate::choice::{self, Seed};
use crate::model::{ItemReason, Progress, RECORDS, REVIEWS, Review, ReviewItem, ReviewState, Stage};
use crate::opening::Next;
use crate::store::{self, tampered};

/// Looks through the next thousand records of a day that is over, and puts what they tell into the reviews of their
/// nodes. With the last of them the reviews of the day are opened, 500 in one act. Compliance's own act: how far it came is
/// moved in the same transaction, so that doing it again does nothing.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenReviews {
    /// The number of the last record that was looked at before.
    pub after: i64,
}

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Opened {
    /// Whether anything is different now.
    pub changed: bool,
    /// How many reviews were opened.
    pub opened: usize,
}

impl Act for OpenReviews {
    const VERB: Verb = Verb::new("review:open");
    type Output = Opened;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("look through the records behind number {}", self.after)))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let next = Next::find(&mut tx.read()).await?.filter(|next| next.after == self.after);
        let Some(next) = next else {
            let words = format!("nothing: what comes behind record {} is not due, or was done", self.after);
            return Ok(Done::new(Opened::default(), Summary::of(words), ()));
        };
        let day = next.day;
        let seed = next.seed.unwrap_or_else(|| Seed::draw(tx.entropy()));
        // Where the first reviews of the day are open, what came meanwhile is for the next day.
        let most = if next.looked { 0 } else { RECORDS };
        let page = tx.read().records_after(next.after, (None, None), most).await?;
        let records = page.iter().map(|(record, _)| record);
        let records: Vec<&Record> = records.take_while(|record| next.has(record)).collect();
        let last = records.len() < page.len() || i64::try_from(page.len()).is_ok_and(|found| found < RECORDS);
        gather(permit, tx, (day, seed), &records).await?;
        let (opened, stage) = if last { complete(tx).await? } else { (0, Stage::Looking) };
        let seq = records.last().map_or(next.after, |record| record.seq);
        store::put_progress(tx, &Progress { day, seq, seed, stage }).await?;
        let words = format!(
            "looked through {} records up to {seq} for the reviews of {day}, whose sample is chosen by {seed}; opened {opened}",
            records.len()
        );
        Ok(Done::new(Opened { changed: true, opened }, Summary::of(words), ()))
    }
}

/// Puts records into the reviews of their nodes.
async fn gather(
    permit: &Permit<OpenReviews>,
    tx: &mut WriteTx<'_>,
    (day, seed): (Day, Seed),
    records: &[&Record],
) -> Result<(), KernelError> {
    let mut nodes: BTreeMap<NodeId, Vec<&Record>> = BTreeMap::new();
    for record in records.iter().filter(|record| choice::counts(record)) {
        // Records of a node that is gone are seen where it went.
        let node = tx.read().living(record.node).unwrap_or(permit.node());
        nodes.entry(node).or_default().push(record);
    }
    for (node, records) in nodes {
        let mut review = match store::review_of(&mut tx.read(), (node, day)).await? {
            Some(review) if review.state == ReviewState::Gathering => review,
            Some(review) => {
                return Err(tampered(
                    "compliance_progress",
                    format!("behind {}, which is complete", review.id),
                ));
            }
            None => {
                let id = ReviewId::new(permit.now(), tx.entropy());
                tx.register(&id.into(), node, None).await?;
                Review::begun(id, (node, day), seed, permit.now())
            }
        };
        for record in records {
            if let Some(reason) = review.take(record) {
                let item = ReviewItem::of(&tx.read(), &review, record, reason);
                store::put_item(tx, &item).await?;
            }
        }
        store::put_review(tx, &review).await?;
    }
    Ok(())
}

/// Opens reviews whose day was looked through; tells how many, and how far the day is.
async fn complete(tx: &mut WriteTx<'_>) -> Result<(usize, Stage), KernelError> {
    let reviews = store::gathering(&mut tx.read(), REVIEWS).await?;
    let opened = reviews.len();
    for mut review in reviews {
        // Of whatever else was done, an auditor sees something.
        if let Some(seq) = review.nearest.filter(|_| review.sampled == 0) {
            let record = tx.read().record(seq).await?;
            review.put(ItemReason::Sample);
            let item = ReviewItem::of(&tx.read(), &review, &record, ItemReason::Sample);
            store::put_item(tx, &item).await?;
        }
        review.state = ReviewState::Open;
        store::put_review(tx, &review).await?;
        tx.remind(OVERDUE, &review.id.into(), review.due).await?;
    }
    let all = i64::try_from(opened).is_ok_and(|opened| opened < REVIEWS);
    Ok((opened, if all { Stage::Whole } else { Stage::Opening }))
}
