//! The mistakes in putting a service together, and their reports. Each is an error of the configuration, or a line of
//! the log and the answer. Each text alone has to name the place and the cure.
//!
//! The words of rustc where a feature is off are in `tests/examples/features.rs`. A start without the variables of the
//! keys is in `tests/examples/axum.rs`, in a process that has none.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    routing::{any, get, post},
};
use http::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower::ServiceExt;
use tower_bearer::{
    AccessToken, Auth, BearerAuthLayer, Claims, ClaimsError, ConfigError, CsrfLayer, CsrfToken,
    Event, EventSink, KeyRing, MemoryStore, NewSession, NoClaims, OriginGuardLayer, RefusalLayer,
    RequireScopeLayer, Session, SessionEndpoints, SessionError, TokenCodec, auth::AuthBuilder,
    csrf::CsrfSession, origin::Origin,
};

use crate::{traces, world::MASTER};

fn keys() -> KeyRing {
    KeyRing::from_master(MASTER).unwrap()
}

/// A front door with nothing wrong about it.
fn builder() -> AuthBuilder {
    Auth::builder(&keys())
        .issuer("https://id.example")
        .audience("api")
        .store(MemoryStore::new())
        .origins(["https://app.example".parse().unwrap()])
}

fn auth() -> Auth {
    builder().build().unwrap()
}

async fn login(session: Session) -> Result<AccessToken, SessionError> {
    session.start("user-1").await
}

async fn profile(claims: Claims<NoClaims>) -> String {
    claims.subject().to_owned()
}

/// The application that the README shows.
fn app(auth: &Auth) -> Router {
    Router::new()
        .route("/api/profile", get(profile))
        .route_layer(auth.bearer())
        .merge(auth.routes().route("/login", post(login)))
        .layer(auth.headers())
}

/// One request, as its developer sees it.
#[derive(Debug)]
struct Seen {
    status: StatusCode,
    /// The header `tower-bearer-mistake`.
    mistake: String,
    /// The problem document.
    problem: Value,
    /// Level and fields of each line at `INFO` and above.
    lines: Vec<String>,
    /// Those below.
    quiet: Vec<String>,
    /// Name and value of each cookie.
    cookies: Vec<String>,
}

fn ask(app: Router, request: http::request::Builder) -> Seen {
    let mut answer = None;
    let lines = traces::lines(async {
        let request = request.body(Body::empty()).unwrap();
        let (head, body) = app.oneshot(request).await.unwrap().into_parts();
        answer = Some((head, to_bytes(body, 1 << 16).await.unwrap()));
    });
    let (head, body) = answer.unwrap();
    let mistake = head.headers.get("tower-bearer-mistake");
    let written = |line: &traces::Line| {
        let fields = line
            .fields
            .iter()
            .map(|(name, value)| format!(" {name}={value}"));
        line.level.to_string() + &fields.collect::<String>()
    };
    let (lines, quiet): (Vec<_>, Vec<_>) = lines
        .iter()
        .partition(|line| line.level <= tracing::Level::INFO);
    let cookies = head.headers.get_all("set-cookie").iter();
    let pair =
        |line: &http::HeaderValue| line.to_str().unwrap().split(';').next().map(str::to_owned);
    Seen {
        status: head.status,
        mistake: mistake.map_or_else(String::new, |text| text.to_str().unwrap().to_owned()),
        problem: serde_json::from_slice(&body).unwrap_or_default(),
        lines: lines.into_iter().map(written).collect(),
        quiet: quiet.into_iter().map(written).collect(),
        cookies: cookies.filter_map(pair).collect(),
    }
}

#[track_caller]
fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is not said by: {text}");
    }
}

impl Seen {
    /// A mistake in the wiring: 500, and the same text in the header, the body and the one line.
    #[track_caller]
    fn is_wiring(&self, words: &[&str]) {
        assert_eq!(self.status, 500, "{self:?}");
        says(&self.mistake, words);
        says(self.problem["detail"].as_str().unwrap_or_default(), words);
        says(self.line("ERROR"), words);
    }

    /// A refusal, with its reason in the one line and not in the answer.
    #[track_caller]
    fn is_refused(&self, status: u16, code: &str, words: &[&str]) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.problem["code"], code, "{self:?}");
        assert_eq!(self.mistake, "");
        says(self.line("INFO"), words);
    }

    #[track_caller]
    fn line(&self, level: &str) -> &str {
        let [line] = &self.lines[..] else {
            panic!("one line: {self:?}");
        };
        assert!(line.starts_with(level), "{line}");
        line
    }
}

