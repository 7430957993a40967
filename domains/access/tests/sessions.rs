//! Sessions: what keeps them, and the links that hand them over. Such a link opens one session, once, for as long as the
//! one that it was made from.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

use garrison_access::acts::{EndSession, HandOver, InviteFirst};
use garrison_access::{Access, Begin, Profile, SessionKind, SessionLimits, Step};
use garrison_base::PersonId;
use garrison_directory::acts::{DisablePerson, EnablePerson};
use garrison_kernel::{Act, Actor, ActorId, Method, Origin, Outcome, Problem, System, TokenLimits};
use garrison_testkit::{Engine, Platform, origin};
use garrison_web::{Credential, Gate as _, Identified};
use jiff::SignedDuration;
use totp_rs::{Builder, Secret};

/// A tenant with one person, who is logged in on the command line.
struct Door {
    platform: Platform,
    access: Access,
    anna: Actor,
    person: PersonId,
}

impl Door {
    async fn new(engine: Engine, limits: SessionLimits) -> Self {
        let modules = vec![garrison_directory::module(), garrison_access::module()];
        let platform = Platform::new(engine, modules).await;
        let access = Access::new(platform.kernel.clone(), limits);
        let session = log_in(&platform, &access).await;
        let Identified { actor: anna, .. } = access
            .identify(Credential::Bearer(session), origin(), true)
            .await
            .unwrap_or_else(|why| panic!("{why}"));
        let ActorId::Person(person) = anna.id else { panic!("{:?} is no person", anna.id) };
        Self { platform, access, anna, person }
    }

    /// The system actor that arranges things here.
    fn setup(&self) -> Actor {
        Actor::system(System::SETUP, self.platform.tenant, Origin::system("req-test"))
    }

    async fn act<A: Act>(&self, actor: &Actor, act: A) -> A::Output {
        done(self.platform.kernel.act(actor, act).await)
    }

    /// The secret of a new link.
    async fn link(&self) -> String {
        let made = self.act(&self.anna, HandOver {}).await;
        made.path.strip_prefix("/enter/").unwrap().to_owned()
    }

    /// The kind of problem that stands in the way of a link, or that none does.
    async fn enter(&self, link: &str) -> Result<String, &'static str> {
        self.access.enter(link, &origin()).await.map_err(|problem| problem.kind().name)
    }

    /// What a browser's session is recognised as.
    async fn identify(&self, session: &str, attended: bool) -> Result<Identified, Box<dyn Problem>> {
        self.access.identify(Credential::Cookie(session.to_owned()), origin(), attended).await
    }

    /// Whether it lives; to look prolongs nothing.
    async fn lives(&self, session: &str) -> bool {
        self.identify(session, false).await.is_ok()
    }

    fn wait(&self, minutes: i64) {
        self.platform.clock.advance(SignedDuration::from_mins(minutes));
    }
}

fn done<T>(outcome: Result<Outcome<T>, Box<dyn Problem>>) -> T {
    match outcome {
        Ok(Outcome::Done(output)) => output,
        Ok(Outcome::Waiting(request)) => panic!("it waits as {request}"),
        Err(problem) => panic!("{problem}"),
    }
}

/// Sets the first administrator up; returns the secret of their session.
async fn log_in(platform: &Platform, access: &Access) -> String {
    let setup = Actor::system(System::SETUP, platform.tenant, Origin::system("req-test"));
    let link = done(platform.kernel.act(&setup, InviteFirst {}).await).invitation;
    let profile = Profile {
        name: "anna".parse().unwrap(),
        full_name: "Anna Test".parse().unwrap(),
        email: "anna@example.org".parse().unwrap(),
    };
    let kind = SessionKind::Cli;
    let begin = Begin { invitation: Some(link), profile: Some(profile), kind, ..Begin::default() };
    let login = access.begin(begin, &origin()).await.unwrap().login;
    let new_password = Some("four plain words here".to_owned());
    let chosen = Step { login: login.clone(), new_password, ..Step::default() };
    let secret = access.step(chosen, &origin()).await.unwrap().enrolment.unwrap().secret;
    let totp = Builder::new().with_secret(Secret::try_from_base32(&secret).unwrap()).build().unwrap();
    let now = platform.kernel.now().as_second().cast_unsigned();
    let proof = Step { login, code: Some(totp.generate(now).to_string()), ..Step::default() };
    access.step(proof, &origin()).await.unwrap().session.unwrap()
}

