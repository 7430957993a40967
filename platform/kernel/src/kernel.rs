//! The kernel: opens the state, lends transactions, runs what is due.

use std::sync::{Arc, RwLock, RwLockReadGuard};

use foldhash::HashMap;
use garrison_base::{Clock, DepositId, Entropy, NodeId, RequestId, TenantId, Timestamp};
use garrison_secrets::RootKey;
use serde_json::Value as Json;

use crate::authz::{self, Delta, Index, Located, Policies, PolicyError, rows};
use crate::db::{Db, DbError, Tx, Value, migrate};
use crate::keeping::{Difference, Journal, Keeping};
use crate::keys::Keys;
use crate::module::{Module, Restore, Subscription, Timer};
use crate::perform::{AT_WORK, Finished, perform};
use crate::tx::locate;
use crate::{
    Act, Actor, ActorId, DatabaseUrl, Explanation, Holder, KernelError, Migration, ObjectRef, Problem,
    ReadAct, ReadTx, Verb, audit,
};

/// What the kernel is opened with.
pub struct Options<'o> {
    /// The database.
    pub database: DatabaseUrl,
    /// How many connections to it, at most.
    pub connections: u32,
    /// The key outside it.
    pub root_key: &'o RootKey,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Where records are kept beside the database, before an act answers. Only one process of a machine has it
    /// open; the records of the others it keeps too.
    pub journal: Option<Arc<dyn Journal>>,
}

/// Why the kernel does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The policies of the domains are wrong.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Two domains declare the same verb.
    #[error("the verb {0} is declared twice")]
    Twice(Verb),
    /// The database, or what is in it.
    #[error("opening the state: {0}")]
    Database(#[from] DbError),
    /// The database and the journal tell different things.
    #[error("comparing the records with the journal: {0}")]
    Difference(#[from] Difference),
    /// The journal does not take the records that it lacks.
    #[error("keeping records: {0}")]
    Journal(Box<KernelError>),
}

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) keys: Keys,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) policies: Policies,
    pub(crate) acts: HashMap<(&'static str, u16), Restore>,
    pub(crate) verbs: HashMap<&'static str, (Verb, &'static str)>,
    need_login: Vec<Verb>,
    pub(crate) subscriptions: Vec<Subscription>,
    pub(crate) timers: Vec<Timer>,
    pub(crate) wake: tokio::sync::Notify,
    pub(crate) at_work: Arc<tokio::sync::Semaphore>,
    index: RwLock<Index>,
    /// The end of the log as this process has seen it, and the requests that were decided here: an older row that
    /// is put back by hand is not believed.
    pub(crate) seen: std::sync::Mutex<Seen>,
    keeping: Option<Keeping>,
}

/// Where the rights and the record stand, as a transaction sees them.
pub(crate) struct Heads {
    pub(crate) rights: (i64, rows::Total),
    pub(crate) log: audit::Head,
    /// Whether the index knows newer rights: then the transaction began before they came, or somebody has put older
    /// ones back.
    pub(crate) behind: bool,
}

/// What this process remembers against rows that are put back.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) log: Option<audit::Head>,
    pub(crate) decided: foldhash::HashSet<RequestId>,
}

impl Inner {
    pub(crate) fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn index(&self) -> RwLockReadGuard<'_, Index> {
        // A panic under the lock leaves the index as it was: rows are applied one by one, each whole.
        self.index.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Brings the index to what the transaction sees, and tells where it stands.
    pub(crate) async fn catch_up(&self, tx: &mut Tx<'_>) -> Result<Heads, DbError> {
        let sql = format!(
            "SELECT {}, {} FROM authz_head a, log_head l WHERE a.id = 1 AND l.log_id = $1",
            rows::HEAD,
            audit::HEAD
        );
        let row = tx.row(sql, vec![audit::LOG.into()]).await?;
        let row =
            row.ok_or_else(|| DbError::Tampered { table: "authz_head", row: "1, or log_head".into() })?;
        let (generation, total, _) = rows::head(&self.keys.rows, &row, 0)?;
        let log = audit::head(&self.keys.audit, &row, 4)?;
        let since = {
            let index = self.index();
            if generation == index.generation && total != index.total {
                return Err(rows::put_back());
            }
            index.generation
        };
        if generation > since {
            let delta = Delta::read(tx, &self.keys.rows, since).await?;
            self.index.write().unwrap_or_else(std::sync::PoisonError::into_inner).take(&delta)?;
        }
        Ok(Heads { rights: (generation, total), log, behind: generation < since })
    }

