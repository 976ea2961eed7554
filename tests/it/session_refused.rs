//! A failed session call leaves one event, which says why the user was signed out.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex, atomic::Ordering},
};

use http::Method;
use http_body_util::Full;
use tower_bearer::{
    Clock, Event, EventSink, KeyRing, MemoryStore, SessionErrorKind, SessionId, SystemClock,
    refresh::{RefreshCookieBuilder, RefreshTransport},
};

use crate::support::world::{Browser, COOKIE, World};

const OTHER_MASTER: &[u8] = b"3hTq9XcVn0yLkR5sWbEu7JmDf2ZpAo8GiKtC1NvM";
const DAY: u64 = 24 * 60 * 60;

/// One event, with the sentence that its line has.
#[derive(Clone, Debug)]
struct Told {
    session: Option<SessionId>,
    call: &'static str,
    kind: SessionErrorKind,
    sentence: String,
    last: bool,
}

#[derive(Clone)]
struct Server {
    world: World,
    told: Arc<Mutex<Vec<Told>>>,
}

impl Server {
    fn new() -> Self {
        Self::with(|builder| builder)
    }

    fn with(set: impl FnOnce(RefreshCookieBuilder) -> RefreshCookieBuilder) -> Self {
        Self::made(|sink| World::with(|builder| set(builder).events(sink)))
    }

    fn with_keys(keys: KeyRing) -> Self {
        Self::made(|sink| {
            let World {
                clock,
                app_clock,
                store,
                ..
            } = World::new();
            World::over(keys, clock, app_clock, store, |builder| {
                builder.events(sink)
            })
        })
    }

    /// Another server over the same store.
    fn over(other: &Self) -> Self {
        let World {
            keys,
            clock,
            app_clock,
            store,
            ..
        } = other.world.clone();
        Self::made(|sink| {
            World::over(keys, clock, app_clock, store, |builder| {
                builder.events(sink)
            })
        })
    }

    fn made(world: impl FnOnce(EventSink) -> World) -> Self {
        let told = Arc::<Mutex<Vec<Told>>>::default();
        let notes = told.clone();
        let sink = EventSink::new(move |event: &Event<'_>| {
            if let Event::SessionRefused {
                session,
                call,
                error,
                last,
                ..
            } = event
            {
                let mut sentence = error.to_string();
                let mut source = error.source();
                while let Some(cause) = source {
                    sentence.push_str(&format!(": {cause}"));
                    source = cause.source();
                }
                notes.lock().unwrap().push(Told {
                    session: *session,
                    call,
                    kind: error.kind(),
                    sentence,
                    last: *last,
                });
            }
        });
        Self {
            world: world(sink),
            told,
        }
    }

    /// A browser that has signed in as `ada`, and its session.
    async fn signed_in(&self) -> (Browser, SessionId) {
        let browser = self.world.signed_in("ada").await;
        (browser, *self.world.store.last_key().id())
    }

    /// Asserts that one call was told of, and what.
    fn one(&self, session: Option<SessionId>, call: &str, kind: SessionErrorKind, cure: &str) {
        let told = std::mem::take(&mut *self.told.lock().unwrap());
        let [one] = &told[..] else {
            panic!("{cure}: {told:?}");
        };
        let found = (one.session, one.call, one.kind);
        assert_eq!(found, (session, call, kind), "{one:?}");
        assert!(one.sentence.contains(cure), "{one:?}");
        assert!(!one.sentence.contains("ada"), "{one:?} names the subject");
    }

    async fn refused(
        &self,
        browser: &mut Browser,
        id: Option<SessionId>,
        kind: SessionErrorKind,
        cure: &str,
    ) {
        let status = browser.refresh(&self.world).await.status;
        assert!(!status.is_success(), "{cure}");
        self.one(id, "refresh", kind, cure);
    }
}

fn with_cookie(server: &Server, value: &str) -> Browser {
    let mut browser = server.world.browser();
    browser.cookie = Some(value.to_owned());
    browser
}

