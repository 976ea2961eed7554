//! The readiness contract of tower's `Service`, for any layer.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, buffer::BufferLayer, limit};
use tower_test::mock;

/// The requests a layer is tried with. It lets one through and, unless it lets everything through, refuses the other.
pub(crate) struct Requests {
    pub(crate) passed: fn() -> Request<String>,
    pub(crate) refused: Option<fn() -> Request<String>>,
}

/// Checks that `layer` forwards readiness and calls the very service that was polled.
pub(crate) async fn check<L>(name: &str, layer: L, requests: &Requests)
where
    L: Layer<Strict> + Layer<mock::Mock<Request<String>, Response<String>>> + Clone,
    L: Layer<limit::ConcurrencyLimit<Strict>>
        + Layer<tower::buffer::Buffer<Request<String>, StrictFuture>>,
    <L as Layer<Strict>>::Service: Http + Clone,
    <L as Layer<limit::ConcurrencyLimit<Strict>>>::Service: Http + Clone,
    <L as Layer<tower::buffer::Buffer<Request<String>, StrictFuture>>>::Service: Http,
    <L as Layer<mock::Mock<Request<String>, Response<String>>>>::Service: Http,
{
    same_instance(name, &layer, requests).await;
    under_a_limit(name, &layer, requests).await;
    in_front_of_a_buffer(name, &layer, requests).await;
    mocked(name, &layer, requests).await;
}

/// A service of requests and responses with `String` bodies.
pub(crate) trait Http:
    Service<Request<String>, Response = Response<String>, Error: std::fmt::Debug, Future: Send>
{
}

impl<S> Http for S where
    S: Service<Request<String>, Response = Response<String>, Error: std::fmt::Debug, Future: Send>
{
}

async fn same_instance<L>(name: &str, layer: &L, requests: &Requests)
where
    L: Layer<Strict>,
    L::Service: Http + Clone,
{
    let strict = Strict::default();
    let calls = strict.calls.clone();
    let service = layer.layer(strict);
    // A clone is a new instance: it has to be polled ready itself.
    for mut service in [service.clone(), service.clone(), service] {
        for _ in 0..3 {
            let service = service.ready().await.unwrap();
            service.call((requests.passed)()).await.unwrap();
        }
    }
    assert_eq!(calls.load(Ordering::SeqCst), 9, "{name}");
}

async fn under_a_limit<L>(name: &str, layer: &L, requests: &Requests)
where
    L: Layer<limit::ConcurrencyLimit<Strict>>,
    L::Service: Http + Clone,
{
    let strict = Strict::default();
    let calls = strict.calls.clone();
    let limited = limit::ConcurrencyLimitLayer::new(1).layer(strict);
    let mut one = layer.layer(limited);
    let mut two = one.clone();

    let first = one.ready().await.unwrap().call((requests.passed)());
    let waits = tokio::time::timeout(Duration::from_millis(20), two.ready()).await;
    assert!(waits.is_err(), "{name}: a second call passed the limit");
    first.await.unwrap();
    two.ready()
        .await
        .unwrap()
        .call((requests.passed)())
        .await
        .unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 2, "{name}");

    // A service that was polled ready holds the permit; a layer that refuses must not keep it for good.
    if let Some(refused) = requests.refused {
        for _ in 0..3 {
            two.ready().await.unwrap().call(refused()).await.unwrap();
        }
        drop(two);
        let ready = tokio::time::timeout(Duration::from_secs(5), one.ready()).await;
        ready.expect("the permit is back").unwrap();
        assert_eq!(calls.load(Ordering::SeqCst), 2, "{name}");
    }
}

async fn in_front_of_a_buffer<L>(name: &str, layer: &L, requests: &Requests)
where
    L: Layer<tower::buffer::Buffer<Request<String>, StrictFuture>>,
    L::Service: Http,
{
    let strict = Strict::default();
    let calls = strict.calls.clone();
    let buffer = ServiceBuilder::new()
        .layer(BufferLayer::new(2))
        .service(strict);
    let mut service = layer.layer(buffer);
    for _ in 0..5 {
        let service = service.ready().await.unwrap();
        service.call((requests.passed)()).await.unwrap();
    }
    assert_eq!(calls.load(Ordering::SeqCst), 5, "{name}");
}

/// `tower_test` panics when it is called without having been polled ready.
async fn mocked<L>(name: &str, layer: &L, requests: &Requests)
where
    L: Layer<mock::Mock<Request<String>, Response<String>>>,
    L::Service: Http,
{
    let (mock, mut handle) = mock::pair::<Request<String>, Response<String>>();
    let mut service = mock::Spawn::new(layer.layer(mock));

    handle.allow(0);
    assert!(service.poll_ready().is_pending(), "{name}");
    handle.allow(1);
    assert!(service.poll_ready().is_ready(), "{name}");
    if let Some(refused) = requests.refused {
        service.call(refused()).await.unwrap();
        let unseen = tokio::time::timeout(Duration::from_millis(20), handle.next_request()).await;
        assert!(unseen.is_err(), "{name}: a refused request got through");
    }
    assert!(service.poll_ready().is_ready(), "{name}");
    let answer = service.call((requests.passed)());
    let inner = async {
        let (_, respond) = handle
            .next_request()
            .await
            .expect("the request got through");
        respond.send_response(Response::new("mock".to_owned()));
    };
    let (answer, ()) = tokio::join!(answer, inner);
    assert_eq!(answer.unwrap().body(), "mock", "{name}");
}

/// An inner service that panics unless the very instance that is called was polled ready.
#[derive(Debug, Default)]
pub(crate) struct Strict {
    ready: bool,
    calls: Arc<AtomicUsize>,
}

pub(crate) type StrictFuture = Ready<Result<Response<String>, Infallible>>;

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self {
            ready: false,
            calls: self.calls.clone(),
        }
    }
}

impl Service<Request<String>> for Strict {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = StrictFuture;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: Request<String>) -> StrictFuture {
        assert!(
            std::mem::take(&mut self.ready),
            "called before it was ready"
        );
        self.calls.fetch_add(1, Ordering::SeqCst);
        ready(Ok(Response::new("strict".to_owned())))
    }
}