    pub(crate) fn committed(&self, changes: &rows::Changes) -> Result<(), DbError> {
        self.index.write().unwrap_or_else(std::sync::PoisonError::into_inner).committed(changes)
    }

    /// Whether more may be done: not while the journal owes a record.
    pub(crate) async fn ready(&self) -> Result<(), KernelError> {
        match &self.keeping {
            Some(keeping) => keeping.ready(&self.db, &self.keys.audit).await,
            None => Ok(()),
        }
    }

    /// Waits until the journal, where there is one, holds the record of this number.
    pub(crate) async fn keep(&self, seq: i64) -> Result<(), KernelError> {
        match &self.keeping {
            Some(keeping) => keeping.up_to(seq, &self.db, &self.keys.audit).await,
            None => Ok(()),
        }
    }

    /// The domain that declared a verb.
    pub(crate) fn component(&self, verb: Verb) -> &'static str {
        self.verbs.get(verb.as_str()).map_or("kernel", |(_, domain)| domain)
    }
}

/// What came of an act.
#[derive(Debug)]
pub enum Outcome<T> {
    /// It was performed.
    Done(T),
    /// It waits for approvals.
    Waiting(RequestId),
}

/// The one door to the state. Cheap to clone.
#[derive(Clone)]
pub struct Kernel(pub(crate) Arc<Inner>);

const KERNEL: &[Migration] = &[Migration { version: 1, sql: include_str!("../migrations/0001_kernel.sql") }];

impl Kernel {
    /// Opens the state: migrates it, verifies what decisions rest on and the whole audit log. Whatever was
    /// changed by hand stops the opening.
    pub async fn open(options: Options<'_>, modules: Vec<Module>) -> Result<Self, OpenError> {
        let kernel = Self::look(options, modules).await?;
        // What was approved just before the last end of the server runs now.
        Box::pin(crate::waiting::resume(&kernel.0)).await?;
        Ok(kernel)
    }

    /// The same for somebody who only looks: what was approved and has not run yet goes on waiting.
    pub async fn look(options: Options<'_>, modules: Vec<Module>) -> Result<Self, OpenError> {
        let now = options.clock.now();
        let keys = Keys::derive(options.root_key);
        let (verbs, policies) = fold_policies(&modules)?;
        let db = Box::pin(Db::open(&options.database, options.connections)).await?;
        Box::pin(migrate(&db, &domains(&modules), now)).await?;
        let (index, last) = Box::pin(load(&db, &keys)).await?;
        let seq = last.seq;
        let mut inner = Inner {
            db,
            keys,
            clock: options.clock,
            entropy: options.entropy,
            policies,
            acts: HashMap::default(),
            verbs,
            need_login: Vec::new(),
            subscriptions: Vec::new(),
            timers: Vec::new(),
            wake: tokio::sync::Notify::new(),
            at_work: Arc::new(tokio::sync::Semaphore::new(AT_WORK)),
            index: RwLock::new(index),
            seen: std::sync::Mutex::new(Seen { log: Some(last), ..Seen::default() }),
            keeping: None,
        };
        if let Some(journal) = options.journal {
            let reconcile = Keeping::reconcile(journal, &inner.db, &inner.keys.audit);
            let keeping = Box::pin(reconcile).await?;
            let lacking = seq - keeping.kept();
            if lacking > 0 {
                tracing::info!(
                    records = lacking,
                    "records that the journal did not have yet are added to it"
                );
            }
            inner.keeping = Some(keeping);
            Box::pin(inner.keep(seq)).await.map_err(|error| OpenError::Journal(Box::new(error)))?;
        }
        for module in modules {
            inner.acts.extend(module.acts);
            inner.need_login.extend(module.need_login);
            inner.subscriptions.extend(module.subscriptions);
            inner.timers.extend(module.timers);
        }
        Ok(Self(Arc::new(inner)))
    }

