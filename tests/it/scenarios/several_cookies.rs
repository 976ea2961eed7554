//! Several cookies of the name in one request: of a former path, of another host of the domain, made up.

use http::{Method, Request, header};
use http_body_util::Full;
use tower_bearer::{
    RevokeReason, SessionErrorKind,
    refresh::RefreshCookieBuilder,
    store::{SessionKey, SessionState},
};

use crate::support::world::{Browser, COOKIE, FIREFOX, JAR, Reply, World};

/// A session as a browser has it, and where it lies.
struct Signed {
    browser: Browser,
    key: SessionKey,
}

async fn signed_in(world: &World, user: &str) -> Signed {
    let browser = world.signed_in(user).await;
    let key = world.store.last_key();
    Signed { browser, key }
}

/// A session that has ended and whose cookies are still there.
async fn dead(world: &World) -> Signed {
    let dead = signed_in(world, "ada").await;
    assert_eq!(dead.browser.clone().logout(world).await.status, 204);
    dead
}

async fn state(world: &World, of: &Signed) -> SessionState {
    world.store.peek(&of.key).await.unwrap().state()
}

/// The browser's whole jar: the cookies of all of these, in this order.
fn jar_of(cookies: &[&Signed]) -> Vec<String> {
    let each = cookies.iter().map(|signed| signed.browser.cookies());
    each.map(Option::unwrap).collect()
}

async fn send(world: &World, method: Method, path: &str, cookies: &[String]) -> Reply {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/auth{path}"))
        .header(header::USER_AGENT, FIREFOX)
        .header("x-user", "ada");
    for line in cookies {
        request = request.header(header::COOKIE, line);
    }
    world.send(request.body(Full::default()).unwrap()).await
}

async fn post(world: &World, path: &str, cookies: &[String]) -> Reply {
    send(world, Method::POST, path, cookies).await
}

#[tokio::test]
async fn the_live_one_counts_beside_dead_ones_in_any_order() {
    for at in 0..4 {
        let world = World::new();
        let mut all = vec![dead(&world).await, dead(&world).await, dead(&world).await];
        all.insert(at, signed_in(&world, "ada").await);
        let order: Vec<_> = all.iter().collect();
        let cookies = jar_of(&order);
        for (method, path) in [
            (Method::GET, "/session"),
            (Method::GET, "/sessions"),
            (Method::POST, "/refresh"),
        ] {
            let reply = send(&world, method, path, &cookies).await;
            assert_eq!(reply.status, 200, "{at} {path}: {:?}", reply.body);
        }
        // The answer's cookie takes the place of the live one, and the dead ones stay.
        let reply = post(&world, "/elevate", &cookies).await;
        assert_eq!(reply.status, 409, "the cookie is not the newest any more");
        assert_eq!(world.count("ReuseDetected"), 0);
    }
}

#[tokio::test]
async fn a_sign_in_and_a_sign_out_end_the_live_one_and_no_other() {
    for (path, status, reason) in [
        ("/login", 200, RevokeReason::Replaced),
        ("/logout", 204, RevokeReason::SignedOut),
    ] {
        let world = World::new();
        let (dead, live) = (dead(&world).await, signed_in(&world, "ada").await);
        let before = world.store.peek(&dead.key).await;
        let reply = post(&world, path, &jar_of(&[&dead, &live])).await;
        assert_eq!(reply.status, status, "{:?}", reply.body);
        assert_eq!(state(&world, &live).await, SessionState::Revoked(reason));
        assert!(world.store.peek(&dead.key).await == before, "{path}");
    }
}

/// A refresh of it that was decided before may still be written, and would set a new idle end.
#[tokio::test]
async fn a_sign_in_ends_the_session_that_it_replaces_though_that_was_idle_for_too_long() {
    let hour = std::time::Duration::from_secs(3600);
    let world = World::with(|builder| builder.idle_lifetime(hour));
    let idle = signed_in(&world, "bob").await;
    world.advance(hour);
    let reply = post(&world, "/login", &jar_of(&[&idle])).await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    // Revoked, or removed with what has expired: no refresh is written either way.
    let left = world.store.peek(&idle.key).await;
    assert!(left.is_none_or(|record| !record.is_live()));
}

