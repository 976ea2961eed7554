//! The layer itself: what it gives out, whom it lets through, how it is set up.

use std::sync::{Arc, Mutex};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_bearer::{
    BearerAuthLayer, ConfigError, CsrfLayer, CsrfToken, Event, EventSink, KeyRing, NoClaims,
    csrf::{CsrfKeys, CsrfSession},
    rejection::{CsrfReason, RejectionKind},
    token::Grant,
};

use crate::support::{
    csrf::{self, App, Fixtures, reason},
    tokens,
};

fn s1() -> CsrfLayer {
    let fixtures = Fixtures::load();
    csrf::layer(fixtures.keys(&["K1"]), fixtures.binding_of("S1"))
}

fn get() -> Request<String> {
    csrf::request(Method::GET, HeaderMap::new())
}

fn with_cookie(method: Method, cookie: &str) -> Request<String> {
    let mut headers = HeaderMap::new();
    let cookie = format!("{}={cookie}", csrf::COOKIE);
    headers.insert(header::COOKIE, cookie.parse().unwrap());
    csrf::request(method, headers)
}

/// Runs one request and gives what the handler read as the masked token.
async fn masked_by(layer: &CsrfLayer, request: Request<String>) -> (String, Response<String>) {
    let seen = Arc::new(Mutex::new(String::new()));
    let sink = seen.clone();
    let app = App::with(move |token| *sink.lock().unwrap() = token.masked().unwrap());
    let (response, ran) = csrf::send(layer, &app, request).await;
    assert!(ran, "{:?}", reason(&response));
    let seen = seen.lock().unwrap().clone();
    (seen, response)
}

#[tokio::test]
async fn a_page_gets_the_token_in_another_dress_each_time() {
    let layer = s1();
    let (first, response) = masked_by(&layer, get()).await;
    let cookie = csrf::issued(&response).unwrap();
    let (second, response) = masked_by(&layer, with_cookie(Method::GET, &cookie)).await;
    assert_eq!(csrf::issued(&response), None, "the browser has it already");
    assert_ne!(first, second);
    for submitted in [&first, &second, &cookie] {
        let (response, ran) = csrf::send(&layer, &App::new(), csrf::post(&cookie, submitted)).await;
        assert!(ran, "{:?}", reason(&response));
    }
    // A page with the token in it is one browser's, whether or not the cookie was new.
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(response.headers()[header::VARY], "Cookie");
}

#[tokio::test]
async fn a_response_without_the_token_is_left_alone() {
    let cookie = csrf::issue(&s1()).await;
    let request = with_cookie(Method::GET, &cookie);
    let (response, _) = csrf::send(&s1(), &App::new(), request).await;
    assert!(response.headers().is_empty());
}

#[tokio::test]
async fn caching_that_the_handler_decided_stays() {
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, max-age=5"),
    );
    let (response, _) = csrf::send(&s1(), &App::answering(headers), get()).await;
    assert_eq!(
        response.headers()[header::CACHE_CONTROL],
        "private, max-age=5"
    );
}

#[tokio::test]
async fn safe_requests_replace_what_is_worth_nothing_here() {
    let fixtures = Fixtures::load();
    let anonymous = csrf::layer(fixtures.keys(&["K1"]), CsrfSession::ANONYMOUS);
    let other_key = csrf::layer(fixtures.keys(&["K2"]), fixtures.binding_of("S1"));
    for cookie in [
        csrf::issue(&anonymous).await,
        csrf::issue(&other_key).await,
        "junk".to_owned(),
        String::new(),
    ] {
        for method in &[Method::GET, Method::HEAD, Method::OPTIONS] {
            let request = with_cookie(method.clone(), &cookie);
            let (response, ran) = csrf::send(&s1(), &App::new(), request).await;
            assert!(ran);
            let fresh = csrf::issued(&response);
            if *method == Method::OPTIONS {
                assert_eq!(fresh, None, "browsers ask without cookies");
                continue;
            }
            let fresh = fresh.expect("a new token");
            assert!(
                csrf::send(&s1(), &App::new(), csrf::post(&fresh, &fresh))
                    .await
                    .1
            );
        }
    }
}

