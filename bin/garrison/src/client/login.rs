//! `garrison login`: one step after another, as the server asks for them.

use anyhow::Context as _;
use garrison_base::Exit;
use qrcode::QrCode;
use qrcode::render::unicode;
use serde_json::{Value as Json, json};

use crate::cli::client::LoginArgs;
use crate::client::address::Address;
use crate::client::context::{self, Context, Contexts, variable};
use crate::client::failure::{Failure, is};
use crate::client::prompt::Prompt;
use crate::client::row::{self, rows};
use crate::client::text;
use crate::client::trust::{self, Before};
use crate::client::wire::{Trust, Wire};
use crate::output::Format;
use crate::say;

/// What is longer than a code of the app is a recovery code.
const CODE: usize = 8;

rows! {
    /// Where one is logged in now.
    LoggedIn { "CONTEXT" 16 "/context" "URL" 30 "/url" "NAME" 16 "/name" }
    /// A code for the day when the app is lost.
    Recovery { "RECOVERY CODE" 20 "/recovery_code" }
}

/// Where the login goes, and what for.
struct Plan {
    address: Address,
    invitation: Option<String>,
    context: String,
    before: Option<Context>,
}

/// `garrison login`
pub fn run(args: &LoginArgs) -> anyhow::Result<Exit> {
    let path = context::path()?;
    let plan = plan(args, &Contexts::read(&path)?)?;
    let prompt = Prompt::new();
    let before = Before { file: args.ca.as_deref(), trust: args.trust.as_deref(), known: authority(&plan)? };
    let authority = trust::decide(&plan.address, before, &prompt)?;
    let trust = authority.as_deref().map_or(Trust::System, Trust::Only);
    let wire = Wire::new(plan.address.clone(), &trust, None)?;
    let tenant = args.tenant.clone().or_else(|| plan.before.as_ref()?.tenant.clone());
    let mut login = Login { wire: &wire, prompt: &prompt };
    let begun = login.begin(args, &plan, tenant.as_deref())?;
    let done = login.go_on(begun)?;
    let session = text(&done, "/session")?;
    let known = Wire::new(plan.address.clone(), &trust, Some(session.clone()))?;
    let name = text(&known.get("whoami", &[])?, "/name")?;
    let context =
        Context { url: plan.address.as_str().to_owned(), tenant, authority, session: Some(session) };
    Contexts::change(&path, |contexts| {
        contexts.contexts.insert(plan.context.clone(), context);
        contexts.current = Some(plan.context.clone());
        Ok(())
    })?;
    say!("logged in to {} as {name}; this is the context `{}` now", plan.address.as_str(), plan.context);
    let row = json!({ "context": plan.context, "url": plan.address.as_str(), "name": name });
    print(&done, row, args.client.output.output)
}

/// A person who was set up gets the recovery codes, everybody else the context.
fn print(done: &Json, row: Json, format: Format) -> anyhow::Result<Exit> {
    let codes: Vec<&str> = done
        .get("recovery_codes")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .collect();
    if codes.is_empty() {
        row::print(format, &LoggedIn::from(row))?;
        return Ok(Exit::Ok);
    }
    say!(
        "Recovery codes, for the day when the authenticator app is lost. They are shown this once; each counts once:"
    );
    if format == Format::Table {
        return row::print_lines(&codes.into_iter().map(str::to_owned).collect::<Vec<_>>());
    }
    row::print_all(format, codes.into_iter().map(|code| Recovery::from(json!({ "recovery_code": code }))))
}

fn plan(args: &LoginArgs, contexts: &Contexts) -> anyhow::Result<Plan> {
    let asked = args.client.context.as_deref();
    // A name that is new is what the context will be called.
    let chosen = match contexts.chosen(asked) {
        Err(failure) if failure.exit == Exit::NotFound => None,
        chosen => chosen?,
    };
    let (linked, invitation) = args.link.as_deref().map(Address::parse_link).transpose()?.unzip();
    let named = args.url.clone().or_else(|| variable("GARRISON_URL"));
    let named = named.map(|url| Address::parse(&url)).transpose()?;
    let known = chosen.map(|(_, context)| Address::parse(&context.url)).transpose()?;
    let address = linked
        .or(named)
        .or(known)
        .ok_or_else(|| Failure::usage("which server? Give its address: garrison login https://NAME:8443"))?;
    let name = asked.map_or_else(|| name(contexts, &address), str::to_owned);
    let before = contexts.contexts.get(&name).filter(|context| context.url == address.as_str()).cloned();
    Ok(Plan { address, invitation, context: name, before })
}

