//! `Debug` of every public type, with secrets planted wherever one can be.
//!
//! The list is checked against the crate's exports, so that a new public type is not forgotten.

use std::collections::BTreeSet;

use http::Request;
use http_body_util::Full;
use tower::{Layer, Service};
use tower_bearer::{
    AccessToken, Auth, BearerAuthLayer, Claims, ClaimsError, CsrfLayer, Event, EventSink,
    GrpcLayer, KeyRing, ManualClock, MemoryStore, NewSession, NoClaims, OriginGuardLayer,
    RedisStore, RefreshCookieLayer, RefusalLayer, RequireClaimsLayer, RequireHttpsLayer,
    RequireRecentAuth, RequireScopeLayer, ReusePolicy, RevokeReason, RotationPolicy,
    SecurityHeadersLayer, Session, SessionEndpoints, SessionErrorKind, SignatureAlgorithm,
    SystemClock, Timestamp, TokenCodec, TokenContext, TokenErrorKind, Verifiers,
    bearer::{Acr, CheckError, Realm, Scope},
    csrf::{CsrfKeys, CsrfSession},
    headers::{
        ConnectionScheme, ContentSecurityPolicy, HttpsHost, ReferrerPolicy, StrictTransportSecurity,
    },
    jwks::{Fetch, RemoteIssuer, RemoteJwks},
    origin::{MissingOrigin, Origin},
    refresh::{ClaimsReason, Elevation, RefreshOutcome},
    rejection::{DefaultRejection, ProblemJson, Rejection},
    resource::ResourceMetadata,
    store::{Loaded, RefreshStore, SessionState, SharedStore, StoreError, StoreErrorKind, Swap},
    test_util::{ActingAsLayer, TestBody, TestBrowser, TestSession, acting_as},
    token::{Grant, TokenType},
};

use crate::support::{
    csrf,
    world::{COOKIE, JAR, Role, World},
};

const MASTER: &[u8; 40] = b"zT4kQ8wN1xV6bM3cJ9fH2sL7dG5pR0yEuAoIiXjC";
const CONTEXT: &str = "context-that-stays-hidden";
const PRIVATE: &str = "claim-that-stays-hidden";

