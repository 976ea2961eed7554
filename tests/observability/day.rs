//! A day in the life of a service: everything that is counted happens in it, some of it twice.

use std::{future::Future, sync::atomic::Ordering};

use http::{Request, Response, header};
use http_body_util::Full;
use tower::{Layer, ServiceExt};
use tower_bearer::{BearerAuthLayer, Clock, CsrfLayer, MemoryStore, OriginGuardLayer};

use crate::world::{Browser, FIREFOX, Role, World};

/// Words that nothing may write down: the subjects, and what a client would be believed with.
pub(crate) struct Secrets(pub(crate) Vec<String>);

/// Runs `work` on this thread, where a recorder or a subscriber of the test listens.
pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    crate::traces::listen();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(work)
}

pub(crate) async fn day() -> Secrets {
    let world = World::with(|builder| builder.session_limit(2));
    let mut secrets = vec!["alice@example.com".to_owned()];
    let mut alice = world.browser();
    let signed_in = alice.login(&world, "alice@example.com").await;
    let access = signed_in.body["access_token"].as_str().unwrap().to_owned();
    let stolen = alice.thief();

    refreshes(&world, &mut alice).await;
    secrets.extend([access.clone(), stolen.cookie.clone().unwrap()]);
    secrets.push(alice.cookie.clone().unwrap());
    thefts(&world, stolen, &mut alice).await;
    windows(&world, &mut secrets).await;
    endings(&world).await;
    operator(&world, &mut secrets).await;
    bearer(&world, &access).await;
    guards(&world).await;
    Secrets(secrets)
}

/// Every way in which a refresh succeeds, and the ways in which it comes to nothing.
async fn refreshes(world: &World, alice: &mut Browser) {
    // The first refresh after a sign-in rotates, and the second comes too soon for another cookie.
    assert_eq!(alice.refresh(world).await.status, 200);
    assert_eq!(alice.refresh(world).await.status, 200);
    world.secs(120);
    // The response is lost, and asked for again, by two tabs.
    let mut tab = alice.clone();
    alice.refresh_lost(world).await;
    assert_eq!(alice.refresh(world).await.status, 200);
    assert_eq!(tab.refresh(world).await.status, 200);
    // The next one is lost for longer than answers are repeated.
    world.secs(120);
    alice.refresh_lost(world).await;
    world.secs(120);
    assert_eq!(alice.refresh(world).await.status, 200);
    world.secs(120);
    assert_eq!(alice.refresh(world).await.status, 200);

    assert_eq!(world.browser().refresh(world).await.status, 401);
    let mut forger = world.browser();
    forger.cookie = Some("v1.forged".to_owned());
    assert_eq!(forger.refresh(world).await.status, 401);
    // Sessions in memory, and the memory is gone.
    let lost = World::with(|builder| builder);
    let mut known = lost.signed_in("bob").await;
    let empty = MemoryStore::builder().clock(lost.clock.clone()).build();
    lost.store.replace(empty.unwrap());
    assert_eq!(known.refresh(&lost).await.status, 401);
    world.store.down(true);
    assert_eq!(alice.refresh(world).await.status, 503);
    world.store.down(false);
}

/// The thief comes with the first token of all.
async fn thefts(world: &World, mut thief: Browser, alice: &mut Browser) {
    world.secs(120);
    assert_eq!(thief.refresh(world).await.status, 401);
    assert_eq!(alice.refresh(world).await.status, 401);
}

/// A window of another name in one cookie jar, and a refresh cookie that was copied alone.
async fn windows(world: &World, secrets: &mut Vec<String>) {
    let mut frank = world.signed_in("frank").await;
    assert_eq!(frank.refresh(world).await.status, 200);
    assert_eq!(frank.without_jar().refresh(world).await.status, 401);
    world.secs(120);
    let mut window = frank.clone();
    window.agent = "another window".to_owned();
    // The successor first, and the access token for who shows it.
    assert_eq!(window.refresh(world).await.status, 409);
    assert_eq!(window.refresh(world).await.status, 200);
    secrets.extend([&frank, &window].map(|browser| browser.cookie.clone().unwrap()));
    secrets.push(frank.jar.clone().unwrap());
    assert_eq!(frank.refresh(world).await.status, 409);
}

