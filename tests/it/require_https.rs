//! The refusal of plain http through its public layer, and over a socket.

use std::sync::{Arc, Mutex};

use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header};
use proptest::prelude::*;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_bearer::{
    ClaimsError, ClaimsRequest, CsrfLayer, CsrfToken, Event, EventSink, KeyRing, MemoryStore,
    NoClaims, RefreshCookieLayer, RequireHttpsLayer, Session,
    csrf::CsrfSession,
    headers::{ConnectionScheme, HttpsHost},
    rejection::{Rejection, RejectionKind},
};

use crate::support::{echo::Echo, tokens};

const PROTO: &str = "x-forwarded-proto";

fn proxied() -> RequireHttpsLayer {
    RequireHttpsLayer::behind_proxy(PROTO).unwrap()
}

fn host() -> HttpsHost {
    "app.example".parse().unwrap()
}

fn request(method: &str, uri: &str, headers: &[(&str, &str)]) -> Request<String> {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(String::new()).unwrap()
}

fn on(scheme: ConnectionScheme, mut request: Request<String>) -> Request<String> {
    request.extensions_mut().insert(scheme);
    request
}

fn kind(response: &Response<String>) -> Option<RejectionKind> {
    let rejection = response.extensions().get::<Rejection>();
    rejection.map(Rejection::kind)
}

/// Sends `request`; the inner service ran exactly if nothing was refused.
async fn send(layer: RequireHttpsLayer, request: Request<String>) -> Response<String> {
    let echo = Echo::default();
    let response = layer.layer(echo.clone()).oneshot(request).await.unwrap();
    assert_eq!(echo.calls(), usize::from(kind(&response).is_none()));
    assert_eq!(response.body() == "inner", kind(&response).is_none());
    response
}

/// Refused as every refusal is, and nowhere to go.
fn assert_refused(response: &Response<String>, what: &str) {
    assert_eq!(response.status(), StatusCode::FORBIDDEN, "{what}");
    assert_eq!(
        kind(response),
        Some(RejectionKind::InsecureTransport),
        "{what}"
    );
    assert_eq!(response.headers()["cache-control"], "no-store", "{what}");
    assert!(!response.headers().contains_key("location"), "{what}");
    assert!(
        !response.headers().contains_key("www-authenticate"),
        "{what}"
    );
}

