//! Properties of every token and every request, and not of one row only.

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use proptest::prelude::*;
use tower::{Layer, ServiceExt};
use tower_bearer::{
    CsrfLayer,
    csrf::CsrfSession,
    rejection::{CsrfReason, Rejection, RejectionKind},
};

use crate::support::csrf::{self, App, Fixtures, reason};

/// The property that a row of the table names. One that is not known fails.
pub(super) async fn hold(name: &str) -> Result<(), String> {
    match name {
        "no-path-patterns" => no_path_is_exempt().await,
        "reject-does-not-reveal-token" => a_refusal_reveals_nothing().await,
        "vary-appended-not-replaced" => vary_is_appended().await,
        "handler-set-cookie-kept" => other_cookies_are_kept().await,
        "handler-not-run-on-reject" | "status-403-no-challenge" | "reason-in-extensions" => {
            a_refusal_is_whole().await;
        }
        "body-unread-on-reject" => the_body_is_left_alone().await,
        "form-body-handed-on-intact" => crate::csrf_form::the_form_is_handed_on().await,
        // Run as `readiness::every_layer`.
        "inner-service-readiness" => {}
        "mac-before-compare-order" => every_failure_looks_alike().await,
        "no-branch-on-secret-decode" => decoding_asks_no_key(),
        "random-bytes-never-panic" => random_bytes(),
        "only-issued-tokens-verify" => changed_characters().await,
        "cross-product-of-classes" => cross_product().await,
        other => return Err(format!("no such property: {other}")),
    }
    Ok(())
}

fn s1() -> CsrfLayer {
    let fixtures = Fixtures::load();
    csrf::layer(fixtures.keys(&["K1"]), fixtures.binding_of("S1"))
}

fn s2() -> CsrfLayer {
    let fixtures = Fixtures::load();
    csrf::layer(fixtures.keys(&["K1"]), fixtures.binding_of("S2"))
}

