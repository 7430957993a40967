//! From a new alert to its receiver.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests fail loudly")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use garrison_access::acts::CreateGrant;
use garrison_base::{DeliveryId, Timestamp};
use garrison_detection::Grouped;
use garrison_detection::acts::RaiseAlerts;
use garrison_directory::acts::CreatePerson;
use garrison_facts::{AlertLevel, EntityKind};
use garrison_kernel::{Act, Actor, ActorId, Holder, Outcome, System};
use garrison_notices::acts::{DeliveryOutcome, SettleDelivery};
use garrison_notices::{
    Couriers, Delivery, DeliveryState, ListDeliveries, Mail, Notices, Secret, Smtp, SmtpTls, Webhook, deliver,
};
use garrison_testkit::{Engine, Platform, origin};
use garrison_web::Question;
use jiff::SignedDuration;
use ureq::tls::TlsConfig;

const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A request that came in: its head, in lower case, and its body.
struct Request {
    head: String,
    body: String,
}

impl Request {
    fn header(&self, name: &str) -> &str {
        let found = self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        found.unwrap_or_else(|| panic!("no {name} in {}", self.head))
    }
}

/// A receiver that gives these answers, one after the other.
fn receiver(answers: Vec<u16>) -> (String, JoinHandle<Vec<Request>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks/hunter2", listener.local_addr().unwrap());
    let take = move |status| answer(&listener.accept().unwrap().0, status);
    (url, std::thread::spawn(move || answers.into_iter().map(take).collect()))
}

