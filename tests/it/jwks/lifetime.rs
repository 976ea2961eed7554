//! When the task begins and ends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::runtime::Runtime;
use tower_bearer::{
    Clock, Event, EventSink, ManualClock, Timestamp, TokenCodec, TokenErrorKind,
    jwks::{JwksErrorKind, RemoteJwks},
};

use super::{
    Api, START, codec_builder,
    issuer::{Issuer, Reply, eventually},
    pass, pass_until, signer,
};

/// One that is driven by those who wait in it alone.
fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

/// One with two threads of its own, as a service has.
fn two_workers() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
}

/// An issuer on a runtime of its own.
fn served(reply: Reply) -> Issuer {
    let servers = runtime();
    let issuer = servers.block_on(Issuer::start(reply));
    std::thread::spawn(move || servers.block_on(std::future::pending::<()>()));
    issuer
}

/// A value that is gone when the task and all handles are.
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
    let codec: TokenCodec = codec_builder(&clock, &ring).build().unwrap();
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
fn outside_of_a_runtime_it_begins_with_the_first_caller_within_one() {
    let key = signer("a", 1);
    let servers = runtime();
    let issuer = servers.block_on(Issuer::start(Reply::set(key.jwks())));
    let serving = std::thread::spawn(move || servers.block_on(std::future::pending::<()>()));
    let api = Api::new(&issuer);
    let token = api.token(&key);
    let verify = || api.codec.verify(&token).map(|_| ()).map_err(|e| e.kind());
    assert_eq!(verify(), Err(TokenErrorKind::KeysUnavailable));
    assert!(!api.keys.health().is_ready());
    let waits = std::pin::pin!(api.keys.refresh());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(outcome) = waits.poll(&mut context) else {
        panic!("it waits for no task");
    };
    assert_eq!(outcome.unwrap_err().kind(), JwksErrorKind::Runtime);

    // A token that comes within one begins it.
    let one = runtime();
    one.block_on(async {
        assert_eq!(api.status(&token).await, 503);
        eventually("ready", || api.keys.health().is_ready()).await;
        assert_eq!(api.status(&token).await, 200);
    });
    assert_eq!(issuer.requests(), 1);
    // It ends, and no task asks any more: the keys go on to their limit, and no further.
    drop(one);
    assert_eq!(verify(), Ok(()));
    api.clock.advance(Duration::from_secs(300 + 3600 - 1));
    assert_eq!(verify(), Ok(()));
    assert!(api.keys.health().is_ready());
    api.clock.advance(Duration::from_secs(1));
    assert_eq!(verify(), Err(TokenErrorKind::KeysUnavailable));
    assert!(!api.keys.health().is_ready());
    let health = api.keys.health();
    assert_eq!((health.keys(), health.usable_until()), (0, None));
    // The next request within a live runtime makes it good again.
    let two = runtime();
    two.block_on(async {
        assert_eq!(api.status(&token).await, 503);
        eventually("ready", || api.keys.health().is_ready()).await;
        assert_eq!(api.status(&token).await, 200);
    });
    assert_eq!(issuer.requests(), 2);
    // One that ends while the keys are good is followed at once, and no request notices.
    drop(two);
    let three = runtime();
    three.block_on(async {
        assert_eq!(api.status(&token).await, 200);
        api.skip_secs(1).await;
        eventually("asked", || issuer.requests() == 3).await;
    });
    assert!(!serving.is_finished());
}

/// A sink that never returns holds its task for ever. The limit is kept all the same, and a request that
/// finds the task overdue starts another one.
#[test]
fn a_sink_that_blocks() {
    let key = signer("a", 1);
    let servers = two_workers();
    let issuer = servers.block_on(Issuer::start(Reply::set(key.jwks())));
    let (release, blocked) = std::sync::mpsc::channel::<()>();
    let blocked = std::sync::Mutex::new(Some(blocked));
    let sink = EventSink::new(move |_: &Event<'_>| {
        let first = blocked.lock().unwrap().take();
        if let Some(blocked) = first {
            let _ = blocked.recv();
        }
    });
    let tasks = two_workers();
    let held = tasks.enter();
    let api = Api::with(issuer.url(), |b| b.events(sink));
    drop(held);
    let token = api.token(&key);
    let verify = || api.codec.verify(&token).map(|_| ()).map_err(|e| e.kind());
    let mut waits = 0;
    while verify().is_err() {
        waits += 1;
        assert!(waits < 4000, "the keys never came");
        std::thread::sleep(Duration::from_millis(5));
    }
    // The task is held up from here on. By the date alone it is due, late, and past the limit.
    api.clock.advance(Duration::from_secs(300 + 3600));
    assert_eq!(verify(), Err(TokenErrorKind::KeysUnavailable));
    assert_eq!(issuer.requests(), 1);
    // A live runtime, whose own clock says that the task is overdue.
    let requests = runtime();
    requests.block_on(async {
        pass(Duration::from_secs(263 + 5 + 121)).await;
        assert_eq!(api.status(&token).await, 503);
        eventually("ready", || api.keys.health().is_ready()).await;
        assert_eq!(api.status(&token).await, 200);
    });
    assert_eq!(issuer.requests(), 2);
    // The first task wakes up, finds that it is not the last, and changes nothing.
    let next = api.keys.health().next_request_at();
    drop(release);
    drop(tasks);
    let still = api.keys.health().next_request_at();
    assert!(still + Duration::from_secs(30) > next, "{still:?} {next:?}");
    assert_eq!(verify(), Ok(()));
    assert_eq!(issuer.requests(), 2);
    drop(requests);
    drop(servers);
}