#[tokio::test]
async fn rotating_replaces_the_cookie_and_pages_follow() {
    let layer = s1();
    let cookie = csrf::issue(&layer).await;
    let seen = Arc::new(Mutex::new(String::new()));
    let sink = seen.clone();
    let app = App::with(move |token| {
        token.rotate().unwrap();
        *sink.lock().unwrap() = token.masked().unwrap();
    });
    let (response, ran) = csrf::send(&layer, &app, csrf::post(&cookie, &cookie)).await;
    assert!(ran);
    let fresh = csrf::issued(&response).unwrap();
    assert_ne!(fresh, cookie);
    let masked = seen.lock().unwrap().clone();
    assert!(
        csrf::send(&layer, &App::new(), csrf::post(&fresh, &masked))
            .await
            .1
    );
    // No list of tokens is kept: the pair from before is authentic while its session lasts.
    assert!(
        csrf::send(&layer, &App::new(), csrf::post(&cookie, &cookie))
            .await
            .1
    );
}

#[tokio::test]
async fn a_bearer_request_without_cookies_needs_no_token_and_can_have_one() {
    let layer = s1();
    let request = Request::post("/")
        .header(header::AUTHORIZATION, "Bearer abc")
        .body(String::new())
        .unwrap();
    let (response, ran) = csrf::send(&layer, &App::new(), request).await;
    assert!(ran);
    assert_eq!(csrf::issued(&response), None);

    let request = Request::post("/")
        .header(header::AUTHORIZATION, "Bearer abc")
        .body(String::new())
        .unwrap();
    let (masked, response) = masked_by(&layer, request).await;
    let cookie = csrf::issued(&response).expect("it was asked for");
    assert!(
        csrf::send(&layer, &App::new(), csrf::post(&cookie, &masked))
            .await
            .1
    );
}

#[tokio::test]
async fn only_the_named_cookies_end_the_exemption_where_they_are_named() {
    let fixtures = Fixtures::load();
    let layer = csrf::builder(fixtures.keys(&["K1"]), fixtures.binding_of("S1"))
        .session_cookies(["sid", "__Host-sid"])
        .build()
        .unwrap();
    for (cookie, bearer, passes) in [
        ("theme=dark", "Bearer abc", true),
        ("theme=dark; sid=1", "Bearer abc", false),
        ("theme=dark; __Host-sid=1", "Bearer abc", false),
        ("theme=dark", "Basic abc", false),
        ("sid2=1; xsid=2; SID=3", "Bearer abc", true),
    ] {
        let request = Request::post("/")
            .header(header::COOKIE, cookie)
            .header(header::AUTHORIZATION, bearer)
            .body(String::new())
            .unwrap();
        assert_eq!(
            csrf::send(&layer, &App::new(), request).await.1,
            passes,
            "{cookie} {bearer}"
        );
    }
}

#[tokio::test]
async fn names_can_be_chosen_and_the_cookie_hidden() {
    let fixtures = Fixtures::load();
    let layer = csrf::builder(fixtures.keys(&["K1"]), fixtures.binding_of("S1"))
        .cookie_name("xsrf")
        .header_name(HeaderName::from_static("x-xsrf-token"))
        .http_only()
        .build()
        .unwrap();
    let app = App::with(|token| assert_eq!(token.header_name(), "x-xsrf-token"));
    let (response, _) = csrf::send(&layer, &app, get()).await;
    let line = response.headers()[header::SET_COOKIE].to_str().unwrap();
    let (pair, attributes) = line.split_once("; ").unwrap();
    assert_eq!(attributes, "HttpOnly; SameSite=Lax; Secure; Path=/");
    let token = pair.strip_prefix("__Host-xsrf=").unwrap();
    let request = Request::post("/")
        .header(header::COOKIE, pair)
        .header("x-xsrf-token", token)
        .body(String::new())
        .unwrap();
    assert!(csrf::send(&layer, &App::new(), request).await.1);
    // The default names mean nothing here.
    assert!(
        !csrf::send(&layer, &App::new(), csrf::post(token, token))
            .await
            .1
    );
}

#[tokio::test]
async fn plain_http_drops_secure_and_the_prefix() {
    let fixtures = Fixtures::load();
    let layer = csrf::builder(fixtures.keys(&["K1"]), fixtures.binding_of("S1"))
        .dangerous_insecure_cookie()
        .build()
        .unwrap();
    let (response, _) = csrf::send(&layer, &App::new(), get()).await;
    let line = response.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(line.starts_with("csrf=v1s."), "{line}");
    assert!(line.ends_with("; SameSite=Lax; Path=/"), "{line}");
}

