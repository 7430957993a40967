//! A platform with auditors and operators, by a clock that is moved by hand.

use garrison_access::SessionLimits;
use garrison_access::acts::{CreateGrant, Proof, ProveLogin};
use garrison_base::{Clock as _, LoginId, NodeId, ReviewId};
use garrison_compliance::acts::{NoteReview, ReviewNoted, ReviewSigned, SignReview};
use garrison_compliance::{
    Day, ListReviews, Review, ReviewDetail, ReviewState, ShowReview, Verdict, open_reviews,
};
use garrison_directory::acts::{CreateNode, CreatePerson, RenameNode};
use garrison_kernel::{
    Act, Actor, ActorId, AuditFilter, Holder, Module, NodeKind, Outcome, Problem, Record, System, Verb,
};
use garrison_notices::Notices;
use garrison_testkit::{Engine, Platform, origin};
use garrison_web::Question as _;
use jiff::SignedDuration;

pub fn modules() -> Vec<Module> {
    vec![
        garrison_directory::module(),
        garrison_access::module(),
        garrison_detection::module(),
        garrison_logs::module(),
        garrison_notices::module(&Notices::default()),
        garrison_compliance::module(),
    ]
}

pub struct World {
    pub platform: Platform,
    /// An administrator of everything.
    pub ann: Actor,
    /// An auditor of everything.
    pub olga: Actor,
    /// A node below the root.
    pub shop: NodeId,
}

impl World {
    /// Begins at five past midnight on 2026-11-23, when the reviews of the day before, on which all this was set up, are
    /// open.
    pub async fn new(engine: Engine) -> Self {
        let platform = Platform::new(engine, modules()).await;
        let root = platform.root;
        let ann = person(&platform, "ann", &[("administrator", root)]).await;
        let olga = person(&platform, "olga", &[("auditor", root)]).await;
        let shop = node(&platform, &ann, root, "shop").await;
        let world = Self { platform, ann, olga, shop };
        world.next_day().await;
        world
    }

    /// Five past the next midnight; tells how many reviews were opened.
    pub async fn next_day(&self) -> usize {
        let now = self.platform.clock.now();
        let five_past = Day::of(now).plus(1).midnight() + SignedDuration::from_mins(5);
        self.platform.clock.advance(five_past.duration_since(now));
        self.open().await
    }

    pub async fn open(&self) -> usize {
        open_reviews(&self.platform.kernel).await.unwrap()
    }

    pub fn yesterday(&self) -> Day {
        Day::of(self.platform.clock.now()).plus(-1)
    }

    pub async fn act<A: Act>(&self, actor: &Actor, act: A) -> Result<A::Output, Box<dyn Problem>> {
        done(&self.platform, actor, act).await
    }

    pub async fn person(&self, name: &str, roles: &[(&str, NodeId)]) -> Actor {
        person(&self.platform, name, roles).await
    }

    /// Somebody gets a role of the administrator.
    pub async fn grant(&self, holder: Holder, role: &str, node: NodeId) {
        self.act(&self.ann, new_grant(holder, role, node)).await.unwrap();
    }

    /// A node of the administrator; recorded at its parent.
    pub async fn node(&self, parent: NodeId, name: &str) -> NodeId {
        node(&self.platform, &self.ann, parent, name).await
    }

    /// Does something ordinary at the shop, so many times.
    pub async fn nodes(&self, prefix: &str, count: usize) {
        for number in 0..count {
            self.node(self.shop, &format!("{prefix}{number}")).await;
        }
    }

    /// A proof of a login fails; recorded at the root.
    pub async fn fail_login(&self) {
        let login = Actor::system(System::LOGIN, self.platform.tenant, origin());
        let act = ProveLogin {
            login: LoginId::from_bytes([7; 16]),
            proof: Proof::Password { right: false },
            limits: SessionLimits::default(),
        };
        self.act(&login, act).await.unwrap_err();
    }

    /// Somebody tries what is not theirs, at the shop.
    pub async fn try_in_vain(&self, who: &Actor) {
        let act = RenameNode { node: self.shop, name: "stolen".parse().unwrap() };
        self.act(who, act).await.unwrap_err();
    }