/// Every way in which a session ends.
async fn endings(world: &World) {
    let mut carol = world.signed_in("carol").await;
    assert_eq!(carol.logout(world).await.status, 204);
    // Two are allowed, and the third pushes one out.
    for _ in 0..3 {
        carol = world.signed_in("carol").await;
    }
    let all = carol.call(world, http::Method::POST, "/logout-all").await;
    assert_eq!(all.status, 204);

    let mut dave = world.signed_in("dave").await;
    world.denied.store(true, Ordering::SeqCst);
    assert_eq!(dave.refresh(world).await.status, 401);
    world.denied.store(false, Ordering::SeqCst);

    let mut erin = world.signed_in("erin").await;
    world.secs(8 * 24 * 3600);
    assert_eq!(erin.refresh(world).await.status, 401);
}

/// Ends from outside a request, and one end that is not told of.
async fn operator(world: &World, secrets: &mut Vec<String>) {
    let (grace, heidi) = ("grace@example.com", "heidi@example.com");
    secrets.extend([grace, heidi].map(str::to_owned));
    // The label of every session.
    secrets.push(FIREFOX.to_owned());
    for _ in 0..2 {
        world.signed_in(grace).await;
    }
    let admin = world.layer.admin();
    let list = admin.list(grace).await.unwrap();
    admin.end(grace, &list[0].id).await.unwrap();
    admin.end(grace, &list[0].id).await.unwrap_err();
    assert_eq!(admin.end_all(grace, None).await.unwrap(), [list[1].id]);
    world.signed_in(heidi).await;
    drop(admin.ended(heidi, vec![world.store.last().await]));
    // The clock of the store stood still during the sign-in.
    world.secs(1);
    assert_eq!(admin.end_everything().await.unwrap(), 1);
}

/// The bearer layer lets some through and refuses others.
async fn bearer(world: &World, expired: &str) {
    world.app_clock.set(world.clock.now());
    let good = world
        .codec
        .mint("alice@example.com", &Role { role: "x".into() });
    let good = good.unwrap();
    let layer = BearerAuthLayer::new(world.codec.clone());
    let tries = [
        (Some(format!("Bearer {}", good.as_str())), 200),
        (Some(format!("Bearer {expired}")), 401),
        (Some("Bearer a,b".to_owned()), 400),
        (None, 401),
    ];
    for (value, status) in tries {
        let service = layer.layer(tower::service_fn(ok));
        assert_eq!(service.oneshot(get(value)).await.unwrap().status(), status);
    }
    let service = layer.optional().layer(tower::service_fn(ok));
    assert_eq!(service.oneshot(get(None)).await.unwrap().status(), 200);
}

fn get(authorization: Option<String>) -> Request<()> {
    let mut request = Request::builder().uri("/api");
    if let Some(value) = authorization {
        request = request.header(header::AUTHORIZATION, value);
    }
    request.body(()).unwrap()
}

async fn ok<B>(_: Request<B>) -> Result<Response<Full<bytes::Bytes>>, std::convert::Infallible> {
    Ok(Response::default())
}

/// The two guards of cookies, one of them only reporting.
async fn guards(world: &World) {
    let guard = OriginGuardLayer::new(["https://app.example".parse().unwrap()]).unwrap();
    let foreign = || {
        Request::post("/auth/refresh")
            .header(header::ORIGIN, "https://evil.example")
            .body(())
            .unwrap()
    };
    let service = guard.clone().layer(tower::service_fn(ok));
    assert_eq!(service.oneshot(foreign()).await.unwrap().status(), 403);
    let service = guard.report_only().layer(tower::service_fn(ok));
    assert_eq!(service.oneshot(foreign()).await.unwrap().status(), 200);
    let csrf = CsrfLayer::new(&world.keys).unwrap();
    let service = world.layer.layer(csrf.layer(tower::service_fn(ok)));
    assert_eq!(service.oneshot(foreign()).await.unwrap().status(), 403);
}