#[tokio::test]
async fn a_link_opens_one_session_of_its_own() {
    for engine in Engine::all() {
        let door = Door::new(engine, SessionLimits::default()).await;
        let link = door.link().await;
        let session = door.enter(&link).await.unwrap();
        assert!(session.starts_with("gse_"), "{session}");
        let Identified { actor, .. } =
            door.identify(&session, true).await.unwrap_or_else(|why| panic!("{why}"));
        assert_eq!((actor.id, actor.origin.method), (door.anna.id, Method::Console));
        assert_ne!(actor.origin.session, door.anna.origin.session);
        let rows = door.platform.database.by_hand("SELECT kind, state FROM access_session ORDER BY kind");
        assert_eq!(rows.lines().collect::<Vec<_>>(), ["\"cli\"|active", "\"web\"|active"]);

        // It opens nothing more, and another opens another.
        assert_eq!(door.enter(&link).await, Err("hand-over/ended"));
        let second = door.enter(&door.link().await).await.unwrap();
        assert!(door.lives(&session).await && door.lives(&second).await);
        // Each ends alone.
        door.act(&door.anna, EndSession { session: actor.origin.session.parse().unwrap() }).await;
        assert!(!door.lives(&session).await && door.lives(&second).await);
    }
}

#[tokio::test]
async fn what_no_person_asked_for_keeps_no_session() {
    for engine in Engine::all() {
        let door = Door::new(engine, SessionLimits::default()).await;
        let [left, used] = [door.link().await, door.link().await];
        let (left, mut used) = (door.enter(&left).await.unwrap(), door.enter(&used).await.unwrap());
        for minutes in [10, 20] {
            door.wait(10);
            let seen = door.identify(&left, false).await.unwrap_or_else(|why| panic!("{minutes}: {why}"));
            assert_eq!(
                seen.renewed, None,
                "a page that was left open looks for news after {minutes} minutes"
            );
            let seen = door.identify(&used, true).await.unwrap_or_else(|why| panic!("{minutes}: {why}"));
            used = seen.renewed.unwrap();
        }
        door.wait(10);
        assert_eq!((door.lives(&left).await, door.lives(&used).await), (false, true));
        // Nor does it bring one back.
        assert!(door.identify(&left, true).await.is_err());
    }
}

#[tokio::test]
async fn a_link_that_was_changed_opens_nothing() {
    for engine in Engine::all() {
        let door = Door::new(engine, SessionLimits::default()).await;
        let link = door.link().await;
        let (known, secret) = link.rsplit_once('.').unwrap();
        let guessed = format!("{known}.{}", secret.chars().rev().collect::<String>());
        for wrong in [guessed.as_str(), known, "gen_a.b.c", "", &link.replace("gen_", "gin_")] {
            assert_eq!(door.enter(wrong).await, Err("hand-over/ended"), "{wrong}");
        }
        assert!(door.enter(&link).await.is_ok(), "trying others does not use it up");
    }
}

#[tokio::test]
async fn a_link_ends_after_ten_minutes() {
    for engine in Engine::all() {
        let door = Door::new(engine, SessionLimits::default()).await;
        let (first, second) = (door.link().await, door.link().await);
        door.wait(9);
        assert!(door.enter(&first).await.is_ok());
        door.wait(1);
        assert_eq!(door.enter(&second).await, Err("hand-over/ended"));
    }
}

#[tokio::test]
async fn a_link_of_somebody_who_is_disabled_opens_nothing() {
    for engine in Engine::all() {
        let door = Door::new(engine, SessionLimits::default()).await;
        let link = door.link().await;
        let person = door.person;
        door.act(&door.setup(), DisablePerson { person }).await;
        assert_eq!(door.enter(&link).await, Err("hand-over/ended"));
        // What ended stays ended.
        while door.platform.kernel.work().await.unwrap() > 0 {}
        door.act(&door.setup(), EnablePerson { person }).await;
        assert_eq!(door.enter(&link).await, Err("hand-over/ended"));
    }
}

