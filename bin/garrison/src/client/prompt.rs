//! Questions to whoever types the command, or to the script that feeds it.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use garrison_base::Exit;

use crate::client::failure::Failure;
use crate::output::printable;

/// Whether an interrupt (Ctrl-C) ends the process, as it usually does.
fn interrupts() -> anyhow::Result<Arc<AtomicBool>> {
    static USUAL: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    if let Some(usual) = USUAL.get() {
        return Ok(usual.clone());
    }
    let usual = Arc::new(AtomicBool::new(true));
    signal_hook::flag::register_conditional_default(signal_hook::consts::SIGINT, usual.clone())?;
    Ok(USUAL.get_or_init(|| usual).clone())
}

/// Asks on the terminal; where standard input is none, its lines are the answers, in the order of the
/// questions.
pub struct Prompt {
    terminal: bool,
}

impl Prompt {
    /// By what standard input is.
    pub fn new() -> Self {
        Self { terminal: io::stdin().is_terminal() }
    }

    /// Whether somebody sits there.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Asks for a line.
    pub fn line(&self, what: &str) -> anyhow::Result<String> {
        if self.terminal {
            let mut words = io::stderr().lock();
            write!(words, "{}: ", printable(what))?;
            words.flush()?;
        }
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line)? == 0 {
            return Err(Failure::usage(format!("the input ended where this was asked for: {what}")).into());
        }
        Ok(line.trim_end_matches(['\n', '\r']).to_owned())
    }

    /// Asks for what must not be seen.
    pub fn secret(&self, what: &str) -> anyhow::Result<String> {
        if !self.terminal {
            return self.line(what);
        }
        let usual = interrupts()?;
        // While nothing is echoed an interrupt must not end the process: the terminal is given back first.
        usual.store(false, Ordering::SeqCst);
        let typed = rpassword::prompt_password(format!("{}: ", printable(what)));
        usual.store(true, Ordering::SeqCst);
        typed.map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => Failure::new(Exit::Interrupted, "interrupted").into(),
            _ => error.into(),
        })
    }

    /// Asks for a new password: twice where nobody sees what is typed.
    pub fn new_password(&self) -> anyhow::Result<String> {
        loop {
            let first = self.secret("New password")?;
            if !self.terminal || self.secret("The same again")? == first {
                return Ok(first);
            }
            crate::say!("the two are not the same");
        }
    }

    /// Asks for yes or no; anything but yes is no.
    pub fn confirm(&self, what: &str) -> anyhow::Result<bool> {
        let answer = self.line(&format!("{what} [y/N]"))?;
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }
}
