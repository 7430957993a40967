//! A small world to try the kernel in: a domain of notes that hang on nodes ([`notes`]), acts on requests
//! ([`requests`]), and one act that arranges everything that the kernel owns ([`house`]).

pub mod house;
pub mod notes;
pub mod requests;

use garrison_base::{GrantId, GroupId, NodeId, PersonId, RequestId, ServiceId, TenantId};
use garrison_kernel::{
    Act, Actor, ActorId, AuditFilter, Holder, Kernel, KernelError, Module, ObjectRef, Origin, Outcome,
    Problem, ReadTx, Record, Request, Slot, System, Verb, scoped,
};
use garrison_testkit::{Engine, Platform};
use house::{Arrange, Step};
use notes::{NoteId, Write};
use requests::Approve;

/// The modules of the world.
pub fn modules() -> Vec<Module> {
    vec![house::module(), notes::module(), requests::module()]
}

/// What the audit log is read by.
pub const AUDIT_READ: Verb = Verb::new("audit:read");

/// A platform with a tree: `acme` over `shop` (over `checkout`) and `pay`.
pub struct World {
    pub platform: Platform,
    pub shop: NodeId,
    pub checkout: NodeId,
    pub pay: NodeId,
}

impl World {
    pub async fn new(engine: Engine) -> Self {
        let platform = Platform::new(engine, modules()).await;
        let root = platform.root;
        let mut world = Self { platform, shop: root, checkout: root, pay: root };
        world.shop = world.node(root, "shop").await;
        world.pay = world.node(root, "pay").await;
        world.checkout = world.node(world.shop, "checkout").await;
        world
    }

    pub fn kernel(&self) -> &Kernel {
        &self.platform.kernel
    }

    /// Garrison itself, to whom the world's policies allow everything.
    pub fn system(&self) -> Actor {
        Actor::system(System::SETUP, self.platform.tenant, Origin::system("req-test"))
    }

    /// Arranges something, or tells why not.
    pub async fn try_step(&self, step: Step) -> Result<String, Box<dyn Problem>> {
        arrange(self.kernel(), self.platform.tenant, step).await
    }

    pub async fn step(&self, step: Step) -> String {
        self.try_step(step).await.unwrap()
    }

    pub async fn node(&self, parent: NodeId, name: &str) -> NodeId {
        self.step(Step::Node { parent, name: name.parse().unwrap(), production: false })
            .await
            .parse()
            .unwrap()
    }

    pub async fn person(&self, name: &str) -> PersonId {
        self.step(Step::Person(name.into())).await.parse().unwrap()
    }

    pub async fn service(&self, name: &str, principal: PersonId) -> ServiceId {
        let principal = Holder::Actor(ActorId::Person(principal));
        self.step(Step::Service { name: name.into(), principal }).await.parse().unwrap()
    }

    pub async fn group(&self, name: &str, members: &[PersonId]) -> GroupId {
        let group = self.step(Step::Group(name.into())).await.parse().unwrap();
        for member in members {
            self.step(Step::Member { group, member: ActorId::Person(*member), active: true }).await;
        }
        group
    }

    pub async fn grant(&self, holder: Holder, role: &str, node: NodeId) -> GrantId {
        let grant = Step::Grant { holder, role: role.into(), node, until: None };
        self.step(grant).await.parse().unwrap()
    }

    /// A person who holds a role at a node, ready to act.
    pub async fn holding(&self, name: &str, role: &str, node: NodeId) -> Actor {
        let person = self.person(name).await;
        self.grant(holder(person), role, node).await;
        self.platform.person(person)
    }

    pub async fn rule(&self, node: NodeId, verb: Verb, slots: &[(&str, &str)]) {
        let slots =
            slots.iter().map(|(name, role)| Slot { name: (*name).into(), role: (*role).into() }).collect();
        self.step(Step::Rule { node, verb: verb.as_str().into(), slots }).await;
    }

    /// A note that the system writes.
    pub async fn note(&self, node: NodeId, words: &str) -> NoteId {
        done(self.kernel().act(&self.system(), Write { node, words: words.into() }).await.unwrap())
    }