/// The store has it for a while yet.
#[tokio::test]
async fn the_live_one_counts_beside_an_expired_one() {
    let hour = std::time::Duration::from_secs(3600);
    let world = World::with(|builder| builder.idle_lifetime(hour));
    let expired = signed_in(&world, "ada").await;
    let mut live = signed_in(&world, "bob").await;
    world.advance(hour * 2 / 3);
    assert_eq!(live.browser.refresh(&world).await.status, 200);
    world.advance(hour * 2 / 3);
    assert_eq!(state(&world, &expired).await, SessionState::Live);
    for order in [[&expired, &live], [&live, &expired]] {
        let reply = send(&world, Method::GET, "/session", &jar_of(&order)).await;
        assert_eq!(reply.status, 200, "{:?}", reply.body);
    }
}

#[tokio::test]
async fn where_none_lives_the_answer_is_as_for_one() {
    let world = World::new();
    let (one, two) = (dead(&world).await, dead(&world).await);
    let cookies = jar_of(&[&one, &two]);
    let reply = post(&world, "/refresh", &cookies).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (401, "invalid_session")
    );
    assert_eq!(post(&world, "/logout", &cookies).await.status, 204);
    assert_eq!(post(&world, "/login", &cookies).await.status, 200);
}

/// Neither choice would be the user's. Cleared, the browser would go on with the one that another host has set.
#[tokio::test]
async fn two_live_ones_are_400_and_kept_and_a_sign_out_clears() {
    for path in ["/refresh", "/logout", "/logout-all", "/elevate"] {
        let world = World::new();
        let (one, two) = (
            signed_in(&world, "ada").await,
            signed_in(&world, "bob").await,
        );
        let reply = post(&world, path, &jar_of(&[&one, &two])).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (400, "ambiguous_session"),
            "{path}"
        );
        assert_eq!(reply.cleared(), path == "/logout");
        assert_eq!(reply.set_cookie().is_some(), path == "/logout");
        for session in [&one, &two] {
            assert_eq!(state(&world, session).await, SessionState::Live, "{path}");
        }
        // The browser has one of them left, which counts from then on.
        let reply = post(&world, "/refresh", &jar_of(&[&two])).await;
        assert_eq!(reply.status, 200);
    }
}

#[tokio::test]
async fn a_sign_in_over_two_live_ones_goes_on_and_ends_neither() {
    let world = World::new();
    let (one, two) = (
        signed_in(&world, "ada").await,
        signed_in(&world, "bob").await,
    );
    let reply = post(&world, "/login", &jar_of(&[&one, &two])).await;
    assert_eq!(reply.status, 200);
    for session in [&one, &two] {
        assert_eq!(state(&world, session).await, SessionState::Live);
    }
}

#[tokio::test]
async fn up_to_four_sessions_are_asked_for() {
    let world = World::new();
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(dead(&world).await);
    }
    let live = signed_in(&world, "ada").await;
    let fifth: Vec<_> = all.iter().chain([&live]).collect();
    let calls = world.store.calls();
    assert_eq!(post(&world, "/refresh", &jar_of(&fifth)).await.status, 401);
    assert_eq!(world.store.calls() - calls, 5);
    let fourth: Vec<_> = all[..3].iter().chain([&live]).collect();
    assert_eq!(post(&world, "/refresh", &jar_of(&fourth)).await.status, 200);
    // However many cookies one of them has left.
    let mut many = vec![jar_of(&[&all[0]]).remove(0); 8];
    many.extend(jar_of(&[&live]));
    assert_eq!(post(&world, "/refresh", &many).await.status, 200);
}

