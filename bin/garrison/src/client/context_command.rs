//! `garrison context`: the servers that are known here. Nothing is asked of any of them.

use garrison_base::Exit;
use serde_json::json;

use crate::cli::client::ContextCommand;
use crate::client::context::{self, Context, Contexts};
use crate::client::row::{self, rows};
use crate::server::tls::fingerprint;

rows! {
    /// A context, without its secret.
    Known {
        "NAME" 16 "/name" "CURRENT" 7 "/current" "URL" 30 "/url" "LOGGED IN" 9 "/logged_in" "TENANT" 10 "/tenant"
        "AUTHORITY" 20 "/authority"
    }
}

/// `garrison context`
pub fn run(command: &ContextCommand) -> anyhow::Result<Exit> {
    let path = context::path()?;
    match command {
        ContextCommand::List(args) => {
            let known = Contexts::read(&path)?;
            let rows = known.contexts.iter().map(|(name, context)| view(name, context, &known));
            row::print_all(args.output.output, rows)
        }
        ContextCommand::Use(args) => {
            let row = Contexts::change(&path, |contexts| {
                contexts.named(&args.name)?;
                contexts.current = Some(args.name.clone());
                Ok(view(&args.name, contexts.named(&args.name)?, contexts))
            })?;
            row::print_all(args.output.output, [row])
        }
        ContextCommand::Remove(args) => {
            let row = Contexts::change(&path, |contexts| {
                let row = view(&args.name, contexts.named(&args.name)?, contexts);
                contexts.contexts.remove(&args.name);
                contexts.current = contexts.current.take().filter(|current| *current != args.name);
                Ok(row)
            })?;
            row::print_all(args.output.output, [row])
        }
    }
}

fn view(name: &str, context: &Context, contexts: &Contexts) -> Known {
    let authority = context.authority.as_deref().map(|pem| fingerprint(pem).unwrap_or_default());
    Known::from(json!({
        "name": name,
        "current": contexts.current.as_deref() == Some(name),
        "url": context.url,
        "tenant": context.tenant,
        "logged_in": context.session.is_some(),
        "authority": authority,
    }))
}