fn token() -> String {
    Fixtures::load().vectors()[0]["raw"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn masked() -> String {
    Fixtures::load().vectors()[0]["masked"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn no_path_is_exempt() {
    for path in [
        "/",
        "/health",
        "/webhook/x",
        "/api/../auth",
        "//auth",
        "/auth%2flogin",
        "*",
    ] {
        let mut request = csrf::request(Method::POST, HeaderMap::new());
        *request.uri_mut() = path.parse().unwrap();
        let (_, ran) = csrf::send(&s1(), &App::new(), request).await;
        assert!(!ran, "{path}");
    }
}

async fn a_refusal_reveals_nothing() {
    let good = token();
    let other = csrf::issue(&s2()).await;
    let (response, _) = csrf::send(&s1(), &App::new(), csrf::post(&good, &other)).await;
    assert_eq!(reason(&response), Some(CsrfReason::TokenMismatch));
    let rejection = response.extensions().get::<Rejection>().unwrap();
    let said = format!("{response:?} {rejection:?} {rejection} {:?}", s1());
    for secret in [&good[4..47], &good[48..], &other[4..47], &other[48..]] {
        assert!(!said.contains(secret), "{said}");
    }
    // Nor does the key show in what the layer says of itself.
    assert!(
        !said.contains("[0, 1, 2, 3") && !said.contains("000102"),
        "{said}"
    );
    // The handle that handlers get prints no token either.
    let app = App::with(|token| assert_eq!(format!("{token:?}"), "CsrfToken(<secret>)"));
    assert!(csrf::send(&s1(), &app, csrf::post(&good, &good)).await.1);
}

async fn vary_is_appended() {
    let mut headers = HeaderMap::new();
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    let get = csrf::request(Method::GET, HeaderMap::new());
    let (response, _) = csrf::send(&s1(), &App::answering(headers), get).await;
    let vary: Vec<_> = response.headers().get_all(header::VARY).iter().collect();
    assert_eq!(vary, ["Accept-Encoding", "Cookie"]);
}

async fn other_cookies_are_kept() {
    let mut headers = HeaderMap::new();
    headers.append(header::SET_COOKIE, HeaderValue::from_static("a=1"));
    headers.append(header::SET_COOKIE, HeaderValue::from_static("b=2"));
    let get = csrf::request(Method::GET, HeaderMap::new());
    let (response, _) = csrf::send(&s1(), &App::answering(headers), get).await;
    let lines: Vec<_> = response
        .headers()
        .get_all(header::SET_COOKIE)
        .iter()
        .collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[..2], ["a=1", "b=2"]);
}

async fn a_refusal_is_whole() {
    let app = App::new();
    let post = csrf::request(Method::POST, HeaderMap::new());
    let (response, ran) = csrf::send(&s1(), &app, post).await;
    assert!(!ran);
    assert_eq!(app.calls(), 0);
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert!(!response.headers().contains_key(header::WWW_AUTHENTICATE));
    let rejection = response.extensions().get::<Rejection>().unwrap();
    assert_eq!(rejection.kind(), RejectionKind::CsrfFailed);
    assert_eq!(rejection.csrf_reason(), Some(CsrfReason::CookieMissing));
    assert!(response.body().is_empty());
}

/// A body that must not be looked at.
struct Untouchable;

impl http_body::Body for Untouchable {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        panic!("the body was polled")
    }
}

async fn the_body_is_left_alone() {
    let service = s1().layer(App::new());
    let request = Request::post("/").body(Untouchable).unwrap();
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
}

async fn every_failure_looks_alike() {
    let good = token();
    let other = csrf::issue(&s2()).await;
    let fixtures = Fixtures::load();
    let forged = csrf::issue(&csrf::layer(
        fixtures.keys(&["K2"]),
        fixtures.binding_of("S1"),
    ))
    .await;
    let mut answers = Vec::new();
    for (cookie, submitted, why) in [
        (&good, &other, CsrfReason::TokenMismatch),
        (&forged, &forged, CsrfReason::SignatureInvalid),
        (&good, &"junk".to_owned(), CsrfReason::TokenMalformed),
    ] {
        let (response, _) = csrf::send(&s1(), &App::new(), csrf::post(cookie, submitted)).await;
        assert_eq!(reason(&response), Some(why));
        let seen = (
            response.status(),
            response.headers().clone(),
            response.body().clone(),
        );
        answers.push(seen);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

/// A malformed token is so whatever the keys are: no key is used before the form is known.
fn decoding_asks_no_key() {
    let fixtures = Fixtures::load();
    let good = token();
    for keys in [["K1"], ["K2"]] {
        let layer = csrf::layer(fixtures.keys(&keys), fixtures.binding_of("S1"));
        let broken = format!("{good}=");
        let request = csrf::post(&good, &broken);
        let verdict = layer.verify(request.headers(), &fixtures.binding_of("S1"));
        assert_eq!(verdict, Err(CsrfReason::TokenMalformed));
    }
}

fn random_bytes() {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..300);
    let near = || {
        (0..3usize, bytes(), 0..200usize).prop_map(|(base, tail, cut)| {
            let base = [token(), masked(), format!("v1s.{}", "A".repeat(90))][base].clone();
            let mut text = base.into_bytes();
            text.truncate(cut);
            text.extend(tail.iter().take(8));
            text
        })
    };
    let text = || prop_oneof![bytes(), near()];
    let layer = s1();
    let service = layer.clone().layer(App::new());
    proptest!(ProptestConfig::with_cases(2000), |(cookie in text(), submitted in text(), other in bytes())| {
        let mut headers = HeaderMap::new();
        let mut cookies = format!("{}=", csrf::COOKIE).into_bytes();
        cookies.extend(cookie);
        for (name, value) in [("cookie", cookies), (csrf::HEADER, submitted), ("authorization", other)] {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.insert(name, value);
            }
        }
        for method in [Method::GET, Method::POST] {
            let request = csrf::request(method, headers.clone());
            let response = service.clone().oneshot(request).now_or_never().unwrap().unwrap();
            prop_assert!([StatusCode::OK, StatusCode::FORBIDDEN].contains(&response.status()));
        }
    });
}

/// Any other character in any place is refused, in the cookie, in the copy, and in both at once.
async fn changed_characters() {
    let layer = s1();
    let (raw, masked) = (token(), masked());
    let binding = Fixtures::load().binding_of("S1");
    let passes = |cookie: &str, submitted: &str| {
        layer
            .verify(csrf::post(cookie, submitted).headers(), &binding)
            .is_ok()
    };
    assert!(passes(&raw, &raw) && passes(&raw, &masked));
    let alphabet: Vec<char> = ('0'..='9')
        .chain('A'..='Z')
        .chain('a'..='z')
        .chain("-_.=+/ ~".chars())
        .collect();
    let changes = |text: &str| -> Vec<String> {
        let mut out = Vec::new();
        for at in 0..text.len() {
            for other in &alphabet {
                let mut changed: Vec<char> = text.chars().collect();
                if changed[at] != *other {
                    changed[at] = *other;
                    out.push(changed.into_iter().collect());
                }
            }
        }
        out
    };
    let mut tried = 0;
    for changed in changes(&raw) {
        assert!(!passes(&raw, &changed), "copy {changed}");
        assert!(!passes(&changed, &raw), "cookie {changed}");
        assert!(!passes(&changed, &changed), "both {changed}");
        tried += 3;
    }
    for changed in changes(&masked) {
        assert!(!passes(&raw, &changed), "masked copy {changed}");
        tried += 1;
    }
    println!("{tried} changed tokens refused");
    assert!(tried > 20_000);
}

/// Tokens of every class, session and key against every context: only those that were made there
/// pass.
async fn cross_product() {
    let fixtures = Fixtures::load();
    let sessions = [None, Some("S1"), Some("S2"), Some("S1_NEW")];
    let binding = |session: Option<&str>| match session {
        None => CsrfSession::ANONYMOUS,
        Some(name) => fixtures.binding_of(name),
    };
    let mut contexts = Vec::new();
    for session in sessions {
        for key in ["K1", "K2", "K_REMOVED"] {
            let layer = csrf::layer(fixtures.keys(&[key]), binding(session));
            let token = csrf::issue(&layer).await;
            contexts.push((layer, binding(session), token));
        }
    }
    for (made, (.., token)) in contexts.iter().enumerate() {
        for (used, (layer, binding, _)) in contexts.iter().enumerate() {
            let verdict = layer.verify(csrf::post(token, token).headers(), binding);
            let expected = if made == used {
                Ok(())
            } else {
                Err(CsrfReason::SignatureInvalid)
            };
            assert_eq!(verdict, expected, "made in {made}, used in {used}");
        }
    }
}
