//! How the server is told to stop.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Listens for SIGTERM and SIGINT from now on, so that none ends a server abruptly that has just said that it is ready. What
/// is returned cancels `stop` at the first of them, and is done at the second: whoever waits for this beside the server
/// ends at once then.
///
/// # Errors
/// Signals that cannot be listened for.
pub fn stop_signals(stop: CancellationToken) -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => {},
                _ = interrupt.recv() => {},
            }
        };
        next().await;
        stop.cancel();
        next().await;
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_signal_stops_and_the_second_ends() {
        let stop = CancellationToken::new();
        let mut signals = Box::pin(stop_signals(stop.clone()).unwrap());
        let kill = |signal: &str| {
            let command = format!("kill -{signal} {}", std::process::id());
            assert!(std::process::Command::new("sh").args(["-c", &command]).status().unwrap().success());
        };
        // Nobody waits for them yet; would they not be listened for, the test itself would end here.
        kill("TERM");
        tokio::select! {
            biased;
            () = &mut signals => panic!("it ended at the first"),
            () = stop.cancelled() => {}
        }
        kill("INT");
        signals.await;
    }
}
