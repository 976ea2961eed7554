//! The line of a refusal: what was expected, what was found, and what to do about it.

use std::{collections::BTreeMap, convert::Infallible};

use http::{Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use tower_bearer::{
    BearerAuthLayer, CsrfLayer, CsrfToken, KeyRing, NoClaims, OriginGuardLayer, RequireHttpsLayer,
    RequireRecentAuth, RequireScopeLayer, TokenCodec, csrf::CsrfSession,
};

use crate::{traces, world::World};

fn post(headers: &[(&str, &str)]) -> Request<()> {
    let request = Request::post("/transfer").header("host", "app.example");
    let add = |request: http::request::Builder, (name, value): &(&str, &str)| {
        request.header(*name, *value)
    };
    headers.iter().fold(request, add).body(()).unwrap()
}

/// The one line of a request that `layer` refuses, or would: the message, and `origin` if it is there.
fn line<L>(layer: &L, headers: &[(&str, &str)]) -> (String, Option<String>)
where
    L: Layer<Answer>,
    L::Service: tower::Service<Request<()>, Response = Response<String>, Error = Infallible>,
{
    let mut fields = fields(layer, headers);
    (fields.remove("message").unwrap(), fields.remove("origin"))
}

/// The fields of that line, which is at `INFO`.
fn fields<L>(layer: &L, headers: &[(&str, &str)]) -> BTreeMap<String, String>
where
    L: Layer<Answer>,
    L::Service: tower::Service<Request<()>, Response = Response<String>, Error = Infallible>,
{
    let lines = traces::lines(async {
        let service = layer.layer(service_fn(answer as fn(Request<()>) -> Ready));
        service.oneshot(post(headers)).await.unwrap();
    });
    let [line] = &lines[..] else {
        panic!("one line: {lines:#?}");
    };
    assert_eq!(line.level, tracing::Level::INFO, "{line:?}");
    line.fields.clone()
}

type Ready = std::future::Ready<Result<Response<String>, Infallible>>;
type Answer = tower::util::ServiceFn<fn(Request<()>) -> Ready>;

/// A page with a token in it.
fn answer(request: Request<()>) -> Ready {
    let token = CsrfToken::from_extensions(request.extensions());
    let token = token.map_or_else(|_| String::new(), |token| token.masked().unwrap());
    std::future::ready(Ok(Response::new(token)))
}

fn listed() -> OriginGuardLayer {
    OriginGuardLayer::new(["https://app.example".parse().unwrap()]).unwrap()
}

#[test]
fn the_line_of_a_refused_origin_names_the_cure() {
    const EVIL: (&str, &str) = ("origin", "https://evil.example\"");
    let own = OriginGuardLayer::same_origin;
    let foreign = Some(r#""https://evil.example\"""#);
    for (layer, headers, expected, found, origin) in [
        (
            listed(),
            &[EVIL][..],
            "listed origin",
            "Origin is none that is let in",
            foreign,
        ),
        (
            listed(),
            &[("origin", "null")],
            "listed origin",
            "in a sandbox",
            Some("\"null\""),
        ),
        (
            listed(),
            &[("cookie", "a=b")],
            "listed origin",
            "a program sends Origin, and",
            None,
        ),
        (
            listed(),
            &[("referer", "https://evil.example/secret")],
            "listed",
            "no Referer of",
            None,
        ),
        (
            listed(),
            &[("sec-fetch-site", "cross-site")],
            "listed",
            "Sec-Fetch-Site says",
            None,
        ),
        (
            listed(),
            &[EVIL, EVIL],
            "listed origin",
            "occurs more than once",
            foreign,
        ),
        (
            own(),
            &[EVIL],
            "neither Sec-Fetch-Site: same-origin nor",
            "Origin is none",
            foreign,
        ),
        (
            own(),
            &[("cookie", "a=b")],
            "nor the request's own Host",
            "proxies pass",
            None,
        ),
    ] {
        for (layer, begin) in [
            (layer.clone(), "a request was refused: "),
            (layer.report_only(), "a request would have been refused: "),
        ] {
            let (message, written) = line(&layer, headers);
            for part in [begin, expected, found] {
                assert!(message.contains(part), "{part}: {message}");
            }
            let is_own = expected.starts_with('n');
            assert_eq!(message.contains("listed"), !is_own, "{message}");
            assert!(!message.contains("secret"), "{message}");
            assert_eq!(written.as_deref(), origin, "{message}");
        }
    }
}

#[test]
fn the_line_of_a_refused_token_names_the_cure() {
    let keys = KeyRing::generate().unwrap();
    let csrf = CsrfLayer::builder(&keys).session(|_| CsrfSession::ANONYMOUS);
    let csrf = csrf.build().unwrap();
    let mut cookie = String::new();
    assert!(
        traces::lines(async {
            let service = csrf.layer(service_fn(answer as fn(Request<()>) -> Ready));
            let response = service.oneshot(Request::new(())).await.unwrap();
            let value = response.headers()["set-cookie"].to_str().unwrap();
            cookie.push_str(value.split(';').next().unwrap());
        })
        .is_empty()
    );
    let submitted = cookie.split_once('=').unwrap().1;
    let origin = ("origin", "https://app.example");
    for (headers, found) in [
        (
            &[origin][..],
            "there is no CSRF cookie: the page has to ask for a token first",
        ),
        (
            &[origin, ("cookie", &cookie)],
            "A script sends it in the header (x-csrf-token, unless",
        ),
        (
            &[
                origin,
                ("cookie", &cookie),
                ("content-type", "multipart/form-data"),
            ],
            "a multipart form is not read for its CSRF token",
        ),
        (
            &[("cookie", &cookie), ("x-csrf-token", "secret")],
            "the submitted CSRF token is malformed",
        ),
        (
            &[
                ("cookie", "__Host-csrf=secret"),
                ("x-csrf-token", submitted),
            ],
            "the CSRF cookie is malformed",
        ),
    ] {
        let (message, written) = line(&csrf, headers);
        assert!(message.contains(found), "{message}");
        assert!(
            !message.contains("secret") && !message.contains(submitted),
            "{message}"
        );
        // It is not about the origin, whatever that was.
        assert_eq!(written, None, "{message}");
    }
}

#[test]
fn the_line_of_a_refused_transport_names_the_header() {
    let layer = RequireHttpsLayer::behind_proxy("x-forwarded-proto").unwrap();
    for (headers, found) in [
        (
            &[][..],
            "x-forwarded-proto is missing: the proxy in front has to set it",
        ),
        (
            &[("x-forwarded-proto", "https,http")],
            "x-forwarded-proto is a list: .last() takes",
        ),
        (
            &[("x-forwarded-proto", "http")],
            "the request came over plain http",
        ),
    ] {
        let headers = [headers, &[("origin", "https://app.example")]].concat();
        let (message, written) = line(&layer, &headers);
        assert!(message.contains(found), "{message}");
        assert_eq!(written, None, "{message}");
    }
}

/// The sentence says what to do, and the fields are those that apply.
#[test]
fn the_line_of_a_refused_bearer_names_the_cure() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Scoped {
        scope: &'static str,
    }
    let keys = KeyRing::generate().unwrap();
    let codec = |issuer, audience| {
        let codec = TokenCodec::<NoClaims>::nested(&keys).issuer(issuer);
        codec.audience(audience).build().unwrap()
    };
    let bearer = BearerAuthLayer::new(codec("https://id.example", "api"));
    let scoped = TokenCodec::<Scoped>::nested(&keys).issuer("https://id.example");
    let scoped = scoped.audience("api").build().unwrap();
    let none = || codec("https://id.example", "api").mint("u", &NoClaims {});
    let few = || {
        scoped.mint(
            "u",
            &Scoped {
                scope: "orders:read",
            },
        )
    };
    let foreign = KeyRing::generate().unwrap();
    let foreign = TokenCodec::<NoClaims>::nested(&foreign)
        .issuer("i")
        .audience("a");
    let foreign = foreign.build().unwrap().mint("u", &NoClaims {});
    let line = |kind, reason: Option<&str>, wanted: Option<&str>, present: Option<&str>| {
        let fields = [
            ("event", Some("rejected")),
            ("kind", Some(kind)),
            ("reason", reason),
            ("wanted_scope", wanted),
            ("present_scope", present),
        ];
        let given = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        given
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect::<BTreeMap<_, _>>()
    };
    let orders = || RequireScopeLayer::new("orders:read orders:write".parse().unwrap());
    let both = tower::ServiceBuilder::new()
        .layer(bearer.clone())
        .layer(orders())
        .into_inner();
    let alone = tower::ServiceBuilder::new().layer(bearer).into_inner();
    let other_issuer = codec("https://id.example/", "api").mint("u", &NoClaims {});
    let other_audience = codec("https://id.example", "app").mint("u", &NoClaims {});
    for (token, cure, expected) in [
        (
            None,
            "A script sends the header Authorization: Bearer TOKEN. A sign-in route lies outside of",
            line("missing_credentials", None, None, None),
        ),
        (
            Some(other_issuer),
            "where iss has to be `https://id.example`: iss names another issuer",
            line("invalid_token", Some("issuer"), None, None),
        ),
        (
            Some(other_audience),
            "where aud has to be `api`: aud names other audiences",
            line("invalid_token", Some("audience"), None, None),
        ),
        (
            Some(foreign),
            "no key has this kid: ACCESS_SECRET has changed or differs",
            line("invalid_token", Some("key"), None, None),
        ),
    ] {
        let token = token.map(|token| format!("Bearer {}", token.unwrap().as_str()));
        let headers = token.iter().map(|token| ("authorization", token.as_str()));
        let mut fields = fields(&alone, &headers.collect::<Vec<_>>());
        let message = fields.remove("message").unwrap();
        assert!(message.contains(cure), "{message}");
        assert_eq!(fields, expected, "{message}");
    }
    for (token, present) in [(none(), None), (few(), Some("orders:read"))] {
        let token = format!("Bearer {}", token.unwrap().as_str());
        let mut fields = fields(&both, &[("authorization", &token)]);
        let message = fields.remove("message").unwrap();
        assert!(message.contains("have to grant it"), "{message}");
        let wanted = Some("orders:read orders:write");
        assert_eq!(fields, line("insufficient_scope", None, wanted, present));
    }
}

#[test]
fn the_line_of_a_token_that_is_not_recent_names_the_setting() {
    let codec = TokenCodec::<NoClaims>::nested(&KeyRing::generate().unwrap());
    let codec = codec.issuer("https://id.example").audience("api");
    let codec = codec.build().unwrap();
    let layer = tower::ServiceBuilder::new()
        .layer(BearerAuthLayer::new(codec.clone()))
        .layer(RequireRecentAuth::max_age(std::time::Duration::from_secs(
            300,
        )))
        .into_inner();
    let token = codec.mint("u", &NoClaims {}).unwrap();
    let token = format!("Bearer {}", token.as_str());
    let fields = fields(&layer, &[("authorization", &token)]);
    let message = &fields["message"];
    assert!(
        message.contains(".authentication_in_tokens(true)"),
        "{message}"
    );
    assert_eq!(fields["kind"], "insufficient_user_authentication");
    assert!(!fields.contains_key("reason"), "{fields:?}");
}

/// The application's own error may have any text, one that a client wrote too.
#[test]
fn no_error_forges_a_line() {
    use tower_bearer::{ClaimsError, ClaimsRequest, MemoryStore, RefreshCookieLayer, Session};

    let codec = TokenCodec::nested(&KeyRing::generate().unwrap()).issuer("https://id.example");
    let claims = |_: ClaimsRequest| async {
        let text = "no \"user\" à\nERROR tower_bearer: forged\r\u{1b}[2K\u{202e}\u{2028}";
        let inner = std::io::Error::other(text);
        Err::<NoClaims, _>(ClaimsError::unavailable(std::io::Error::other(inner)))
    };
    let codec = codec.audience("api").build().unwrap();
    let layer = RefreshCookieLayer::builder(codec, MemoryStore::new(), claims);
    let layer = layer.build().unwrap();
    let lines = traces::lines(async {
        let sign_in = service_fn(async |request: Request<()>| {
            let session = Session::from_extensions(request.extensions()).unwrap();
            let _ = session.start("user-1").await;
            Ok::<_, Infallible>(Response::new(String::new()))
        });
        let request = Request::post("/auth/login").body(()).unwrap();
        layer.layer(sign_in).oneshot(request).await.unwrap();
    });
    let [line] = &lines[..] else {
        panic!("one line: {lines:#?}");
    };
    let written = r#"no "user" à\nERROR tower_bearer: forged\r\u{1b}[2K\u{202e}\u{2028}"#;
    assert!(line.fields["message"].ends_with(written), "{line:?}");
}

/// The level says whose fault it is, and `session` is there where the cookie was genuine.
#[test]
fn the_line_of_a_failed_session_call_names_the_cure() {
    use std::sync::{Arc, Mutex, atomic::Ordering};
    use tracing::Level;

    let member = Arc::<Mutex<Option<&'static str>>>::default();
    let world = World::new();
    let unfit = World::new().claiming(&member);
    let mut browsers = Vec::new();
    traces::lines(async {
        browsers.push(world.signed_in("ada").await);
        browsers.push(unfit.signed_in("ada").await);
    });
    let [mut genuine, mut minted] = <[_; 2]>::try_from(browsers).unwrap();
    let mut forged = world.browser();
    forged.cookie = Some("v1.forged".to_owned());
    world.claims_down.store(true, Ordering::SeqCst);
    *member.lock().unwrap() = Some("exp");
    for (world, browser, level, kind, session, cure) in [
        (
            &world,
            &mut forged,
            Level::INFO,
            "invalid",
            false,
            "the refresh token is not valid: it is not written as this crate writes it",
        ),
        (
            &world,
            &mut genuine,
            Level::WARN,
            "unavailable",
            true,
            "the claims are unavailable: no claims for the test",
        ),
        (
            &unfit,
            &mut minted,
            Level::ERROR,
            "internal",
            true,
            "the application's claims have the member `exp`, which only the codec writes: rename it",
        ),
    ] {
        let lines = traces::lines(async { drop(browser.refresh(world).await) });
        let [line] = &lines[..] else {
            panic!("one line: {lines:#?}");
        };
        let names: Vec<_> = line.fields.keys().map(String::as_str).collect();
        let fields = ["call", "event", "kind", "message", "session"];
        assert_eq!(names, fields[..4 + usize::from(session)], "{line:?}");
        assert_eq!((line.level, &*line.fields["kind"]), (level, kind));
        assert_eq!(line.fields["call"], "refresh");
        assert!(line.fields["message"].contains(cure), "{line:?}");
        if session {
            assert_eq!(line.fields["session"].len(), 22, "{line:?}");
        }
    }
}
