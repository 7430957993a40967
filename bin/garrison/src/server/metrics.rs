//! What the server measures of itself, as Prometheus reads it.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::time::interval;

/// Upper ends of the ranges that durations are counted in, in seconds: from a query that hits a cache to a
/// search that someone waits for.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// How often values that were measured are added up, so that they do not pile up while nobody asks.
const UPKEEP: Duration = Duration::from_secs(5);

/// Linux counts the time of processes in hundredths of a second, whatever the machine (`USER_HZ`).
const TICKS: f64 = 100.0;

/// The measurements of this process. What any part of the program says through the `metrics` crate arrives
/// here.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Starts measuring.
    ///
    /// # Errors
    /// A second call.
    pub fn install() -> anyhow::Result<Self> {
        let recorder = builder()?.build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).map_err(|_| anyhow!("measuring has already begun"))?;
        Ok(Self(handle))
    }

    /// Everything measured, in the text format of Prometheus 0.0.4, and what the kernel says of this process.
    pub fn render(&self) -> String {
        let mut text = self.0.render();
        let version = env!("CARGO_PKG_VERSION");
        text.push_str(
            "# HELP garrison_build_info The version of the program\n# TYPE garrison_build_info gauge\n",
        );
        text.push_str(&format!("garrison_build_info{{version=\"{version}\"}} 1\n"));
        for (name, kind, help, value) in process() {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
        }
        text
    }

    /// Adds up what was measured, for ever. To be run beside the server.
    pub async fn keep_up(&self) {
        let mut often = interval(UPKEEP);
        loop {
            often.tick().await;
            self.0.run_upkeep();
        }
    }
}

fn builder() -> anyhow::Result<PrometheusBuilder> {
    PrometheusBuilder::new().set_buckets(&SECONDS).context("setting up the measurements")
}

/// Memory of this process that is in use, in bytes; nothing where the kernel does not tell.
pub fn resident_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// The names that Prometheus' own client libraries use. What the kernel does not tell is left out.
fn process() -> Vec<(&'static str, &'static str, &'static str, f64)> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let system = fs::read_to_string("/proc/stat").unwrap_or_default();
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    // The program's name, in parentheses, may hold anything; the fields behind it begin with the third.
    let fields: Vec<f64> = stat
        .rsplit_once(')')
        .map(|(_, fields)| fields.split_whitespace().map(|field| field.parse().unwrap_or(0.0)).collect())
        .unwrap_or_default();
    let field = |number: usize| fields.get(number.checked_sub(3)?).copied();
    let number = |text: &str, line: &str| {
        let rest = text.lines().find_map(|all| all.strip_prefix(line))?;
        rest.split_whitespace().next()?.parse::<f64>().ok()
    };
    // The folder itself is open while it is counted.
    let open = fs::read_dir("/proc/self/fd").ok().map(|files| files.count().saturating_sub(1));
    let open = open.and_then(|count| u32::try_from(count).ok()).map(f64::from);
    let started = || Some(number(&system, "btime")? + field(22)? / TICKS);
    let cpu = || Some((field(14)? + field(15)?) / TICKS);
    let values = [
        (
            "process_resident_memory_bytes",
            "gauge",
            "Memory that is in use, in bytes",
            number(&status, "VmRSS:").map(|kilobytes| kilobytes * 1024.0),
        ),
        ("process_threads", "gauge", "Threads", number(&status, "Threads:")),
        ("process_open_fds", "gauge", "Open files, connections among them", open),
        ("process_max_fds", "gauge", "Files that may be open", number(&limits, "Max open files")),
        ("process_cpu_seconds_total", "counter", "Time on processors, in seconds", cpu()),
        ("process_start_time_seconds", "gauge", "Start, in seconds since 1970", started()),
    ];
    values.into_iter().filter_map(|(name, kind, help, value)| Some((name, kind, help, value?))).collect()
}

#[cfg(test)]
mod tests {
    use garrison_base::{Clock as _, SystemClock};

    use super::*;

    #[test]
    fn what_was_said_is_rendered() {
        let recorder = builder().unwrap().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            metrics::counter!("garrison_requests_total", "route" => "/x\"y").increment(2);
            metrics::histogram!("garrison_request_seconds").record(0.02);
        });
        let text = Metrics(handle).render();
        for line in [
            "garrison_requests_total{route=\"/x\\\"y\"} 2",
            "garrison_request_seconds_bucket{le=\"0.01\"} 0",
            "garrison_request_seconds_bucket{le=\"0.025\"} 1",
            "garrison_request_seconds_count 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(text.contains("garrison_build_info{version=\""));
    }

    #[test]
    fn the_process_is_measured() {
        let value = |name: &str| process().into_iter().find(|row| row.0 == name).unwrap().3;
        let before = value("process_open_fds");
        let file = fs::File::open("/proc/self/status").unwrap();
        // Other tests open files at the same time; far more than these they do not.
        assert!((1.0..1000.0).contains(&before), "{before}");
        drop(file);
        let memory = value("process_resident_memory_bytes");
        assert!(memory > 1e6 && memory < 1e11, "{memory}");
        let resident = resident_memory().unwrap();
        assert!((1_000_000..100_000_000_000).contains(&resident), "{resident}");
        let now = SystemClock.now().as_duration().as_secs_f64();
        let started = value("process_start_time_seconds");
        assert!((now - 600.0..=now + 2.0).contains(&started), "{started} and now {now}");
        assert!(value("process_threads") >= 1.0);
        assert!(value("process_cpu_seconds_total") >= 0.0);
    }
}
