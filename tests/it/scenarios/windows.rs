//! One browser that calls itself by two names: a tablet's windows, a tab with the desktop site, a web view.

use http::Method;
use tower_bearer::{ClaimsRequest, NoClaims, refresh::FingerprintPolicy};

use crate::support::{
    faults::Fault,
    world::{Browser, Reply, World},
};

const TABLET: &str = "Mozilla/5.0 (iPad; CPU OS 26_0 like Mac OS X) AppleWebKit/605.1.15";
const DESKTOP: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15";

/// A request of the window that calls itself `agent`: the jar is shared.
async fn window(world: &World, jar: &mut Browser, agent: &str) -> Reply {
    jar.agent = agent.to_owned();
    // As a page does it: once more, with the cookie that has come.
    for _ in 0..2 {
        let reply = jar.refresh(world).await;
        if reply.status != 409 {
            return reply;
        }
    }
    jar.refresh(world).await
}

async fn on_the_tablet(world: &World) -> Browser {
    let mut jar = world.browser();
    jar.agent = TABLET.to_owned();
    jar.login(world, "ada").await;
    jar
}

#[tokio::test]
async fn a_window_of_another_name_confirms_once_and_is_told_once() {
    let world = World::new();
    let mut jar = on_the_tablet(&world).await;
    jar.refresh(&world).await;
    world.secs(100);

    jar.agent = DESKTOP.to_owned();
    let before = jar.cookie.clone();
    let reply = jar.refresh(&world).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (409, "superseded"));
    assert_eq!(reply.headers["retry-after"], "1");
    assert!(reply.body.get("access_token").is_none());
    assert!(reply.set_cookie().is_some() && jar.cookie != before);
    assert_eq!(jar.refresh(&world).await.status, 200);
    assert_eq!(world.count("NewFingerprint"), 1);

    // Known from when the other window shows what this one was handed: none of the two confirms again.
    for agent in [TABLET, DESKTOP, TABLET, DESKTOP] {
        world.secs(100);
        jar.agent = agent.to_owned();
        assert_eq!(jar.refresh(&world).await.status, 200, "{agent}");
    }
    assert_eq!(world.count("NewFingerprint"), 1);
    assert_eq!(world.count("ReuseDetected") + world.count("Revoked"), 0);
}

/// The next request would find the name in the record, and not new.
#[tokio::test]
async fn a_new_name_is_told_of_where_the_answer_of_the_store_is_lost() {
    let world = World::new();
    let mut jar = on_the_tablet(&world).await;
    jar.refresh(&world).await;
    jar.agent = DESKTOP.to_owned();
    world.store.fail_swap(Fault::ApplyThenLose);
    assert_eq!(jar.refresh(&world).await.status, 503);
    assert_eq!(jar.refresh(&world).await.status, 200);
    assert_eq!(world.count("NewFingerprint"), 1);
}

/// Both wake within the same second, ten times, and what the one brings back the other has sent before.
#[tokio::test]
async fn two_windows_that_wake_together_are_never_signed_out() {
    let world = World::new();
    let mut jar = on_the_tablet(&world).await;
    for wake in 0..10 {
        world.secs(840);
        let (mut one, mut other) = (jar.clone(), jar.clone());
        (one.agent, other.agent) = match wake % 2 {
            0 => (TABLET.to_owned(), DESKTOP.to_owned()),
            _ => (DESKTOP.to_owned(), TABLET.to_owned()),
        };
        let first = one.refresh(&world).await;
        let second = other.refresh(&world).await;
        jar.keep(&second);
        jar.keep(&first);
        assert!([200, 409].contains(&first.status.as_u16()));
        assert!([200, 409].contains(&second.status.as_u16()));
        for agent in [TABLET, DESKTOP] {
            assert_eq!(
                window(&world, &mut jar, agent).await.status,
                200,
                "wake {wake}"
            );
        }
    }
    assert_eq!(world.count("ReuseDetected") + world.count("Revoked"), 0);
    assert_eq!(world.count("NewFingerprint"), 1);
}

/// The browser dies before its cookies are on the disk, and comes back with those of before.
#[tokio::test]
async fn a_browser_that_dies_within_the_grace_of_a_rotation_stays_signed_in() {
    let world = World::new();
    let mut jar = on_the_tablet(&world).await;
    jar.refresh(&world).await;
    for _ in 0..8 {
        world.secs(840);
        let disk = jar.clone();
        jar.refresh(&world).await;
        // Another tab has shown the new token, and then the browser is killed.
        jar.refresh(&world).await;
        jar = disk;
        world.secs(300);
        assert_eq!(jar.refresh(&world).await.status, 200);
    }
    assert_eq!(world.count("ReuseDetected") + world.count("Revoked"), 0);
}

