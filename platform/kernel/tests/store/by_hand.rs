//! Somebody who can write the database edits a row: while the kernel runs, no decision changes and the edit is
//! found; while it is stopped, the kernel does not open.

use garrison_base::RequestId;
use garrison_kernel::{Act as _, Actor, DbError, Kernel, KernelError, ObjectRef, OpenError};
use garrison_testkit::Engine;
use serde_json::{Value as Json, json};

use crate::support::house::{EndGrant, Step};
use crate::support::notes::{Change, Write};
use crate::support::requests::{Approve, Reject};
use crate::support::{World, holder, modules, perform, waiting};

/// A table, and a row of it that is edited.
struct Row {
    table: &'static str,
    key: String,
    change: &'static str,
    /// What must differ in a copy.
    copy: &'static str,
    /// Whether acts have changed the row since the copy `kept_...` was made.
    has_older: bool,
}

/// One row of each kind, and what is asked before and after an edit.
struct Scene {
    world: World,
    rows: Vec<Row>,
    request: RequestId,
    questions: Vec<(Actor, &'static str, ObjectRef)>,
}

/// The edits: a table, which row of it (with names of the scene in braces), what is set by hand, what must differ
/// in a copy of the row, and whether acts have changed the row since the copy `kept_...` was made.
const EDITS: [(&str, &str, &str, &str, bool); 14] = [
    ("tenant", "tenant = '{acme}'", "created = created + 1", "tenant = 'ten_2', name = 'two'", false),
    ("actor", "actor = '{eve}'", "state = 'active'", "actor = 'per_2', name = 'two'", true),
    ("node", "node_id = '{gone}'", "state = 'live'", "node_id = 'node_2', name = 'two'", true),
    ("member", "member = '{person}'", "state = 'active'", "member = 'per_2', state = 'active'", true),
    ("grants", "grant_id = '{grant}'", "state = 'active'", "grant_id = 'grt_2', state = 'active'", true),
    (
        "grants",
        "grant_id = '{grant}'",
        "node_id = (SELECT node_id FROM node WHERE name = 'shop')",
        "grant_id = 'grt_2', role = 'administrator'",
        false,
    ),
    ("approval_rule", "node_id = '{shop}'", "slots = '[]'", "rule_id = 'two', slots = '[]'", true),
    ("object", "id = '{note}'", "owner = 'per_2'", "id = 'not_2'", true),
    ("waiting", "request_id = '{rejected}'", "state = 'open'", "request_id = 'req_2'", true),
    ("approval", "request_id = '{request}'", "opinion = 'no'", "slot = 'guard'", false),
    ("audit", "seq = {last} - 2", "result = 'denied'", "seq = seq + 100", false),
    ("audit", "seq = {last}", "record = (SELECT record FROM kept_audit LIMIT 1)", "log_id = 'copy'", false),
    ("log_head", "log_id = 'acts'", "seq = seq - 1", "log_id = 'copy'", true),
    ("authz_head", "id = 1", "generation = generation + 1", "id = 2", true),
];

/// The edits, with the names of the scene filled in.
fn rows(names: &[(&str, String)]) -> Vec<Row> {
    let named = |text: &str| names.iter().fold(text.to_owned(), |text, (name, id)| text.replace(name, id));
    let row = |(table, key, change, copy, has_older)| Row { table, key: named(key), change, copy, has_older };
    EDITS.map(row).into()
}

fn keep_copies(world: &World) {
    for table in TABLES {
        world.platform.database.by_hand(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}"));
    }
}

impl Scene {
    async fn new(engine: Engine) -> Self {
        let world = World::new(engine).await;
        let gone = world.node(world.shop, "gone").await;
        let note = world.note(gone, "moved along").await;
        let person = world.person("ada").await;
        let group = world.group("crew", &[person]).await;
        world.grant(garrison_kernel::Holder::Group(group), "writer", world.shop).await;
        let grant = world.grant(holder(person), "writer", world.pay).await;
        let ender = world.holding("ender", "ender", world.shop).await;
        let (bob, eve) = (world.holding("bob", "owner", world.shop).await, world.person("eve").await);
        world.grant(holder(eve), "writer", world.shop).await;
        world.rule(world.shop, Write::VERB, &[("owner", "owner"), ("guard", "guard")]).await;
        let ada = world.platform.person(person);
        let ask = async || {
            waiting(
                world.kernel().act(&ada, Write { node: world.shop, words: "asked".into() }).await.unwrap(),
            )
        };
        let (request, rejected) = (ask().await, ask().await);
        world.approve(&bob, request).await.unwrap();

        keep_copies(&world);
        world.step(Step::End(grant)).await;
        world.step(Step::Member { group, member: bob.id, active: true }).await;
        world.step(Step::Member { group, member: bob.id, active: false }).await;
        world.step(Step::Member { group, member: ada.id, active: false }).await;
        world.step(Step::Active { who: holder(eve), active: false }).await;
        world.step(Step::Merge { from: gone, into: world.pay }).await;
        world.rule(world.shop, Write::VERB, &[("owner", "owner")]).await;
        perform(&world, &bob, Reject { request: rejected }).await;

        let names = [
            ("{acme}", world.platform.tenant.to_string()),
            ("{eve}", eve.to_string()),
            ("{gone}", gone.to_string()),
            ("{person}", person.to_string()),
            ("{grant}", grant.to_string()),
            ("{shop}", world.shop.to_string()),
            ("{note}", note.to_string()),
            ("{rejected}", rejected.to_string()),
            ("{request}", request.to_string()),
            ("{last}", world.last_record().await.seq.to_string()),
        ];
        let questions = vec![
            (ada.clone(), Write::VERB.as_str(), world.shop.into()),
            (ada.clone(), Write::VERB.as_str(), world.checkout.into()),
            (ada.clone(), Write::VERB.as_str(), world.pay.into()),
            (ada, Change::VERB.as_str(), note.into()),
            (bob, Change::VERB.as_str(), note.into()),
            (world.platform.person(eve), Write::VERB.as_str(), world.shop.into()),
            (ender, EndGrant::VERB.as_str(), grant.into()),
        ];
        Self { world, rows: rows(&names), request, questions }
    }