#[tokio::test]
async fn http_prefix_names_the_cookie_and_hides_it_from_scripts() {
    let fixtures = Fixtures::load();
    let builder = || csrf::builder(fixtures.keys(&["K1"]), fixtures.binding_of("S1")).http_prefix();
    let layer = builder().build().unwrap();
    let (response, _) = csrf::send(&layer, &App::new(), get()).await;
    let line = response.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(line.starts_with("__Host-Http-csrf=v1s."), "{line}");
    let attributes = "; HttpOnly; SameSite=Lax; Secure; Path=/";
    assert!(line.ends_with(attributes), "{line}");

    let error = builder().dangerous_insecure_cookie().build().unwrap_err();
    assert_eq!(error.setting(), "http_prefix");
    assert!(error.problem().contains("dangerous_insecure_cookie"));
}

#[tokio::test]
async fn tokens_follow_the_rotation_of_the_ring() {
    let secret = |name: u8| std::array::from_fn::<u8, 40, _>(|i| (i as u8 + 3).wrapping_mul(name));
    let ring = |secrets: &[u8]| {
        let mut builder = KeyRing::builder();
        for name in secrets {
            builder = builder.refresh_secret(&secret(*name));
        }
        builder.build().unwrap()
    };
    let keys = ring(&[7]);
    let layer = csrf::layer((&keys).into(), CsrfSession::ANONYMOUS);
    let before = csrf::issue(&layer).await;
    keys.rotate(ring(&[11, 7])).unwrap();
    let after = csrf::issue(&layer).await;
    for token in [&before, &after] {
        assert!(
            csrf::send(&layer, &App::new(), csrf::post(token, token))
                .await
                .1
        );
    }
    keys.rotate(ring(&[11])).unwrap();
    let (response, _) = csrf::send(&layer, &App::new(), csrf::post(&before, &before)).await;
    assert_eq!(reason(&response), Some(CsrfReason::SignatureInvalid));
    assert!(
        csrf::send(&layer, &App::new(), csrf::post(&after, &after))
            .await
            .1
    );
    // The newest signs: a server that has only that one takes what was made after the change.
    let newest = csrf::layer((&ring(&[11])).into(), CsrfSession::ANONYMOUS);
    assert!(
        csrf::send(&newest, &App::new(), csrf::post(&after, &after))
            .await
            .1
    );
}

#[tokio::test]
async fn the_first_key_makes_and_every_key_checks() {
    let fixtures = Fixtures::load();
    let layer = |names: &[&str]| csrf::layer(fixtures.keys(names), CsrfSession::ANONYMOUS);
    let token = csrf::issue(&layer(&["K2", "K1"])).await;
    for (names, passes) in [
        (&["K2"][..], true),
        (&["K1"], false),
        (&["K1", "K2", "K_REMOVED"], true),
        (&["K1", "K_REMOVED"], false),
    ] {
        let (_, ran) = csrf::send(&layer(names), &App::new(), csrf::post(&token, &token)).await;
        assert_eq!(ran, passes, "{names:?}");
    }
}

#[tokio::test]
async fn a_header_that_comes_twice_is_refused_though_both_are_good() {
    let token = csrf::issue(&s1()).await;
    let mut request = csrf::post(&token, &token);
    let copy = request.headers()[csrf::HEADER].clone();
    request.headers_mut().append(csrf::HEADER, copy);
    let (response, ran) = csrf::send(&s1(), &App::new(), request).await;
    assert!(!ran);
    assert_eq!(reason(&response), Some(CsrfReason::TokenDuplicate));
}

#[test]
fn settings_that_cannot_work_do_not_build() {
    let fixtures = Fixtures::load();
    let builder = || csrf::builder(fixtures.keys(&["K1"]), CsrfSession::ANONYMOUS);
    let setting = |result: Result<CsrfLayer, ConfigError>| result.unwrap_err().setting().to_owned();
    for name in ["", "a b", "a;b", "__Host-csrf", "__secure-x"] {
        assert_eq!(
            setting(builder().cookie_name(name).build()),
            "cookie_name",
            "{name}"
        );
    }
    let own = &["sid", csrf::COOKIE][..];
    for names in [&[][..], &[""], &["sid", "a b"], &["sid=1"], &["a;b"], own] {
        let layer = builder().session_cookies(names.iter().copied()).build();
        assert_eq!(setting(layer), "session_cookies", "{names:?}");
    }
    let verifier = KeyRing::builder()
        .access_secret(&fixtures.key("K1"))
        .build()
        .unwrap();
    let layer = CsrfLayer::new(&verifier);
    assert_eq!(setting(layer), "CSRF keys");
    assert!(CsrfKeys::new([[7; 31]]).is_err());
    assert!(CsrfKeys::new(Vec::<Vec<u8>>::new()).is_err());
}