    /// Performs an act, or lets it wait for approvals.
    pub async fn act<A: Act>(&self, actor: &Actor, act: A) -> Result<Outcome<A::Output>, Box<dyn Problem>> {
        let mut actor = actor.clone();
        // A repeated request is answered as text; who wants the type wants it done now.
        actor.origin.idempotency_key = None;
        match perform(&self.0, &actor, Arc::new(act)).await? {
            Finished::Done { typed, .. } => match typed.downcast::<A::Output>() {
                Ok(output) => Ok(Outcome::Done(*output)),
                Err(_) => Err(KernelError::BrokeOff("the act answered another type".into()).into()),
            },
            Finished::Waiting(request) => Ok(Outcome::Waiting(request)),
            Finished::Repeated(_) => {
                Err(KernelError::BrokeOff("an act without a key was repeated".into()).into())
            }
        }
    }

    /// The same, answered as JSON; a request that repeats an idempotency key is answered as before.
    pub async fn act_as_json<A: Act>(
        &self,
        actor: &Actor,
        act: A,
    ) -> Result<Outcome<Json>, Box<dyn Problem>> {
        Ok(match perform(&self.0, actor, Arc::new(act)).await? {
            Finished::Done { output, .. } | Finished::Repeated(Outcome::Done(output)) => {
                Outcome::Done(output)
            }
            Finished::Waiting(request) | Finished::Repeated(Outcome::Waiting(request)) => {
                Outcome::Waiting(request)
            }
        })
    }

