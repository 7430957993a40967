//! `garrison tenant`: on the machine itself, straight on the database.

use garrison_base::{Exit, NodeId, TenantId, id};
use garrison_kernel::{Kernel, Method, Origin, Problem as _};
use serde::Serialize;

use super::wait;
use crate::cli::{TenantCreateArgs, TenantListArgs};
use crate::output::{Column, Printer, Row};
use crate::{say, serve};

#[derive(Serialize)]
struct Tenant {
    id: TenantId,
    name: String,
}

impl Row for Tenant {
    const COLUMNS: &'static [Column] = &[Column::whole("ID", 30), Column::new("NAME", 20)];

    fn cells(&self) -> Vec<String> {
        vec![self.id.to_string(), self.name.clone()]
    }
}

#[derive(Serialize)]
struct Founded {
    id: TenantId,
    name: String,
    root: NodeId,
}

impl Row for Founded {
    const COLUMNS: &'static [Column] =
        &[Column::whole("ID", 30), Column::whole("NAME", 12), Column::new("ROOT", 31)];

    fn cells(&self) -> Vec<String> {
        vec![self.id.to_string(), self.name.clone(), self.root.to_string()]
    }
}

/// Where an act of these commands comes from: the command line of the machine itself.
pub fn origin(kernel: &Kernel) -> Origin {
    let request = id::encode(id::fresh(kernel.now(), kernel.entropy()));
    Origin { method: Method::Cli, ..Origin::system(format!("rq_{request}")) }
}

/// `garrison tenant create`
pub fn create(args: &TenantCreateArgs) -> anyhow::Result<Exit> {
    let config = args.config.load()?.config;
    let founded = wait(async {
        let (kernel, _) = serve::open(&config).await?;
        let founded = kernel.found_tenant(&args.name, origin(&kernel)).await;
        kernel.close().await;
        Ok(founded)
    })?;
    let (id, root) = match founded {
        Ok(ids) => ids,
        Err(error) => {
            say!("garrison: founding the tenant {}: {error}; {}", args.name, error.kind().advice);
            return Ok(error.kind().exit);
        }
    };
    let mut printer = Printer::stdout(args.output.output);
    printer.row(&Founded { id, name: args.name.to_string(), root })?;
    printer.finish::<Founded>()?;
    Ok(Exit::Ok)
}

/// `garrison tenant list`
pub fn list(args: &TenantListArgs) -> anyhow::Result<Exit> {
    let config = args.config.load()?.config;
    let tenants = wait(async {
        let (kernel, _) = serve::open(&config).await?;
        let tenants = kernel.tenants().await;
        kernel.close().await;
        Ok(tenants?)
    })?;
    let mut printer = Printer::stdout(args.output.output);
    for (id, name) in tenants {
        printer.row(&Tenant { id, name })?;
    }
    printer.finish::<Tenant>()?;
    Ok(Exit::Ok)
}