    /// The words of the notes that somebody sees, in order.
    pub async fn seen(&self, actor: &Actor) -> Result<Vec<String>, KernelError> {
        let mut tx = self.kernel().read(actor, notes::READ).await?;
        words(&mut tx).await
    }

    /// The words of all notes of the first tenant.
    pub async fn notes(&self) -> Vec<String> {
        self.seen(&self.system()).await.unwrap()
    }

    /// The tenant's records, oldest first.
    pub async fn records(&self) -> Vec<Record> {
        let mut tx = self.kernel().read(&self.system(), AUDIT_READ).await.unwrap();
        records(&mut tx).await
    }

    pub async fn last_record(&self) -> Record {
        self.records().await.pop().unwrap()
    }

    /// Whether policy allows it now. What the actor does not see is not allowed either.
    pub async fn allowed(&self, actor: &Actor, verb: Verb, object: impl Into<ObjectRef>) -> bool {
        match self.kernel().explain(actor, actor.id, verb.as_str(), &object.into()).await {
            Ok(said) => said.allowed,
            Err(KernelError::NotFound) => false,
            Err(error) => panic!("{error}"),
        }
    }

    /// A waiting act as it stands.
    pub async fn request(&self, id: RequestId) -> Request {
        let mut tx = self.kernel().read(&self.system(), Approve::VERB).await.unwrap();
        tx.request(id).await.unwrap()
    }

    /// Approves what waits; tells which slot was filled.
    pub async fn approve(
        &self,
        actor: &Actor,
        request: RequestId,
    ) -> Result<Outcome<String>, Box<dyn Problem>> {
        let digest = self.request(request).await.digest;
        self.kernel().act(actor, Approve { request, digest }).await
    }

    /// Opens the state again, as after a restart.
    pub async fn reopen(&mut self) {
        self.platform.kernel = self.platform.reopen(modules()).await.unwrap();
    }
}

/// Arranges something in any tenant; answers the id of what was made.
pub async fn arrange(kernel: &Kernel, tenant: TenantId, step: Step) -> Result<String, Box<dyn Problem>> {
    let system = Actor::system(System::SETUP, tenant, Origin::system("req-test"));
    let made = done(kernel.act(&system, Arrange { steps: vec![step] }).await?);
    Ok(made.into_iter().next().unwrap_or_default())
}

/// Every record that the transaction sees, oldest first.
pub async fn records(tx: &mut ReadTx<'_>) -> Vec<Record> {
    let mut records = tx.records(&AuditFilter::default(), 1_000_000).await.unwrap();
    records.reverse();
    records
}

/// The words of every note that the transaction sees, in order.
pub async fn words(tx: &mut ReadTx<'_>) -> Result<Vec<String>, KernelError> {
    let rows =
        tx.rows(scoped!("SELECT n.words FROM note n WHERE {scope:n} ORDER BY n.words"), Vec::new()).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?)
}

pub fn holder(person: PersonId) -> Holder {
    Holder::Actor(ActorId::Person(person))
}

/// The output of an act that did not have to wait.
pub fn done<T>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Done(output) => output,
        Outcome::Waiting(request) => panic!("it waits for approvals: {request}"),
    }
}

/// The request of an act that waits.
pub fn waiting<T>(outcome: Outcome<T>) -> RequestId {
    match outcome {
        Outcome::Waiting(request) => request,
        Outcome::Done(_) => panic!("it did not wait for approvals"),
    }
}

/// The registered name of the problem, for an act that must not succeed.
pub fn refused<T>(outcome: Result<Outcome<T>, Box<dyn Problem>>) -> &'static str {
    match outcome {
        Ok(_) => panic!("it was not refused"),
        Err(problem) => problem.kind().name,
    }
}

/// Performs an act that must succeed at once.
pub async fn perform<A: Act>(world: &World, actor: &Actor, act: A) -> A::Output {
    done(world.kernel().act(actor, act).await.unwrap())
}
