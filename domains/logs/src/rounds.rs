//! What Garrison itself says about its sources: events that limits refused, and sources that fell silent. Both become
//! events of the source, so that rules see them like everything else.

use std::collections::HashSet;
use std::time::Duration;

use garrison_base::SourceId;
use serde_json::json;
use tokio::time::sleep;

use crate::intake::{Limit, Sender, Target};
use crate::model::Source;
use crate::{Logs, reads, store, system};
use garrison_decode::Events;

/// How often it is looked.
const ROUND: Duration = Duration::from_secs(10);
/// The sender of what Garrison says itself. No account has this name.
pub(crate) const OWN: &str = "sys_logs";

pub(crate) async fn run(logs: Logs) {
    let mut silent = HashSet::new();
    loop {
        if let Err(error) = logs.beat().await {
            tracing::warn!(%error, "it could not be noted that the server is there; it will count as an outage");
        }
        if logs.is_stopping() {
            return;
        }
        tokio::select! {
            // The last moment is noted before it ends.
            () = logs.stop().cancelled() => continue,
            () = sleep(ROUND) => {}
        }
        tell_refused(&logs).await;
        if let Err(error) = tell_silent(&logs, &mut silent).await {
            tracing::warn!(%error, "it is not known which sources are silent");
        }
    }
}

/// Tells of what was refused since the last time.
async fn tell_refused(logs: &Logs) {
    let mut news: Vec<(Target, Limit, u64)> = Vec::new();
    for meter in logs.intake().meters().values_mut() {
        let Some(target) = &meter.target else { continue };
        for (limit, count) in &meter.refused {
            let told = meter.told.entry(*limit).or_default();
            if *count > *told {
                news.push((target.clone(), *limit, *count - *told));
                *told = *count;
            }
        }
    }
    for (target, limit, count) in news {
        let what = if limit == Limit::Connections { "connections" } else { "events" };
        let event = json!({
            "timestamp": logs.0.kernel.now(), "program": "garrison", "event": "intake-refused",
            "source": target.origin.name, "limit": limit, "count": count,
            "message": format!("{count} {what} of the source {} were refused", target.origin.name),
        });
        say(logs, target, &event).await;
    }
}

/// Tells once of every source that should have said something by now.
async fn tell_silent(
    logs: &Logs,
    silent: &mut HashSet<SourceId>,
) -> Result<(), garrison_kernel::KernelError> {
    for (tenant, _) in logs.0.kernel.tenants().await? {
        let mut tx = logs.0.kernel.read(&system(tenant), reads::SOURCES).await?;
        let mut after = String::new();
        loop {
            let sources = store::sources(&mut tx, &after, 500).await?;
            let Some(last) = sources.last() else { break };
            after = last.name.to_string();
            for mut source in sources {
                logs.hear(tenant, &mut source);
                if !source.now.silent {
                    silent.remove(&source.id);
                } else if silent.insert(source.id)
                    && let Some(target) = store::target(&mut tx, source.name.as_str()).await?
                {
                    say(logs, target, &silence(&source)).await;
                }
            }
        }
    }
    Ok(())
}

fn silence(source: &Source) -> serde_json::Value {
    json!({
        "program": "garrison", "event": "source-silent", "source": source.name,
        "last_seen": source.last_seen,
        "message": format!("the source {} said nothing for {} minutes", source.name, source.silence_minutes.unwrap_or(0)),
    })
}

/// Adds an event of Garrison's own to a source.
async fn say(logs: &Logs, target: Target, event: &serde_json::Value) {
    let mut events = Events::default();
    events.push(event.to_string().as_bytes());
    let target = Target { rate: None, ..target };
    let sender = Sender { peer: None, account: Some(OWN.to_owned()) };
    if let Err(error) = logs.intake().take_quietly(&sender, target, events).await {
        tracing::warn!(%error, "an event about a source could not be kept");
    }
}