/// A runtime that lives and is not driven. A task there makes no progress, and `refresh` does not wait for it for ever.
#[test]
fn a_refresh_does_not_wait_for_a_task_that_does_not_get_on() {
    let key = signer("a", 1);
    let issuer = served(Reply::set(key.jwks()));
    let idle = runtime();
    let api = {
        let _within = idle.enter();
        Api::new(&issuer)
    };
    runtime().block_on(async {
        let keys = api.keys.clone();
        let refresh = tokio::spawn(async move { keys.refresh().await });
        tokio::task::yield_now().await;
        pass(Duration::from_secs(126)).await;
        refresh.await.unwrap().unwrap();
        assert_eq!(api.status(&api.token(&key)).await, 200);
    });
    assert_eq!(issuer.requests(), 1);
}

/// A future that is polled outside of a runtime, or within one without timers, panics nowhere.
#[test]
fn a_refresh_needs_no_timers_of_its_own() {
    let key = signer("a", 1);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let issuer = runtime.block_on(Issuer::start(Reply::set(key.jwks())));
    let api = {
        let _within = runtime.enter();
        Api::new(&issuer)
    };
    let keys = api.keys.clone();
    let waits = std::thread::spawn(move || {
        let mut refresh = std::pin::pin!(keys.refresh());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        for _ in 0..4000 {
            if let std::task::Poll::Ready(outcome) = refresh.as_mut().poll(&mut context) {
                return outcome;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("it waits for ever");
    });
    waits.join().unwrap().unwrap();
    // Without timers the task cannot run, and the caller is told so.
    let bare = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .unwrap();
    let api = Api::new(&issuer);
    let error = bare.block_on(api.keys.refresh()).unwrap_err();
    assert_eq!(error.kind(), JwksErrorKind::Runtime);
}

/// A sink that never returns costs the service one worker, and no more with each task that takes over.
#[test]
fn a_sink_that_blocks_blocks_once() {
    let service = two_workers();
    let (release, blocked) = std::sync::mpsc::channel::<()>();
    let (blocked, calls) = (
        std::sync::Mutex::new(blocked),
        Arc::new(AtomicUsize::new(0)),
    );
    let counted = calls.clone();
    let sink = EventSink::new(move |_: &Event<'_>| {
        counted.fetch_add(1, Ordering::SeqCst);
        let _ = blocked.lock().unwrap().recv();
    });
    // A worker that blocks keeps the task that it woke last, which must be none of the issuer's.
    let issuer = served(Reply::Close);
    let api = {
        let _within = service.enter();
        Api::with(issuer.url(), |b| b.events(sink))
    };
    let until = |what: &str, holds: &dyn Fn() -> bool| {
        let held = (0..4000).any(|_| {
            std::thread::sleep(Duration::from_millis(5));
            holds()
        });
        assert!(held, "{what}");
    };
    until("told", &|| calls.load(Ordering::SeqCst) == 1);
    // Requests on another thread, by whose clock the task is overdue three times.
    let requests = runtime();
    requests.block_on(async {
        let token = api.token(&signer("a", 1));
        for round in 2..5 {
            pass(Duration::from_secs(60 + 126)).await;
            assert_eq!(api.status(&token).await, 503);
            eventually("asked again", || issuer.requests() >= round).await;
        }
    });
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    drop(release);
}

/// The first request comes long after the service was built.
#[test]
fn a_task_that_begins_late_is_not_overdue() {
    let key = signer("a", 1);
    let issuer = served(Reply::set(key.jwks()));
    let api = Api::new(&issuer);
    issuer.hold();
    runtime().block_on(async {
        pass(Duration::from_secs(600)).await;
        let token = api.token(&key);
        for _ in 0..10 {
            assert_eq!(api.status(&token).await, 503);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        issuer.release();
        eventually("ready", || api.keys.health().is_ready()).await;
        assert_eq!(api.status(&token).await, 200);
    });
    assert_eq!(issuer.requests(), 1);
}

/// The codec's time decides for the codec: its tokens are not to blame for a clock that is ahead.
#[tokio::test]
async fn a_codec_whose_clock_is_ahead_has_no_keys() {
    let key = signer("a", 1);
    let issuer = Issuer::start(Reply::set(key.jwks())).await;
    let api = Api::ready(&issuer).await;
    let token = api.token(&key);
    let later = api.clock.now() + Duration::from_secs(2 * 3600);
    let error = api.codec.verify_at(&token, later).unwrap_err();
    assert_eq!(error.kind(), TokenErrorKind::KeysUnavailable);
    assert!(api.codec.verify_at(&token, api.clock.now()).is_ok());
}

/// The issuer replaces its own keys, and those of a ring of one's own have no limit.
#[tokio::test]
async fn the_ring_cannot_be_rotated() {
    let (key, own) = (signer("a", 1), signer("b", 2));
    let issuer = Issuer::start(Reply::set(key.jwks())).await;
    let api = Api::ready(&issuer).await;
    assert_eq!(api.keys.keys().rotate(own).unwrap_err().setting(), "keys");
    assert_eq!(api.status(&api.token(&key)).await, 200);
}

/// Where no task runs, a probe alone starts one.
#[test]
fn health_starts_the_task() {
    let key = signer("a", 1);
    let issuer = served(Reply::set(key.jwks()));
    let api = Api::new(&issuer);
    assert!(!api.keys.health().is_ready());
    assert_eq!(
        issuer.requests(),
        0,
        "outside of a runtime there is none to start it in"
    );
    runtime().block_on(eventually("ready", || api.keys.health().is_ready()));
    assert_eq!(issuer.requests(), 1);
}

/// A probe that asks every second costs the issuer nothing.
#[tokio::test]
async fn health_causes_no_request() {
    let key = signer("a", 1);
    let issuer = Issuer::start(Reply::set(key.jwks())).await;
    let api = Api::ready(&issuer).await;
    for _ in 0..200 {
        let health = api.keys.health();
        assert!(health.is_ready());
        assert_eq!(health.keys(), 1);
        api.skip_secs(1).await;
    }
    assert_eq!(issuer.requests(), 1);
}

/// The keys come all the same, and the task goes on.
#[tokio::test]
async fn a_sink_that_panics_does_not_end_it() {
    let key = signer("a", 1);
    let issuer = Issuer::start(Reply::set(key.jwks())).await;
    let sink = EventSink::new(|_: &Event<'_>| panic!("the sink panics for the test"));
    let api = Api::with(issuer.url(), |b| b.events(sink));
    api.keys.refresh().await.unwrap();
    let token = api.token(&key);
    api.skip_secs(1).await;
    assert_eq!(api.status(&token).await, 200);
    api.skip_secs(1).await;
    assert_eq!(issuer.requests(), 1, "nothing began anew");
}

/// A clock that panics once in a task when it is told to.
#[derive(Debug)]
struct Faulty(Arc<AtomicBool>);

impl Clock for Faulty {
    fn now(&self) -> Timestamp {
        let panics = tokio::task::try_id().is_some() && self.0.swap(false, Ordering::SeqCst);
        assert!(!panics, "the clock panics for the test");
        START
    }
}

/// A clock that panics ends the task. The keys stay, and the next request begins again.
#[tokio::test]
async fn it_begins_again_after_a_panic() {
    let key = signer("a", 1);
    let issuer = Issuer::start(Reply::set(key.jwks())).await;
    let (armed, panics) = (AtomicBool::new(true), Arc::new(AtomicBool::new(false)));
    let clock = Faulty(panics.clone());
    let sink = EventSink::new(move |_: &Event<'_>| {
        panics.fetch_or(armed.swap(false, Ordering::SeqCst), Ordering::SeqCst);
    });
    let api = Api::with(issuer.url(), |b| b.events(sink).clock(clock));
    eventually("asked", || issuer.requests() == 1).await;
    let token = api.token(&key);
    eventually("with keys", || api.codec.verify(&token).is_ok()).await;
    api.skip_secs(1).await;
    assert_eq!(api.status(&token).await, 200);
    api.skip_secs(1).await;
    eventually("asked again", || issuer.requests() == 2).await;
}
