//! A service with sessions, and browsers that use it.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use serde::{Deserialize, Serialize};
use tower::{Layer, Service, ServiceExt};
use tower_bearer::{
    Claims, ClaimsError, ClaimsRequest, Event, EventSink, KeyRing, ManualClock, MemoryStore,
    NewSession, RefreshCookieLayer, Session, SessionEndpoints, Timestamp, TokenCache, TokenCodec,
    refresh::{Elevation, RefreshCookieBuilder},
};

use super::faults::FaultStore;

pub const COOKIE: &str = "__Secure-refresh_token";
pub const JAR: &str = "__Secure-refresh_token_jar";
pub const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0";
pub const MASTER: &[u8] = b"8mYk2vQ0zr5LxT7wBn4GdHs9Jf3KpAeC1UoXiVbE";
pub const START: Timestamp = Timestamp::from_secs(1_800_000_000);

type Hook = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Role {
    pub role: String,
}

/// One server (or several that share a store) and what its tests can turn.
#[derive(Clone)]
pub struct World {
    /// The store's time.
    pub clock: ManualClock,
    /// The application's time.
    pub app_clock: ManualClock,
    pub store: FaultStore,
    pub keys: KeyRing,
    pub codec: TokenCodec<Role>,
    pub layer: RefreshCookieLayer,
    pub events: Arc<Mutex<Vec<String>>>,
    pub denied: Arc<AtomicBool>,
    pub claims_down: Arc<AtomicBool>,
    /// Runs once between the load and the swap of the next refresh.
    pub between: Arc<Mutex<Option<Hook>>>,
}

/// A reply.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: serde_json::Value,
}

/// One browser: a cookie jar and a `User-Agent`.
#[derive(Clone, Debug)]
pub struct Browser {
    pub agent: String,
    /// The value of the refresh cookie.
    pub cookie: Option<String>,
    /// The value of the jar cookie.
    pub jar: Option<String>,
}

impl World {
    pub fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub fn with(set: impl FnOnce(RefreshCookieBuilder) -> RefreshCookieBuilder) -> Self {
        let keys = KeyRing::from_master(MASTER).unwrap();
        let clock = ManualClock::new(START);
        let store = FaultStore::new(MemoryStore::builder().clock(clock.clone()).build().unwrap());
        Self::over(keys, clock.clone(), clock, store, set)
    }

    pub fn over(
        keys: KeyRing,
        clock: ManualClock,
        app_clock: ManualClock,
        store: FaultStore,
        set: impl FnOnce(RefreshCookieBuilder) -> RefreshCookieBuilder,
    ) -> Self {
        let codec = TokenCodec::<Role>::nested(&keys)
            .issuer("https://id.example")
            .audience("api")
            .clock(app_clock.clone())
            // Every scenario runs with it, and none may notice.
            .cache(TokenCache::new(256 * 1024))
            .build()
            .unwrap();
        let events = Arc::new(Mutex::new(Vec::new()));
        let (denied, claims_down) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let between = Arc::new(Mutex::new(None::<Hook>));
        let claims = {
            let (denied, claims_down) = (denied.clone(), claims_down.clone());
            let between = between.clone();
            move |request: ClaimsRequest| {
                let (denied, claims_down) = (denied.clone(), claims_down.clone());
                let hook = between.lock().unwrap().take();
                async move {
                    if let Some(hook) = hook {
                        hook.await;
                    }
                    if claims_down.load(Ordering::SeqCst) {
                        return Err(ClaimsError::unavailable("no claims for the test"));
                    }
                    if denied.load(Ordering::SeqCst) {
                        return Err(ClaimsError::Denied);
                    }
                    let context = String::from_utf8_lossy(request.context()).into_owned();
                    Ok(Role { role: context })
                }
            }
        };
        let builder = RefreshCookieLayer::builder(codec.clone(), store.clone(), claims)
            .events(noting(&events));
        let layer = set(builder).build().unwrap();
        Self {
            clock,
            app_clock,
            store,
            keys,
            codec,
            layer,
            events,
            denied,
            claims_down,
            between,
        }
    }

