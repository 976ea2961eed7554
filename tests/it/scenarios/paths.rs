//! Where the cookie goes, where the endpoints lie, and what something in front takes off the paths.

use axum::{Router, body::Body};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::Full;
use tower::{Layer, ServiceExt};
use tower_bearer::{
    ClaimsError, ClaimsRequest, Clock, CsrfLayer, KeyRing, MemoryStore, NoClaims,
    RefreshCookieLayer, SessionEndpoints, SystemClock, TokenCodec,
    refresh::{RefreshCookieBuilder, RefreshTransport},
};

use crate::support::world::World;

type Set = fn(RefreshCookieBuilder) -> RefreshCookieBuilder;

/// Every call, and what it is answered without a session.
const CALLS: [(Method, &str, u16); 6] = [
    (Method::GET, "/csrf", 200),
    (Method::POST, "/refresh", 401),
    (Method::POST, "/logout", 204),
    (Method::POST, "/logout-all", 401),
    (Method::GET, "/sessions", 401),
    (Method::DELETE, "/sessions/x", 404),
];

fn builder() -> RefreshCookieBuilder {
    let codec = TokenCodec::nested(&KeyRing::generate().unwrap())
        .issuer("https://id.example")
        .audience("api")
        .build()
        .unwrap();
    let claims = |_: ClaimsRequest| async { Ok::<_, ClaimsError>(NoClaims {}) };
    RefreshCookieLayer::builder(codec, MemoryStore::new(), claims)
}

/// The cookie that a sign-in at `path` sets, and the mismatches that it tells.
async fn sign_in(set: Set, path: &str) -> (Option<String>, Vec<String>) {
    let world = World::with(set);
    let application = tower::service_fn(async |request: Request<Full<Bytes>>| {
        let session = tower_bearer::Session::from_extensions(request.extensions()).unwrap();
        session.start("alice").await.unwrap();
        Ok::<_, std::convert::Infallible>(http::Response::new(Full::<Bytes>::default()))
    });
    let request = Request::post(path).body(Full::default()).unwrap();
    let response = world.layer.layer(application).oneshot(request).await;
    let cookie = response.unwrap().headers().get(header::SET_COOKIE).cloned();
    assert_eq!(world.count("Started"), 1, "the sign-in goes on");
    let events = world.events.lock().unwrap().clone();
    let mismatches = events
        .into_iter()
        .filter(|event| event.starts_with("CookiePathMismatch"));
    (
        cookie.map(|line| line.to_str().unwrap().to_owned()),
        mismatches.collect(),
    )
}

/// A call at `target`, with a router that takes `nest` off and as a plain service.
async fn statuses(
    world: &World,
    endpoints: &SessionEndpoints,
    nest: &str,
    call: &(Method, &str, u16),
) -> [StatusCode; 3] {
    let (method, call, _) = call;
    let csrf =
        CsrfLayer::builder(&world.keys).session(|_| tower_bearer::csrf::CsrfSession::ANONYMOUS);
    let csrf = csrf.build().unwrap();
    // A guarded call is let through by what a client adds itself; its credentials mean nothing here.
    let request = || {
        Request::builder()
            .method(method)
            .uri(format!("{nest}{call}"))
            .header(header::AUTHORIZATION, "Bearer x")
    };
    let plain = world.layer.layer(csrf.layer(endpoints.clone()));
    let plain = plain.oneshot(request().body(Full::<Bytes>::default()).unwrap());
    let app = |inner: Router| {
        let app = match nest {
            "" => inner,
            nest => Router::new().nest(nest, inner),
        };
        app.layer(csrf.clone()).layer(world.layer.clone())
    };
    let merged = app(Router::new().merge(endpoints.clone()));
    let fallback = Router::new().fallback_service(endpoints.clone());
    let fallback = fallback.layer(csrf.clone()).layer(world.layer.clone());
    let request = || request().body(Body::empty()).unwrap();
    [
        plain.await.unwrap().status(),
        merged.oneshot(request()).await.unwrap().status(),
        fallback.oneshot(request()).await.unwrap().status(),
    ]
}

