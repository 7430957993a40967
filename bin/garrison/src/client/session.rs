//! `garrison whoami`, `logout`, `session`, `password` and `token`.

use anyhow::Context as _;
use garrison_base::Exit;
use serde_json::{Value as Json, json};

use crate::cli::client::{ClientArgs, PasswordCommand, SessionCommand, TokenCommand};
use crate::client::address::Address;
use crate::client::context::{self, Contexts};
use crate::client::failure::{Failure, exit_of};
use crate::client::prompt::Prompt;
use crate::client::row::{self, Changed, Ended, rows};
use crate::client::wire::{Trust, Wire};
use crate::client::{Client, text};
use crate::say;

rows! {
    /// Who one is.
    Me {
        "NAME" 16 "/name" "KIND" 8 "/kind" "ID" 30 "/id" "TENANT" 30 "/tenant" "SESSION" 30 "/session"
        "ADDRESS" 15 "/address"
    }
    /// Where one was logged in.
    LoggedOut { "CONTEXT" 16 "/context" "ENDED" 5 "/ended" }
    /// A session.
    Session {
        "ID" 30 "/id" "KIND" 4 "/kind" "ADDRESS" 15 "/address" "CREATED" 20 "/created" "USED" 20 "/used"
        "IDLE UNTIL" 20 "/idle_until" "UNTIL" 20 "/absolute_until" "AGENT" 20 "/agent"
    }
    /// A token, without its secret.
    Token {
        "ID" 30 "/id" "NAME" 16 "/name" "ACTOR" 30 "/actor" "NODE" 31 "/node" "EXPIRES" 20 "/expires"
        "VERBS" 20 "/verbs"
    }
    /// A token that was made.
    NewToken { "ID" 30 "/id" "TOKEN" 40 "/token" "EXPIRES" 20 "/expires" }
}

/// `garrison whoami`
pub fn whoami(args: &ClientArgs) -> anyhow::Result<Exit> {
    Client::open(args)?.show::<Me>("whoami", &[])
}

/// `garrison logout`: the session ends on the server, then it is forgotten here.
pub fn log_out(args: &ClientArgs) -> anyhow::Result<Exit> {
    let path = context::path()?;
    let contexts = Contexts::read(&path)?;
    let missing = || Failure::new(Exit::Denied, "nobody is logged in");
    let (name, known) = contexts.chosen(args.context.as_deref())?.ok_or_else(missing)?;
    let session = known.session.clone().ok_or_else(missing)?;
    let trust = known.authority.as_deref().map_or(Trust::System, Trust::Only);
    let wire = Wire::new(Address::parse(&known.url)?, &trust, Some(session))?;
    let ended = match wire.get("whoami", &[]) {
        Ok(me) => {
            wire.act("session/end", &json!({ "session": text(&me, "/session")? }))?;
            true
        }
        // It has ended by itself.
        Err(error) if exit_of(&error) == Some(Exit::Denied) => false,
        Err(error) => return Err(error.context("the session could not be ended, and is kept")),
    };
    Contexts::change(&path, |contexts| {
        if let Some(context) = contexts.contexts.get_mut(name) {
            context.session = None;
        }
        Ok(())
    })?;
    say!("logged out of {}", known.url);
    row::print(args.output.output, &LoggedOut::from(json!({ "context": name, "ended": ended })))?;
    Ok(Exit::Ok)
}

/// `garrison session`
pub fn run(command: &SessionCommand) -> anyhow::Result<Exit> {
    match command {
        SessionCommand::List(args) => Client::open(&args.client)?.all::<Session>("session"),
        SessionCommand::End(args) => {
            let client = Client::open(&args.client)?;
            client.act::<Ended>("session/end", &json!({ "session": args.session }))
        }
    }
}

/// The sessions of a person.
pub(super) fn of_person(client: &Client, who: &str) -> anyhow::Result<Exit> {
    client.all::<Session>(&format!("person/{}/session", client.person(who)?))
}

/// `garrison password`
pub fn password(command: &PasswordCommand) -> anyhow::Result<Exit> {
    let PasswordCommand::Change(args) = command;
    let client = Client::open(&args.client)?;
    let prompt = Prompt::new();
    let current = prompt.secret("Password that counts now")?;
    let new = prompt.new_password()?;
    client.wire.step("password/change", &json!({ "current": current, "new": new }))?;
    say!("the password was changed; your other sessions have ended");
    row::print(client.format, &Changed::from(json!({ "changed": true })))?;
    Ok(Exit::Ok)
}

/// `garrison token`
pub fn token(command: &TokenCommand) -> anyhow::Result<Exit> {
    match command {
        TokenCommand::List(args) => {
            let client = Client::open(&args.client)?;
            let actor = args.actor.as_deref().map(|who| client.actor(who)).transpose()?;
            let query: Vec<_> = actor.iter().map(|actor| ("actor", actor.as_str())).collect();
            let items = client.get("token", &query)?;
            let items = items.as_array().cloned().context("the server's answer is no list")?;
            row::print_all(client.format, items.into_iter().map(Token::from))
        }
        TokenCommand::Create(args) => {
            let client = Client::open(&args.client)?;
            let body = json!({
                "actor": client.actor(&args.actor)?,
                "name": args.name,
                "verbs": args.verbs,
                "node": client.node(&args.node)?,
                "days": args.days,
            });
            client.reveal::<NewToken>(("token/create", &body), |_: &mut Json| {}, "/token")
        }
        TokenCommand::End(args) => {
            let client = Client::open(&args.client)?;
            client.act::<Ended>("token/end", &json!({ "token": args.token }))
        }
    }
}