#[test]
fn the_application_of_the_readme_shows_nothing() {
    let seen = ask(app(&auth()), Request::get("/auth/csrf"));
    assert_eq!((seen.status, seen.lines.len()), (StatusCode::OK, 0));
}

#[test]
fn wrong_order_of_layers() {
    let auth = auth();
    let csrf = CsrfLayer::new(&keys()).unwrap();
    // With `Router::layer` the last one is the outermost.
    let app = Router::new()
        .merge(SessionEndpoints::new())
        .layer(auth.sessions().clone())
        .layer(csrf);
    let seen = ask(
        Router::new().nest("/auth", app),
        Request::post("/auth/refresh"),
    );
    seen.is_wiring(&[
        "RefreshCookieLayer is missing, or stands inside of CsrfLayer instead of outside",
        "In a ServiceBuilder the outer layer comes first, with axum's Router::layer it comes last",
    ]);
    let app = Router::new()
        .route("/", get(profile))
        .layer(auth.bearer())
        .layer(RequireScopeLayer::new("read".parse().unwrap()));
    ask(app, Request::get("/"))
        .is_wiring(&["BearerAuthLayer is missing", "must wrap RequireScope"]);
}

#[test]
fn a_missing_layer() {
    async fn form(_: CsrfToken) {}
    for (route, words) in [
        (get(profile), ["BearerAuthLayer is missing", "must wrap"]),
        (get(login), ["RefreshCookieLayer is missing", "must wrap"]),
        (get(form), ["CsrfLayer is missing", "must wrap"]),
    ] {
        let app = Router::new().route("/", route);
        ask(app, Request::get("/")).is_wiring(&words);
    }
    // It stands in the code, and reaches no route that is added later.
    let auth = auth();
    const CURE: &str = "layer and route_layer reach only the routes added before them";
    for (app, missing) in [
        (
            Router::new().layer(auth.bearer()).route("/", get(profile)),
            "BearerAuthLayer",
        ),
        (
            Router::new()
                .layer(auth.sessions().clone())
                .route("/", get(login)),
            "RefreshCookieLayer",
        ),
        (
            Router::new().layer(auth.guards()).route("/", get(form)),
            "CsrfLayer",
        ),
        (
            Router::new().layer(auth.bearer()).route(
                "/",
                get(|| async {}).layer(RequireScopeLayer::new("read".parse().unwrap())),
            ),
            "BearerAuthLayer",
        ),
    ] {
        ask(app, Request::get("/")).is_wiring(&[missing, CURE]);
    }
    let app = Router::new().merge(SessionEndpoints::new());
    let seen = ask(app, Request::post("/refresh"));
    seen.is_wiring(&["RefreshCookieLayer", "wrap SessionEndpoints"]);
}

#[test]
fn csrf_without_sessions() {
    let csrf = CsrfLayer::new(&keys()).unwrap();
    let app = Router::new().route("/", post(|| async {})).layer(csrf);
    let seen = ask(app, Request::post("/"));
    seen.is_wiring(&["RefreshCookieLayer is missing", "CsrfBuilder::session"]);
}

/// Both words are one with the front door; what is nested once more is found out.
#[test]
fn a_mount_that_is_not_the_path_of_the_cookie() {
    let auth = auth();
    let nested = Router::new().nest("/app", app(&auth));
    let seen = ask(nested, Request::get("/app/auth/csrf"));
    seen.is_wiring(&[
        "The browser sends the refresh cookie only to",
        "mount",
        "external_prefix",
    ]);

    // Without a CSRF layer the sign-in finds it out.
    let alone = Router::new().route("/login", post(login));
    let alone = alone.layer(auth.sessions().clone());
    let seen = ask(
        Router::new().nest("/account", alone),
        Request::post("/account/login"),
    );
    let [error, _] = &seen.lines[..] else {
        panic!("an error and the sign-in: {seen:?}");
    };
    assert!(error.starts_with("ERROR"), "{error}");
    says(
        error,
        &[
            "cookie_path=/auth ",
            "request_path=\"/account/login\"",
            "Where the session endpoints lie here too, no refresh finds the new one",
            "cookie_path",
            "external_prefix",
        ],
    );
}

