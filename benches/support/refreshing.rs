//! Browsers that refresh: cookie, layer, endpoints and store, everything but the network.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    hint::black_box,
    mem::take,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Empty;
use tower::{Layer, service_fn};
use tower_bearer::{
    ClaimsRequest, MemoryStore, RefreshCookieLayer, Session, SessionEndpoints, SessionId,
    refresh::RefreshCookie,
    store::{
        Inserted, Loaded, RefreshStore, SessionKey, SessionRecord, StoreError, SubjectTag, Swap,
    },
};

use super::profile::Profile;
use super::{
    browser::headers,
    keys,
    memory::Store,
    run::timed,
    services::answer,
    tokens::{Custom, codec, custom},
};

/// More than the interval of the rotation, so that every refresh rotates.
const PAUSE: Duration = Duration::from_secs(61);
/// Long enough for 10 000 of them.
const LIFETIME: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// Browsers with a session each, all after as many rotations.
///
/// A refresh moves its session on. To measure the same one any number of times, the sessions are put back to where they
/// were. The clock stands still.
pub struct Refreshing {
    service: RefreshCookie<SessionEndpoints>,
    store: Store,
    browsers: Vec<Browser>,
}

pub struct Browser {
    request: Request<Empty<Bytes>>,
    record: SessionRecord,
}

impl Refreshing {
    /// `browsers` of them after `rotations` each.
    pub fn new(browsers: usize, rotations: usize) -> Self {
        let (store, clock) = Store::new();
        let watched = Watched::new(store.0.clone());
        let layer = layer(watched.clone());
        let mut service = layer.layer(SessionEndpoints::new());
        let mut requests: Vec<_> = (0..browsers)
            .map(|n| refresh_of("", &sign_in(&layer, &format!("user-{n:08}"))))
            .collect();
        for _ in 0..rotations {
            clock.advance(PAUSE);
            for request in &mut requests {
                let sent = request.headers()[header::COOKIE].clone();
                let response = answer(&mut service, take(request));
                assert_eq!(response.status(), StatusCode::OK);
                *request = refresh_of(sent.to_str().unwrap(), &response);
            }
        }
        clock.advance(PAUSE);
        let keys = take(&mut *watched.inserted.lock().unwrap());
        let browsers = requests.into_iter().zip(keys);
        let browsers = browsers.map(|(request, key)| Browser {
            request,
            record: store.load(&key).into_record().unwrap(),
        });
        Self {
            service,
            browsers: browsers.collect(),
            store,
        }
    }

    /// Puts every session back, and gives the requests that refresh them.
    pub fn requests(&self) -> Vec<Request<Empty<Bytes>>> {
        let back = |browser: &Browser| {
            let now = self.now(browser);
            let swap = self.store.swap(&now, &browser.record);
            assert!(matches!(swap, Swap::Applied));
            browser.request.clone()
        };
        self.browsers.iter().map(back).collect()
    }

    /// How long `count` refreshes take. Putting sessions back is not counted.
    pub fn time(&mut self, count: u64) -> Duration {
        let mut left = count as usize;
        let mut took = Duration::ZERO;
        while left > 0 {
            let mut requests = self.requests();
            requests.truncate(left);
            left -= requests.len();
            let refreshes = || {
                for request in requests {
                    black_box(self.refresh(request));
                }
            };
            took += timed(refreshes).1;
        }
        took
    }

    pub fn refresh(&mut self, request: Request<Empty<Bytes>>) -> Response<String> {
        answer(&mut self.service, request)
    }

    /// That a refresh does here what it does elsewhere: it rotates, and hands out both tokens.
    pub fn check(&mut self) {
        let generation = self.browsers[0].record.generation();
        for request in self.requests() {
            let response = self.refresh(request);
            assert_eq!(response.status(), StatusCode::OK);
            assert!(response.headers().contains_key(header::SET_COOKIE));
        }
        for browser in &self.browsers {
            assert_eq!(self.now(browser).generation(), generation + 1);
        }
    }

    /// The session of `browser` as it is now.
    fn now(&self, browser: &Browser) -> SessionRecord {
        let loaded = self.store.load(&browser.record.key());
        loaded.into_record().unwrap()
    }
}

fn layer(store: Watched) -> RefreshCookieLayer {
    let codec = codec::<Custom>(Profile::Nested, &keys::shared());
    let claims = |_: ClaimsRequest| async { Ok::<_, Infallible>(custom()) };
    let builder = RefreshCookieLayer::builder(codec, store, claims);
    builder.absolute_lifetime(LIFETIME).build().unwrap()
}

fn sign_in(layer: &RefreshCookieLayer, user: &str) -> Response<()> {
    let mut login = layer.layer(service_fn(|request: Request<()>| async move {
        let session = Session::from_extensions(request.extensions()).unwrap();
        session.start(user).await.unwrap();
        Ok::<_, Infallible>(Response::new(()))
    }));
    let mut request = Request::post("/auth/login").body(()).unwrap();
    *request.headers_mut() = headers(&[]);
    request.headers_mut().remove(header::COOKIE);
    answer(&mut login, request)
}

/// The next request of a browser that has `sent` these cookies and was given those of `response`.
fn refresh_of<B>(sent: &str, response: &Response<B>) -> Request<Empty<Bytes>> {
    let lines = response.headers().get_all(header::SET_COOKIE).iter();
    let set = lines.map(|line| line.to_str().unwrap().split(';').next().unwrap());
    // A rotation sets the refresh cookie alone, and the jar cookie stays what it was.
    let pairs = sent.split("; ").chain(set);
    let jar: BTreeMap<_, _> = pairs.filter_map(|pair| pair.split_once('=')).collect();
    let cookies: Vec<_> = jar
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut request = Request::post("/auth/refresh").body(Empty::new()).unwrap();
    *request.headers_mut() = headers(&[]);
    let cookies = HeaderValue::from_str(&cookies.join("; ")).unwrap();
    request.headers_mut().insert(header::COOKIE, cookies);
    request
}

/// A store that remembers where the sessions went, which only the server's key tells otherwise. A refresh's calls go
/// straight through.
#[derive(Clone, Debug)]
struct Watched {
    store: MemoryStore,
    inserted: Arc<Mutex<Vec<SessionKey>>>,
}

impl Watched {
    fn new(store: MemoryStore) -> Self {
        Self {
            store,
            inserted: Arc::default(),
        }
    }
}

impl RefreshStore for Watched {
    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        self.inserted.lock().unwrap().push(record.key());
        self.store.insert(record, limit).await
    }

    async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        self.store.load(key).await
    }

    async fn swap(&self, old: &SessionRecord, new: &SessionRecord) -> Result<Swap, StoreError> {
        self.store.swap(old, new).await
    }

    async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
        self.store.list(subject).await
    }

    async fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        self.store.revoke_all(subject, keep).await
    }
}