/// Values that cannot be ours take no place: neither of the refresh cookie nor of the jar cookie.
#[tokio::test]
async fn no_garbage_stands_before_a_genuine_cookie() {
    let world = World::new();
    let live = signed_in(&world, "ada").await;
    let (token, jar) = (
        live.browser.cookie.clone().unwrap(),
        live.browser.jar.clone().unwrap(),
    );
    // As long as ours, under a key that no ring has.
    let foreign = |text: &str| format!("AQIDBAU{}", &text[7..]);
    let garbage = [
        String::new(),
        "x".to_owned(),
        "A".repeat(token.len()),
        "A".repeat(4000),
        token[1..].to_owned(),
        foreign(&token),
    ];
    let mut cookies = Vec::new();
    for value in garbage.iter().cycle().take(200) {
        cookies.push(format!("{COOKIE}={value}"));
    }
    for value in [&foreign(&jar), "x", &"A".repeat(28)] {
        cookies.extend(vec![format!("{JAR}={value}"); 50]);
    }
    cookies.extend(jar_of(&[&live]));
    let reply = post(&world, "/refresh", &cookies).await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    assert_eq!(world.count("ForeignJar"), 0);
}

/// Broken values that name a key of ours are opened, sixteen of them.
#[tokio::test]
async fn at_most_sixteen_values_are_opened() {
    let world = World::new();
    let live = signed_in(&world, "ada").await;
    let token = live.browser.cookie.clone().unwrap();
    let broken = format!("{COOKIE}={}{}", &token[..40], "A".repeat(token.len() - 40));
    for (planted, status) in [(15, 200), (16, 401)] {
        let mut cookies = vec![broken.clone(); planted];
        cookies.extend(jar_of(&[&live]));
        assert_eq!(post(&world, "/refresh", &cookies).await.status, status);
    }
}

#[tokio::test]
async fn while_the_store_is_silent_nothing_is_chosen_and_nothing_cleared() {
    let world = World::new();
    let (dead, live) = (dead(&world).await, signed_in(&world, "ada").await);
    let cookies = jar_of(&[&dead, &live]);
    world.store.down(true);
    for path in ["/refresh", "/logout", "/logout-all", "/login", "/elevate"] {
        let reply = post(&world, path, &cookies).await;
        assert_eq!(reply.status, 503, "{path}");
        assert_eq!(
            (reply.set_cookie(), reply.jar_cookie()),
            (None, None),
            "{path}"
        );
    }
    world.store.down(false);
    assert_eq!(post(&world, "/refresh", &cookies).await.status, 200);
}

/// A late answer to an old cookie must not take a newer one away. The cookie's own lifetime ends it.
#[tokio::test(start_paused = true)]
async fn the_cookie_of_an_expired_session_is_not_cleared() {
    let hour = std::time::Duration::from_secs(3600);
    for idle in [false, true] {
        let world = World::with(|builder| match idle {
            true => builder.idle_lifetime(hour),
            false => builder.absolute_lifetime(hour),
        });
        let mut browser = world.signed_in("ada").await;
        world.advance(hour);
        let reply = browser.refresh(&world).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (401, "invalid_session")
        );
        assert_eq!((reply.set_cookie(), reply.jar_cookie()), (None, None));
        assert_eq!(browser.login(&world, "ada").await.status, 200);
        assert_eq!(browser.refresh(&world).await.status, 200);
    }
}

fn moved(builder: RefreshCookieBuilder) -> RefreshCookieBuilder {
    builder.former_path("/old/place")
}