#[tokio::test]
async fn every_tail_of_the_base_has_every_call_with_a_router_and_as_a_plain_service() {
    let endpoints = SessionEndpoints::new();
    let settings: [Set; 3] = [
        |b| b.cookie_path("/app/api/auth"),
        |b| b.cookie_path("/api/auth").external_prefix("/app"),
        |b| b.cookie_path("/auth").external_prefix("/app/api"),
    ];
    for set in settings {
        let world = World::with(set);
        for nest in ["/app/api/auth", "/api/auth", "/auth", ""] {
            for call in &CALLS {
                let found = statuses(&world, &endpoints, nest, call).await;
                assert_eq!(found, [call.2; 3], "{nest} {call:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_part_of_a_segment_is_no_tail() {
    let world = World::with(|b| b.cookie_path("/app/api/auth"));
    for path in [
        "/uth/refresh",
        "/xauth/refresh",
        "/app/auth/refresh",
        "/app/api/authrefresh",
        "/app/api/auth",
        "/app/api/auth/x",
        "/x",
        "/app/refresh",
        "//refresh",
        "/auth/auth/refresh",
    ] {
        let request = Request::post(path).body(Full::<Bytes>::default()).unwrap();
        let service = world.layer.layer(SessionEndpoints::new());
        let response = service.oneshot(request).await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
    }
}

/// Below `/sessions` the list and the calls have names that look alike.
#[tokio::test]
async fn the_longest_tail_that_leaves_a_call_wins() {
    let world = World::with(|b| b.cookie_path("/sessions"));
    for (method, path, status) in [
        (Method::POST, "/sessions/refresh", 401),
        (Method::POST, "/refresh", 401),
        (Method::GET, "/sessions", 401),
        (Method::GET, "/sessions/sessions", 401),
        (Method::DELETE, "/sessions/x", 404),
        (Method::DELETE, "/sessions/sessions/x", 404),
        // The call, and not the session of that name.
        (Method::DELETE, "/sessions/refresh", 405),
    ] {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Full::<Bytes>::default()).unwrap();
        let service = world.layer.layer(SessionEndpoints::new());
        let response = service.oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{path}");
    }
}

#[tokio::test]
async fn a_cookie_of_every_path_leaves_the_endpoints_below_auth_or_where_base_says() {
    let settings: [Set; 3] = [
        |b| b.host_prefix(),
        |b| b.cookie_path("/"),
        |b| b.cookie_path("/").external_prefix("/app"),
    ];
    for set in settings {
        let world = World::with(set);
        let moved = SessionEndpoints::new().base("/api/session").unwrap();
        let root = SessionEndpoints::new().base("/").unwrap();
        for (endpoints, nest, found) in [
            (SessionEndpoints::new(), "/auth", true),
            (SessionEndpoints::new(), "", true),
            (SessionEndpoints::new(), "/api/session", false),
            (moved.clone(), "/api/session", true),
            (moved.clone(), "/session", true),
            (moved, "/auth", false),
            (root.clone(), "", true),
            (root, "/auth", false),
        ] {
            for (method, call, status) in &CALLS[1..5] {
                let request = Request::builder()
                    .method(method)
                    .uri(format!("{nest}{call}"));
                let request = request.body(Full::<Bytes>::default()).unwrap();
                let response = world.layer.layer(endpoints.clone()).oneshot(request).await;
                let expected = if found { *status } else { 404 };
                assert_eq!(response.unwrap().status(), expected, "{nest}{call}");
            }
        }
    }
    for path in ["", "auth", "/auth/", "/a?b", "/a b"] {
        let error = SessionEndpoints::new().base(path).unwrap_err();
        assert_eq!(error.setting(), "base", "{path}");
    }
}

/// Development over plain http changes what the browser insists on, and not which paths have the session.
#[tokio::test]
async fn the_cookie_is_named_and_goes_as_the_settings_say() {
    let cases: [(Set, &str, &str, &str); 11] = [
        (|b| b, "/auth/x", "__Secure-refresh_token", "/auth"),
        (
            |b| b.dangerous_insecure_cookie(),
            "/auth/x",
            "refresh_token",
            "/auth",
        ),
        (
            |b| b.cookie_path("/").dangerous_insecure_cookie(),
            "/x",
            "refresh_token",
            "/",
        ),
        (|b| b.host_prefix(), "/x", "__Host-refresh_token", "/"),
        (
            |b| b.cookie_path("/").host_prefix(),
            "/x",
            "__Host-refresh_token",
            "/",
        ),
        (
            |b| b.http_prefix(),
            "/auth/x",
            "__Http-refresh_token",
            "/auth",
        ),
        (
            |b| b.http_prefix().host_prefix().cookie_name("s"),
            "/x",
            "__Host-Http-s",
            "/",
        ),
        (
            |b| b.external_prefix("/app"),
            "/auth/x",
            "__Secure-refresh_token",
            "/app/auth",
        ),
        (
            |b| b.external_prefix("/a/b").cookie_path("/auth").http_prefix(),
            "/b/auth/x",
            "__Http-refresh_token",
            "/a/b/auth",
        ),
        (
            |b| b.external_prefix("/auth").cookie_path("/"),
            "/x",
            "__Secure-refresh_token",
            "/auth",
        ),
        (
            |b| b.external_prefix(""),
            "/auth/x",
            "__Secure-refresh_token",
            "/auth",
        ),
    ];
    for (set, request, name, path) in cases {
        let (line, mismatches) = sign_in(set, request).await;
        let line = line.unwrap();
        assert_eq!(line.split('=').next(), Some(name));
        let attributes: Vec<_> = line.split("; ").skip(1).collect();
        assert!(attributes.contains(&&*format!("Path={path}")), "{line}");
        assert!(attributes.contains(&"HttpOnly"), "{line}");
        let secure = attributes.contains(&"Secure");
        assert_eq!(secure, name.starts_with("__"), "{line}");
        assert!(mismatches.is_empty(), "{line}: {mismatches:?}");
    }
}

#[tokio::test]
async fn a_sign_in_where_the_cookie_does_not_go_is_told_with_both_paths() {
    let cases: [(Set, &str, &str); 4] = [
        (|b| b, "/login", "/auth"),
        (|b| b, "/authentic?to=/auth", "/auth"),
        (
            |b| b.cookie_path("/api/auth").external_prefix("/app"),
            "/app/login",
            "/app/api/auth",
        ),
        (|b| b.external_prefix("/app"), "/", "/app/auth"),
    ];
    for (set, request, cookie_path) in cases {
        let (line, mismatches) = sign_in(set, request).await;
        assert!(line.unwrap().contains(&format!("Path={cookie_path}")));
        let request_path = request.split('?').next().unwrap();
        let told = format!(
            "CookiePathMismatch {{ cookie_path: {cookie_path:?}, request_path: {request_path:?} }}"
        );
        assert_eq!(mismatches, [told]);
    }
    // No browser keeps a cookie where tokens travel in bodies.
    let (line, mismatches) = sign_in(|b| b.transport(RefreshTransport::Body), "/login").await;
    assert_eq!((line, mismatches.len()), (None, 0));
}

#[tokio::test]
async fn a_sign_in_where_the_cookie_does_not_go_is_told_ten_times_in_half_a_minute() {
    let window = || SystemClock.now().as_secs() / 30;
    loop {
        let before = window();
        let world = World::with(|builder| builder.cookie_path("/session"));
        for _ in 0..30 {
            world.signed_in("alice").await;
        }
        if window() == before {
            assert_eq!(world.count("CookiePathMismatch"), 10);
            break;
        }
    }
}

#[test]
fn settings_that_contradict_each_other_are_refused_and_name_both() {
    let cases: [(Set, &str, &str); 12] = [
        (
            |b| b.host_prefix().cookie_path("/auth"),
            "host_prefix",
            "cookie_path",
        ),
        (
            |b| b.cookie_path("/auth").host_prefix(),
            "host_prefix",
            "cookie_path",
        ),
        (
            |b| b.host_prefix().dangerous_insecure_cookie(),
            "host_prefix",
            "dangerous_insecure_cookie",
        ),
        (
            |b| b.dangerous_insecure_cookie().host_prefix(),
            "host_prefix",
            "cookie_path(\"/\")",
        ),
        (
            |b| b.http_prefix().dangerous_insecure_cookie(),
            "http_prefix",
            "dangerous_insecure_cookie",
        ),
        (
            |b| b.dangerous_insecure_cookie().http_prefix(),
            "http_prefix",
            "dangerous_insecure_cookie",
        ),
        (
            |b| b.host_prefix().external_prefix("/app"),
            "external_prefix",
            "host_prefix",
        ),
        (|b| b.external_prefix("/"), "external_prefix", "\"/app\""),
        (
            |b| b.external_prefix("app"),
            "external_prefix",
            "absolute path",
        ),
        (|b| b.external_prefix("/app/"), "external_prefix", "slash"),
        (
            |b| b.external_prefix("/a;Domain=x"),
            "external_prefix",
            "absolute path",
        ),
        (
            |b| b.external_prefix("/app").cookie_path("auth"),
            "cookie_path",
            "absolute path",
        ),
    ];
    for (set, setting, says) in cases {
        let error = set(builder()).build().unwrap_err();
        assert_eq!(error.setting(), setting, "{error}");
        assert!(error.problem().contains(says), "{error}");
    }
}