    /// The same server, whose claims are this one member while there is one.
    pub fn claiming(self, member: &Arc<Mutex<Option<&'static str>>>) -> Self {
        let codec = TokenCodec::nested(&self.keys).issuer("https://id.example");
        let codec = codec.audience("api").build().unwrap();
        let member = member.clone();
        let claims = move |_: ClaimsRequest| {
            let member = member.lock().unwrap().map(|name| (name, "1"));
            let claims: BTreeMap<_, _> = member.into_iter().collect();
            async { Ok::<_, Infallible>(claims) }
        };
        let builder = RefreshCookieLayer::builder(codec, self.store.clone(), claims);
        let layer = builder.events(noting(&self.events)).build().unwrap();
        Self { layer, ..self }
    }

    /// Another server over the same store, with other keys.
    pub fn server_with_keys(&self, keys: KeyRing) -> Self {
        Self::over(
            keys,
            self.clock.clone(),
            self.app_clock.clone(),
            self.store.clone(),
            |b| b,
        )
    }

    pub fn browser(&self) -> Browser {
        Browser {
            agent: FIREFOX.to_owned(),
            cookie: None,
            jar: None,
        }
    }

    /// A browser that has signed in as `user`.
    pub async fn signed_in(&self, user: &str) -> Browser {
        let mut browser = self.browser();
        let reply = browser.login(self, user).await;
        assert_eq!(reply.status, 200, "{:?}", reply.body);
        browser
    }

    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// The store's time goes on by itself for as long as a call takes. So an event that is due after a minute is surely
    /// due after 61 seconds. A busy machine may find it not due yet after 60.
    pub fn secs(&self, secs: u64) {
        self.advance(Duration::from_secs(secs));
    }

    /// How many events of this name were sent.
    pub fn count(&self, name: &str) -> usize {
        let events = self.events.lock().unwrap();
        events
            .iter()
            .filter(|event| event.starts_with(name))
            .count()
    }

    /// How many refreshes ended in this row of the table.
    pub fn outcomes(&self, outcome: &str) -> usize {
        let events = self.events.lock().unwrap();
        // Events are kept as they print themselves.
        let (first, rest) = outcome.split_at(1);
        let wanted = format!("outcome: {}{rest}", first.to_uppercase());
        events
            .iter()
            .filter(|event| event.contains(&wanted))
            .count()
    }

    pub async fn send(&self, request: Request<Full<Bytes>>) -> Reply {
        let service = self.layer.layer(tower::service_fn(application));
        let response = service.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or(serde_json::Value::Null),
        }
    }

    pub fn verify(&self, reply: &Reply) -> Claims<Role> {
        let token = reply.body["access_token"].as_str().unwrap();
        self.codec.verify(token).unwrap()
    }
}