#[tokio::test]
async fn a_cookie_that_is_none_of_ours_says_what_it_may_be() {
    use SessionErrorKind::Invalid;
    let server = Server::new();
    let (ada, _) = server.signed_in().await;
    let genuine = ada.cookie.clone().unwrap();
    let changed = genuine.replacen(&genuine[100..110], "AAAAAAAAAA", 1);
    for (value, cure) in [
        ("v1.forged", "it is not written as this crate writes it"),
        (
            &"x".repeat(600),
            "it is not written as this crate writes it",
        ),
        (&changed, "its seal does not fit: made up or changed"),
    ] {
        let mut browser = with_cookie(&server, value);
        server.refused(&mut browser, None, Invalid, cure).await;
    }
    // Other keys than at the sign-in, and another cookie's name.
    let cure = "no key of this ring opens it: REFRESH_SECRET has changed";
    let elsewhere = server
        .world
        .server_with_keys(KeyRing::from_master(OTHER_MASTER).unwrap());
    assert_eq!(
        with_cookie(&server, &genuine)
            .refresh(&elsewhere)
            .await
            .status,
        401
    );
    let events = elsewhere.events.lock().unwrap().join("\n");
    assert!(
        events.contains("SessionRefused") && events.contains("UnknownKey"),
        "{events}"
    );
    let mut foreign = elsewhere.signed_in("ada").await;
    server.refused(&mut foreign, None, Invalid, cure).await;
    // Beside a genuine one the garbage does not count.
    let mut both = with_cookie(&server, &format!("v1.forged; {COOKIE}={genuine}"));
    assert_eq!(both.refresh(&server.world).await.status, 200);
    assert!(server.told.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_session_that_the_store_does_not_know_is_named() {
    let server = Server::new();
    let (mut ada, id) = server.signed_in().await;
    let clock = server.world.clock.clone();
    let empty = MemoryStore::builder().clock(clock).build().unwrap();
    server.world.store.replace(empty);
    let cure =
        "the store does not know the session: it lay idle past its end, or the store was emptied";
    server
        .refused(&mut ada, Some(id), SessionErrorKind::Invalid, cure)
        .await;
}

#[tokio::test]
async fn an_expired_session_says_which_end_it_met() {
    for (days, cure) in [
        (8, "within idle_lifetime"),
        (31, "absolute_lifetime has passed"),
    ] {
        let days_of = |days| std::time::Duration::from_secs(days * DAY);
        let server = Server::with(|builder| {
            builder
                .absolute_lifetime(days_of(30))
                .idle_lifetime(days_of(7))
        });
        let (mut ada, id) = server.signed_in().await;
        server.world.secs(days * DAY);
        server
            .refused(&mut ada, Some(id), SessionErrorKind::Expired, cure)
            .await;
    }
}

#[tokio::test]
async fn a_session_that_was_ended_says_why() {
    const REASONS: [(&str, &str); 7] = [
        ("denied", "the claims closure had refused the subject"),
        ("limit", "session_limit"),
        ("owner", "from the list of sessions"),
        ("all", "all of the subject's were ended"),
        (
            "reuse",
            "an old token had come back: the event reuse_detected has both clients",
        ),
        ("replaced", "its client had signed in again"),
        ("signed out", "its owner had signed out"),
    ];
    for (how, cure) in REASONS {
        let server = Server::with(|builder| builder.session_limit(1));
        let world = &server.world;
        let (mut ada, id) = server.signed_in().await;
        let mut old = ada.clone();
        match how {
            "denied" => {
                world.denied.store(true, Ordering::SeqCst);
                assert_eq!(ada.refresh(world).await.status, 401);
                world.denied.store(false, Ordering::SeqCst);
                server.one(
                    Some(id),
                    "refresh",
                    SessionErrorKind::Denied,
                    "refused the subject",
                );
            }
            "limit" => drop(world.signed_in("ada").await),
            "owner" => drop(
                ada.call(world, Method::DELETE, &format!("/sessions/{id}"))
                    .await,
            ),
            "all" => drop(ada.call(world, Method::POST, "/logout-all").await),
            "reuse" => {
                for _ in 0..2 {
                    ada.refresh(world).await;
                    world.secs(61);
                }
                let cure = "an old refresh token was used again: the session is revoked now";
                server
                    .refused(&mut old.thief(), Some(id), SessionErrorKind::Reuse, cure)
                    .await;
            }
            "replaced" => {
                assert_eq!(ada.login(world, "ada").await.status, 200);
                world.secs(600);
            }
            _ => drop(ada.logout(world).await),
        }
        server
            .refused(&mut old, Some(id), SessionErrorKind::Revoked, cure)
            .await;
    }
}

#[tokio::test]
async fn a_refusal_that_signs_no_user_out_says_what_helps() {
    use SessionErrorKind as Kind;
    let server = Server::with(|builder| builder.repeat_limit(1));
    let world = &server.world;
    let (mut ada, id) = server.signed_in().await;
    ada.call(world, Method::DELETE, "/sessions/AAAAAAAAAAAAAAAAAAAAAA")
        .await;
    server.one(
        Some(id),
        "end_session",
        Kind::NotFound,
        "no such session of this subject",
    );
    ada.thief().call(world, Method::GET, "/sessions").await;
    server.one(Some(id), "list", Kind::RefreshFirst, "Another User-Agent");
    let mut late = ada.clone();
    assert_eq!(ada.call(world, Method::POST, "/elevate").await.status, 200);
    server
        .refused(
            &mut late,
            Some(id),
            Kind::Superseded,
            "a newer token was handed out",
        )
        .await;
    world.secs(600);
    server
        .refused(
            &mut late,
            Some(id),
            Kind::Outdated,
            "never took the newer token",
        )
        .await;
    for _ in 0..3 {
        ada.refresh(world).await;
    }
    server.one(Some(id), "refresh", Kind::TooManyRequests, "repeat_limit");

    world.store.down(true);
    server
        .refused(&mut ada, Some(id), Kind::Unavailable, "down for the test")
        .await;
    world.store.down(false);
    world.secs(600);
    world.claims_down.store(true, Ordering::SeqCst);
    let cure = "the claims are unavailable: no claims for the test";
    server
        .refused(&mut ada, Some(id), Kind::Unavailable, cure)
        .await;
    world.browser().login(world, "bob").await;
    server.one(None, "start", Kind::Unavailable, cure);
    world.claims_down.store(false, Ordering::SeqCst);

    world.browser().login(world, "").await;
    server.one(None, "start", Kind::InvalidInput, "1 to 256 bytes");
    let bob = world.signed_in("bob").await.cookie.unwrap();
    let mut both = with_cookie(&server, &format!("{bob}; {COOKIE}={}", ada.cookie.unwrap()));
    server
        .refused(
            &mut both,
            None,
            Kind::Ambiguous,
            "Another host of the domain",
        )
        .await;
}

/// Where tokens travel in bodies, the session is that of the body.
#[tokio::test]
async fn a_body_is_told_of_like_a_cookie() {
    let server = Server::with(|builder| builder.transport(RefreshTransport::Body));
    let world = &server.world;
    let mut ada = world.browser();
    let token = ada.login(world, "ada").await.body["refresh_token"].clone();
    let id = *world.store.last_key().id();
    let post = async |path: &str, token: &str| {
        let body = format!(r#"{{"refresh_token":"{token}"}}"#);
        let request = world.browser().request(Method::POST, path);
        world.send(request.body(Full::from(body)).unwrap()).await
    };
    assert_eq!(post("/logout", token.as_str().unwrap()).await.status, 204);
    assert_eq!(post("/refresh", token.as_str().unwrap()).await.status, 401);
    let cure = "its owner had signed out";
    server.one(Some(id), "refresh", SessionErrorKind::Revoked, cure);
    assert_eq!(post("/refresh", "v1.forged").await.status, 401);
    let cure = "it is not written as this crate writes it";
    server.one(None, "refresh", SessionErrorKind::Invalid, cure);
    let mut both = with_cookie(&server, "any");
    let cure = "the client sends one of the two";
    server
        .refused(&mut both, None, SessionErrorKind::Ambiguous, cure)
        .await;
}

#[tokio::test]
async fn two_writes_that_the_store_lost_are_named() {
    let server = Server::new();
    let (mut ada, id) = server.signed_in().await;
    let before = server.world.store.last().await;
    for _ in 0..2 {
        ada.refresh(&server.world).await;
        server.world.secs(120);
    }
    server.world.store.roll_back_to(&before).await;
    let cure = "ahead of the store by more than one write";
    server
        .refused(&mut ada, Some(id), SessionErrorKind::StateLost, cure)
        .await;
}

#[tokio::test]
async fn a_request_without_a_token_is_told_with_what_may_have_become_of_it() {
    let bodies = |builder: RefreshCookieBuilder| builder.transport(RefreshTransport::Body);
    for (server, cure) in [
        (
            Server::new(),
            "Or the browser never kept it or keeps it back (cookie_path, external_prefix,",
        ),
        (Server::with(bodies), "has no refresh_token"),
    ] {
        let mut browser = server.world.browser();
        server
            .refused(&mut browser, None, SessionErrorKind::NoSession, cure)
            .await;
    }
}

/// Calls that are refused before any method of `Session` runs.
#[tokio::test]
async fn an_endpoint_that_refuses_by_itself_is_told_of_like_a_call() {
    use SessionErrorKind::{InvalidInput, NotFound};
    let server = Server::new();
    let (mut ada, id) = server.signed_in().await;
    let reply = ada.call(&server.world, Method::DELETE, "/sessions/xyz");
    assert_eq!(reply.await.code(), "not_found");
    server.one(Some(id), "end_session", NotFound, "no such session");

    let server = Server::with(|builder| builder.transport(RefreshTransport::Body));
    for (body, status, cure) in [
        ("{".to_owned(), 400, "is not a JSON object whose"),
        ("[]".to_owned(), 400, "is not a JSON object whose"),
        (r#"{"refresh_token":1}"#.to_owned(), 400, "is a string"),
        ("x".repeat(5000), 413, "longer than 4 KiB"),
    ] {
        let request = server.world.browser().request(Method::POST, "/refresh");
        let request = request.body(Full::from(body)).unwrap();
        assert_eq!(server.world.send(request).await.status, status, "{cure}");
        server.one(None, "present", InvalidInput, cure);
    }
}

/// Runs `work` within one window of the limit, which goes by the system's clock.
async fn within_a_window<T>(mut work: impl AsyncFnMut() -> T) -> T {
    loop {
        let window = || SystemClock.now().as_secs() / 30;
        let before = window();
        let done = work().await;
        if window() == before {
            return done;
        }
    }
}

/// Strangers can send any number, and drown neither a session's trace nor the server's own faults.
#[tokio::test]
async fn ten_in_half_a_minute_are_told_of_each() {
    let told = within_a_window(async || {
        let server = Server::new();
        let world = &server.world;
        let (ada, id) = server.signed_in().await;
        // By chance both could share a counter, which the second digit of 64 tells.
        let digit = |id: &SessionId| id.to_string().as_bytes()[1];
        let (bob, bobs) = loop {
            let bob = server.signed_in().await;
            if digit(&bob.1) != digit(&id) {
                break bob;
            }
        };
        for _ in 0..30 {
            with_cookie(&server, "v1.forged").refresh(world).await;
        }
        world.store.down(true);
        for _ in 0..30 {
            ada.clone().refresh(world).await;
            world.browser().login(world, "carol").await;
        }
        bob.clone().refresh(world).await;
        let told = server.told.lock().unwrap().clone();
        let count = |session, kind| {
            let of = |one: &&Told| one.session == session && one.kind == kind;
            told.iter().filter(of).count()
        };
        use SessionErrorKind::{Invalid, Unavailable};
        [
            count(None, Invalid),
            count(None, Unavailable),
            count(Some(id), Unavailable),
            count(Some(bobs), Unavailable),
        ]
    });
    assert_eq!(told.await, [10, 10, 10, 1]);
}

/// Two sessions of one counter, which an account finds after some ninety sign-ins, have its ten together.
#[tokio::test]
async fn sessions_that_take_turns_get_no_more_than_one_of_them() {
    let server = Server::new();
    let world = &server.world;
    let mut known = BTreeMap::new();
    let pair = loop {
        let (mut browser, id) = server.signed_in().await;
        let old = browser.clone();
        browser.logout(world).await;
        let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(id.to_string().as_bytes());
        let bytes = bytes.unwrap();
        let counter = u16::from_be_bytes([bytes[0], bytes[1]]) % 4096;
        if let Some(other) = known.insert(counter, old.clone()) {
            break [old, other];
        }
    };
    let told = within_a_window(async || {
        // A layer of its own, whose counters are fresh.
        let server = Server::over(&server);
        for _ in 0..50 {
            for browser in &pair {
                browser.clone().refresh(&server.world).await;
            }
        }
        server.told.lock().unwrap().clone()
    });
    let told = told.await;
    assert_eq!(told.len(), 10);
    assert!(told[9].last && told[..9].iter().all(|one| !one.last));
}

/// Ten made-up cookies do not hide that all honest users are refused, because a secret has changed.
#[tokio::test]
async fn garbage_hides_no_honest_user() {
    let (honest, _) = Server::new().signed_in().await;
    let genuine = honest.cookie.unwrap();
    let told = within_a_window(async || {
        let elsewhere = Server::with_keys(KeyRing::from_master(OTHER_MASTER).unwrap());
        let (own, _) = elsewhere.signed_in().await;
        let broken = own.cookie.unwrap();
        let broken = broken.replacen(&broken[100..110], "AAAAAAAAAA", 1);
        for value in ["v1.forged", &broken, &genuine] {
            for _ in 0..30 {
                with_cookie(&elsewhere, value)
                    .refresh(&elsewhere.world)
                    .await;
            }
        }
        elsewhere.world.browser().refresh(&elsewhere.world).await;
        elsewhere.told.lock().unwrap().clone()
    });
    let told = told.await;
    for (sentence, times) in [
        ("it is not written as", 10),
        ("its seal does not fit", 10),
        ("REFRESH_SECRET has changed", 10),
        ("no refresh cookie came", 1),
    ] {
        let of = told.iter().filter(|one| one.sentence.contains(sentence));
        let of: Vec<_> = of.map(|one| one.last).collect();
        assert_eq!(of.len(), times, "{sentence}");
        // The tenth says that the rest is left out.
        assert_eq!(of.iter().position(|last| *last), (times == 10).then_some(9));
    }
}
