//! What the server says of itself: lines on standard error.

use std::io::{self, IsTerminal as _};

use anyhow::Context as _;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::{MakeWriter, fmt};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Log, LogFormat};

/// Starts the log of this process, also for libraries that write to the `log` crate. Call it once, before
/// anything is logged.
///
/// # Errors
/// A level that is none, a second call.
pub fn start(log: &Log) -> anyhow::Result<()> {
    let subscriber = subscriber(log, io::stderr, io::stderr().is_terminal())?;
    subscriber.try_init().context("starting the log")
}

/// Lines as `log` wants them, with times in UTC. Control characters in what strangers sent are escaped.
/// Colours are for terminals, and not where `NO_COLOR` is set.
fn subscriber<W>(log: &Log, writer: W, colours: bool) -> anyhow::Result<Box<dyn Subscriber + Send + Sync>>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::builder()
        .parse(&log.level)
        .with_context(|| format!("`log.level` {:?} cannot be used", log.level))?;
    // Where the log itself cannot be written, nothing can be said of it, and requests go on.
    let lines = fmt().with_env_filter(filter).with_writer(writer).log_internal_errors(false);
    Ok(match log.format {
        LogFormat::Text if colours => Box::new(lines.finish()),
        LogFormat::Text => Box::new(lines.with_ansi(false).finish()),
        LogFormat::Json => Box::new(lines.json().flatten_event(true).with_span_list(false).finish()),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, level: &str, act: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let log = Log { format, level: level.to_owned() };
        tracing::subscriber::with_default(subscriber(&log, move || writer.clone(), false).unwrap(), act);
        String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn text_is_one_line_an_event_whatever_a_stranger_sent() {
        let text = logged(LogFormat::Text, "info", || {
            tracing::info!(user = "eve\nINFO all is well\u{1b}[2J", "login failed");
            tracing::debug!("not asked for");
        });
        assert_eq!(text.lines().count(), 1, "{text:?}");
        assert!(text.contains("INFO") && text.contains("login failed"), "{text:?}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }

    #[test]
    fn json_is_one_object_a_line() {
        let text = logged(LogFormat::Json, "warn,h1=debug,garrison=debug", || {
            let span = tracing::info_span!("request", id = 7);
            let _entered = span.enter();
            tracing::debug!(count = 3, "three\nlines");
        });
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&line["level"], &line["message"], &line["count"]),
            (&"DEBUG".into(), &"three\nlines".into(), &3.into())
        );
        assert_eq!(line["span"]["id"], 7);
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn a_level_that_is_none_is_refused() {
        let log = Log { level: "garrison=loud".to_owned(), ..Log::default() };
        let Err(error) = subscriber(&log, io::sink, false) else { panic!("it was taken") };
        assert!(error.to_string().contains("garrison=loud"));
    }
}
