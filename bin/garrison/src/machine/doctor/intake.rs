//! What logs rest on: the ports of syslog, room for as long as they are kept, and the clocks of the senders.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::time::{Duration, SystemTime};

use walkdir::WalkDir;

use super::{Check, size};
use crate::config::Config;
use crate::machine::wait;
use crate::serve;

const PORTS: &str = "syslog";
const ROOM: &str = "room for logs";
const CLOCKS: &str = "senders";

const DAY: Duration = Duration::from_hours(24);
/// Days for which logs should have room, and below which something must be done at once.
const ENOUGH: u64 = 30;
const FEW: u64 = 3;
/// Seconds by which a sender's clock may be off.
const SKEW: f64 = 60.0;

/// Everything about logs.
pub fn checks(config: &Config) -> Vec<Check> {
    let syslog = &config.intake.syslog;
    let mut checks = Vec::new();
    checks.extend(syslog.udp.map(|address| port("UDP", address, UdpSocket::bind(address).err())));
    checks.extend(syslog.tcp.map(|address| port("TCP", address, TcpListener::bind(address).err())));
    checks.extend(room(config));
    checks.extend(clocks(config));
    checks
}

fn port(kind: &str, address: SocketAddr, error: Option<std::io::Error>) -> Check {
    let named = format!("{kind} {address}");
    match error {
        None => {
            Check::ok(PORTS, format!("{named} is free: nobody takes syslog there before the server runs"))
        }
        Some(error) if error.kind() == ErrorKind::AddrInUse => {
            Check::ok(PORTS, format!("{named} is listened on"))
        }
        Some(error) => Check::fail(
            PORTS,
            format!("{named}: {error}"),
            "set `intake.syslog` to an address of this machine, and to a port above 1023",
        ),
    }
}

/// How long the disk lasts, when logs go on as in the last day.
fn room(config: &Config) -> Option<Check> {
    let disk = rustix::fs::statvfs(&config.data.dir).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let written = written_in_a_day(&config.data.dir.join("lake"))?;
    let days = free / written.max(1);
    let what = format!("{} came in the last day; {} are free: about {days} days", size(written), size(free));
    let fix = "nothing is removed by itself yet: move the data folder to a larger disk, or limit sources";
    Some(match days {
        ..FEW => Check::fail(ROOM, what, fix),
        FEW..ENOUGH => Check::warn(ROOM, what, fix),
        _ => Check::ok(ROOM, what),
    })
}

/// Bytes of files younger than a day; nothing where there are none.
#[expect(clippy::disallowed_methods, reason = "the age of files is told by the machine's own clock")]
fn written_in_a_day(dir: &Path) -> Option<u64> {
    let since = SystemTime::now().checked_sub(DAY)?;
    let files = WalkDir::new(dir).into_iter().filter_map(|entry| entry.ok()?.metadata().ok());
    let young = files.filter(|meta| meta.is_file() && meta.modified().is_ok_and(|at| at > since));
    Some(young.map(|meta| meta.len()).sum()).filter(|bytes| *bytes > 0)
}

/// Sources whose latest events claimed a time far from when they came.
fn clocks(config: &Config) -> Option<Check> {
    let skews = wait(async {
        let (kernel, _) = serve::open(config).await?;
        let skews = garrison_logs::skews(&kernel).await;
        kernel.close().await;
        anyhow::Ok(skews?)
    });
    // What is wrong with the database is told by its own check.
    let skews = skews.ok().filter(|skews| !skews.is_empty())?;
    let off: Vec<String> = skews
        .iter()
        .filter(|(_, seconds)| seconds.abs() > SKEW)
        .map(|(name, seconds)| format!("{name} by {seconds:.0} s"))
        .collect();
    let count = skews.len();
    Some(if off.is_empty() {
        Check::ok(CLOCKS, format!("the clocks of {count} sources agree with this machine's"))
    } else {
        let what = format!("clocks are off, or old events came: {}", off.join(", "));
        Check::warn(CLOCKS, what, "let the senders keep their time by NTP; events have both times")
    })
}