/// A prefix that nothing in front takes off: the sign-in looks right, and the browser sends no refresh cookie.
#[test]
fn a_cookie_that_the_browser_does_not_send() {
    let auth = builder().external_prefix("/wrong").build().unwrap();
    let keep = |seen: &Seen| {
        let mut cookies = seen.cookies.iter();
        let csrf = cookies.find_map(|cookie| cookie.strip_prefix("__Host-csrf="));
        csrf.unwrap().to_owned()
    };
    let send = |request: http::request::Builder, token: &str| {
        let request = request.header("origin", "https://app.example");
        let request = request.header("cookie", format!("__Host-csrf={token}"));
        ask(app(&auth), request.header("x-csrf-token", token))
    };
    let page = keep(&ask(app(&auth), Request::get("/auth/csrf")));
    let seen = send(Request::post("/auth/login"), &page);
    assert_eq!(seen.status, 200, "{seen:?}");
    let signed_in = keep(&seen);
    let words = [
        "no refresh cookie came with it",
        "(cookie_path, external_prefix, plain http, another site)",
    ];
    // The page copies the cookie.
    let seen = send(Request::post("/auth/refresh"), &signed_in);
    seen.is_refused(403, "csrf", &words);
    says(seen.line("INFO"), &["reason=signature_invalid"]);
    assert!(!seen.line("INFO").contains("has to ask"), "{seen:?}");
    // Or it asks for a token first.
    let seen = send(Request::get("/auth/csrf"), &signed_in);
    assert_eq!(seen.status, 200, "{seen:?}");
    says(
        seen.line("INFO"),
        &["session_refused", "call=csrf", "kind=no_session"],
    );
    says(seen.line("INFO"), &words);
    let seen = send(Request::post("/auth/refresh"), &keep(&seen));
    assert_eq!(seen.problem["code"], "no_session");
    assert!(seen.lines.is_empty(), "{seen:?}");
    says(&seen.quiet[0], &["DEBUG", "call=refresh", words[1]]);
}

/// The mistake of a handler, and no visitor without a session: its line is read, and names the session.
#[test]
fn a_handler_that_goes_on_with_a_session_that_it_has_ended() {
    async fn leave(session: Session) -> Result<AccessToken, SessionError> {
        session.end().await?;
        session.refresh().await
    }
    let routes = Router::new()
        .route("/auth/login", post(login))
        .route("/auth/leave", post(leave));
    let app = routes.layer(auth().sessions().clone());
    let seen = ask(app.clone(), Request::post("/auth/login"));
    assert_eq!(seen.status, 200, "{seen:?}");
    let cookies = seen.cookies.join("; ");
    let seen = ask(app, Request::post("/auth/leave").header("cookie", cookies));
    assert_eq!(seen.problem["code"], "no_session");
    let lines = seen.lines.join("\n");
    let line = lines.lines().find(|line| line.contains("session_refused"));
    says(
        line.unwrap_or_else(|| panic!("{seen:?}")),
        &[
            "INFO",
            "kind=no_session",
            " session=",
            "an earlier call of this request has ended it",
        ],
    );
}

#[test]
fn claims_of_another_type() {
    #[derive(Deserialize)]
    struct Other {}
    async fn handler(_: Claims<Other>) {}
    let auth = auth();
    let token = auth.codec().mint("user-1", &NoClaims {}).unwrap();
    let app = Router::new().route("/", get(handler)).layer(auth.bearer());
    let bearer = format!("Bearer {}", token.as_str());
    let seen = ask(app, Request::get("/").header("authorization", bearer));
    seen.is_wiring(&["claims", "NoClaims", "Other"]);
}

#[test]
fn a_registered_member_in_the_claims() {
    #[derive(Serialize, Deserialize)]
    struct Mine {
        exp: u64,
    }
    let auth = builder().claims(async |_| Ok::<_, ClaimsError>(Mine { exp: 1 }));
    let auth = auth.build().unwrap();
    let app = Router::new().route("/auth/login", post(login));
    let app = app.layer(auth.sessions().clone());
    let seen = ask(app, Request::post("/auth/login"));
    assert_eq!(seen.status, 500, "{seen:?}");
    assert_eq!(seen.problem["code"], "internal");
    says(
        seen.line("ERROR"),
        &["claims", "`exp`", "only the codec writes", "rename it"],
    );
}

