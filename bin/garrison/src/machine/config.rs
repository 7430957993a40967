//! `garrison config`: check it, show it, its schema.

use std::io::{self, Write as _};

use garrison_base::Exit;
use serde::Serialize;

use crate::cli::{ConfigCheckArgs, ConfigShowArgs};
use crate::config::{Setting, schema};
use crate::output::{Column, Printer, Row};
use crate::say;

/// A file that was read, or why the configuration cannot be used.
#[derive(Serialize)]
struct Checked {
    state: &'static str,
    what: String,
}

impl Row for Checked {
    const COLUMNS: &'static [Column] = &[Column::new("STATE", 7), Column::new("WHAT", 40)];

    fn cells(&self) -> Vec<String> {
        vec![self.state.to_owned(), self.what.clone()]
    }
}

impl Row for Setting {
    const COLUMNS: &'static [Column] =
        &[Column::whole("KEY", 24), Column::whole("VALUE", 24), Column::new("ORIGIN", 16)];

    fn cells(&self) -> Vec<String> {
        vec![self.key.clone(), self.value.clone(), self.origin.clone().unwrap_or_default()]
    }
}

/// A key and its value.
#[derive(Serialize)]
#[serde(transparent)]
struct Plain(Setting);

impl Row for Plain {
    const COLUMNS: &'static [Column] = &[Column::whole("KEY", 24), Column::new("VALUE", 24)];

    fn cells(&self) -> Vec<String> {
        vec![self.0.key.clone(), self.0.value.clone()]
    }
}

/// `garrison config check`
pub fn check(args: &ConfigCheckArgs) -> anyhow::Result<Exit> {
    let mut printer = Printer::stdout(args.output.output);
    let exit = match args.config.load() {
        Ok(loaded) => {
            for file in &loaded.files {
                printer.row(&Checked { state: "ok", what: file.display().to_string() })?;
            }
            if loaded.files.is_empty() {
                say!("there is no configuration file: defaults count");
            }
            Exit::Ok
        }
        Err(error) => {
            printer.row(&Checked { state: "refused", what: format!("{error:#}") })?;
            Exit::Found
        }
    };
    printer.finish::<Checked>()?;
    Ok(exit)
}

/// `garrison config show`
pub fn show(args: &ConfigShowArgs) -> anyhow::Result<Exit> {
    let settings = args.config.load()?.show(args.origin)?;
    let mut printer = Printer::stdout(args.output.output);
    if args.origin {
        settings.iter().try_for_each(|setting| printer.row(setting))?;
        printer.finish::<Setting>()?;
    } else {
        settings.into_iter().try_for_each(|setting| printer.row(&Plain(setting)))?;
        printer.finish::<Plain>()?;
    }
    Ok(Exit::Ok)
}

/// `garrison config schema`
pub fn print_schema() -> anyhow::Result<Exit> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &schema()).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(Exit::Ok)
}
