//! What is due is sent. This happens outside of any act; what came of it is an act (I6). A process that ends between
//! the two sends again when it is back, with the same id.

use garrison_base::TenantId;
use garrison_kernel::{Actor, Kernel, KernelError, Origin, System};
use tokio::task::JoinSet;

use crate::acts::{DeliveryOutcome, SettleDelivery};
use crate::store::Due;
use crate::{Couriers, LOOK, store};

/// Sends what is due, once; tells how many deliveries were tried. Targets are served side by side, and the notices
/// of one target in turn. A target that fails is left alone until the next time: what waits for it would wait for
/// the same end.
pub async fn deliver(kernel: &Kernel, couriers: &Couriers) -> Result<usize, KernelError> {
    let mut rounds = JoinSet::new();
    for (tenant, _) in kernel.tenants().await? {
        for batch in due(kernel, tenant).await? {
            rounds.spawn(round(kernel.clone(), couriers.clone(), tenant, batch));
        }
    }
    let mut tried = 0;
    while let Some(ended) = rounds.join_next().await {
        match ended {
            Ok(count) => tried += count,
            Err(error) => tracing::error!(%error, "the deliveries of a target broke off"),
        }
    }
    Ok(tried)
}

/// What is due in a tenant, by target: what waits for one does not stand before what waits for another.
async fn due(kernel: &Kernel, tenant: TenantId) -> Result<Vec<Vec<Due>>, KernelError> {
    let mut tx = kernel.read(&notices(tenant, "deliver"), LOOK).await?;
    let (mut batches, mut last) = (Vec::new(), None);
    while let Some(target) = store::next_target(&mut tx, last.as_ref()).await? {
        batches.push(store::due(&mut tx, &target).await?);
        last = Some(target);
    }
    Ok(batches)
}

fn notices(tenant: TenantId, request: &str) -> Actor {
    Actor::system(System::NOTICES, tenant, Origin::system(request))
}

/// The notices of one target, in turn, until one fails.
async fn round(kernel: Kernel, couriers: Couriers, tenant: TenantId, batch: Vec<Due>) -> usize {
    let mut tried = 0;
    for due in batch {
        let (delivery, channel, target) = (due.id, due.channel, due.target.clone());
        let (couriers, now) = (couriers.clone(), kernel.now());
        let sent = tokio::task::spawn_blocking(move || couriers.carry(&due, now)).await;
        let outcome = match sent {
            Ok(Ok(())) => DeliveryOutcome::Sent,
            Ok(Err(why)) => DeliveryOutcome::Failed { why },
            Err(_) => DeliveryOutcome::Failed { why: "the attempt broke off".into() },
        };
        tried += 1;
        let failed = matches!(outcome, DeliveryOutcome::Failed { .. });
        if let DeliveryOutcome::Failed { why } = &outcome {
            let (to, why) = (target.as_str(), why.as_str());
            tracing::warn!(%delivery, %channel, to, why, "a notice could not be delivered");
        }
        let actor = notices(tenant, &delivery.to_string());
        if let Err(problem) = kernel.act(&actor, SettleDelivery { delivery, outcome }).await {
            tracing::error!(%delivery, why = %problem, "what came of a delivery could not be written down");
            break;
        }
        if failed {
            break;
        }
    }
    tried
}
