//! `garrison version`.

use garrison_base::Exit;
use serde::Serialize;

use crate::cli::VersionArgs;
use crate::output::{Column, Printer, Row};

#[derive(Serialize)]
struct Version {
    name: &'static str,
    version: &'static str,
}

impl Row for Version {
    const COLUMNS: &'static [Column] = &[Column::new("NAME", 10), Column::new("VERSION", 10)];

    fn cells(&self) -> Vec<String> {
        vec![self.name.to_owned(), self.version.to_owned()]
    }
}

pub fn run(args: &VersionArgs) -> anyhow::Result<Exit> {
    let mut printer = Printer::stdout(args.output.output);
    printer.row(&Version { name: "garrison", version: env!("CARGO_PKG_VERSION") })?;
    printer.finish::<Version>()?;
    Ok(Exit::Ok)
}