/// Keeps each event as it prints itself.
fn noting(events: &Arc<Mutex<Vec<String>>>) -> EventSink {
    let events = events.clone();
    EventSink::new(move |event: &Event<'_>| events.lock().unwrap().push(format!("{event:?}")))
}

/// The application: sign-in, step-up, and the ready-made endpoints for the rest.
pub async fn application(request: Request<Full<Bytes>>) -> Result<Response<String>, Infallible> {
    let session = Session::from_extensions(request.extensions()).unwrap();
    let user = request
        .headers()
        .get("x-user")
        .map(|v| v.to_str().unwrap().to_owned());
    let token = match request.uri().path() {
        "/auth/login" => {
            let new = NewSession::new(user.unwrap()).context(*b"member");
            session.start_with(new).await
        }
        "/auth/elevate" => {
            let step = Elevation::new().context(*b"admin");
            session.elevate_with(step).await
        }
        "/auth/end-others" => session.end_others().await,
        _ => return SessionEndpoints::new().call(request).await,
    };
    Ok(match token {
        Ok(token) => Response::new(serde_json::to_string(&token).unwrap()),
        Err(error) => error.response(),
    })
}

impl Reply {
    /// The value that the response gives to the cookie `name`, and the attributes behind it.
    fn line(&self, name: &str) -> Option<(&str, &str)> {
        let mut found = None;
        for line in self.headers.get_all(header::SET_COOKIE) {
            let (pair, attributes) = line.to_str().unwrap().split_once("; ").unwrap();
            let (named, value) = pair.split_once('=').unwrap();
            assert!([COOKIE, JAR].contains(&named), "{named}");
            if named == name {
                assert!(found.is_none(), "{name} twice");
                found = Some((value, attributes));
            }
        }
        found
    }

    /// The value the response sets, `Some("")` when it clears, `None` when it leaves it alone.
    pub fn set_cookie(&self) -> Option<String> {
        Some(self.line(COOKIE)?.0.to_owned())
    }

    /// The same for the jar cookie.
    pub fn jar_cookie(&self) -> Option<String> {
        Some(self.line(JAR)?.0.to_owned())
    }

    /// How long the cookie `name` is to last.
    pub fn age_of(&self, name: &str) -> Option<u64> {
        let (_, age) = self.line(name)?.1.split_once("Max-Age=")?;
        Some(age.parse().unwrap())
    }

    pub fn max_age(&self) -> Option<u64> {
        self.age_of(COOKIE)
    }

    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or("")
    }

    pub fn cleared(&self) -> bool {
        let values = [self.set_cookie(), self.jar_cookie()];
        values.iter().all(|value| value.as_deref() == Some(""))
    }
}

impl Browser {
    /// Another client that got hold of this one's cookies.
    pub fn thief(&self) -> Self {
        Self {
            agent: "curl/8.5.0".to_owned(),
            ..self.clone()
        }
    }

    /// The same client with the refresh cookie alone.
    pub fn without_jar(&self) -> Self {
        Self {
            jar: None,
            ..self.clone()
        }
    }

    /// Its cookies, as they are sent.
    pub fn cookies(&self) -> Option<String> {
        let refresh = self
            .cookie
            .as_ref()
            .map(|value| format!("{COOKIE}={value}"));
        let jar = self.jar.as_ref().map(|value| format!("{JAR}={value}"));
        let pairs: Vec<_> = refresh.into_iter().chain(jar).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    pub fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/auth{path}"))
            .header(header::USER_AGENT, &self.agent);
        if let Some(cookies) = self.cookies() {
            request = request.header(header::COOKIE, cookies);
        }
        request
    }

    pub async fn call(&mut self, world: &World, method: Method, path: &str) -> Reply {
        let request = self.request(method, path).body(Full::default()).unwrap();
        let reply = world.send(request).await;
        self.keep(&reply);
        reply
    }

    pub async fn login(&mut self, world: &World, user: &str) -> Reply {
        let request = self.request(Method::POST, "/login").header("x-user", user);
        let reply = world.send(request.body(Full::default()).unwrap()).await;
        self.keep(&reply);
        reply
    }

    pub async fn refresh(&mut self, world: &World) -> Reply {
        self.call(world, Method::POST, "/refresh").await
    }

    /// A refresh by a timer, whose user did nothing.
    pub async fn passive(&mut self, world: &World) -> Reply {
        self.call_passive(world, "/refresh").await
    }

    pub async fn call_passive(&mut self, world: &World, path: &str) -> Reply {
        let request = self.request(Method::POST, path);
        let request = request.header("x-session-activity", "passive");
        let reply = world.send(request.body(Full::default()).unwrap()).await;
        self.keep(&reply);
        reply
    }

    /// A refresh whose response never arrives.
    pub async fn refresh_lost(&self, world: &World) -> Reply {
        self.clone().refresh(world).await
    }

    pub async fn logout(&mut self, world: &World) -> Reply {
        self.call(world, Method::POST, "/logout").await
    }

    /// Does to the jar what the response says.
    pub fn keep(&mut self, reply: &Reply) {
        for (kept, set) in [
            (&mut self.cookie, reply.set_cookie()),
            (&mut self.jar, reply.jar_cookie()),
        ] {
            if let Some(value) = set {
                *kept = Some(value).filter(|value| !value.is_empty());
            }
        }
    }
}