    /// Lends a transaction that reads what the actor may see by this verb; refused where that is nothing.
    pub async fn read(&self, actor: &Actor, verb: Verb) -> Result<ReadTx<'static>, KernelError> {
        let mut tx = self.0.db.read().await?;
        self.0.catch_up(&mut tx).await?;
        let now = self.0.clock.now();
        let roots = crate::record::places(&self.0, actor, verb, now)?;
        let root = self.0.index().tenants.get(&actor.tenant).map(|(_, root)| *root);
        let whole = roots.len() == 1 && roots.first().copied() == root;
        Ok(ReadTx::own(tx, self.0.clone(), actor, (!whole).then_some(roots), now))
    }

    /// Answers a question whose asking is recorded before a row is released (I5).
    pub async fn ask<R: ReadAct>(&self, actor: &Actor, question: R) -> Result<R::Output, Box<dyn Problem>> {
        crate::record::record_question(&self.0, actor, &question).await?;
        let mut tx = self.read(actor, R::VERB).await.map_err(Box::<dyn Problem>::from)?;
        question.read(&mut tx).await.map_err(|error| Box::new(error) as Box<dyn Problem>)
    }

    /// Why `of` may do this there, or may not, for an asker who may see the object. Whatever is done is decided
    /// again, by the kernel itself.
    pub async fn explain(
        &self,
        asker: &Actor,
        of: ActorId,
        verb: &str,
        object: &ObjectRef,
    ) -> Result<Explanation, KernelError> {
        let (verb, _) = *self.0.verbs.get(verb).ok_or_else(|| KernelError::UnknownVerb(verb.to_owned()))?;
        let mut tx = self.0.db.read().await?;
        self.0.catch_up(&mut tx).await?;
        let at = locate(&mut tx, &self.0, asker.tenant, object).await?;
        let (index, now) = (self.0.index(), self.0.clock.now());
        if !authz::sees(&index, asker, &at, now) {
            return Err(KernelError::NotFound);
        }
        // The rights of the actor, not of a token that was shown.
        let actor = Actor { id: of, limits: None, ..asker.clone() };
        Ok(authz::explain(&index, &self.0.policies, &actor, (verb, &at), now))
    }

    /// Every verb that policy allows the actor somewhere, to something: what to show somebody who looks around. Nothing
    /// rests on it; whatever is done is decided then.
    pub async fn may(&self, actor: &Actor) -> Result<Vec<Verb>, KernelError> {
        let mut tx = self.0.db.read().await?;
        self.0.catch_up(&mut tx).await?;
        drop(tx);
        let (inner, actor) = (self.0.clone(), actor.clone());
        let situations = authz::situations(&inner.index(), &inner.policies, &actor, inner.clock.now());
        // Some hundred decisions: neither the index nor the threads of the runtime wait for them.
        let decide = move || {
            let mut verbs = authz::may(&inner.policies, &actor, &situations);
            verbs.retain(|verb| actor.limits.is_none() || !inner.need_login.contains(verb));
            verbs
        };
        let decided = tokio::task::spawn_blocking(decide).await;
        decided.map_err(|error| KernelError::BrokeOff(error.to_string()))
    }

    /// The bare decision on a node, from the index as it stands: for measuring.
    pub fn decide(&self, actor: &Actor, verb: Verb, node: NodeId) -> bool {
        let at = Located { kind: "node".into(), id: node.to_string(), node, owner: None };
        authz::decide(&self.0.index(), &self.0.policies, actor, (verb, &at), self.0.clock.now()).allowed
    }

    /// Puts a secret down for an act that is to come; it is there once, until `expires`.
    pub async fn deposit(
        &self,
        tenant: TenantId,
        secret: &[u8],
        expires: Timestamp,
    ) -> Result<DepositId, KernelError> {
        let id = DepositId::new(self.0.clock.now(), &*self.0.entropy);
        let sealed = self.0.keys.deposits.seal(&format!("deposit/{tenant}/{id}"), secret, &*self.0.entropy);
        let (mut tx, _turn) = self.0.db.write().await?;
        let args = vec![Value::text(id), Value::text(tenant), sealed.into(), expires.into()];
        tx.run("INSERT INTO deposit (deposit_id, tenant, sealed, expires) VALUES ($1, $2, $3, $4)", args)
            .await?;
        tx.commit().await?;
        Ok(id)
    }

    /// The tenants there are, by name.
    pub async fn tenants(&self) -> Result<Vec<(TenantId, String)>, KernelError> {
        let mut tx = self.0.db.read().await?;
        self.0.catch_up(&mut tx).await?;
        let mut tenants: Vec<_> =
            self.0.index().tenants.iter().map(|(id, (name, _))| (*id, name.clone())).collect();
        tenants.sort_by(|left, right| left.1.cmp(&right.1));
        Ok(tenants)
    }

    /// The name of a tenant, if there is one.
    pub fn tenant_name(&self, tenant: TenantId) -> Option<String> {
        self.0.index().tenants.get(&tenant).map(|(name, _)| name.clone())
    }

    /// The name of a person, service account or group; its id where it has none.
    pub fn name_of(&self, who: Holder) -> String {
        self.0.index().known.get(&who).map_or_else(|| who.to_string(), |known| known.name.clone())
    }

    /// Verifies the rows that decisions rest on, and the whole audit log; tells how many records there are.
    pub async fn verify(&self) -> Result<i64, KernelError> {
        let mut tx = self.0.db.read().await?;
        Delta::read(&mut tx, &self.0.keys.rows, 0).await?;
        let trails = tx.rows("SELECT node_id, ancestor FROM node_trail", Vec::new()).await?;
        authz::check_trails(&trails, &self.0.index())?;
        Ok(verify_log(&mut tx, &self.0.keys).await?.seq)
    }

    /// The names of all operations, with the domain of each.
    pub fn verbs(&self) -> Vec<(Verb, &'static str)> {
        let mut verbs: Vec<_> = self.0.verbs.values().copied().collect();
        verbs.sort_unstable();
        verbs
    }

    /// The names of all roles.
    pub fn roles(&self) -> &[String] {
        &self.0.policies.roles
    }

    /// What is stored of a secret, so that it can be recognised and not be read: a MAC under a key outside the
    /// database.
    pub fn tag(&self, purpose: &str, secret: &[u8]) -> Vec<u8> {
        self.0.keys.tag(purpose, secret)
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Randomness.
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.0.entropy
    }

    /// Ends all connections to the database.
    pub async fn close(&self) {
        self.0.db.close().await;
    }
}

