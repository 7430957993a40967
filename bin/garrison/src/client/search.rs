//! `garrison search`: searches that were saved under a name.

use garrison_base::Exit;
use serde_json::{Value as Json, json};

use crate::cli::client::SearchCommand;
use crate::client::failure::Failure;
use crate::client::row::{Changed, rows};
use crate::client::{Client, text};

rows! {
    /// A saved search.
    Saved {
        "NAME" 16 "/name" "OWNER" 14 "/owner" "CREATED" 20 "/created" "ID" 30 "/id" "QUERY" 30 "/query"
    }
    /// A search that was saved.
    SavedAs { "SEARCH" 30 "/search" }
}

/// `garrison search`
pub fn run(command: &SearchCommand) -> anyhow::Result<Exit> {
    match command {
        SearchCommand::List(args) => {
            Client::open(&args.list.client)?.list::<Saved>("search", &[], &args.list)
        }
        SearchCommand::Save(args) => {
            let body = json!({ "name": args.name, "query": args.query });
            Client::open(&args.client)?.act::<SavedAs>("search/save", &body)
        }
        SearchCommand::Delete(args) => {
            let client = Client::open(&args.client)?;
            client.act::<Changed>("search/delete", &json!({ "search": client.search(&args.search)? }))
        }
    }
}

/// What a saved search asks, by its name or id.
pub(super) fn query(client: &Client, named: &str) -> anyhow::Result<String> {
    let mut found = None;
    client.pages("search", &[], 0, |item| {
        if ["name", "id"].iter().any(|key| item.get(key).and_then(Json::as_str) == Some(named)) {
            found = Some(text(&item, "/query")?);
        }
        Ok(())
    })?;
    let missing = || {
        let words =
            format!("there is no saved search `{named}`; `garrison search list` shows which there are");
        Failure::new(Exit::NotFound, words)
    };
    Ok(found.ok_or_else(missing)?)
}