    /// The edits of a table's rows: what was done, and the SQL that does it.
    fn edits(&self, table: &str) -> Vec<(&'static str, String)> {
        let mut edits = Vec::new();
        for Row { table, key, change, copy, has_older } in self.rows.iter().filter(|row| row.table == table) {
            edits.push(("changed", format!("UPDATE {table} SET {change} WHERE {key}")));
            edits.push(("deleted", format!("DELETE FROM {table} WHERE {key}")));
            edits.push((
                "copied",
                format!(
                    "CREATE TABLE copied AS SELECT * FROM {table} WHERE {key}; UPDATE copied SET {copy};
                     INSERT INTO {table} SELECT * FROM copied; DROP TABLE copied"
                ),
            ));
            if *has_older {
                let older = format!("INSERT INTO {table} SELECT * FROM kept_{table} WHERE {key}");
                edits.push(("put back", format!("DELETE FROM {table} WHERE {key}; {older}")));
            }
        }
        edits
    }

    fn keep(&self, table: &str) {
        self.world.platform.database.by_hand(&format!("CREATE TABLE whole AS SELECT * FROM {table}"));
    }

    fn restore(&self, table: &str) {
        let sql = format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM whole; DROP TABLE whole");
        self.world.platform.database.by_hand(&sql);
    }

    /// What the kernel decides. Where the row is gone, or the edit is reported instead, nothing is allowed.
    async fn decisions(&self) -> Vec<Option<Json>> {
        let mut decisions = Vec::new();
        for (actor, verb, object) in &self.questions {
            let explained = self.world.kernel().explain(actor, actor.id, verb, object).await;
            decisions.push(explained.ok().map(|said| json!([said.allowed, said.approvals])));
        }
        decisions
    }