#[tokio::test]
async fn the_connection_decides_and_nothing_a_client_says() {
    let layer = RequireHttpsLayer::connection;
    let claims = [("x-forwarded-proto", "https"), ("forwarded", "proto=https")];
    for method in ["GET", "POST", "OPTIONS", "BREW"] {
        let plain = request(method, "/", &[]);
        let response = send(layer(), on(ConnectionScheme::Https, plain.clone())).await;
        assert_eq!(response.status(), StatusCode::OK);
        let response = send(layer(), on(ConnectionScheme::Http, plain)).await;
        assert_refused(&response, method);

        let lying = request(method, "https://app.example/", &claims);
        let response = send(layer(), on(ConnectionScheme::Http, lying)).await;
        assert_refused(&response, method);
        // A proxy that speaks TLS to this server may well pass on `:scheme: http`.
        let other = request(method, "http://app.example/", &[(PROTO, "http")]);
        let response = send(layer(), on(ConnectionScheme::Https, other)).await;
        assert_eq!(response.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn a_missing_marker_is_a_loud_error_and_never_a_pass() {
    for uri in ["/", "https://app.example/", "http://app.example/"] {
        for layer in [
            RequireHttpsLayer::connection(),
            RequireHttpsLayer::connection().redirect_to(host()),
        ] {
            let response = send(layer, request("GET", uri, &[(PROTO, "https")])).await;
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(kind(&response), Some(RejectionKind::Internal));
            assert!(!response.headers().contains_key("location"));
            let rejection = response.extensions().get::<Rejection>().unwrap();
            assert!(rejection.to_string().contains("ConnectionScheme"));
        }
    }
}

#[tokio::test]
async fn behind_a_proxy_one_line_with_one_value_passes() {
    for value in [
        "https",
        "HTTPS",
        "Https",
        " https",
        "https ",
        "\thttps \t",
        "wss",
        "WSS ",
    ] {
        let response = send(proxied(), request("POST", "/", &[(PROTO, value)])).await;
        assert_eq!(response.status(), StatusCode::OK, "{value:?}");
    }
    for lines in [
        &[][..],
        &[(PROTO, "http")],
        &[(PROTO, "")],
        &[(PROTO, "https,https")],
        &[(PROTO, "https, http")],
        &[(PROTO, "http, https")],
        &[(PROTO, "https;q=1")],
        &[(PROTO, "\"https\"")],
        &[(PROTO, "https:")],
        &[(PROTO, "httpss")],
        &[(PROTO, "xhttps")],
        &[(PROTO, "ws")],
        &[(PROTO, "wsss")],
        &[(PROTO, "wss,wss")],
        &[(PROTO, "on")],
        &[(PROTO, "off")],
        &[(PROTO, "https"), (PROTO, "https")],
        &[(PROTO, "https"), (PROTO, "wss")],
        &[(PROTO, "https"), (PROTO, "http")],
        &[(PROTO, "http"), (PROTO, "https")],
        // Not the header that was configured.
        &[("x-forwarded-protocol", "https"), ("x-scheme", "https")],
        &[("forwarded", "proto=https")],
    ] {
        for method in ["GET", "POST"] {
            let response = send(proxied(), request(method, "https://a.example/", lines)).await;
            assert_refused(&response, &format!("{lines:?}"));
        }
    }
    // Here the connection is the proxy's, and says nothing about the client's.
    let unproven = on(ConnectionScheme::Https, request("POST", "/", &[]));
    assert_refused(&send(proxied(), unproven).await, "marker");
}

#[tokio::test]
async fn a_typed_address_with_cookies_of_others_is_redirected() {
    for cookie in ["_ga=GA1.1.1700000000.1", "_ga=1; theme=dark", "", "a", "="] {
        for method in ["GET", "HEAD"] {
            let headers = [(PROTO, "http"), ("cookie", cookie)];
            let layer = proxied().redirect_to(host());
            let response = send(layer, request(method, "/start", &headers)).await;
            assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
            assert_eq!(response.headers()["location"], "https://app.example/start");
        }
    }
}

/// The cookies that the layers set without `Secure` are known by the names that they give it.
#[tokio::test]
async fn cookies_of_the_insecure_form_are_credentials() {
    let keys = KeyRing::generate().unwrap();
    let csrf = CsrfLayer::builder(&keys).session(|_| CsrfSession::ANONYMOUS);
    let csrf = csrf.dangerous_insecure_cookie().build().unwrap();
    let reads = service_fn(|request: Request<String>| async move {
        let token = CsrfToken::from_extensions(request.extensions()).unwrap();
        Ok::<_, std::convert::Infallible>(Response::new(token.masked().unwrap()))
    });
    let claims = |_: ClaimsRequest| async { Ok::<_, ClaimsError>(NoClaims {}) };
    let sessions = RefreshCookieLayer::builder(tokens::codec(), MemoryStore::new(), claims);
    let sessions = sessions.dangerous_insecure_cookie().build().unwrap();
    let signs_in = service_fn(|request: Request<String>| async move {
        let session = Session::from_extensions(request.extensions()).unwrap();
        session.start("alice").await.unwrap();
        Ok::<_, std::convert::Infallible>(Response::new(String::new()))
    });
    for response in [
        csrf.layer(reads).oneshot(request("GET", "/", &[])).await,
        sessions
            .layer(signs_in)
            .oneshot(request("POST", "/auth/login", &[]))
            .await,
    ] {
        let response = response.unwrap();
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        let pair = cookie.split(';').next().unwrap();
        let headers = [(PROTO, "http"), ("cookie", pair)];
        let layer = proxied().redirect_to(host());
        assert_refused(&send(layer, request("GET", "/", &headers)).await, pair);
    }
}

/// Sends these lines to `layer`, with a redirect set: passed, redirected or refused.
async fn verdict(layer: &RequireHttpsLayer, lines: &[&str]) -> u16 {
    let lines: Vec<_> = lines.iter().map(|line| (PROTO, *line)).collect();
    let layer = layer.clone().redirect_to(host());
    let response = send(layer, request("GET", "/", &lines)).await;
    response.status().as_u16()
}

#[tokio::test]
async fn a_word_of_the_proxys_own_proves_https() {
    let layer = proxied().value("on").unwrap();
    for (lines, status) in [
        (&["on"][..], 200),
        (&["ON"], 200),
        (&[" on\t"], 200),
        (&["off"], 308),
        (&["Off"], 308),
        (&["http"], 308),
        (&["ws"], 308),
        (&["https"], 403),
        (&["wss"], 403),
        (&[""], 403),
        (&["1"], 403),
        (&["onn"], 403),
        (&["on, on"], 403),
        (&["off, on"], 403),
        (&["on", "on"], 403),
        (&[], 403),
    ] {
        assert_eq!(verdict(&layer, lines).await, status, "{lines:?}");
    }
}

#[tokio::test]
async fn of_a_list_the_last_or_the_first_member_counts_where_it_is_said() {
    let (first, last) = (proxied().first().unwrap(), proxied().last().unwrap());
    for (lines, by_first, by_last) in [
        (&["https"][..], 200, 200),
        (&["wss"], 200, 200),
        (&["http"], 308, 308),
        (&["ws"], 308, 308),
        (&["https, https"], 200, 200),
        (&["https", "https"], 200, 200),
        (&["http,https"], 308, 200),
        (&["http", "https"], 308, 200),
        (&["http, wss", "ws,\tHTTPS "], 308, 200),
        // By the last it came over plain http from a proxy. The proxy may speak https to the browser. A redirect would
        // go round for ever.
        (&["https,http"], 200, 403),
        (&["https", "http"], 200, 403),
        (&["http, https", "http"], 308, 403),
        (&["http,http"], 308, 308),
        (&["http", "ws"], 308, 308),
        // A client in front of a proxy that appends: its own word is never the last one.
        (&["https, https, http"], 200, 403),
        (&["junk, https"], 403, 200),
        (&["https, junk"], 200, 403),
        // Members without a value are members, so that neither end of a list is guessed.
        (&["https,"], 200, 403),
        (&[",https"], 403, 200),
        (&["", "https"], 403, 200),
        (&["https", ""], 200, 403),
        (&[""], 403, 403),
        (&[","], 403, 403),
        (&["\"https,http\""], 403, 403),
        (&[], 403, 403),
    ] {
        assert_eq!(verdict(&first, lines).await, by_first, "first of {lines:?}");
        assert_eq!(verdict(&last, lines).await, by_last, "last of {lines:?}");
    }
    // The later call counts, and words of the proxy's own are looked for in the same place.
    let layer = proxied().first().unwrap().last().unwrap();
    let layer = layer.value("on").unwrap();
    assert_eq!(verdict(&layer, &["off, on"]).await, 200);
    assert_eq!(verdict(&layer, &["on, off"]).await, 403);
    // A redirect of what came over https further out would come back for ever, in whatever word it is said.
    assert_eq!(verdict(&layer, &["https, off"]).await, 403);
    assert_eq!(verdict(&last, &["on, http"]).await, 403);
    assert_eq!(verdict(&last, &["junk, http"]).await, 403);
    assert_eq!(verdict(&layer, &["ws, off"]).await, 308);
}

/// A refusal names the header, the word that it lacks, and the setting for what came in its place. It repeats
/// nothing that a client may have written.
#[tokio::test]
async fn a_refusal_says_which_header_lacks_which_word() {
    let on = || proxied().value("on").unwrap();
    for (layer, lines, text) in [
        (
            proxied(),
            &[][..],
            "is missing: the proxy in front has to set it",
        ),
        (on(), &[], "is missing: the proxy in front has to set it"),
        (proxied().last().unwrap(), &[], "is missing: the proxy"),
        (
            proxied(),
            &["https", "http"],
            "is repeated: .last() or .first()",
        ),
        (
            proxied(),
            &["https,http"],
            "is a list: .last() takes the word of the nearest",
        ),
        (
            on(),
            &["on, off"],
            "is a list: .last() takes the word of the nearest",
        ),
        (
            proxied(),
            &["secret"],
            "does not say https or wss, nor that it was plain http",
        ),
        (
            on(),
            &["https"],
            "does not say on, nor that it was plain http",
        ),
        (
            on().first().unwrap(),
            &["secret,on"],
            "does not say on, nor",
        ),
        (
            on().last().unwrap(),
            &["https, off"],
            "says plain http in its last member, and something else further out",
        ),
    ] {
        let lines: Vec<_> = lines.iter().map(|line| (PROTO, *line)).collect();
        let response = send(layer, request("GET", "/", &lines)).await;
        assert_refused(&response, text);
        let said = response
            .extensions()
            .get::<Rejection>()
            .unwrap()
            .to_string();
        assert!(said.starts_with(&format!("{PROTO} {text}")), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
}

#[test]
fn settings_of_the_header_that_prove_nothing_are_errors() {
    for value in ["", " ", "on, off", "on off", " on", "on\r\n", "\u{1f512}"] {
        let error = proxied().value(value).unwrap_err();
        assert_eq!(error.setting(), "value", "{value:?}");
        assert!(error.problem().contains("one word"), "{error}");
    }
    for value in ["http", "HTTP", "ws", "off", "Off"] {
        let error = proxied().value(value).unwrap_err();
        assert_eq!(error.setting(), "value", "{value:?}");
        assert!(error.problem().contains("plain http"), "{error}");
    }
    for value in ["on", "https", "wss", "1", "true", "{\"scheme\":\"https\"}"] {
        assert!(proxied().value(value).is_ok(), "{value:?}");
    }
    let connection = RequireHttpsLayer::connection;
    for (setting, error) in [
        ("value", connection().value("on").unwrap_err()),
        ("first", connection().first().unwrap_err()),
        ("last", connection().last().unwrap_err()),
    ] {
        assert_eq!(error.setting(), setting);
        assert!(error.problem().contains("behind_proxy"), "{error}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_are_refused() {
    for bytes in [&b"https\xff"[..], b"\xa0https", b"\xef\xbb\xbfhttps"] {
        let mut request = request("GET", "/", &[]);
        let value = HeaderValue::from_bytes(bytes).unwrap();
        request.headers_mut().insert(PROTO, value);
        assert_refused(&send(proxied(), request).await, "obs-text");
    }
}

#[test]
fn a_header_that_cannot_name_the_transport_is_a_configuration_error() {
    for name in [
        "forwarded",
        "Forwarded",
        "",
        "x forwarded",
        "x-forwarded-proto:",
    ] {
        let error = RequireHttpsLayer::behind_proxy(name).unwrap_err();
        assert_eq!(error.setting(), "behind_proxy", "{name:?}");
    }
    // Written by clients and browsers, and by no proxy that ends TLS.
    for name in [
        "host",
        "origin",
        "referer",
        "cookie",
        "content-type",
        "accept",
        "user-agent",
        "authorization",
        "upgrade-insecure-requests",
        "x-requested-with",
        "x-http-method-override",
        "sec-fetch-site",
        "via",
    ] {
        let error = RequireHttpsLayer::behind_proxy(name).unwrap_err();
        assert_eq!(error.setting(), "behind_proxy", "{name:?}");
        assert!(error.problem().contains("proxies alone"), "{error}");
    }
    // Written by proxies, tracing and pages, and never with a scheme in it.
    for name in [
        "x-forwarded-for",
        "x-real-ip",
        "CF-Connecting-IP",
        "traceparent",
        "sentry-trace",
        "x-request-id",
        "x-csrf-token",
    ] {
        let error = RequireHttpsLayer::behind_proxy(name).unwrap_err();
        assert_eq!(error.setting(), "behind_proxy", "{name:?}");
        assert!(error.problem().contains("holds the scheme"), "{error}");
        let name = name.to_lowercase();
        assert!(error.problem().contains(&name), "{error}");
    }
    for name in [
        "x-forwarded-ssl",
        "x-forwarded-protocol",
        "x-forwarded-port",
        "x-scheme",
        "x-url-scheme",
        "front-end-https",
        "cf-visitor",
        "cloudfront-forwarded-proto",
        "fly-forwarded-proto",
        "fastly-ssl",
        "x-arr-ssl",
        "x-appengine-https",
        "x-client-proto",
    ] {
        assert!(RequireHttpsLayer::behind_proxy(name).is_ok(), "{name:?}");
    }
    assert!(RequireHttpsLayer::behind_proxy("X-Forwarded-Proto").is_ok());
    assert!(RequireHttpsLayer::behind_proxy(HeaderName::from_static(PROTO)).is_ok());
}

#[tokio::test]
async fn nothing_is_redirected_unless_asked_for() {
    let plain = on(ConnectionScheme::Http, request("GET", "/", &[]));
    assert_refused(
        &send(RequireHttpsLayer::connection(), plain).await,
        "connection",
    );
    let plain = request("GET", "/", &[(PROTO, "http")]);
    assert_refused(&send(proxied(), plain).await, "proxy");
}

#[tokio::test]
async fn requests_without_credentials_are_redirected_to_the_configured_host() {
    for method in ["GET", "HEAD"] {
        for (uri, location) in [
            ("/", "https://app.example/"),
            ("/a?b=c", "https://app.example/a?b=c"),
            ("http://evil.example/a", "https://app.example/a"),
            ("//evil.example/a", "https://app.example//evil.example/a"),
        ] {
            let headers = [
                ("host", "evil.example"),
                ("x-forwarded-host", "evil.example"),
            ];
            let request = on(ConnectionScheme::Http, request(method, uri, &headers));
            let layer = RequireHttpsLayer::connection().redirect_to(host());
            let response = send(layer, request).await;
            assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
            assert_eq!(response.headers()["location"], location);
            // A cache that does not tell the schemes apart would make a loop of it.
            assert_eq!(response.headers()["cache-control"], "no-store");
            assert_eq!(kind(&response), Some(RejectionKind::InsecureTransport));
        }
    }
    let layer = proxied().redirect_to("[::1]:8443".parse().unwrap());
    let response = send(layer, request("GET", "/x", &[(PROTO, "HTTP")])).await;
    assert_eq!(response.headers()["location"], "https://[::1]:8443/x");
}

#[tokio::test]
async fn requests_with_credentials_or_unsafe_methods_are_never_redirected() {
    let layer = || proxied().redirect_to(host());
    for method in [
        "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get", "TRACE", "BREW",
    ] {
        let response = send(layer(), request(method, "/", &[(PROTO, "http")])).await;
        assert_refused(&response, method);
    }
    for credentials in [
        ("cookie", "__Secure-refresh_token=a"),
        ("cookie", "_ga=GA1.1.2; __Host-csrf=a"),
        ("cookie", "__host-of-the-application=a"),
        ("cookie", "refresh_token=a"),
        ("cookie", "theme=dark;csrf=a"),
        ("authorization", "Bearer a"),
        ("authorization", "Basic YTpi"),
        ("authorization", ""),
    ] {
        for method in ["GET", "HEAD"] {
            let headers = [(PROTO, "http"), credentials];
            let response = send(layer(), request(method, "/", &headers)).await;
            assert_refused(&response, &format!("{credentials:?}"));
        }
    }
    assert_refused(
        &send(layer(), request("GET", "*", &[(PROTO, "http")])).await,
        "asterisk form",
    );
    // Without evidence of plain http, a redirect might go round for ever.
    for lines in [
        &[][..],
        &[(PROTO, "http, https")],
        &[(PROTO, "http"), (PROTO, "http")],
    ] {
        let response = send(layer(), request("GET", "/", lines)).await;
        assert_refused(&response, &format!("{lines:?}"));
    }
}

#[tokio::test]
async fn https_is_not_redirected() {
    let layer = proxied().redirect_to(host());
    let response = send(layer, request("GET", "/", &[(PROTO, "https")])).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!response.headers().contains_key("location"));
}

#[tokio::test]
async fn refusals_and_redirects_are_reported_once() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let events = EventSink::new(move |event| {
        if let Event::Rejected(rejection) = event {
            sink.lock().unwrap().push(rejection.to_string());
        }
    });
    let layer = proxied().redirect_to(host()).events(events);
    for (method, proto) in [
        ("GET", "http"),
        ("POST", "http"),
        ("POST", "other"),
        ("POST", "https"),
    ] {
        send(layer.clone(), request(method, "/", &[(PROTO, proto)])).await;
    }
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "the request came over plain http",
            "the request came over plain http",
            "x-forwarded-proto does not say https or wss, nor that it was plain http",
        ]
    );
}

#[tokio::test]
async fn the_answer_can_be_replaced() {
    let echo = Echo::default();
    let service = proxied()
        .redirect_to(host())
        .rejection_response(|rejection: &Rejection| Response::new(rejection.to_string()))
        .layer(echo.clone());
    let refused = request("POST", "/", &[(PROTO, "http")]);
    let response = service.clone().oneshot(refused).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(response.body(), "the request came over plain http");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let redirected = request("GET", "/", &[(PROTO, "http")]);
    let response = service.oneshot(redirected).await.unwrap();
    assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
    assert_eq!(response.body(), "");
    assert_eq!(echo.calls(), 0);
}

/// A route that is added behind the call of `layer` is outside of it.
#[tokio::test]
async fn a_health_check_goes_outside_of_the_layer() {
    use axum::{Router, body::Body, routing::get};
    let app = Router::new()
        .route("/", get(|| async { "page" }))
        .layer(RequireHttpsLayer::connection())
        .route("/health", get(|| async { "well" }))
        .layer(axum::Extension(ConnectionScheme::Http));
    for (path, status) in [("/", 403), ("/health", 200)] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        assert_eq!(app.clone().oneshot(request).await.unwrap().status(), status);
    }
}

/// Both versions of HTTP on a plain socket, with a client that calls its request https.
#[tokio::test]
async fn a_client_cannot_talk_its_way_past_a_plain_socket() {
    use http_body_util::{Empty, Full};
    use hyper_util::{
        rt::{TokioExecutor, TokioIo},
        server::conn::auto::Builder,
        service::TowerToHyperService,
    };
    let echo = Echo::default();
    let service = ServiceBuilder::new()
        .map_request(|mut request: Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(ConnectionScheme::Http);
            request
        })
        .map_response(|response: Response<String>| response.map(Full::<bytes::Bytes>::from))
        .layer(RequireHttpsLayer::connection().redirect_to(host()))
        .service(echo.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let _ = Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    for version in [Version::HTTP_11, Version::HTTP_2] {
        for (method, status) in [("GET", 308), ("POST", 403)] {
            let stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let request = Request::builder()
                .method(method)
                .uri("https://evil.example/a|b?c")
                .version(version)
                .header("host", "evil.example")
                .header(PROTO, "https")
                .body(Empty::<bytes::Bytes>::new())
                .unwrap();
            let io = TokioIo::new(stream);
            let response = if version == Version::HTTP_2 {
                let (mut sender, connection) =
                    hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
                        .await
                        .unwrap();
                tokio::spawn(connection);
                sender.send_request(request).await.unwrap()
            } else {
                let (mut sender, connection) =
                    hyper::client::conn::http1::handshake(io).await.unwrap();
                tokio::spawn(connection);
                sender.send_request(request).await.unwrap()
            };
            assert_eq!(response.status(), status, "{version:?} {method}");
            assert_eq!(response.version(), version);
            let location = response.headers().get(header::LOCATION);
            let expected = (status == 308).then_some("https://app.example/a%7Cb?c");
            assert_eq!(location.map(|l| l.to_str().unwrap()), expected);
        }
    }
    assert_eq!(echo.calls(), 0);
    server.abort();
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..60),
        "[ \t]{0,2}(?i:https?|wss?|off)[ \t,;]{0,2}(?i:https?|wss?)?".prop_map(String::into_bytes),
        Just(b"https".to_vec()),
        Just(b"wss".to_vec()),
        Just(b"http".to_vec()),
    ]
}