#[tokio::test]
async fn a_terminal_may_call_itself_what_it_likes_where_names_are_ignored() {
    let world = World::with(|b| b.fingerprints(FingerprintPolicy::Ignored));
    let mut jar = on_the_tablet(&world).await;
    for n in 0..12 {
        jar.agent = format!("kiosk/{n}");
        assert_eq!(jar.refresh(&world).await.status, 200);
        world.secs(100);
    }
    assert_eq!(
        world.count("NewFingerprint") + world.count("ReuseDetected"),
        0
    );
}

/// Half of the servers have the new function. A session goes from the one to the other and back.
#[tokio::test]
async fn another_function_of_fingerprints_signs_no_user_out_and_is_no_news() {
    let world = World::new();
    let newer = World::over(
        world.keys.clone(),
        world.clock.clone(),
        world.clock.clone(),
        world.store.clone(),
        |b| {
            b.client_fingerprint(|_| *b"something else")
                .fingerprint_version(1)
        },
    );
    let mut jar = on_the_tablet(&world).await;
    for server in [&world, &newer, &world, &newer, &newer] {
        world.secs(61);
        let late = jar.clone();
        assert_eq!(jar.refresh(server).await.status, 200);
        for other in [&world, &newer] {
            assert_eq!(late.refresh_lost(other).await.status, 200);
        }
    }
    for server in [&world, &newer] {
        assert_eq!(
            server.count("NewFingerprint") + server.count("ReuseDetected"),
            0
        );
    }
}

/// Calls that trust a name alone are for clients that have shown the jar.
#[tokio::test]
async fn a_window_of_another_name_refreshes_before_it_lists_and_ends() {
    let world = World::new();
    let mut jar = on_the_tablet(&world).await;
    jar.refresh(&world).await;
    jar.agent = DESKTOP.to_owned();
    for (method, path) in [
        (Method::GET, "/sessions"),
        (Method::POST, "/elevate"),
        (Method::POST, "/logout-all"),
    ] {
        let reply = jar.call(&world, method, path).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (409, "refresh_first")
        );
    }
    world.secs(61);
    assert_eq!(window(&world, &mut jar, DESKTOP).await.status, 200);
    assert_eq!(jar.call(&world, Method::GET, "/sessions").await.status, 200);
}

/// A refresh takes a client of another function for the same one, and writes that down. A look would not.
#[tokio::test]
async fn a_look_under_another_function_of_fingerprints_refreshes_first() {
    let world = World::new();
    let newer = World::over(
        world.keys.clone(),
        world.clock.clone(),
        world.clock.clone(),
        world.store.clone(),
        |b| b.fingerprint_version(1),
    );
    let mut jar = on_the_tablet(&world).await;
    jar.refresh(&world).await;
    for path in ["/session", "/sessions"] {
        let reply = jar.call(&newer, Method::GET, path).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (409, "refresh_first")
        );
    }
    assert_eq!(jar.refresh(&newer).await.status, 200);
    assert_eq!(jar.call(&newer, Method::GET, "/session").await.status, 200);
}

#[test]
fn the_contract_of_the_settings_is_checked_at_construction() {
    use std::time::Duration;
    use tower_bearer::{KeyRing, MemoryStore, RefreshCookieLayer, RotationPolicy, TokenCodec};

    let codec = TokenCodec::nested(&KeyRing::generate().unwrap())
        .issuer("https://id.example")
        .audience("api")
        .build()
        .unwrap();
    let claims = |_: ClaimsRequest| async { Ok::<_, std::convert::Infallible>(NoClaims {}) };
    let builder = || RefreshCookieLayer::builder(codec.clone(), MemoryStore::new(), claims);
    let slow = builder()
        .claims_timeout(Duration::from_millis(7_501))
        .build();
    assert_eq!(slow.unwrap_err().setting(), "claims_timeout");
    builder()
        .claims_timeout(Duration::from_millis(7_500))
        .build()
        .unwrap();
    let none = RotationPolicy::builder().recoveries(0).build();
    assert_eq!(none.unwrap_err().setting(), "recoveries");
}