#[tokio::test]
async fn a_link_ends_with_the_session_that_it_was_made_from() {
    for engine in Engine::all() {
        let door = Door::new(engine, SessionLimits::default()).await;
        let link = door.link().await;
        let session = door.anna.origin.session.parse().unwrap();
        door.act(&door.anna, EndSession { session }).await;
        assert_eq!(door.enter(&link).await, Err("hand-over/ended"));
    }
}

#[tokio::test]
async fn what_was_handed_over_ends_with_what_it_was_handed_over_from() {
    for engine in Engine::all() {
        let door = Door::new(engine, SessionLimits { idle_minutes: 600, absolute_hours: 10 }).await;
        let beside = door.enter(&door.link().await).await.unwrap();
        // Each from the one before. Links that have expired are forgotten meanwhile; what was used counts on.
        let (mut from, mut chain) = (door.anna.clone(), Vec::new());
        for _ in 0..3 {
            let made = door.act(&from, HandOver {}).await;
            let session = door.enter(made.path.strip_prefix("/enter/").unwrap()).await.unwrap();
            from = door.identify(&session, false).await.unwrap_or_else(|why| panic!("{why}")).actor;
            chain.push((session, from.origin.session.parse().unwrap()));
            door.wait(20);
        }
        let open = door.act(&from, HandOver {}).await.path;
        let mut lives = Vec::new();
        for ended in [chain[1].1, door.anna.origin.session.parse().unwrap()] {
            let count = door.act(&door.anna, EndSession { session: ended }).await.ended;
            let mut states = Vec::new();
            for session in chain.iter().map(|(session, _)| session).chain([&beside]) {
                states.push(door.lives(session).await);
            }
            lives.push((count, states));
        }
        let expected = [(2, vec![true, false, false, true]), (3, vec![false, false, false, false])];
        assert_eq!(lives, expected);
        assert_eq!(door.enter(open.strip_prefix("/enter/").unwrap()).await, Err("hand-over/ended"));
        let left =
            door.platform.database.by_hand("SELECT hand_over FROM access_hand_over WHERE state = 'used'");
        assert_eq!(left.trim(), "", "nothing is kept of what has ended");
    }
}

#[tokio::test]
async fn nobody_stays_longer_by_it() {
    for engine in Engine::all() {
        let limits = SessionLimits { idle_minutes: 600, absolute_hours: 1 };
        let door = Door::new(engine, limits).await;
        door.wait(55);
        let (used, late) = (door.link().await, door.link().await);
        let session = door.enter(&used).await.unwrap();
        door.wait(4);
        assert!(door.lives(&session).await);
        door.wait(1);
        assert!(!door.lives(&session).await, "it ends when the one ends that it was made from");
        assert_eq!(door.enter(&late).await, Err("hand-over/ended"));
    }
}

#[tokio::test]
async fn a_token_hands_nothing_over() {
    for engine in Engine::all() {
        let door = Door::new(engine, SessionLimits::default()).await;
        let limits = Some(TokenLimits { verbs: vec!["*".to_owned()], node: door.platform.root });
        let mut token = Actor { limits, ..door.anna.clone() };
        let refused = door.platform.kernel.act(&token, HandOver {}).await.unwrap_err();
        assert_eq!(refused.kind().name, "session/needs-login");
        // It is not told that it may, either; whoever is logged in is.
        let mut told = Vec::new();
        for who in [&door.anna, &token] {
            let may = door.platform.kernel.may(who).await.unwrap();
            told.push([HandOver::VERB, EndSession::VERB].map(|verb| may.contains(&verb)));
        }
        assert_eq!(told, [[true, true], [false, true]]);
        // Nor does whoever shows no session at all.
        (token.limits, token.origin.session) = (None, "none".to_owned());
        let refused = door.platform.kernel.act(&token, HandOver {}).await.unwrap_err();
        assert_eq!(refused.kind().name, "session/needs-login");
    }
}
