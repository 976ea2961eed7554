//! How long the session of one sign-in lasts, and what its token says of it.

use std::{convert::Infallible, error::Error, sync::Mutex, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use tower::{Layer, ServiceExt};
use tower_bearer::{
    AccessToken, ConfigError, NewSession, Session, SessionError, SessionErrorKind,
    store::SessionRecord,
};

use crate::support::world::{Browser, JAR, Reply, World};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

async fn start(world: &World, new: NewSession) -> (Browser, Result<AccessToken, SessionError>) {
    let (browser, token, _) = answered(world, new).await;
    (browser, token)
}

async fn answered(
    world: &World,
    new: NewSession,
) -> (Browser, Result<AccessToken, SessionError>, Reply) {
    let done = Mutex::new(None);
    let service = world
        .layer
        .layer(tower::service_fn(async |request: Request<Full<Bytes>>| {
            let session = Session::from_extensions(request.extensions()).unwrap();
            let token = session.start_with(new.clone()).await;
            *done.lock().unwrap() = Some(token);
            Ok::<_, Infallible>(Response::new(String::new()))
        }));
    let mut browser = world.browser();
    let request = browser
        .request(Method::POST, "/login")
        .body(Full::default());
    let response = service.oneshot(request.unwrap()).await.unwrap();
    let reply = Reply {
        status: StatusCode::OK,
        headers: response.into_parts().0.headers,
        body: serde_json::Value::Null,
    };
    browser.keep(&reply);
    let token = done.lock().unwrap().take().unwrap();
    (browser, token, reply)
}

/// The ends of the session that the token answer tells, in seconds.
fn ends(reply: &Reply) -> (Option<u64>, Option<u64>) {
    let member = |name: &str| reply.body[name].as_u64();
    (member("session_expires_in"), member("idle_expires_in"))
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_may_ask_for_a_shorter_session() {
    let world = World::new();
    let (mut browser, token) = start(&world, NewSession::new("ada").lifetime(HOUR)).await;
    let token = token.unwrap();
    assert_eq!(token.session(), Some(*world.store.last_key().id()));
    assert_eq!(
        (token.session_expires_in(), token.idle_expires_in()),
        (Some(HOUR), None)
    );
    world.advance(50 * MINUTE);
    let reply = browser.refresh(&world).await;
    assert_eq!(ends(&reply), (Some(600), None));
    assert_eq!(reply.max_age(), Some(600));
    world.advance(10 * MINUTE);
    assert_eq!(browser.refresh(&world).await.status, 401);
}

/// "Remember me" was not ticked: the browser drops the cookies when it closes, however often they rotate.
#[tokio::test(start_paused = true)]
async fn the_cookies_of_a_browser_session_have_no_lifetime_of_their_own() {
    let world = World::new();
    let new = NewSession::new("ada").browser_session();
    let (mut browser, token, mut reply) = answered(&world, new).await;
    token.unwrap();
    for path in ["/refresh", "/refresh", "/elevate", "/refresh"] {
        assert!(reply.set_cookie().is_some_and(|value| !value.is_empty()));
        assert_eq!(reply.max_age(), None, "before {path}");
        if reply.jar_cookie().is_some() {
            assert_eq!(reply.age_of(JAR), None, "before {path}");
        }
        world.secs(100);
        reply = browser.call(&world, Method::POST, path).await;
        assert_eq!(reply.status, 200, "{path}");
    }
    assert_eq!(ends(&reply).0, Some(7 * 24 * 3600 - 400));
    // Cleared like any other.
    let reply = browser.logout(&world).await;
    assert_eq!((reply.max_age(), reply.age_of(JAR)), (Some(0), Some(0)));
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_may_ask_for_another_idle_lifetime_which_rotation_keeps() {
    let world = World::with(|builder| builder.idle_lifetime(HOUR));
    // Shorter than the layer's, and as long; to the millisecond, as records keep it.
    for (idle, kept) in [(30 * MINUTE + Duration::from_nanos(1), 1800), (HOUR, 3600)] {
        let (mut browser, token) = start(&world, NewSession::new("ada").idle(idle)).await;
        assert_eq!(token.unwrap().idle_expires_in().unwrap().as_secs(), kept);
        let record = world.store.last().await;
        assert!(SessionRecord::decode(&record.encode()).unwrap() == record);
        for _ in 0..3 {
            world.secs(kept - 1);
            let reply = browser.refresh(&world).await;
            assert_eq!((reply.status.as_u16(), ends(&reply).1), (200, Some(kept)));
        }
        // Honest in answers that rotate nothing: the same token again.
        world.secs(20);
        let reply = browser.refresh(&world).await;
        assert!(reply.set_cookie().is_none());
        assert_eq!(ends(&reply).1, Some(kept - 20));
        world.secs(kept - 20);
        assert_eq!(browser.refresh(&world).await.status, 401);
    }
}

#[tokio::test(start_paused = true)]
async fn each_token_of_a_session_names_it_and_another_does_not() {
    let world = World::with(|builder| builder.idle_lifetime(HOUR));
    let mut browser = world.signed_in("ada").await;
    let id = world.store.last_key().id().to_string();
    world.secs(100);
    let late = browser.clone();
    let week = 7 * 24 * 3600;
    let rotated = browser.refresh(&world).await;
    assert_eq!(ends(&rotated), (Some(week - 100), Some(3600)));
    world.secs(10);
    let replayed = late.refresh_lost(&world).await;
    assert!(replayed.set_cookie().is_some());
    assert_eq!(ends(&replayed), (Some(week - 110), Some(3590)));
    for path in ["/elevate", "/end-others"] {
        let reply = browser.call(&world, Method::POST, path).await;
        assert_eq!(reply.body["session"], id.as_str());
        assert_eq!(ends(&reply), (Some(week - 110), Some(3600)), "{path}");
    }
    let alone = tower_bearer::TokenCodec::<tower_bearer::NoClaims>::nested(&world.keys);
    let alone = alone
        .issuer("https://id.example")
        .audience("api")
        .build()
        .unwrap();
    let token = alone.mint("ada", &tower_bearer::NoClaims {}).unwrap();
    assert_eq!((token.session(), token.session_expires_in()), (None, None));
    let json = serde_json::to_value(&token).unwrap();
    assert_eq!(json.as_object().unwrap().len(), 3);
}

#[tokio::test]
async fn a_lifetime_that_does_not_fit_is_the_applications_mistake_and_nothing_is_done() {
    let world = World::with(|builder| builder.idle_lifetime(HOUR));
    let ada = || NewSession::new("ada");
    let second = Duration::from_secs(1);
    let rows = [
        (
            ada().lifetime(Duration::ZERO),
            "lifetime: 0ns must be at least 1s",
        ),
        (
            ada().lifetime(899 * second),
            "lifetime: 899s must not be shorter than the lifetime of an access token",
        ),
        (
            ada().lifetime(169 * HOUR),
            "lifetime: 608400s must not be longer than absolute_lifetime, 604800s",
        ),
        (ada().idle(Duration::ZERO), "idle: 0ns must be at least 1s"),
        (
            ada().idle(900 * second),
            "idle: 900s must be longer than 990s, the lifetime of an access token, the interval and the grace",
        ),
        (
            ada().idle(HOUR + second),
            "idle: 3601s must not be longer than idle_lifetime, 3600s: raise that, or ask for less",
        ),
        (
            ada().lifetime(30 * MINUTE).idle(HOUR),
            "idle: 3600s must not be longer than the absolute lifetime, 1800s",
        ),
    ];
    for (new, said) in rows {
        let calls = world.store.calls();
        let (browser, refused) = start(&world, new).await;
        let error = refused.unwrap_err();
        assert_eq!(
            (error.kind(), error.status().as_u16()),
            (SessionErrorKind::Internal, 500)
        );
        let cause = error.source().unwrap();
        assert!(cause.is::<ConfigError>());
        assert!(cause.to_string().starts_with(said), "{cause}");
        // The client hears nothing of the settings.
        assert_eq!(error.problem().detail(), None);
        assert!(browser.cookie.is_none());
        assert_eq!(world.store.calls(), calls);
    }
    // The default idle lifetime may be longer than this session.
    assert!(start(&world, ada().lifetime(900 * second)).await.1.is_ok());
}
