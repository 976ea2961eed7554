//! The jar cookie on the wire: which one comes with which answer.

use std::time::Duration;

use http::{Request, header};
use http_body_util::Full;
use tower::{Layer, ServiceExt};
use tower_bearer::{
    Session,
    refresh::{JarCookie, RefreshCookieBuilder, RefreshTransport},
};

use crate::support::world::{COOKIE, JAR, World};

const DAY: u64 = 24 * 60 * 60;

/// The cookie's name and attributes without its value and its lifetime.
fn shape(line: &str) -> (&str, String) {
    let (name, rest) = line.split_once('=').unwrap();
    let mut parts: Vec<_> = rest.split("; ").skip(1).collect();
    parts.retain(|part| !part.starts_with("Max-Age="));
    (name, parts.join("; "))
}

/// The lines that a sign-in sets.
async fn set_by_sign_in(
    set: impl FnOnce(RefreshCookieBuilder) -> RefreshCookieBuilder,
) -> Vec<String> {
    let world = World::with(set);
    let application = tower::service_fn(async |request: Request<Full<bytes::Bytes>>| {
        let session = Session::from_extensions(request.extensions()).unwrap();
        session.start("ada").await.unwrap();
        Ok::<_, std::convert::Infallible>(http::Response::new(()))
    });
    let request = Request::post("/auth/login").body(Full::default()).unwrap();
    let response = world.layer.layer(application).oneshot(request).await;
    let headers = response.unwrap().into_parts().0.headers;
    let lines = headers.get_all(header::SET_COOKIE).iter();
    lines
        .map(|line| line.to_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn it_comes_with_the_sign_in_and_lasts_as_long_as_the_session_can() {
    let idle = Duration::from_secs(DAY);
    let world = World::with(|builder| builder.idle_lifetime(idle));
    let mut browser = world.browser();
    let reply = browser.login(&world, "ada").await;
    assert_eq!(browser.jar.as_ref().map(String::len), Some(28));
    assert_eq!(
        (reply.max_age(), reply.age_of(JAR)),
        (Some(DAY), Some(7 * DAY))
    );

    // Until a request has shown it: the answer to the sign-in may have been lost. The same value to the same end.
    let first = browser.jar.clone();
    world.secs(10);
    let reply = browser.without_jar().refresh_lost(&world).await;
    assert_eq!(
        (reply.status.as_u16(), reply.jar_cookie()),
        (200, first.clone())
    );
    assert_eq!(reply.age_of(JAR), Some(7 * DAY - 10));
    for day in 1..=6 {
        let left = 7 * DAY - 10 - (day - 1) * (DAY - 1);
        let reply = browser.refresh(&world).await;
        assert_eq!((reply.status.as_u16(), reply.jar_cookie()), (200, None));
        assert_eq!(reply.max_age(), Some(left.min(DAY)), "day {day}");
        world.secs(DAY - 1);
    }
    // A change of privilege is no other session.
    let reply = browser.call(&world, http::Method::POST, "/elevate").await;
    assert!(reply.set_cookie().is_some());
    assert_eq!(reply.jar_cookie(), first);
    // Another session has another one.
    let mut other = world.signed_in("ada").await;
    assert_ne!(other.jar, first);
    other.login(&world, "ada").await;
    assert_ne!(other.jar, browser.jar);
}

/// The refresh cookie was copied alone, or the jar cookie is another session's. There is no access token, and the
/// session goes on.
#[tokio::test]
async fn the_refresh_cookie_without_its_jar_is_worth_nothing_and_ends_nothing() {
    use http::Method;
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    browser.refresh(&world).await;
    let other = world.signed_in("bob").await;
    let mut alone = browser.without_jar();
    let mut wrong = browser.without_jar();
    wrong.jar = other.jar;
    for thief in [&mut alone, &mut wrong] {
        let generation = world.store.last().await.generation();
        for (method, path) in [
            (Method::POST, "/refresh"),
            (Method::GET, "/sessions"),
            (Method::POST, "/elevate"),
            (Method::POST, "/logout-all"),
        ] {
            let reply = thief.call(&world, method, path).await;
            assert_eq!(
                (reply.status.as_u16(), reply.code()),
                (401, "invalid_session")
            );
            assert!(reply.set_cookie().is_none() && reply.jar_cookie().is_none());
        }
        assert_eq!(world.store.last().await.generation(), generation);
        // Leaving is open to all, and ends what it may end: nothing. Its own cookies go.
        let reply = thief.clone().logout(&world).await;
        assert_eq!(reply.status, 204);
        assert!(reply.cleared());
        // Nor does a sign-in over it.
        thief.clone().login(&world, "mallory").await;
        world.secs(61);
        assert_eq!(browser.refresh(&world).await.status, 200);
        thief.cookie = browser.cookie.clone();
    }
    assert_eq!(world.count("ForeignJar"), 2, "one a minute");
    assert_eq!(world.count("ReuseDetected") + world.count("Revoked"), 0);
}

#[tokio::test]
async fn it_is_cleared_with_the_refresh_cookie() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let reply = browser.logout(&world).await;
    assert!(reply.cleared());
    let lines = reply.headers.get_all(header::SET_COOKIE).iter();
    let lines: Vec<_> = lines.map(|line| line.to_str().unwrap()).collect();
    let cleared = "=; HttpOnly; SameSite=Strict; Secure; Path=/auth; Max-Age=0";
    assert_eq!(lines, [COOKIE, JAR].map(|name| [name, cleared].concat()));
    assert_eq!((browser.cookie, browser.jar), (None, None));

    // As by every answer that clears, a thief's too.
    let mut browser = world.signed_in("ada").await;
    let mut thief = browser.thief();
    for _ in 0..2 {
        world.secs(90);
        assert_eq!(browser.refresh(&world).await.status, 200);
    }
    assert!(thief.refresh(&world).await.cleared());
    // A refusal that keeps the one keeps the other.
    let mut away = world.signed_in("ada").await;
    world.store.down(true);
    let reply = away.refresh(&world).await;
    assert_eq!((reply.status.as_u16(), reply.jar_cookie()), (503, None));
}

#[tokio::test]
async fn it_has_the_refresh_cookies_name_and_attributes() {
    type Set = fn(RefreshCookieBuilder) -> RefreshCookieBuilder;
    let all = "HttpOnly; SameSite=Strict; Secure; Path=/auth";
    for (set, name, attributes) in [
        ((|b| b) as Set, "__Secure-refresh_token", all),
        (|b| b.cookie_name("session"), "__Secure-session", all),
        (|b| b.http_prefix(), "__Http-refresh_token", all),
        (
            |b| b.host_prefix(),
            "__Host-refresh_token",
            "HttpOnly; SameSite=Strict; Secure; Path=/",
        ),
        (
            |b| b.host_prefix().http_prefix(),
            "__Host-Http-refresh_token",
            "HttpOnly; SameSite=Strict; Secure; Path=/",
        ),
        (
            |b| b.dangerous_insecure_cookie(),
            "refresh_token",
            "HttpOnly; SameSite=Strict; Path=/auth",
        ),
        (
            |b| b.external_prefix("/app").same_site_lax(),
            "__Secure-refresh_token",
            "HttpOnly; SameSite=Lax; Secure; Path=/app/auth",
        ),
    ] {
        let lines = set_by_sign_in(set).await;
        let [refresh, jar] = &*lines else {
            panic!("{lines:?}");
        };
        assert_eq!(shape(refresh), (name, attributes.to_owned()));
        let of_the_jar = format!("{name}_jar");
        assert_eq!(shape(jar), (&*of_the_jar, attributes.to_owned()));
    }
}

#[tokio::test]
async fn it_can_be_left_out_and_bodies_have_none() {
    let lines = set_by_sign_in(|b| b.transport(RefreshTransport::Body)).await;
    assert!(lines.is_empty(), "{lines:?}");

    let world = World::with(|builder| builder.jar_cookie(JarCookie::Off));
    let mut browser = world.signed_in("ada").await;
    assert_eq!(browser.jar, None);
    world.secs(90);
    let reply = browser.refresh(&world).await;
    assert!(reply.set_cookie().is_some());
    assert_eq!(reply.jar_cookie(), None);
    let reply = browser.logout(&world).await;
    assert_eq!(reply.set_cookie().as_deref(), Some(""));
    assert_eq!(reply.jar_cookie(), None);
}

/// The session began without a jar, and a thief is the first that is given one. It binds nothing by that.
#[tokio::test]
async fn a_newcomer_that_is_given_the_jar_locks_no_user_out() {
    let before = World::with(|builder| builder.jar_cookie(JarCookie::Off));
    let world = World::over(
        before.keys.clone(),
        before.clock.clone(),
        before.clock.clone(),
        before.store.clone(),
        |builder| builder,
    );
    let mut victim = before.signed_in("ada").await;
    before.secs(100);
    let mut thief = victim.thief();
    assert_eq!(thief.refresh(&world).await.status, 409);
    assert!(thief.jar.is_some());
    for _ in 0..2 {
        assert_eq!(thief.refresh(&world).await.status, 200);
        world.secs(61);
    }
    assert!(victim.refresh(&world).await.cleared());
    assert_eq!(world.count("ReuseDetected"), 1);
    assert_eq!(world.count("ForeignJar"), 0);

    // The user's own browser is given it with its next refresh cookie, and binds the session when it shows it.
    let mut victim = before.signed_in("ada").await;
    let alone = victim.clone();
    assert_eq!(victim.refresh(&world).await.status, 200);
    assert_eq!(alone.refresh_lost(&world).await.status, 200);
    assert_eq!(victim.refresh(&world).await.status, 200);
    assert_eq!(alone.refresh_lost(&world).await.status, 401);
    assert_eq!(world.count("ForeignJar"), 1);
}

/// A client can repeat itself at will, and call itself by ever new names.
#[tokio::test]
async fn events_and_writes_that_a_client_causes_at_will_are_bounded() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    browser.refresh(&world).await;
    let calls = world.store.calls();
    let mut thief = browser.thief();
    for n in 0..150 {
        thief.agent = format!("curl/{n}");
        assert_eq!(thief.refresh(&world).await.status, 200);
    }
    // Three are written down and told; of the others one a minute.
    assert_eq!(world.count("NewFingerprint"), 4);
    assert_eq!(
        world.store.calls() - calls,
        150 + 3 + 147,
        "a load each; then three notes, and a look after the claims of the others"
    );
    for _ in 0..150 {
        browser.without_jar().refresh(&world).await;
    }
    assert_eq!(world.count("ForeignJar"), 1);
}
