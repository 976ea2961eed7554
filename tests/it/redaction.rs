//! `Debug` and `Display` of what the layers hand out hold no secret.

use http::{Request, Response, header};
use tower::{Layer, ServiceExt};
use tower_bearer::{
    BearerAuthLayer, Claims, ClaimsError, Event, KeyRing, MemoryStore, NoClaims, OriginGuardLayer,
    RefreshCookieLayer, RequireClaimsLayer, RequireScopeLayer, TokenCodec, TokenContext,
    rejection::Rejection,
};

use crate::support::{
    echo::Echo,
    tokens::{codec, token, with_token},
};

/// Fails when `text` holds `secret` as it is, in base64url, or as a list of numbers.
fn assert_free(what: &str, text: &str, secret: &[u8]) {
    let as_text = String::from_utf8_lossy(secret).into_owned();
    let encoded = base64_simd::URL_SAFE_NO_PAD.encode_to_string(secret);
    let hex: String = secret.iter().map(|b| format!("{b:02x}")).collect();
    let numbers = format!("{secret:?}");
    for form in [
        as_text,
        encoded,
        hex,
        numbers.trim_matches(['[', ']']).to_owned(),
    ] {
        assert!(!text.contains(&form), "{what} shows a secret: {text}");
    }
}

#[test]
fn layers_and_services_hold_their_tongue() {
    let secret: [u8; 32] = std::array::from_fn(|i| u8::try_from((i * 37 + 11) % 251).unwrap());
    let keys = KeyRing::from_master(&secret).unwrap();
    let codec: TokenCodec = TokenCodec::nested(&keys)
        .issuer("https://id.example")
        .audience("api")
        .build()
        .unwrap();
    let bearer = BearerAuthLayer::new(codec.clone())
        .check(|_| Ok(()))
        .rejection_response(|_| Response::new(String::new()));
    let origin = OriginGuardLayer::new(["https://app.example".parse().unwrap()]).unwrap();
    let scope = RequireScopeLayer::new("admin".parse().unwrap());
    let rule = RequireClaimsLayer::new(move |_: &Claims| secret.len() == 32);
    let claims = |_| async { Ok::<_, ClaimsError>(NoClaims {}) };
    let sessions = RefreshCookieLayer::new(codec.clone(), MemoryStore::new(), claims).unwrap();
    for (what, text) in [
        ("KeyRing", format!("{keys:?}")),
        ("TokenCodec", format!("{codec:?}")),
        ("BearerAuthLayer", format!("{bearer:#?}")),
        ("BearerAuth", format!("{:?}", bearer.layer(()))),
        ("OriginGuardLayer", format!("{origin:?}")),
        ("OriginGuard", format!("{:?}", origin.layer(()))),
        ("RefreshCookieLayer", format!("{sessions:#?}")),
        ("RequireClaimsLayer", format!("{rule:?}")),
        ("RequireClaims", format!("{:?}", rule.layer(()))),
        ("RequireScopeLayer", format!("{scope:?}")),
        ("RequireScope", format!("{:?}", scope.layer(()))),
    ] {
        assert!(text.starts_with(what), "{text}");
        assert_free(what, &text, &secret);
    }
}

#[tokio::test]
async fn a_refusal_never_repeats_what_was_sent() {
    let mut forged = token();
    forged.push('A');
    for sent in [forged.as_str(), "\"quoted-secret\"", "secret-secret-secret"] {
        let service = BearerAuthLayer::<NoClaims>::new(codec()).layer(Echo::default());
        let response = service.oneshot(with_token(sent)).await.unwrap();
        let rejection = response.extensions().get::<Rejection>().unwrap();
        let source = std::error::Error::source(rejection).map(ToString::to_string);
        for text in [
            format!("{rejection:?}"),
            rejection.to_string(),
            source.unwrap_or_default(),
            format!("{:?}", Event::Rejected(rejection)),
            format!("{response:?}"),
        ] {
            assert!(!text.contains(sent.trim_matches('"')), "{text}");
        }
    }
}

#[tokio::test]
async fn a_verified_request_shows_neither_token_nor_claims() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Private {
        note: String,
    }
    let note = "a-very-private-note".to_owned();
    let token = codec()
        .mint("alice-the-subject", &Private { note })
        .unwrap();
    let echo = Echo::default();
    let service = BearerAuthLayer::<Private>::new(codec()).layer(echo.clone());
    let request: Request<String> = with_token(token.as_str());
    service.oneshot(request).await.unwrap();
    let head = echo.last();
    let claims = Claims::<Private>::from_extensions(&head.extensions).unwrap();
    let context = head.extensions.get::<TokenContext>().unwrap();
    for text in [
        format!("{claims:?}"),
        format!("{context:?}"),
        format!("{:?}", head.headers[header::AUTHORIZATION]),
        format!("{head:?}"),
        format!("{token:?}"),
    ] {
        assert!(!text.contains(token.as_str()), "{text}");
        assert!(!text.contains("alice-the-subject"), "{text}");
        assert!(!text.contains("a-very-private-note"), "{text}");
    }
}
