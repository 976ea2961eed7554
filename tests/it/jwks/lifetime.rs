//! When the task begins and ends.

use std::sync::Arc;

use tower_bearer::{
    Event, EventSink, JwksErrorKind, ManualClock, RemoteJwks, TokenCodec, TokenErrorKind,
};

use super::{
    Api, START, codec_builder,
    issuer::{Issuer, Reply, eventually},
    pass_until, signer,
};

/// What is gone when the task and all handles are.
fn tracer() -> (EventSink, std::sync::Weak<()>) {
    let trace = Arc::new(());
    let weak = Arc::downgrade(&trace);
    let sink = EventSink::new(move |_: &Event<'_>| {
        let _ = &trace;
    });
    (sink, weak)
}

#[tokio::test]
async fn the_task_ends_with_the_last_handle() {
    let issuer = Issuer::start(Reply::set(signer("a", 1).jwks())).await;
    let (sink, trace) = tracer();
    let keys = RemoteJwks::builder(issuer.url())
        .events(sink)
        .build()
        .unwrap();
    keys.refresh().await.unwrap();
    let clone = keys.clone();
    drop(keys);
    let ring = clone.keys();
    drop(clone);
    // A ring in a codec is a handle like any other.
    let clock = ManualClock::new(START);
    let codec: TokenCodec = codec_builder(&clock).build(&ring).unwrap();
    drop(ring);
    pass_until("asked", || issuer.requests() == 2).await;
    assert!(trace.upgrade().is_some());
    drop(codec);
    eventually("gone", || trace.upgrade().is_none()).await;
}

#[tokio::test]
async fn it_ends_in_the_middle_of_a_request() {
    let issuer = Issuer::start(Reply::Hang).await;
    let (sink, trace) = tracer();
    let keys = RemoteJwks::builder(issuer.url())
        .events(sink)
        .build()
        .unwrap();
    eventually("asked", || {
        issuer.connections() == 1 && issuer.requests() == 1
    })
    .await;
    drop(keys);
    eventually("gone", || trace.upgrade().is_none()).await;
    eventually("hung up", || issuer.connections() == 0).await;
}

/// Built before there is a runtime, as in a `static` or a `main` that starts one by hand.
#[test]
fn outside_of_a_runtime_it_begins_with_whoever_is_within_one() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let key = signer("a", 1);
    let servers = runtime();
    let issuer = servers.block_on(Issuer::start(Reply::set(key.jwks())));
    let serving = std::thread::spawn(move || servers.block_on(std::future::pending::<()>()));
    let api = Api::new(&issuer);
    let token = api.token(&key);
    let verify = || api.codec.verify(&token).map(|_| ()).map_err(|e| e.kind());
    assert_eq!(verify(), Err(TokenErrorKind::KeysUnavailable));
    assert!(!api.keys.is_ready());
    let waits = std::pin::pin!(api.keys.refresh());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(outcome) = waits.poll(&mut context) else {
        panic!("it waits for nobody");
    };
    assert_eq!(outcome.unwrap_err().kind(), JwksErrorKind::Runtime);

    // A token that comes within one begins it.
    let one = runtime();
    one.block_on(async {
        assert_eq!(api.status(&token).await, 503);
        eventually("ready", || api.keys.is_ready()).await;
        assert_eq!(api.status(&token).await, 200);
    });
    assert_eq!(issuer.requests(), 1);
    // It ends, and nobody renews the keys: they are not used any more, until another one begins.
    drop(one);
    assert_eq!(verify(), Err(TokenErrorKind::KeysUnavailable));
    let two = runtime();
    two.block_on(async {
        assert!(!api.keys.is_ready());
        api.keys.refresh().await.unwrap();
        assert_eq!(api.status(&token).await, 200);
    });
    assert_eq!(issuer.requests(), 2);
    assert!(!serving.is_finished());
}

/// A sink that panics ends the task. Nobody verifies with keys that nobody renews, and the next
/// request begins again.
#[tokio::test]
async fn it_begins_again_after_a_panic() {
    let key = signer("a", 1);
    let issuer = Issuer::start(Reply::set(key.jwks())).await;
    let panics = std::sync::atomic::AtomicBool::new(true);
    let sink = EventSink::new(move |_: &Event<'_>| {
        assert!(
            !panics.swap(false, std::sync::atomic::Ordering::SeqCst),
            "once"
        );
    });
    let api = Api::with(issuer.url(), |b| b.events(sink));
    eventually("asked", || issuer.requests() == 1).await;
    let token = api.token(&key);
    eventually("without keys", || api.codec.verify(&token).is_err()).await;
    api.skip_secs(1).await;
    eventually("ready", || api.keys.is_ready()).await;
    assert_eq!(api.status(&token).await, 200);
    assert_eq!(issuer.requests(), 2);
}
