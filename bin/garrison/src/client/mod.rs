//! Commands that speak with a running server, over the same API as everybody else.

mod access;
mod address;
mod alert;
mod approval;
mod audit;
mod console;
mod context;
mod context_command;
mod delivery;
mod evidence;
mod failure;
mod grant;
mod interrupt;
mod key;
mod log;
mod login;
mod people;
pub mod prompt;
mod resolve;
mod retention;
mod review;
mod row;
mod search;
mod session;
mod sheet;
mod source;
mod tree;
mod trust;
pub mod wire;

use std::fmt;

use garrison_base::Exit;
use serde_json::Value as Json;

use crate::cli::client::{ClientArgs, ClientCommand, KeyServerCommand, ListArgs, LogServerCommand};
use crate::output::{Format, Printer, Row};
use crate::say;
use context::Contexts;
use failure::Failure;
use row::Waiting;
use wire::{Answer, Trust, Wire};

/// The longest page that the server gives.
const PAGE: u64 = 500;

/// Runs a command on the server.
pub fn run(command: &ClientCommand) -> anyhow::Result<Exit> {
    told(match command {
        ClientCommand::Login(args) => login::run(args),
        ClientCommand::Logout(args) => session::log_out(&args.client),
        ClientCommand::Whoami(args) => session::whoami(&args.client),
        ClientCommand::Console(args) => console::run(args),
        ClientCommand::Context(command) => context_command::run(command),
        ClientCommand::Tree(command) => tree::run(command),
        ClientCommand::User(command) => people::user(command),
        ClientCommand::Service(command) => people::service(command),
        ClientCommand::Group(command) => people::group(command),
        ClientCommand::Post(command) => people::post(command),
        ClientCommand::Session(command) => session::run(command),
        ClientCommand::Password(command) => session::password(command),
        ClientCommand::Token(command) => session::token(command),
        ClientCommand::Grant(command) => grant::run(command),
        ClientCommand::Approval(command) => approval::run(command),
        ClientCommand::ApprovalRule(command) => approval::rule(command),
        ClientCommand::Access(command) => access::run(command),
        ClientCommand::Audit(command) => audit::run(command),
        ClientCommand::Evidence(command) => evidence::run(command),
        ClientCommand::Review(command) => review::run(command),
        ClientCommand::Source(command) => source::run(command),
        ClientCommand::Retention(command) => retention::run(command),
        ClientCommand::Hold(command) => retention::hold(command),
        ClientCommand::Search(command) => search::run(command),
        ClientCommand::Alert(command) => alert::run(command),
        ClientCommand::Delivery(command) => delivery::run(command),
    })
}

/// Runs a command on the logs of the server.
pub fn run_log(command: &LogServerCommand) -> anyhow::Result<Exit> {
    told(log::run(command))
}

/// Runs a command on the keys of the server.
pub fn run_key(command: &KeyServerCommand) -> anyhow::Result<Exit> {
    told(key::run(command))
}

/// Tells a failure that has an exit code of its own, line by line: a detail may point at a place.
fn told(done: anyhow::Result<Exit>) -> anyhow::Result<Exit> {
    done.or_else(|error| match failure::exit_of(&error) {
        Some(exit) => {
            for line in format!("garrison: {error:#}").lines() {
                say!("{line}");
            }
            Ok(exit)
        }
        None => Err(error),
    })
}

/// A server that one is logged in to, and how its answers are printed.
struct Client {
    wire: Wire,
    format: Format,
}

impl Client {
    /// The server of the context, or of the environment.
    fn open(args: &ClientArgs) -> anyhow::Result<Self> {
        let target = Contexts::read(&context::path()?)?.target(args.context.as_deref())?;
        let missing = || {
            let words =
                format!("nobody is logged in to {}; `garrison login` does that", target.address.as_str());
            Failure::new(Exit::Denied, words)
        };
        let secret = target.secret.clone().ok_or_else(missing)?;
        let trust = target.authority.as_deref().map_or(Trust::System, Trust::Only);
        let wire = Wire::new(target.address.clone(), &trust, Some(secret))?;
        Ok(Self { wire, format: args.output.output })
    }