#[tokio::test]
async fn a_former_path_is_cleared_with_each_cookie_that_is_set_or_cleared() {
    let world = World::with(moved);
    let mut cookies = None;
    for path in ["/login", "/refresh", "/refresh", "/logout"] {
        let line: Option<String> = cookies.take();
        let mut request = Request::post(format!("/auth{path}"))
            .header(header::USER_AGENT, FIREFOX)
            .header("x-user", "ada");
        if let Some(line) = &line {
            request = request.header(header::COOKIE, line);
        }
        let reply = world.send(request.body(Full::default()).unwrap()).await;
        let lines = reply.headers.get_all(header::SET_COOKIE).iter();
        let lines: Vec<_> = lines.map(|line| line.to_str().unwrap()).collect();
        let set: Vec<_> = lines
            .iter()
            .filter(|line| line.contains("Path=/auth;"))
            .collect();
        let cleared: Vec<_> = lines
            .iter()
            .filter(|line| line.contains("Path=/old/place;"))
            .collect();
        assert_eq!(set.len() + cleared.len(), lines.len(), "{lines:?}");
        // The second refresh comes within the interval and sets nothing.
        assert_eq!(
            cleared.len(),
            if set.is_empty() { 0 } else { 2 },
            "{path}: {lines:?}"
        );
        for (line, name) in cleared.iter().zip([COOKIE, JAR]) {
            assert_eq!(
                **line,
                format!("{name}=; HttpOnly; SameSite=Strict; Secure; Path=/old/place; Max-Age=0")
            );
        }
        let pairs = set.iter().map(|line| line.split(';').next().unwrap());
        let pairs: Vec<_> = pairs.collect();
        cookies = match pairs.is_empty() {
            true => line,
            false => Some(pairs.join("; ")),
        };
    }
}

/// A session that is bound to its jar, whose cookies lie at the former path.
#[tokio::test]
async fn a_bound_session_moves_to_the_new_path_with_both_cookies() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    world.secs(90);
    assert_eq!(browser.refresh(&world).await.status, 200);
    let (keys, clock) = (world.keys.clone(), world.clock.clone());
    let moved = World::over(keys, clock.clone(), clock, world.store.clone(), moved);
    // By path: the browser keeps what is set at one apart from what is cleared at the other.
    let mut old = vec![browser.cookies().unwrap()];
    let mut new = std::collections::BTreeMap::new();
    for round in 0..4 {
        world.secs(90);
        let mut cookies: Vec<String> = new.values().cloned().collect();
        cookies.append(&mut old);
        let reply = post(&moved, "/refresh", &cookies).await;
        assert_eq!(reply.status, 200, "{round}: {:?}", reply.body);
        for line in reply.headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            if line.contains("Path=/auth;") {
                let pair = line.split(';').next().unwrap();
                new.insert(pair.split('=').next().unwrap().to_owned(), pair.to_owned());
            }
        }
    }
    assert_eq!(moved.count("ForeignJar"), 0);
}

#[test]
fn a_former_path_that_cannot_be_one_is_refused() {
    for (set, said) in [
        ("/auth", "is the path that the cookie has now"),
        ("old", "must"),
        ("/a;b", "must"),
    ] {
        let keys = tower_bearer::KeyRing::generate().unwrap();
        let codec = tower_bearer::TokenCodec::<tower_bearer::NoClaims>::nested(&keys);
        let codec = codec
            .issuer("https://id.example")
            .audience("api")
            .build()
            .unwrap();
        let builder = || {
            let claims = async |_| Ok::<_, std::convert::Infallible>(tower_bearer::NoClaims {});
            let store = tower_bearer::MemoryStore::new();
            tower_bearer::RefreshCookieLayer::builder(codec.clone(), store, claims)
        };
        let error = builder().former_path(set).build().unwrap_err();
        assert_eq!(error.setting(), "former_path");
        assert!(error.to_string().contains(said), "{error}");
        let host = builder()
            .host_prefix()
            .former_path("/old")
            .build()
            .unwrap_err();
        assert!(host.to_string().contains("host_prefix"), "{host}");
    }
}

#[test]
fn the_refusal_is_named() {
    assert_eq!(SessionErrorKind::CsrfFailed.as_str(), "csrf_failed");
}