/// The schemas, in the order in which they are brought up to date.
pub(crate) fn domains(modules: &[Module]) -> Vec<(&'static str, &'static [Migration])> {
    let others = modules.iter().map(|module| (module.name, module.migrations));
    std::iter::once(("kernel", KERNEL)).chain(others).collect()
}

type Verbs = HashMap<&'static str, (Verb, &'static str)>;

pub(crate) fn fold_policies(modules: &[Module]) -> Result<(Verbs, Policies), OpenError> {
    let mut verbs = Verbs::default();
    for module in modules {
        for verb in &module.verbs {
            if verbs.insert(verb.as_str(), (*verb, module.name)).is_some() {
                return Err(OpenError::Twice(*verb));
            }
        }
    }
    let all: Vec<Verb> = verbs.values().map(|(verb, _)| *verb).collect();
    let files: Vec<_> = modules.iter().map(|module| (module.name, module.policy)).collect();
    Ok((verbs, Policies::read(&all, &files)?))
}

/// Makes what every database begins with, then reads and verifies everything.
async fn load(db: &Db, keys: &Keys) -> Result<(Index, audit::Head), DbError> {
    let (mut tx, turn) = db.write().await?;
    let fresh = tx.row("SELECT id FROM authz_head", Vec::new()).await?.is_none()
        && tx.row("SELECT log_id FROM log_head", Vec::new()).await?.is_none();
    if fresh {
        rows::first_head(&mut tx, &keys.rows).await?;
        audit::first_head(&mut tx, &keys.audit).await?;
        crate::tally::first(&mut tx, keys).await?;
    }
    tx.commit().await?;
    drop(turn);
    let mut tx = db.read().await?;
    let mut index = Index::default();
    index.take(&Delta::read(&mut tx, &keys.rows, 0).await?)?;
    let last = verify_log(&mut tx, keys).await?;
    Ok((index, last))
}

/// The counted tables; the whole log; that it tells of the last change of what decisions rest on, and of none that
/// is not there; and that nobody has followed further than it goes.
async fn verify_log(tx: &mut Tx<'_>, keys: &Keys) -> Result<audit::Head, DbError> {
    let (generation, _, seq) = rows::read_whole_head(tx, &keys.rows).await?;
    crate::tally::verify(tx, keys).await?;
    let (last, told) = audit::verify(tx, &keys.audit).await?;
    if last.seq < seq {
        return Err(DbError::Tampered { table: "log_head", row: format!("acts, before record {seq}") });
    }
    if told != generation {
        return Err(rows::put_back());
    }
    let followed = tx.row("SELECT MAX(seq) FROM consumer", Vec::new()).await?;
    let followed = followed.map(|row| row.get::<Option<i64>>(0)).transpose()?.flatten();
    if followed > Some(last.seq) {
        return Err(DbError::Tampered { table: "consumer", row: "beyond the last record".into() });
    }
    Ok(last)
}