/// Names that a token would be lost in, or that any page may send. Of each group these come first to a developer's
/// mind.
#[test]
fn a_header_that_others_write_carries_no_token() {
    let fixtures = Fixtures::load();
    let build = |name: &str| {
        let builder = csrf::builder(fixtures.keys(&["K1"]), CsrfSession::ANONYMOUS);
        builder.header_name(name.parse().unwrap()).build()
    };
    for (reason, names) in [
        (
            "without a preflight",
            &[
                "accept",
                "Accept-Language",
                "content-language",
                "content-type",
                "range",
                "save-data",
                "downlink",
                "dpr",
                "ect",
                "rtt",
                "viewport-width",
                "width",
                "device-memory",
                "sec-ch-ua",
                "sec-ch-viewport-width",
            ][..],
        ),
        (
            "no script",
            &[
                "accept-charset",
                "accept-encoding",
                "access-control-request-headers",
                "access-control-request-method",
                "connection",
                "content-length",
                "cookie",
                "cookie2",
                "date",
                "dnt",
                "expect",
                "host",
                "keep-alive",
                "origin",
                "permissions-policy",
                "proxy-authorization",
                "referer",
                "sec-csrf-token",
                "sec-fetch-site",
                "set-cookie",
                "te",
                "trailer",
                "transfer-encoding",
                "upgrade",
                "via",
            ],
        ),
        (
            "meaning of its own",
            &[
                "authorization",
                "cache-control",
                "content-encoding",
                "if-match",
                "if-none-match",
                "last-event-id",
                "pragma",
                "priority",
                "upgrade-insecure-requests",
                "user-agent",
                "x-http-method",
                "x-http-method-override",
                "x-method-override",
                "x-requested-with",
            ],
        ),
        (
            "proxies write it",
            &[
                "cf-connecting-ip",
                "forwarded",
                "traceparent",
                "x-amzn-trace-id",
                "x-forwarded-for",
                "x-forwarded-proto",
                "x-real-ip",
                "x-request-id",
            ],
        ),
    ] {
        for name in names {
            let error = build(name).unwrap_err();
            assert_eq!(error.setting(), "header_name", "{name}");
            let problem = error.problem();
            assert!(problem.contains(&name.to_ascii_lowercase()), "{error}");
            assert!(problem.contains(reason), "{name}: {error}");
            assert!(problem.contains("x-csrf-token"), "{error}");
        }
    }
    for name in ["x-csrf-token", "X-XSRF-Token", "csrf-token", "x-my-header"] {
        assert!(build(name).is_ok(), "{name}");
    }
}

#[tokio::test]
async fn the_sink_is_told_of_refusals_alone() {
    let fixtures = Fixtures::load();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let events = EventSink::new(move |event| {
        if let Event::Rejected(rejection) = event {
            sink.lock().unwrap().push(rejection.csrf_reason().unwrap());
        }
    });
    let layer = csrf::builder(fixtures.keys(&["K1"]), CsrfSession::ANONYMOUS)
        .events(events)
        .build()
        .unwrap();
    let token = csrf::issue(&layer).await;
    assert!(
        csrf::send(&layer, &App::new(), csrf::post(&token, &token))
            .await
            .1
    );
    assert!(seen.lock().unwrap().is_empty(), "nothing was refused");
    csrf::send(&layer, &App::new(), csrf::post(&token, "junk")).await;
    assert_eq!(*seen.lock().unwrap(), [CsrfReason::TokenMalformed]);
}

/// The error names the layer that the developer forgot.
#[test]
fn a_missing_layer_is_named() {
    let rejection = CsrfToken::from_extensions(&http::Extensions::new()).unwrap_err();
    assert_eq!(rejection.kind(), RejectionKind::Internal);
    assert!(rejection.to_string().contains("CsrfLayer"), "{rejection}");
}

