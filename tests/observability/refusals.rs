//! The line of a refusal: what was expected, what was found, and what to do about it.

use std::convert::Infallible;

use http::{Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use tower_bearer::{
    CsrfLayer, CsrfToken, KeyRing, OriginGuardLayer, RequireHttpsLayer, csrf::CsrfSession,
};

use crate::traces;

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
    let lines = traces::lines(async {
        let service = layer.layer(service_fn(answer as fn(Request<()>) -> Ready));
        service.oneshot(post(headers)).await.unwrap();
    });
    let [line] = &lines[..] else {
        panic!("one line: {lines:#?}");
    };
    let mut fields = line.fields.clone();
    (fields.remove("message").unwrap(), fields.remove("origin"))
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
            "a script sends it in the header (x-csrf-token, unless",
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
