//! The server of the demo: made, started, entered, killed, and removed with its folder.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, bail, ensure};

use super::client::Client;
use super::until;
use crate::say;

/// Its files are in a folder that goes when it goes.
pub struct Stage {
    dir: tempfile::TempDir,
    server: Child,
    interrupted: Arc<AtomicBool>,
    /// Where it is reached.
    pub url: String,
    /// Where it takes syslog.
    pub syslog: String,
}

impl Stage {
    /// Makes a Garrison and starts it.
    pub fn set(port: u16, syslog: u16) -> anyhow::Result<Self> {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, interrupted.clone()).context("watching for Ctrl-C")?;
        }
        let dir = tempfile::Builder::new().prefix("garrison-demo-").tempdir().context("making a folder")?;
        let (port, syslog) = (free(port, "--port")?, free(syslog, "--syslog-port")?);
        let made = garrison()?
            .args(["init", "--listen", &format!("127.0.0.1:{port}"), "--tenant", "shop"])
            .arg(dir.path().join("garrison"))
            .output()
            .context("running `garrison init`")?;
        ensure!(made.status.success(), "garrison init: {}", String::from_utf8_lossy(&made.stderr));
        // Whoever looks on stays logged in for as long as a session may last.
        let more = "[server]\ntls = \"off\"\n\n[session]\nidle_minutes = 720\nabsolute_hours = 720\n";
        configure(dir.path(), "demo.toml", more)?;
        let server = start(dir.path())?;
        Ok(Self {
            dir,
            server,
            interrupted,
            url: format!("http://127.0.0.1:{port}"),
            syslog: format!("127.0.0.1:{syslog}"),
        })
    }

    /// Makes the first administrator.
    pub fn enter(&mut self) -> anyhow::Result<Client> {
        let log = self.log();
        let link = until(|| {
            self.look_at_server()?;
            let said = fs::read_to_string(&log).unwrap_or_default();
            Ok(said.lines().filter(|_| said.contains("ready")).find_map(|line| {
                Some(line.trim().strip_prefix("http")?.rsplit_once("/activate/")?.1.to_owned())
            }))
        })?;
        let link = link.with_context(|| format!("the server did not start; {} tells why", log.display()))?;
        let mut client = Client::new(&self.url);
        client.activate(&link)?;
        write_private(&self.token_file(), client.session())?;
        Ok(client)
    }

    /// Starts the server again, now with syslog. Its source is at a node by then: one that nobody made is made at the root
    /// when syslog is taken for the first time.
    pub fn take_syslog(&mut self, client: &Client) -> anyhow::Result<()> {
        let more = format!("[intake.syslog]\nudp = \"{0}\"\ntcp = \"{0}\"\n", self.syslog);
        configure(self.dir.path(), "syslog.toml", &more)?;
        self.stop();
        self.server = start(self.dir.path())?;
        let up = until(|| {
            self.look_at_server()?;
            Ok(client.get("/api/v1/whoami").ok())
        })?;
        ensure!(up.is_some(), "the server did not start again; {} tells why", self.log().display());
        Ok(())
    }

    /// Kills the server without a word, and starts it again.
    pub fn kill_and_start(&mut self) -> anyhow::Result<()> {
        self.server.kill().context("killing the server")?;
        self.server.wait().context("waiting for the server")?;
        self.server = start(self.dir.path())?;
        Ok(())
    }

    /// An error where the server has ended.
    pub fn look_at_server(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.server.try_wait().context("looking at the server")? {
            self.show_log();
            bail!("the server ended: {status}");
        }
        Ok(())
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The session of the first administrator, for `GARRISON_TOKEN_FILE`.
    pub fn token_file(&self) -> PathBuf {
        self.dir.path().join("session")
    }

    /// Whether somebody pressed Ctrl-C.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Prints the end of what the server said.
    pub fn show_log(&self) {
        let said = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        for line in lines.iter().skip(lines.len().saturating_sub(30)) {
            say!("server: {line}");
        }
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("server.log")
    }

    /// Ends the server in order.
    fn stop(&mut self) {
        let _ = Command::new("kill").arg(self.server.id().to_string()).status();
        let _ = self.server.wait();
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // So that nothing is written into a folder that goes.
        self.stop();
    }
}

/// Writes a part of the configuration.
fn configure(dir: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let folder = dir.join("garrison/garrison.d");
    fs::create_dir_all(&folder).context("making a folder")?;
    fs::write(folder.join(name), text).context("writing the configuration")
}

fn garrison() -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("finding this program")?);
    command.stdin(Stdio::null());
    Ok(command)
}

fn start(dir: &Path) -> anyhow::Result<Child> {
    let log = fs::File::options().create(true).append(true).open(dir.join("server.log"));
    garrison()?
        .args(["serve", "--config"])
        .arg(dir.join("garrison/garrison.toml"))
        .stdout(Stdio::null())
        .stderr(log.context("making the server's log")?)
        .spawn()
        .context("starting the server")
}

/// The port, if nobody has it; any free one for 0.
fn free(port: u16, option: &str) -> anyhow::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", port))
        .with_context(|| format!("port {port} of this machine is taken; choose another by {option}"))?;
    Ok(listener.local_addr().context("asking for the port")?.port())
}

fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let file = fs::File::options().create(true).write(true).truncate(true).mode(0o600).open(path);
    std::io::Write::write_all(&mut file.context("making the session's file")?, text.as_bytes())
        .context("writing the session's file")
}