    /// Asks a question.
    fn get(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Json> {
        self.wire.get(path, query)
    }

    /// Asks for one thing, and prints it.
    fn show<R: Row + From<Json>>(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Exit> {
        row::print(self.format, &R::from(self.get(path, query)?))?;
        Ok(Exit::Ok)
    }

    /// Asks for a short list, and prints it.
    fn all<R: Row + From<Json>>(&self, path: &str) -> anyhow::Result<Exit> {
        let items = match self.get(path, &[])? {
            Json::Array(items) => items,
            other => vec![other],
        };
        row::print_all(self.format, items.into_iter().map(R::from))
    }

    /// Asks for the pages of a list, and prints what comes until there is enough.
    fn list<R: Row + From<Json>>(
        &self,
        path: &str,
        query: &[(&str, Option<&str>)],
        args: &ListArgs,
    ) -> anyhow::Result<Exit> {
        let mut printer = Printer::stdout(self.format);
        let query: Vec<_> = query.iter().filter_map(|(name, value)| Some((*name, (*value)?))).collect();
        self.pages(path, &query, args.limit, |item| Ok(printer.row(&R::from(item))?))?;
        printer.finish::<R>()?;
        Ok(Exit::Ok)
    }

    /// Hands over the items of a list, page by page, until there are `limit`; 0 means all.
    fn pages(
        &self,
        path: &str,
        query: &[(&str, &str)],
        limit: u64,
        mut item: impl FnMut(Json) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut left = if limit == 0 { u64::MAX } else { limit };
        let mut next: Option<String> = None;
        loop {
            let size = left.min(PAGE).to_string();
            let mut asked = query.to_vec();
            asked.push(("limit", &size));
            if let Some(next) = &next {
                asked.push(("cursor", next));
            }
            let mut page = self.get(path, &asked)?;
            if let Some(Json::Array(items)) = page.get_mut("items").map(Json::take) {
                for one in items {
                    item(one)?;
                    left = left.saturating_sub(1);
                }
            }
            next = page.get("next").and_then(Json::as_str).map(str::to_owned);
            if next.is_none() || left == 0 {
                return Ok(());
            }
        }
    }

    /// Performs an act; `None` where it waits for approvals, which was told then.
    fn perform(&self, path: &str, body: &Json) -> anyhow::Result<Option<Json>> {
        match self.wire.act(path, body)? {
            Answer::Done(output) => Ok(Some(output)),
            Answer::Waiting(id) => {
                say!("it waits for approval: {id}; `garrison approval show {id}` tells what it needs");
                row::print(self.format, &Waiting::from(serde_json::json!({ "approval": id })))?;
                Ok(None)
            }
        }
    }

    /// Performs an act, and prints what came of it.
    fn act<R: Row + From<Json>>(&self, path: &str, body: &Json) -> anyhow::Result<Exit> {
        let Some(output) = self.perform(path, body)? else { return Ok(Exit::Waiting) };
        row::print(self.format, &R::from(output))?;
        Ok(Exit::Ok)
    }

    /// Performs an act that brings a secret: a person gets it alone, a program with what belongs to it.
    fn reveal<R: Row + From<Json>>(
        &self,
        (path, body): (&str, &Json),
        finish: impl FnOnce(&mut Json),
        secret: &str,
    ) -> anyhow::Result<Exit> {
        let Some(mut output) = self.perform(path, body)? else { return Ok(Exit::Waiting) };
        finish(&mut output);
        if self.format != Format::Table {
            row::print(self.format, &R::from(output))?;
            return Ok(Exit::Ok);
        }
        say!("this is shown once; it ends {}:", row::cell(&output, "/expires"));
        row::print_lines(&[row::cell(&output, secret)])
    }
}

/// The text at a pointer of an answer.
fn text(answer: &Json, pointer: &str) -> anyhow::Result<String> {
    let found = answer.pointer(pointer).and_then(Json::as_str).map(str::to_owned);
    found.ok_or_else(|| anyhow::anyhow!("the server's answer has no {pointer}: is it of another version?"))
}

/// An error with what was looked for.
fn looking<T>(found: anyhow::Result<T>, kind: &str, name: impl fmt::Display) -> anyhow::Result<T> {
    found.map_err(|error| error.context(format!("the {kind} `{name}`")))
}