/// The user has only ticked a box: 500, and the line names the setting.
#[test]
fn a_lifetime_that_the_layer_does_not_allow() {
    let remember = Duration::from_secs(30 * 24 * 60 * 60);
    let login = async move |session: Session| {
        let new = NewSession::new("user-1").lifetime(remember);
        session.start_with(new).await
    };
    let app = Router::new().route("/auth/login", post(login));
    let app = app.layer(auth().sessions().clone());
    let seen = ask(app, Request::post("/auth/login"));
    assert_eq!(seen.status, 500, "{seen:?}");
    assert_eq!(seen.problem["code"], "internal");
    assert!(!seen.problem.to_string().contains("lifetime"), "{seen:?}");
    says(
        seen.line("ERROR"),
        &["lifetime: 2592000s", "absolute_lifetime, 604800s", "raise"],
    );
}

#[test]
fn a_scope_that_is_none() {
    #[derive(Serialize, Deserialize)]
    struct Mine {
        scope: Option<String>,
    }
    let codec = builder().claims(async |_| Ok::<_, ClaimsError>(Mine { scope: None }));
    let codec = codec.build().unwrap().codec().clone();
    let error = codec.mint("user-1", &Mine { scope: None }).unwrap_err();
    says(
        &error.to_string(),
        &[
            "scope is not a string",
            "Leave it out",
            "skip_serializing_if",
        ],
    );
}

#[test]
fn another_audience_or_issuer() {
    let auth = auth();
    let elsewhere = |issuer: &str, audience: &str| {
        let codec = TokenCodec::<NoClaims>::nested(&keys());
        let codec = codec.issuer(issuer).audience(audience).build().unwrap();
        codec.mint("user-1", &NoClaims {}).unwrap()
    };
    for (token, words) in [
        (
            elsewhere("https://id.example", "orders"),
            ["aud names other audiences", "aud has to be `api`"],
        ),
        (
            elsewhere("https://id.example/", "api"),
            [
                "iss names another issuer",
                "iss has to be `https://id.example`",
            ],
        ),
    ] {
        let bearer = format!("Bearer {}", token.as_str());
        let request = Request::get("/api/profile").header("authorization", bearer);
        ask(app(&auth), request).is_refused(401, "invalid_token", &words);
    }
}

#[test]
fn an_origin_that_is_http_or_missing() {
    let auth = auth();
    let request = || Request::post("/auth/refresh").header("cookie", "__Host-a=b");
    let http = request().header("origin", "http://app.example");
    ask(app(&auth), http).is_refused(
        403,
        "foreign_origin",
        &[
            "listed origin",
            "origins",
            "origin=\"http://app.example\"",
            "scheme",
        ],
    );
    ask(app(&auth), request()).is_refused(
        403,
        "foreign_origin",
        &[
            "listed origin",
            "a program sends Origin",
            "proxies pass Origin",
        ],
    );
}

/// The page asked for its token, and its browser kept no cookie.
#[test]
fn a_page_elsewhere_that_fetches_without_credentials() {
    let auth = auth();
    let login = Request::post("/auth/login")
        .header("origin", "https://app.example")
        .header("x-csrf-token", "1m.token");
    ask(app(&auth), login).is_refused(
        403,
        "csrf",
        &["there is no CSRF cookie", "credentials: \"include\""],
    );
}

/// The layer is around all that is there, the sign-in too, where nothing has a token yet.
#[test]
fn bearer_around_the_sign_in() {
    let auth = auth();
    let app = app(&auth).layer(auth.bearer());
    let seen = ask(app, Request::post("/auth/login"));
    seen.is_refused(
        401,
        "missing_token",
        &[
            "no bearer token",
            "A sign-in route lies outside of BearerAuthLayer",
        ],
    );
}