fn answer(mut stream: &TcpStream, status: u16) -> Request {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        // Names of headers only: signatures and ids are told apart by case.
        let (name, value) = line.split_once(": ").unwrap_or((&line, ""));
        head.push_str(&format!("{}: {}\n", name.to_lowercase(), value.trim_end()));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    write!(stream, "HTTP/1.1 {status} Said\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
    Request { head, body: String::from_utf8(body).unwrap() }
}

fn webhook(url: &str) -> Webhook {
    Webhook {
        name: "chat".into(),
        url: Secret::new(url),
        secret: Some(Secret::new(format!("whsec_{SECRET}"))),
        secret_file: None,
        min_level: AlertLevel::Medium,
        node: None,
    }
}

struct World {
    platform: Platform,
    couriers: Couriers,
}

impl World {
    async fn new(engine: Engine, config: &Notices) -> Self {
        let modules = vec![
            garrison_directory::module(),
            garrison_access::module(),
            garrison_detection::module(),
            garrison_notices::module(config),
        ];
        let platform = Platform::new(engine, modules).await;
        Self { platform, couriers: Couriers::new(config, TlsConfig::builder().build()).unwrap() }
    }

    async fn act<A: Act>(&self, system: System, act: A) -> A::Output {
        let actor = Actor::system(system, self.platform.tenant, origin());
        match self.platform.kernel.act(&actor, act).await.unwrap() {
            Outcome::Done(output) => output,
            Outcome::Waiting(request) => panic!("{request} waits"),
        }
    }

    /// An alert for each entity, and what follows of itself.
    async fn raise(&self, upto: u64, level: AlertLevel, entities: &[&str]) {
        let now = Timestamp::from_second(1_795_341_600).unwrap();
        let hit = |entity: &&str| Grouped {
            rule: "rule-1".into(),
            title: "Something happened".into(),
            level,
            node: self.platform.root,
            entity_kind: EntityKind::Host,
            entity: (*entity).to_owned(),
            count: 1,
            first_seen: now,
            last_seen: now,
            events: Vec::new(),
        };
        self.act(System::DETECTION, RaiseAlerts::new(upto, false, entities.iter().map(hit).collect())).await;
        self.platform.kernel.work().await.unwrap();
    }

    async fn deliver(&self) -> usize {
        deliver(&self.platform.kernel, &self.couriers).await.unwrap()
    }

    /// A column of all deliveries, in the order of their ids: those of one moment are in no order of their own.
    fn column(&self, name: &str) -> Vec<String> {
        let sql = format!("SELECT {name} FROM notices_delivery ORDER BY delivery_id");
        self.platform.database.by_hand(&sql).lines().map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn a_new_alert_is_told_once_and_signed() {
    for engine in Engine::all() {
        let (url, requests) = receiver(vec![204]);
        let config = Notices { webhooks: vec![webhook(&url)], ..Notices::default() };
        let world = World::new(engine, &config).await;
        world.raise(1, AlertLevel::High, &["web1"]).await;
        world.raise(2, AlertLevel::High, &["web1"]).await;
        assert_eq!(world.column("state"), ["waiting"], "what goes on is not told again");
        assert_eq!((world.deliver().await, world.deliver().await), (1, 0));
        assert_eq!(
            (world.column("state"), world.column("attempts")),
            (vec!["sent".into()], vec!["1".into()])
        );

        let requests = requests.join().unwrap();
        let request = &requests[0];
        assert_eq!(request.header("webhook-id"), world.column("delivery_id")[0]);
        let signed = format!(
            "{}.{}.{}",
            request.header("webhook-id"),
            request.header("webhook-timestamp"),
            request.body
        );
        let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(SECRET).unwrap());
        let signature = request.header("webhook-signature").strip_prefix("v1,").unwrap();
        hmac::verify(&key, signed.as_bytes(), &STANDARD.decode(signature).unwrap()).unwrap();
        let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!((&body["type"], &body["data"]["path"]), (&"alert.raised".into(), &"acme".into()));
        assert_eq!((&body["data"]["level"], &body["data"]["entity"]), (&"high".into(), &"web1".into()));
    }
}

#[tokio::test]
async fn what_fails_is_sent_again_later_with_the_same_id() {
    let (url, requests) = receiver(vec![500, 200]);
    let config = Notices { webhooks: vec![webhook(&url)], ..Notices::default() };
    let world = World::new(Engine::Sqlite, &config).await;
    world.raise(1, AlertLevel::High, &["web1"]).await;
    assert_eq!((world.deliver().await, world.deliver().await), (1, 0), "not again at once");
    assert_eq!(world.column("last_error"), ["the receiver answered 500"]);
    world.platform.clock.advance(SignedDuration::from_secs(6));
    assert_eq!(world.deliver().await, 1);
    assert_eq!((world.column("state"), world.column("attempts")), (vec!["sent".into()], vec!["2".into()]));
    let requests = requests.join().unwrap();
    assert_eq!(requests[0].header("webhook-id"), requests[1].header("webhook-id"));
    assert_eq!(requests[0].body, requests[1].body);
    assert_ne!(requests[0].header("webhook-signature"), requests[1].header("webhook-signature"));
}

#[tokio::test]
async fn a_target_that_fails_is_left_alone_and_no_secret_is_told() {
    // Nobody listens there any more.
    let url = receiver(Vec::new()).0;
    let config = Notices { webhooks: vec![webhook(&url)], ..Notices::default() };
    let world = World::new(Engine::Sqlite, &config).await;
    world.raise(1, AlertLevel::High, &["web1", "web2", "web3"]).await;
    assert_eq!(world.deliver().await, 1, "the others would wait for the same end");
    assert_eq!(world.column("attempts"), ["1", "0", "0"]);
    let dump = world.platform.database.by_hand("SELECT * FROM notices_delivery");
    let records = world.platform.database.by_hand("SELECT CAST(record AS TEXT) FROM audit");
    assert!(!dump.contains("hunter2") && !records.contains("hunter2"), "{dump}");
}

#[tokio::test]
async fn what_waits_for_one_target_does_not_stand_before_another() {
    for engine in Engine::all() {
        // Nobody listens there any more.
        let gone = receiver(Vec::new()).0;
        let (url, requests) = receiver(vec![204]);
        let config = Notices {
            webhooks: vec![
                Webhook { name: "gone".into(), ..webhook(&gone) },
                Webhook { min_level: AlertLevel::Critical, ..webhook(&url) },
            ],
            ..Notices::default()
        };
        let world = World::new(engine, &config).await;
        let names: Vec<String> = (0..100).map(|number| format!("web{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        world.raise(1, AlertLevel::High, &names).await;
        world.platform.clock.advance(SignedDuration::from_secs(1));
        world.raise(2, AlertLevel::Critical, &["db1"]).await;
        assert_eq!(world.column("target").len(), 102);
        assert_eq!(world.deliver().await, 2, "the longest waiting of each target");
        assert_eq!(requests.join().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn targets_are_told_of_their_level_and_part() {
    let here = webhook("https://chat.example/hooks/1");
    let config = Notices {
        webhooks: vec![
            Webhook { name: "all".into(), min_level: AlertLevel::Informational, ..here.clone() },
            Webhook { name: "critical".into(), min_level: AlertLevel::Critical, ..here.clone() },
            Webhook { name: "root".into(), node: Some("acme".into()), ..here.clone() },
            Webhook { name: "elsewhere".into(), node: Some("acme/shop".into()), ..here.clone() },
        ],
        mails: vec![Mail {
            name: "soc".into(),
            to: vec!["ann@example.org".into()],
            min_level: AlertLevel::Low,
            node: None,
        }],
        smtp: Some(Smtp {
            host: "mail.example".into(),
            port: 25,
            from: "garrison@example.org".into(),
            tls: SmtpTls::Off,
            user: None,
            password: None,
            password_file: None,
        }),
    };
    let world = World::new(Engine::Sqlite, &config).await;
    world.raise(1, AlertLevel::Medium, &["web1"]).await;
    let mut told = world.column("channel || ' ' || target");
    told.sort();
    assert_eq!(told, ["mail soc", "webhook all", "webhook root"]);
}

#[tokio::test]
async fn after_twelve_attempts_it_is_given_up() {
    let config = Notices { webhooks: vec![webhook("https://chat.example/hooks/1")], ..Notices::default() };
    let world = World::new(Engine::Sqlite, &config).await;
    world.raise(1, AlertLevel::High, &["web1"]).await;
    let delivery: DeliveryId = world.column("delivery_id")[0].parse().unwrap();
    let outcome = DeliveryOutcome::Failed { why: "no answer".into() };
    for attempt in 1..=12 {
        let act = SettleDelivery { delivery, outcome: outcome.clone() };
        let state = world.act(System::NOTICES, act).await;
        let wanted = if attempt < 12 { DeliveryState::Waiting } else { DeliveryState::Failed };
        assert_eq!(state, Some(wanted), "{attempt}");
    }
    let late = SettleDelivery { delivery, outcome: DeliveryOutcome::Sent };
    assert_eq!(world.act(System::NOTICES, late).await, None, "what was given up stays so");
    world.platform.clock.advance(SignedDuration::from_hours(24));
    assert_eq!(world.deliver().await, 0);
}

#[tokio::test]
async fn a_flood_is_told_in_part() {
    let config = Notices { webhooks: vec![webhook("https://chat.example/hooks/1")], ..Notices::default() };
    let world = World::new(Engine::Sqlite, &config).await;
    let names: Vec<String> = (0..150).map(|number| format!("web{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.raise(1, AlertLevel::High, &names).await;
    assert_eq!(world.column("state").len(), 100);
}

#[tokio::test]
async fn an_auditor_sees_what_was_told() {
    let config = Notices { webhooks: vec![webhook("https://chat.example/hooks/1")], ..Notices::default() };
    let world = World::new(Engine::Sqlite, &config).await;
    let new = CreatePerson {
        name: "ada".parse().unwrap(),
        full_name: "Ada".parse().unwrap(),
        email: "ada@example.org".parse().unwrap(),
    };
    let ada = world.act(System::SETUP, new).await.person;
    let grant = CreateGrant {
        holder: Holder::Actor(ActorId::Person(ada)),
        role: "auditor".into(),
        node: world.platform.root,
        until: None,
        duty: "test".parse().unwrap(),
        reason: "test".parse().unwrap(),
    };
    world.act(System::CONSOLE, grant).await;
    world.raise(1, AlertLevel::High, &["web1", "web2"]).await;
    let list = async |asked: ListDeliveries| -> Vec<Delivery> {
        let actor = world.platform.person(ada);
        let mut tx = world.platform.kernel.read(&actor, ListDeliveries::VERB).await.unwrap();
        asked.answer(&mut tx).await.unwrap().items
    };
    let all = list(ListDeliveries::default()).await;
    assert_eq!(all.len(), 2);
    assert!(all[0].id > all[1].id && all[0].next.is_some() && all[0].sent.is_none());
    let one = ListDeliveries { alert: Some(all[1].alert), ..ListDeliveries::default() };
    assert_eq!(list(one).await.len(), 1);
    let sent = ListDeliveries { state: Some(DeliveryState::Sent), ..ListDeliveries::default() };
    assert!(list(sent).await.is_empty());
}