    /// The reviews of a day, of those that somebody sees.
    pub async fn reviews(&self, who: &Actor, day: Day) -> Vec<Review> {
        let mut tx = self.platform.kernel.read(who, ListReviews::VERB).await.unwrap();
        let asked = ListReviews { day: Some(day), ..ListReviews::default() };
        asked.answer(&mut tx).await.unwrap().items
    }

    /// The one review of a day at a node.
    pub async fn review(&self, node: NodeId, day: Day) -> Review {
        let found = self.reviews(&self.olga, day).await.into_iter().find(|review| review.node == node);
        found.unwrap_or_else(|| panic!("there is no review of {day} at {node}"))
    }

    pub async fn state(&self, review: &Review) -> ReviewState {
        self.review(review.node, review.day).await.state
    }

    /// A review with its items.
    pub async fn show(&self, who: &Actor, review: ReviewId) -> Result<ReviewDetail, Box<dyn Problem>> {
        let asked = ShowReview { review, undecided: None, operation: None, limit: Some(500), cursor: None };
        self.platform.kernel.ask(who, asked).await
    }

    pub async fn note(
        &self,
        who: &Actor,
        review: ReviewId,
        (items, operation): (&[i64], Option<&str>),
    ) -> Result<ReviewNoted, Box<dyn Problem>> {
        let act = NoteReview {
            review,
            items: items.to_vec(),
            operation: operation.map(str::to_owned),
            verdict: Verdict::Fine,
            note: "as planned".parse().unwrap(),
        };
        self.act(who, act).await
    }

    /// Says of all items that they are fine.
    pub async fn note_all(&self, who: &Actor, review: ReviewId) {
        let items = self.show(&self.olga, review).await.unwrap().items;
        let seqs: Vec<i64> = items.iter().map(|one| one.item.seq).collect();
        self.note(who, review, (&seqs, None)).await.unwrap();
    }

    pub async fn sign(&self, who: &Actor, review: ReviewId) -> Result<ReviewSigned, Box<dyn Problem>> {
        self.act(who, SignReview { review, opinion: "a quiet day".parse().unwrap() }).await
    }

    /// All records of an operation, the last first.
    pub async fn records(&self, operation: Option<&str>) -> Vec<Record> {
        let mut tx = self.platform.kernel.read(&self.olga, Verb::new("audit:list")).await.unwrap();
        let filter = AuditFilter { operation: operation.map(str::to_owned), ..AuditFilter::default() };
        tx.records(&filter, 100_000).await.unwrap()
    }
}

pub fn new_grant(holder: Holder, role: &str, node: NodeId) -> CreateGrant {
    CreateGrant {
        holder,
        role: role.into(),
        node,
        until: None,
        duty: "test".parse().unwrap(),
        reason: "test".parse().unwrap(),
    }
}

async fn done<A: Act>(platform: &Platform, actor: &Actor, act: A) -> Result<A::Output, Box<dyn Problem>> {
    match platform.kernel.act(actor, act).await? {
        Outcome::Done(output) => Ok(output),
        Outcome::Waiting(request) => panic!("{request} waits"),
    }
}

/// A person with roles; all of it happens at the console.
async fn person(platform: &Platform, name: &str, roles: &[(&str, NodeId)]) -> Actor {
    let new = CreatePerson {
        name: name.parse().unwrap(),
        full_name: name.parse().unwrap(),
        email: format!("{name}@example.org").parse().unwrap(),
    };
    let setup = Actor::system(System::SETUP, platform.tenant, origin());
    let id = ActorId::Person(done(platform, &setup, new).await.unwrap().person);
    let who = platform.actor(id);
    for (role, node) in roles {
        let console = Actor::system(System::CONSOLE, platform.tenant, origin());
        done(platform, &console, new_grant(Holder::Actor(id), role, *node)).await.unwrap();
    }
    who
}

async fn node(platform: &Platform, who: &Actor, parent: NodeId, name: &str) -> NodeId {
    let new = CreateNode { parent, name: name.parse().unwrap(), kind: NodeKind::Service, production: false };
    done(platform, who, new).await.unwrap().node
}