#[test]
fn invalid_settings_do_not_build() {
    fn refused<T: std::fmt::Debug>(built: Result<T, ConfigError>) -> String {
        built.expect_err("it cannot be used").to_string()
    }
    const DAYS: Duration = Duration::from_secs(30 * 86400);
    let only_access = KeyRing::builder().access_secret(MASTER).build().unwrap();
    for (error, words) in [
        // A short secret.
        (
            refused(KeyRing::builder().access_secret(b"0123456789").build()),
            &[
                "access secret",
                "at least 32",
                "has 10",
                "openssl rand -base64 32",
            ][..],
        ),
        (
            refused(
                Auth::builder(&only_access)
                    .issuer("https://id.example")
                    .audience("api")
                    .store(MemoryStore::new())
                    .same_origin()
                    .build(),
            ),
            &[
                "ENCRYPTION_KEY",
                "REFRESH_SECRET",
                "openssl rand -base64 32",
            ],
        ),
        // A trailing slash, of an origin and of the mount; and no scheme.
        (
            refused("https://app.example/".parse::<Origin>()),
            &["\"https://app.example/\"", "must not end in a slash"],
        ),
        (
            refused("app.example".parse::<Origin>()),
            &["\"app.example\"", "must start with a scheme"],
        ),
        (
            refused(builder().mount("/auth/").build()),
            &["mount", "must not end with a slash"],
        ),
        (
            refused(builder().mount("auth").build()),
            &["mount", "must be an absolute path"],
        ),
        // A setting out of range.
        (
            refused(builder().tokens(|tokens| tokens.lifetime(DAYS)).build()),
            &[
                "lifetime",
                "2592000s",
                "must be between 1 second and 24 hours",
            ],
        ),
        (
            refused(
                builder()
                    .sessions(|s| s.idle_lifetime(Duration::ZERO))
                    .build(),
            ),
            &["idle_lifetime", "0ns", "must"],
        ),
        // A setting that is missing altogether.
        (
            refused(Auth::builder(&keys()).issuer("a").audience("b").build()),
            &["store", "MemoryStore::new()"],
        ),
        (
            refused(
                Auth::builder(&keys())
                    .issuer("a")
                    .audience("b")
                    .store(MemoryStore::new())
                    .build(),
            ),
            &["origins", "same_origin"],
        ),
    ] {
        says(&error, words);
    }
}

/// A sink, and the names of the events that it has heard.
fn sink() -> (EventSink, Heard) {
    let heard = Heard::default();
    let sink = heard.0.clone();
    let events = EventSink::new(move |event| {
        sink.lock().unwrap().push(match event {
            Event::Rejected(rejection) => rejection.kind().as_str(),
            event => event.name(),
        });
    });
    (events, heard)
}

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<&'static str>>>);

impl Heard {
    /// Since the last time.
    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// The others tell no sink, but the log has each refusal anyway. A `RefusalLayer` outside hears of the others'.
#[test]
fn a_sink_at_one_layer_only() {
    const EVIL: &str = "https://evil.example";
    const APP: &str = "https://app.example";
    let ((one, by_one), (all, by_all)) = (sink(), sink());
    let bearer = BearerAuthLayer::new(auth().codec().clone());
    let csrf = CsrfLayer::builder(&keys()).session(|_| CsrfSession::ANONYMOUS);
    let origins = OriginGuardLayer::new([APP.parse().unwrap()]).unwrap();
    let bare = Router::new()
        .route("/api", any(profile).layer(bearer))
        .route("/open", any(profile))
        .layer(csrf.build().unwrap())
        .layer(origins.events(one));
    let whole = bare.clone().layer(RefusalLayer::new().events(all));
    for (method, path, origin, level, own, others) in [
        ("POST", "/api", EVIL, "INFO", Some("foreign_origin"), None),
        ("POST", "/api", APP, "INFO", None, Some("csrf_failed")),
        (
            "GET",
            "/api",
            APP,
            "INFO",
            None,
            Some("missing_credentials"),
        ),
        ("GET", "/open", APP, "ERROR", None, Some("internal")),
    ] {
        for (app, outside) in [(&bare, None), (&whole, others)] {
            let request = Request::builder().method(method).uri(path);
            let seen = ask(app.clone(), request.header("origin", origin));
            says(seen.line(level), &["event=rejected"]);
            assert_eq!(by_one.take(), Vec::from_iter(own), "{seen:?}");
            assert_eq!(by_all.take(), Vec::from_iter(outside), "{seen:?}");
        }
    }
}

/// One setter gives the sink to everything: it hears of each refusal, and of each once.
#[test]
fn the_front_door_has_one_sink_for_all() {
    let (events, heard) = sink();
    let auth = builder().events(events).build().unwrap();
    // The extractor of `/open` finds no layer.
    let open = Router::new().route("/open", get(profile));
    let app = open.merge(app(&auth)).layer(auth.headers());
    let from = |origin| Request::post("/auth/login").header("origin", origin);
    let forged =
        Request::get("/auth/sessions").header("cookie", "__Secure-refresh_token=v1.forged");
    for (request, told) in [
        (Request::get("/api/profile"), "missing_credentials"),
        (from("https://evil.example"), "foreign_origin"),
        (from("https://app.example"), "csrf_failed"),
        (Request::get("/open"), "internal"),
        (forged, "session_refused"),
    ] {
        let seen = ask(app.clone(), request);
        assert!(seen.status.as_u16() >= 400, "{seen:?}");
        assert_eq!(heard.take(), [told]);
    }
}
