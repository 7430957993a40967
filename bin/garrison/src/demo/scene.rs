//! What the story is played in: the shop's tree, its people, and the sources of its logs.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::client::Client;

/// Nodes by their place below the root, parents before children: kind, and whether it is production.
const NODES: [(&str, &str, bool); 10] = [
    ("storefront", "product", false),
    ("storefront/edge", "service", false),
    ("storefront/edge/production", "environment", true),
    ("storefront/edge/staging", "environment", false),
    ("storefront/orders", "service", false),
    ("storefront/orders/production", "environment", true),
    ("storefront/orders/staging", "environment", false),
    ("platform", "product", false),
    ("platform/hosts", "service", false),
    ("platform/hosts/production", "environment", true),
];

/// Sources of logs, and where they are.
const SOURCES: [(&str, &str, &str); 3] = [
    ("edge", "storefront/edge/production", "requests to nginx, packets at the firewall, the kernels"),
    ("shop", "storefront/orders/production", "audit records of the hosts, calls of the cloud, mail"),
    ("syslog", "platform/hosts/production", "sshd, sudo, cron and the daemons of all hosts"),
];

/// After so many minutes without an event a source is shown as silent.
const SILENCE: u32 = 5;

/// Who else works there: name, full name, role, and where. Nobody who does something may also review it, so somebody
/// is an auditor and nothing else.
const PEOPLE: [(&str, &str, &str, &str); 2] =
    [("mei", "Mei Lin", "auditor", ""), ("jonas", "Jonas Weber", "analyst", "storefront")];

/// Makes it all, and lets whoever asks do everything that the console shows.
pub fn build(client: &Client) -> anyhow::Result<()> {
    let me = client.get("/api/v1/whoami")?["id"].clone();
    let nodes = tree(client)?;
    let root = nodes.get("").context("there is no root")?;
    for role in ["analyst", "auditor", "sender"] {
        grant(client, &me, role, root)?;
    }
    for (name, place, purpose) in SOURCES {
        let source =
            json!({ "node": nodes.get(place), "name": name, "purpose": purpose, "silence_minutes": SILENCE });
        client.post("/api/v1/source/create", &source)?;
    }
    for (name, full_name, role, place) in PEOPLE {
        let email = format!("{name}@example.org");
        let person = json!({ "name": name, "full_name": full_name, "email": email });
        let person = client.post("/api/v1/person/create", &person)?["person"].clone();
        grant(client, &person, role, nodes.get(place).unwrap_or(root))?;
    }
    let service = json!({ "name": "collector", "owner": me, "purpose": "sends the logs of the hosts" });
    let service = client.post("/api/v1/service/create", &service)?["service"].clone();
    grant(client, &service, "sender", root)?;
    // For whoever tries it with logs of their own: nothing else is in it, and nobody expects anything.
    let own = json!({ "node": nodes.get("storefront"), "name": "mine", "purpose": "your own logs" });
    client.post("/api/v1/source/create", &own).map(drop)
}

/// The ids of the nodes by their place; the root's is empty.
fn tree(client: &Client) -> anyhow::Result<BTreeMap<&'static str, Value>> {
    let root = client.get("/api/v1/node")?["items"][0]["id"].clone();
    let mut nodes = BTreeMap::from([("", root)]);
    for (place, kind, production) in NODES {
        let (above, name) = place.rsplit_once('/').unwrap_or(("", place));
        let node =
            json!({ "parent": nodes.get(above), "name": name, "kind": kind, "production": production });
        let made = client.post("/api/v1/node/create", &node)?;
        nodes.insert(place, made["node"].clone());
    }
    Ok(nodes)
}

fn grant(client: &Client, holder: &Value, role: &str, node: &Value) -> anyhow::Result<()> {
    let grant = json!({ "holder": holder, "node": node, "role": role, "duty": "demo", "reason": "demo" });
    client.post("/api/v1/grant/create", &grant).map(|_| ())
}
