//! How the server is told to stop.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancels `stop` at the first SIGTERM or SIGINT, and returns at the second: whoever waits for this beside
/// the server ends at once then.
///
/// # Errors
/// Signals that cannot be listened for.
pub async fn stop_signals(stop: CancellationToken) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut next = async || {
        tokio::select! {
            _ = terminate.recv() => {},
            _ = interrupt.recv() => {},
        }
    };
    next().await;
    stop.cancel();
    next().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn the_first_signal_stops_and_the_second_ends() {
        let stop = CancellationToken::new();
        let mut signals = Box::pin(stop_signals(stop.clone()));
        // Polled once, so that the signals do not end the tests themselves.
        assert!(timeout(Duration::ZERO, &mut signals).await.is_err());
        let kill = |signal: &str| {
            let command = format!("kill -{signal} {}", std::process::id());
            assert!(std::process::Command::new("sh").args(["-c", &command]).status().unwrap().success());
        };
        kill("TERM");
        tokio::select! {
            biased;
            _ = &mut signals => panic!("it ended at the first"),
            () = stop.cancelled() => {}
        }
        kill("INT");
        signals.await.unwrap();
    }
}
