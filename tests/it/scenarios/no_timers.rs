//! A tokio runtime without timers, and none at all.

use std::{sync::mpsc, time::Duration};

use http::Method;

use crate::support::{
    faults::Fault,
    world::{Browser, World},
};

/// Ready after a moment, by a thread of its own.
async fn a_moment() {
    let (go, went) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        go.send(()).ok();
    });
    went.await.unwrap();
}

fn wait_for_claims(world: &World, claims: impl Future<Output = ()> + Send + 'static) {
    *world.between.lock().unwrap() = Some(Box::pin(claims));
}

/// Everything that waits, in one session.
async fn a_day(in_tokio: bool) {
    let world = World::with(|builder| builder.claims_timeout(Duration::from_millis(500)));
    wait_for_claims(&world, a_moment());
    let mut browser = world.signed_in("ada").await;
    wait_for_claims(&world, a_moment());
    assert_eq!(browser.refresh(&world).await.status, 200);

    wait_for_claims(&world, std::future::pending());
    assert_eq!(browser.refresh(&world).await.status, 503);

    let elevate =
        async |browser: &mut Browser| browser.call(&world, Method::POST, "/elevate").await;
    world.store.fail_swap(Fault::ApplyThenLose);
    assert_eq!(elevate(&mut browser).await.status, 200);

    world.store.down(true);
    let reply = browser.clone().logout(&world).await;
    assert_eq!(reply.status, 503);
    assert!(reply.cleared());
    world.store.down(false);
    assert_eq!(world.layer.drain(Duration::from_secs(20)).await, 0);
    assert_eq!(world.count("RevocationQueued"), usize::from(in_tokio));
    assert_eq!(world.count("RevocationLost"), usize::from(!in_tokio));
    assert_eq!(world.store.last().await.is_live(), !in_tokio);
}

#[test]
fn a_tokio_runtime_without_timers_will_do() {
    let runtimes = [
        tokio::runtime::Builder::new_current_thread(),
        tokio::runtime::Builder::new_multi_thread(),
    ];
    let (done, results) = mpsc::channel();
    for mut runtime in runtimes {
        let done = done.clone();
        std::thread::spawn(move || {
            runtime.build().unwrap().block_on(a_day(true));
            done.send(()).unwrap();
        });
    }
    drop(done);
    assert_eq!(results.iter().count(), 2);
}

#[test]
fn no_tokio_at_all_will_do() {
    assert!(tokio::runtime::Handle::try_current().is_err());
    futures_executor::block_on(a_day(false));
}
