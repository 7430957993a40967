//! `garrison recover`: whoever stands at the machine, and may read the key file, lets somebody in again.

use anyhow::Context as _;
use garrison_access::Recovery;
use garrison_base::Exit;
use serde::Serialize;

use super::{tenant, wait};
use crate::cli::RecoverArgs;
use crate::output::{Column, Printer, Row};
use crate::{say, serve};

#[derive(Serialize)]
struct Link {
    link: String,
    expires: garrison_base::Timestamp,
}

impl Row for Link {
    const COLUMNS: &'static [Column] = &[Column::whole("EXPIRES", 20), Column::new("LINK", 80)];

    fn cells(&self) -> Vec<String> {
        vec![format!("{:.0}", self.expires), self.link.clone()]
    }
}

/// `garrison recover`
pub fn run(args: &RecoverArgs) -> anyhow::Result<Exit> {
    let config = args.config.load()?.config;
    let limits = serve::limits(&config);
    let recovered = wait(async {
        let (kernel, _) = serve::open(&config).await?;
        let access = garrison_access::Access::new(kernel.clone(), limits);
        let tenants = kernel.tenants().await?;
        let wanted = |name: &str| args.tenant.as_ref().is_none_or(|wanted| wanted.as_str() == name);
        let (tenant, _) = tenants.iter().find(|(_, name)| wanted(name)).context("there is no such tenant")?;
        let recovery = Recovery { name: args.name.to_string(), administrator: args.administrator };
        let invited = access.recover(*tenant, recovery, tenant::origin(&kernel)).await;
        kernel.close().await;
        Ok(invited)
    })?;
    let invited = match recovered {
        Ok(invited) => invited,
        Err(problem) => {
            say!("garrison: recovering {}: {problem}; {}", args.name, problem.kind().advice);
            return Ok(problem.kind().exit);
        }
    };
    let mut printer = Printer::stdout(args.output.output);
    printer.row(&Link {
        link: format!("{}{}", config.server.origin(), invited.path),
        expires: invited.expires,
    })?;
    printer.finish::<Link>()?;
    say!("The link is good once, for 24 hours. Until it is used, what the person has counts.");
    Ok(Exit::Ok)
}