/// The context of a server: the one it has, else a new one that is called as its host.
fn name(contexts: &Contexts, address: &Address) -> String {
    let is_there = |name: &&String| contexts.contexts.get(*name).is_some_and(|it| it.url == address.as_str());
    if let Some(name) =
        contexts.current.as_ref().filter(is_there).or_else(|| contexts.contexts.keys().find(is_there))
    {
        return name.clone();
    }
    let [host, whole] = address.names();
    if contexts.contexts.contains_key(&host) { whole } else { host }
}

fn authority(plan: &Plan) -> anyhow::Result<Option<String>> {
    match variable("GARRISON_CA") {
        Some(path) => {
            let read = std::fs::read_to_string(&path);
            read.map(Some).with_context(|| format!("reading GARRISON_CA, {path}"))
        }
        None => Ok(plan.before.as_ref().and_then(|context| context.authority.clone())),
    }
}

/// A login on its way.
struct Login<'a> {
    wire: &'a Wire,
    prompt: &'a Prompt,
}

impl Login<'_> {
    fn begin(&self, args: &LoginArgs, plan: &Plan, tenant: Option<&str>) -> anyhow::Result<Json> {
        let Some(invitation) = &plan.invitation else {
            let name = match &args.name {
                Some(name) => name.clone(),
                None => self.prompt.line("Name")?,
            };
            let mut begin = json!({ "name": name, "kind": "cli" });
            if let (Some(tenant), Some(members)) = (tenant, begin.as_object_mut()) {
                members.insert("tenant".to_owned(), tenant.into());
            }
            return self.wire.step("login/begin", &begin);
        };
        let mut begin = json!({ "invitation": invitation, "kind": "cli" });
        let begun = self.wire.step("login/begin", &begin);
        match begun {
            // Only the link of a tenant where nobody is known yet asks who it is.
            Err(error) if is(&error, "request/invalid") && error.to_string().contains("profile:") => {
                let profile = self.profile(args.name.as_deref())?;
                if let Some(members) = begin.as_object_mut() {
                    members.insert("profile".to_owned(), profile);
                }
                self.wire.step("login/begin", &begin)
            }
            begun => begun,
        }
    }

    fn profile(&self, name: Option<&str>) -> anyhow::Result<Json> {
        say!("You will be the first administrator. Who are you?");
        let name = match name {
            Some(name) => name.to_owned(),
            None => self.prompt.line("Name to log in with (a-z, 0-9, `.`, `_`, `-`)")?,
        };
        let full_name = self.prompt.line("Full name")?;
        let email = self.prompt.line("E-mail")?;
        Ok(json!({ "name": name, "full_name": full_name, "email": email }))
    }

    /// Answers what is asked for, until nothing is.
    fn go_on(&mut self, mut stepped: Json) -> anyhow::Result<Json> {
        loop {
            let next = text(&stepped, "/next")?;
            if next == "done" {
                return Ok(stepped);
            }
            if let Some(enrolment) = stepped.get("enrolment") {
                let uri = text(enrolment, "/uri")?;
                say!("Scan this with an authenticator app, or give it the address or the secret:");
                if let Some(code) = self.drawn(&uri) {
                    say!("{code}");
                }
                say!("  {uri}");
                say!("  secret: {}", text(enrolment, "/secret")?);
            }
            stepped = self.step(&text(&stepped, "/login")?, &next)?;
        }
    }

    /// The address as a QR code of half blocks, for a person at a terminal. Light on dark is as good as dark on light
    /// for today's scanners.
    fn drawn(&self, uri: &str) -> Option<String> {
        let code = self.prompt.is_terminal().then(|| QrCode::new(uri).ok())??;
        Some(code.render::<unicode::Dense1x2>().build())
    }

    /// One step; whoever sits at a terminal may try again.
    fn step(&self, login: &str, next: &str) -> anyhow::Result<Json> {
        loop {
            let (proof, value) = self.proof(next)?;
            let mut step = json!({ "login": login });
            if let Some(members) = step.as_object_mut() {
                members.insert(proof.to_owned(), value.into());
            }
            match self.wire.step("login/step", &step) {
                Err(error)
                    if self.prompt.is_terminal()
                        && (is(&error, "login/wrong") || is(&error, "password/weak")) =>
                {
                    say!("{error:#}");
                }
                stepped => return stepped,
            }
        }
    }

    fn proof(&self, next: &str) -> anyhow::Result<(&'static str, String)> {
        Ok(match next {
            "password" => ("password", self.prompt.secret("Password")?),
            "new-password" => ("new_password", self.prompt.new_password()?),
            "enrol" => ("code", self.code("Code that the app shows now")?),
            "code" => {
                let code = self.code("Code of the authenticator app, or a recovery code")?;
                (if code.chars().count() > CODE { "recovery_code" } else { "code" }, code)
            }
            other => anyhow::bail!("the server asks for `{other}`, which this version does not know"),
        })
    }

    fn code(&self, what: &str) -> anyhow::Result<String> {
        Ok(self.prompt.line(what)?.trim().to_owned())
    }
}