#[tokio::test]
async fn an_overridden_method_is_guarded_where_it_is_declared() {
    let fixtures = Fixtures::load();
    for declared in [false, true] {
        let mut builder = csrf::builder(fixtures.keys(&["K1"]), CsrfSession::ANONYMOUS);
        if declared {
            builder = builder.method_override();
        }
        let layer = builder.build().unwrap();
        for name in [
            "x-http-method",
            "x-http-method-override",
            "x-method-override",
        ] {
            let request = Request::get("/")
                .header(name, "DELETE")
                .body(String::new())
                .unwrap();
            assert_eq!(
                csrf::send(&layer, &App::new(), request).await.1,
                !declared,
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn refusals_are_reported_once_and_can_be_answered_otherwise() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let events = EventSink::new(move |event| {
        if let Event::Rejected(rejection) = event {
            sink.lock().unwrap().push(rejection.csrf_reason());
        }
    });
    let fixtures = Fixtures::load();
    let layer = csrf::builder(fixtures.keys(&["K1"]), fixtures.binding_of("S1"))
        .events(events)
        .build()
        .unwrap();
    let layer = layer.rejection_response(|rejection| {
        assert_eq!(rejection.kind(), RejectionKind::CsrfFailed);
        Response::new("reload the page".to_owned())
    });
    let post = csrf::request(Method::POST, HeaderMap::new());
    let response = layer.layer(App::new()).oneshot(post).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(response.body(), "reload the page");
    assert_eq!(reason(&response), Some(CsrfReason::CookieMissing));
    assert_eq!(*seen.lock().unwrap(), [Some(CsrfReason::CookieMissing)]);
}

/// Behind a bearer layer the token is bound to the session of the access token.
#[tokio::test]
async fn a_session_can_be_that_of_the_access_token() {
    let inner = service_fn(|request: Request<String>| async move {
        let token = CsrfToken::from_extensions(request.extensions()).unwrap();
        Ok::<_, std::convert::Infallible>(Response::new(token.masked().unwrap()))
    });
    let codec = tokens::codec();
    let keys = CsrfKeys::new([Fixtures::load().key("K1")]).unwrap();
    let service = ServiceBuilder::new()
        .layer(BearerAuthLayer::<NoClaims>::new(codec.clone()).optional())
        .layer(
            CsrfLayer::builder(keys)
                .session(CsrfSession::bearer)
                .build()
                .unwrap(),
        )
        .service(inner);
    let grant = |session: &str| {
        let grant = Grant::new("alice", &NoClaims {}).session(session);
        let token = codec.mint_at(&grant, tokens::NOW).unwrap();
        token.as_str().to_owned()
    };
    let send = |bearer: Option<&str>, csrf: Option<(&str, &str)>| {
        let mut request = Request::builder().method(match csrf {
            Some(_) => Method::POST,
            None => Method::GET,
        });
        if let Some(bearer) = bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        }
        if let Some((cookie, submitted)) = csrf {
            request = request
                // Without a cookie that counts it would need no token.
                .header(header::COOKIE, format!("a=b; {}={cookie}", csrf::COOKIE))
                .header(csrf::HEADER, submitted);
        }
        service
            .clone()
            .oneshot(request.body(String::new()).unwrap())
    };
    let (first, second) = (grant("s-1"), grant("s-2"));
    let response = send(Some(&first), None).await.unwrap();
    let cookie = csrf::issued(&response).unwrap();
    let masked = response.into_body();
    let own = send(Some(&first), Some((&cookie, &masked))).await.unwrap();
    assert_eq!(own.status(), StatusCode::OK);
    for other in [Some(second.as_str()), None] {
        let response = send(other, Some((&cookie, &masked))).await.unwrap();
        assert_eq!(reason(&response), Some(CsrfReason::SignatureInvalid));
    }
}

#[test]
fn an_empty_session_id_is_no_session_and_ids_stay_apart() {
    assert_eq!(CsrfSession::session(""), CsrfSession::ANONYMOUS);
    assert_ne!(CsrfSession::session("a"), CsrfSession::session("b"));
    assert_ne!(CsrfSession::session("a"), CsrfSession::ANONYMOUS);
    assert_eq!(
        format!("{:?}", CsrfSession::session("secret")),
        "CsrfSession(session)"
    );
}