/// Every exported type and how it prints.
#[derive(Default)]
struct Printed(Vec<(&'static str, String)>);

impl Printed {
    fn add(&mut self, name: &'static str, value: &dyn std::fmt::Debug) {
        self.0.push((name, format!("{value:?} {value:#?}")));
    }
}

/// Returns the exports of `src/lib.rs`, traits left out: they have no values.
fn exported() -> BTreeSet<String> {
    let lib = std::fs::read_to_string("src/lib.rs").unwrap();
    let traits = ["Clock", "Fetch", "RefreshStore", "RejectionResponse"];
    let modules = lib.lines().filter_map(|line| {
        let name = line.strip_prefix("pub mod ")?.strip_suffix(';')?;
        let file = [format!("src/{name}.rs"), format!("src/{name}/mod.rs")];
        file.iter()
            .find_map(|path| std::fs::read_to_string(path).ok())
    });
    let mut names = BTreeSet::new();
    let mut add = |name: &str| {
        let first = name.is_empty() || names.insert(name.to_owned());
        assert!(first, "`{name}` has two public paths");
    };
    for text in std::iter::once(lib.clone()).chain(modules) {
        // Re-exports: the last segments of the paths.
        let uses = text.split("\npub use ").skip(1);
        for path in uses.filter_map(|rest| rest.split_once(';').map(|(path, _)| path)) {
            let leaves = path.split(['{', '}', ',']);
            leaves.for_each(|leaf| add(leaf.rsplit("::").next().unwrap_or_default().trim()));
        }
        // Definitions there.
        for kind in ["\npub struct ", "\npub enum ", "    pub struct "] {
            for rest in text.split(kind).skip(1) {
                add(rest
                    .split(|c: char| !c.is_alphanumeric())
                    .next()
                    .unwrap_or_default());
            }
        }
    }
    names.retain(|name| !name.is_empty() && !traits.contains(&name.as_str()));
    names
}

/// Everything about CSRF tokens; returns the part of one that must not show.
async fn add_csrf(printed: &mut Printed, keys: &KeyRing) -> String {
    let builder = CsrfLayer::builder(keys).session(|_| CsrfSession::session("session-1"));
    printed.add("CsrfSession", &CsrfSession::session("session-1"));
    printed.add("CsrfKeys", &CsrfKeys::from(keys));
    printed.add("CsrfBuilder", &builder);
    let layer = builder.build().unwrap();
    printed.add("CsrfLayer", &layer);
    printed.add("Csrf", &layer.layer(Opaque(())));
    let app = csrf::App::new();
    let get = || csrf::request(http::Method::GET, http::HeaderMap::new());
    let token = csrf::issue(&layer).await;
    let mut with_cookie = get();
    let cookie = format!("{}={token}", csrf::COOKIE);
    with_cookie
        .headers_mut()
        .insert("cookie", cookie.parse().unwrap());
    printed.add("CsrfFuture", &layer.layer(app.clone()).call(with_cookie));
    let handle = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let keep = handle.clone();
    let app = csrf::App::with(move |handle| *keep.lock().unwrap() = format!("{handle:?}"));
    let (response, _) = csrf::send(&layer, &app, csrf::post(&token, &token)).await;
    assert_eq!(csrf::reason(&response), None);
    printed
        .0
        .push(("CsrfToken", handle.lock().unwrap().clone()));
    let (refused, _) = csrf::send(&layer, &app, csrf::post(&token, "junk")).await;
    printed.add("CsrfReason", &csrf::reason(&refused).unwrap());
    let form = layer.form_field("csrf_token").unwrap();
    printed.add("CsrfFormLayer", &form);
    printed.add("CsrfForm", &form.layer(Opaque(())));
    let inner = tower::service_fn(|_: Request<Full<bytes::Bytes>>| {
        std::future::ready(Ok::<_, std::convert::Infallible>(http::Response::new(())))
    });
    let post = Request::post("/")
        .header("cookie", format!("{}={token}", csrf::COOKIE))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::from(format!("csrf_token={token}")))
        .unwrap();
    let future = form.layer(inner).call(post);
    printed.add("CsrfFormFuture", &future);
    future.await.unwrap();
    token[3..46].to_owned()
}

#[tokio::test]
async fn no_public_type_prints_a_secret() {
    let mut printed = Printed::default();
    let keys = KeyRing::from_master(MASTER).unwrap();
    let base = World::new();
    let world = base.server_with_keys(keys.clone());
    let mut browser = world.browser();
    let login = browser.login(&world, "ada").await;
    let access = login.body["access_token"].as_str().unwrap().to_owned();
    let cookie = browser.cookie.clone().unwrap();
    let jar = browser.jar.clone().unwrap();
    let record = world.store.last().await;

    // Tokens.
    let private = Role {
        role: PRIVATE.into(),
    };
    let grant = Grant::new("ada", &private);
    let token: AccessToken = world
        .codec
        .mint_at(&grant, Timestamp::from_secs(1))
        .unwrap();
    let good = world.codec.mint("ada", &private).unwrap();
    let claims: Claims<Role> = world.codec.verify(good.as_str()).unwrap();
    let context: TokenContext = claims.context();
    let refused = world
        .codec
        .verify(&format!("{}x", good.as_str()))
        .unwrap_err();
    let builder = TokenCodec::<Role>::nested(&keys);
    let unmintable = TokenCodec::<String>::nested(&keys)
        .issuer("https://id.example")
        .audience("api")
        .build()
        .unwrap()
        .mint("ada", &PRIVATE.to_owned())
        .unwrap_err();
    printed.add("AccessToken", &token);
    printed.add("Claims", &claims);
    printed.add("Grant", &grant);
    printed.add("MintError", &unmintable);
    printed.add("NoClaims", &NoClaims {});
    printed.add("PresentedToken", &claims.token());
    printed.add("TokenCache", world.codec.cache().unwrap());
    printed.add("TokenCodec", &world.codec);
    printed.add("TokenCodecBuilder", &builder);
    printed.add("TokenContext", &context);
    printed.add("TokenError", &refused);
    printed.add("TokenErrorKind", &TokenErrorKind::Signature);
    printed.add("TokenType", &TokenType::AccessToken);
    printed.add("Verifiers", &Verifiers::from(world.codec.clone()));

    // Keys and configuration.
    printed.add(
        "ConfigError",
        &KeyRing::from_master(&MASTER[..20]).unwrap_err(),
    );
    printed.add("KeyRing", &keys);
    printed.add(
        "KeyRingBuilder",
        &KeyRing::builder()
            .master(MASTER)
            .refresh_secret(&MASTER[4..]),
    );
    printed.add("SignatureAlgorithm", &SignatureAlgorithm::Hs256);
    add_remote_keys(&mut printed).await;

    // Sessions and stores.
    let session_error = tower_bearer::SessionErrorKind::Reuse;
    let store = SharedStore::new(world.store.clone());
    printed.add("ClientFingerprint", &record.client());
    printed.add("Inserted", &store.insert(&record, 9).await.unwrap());
    printed.add(
        "Loaded",
        &Loaded::new(Some(record.clone()), Timestamp::default()),
    );
    printed.add("MemoryStore", &MemoryStore::new());
    printed.add("MemoryStoreBuilder", &MemoryStore::builder());
    let redis = || {
        let url = format!("rediss://app:{PRIVATE}@127.0.0.1:1/");
        RedisStore::builder(url).password(PRIVATE)
    };
    printed.add("RedisStoreBuilder", &redis());
    printed.add("RedisStore", &redis().build().unwrap());
    printed.add("ReusePolicy", &ReusePolicy::Subject);
    printed.add("RevokeReason", &RevokeReason::Reuse);
    printed.add("RotationPolicy", &RotationPolicy::default());
    printed.add("RotationPolicyBuilder", &RotationPolicy::builder());
    printed.add("RefreshOutcome", &RefreshOutcome::Rotated);
    printed.add("SessionErrorKind", &session_error);
    printed.add("SessionId", record.key().id());
    printed.add("SessionKey", &record.key());
    printed.add("SessionRecord", &record);
    printed.add("SessionState", &SessionState::Revoked(RevokeReason::Reuse));
    printed.add("SharedStore", &store);
    printed.add(
        "DecodeError",
        &tower_bearer::store::SessionRecord::decode(b"x").unwrap_err(),
    );
    printed.add("StoreError", &StoreError::unavailable("down"));
    printed.add("StoreErrorKind", &StoreErrorKind::Full);
    printed.add("SubjectTag", record.key().subject());
    printed.add(
        "Swap",
        &Swap::Conflict(store.load(&record.key()).await.unwrap()),
    );

    // Layers, services, futures and the handle, with the cookie in the request.
    let claims_for = |request: tower_bearer::ClaimsRequest| async move {
        let _ = request;
        Ok::<_, ClaimsError>(Role {
            role: PRIVATE.into(),
        })
    };
    let inner = || {
        tower::service_fn(|_: Request<Full<bytes::Bytes>>| async {
            Ok::<_, std::convert::Infallible>(http::Response::new(Full::<bytes::Bytes>::default()))
        })
    };
    let request = || {
        let request = Request::post("/auth/refresh")
            .header("cookie", format!("{COOKIE}={cookie}; {JAR}={jar}"))
            .header("user-agent", &browser.agent)
            .header("authorization", format!("Bearer {access}"));
        request.body(Full::<bytes::Bytes>::default()).unwrap()
    };
    let builder = RefreshCookieLayer::builder(world.codec.clone(), MemoryStore::new(), claims_for);
    printed.add("RefreshCookieBuilder", &builder);
    printed.add("RefreshCookieLayer", &world.layer);
    let carrier = world.layer.layer(Opaque(inner()));
    printed.add("RefreshCookie", &carrier);
    let mut carrier = world.layer.layer(inner());
    printed.add("RefreshCookieFuture", &carrier.call(request()));
    let seen = std::sync::Arc::new(std::sync::Mutex::new(None));
    let keep = seen.clone();
    let mut catcher = world.layer.layer(tower::service_fn(
        move |request: Request<Full<bytes::Bytes>>| {
            *keep.lock().unwrap() = Session::from_extensions(request.extensions()).ok();
            async { Ok::<_, std::convert::Infallible>(http::Response::new(())) }
        },
    ));
    catcher.call(request()).await.unwrap();
    let session = seen.lock().unwrap().take().unwrap();
    session.refresh().await.unwrap();
    printed.add("Session", &session);
    let admin = world.layer.admin();
    let ended = admin.ended("ada", vec![record.clone()]);
    printed.add("SessionAdmin", &admin);
    printed.add("Ended", &ended);
    ended.discard();
    printed.add("SessionInfo", &session.list().await.unwrap());
    printed.add("JarCookie", &tower_bearer::refresh::JarCookie::On);
    printed.add(
        "FingerprintPolicy",
        &tower_bearer::refresh::FingerprintPolicy::Known,
    );
    printed.add("PeekedSession", &session.peek().await.unwrap());
    printed.add(
        "RefreshTransport",
        &tower_bearer::refresh::RefreshTransport::Body,
    );
    let front = Auth::builder(&keys)
        .issuer("https://id.example")
        .audience("api")
        .store(MemoryStore::new())
        .same_origin();
    printed.add("AuthBuilder", &front);
    let front = front.build().unwrap();
    printed.add("Auth", &front);
    printed.add("AuthGuards", &front.guards());
    printed.add("Guarded", &front.guards().layer(Opaque(())));
    printed.add("AuthHeaders", &front.headers());
    printed.add("AuthRoutes", &front.routes::<()>());
    let mut cors = front.headers().layer(inner());
    printed.add("AuthCors", &front.headers().layer(Opaque(())));
    printed.add("AuthCorsFuture", &cors.call(request()));
    let refusals = RefusalLayer::new();
    printed.add("RefusalLayer", &refusals);
    printed.add("Refusals", &refusals.layer(Opaque(())));
    printed.add("RefusalsFuture", &refusals.layer(inner()).call(request()));
    printed.add("SessionEndpoints", &SessionEndpoints::new());
    printed.add("EndpointsFuture", &SessionEndpoints::new().call(request()));
    let error = session.start("").await.unwrap_err();
    assert_eq!(error.kind(), SessionErrorKind::InvalidInput);
    printed.add("Problem", &error.problem());
    printed.add("ProblemJson", &ProblemJson);
    printed.add("SessionError", &error);
    let new = NewSession::new("ada").context(CONTEXT).note(PRIVATE);
    printed.add("NewSession", &new);
    printed.add("Elevation", &Elevation::new().context(CONTEXT));
    printed.add("ClaimsReason", &ClaimsReason::Refresh);
    printed.add("ClaimsError", &ClaimsError::Denied);
    let request_for_claims = std::sync::Arc::new(std::sync::Mutex::new(None));
    let keep = request_for_claims.clone();
    let asking = RefreshCookieLayer::new(
        world.codec.clone(),
        MemoryStore::new(),
        move |request: tower_bearer::ClaimsRequest| {
            *keep.lock().unwrap() = Some(request);
            async {
                Ok::<_, ClaimsError>(Role {
                    role: PRIVATE.into(),
                })
            }
        },
    );
    let mut asking = asking
        .unwrap()
        .layer(tower::service_fn(|request: Request<()>| async move {
            let session = Session::from_extensions(request.extensions()).unwrap();
            session
                .start_with(NewSession::new("ada").context(CONTEXT))
                .await
                .unwrap();
            Ok::<_, std::convert::Infallible>(http::Response::new(()))
        }));
    asking.call(Request::new(())).await.unwrap();
    printed.add(
        "ClaimsRequest",
        &request_for_claims.lock().unwrap().take().unwrap(),
    );

    let realm: Realm = "api".parse().unwrap();
    let scope: Scope = "admin".parse().unwrap();
    let metadata = ResourceMetadata::builder("https://api.example/meta")
        .authorization_server("https://id.example");
    let bearer = BearerAuthLayer::new(world.codec.clone());
    let origin: Origin = "https://app.example".parse().unwrap();
    printed.add("BearerAuthLayer", &bearer);
    printed.add("BearerAuth", &bearer.layer(Opaque(())));
    printed.add("Connection", &bearer.connect(&access).unwrap());
    let mut refusing = bearer.layer(inner());
    let mut bad = request();
    bad.headers_mut().insert(
        "authorization",
        format!("Bearer {access}x").parse().unwrap(),
    );
    let future = refusing.call(bad);
    printed.add("GuardFuture", &future);
    let refusal = future.await.unwrap();
    printed.add(
        "Rejection",
        refusal.extensions().get::<Rejection>().unwrap(),
    );
    printed.add(
        "RejectionKind",
        &refusal.extensions().get::<Rejection>().unwrap().kind(),
    );
    printed.add("CheckError", &CheckError::Revoked);
    printed.add(
        "CustomRejection",
        &BearerAuthLayer::new(world.codec.clone())
            .rejection_response(|_: &Rejection| http::Response::new(())),
    );
    printed.add("DefaultRejection", &DefaultRejection);
    printed.add("Realm", &realm);
    let rule = RequireClaimsLayer::new(|_: &Claims| true);
    printed.add("RequireClaimsLayer", &rule);
    printed.add("RequireClaims", &rule.layer(Opaque(())));
    let recent = RequireRecentAuth::max_age(std::time::Duration::from_secs(300));
    let acr: Acr = "phr".parse().unwrap();
    printed.add("Acr", &acr);
    let recent = recent.acr_values([acr]);
    printed.add("RequireRecentAuth", &recent);
    printed.add("RecentAuth", &recent.layer(Opaque(())));
    printed.add("RequireScopeLayer", &RequireScopeLayer::new(scope.clone()));
    printed.add(
        "RequireScope",
        &RequireScopeLayer::new(scope.clone()).layer(Opaque(())),
    );
    printed.add("ResourceMetadataBuilder", &metadata);
    let metadata = metadata.build().unwrap();
    printed.add("ResourceMetadata", &metadata);
    printed.add("ServeMetadata", &metadata.layer(Opaque(())));
    printed.add("MetadataUrl", &metadata.url());
    printed.add("Scope", &scope);
    printed.add("MissingOrigin", &MissingOrigin::Refuse);
    printed.add("Origin", &origin);
    let guard = OriginGuardLayer::new([origin]).unwrap();
    printed.add("OriginGuardLayer", &guard);
    printed.add("OriginGuard", &guard.layer(Opaque(())));
    let mut foreign = request();
    foreign
        .headers_mut()
        .insert("origin", "https://evil.example".parse().unwrap());
    let refusal = guard.layer(inner()).call(foreign).await.unwrap();
    let reason = refusal
        .extensions()
        .get::<Rejection>()
        .unwrap()
        .origin_reason()
        .unwrap();
    printed.add("OriginReason", &reason);

    let csrf_token = add_csrf(&mut printed, &keys).await;
    // Response headers and the transport.
    let host: HttpsHost = "app.example".parse().unwrap();
    let secure = RequireHttpsLayer::connection().redirect_to(host.clone());
    let hardened = SecurityHeadersLayer::new();
    printed.add("Grpc", &GrpcLayer::new().layer(Opaque(())));
    printed.add("GrpcLayer", &GrpcLayer::new());
    printed.add("ConnectionScheme", &ConnectionScheme::Https);
    printed.add("ContentSecurityPolicy", &ContentSecurityPolicy::default());
    printed.add("HttpsHost", &host);
    printed.add("ReferrerPolicy", &ReferrerPolicy::SameOrigin);
    printed.add("RequireHttps", &secure.layer(Opaque(())));
    printed.add("RequireHttpsLayer", &secure);
    printed.add("SecurityHeaders", &hardened.layer(Opaque(())));
    printed.add(
        "SecurityHeadersFuture",
        &hardened.layer(inner()).call(request()),
    );
    printed.add("SecurityHeadersLayer", &hardened);
    printed.add(
        "StrictTransportSecurity",
        &StrictTransportSecurity::default(),
    );

    // Keys of others.
    let keys = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
        {"kty":"oct","kid":"s","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"}]}"#;
    let ring = KeyRing::verifier(keys).unwrap();
    let (unusable, reports) = (ring.unusable_keys(), ring.key_reports());
    assert!(!format!("{unusable:?} {reports:?}").contains("c2VjcmV0"));
    printed.add("KeyReport", &reports[1]);
    printed.add("KeyState", &reports[1].state());
    printed.add("UnusableKey", &unusable[0]);
    printed.add("UnusableReason", &unusable[0].reason());

    // Time and events.
    printed.add("ManualClock", &ManualClock::new(Timestamp::default()));
    printed.add("SystemClock", &SystemClock);
    printed.add("Timestamp", &Timestamp::default());
    printed.add("Event", &world.events.lock().unwrap());
    printed.add("EventSink", &EventSink::new(|_: &Event<'_>| {}));

    add_test_kit(&mut printed, &access, &cookie).await;

    let names: BTreeSet<String> = printed
        .0
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    let mut missing: Vec<_> = exported().difference(&names).cloned().collect();
    // Only a server makes one: it is printed where there is one, in the tests of the Redis store.
    missing.retain(|name| name != "RedisHealth");
    // Functions and modules are no types.
    missing.retain(|name| name.starts_with(|first: char| first.is_uppercase()));
    assert!(exported().len() > 60, "the exports were read");
    assert!(
        missing.is_empty(),
        "exported and not printed here: {missing:?}"
    );

    let encoded = record.encode();
    let master = String::from_utf8_lossy(MASTER).into_owned();
    let secrets = [
        access,
        cookie,
        jar,
        good.as_str().to_owned(),
        master,
        CONTEXT.into(),
        PRIVATE.into(),
        csrf_token,
    ];
    for (name, text) in &printed.0 {
        assert!(!text.trim().is_empty(), "{name} prints nothing");
        for secret in &secrets {
            assert!(
                !text.contains(secret.as_str()),
                "{name} prints {secret:?}: {text}"
            );
            // Nor a good part of one.
            let part = &secret[..secret.len().min(20)];
            let payload = &secret[secret.len() - secret.len().min(20)..];
            assert!(
                name == &"Claims" || !text.contains(payload),
                "{name} prints {payload:?}"
            );
            assert!(
                part.starts_with("eyJ") || !text.contains(part),
                "{name} prints {part:?}"
            );
        }
        for window in encoded.windows(16).step_by(8) {
            let bytes = format!("{window:?}");
            let inside = bytes.trim_matches(['[', ']']);
            let all_zero = window.iter().all(|byte| *byte == 0);
            assert!(
                all_zero || !text.contains(inside),
                "{name} prints bytes of the record"
            );
        }
    }
}

/// A test kit that holds what the application's tests give it: tokens, cookies, forms.
async fn add_test_kit(printed: &mut Printed, access: &str, cookie: &str) {
    let acting: ActingAsLayer<Role> = acting_as(
        PRIVATE,
        Role {
            role: PRIVATE.into(),
        },
    );
    printed.add("ActingAsLayer", &acting);
    printed.add("ActingAs", &acting.layer(Opaque(())));
    let inner = || {
        tower::service_fn(|_: Request<()>| {
            std::future::ready(Ok::<_, std::convert::Infallible>(http::Response::new(())))
        })
    };
    let future = acting.layer(inner()).call(Request::new(()));
    printed.add("ActingAsFuture", &future);
    printed.add("TestBody", &TestBody::from(PRIVATE.to_owned()));

    let token = format!(r#"{{"access_token":"{access}","csrf_token":"{PRIVATE}"}}"#);
    let set = format!("{COOKIE}={cookie}; Path=/; Secure; HttpOnly");
    let signs_in = tower::service_fn(move |_: Request<TestBody>| {
        let response = http::Response::builder()
            .header("content-type", "application/json")
            .header("set-cookie", &set)
            .body(token.clone());
        async { response }
    });
    let mut browser = TestBrowser::new(signs_in, "https://app.example");
    let answer = browser.post("/login").send().await;
    assert_eq!(browser.access_token(), Some(access));
    assert_eq!(browser.jar().value(COOKIE), Some(cookie));
    printed.add("TestResponse", &answer);
    printed.add("TestBrowser", &browser);
    printed.add("TestJar", browser.jar());
    let request = browser.post("/login").body(PRIVATE).bearer().csrf(PRIVATE);
    printed.add("TestRequest", &request);
    let new = NewSession::new(PRIVATE).context(CONTEXT);
    let mut client = TestSession::started_with(new).await;
    let cookies: Vec<_> = client.set_cookies().to_vec();
    let text = format!("{client:?}");
    for line in cookies {
        let value = line.split(['=', ';']).nth(1).unwrap();
        assert!(!text.contains(value), "{text}");
    }
    printed.add("TestSession", &client);
}

/// An issuer whose URL holds a secret.
async fn add_remote_keys(printed: &mut Printed) {
    let builder = || RemoteJwks::builder(format!("http://127.0.0.1:9/jwks?code={PRIVATE}"));
    let issuer = builder().build().unwrap();
    let error = issuer.refresh().await.unwrap_err();
    let health = issuer.health();
    assert!(health.last_error().is_some());
    printed.add("JwksError", &error);
    printed.add("JwksErrorKind", &error.kind());
    printed.add("JwksHealth", &health);
    printed.add("RemoteJwks", &issuer);
    printed.add("RemoteJwksBuilder", &builder());
    printed.add("KeyRing of an issuer", &issuer.keys());
    let issuer = RemoteIssuer::builder("https://id.example").fetch(OneDocument);
    let issuer = issuer.build().unwrap();
    issuer.refresh().await.unwrap_err();
    printed.add("RemoteIssuer", &issuer);
    printed.add("IssuerMetadata", &issuer.metadata().unwrap());
}

/// A client that finds the metadata of an issuer at every address.
struct OneDocument;

impl Fetch for OneDocument {
    async fn fetch(
        &self,
        _: http::Request<()>,
        _: usize,
    ) -> Result<http::Response<bytes::Bytes>, Box<dyn std::error::Error + Send + Sync>> {
        let keys = format!("https://id.example/jwks?code={PRIVATE}");
        let document = format!(r#"{{"issuer":"https://id.example","jwks_uri":"{keys}"}}"#);
        Ok(http::Response::new(document.into()))
    }
}

/// An inner service that has nothing to say.
#[derive(Clone)]
struct Opaque<T>(#[allow(dead_code)] T);

impl<T> std::fmt::Debug for Opaque<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opaque")
    }
}