    /// Whether somebody who asks or looks at the rows is told.
    async fn told_on_touch(&self) -> bool {
        for (actor, verb, object) in &self.questions {
            let explained = self.world.kernel().explain(actor, actor.id, verb, object).await;
            if explained.is_err_and(|error| is_tampered(&error)) {
                return true;
            }
        }
        let look = async || {
            let mut tx = self.world.kernel().read(&self.world.system(), Approve::VERB).await?;
            tx.requests(None, (None, 100)).await?;
            tx.request(self.request).await?;
            tx.grants((None, None), true, ("", 100)).await?;
            tx.records(&garrison_kernel::AuditFilter::default(), 10_000).await.map(|_| ())
        };
        look().await.is_err_and(|error: KernelError| is_tampered(&error))
    }
}

const TABLES: [&str; 12] = [
    "tenant",
    "actor",
    "node",
    "member",
    "grants",
    "approval_rule",
    "object",
    "waiting",
    "approval",
    "audit",
    "log_head",
    "authz_head",
];

fn is_tampered(error: &KernelError) -> bool {
    matches!(error, KernelError::Database(DbError::Tampered { .. }))
}

/// Whether the complaint names the table. A row that is gone, or is an older one, is found by the head that counts
/// the rows, as is a record too many; and where a head does not fit its rows, either can be the one that was edited.
fn names(complaint: &str, table: &str, what: &str) -> bool {
    let counted = ["deleted", "put back"].contains(&what) || table == "audit";
    let by_a_head = table.ends_with("_head") || counted && complaint.contains("_head");
    complaint.contains("changed by hand") && (by_a_head || complaint.contains(&format!(" of {table} was")))
}

async fn edited_while_open(table: &str) {
    for engine in Engine::all() {
        let scene = Scene::new(engine).await;
        let kernel = scene.world.kernel();
        let before = scene.decisions().await;
        let count = kernel.verify().await.unwrap();
        for (what, sql) in scene.edits(table) {
            scene.keep(table);
            scene.world.platform.database.by_hand(&sql);
            for (before, after) in before.iter().zip(scene.decisions().await) {
                assert!(
                    after.is_none() || after == *before,
                    "{engine:?}: {table} {what}: {before:?} became {after:?}"
                );
            }
            let found =
                scene.told_on_touch().await || kernel.verify().await.is_err_and(|error| is_tampered(&error));
            assert!(found, "{engine:?}: a row of {table} was {what}, and nobody is told");
            scene.restore(table);
            assert_eq!(kernel.verify().await.unwrap(), count, "{table} {what}: it was restored");
        }
    }
}

async fn edited_while_closed(table: &str) {
    for engine in Engine::all() {
        let scene = Scene::new(engine).await;
        for (what, sql) in scene.edits(table) {
            scene.world.kernel().close().await;
            scene.keep(table);
            scene.world.platform.database.by_hand(&sql);
            let opened: Result<Kernel, OpenError> = scene.world.platform.reopen(modules()).await;
            let complaint = opened.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(
                names(&complaint, table, what),
                "{engine:?}: a row of {table} was {what}; it opened with `{complaint}`"
            );
            scene.restore(table);
            scene.world.platform.reopen(modules()).await.unwrap().close().await;
        }
    }
}

macro_rules! each_table {
    ($($table:ident)*) => { $(
        mod $table {
            #[tokio::test]
            async fn an_edit_while_it_runs_changes_no_decision_and_is_found() {
                super::edited_while_open(stringify!($table)).await;
            }

            #[tokio::test]
            async fn an_edit_while_it_is_stopped_stops_the_start() {
                super::edited_while_closed(stringify!($table)).await;
            }
        }
    )* };
}

each_table! { tenant actor node member grants approval_rule object waiting approval audit log_head authz_head }

#[test]
fn every_table_of_the_list_is_edited() {
    let this = include_str!("by_hand.rs");
    let listed = this.split_once("each_table! {").unwrap().1.split_once('}').unwrap().0;
    assert_eq!(listed.split_whitespace().collect::<Vec<_>>(), TABLES);
}
