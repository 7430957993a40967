//! A platform with alerts, for tests.

#![allow(dead_code, clippy::panic, clippy::unwrap_used, reason = "each test uses its part, and fails loudly")]

use garrison_access::acts::CreateGrant;
use garrison_base::{AlertId, NodeId, PersonId, Timestamp};
use garrison_detection::acts::{CloseAlert, RaiseAlerts, Raised};
use garrison_detection::{
    Alert, AlertDetail, AlertEvent, AlertFilter, CloseReason, Grouped, ListAlerts, ShowAlert,
};
use garrison_directory::acts::CreatePerson;
use garrison_facts::{AlertLevel, EntityKind};
use garrison_kernel::{Act, Actor, ActorId, Holder, Module, Outcome, Problem, System};
use garrison_testkit::{Engine, Platform, origin};
use garrison_web::Question;

/// 2026-11-22, ten o'clock.
const TEN: i64 = 1_795_341_600;

fn modules() -> Vec<Module> {
    vec![garrison_directory::module(), garrison_access::module(), garrison_detection::module()]
}

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(TEN + second).unwrap()
}

/// A platform with somebody who decides alerts.
pub struct World {
    pub platform: Platform,
    pub analyst: PersonId,
}

impl World {
    pub async fn new(engine: Engine) -> Self {
        let platform = Platform::new(engine, modules()).await;
        let analyst = person(&platform, "ann", Some("analyst")).await;
        Self { platform, analyst }
    }

    pub fn analyst(&self) -> Actor {
        self.platform.person(self.analyst)
    }

    pub async fn act<A: Act>(&self, actor: &Actor, act: A) -> Result<A::Output, Box<dyn Problem>> {
        done(&self.platform, actor, act).await
    }

    pub async fn raise(&self, upto: u64, hits: Vec<Grouped>) -> Raised {
        let detection = Actor::system(System::DETECTION, self.platform.tenant, origin());
        self.act(&detection, RaiseAlerts::new(upto, false, hits)).await.unwrap()
    }

    /// A group at the root on `web1`, of an event each second.
    pub fn hit(&self, from: i64, to: i64) -> Grouped {
        Grouped {
            rule: "rule-1".into(),
            title: "Something happened".into(),
            level: AlertLevel::High,
            node: self.platform.root,
            entity_kind: EntityKind::Host,
            entity: "web1".into(),
            count: u64::try_from(to - from + 1).unwrap(),
            first_seen: at(from),
            last_seen: at(to),
            events: (from..=to).map(event).collect(),
        }
    }

    pub async fn list(&self, filter: AlertFilter) -> Vec<Alert> {
        let mut tx = self.platform.kernel.read(&self.analyst(), ListAlerts::VERB).await.unwrap();
        ListAlerts::from(filter).answer(&mut tx).await.unwrap().items
    }

    pub async fn show(&self, alert: AlertId) -> AlertDetail {
        self.platform.kernel.ask(&self.analyst(), ShowAlert { alert }).await.unwrap()
    }

    pub async fn close(&self, alert: AlertId) -> Result<(), Box<dyn Problem>> {
        let note = "the backup does this".parse().unwrap();
        let act = CloseAlert { alert, reason: CloseReason::Benign, note };
        self.act(&self.analyst(), act).await.map(|_| ())
    }
}

pub fn event(second: i64) -> AlertEvent {
    AlertEvent {
        id: format!("event{second}"),
        time: at(second),
        source: "syslog".into(),
        why: Vec::new(),
        raw: format!("it is {second}"),
    }
}

pub async fn done<A: Act>(platform: &Platform, actor: &Actor, act: A) -> Result<A::Output, Box<dyn Problem>> {
    match platform.kernel.act(actor, act).await? {
        Outcome::Done(output) => Ok(output),
        Outcome::Waiting(request) => panic!("{request} waits"),
    }
}

pub async fn person(platform: &Platform, name: &str, role: Option<&str>) -> PersonId {
    let new = CreatePerson {
        name: name.parse().unwrap(),
        full_name: name.parse().unwrap(),
        email: format!("{name}@example.org").parse().unwrap(),
    };
    let setup = Actor::system(System::SETUP, platform.tenant, origin());
    let person = done(platform, &setup, new).await.unwrap().person;
    if let Some(role) = role {
        grant(platform, person, (role, platform.root)).await;
    }
    person
}

pub async fn grant(platform: &Platform, person: PersonId, (role, node): (&str, NodeId)) {
    let grant = CreateGrant {
        holder: Holder::Actor(ActorId::Person(person)),
        role: role.into(),
        node,
        until: None,
        duty: "test".parse().unwrap(),
        reason: "test".parse().unwrap(),
    };
    let console = Actor::system(System::CONSOLE, platform.tenant, origin());
    done(platform, &console, grant).await.unwrap();
}