fn uri() -> impl Strategy<Value = String> {
    prop_oneof![
        "/[ -~]{0,60}",
        "/\\PC{0,20}",
        "/{0,3}[a-z@:\\\\/.?#%]{0,20}",
        "https?://[a-z.:@]{1,20}[/?#]?[!-~]{0,20}",
        Just("*".to_owned()),
    ]
}

fn block_on(future: impl Future<Output = Response<String>>) -> Response<String> {
    futures_util::FutureExt::now_or_never(future).expect("guards do not wait")
}

/// RFC 3986, appendix A, without the authority.
fn is_path_and_query(text: &str) -> bool {
    text.starts_with('/')
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&b))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1024) })]

    #[test]
    fn one_line_of_https_or_wss_passes_and_nothing_else_does(
        method in "GET|HEAD|POST|[A-Za-z]{1,8}",
        lines in proptest::collection::vec(value(), 0..4),
        redirect: bool,
    ) {
        let lines: Vec<HeaderValue> = lines
            .iter()
            .filter_map(|line| HeaderValue::from_bytes(line).ok())
            .collect();
        let mut request = request(&method, "/", &[]);
        for line in &lines {
            request.headers_mut().append(PROTO, line.clone());
        }
        let layer = if redirect { proxied().redirect_to(host()) } else { proxied() };
        let response = block_on(send(layer, request));
        let only = |expected: &[&str]| {
            let word = |line: &HeaderValue| line.as_bytes().trim_ascii().to_ascii_lowercase();
            matches!(&lines[..], [line] if expected.iter().any(|text| word(line) == text.as_bytes()))
        };
        let expected = match (only(&["https", "wss"]), only(&["http", "ws", "off"])) {
            (true, _) => 200,
            (_, true) if redirect && ["GET", "HEAD"].contains(&method.as_str()) => 308,
            _ => 403,
        };
        prop_assert_eq!(response.status().as_u16(), expected);
    }

    /// The list as a recipient reads it that joins the lines first (RFC 9110 section 5.3).
    #[test]
    fn the_end_of_the_joined_list_decides(
        lines in proptest::collection::vec("[ ,]{0,2}(https|http|wss|ws|off|x)?([ ,]{0,3}(https|http|wss|ws|off|x)){0,2}[ ,]?", 0..3),
        last: bool,
    ) {
        let mut request = request("POST", "/", &[]);
        for line in &lines {
            request.headers_mut().append(PROTO, line.parse().unwrap());
        }
        let joined = lines.join(",");
        let mut members = joined.split(',').map(str::trim);
        let member = if last { members.next_back() } else { members.next() };
        let proven = !lines.is_empty() && ["https", "wss"].contains(&member.unwrap());
        let layer = if last { proxied().last() } else { proxied().first() };
        let response = block_on(send(layer.unwrap(), request));
        prop_assert_eq!(response.status() == 200, proven);
    }

    #[test]
    fn a_location_is_always_on_the_configured_host(
        uri in uri(),
        to in "[a-z]{1,8}\\.example(:8443)?",
        method in "GET|HEAD|POST",
        credentials in prop_oneof![Just(None), Just(Some("cookie")), Just(Some("authorization"))],
    ) {
        let Ok(uri) = uri.parse::<Uri>() else { return Ok(()) };
        let mut request = on(ConnectionScheme::Http, Request::new(String::new()));
        *request.method_mut() = method.parse::<Method>().unwrap();
        *request.uri_mut() = uri.clone();
        if let Some(name) = credentials {
            request.headers_mut().insert(name, HeaderValue::from_static("__Host-csrf=a"));
        }
        let layer = RequireHttpsLayer::connection().redirect_to(to.parse().unwrap());
        let response = block_on(send(layer, request));
        let expected = method != "POST" && credentials.is_none() && uri.path().starts_with('/');
        prop_assert_eq!(response.status().as_u16(), if expected { 308 } else { 403 });
        let location = response.headers().get("location");
        prop_assert_eq!(location.is_some(), expected);
        if let Some(location) = location {
            let location = location.to_str().unwrap();
            let rest = location.strip_prefix(&format!("https://{to}"));
            prop_assert!(rest.is_some_and(is_path_and_query), "{}", location);
            let parsed: Uri = location.parse().unwrap();
            prop_assert_eq!(parsed.scheme_str(), Some("https"));
            prop_assert_eq!(parsed.authority().unwrap().as_str(), to);
        }
    }
}
