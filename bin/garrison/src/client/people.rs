//! `garrison user`, `service`, `group` and `post`: who works on the tree.

use garrison_base::Exit;
use serde_json::{Value as Json, json};

use crate::cli::client::{GroupCommand, PostCommand, ServiceCommand, UserCommand};
use crate::client::row::{self, Changed, rows};
use crate::client::{Client, looking, session, text};

rows! {
    /// A person.
    Person {
        "NAME" 16 "/name" "FULL NAME" 24 "/full_name" "EMAIL" 24 "/email" "STATE" 8 "/state"
        "CREATED" 20 "/created" "ID" 30 "/id"
    }
    /// A person who was made known.
    NewPerson { "PERSON" 30 "/person" }
    /// A one-time link.
    Invited { "LINK" 60 "/link" "EXPIRES" 20 "/expires" }
    /// A service account.
    Service {
        "NAME" 16 "/name" "OWNER" 30 "/owner" "STATE" 8 "/state" "CREATED" 20 "/created" "ID" 30 "/id"
        "PURPOSE" 20 "/purpose"
    }
    /// A service account that was made.
    NewService { "SERVICE" 30 "/service" }
    /// A group.
    Group { "NAME" 16 "/name" "MEMBERS" 7 "/members" "CREATED" 20 "/created" "ID" 30 "/id" "PURPOSE" 20 "/purpose" }
    /// A group that was made.
    NewGroup { "GROUP" 30 "/group" }
    /// A member of a group.
    Member { "NAME" 16 "/name" "SINCE" 20 "/since" "ID" 30 "/id" }
    /// A post.
    Post {
        "ID" 30 "/id" "PATH" 24 "/path" "LEVEL" 11 "/level" "PERSON" 30 "/person" "GRANT" 30 "/grant"
        "TITLE" 20 "/title"
    }
    /// A post that was made.
    NewPost { "POST" 30 "/post" }
    /// A post that was filled.
    FilledPost { "GRANT" 30 "/grant" }
}

/// `garrison user`
pub fn user(command: &UserCommand) -> anyhow::Result<Exit> {
    match command {
        UserCommand::List(args) => {
            let query = [("text", args.text.as_deref())];
            Client::open(&args.list.client)?.list::<Person>("person", &query, &args.list)
        }
        UserCommand::Show(args) => {
            let client = Client::open(&args.client)?;
            row::print(client.format, &Person::from(client.person_view(&args.who)?))?;
            Ok(Exit::Ok)
        }
        UserCommand::Create(args) => {
            let body = json!({ "name": args.name, "full_name": args.full_name, "email": args.email });
            Client::open(&args.client)?.act::<NewPerson>("person/create", &body)
        }
        UserCommand::Change(args) => {
            let client = Client::open(&args.client)?;
            let known = client.person_view(&args.who)?;
            let or_known =
                |given: &Option<String>, at: &str| given.clone().map_or_else(|| text(&known, at), Ok);
            let body = json!({
                "person": text(&known, "/id")?,
                "full_name": or_known(&args.full_name, "/full_name")?,
                "email": or_known(&args.email, "/email")?,
            });
            client.act::<Changed>("person/change", &body)
        }
        UserCommand::Disable(args) => {
            let client = Client::open(&args.client)?;
            client.act::<Changed>("person/disable", &json!({ "person": client.person(&args.who)? }))
        }
        UserCommand::Enable(args) => {
            let client = Client::open(&args.client)?;
            client.act::<Changed>("person/enable", &json!({ "person": client.person(&args.who)? }))
        }
        UserCommand::Invite(args) => {
            let client = Client::open(&args.client)?;
            let body = json!({ "person": client.person(&args.who)? });
            client.reveal::<Invited>(("account/invite", &body), |invited| link(&client, invited), "/link")
        }
        UserCommand::Sessions(args) => session::of_person(&Client::open(&args.client)?, &args.who),
    }
}

/// Adds the whole link to what the server tells of it.
pub(super) fn link(client: &Client, invited: &mut Json) {
    let path = invited.get("path").and_then(Json::as_str).unwrap_or_default();
    let link = format!("{}{path}", client.wire.address().as_str());
    if let Some(members) = invited.as_object_mut() {
        members.insert("link".to_owned(), link.into());
    }
}

/// `garrison service`
pub fn service(command: &ServiceCommand) -> anyhow::Result<Exit> {
    match command {
        ServiceCommand::List(args) => {
            Client::open(&args.list.client)?.list::<Service>("service", &[], &args.list)
        }
        ServiceCommand::Create(args) => {
            let client = Client::open(&args.client)?;
            let owner = client.person(&args.owner)?;
            let body = json!({ "name": args.name, "owner": owner, "purpose": args.purpose });
            client.act::<NewService>("service/create", &body)
        }
        ServiceCommand::Disable(args) => {
            let client = Client::open(&args.client)?;
            client.act::<Changed>("service/disable", &json!({ "service": client.service(&args.service)? }))
        }
        ServiceCommand::Enable(args) => {
            let client = Client::open(&args.client)?;
            client.act::<Changed>("service/enable", &json!({ "service": client.service(&args.service)? }))
        }
        ServiceCommand::HandOver(args) => {
            let client = Client::open(&args.client)?;
            let body =
                json!({ "service": client.service(&args.service)?, "owner": client.person(&args.owner)? });
            client.act::<Changed>("service/hand-over", &body)
        }
    }
}

/// `garrison group`
pub fn group(command: &GroupCommand) -> anyhow::Result<Exit> {
    match command {
        GroupCommand::List(args) => Client::open(&args.list.client)?.list::<Group>("group", &[], &args.list),
        GroupCommand::Create(args) => {
            let body = json!({ "name": args.name, "purpose": args.purpose });
            Client::open(&args.client)?.act::<NewGroup>("group/create", &body)
        }
        GroupCommand::Members(args) => {
            let client = Client::open(&args.client)?;
            let path = format!("group/{}/member", client.group(&args.group)?);
            looking(client.all::<Member>(&path), "group", &args.group)
        }
        GroupCommand::Add(args) => {
            let client = Client::open(&args.client)?;
            let body = json!({ "group": client.group(&args.group)?, "member": client.actor(&args.who)? });
            client.act::<Changed>("group/add", &body)
        }
        GroupCommand::Remove(args) => {
            let client = Client::open(&args.client)?;
            let body = json!({ "group": client.group(&args.group)?, "member": client.actor(&args.who)? });
            client.act::<Changed>("group/remove", &body)
        }
    }
}

/// `garrison post`
pub fn post(command: &PostCommand) -> anyhow::Result<Exit> {
    match command {
        PostCommand::List(args) => {
            let client = Client::open(&args.list.client)?;
            let node = args.node.as_deref().map(|node| client.node(node)).transpose()?;
            client.list::<Post>("post", &[("node", node.as_deref())], &args.list)
        }
        PostCommand::Create(args) => {
            let client = Client::open(&args.client)?;
            let node = client.node(&args.node)?;
            let body = json!({ "node": node, "title": args.title, "level": args.level });
            client.act::<NewPost>("post/create", &body)
        }
        PostCommand::Fill(args) => {
            let client = Client::open(&args.client)?;
            let body = json!({ "post": args.post, "person": client.person(&args.who)? });
            client.act::<FilledPost>("post/fill", &body)
        }
        PostCommand::Vacate(args) => {
            Client::open(&args.client)?.act::<Changed>("post/vacate", &json!({ "post": args.post }))
        }
    }
}
