//! All of them behind one layer.

use std::collections::BTreeMap;

use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt};
use tower_bearer::{
    BearerAuthLayer, KeyRing, ManualClock, NoClaims, TokenCodec, TokenErrorKind, Verifiers,
    rejection::Rejection,
};

use super::{NOW, Shape, shapes};
use crate::support::echo::Echo;

/// The key of RFC 8037 appendix A.1, under this name.
fn key_of_ours(kid: &str) -> KeyRing {
    let key = json!({
        "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": kid,
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    KeyRing::builder().jwk(&key.to_string()).build().unwrap()
}

const OURS: &str = "https://ours.example";

fn ours(kid: &str, issuer: &str, audience: &str) -> TokenCodec {
    let builder = TokenCodec::signed(&key_of_ours(kid))
        .issuer(issuer)
        .audience(audience);
    builder.clock(ManualClock::new(NOW)).build().unwrap()
}

/// One codec for each issuer, over all the keys that the data has for it, and one of ours.
fn verifiers(shapes: &[Shape]) -> Verifiers {
    let mut by_issuer = BTreeMap::<&str, Vec<&Shape>>::new();
    for shape in shapes {
        by_issuer.entry(&shape.issuer).or_default().push(shape);
    }
    assert_eq!(by_issuer.len(), 8, "three of them stand there twice");
    let codecs = by_issuer.values().map(|shapes| {
        let keys = shapes
            .iter()
            .flat_map(|shape| shape.jwks["keys"].as_array().unwrap());
        let set = json!({ "keys": keys.collect::<Vec<&Value>>() });
        let keys = KeyRing::verifier(&set.to_string()).unwrap();
        let [first, ..] = shapes[..] else { panic!() };
        let builder = TokenCodec::signed(&keys)
            .issuer(&first.issuer)
            .audience(&first.audience)
            .clock(ManualClock::new(NOW));
        (first.row().lines)(builder).build().unwrap()
    });
    Verifiers::new(codecs.chain([ours("ours", OURS, "api")])).unwrap()
}

/// The answer of the one layer, and why it refuses.
async fn ask(verifiers: Verifiers, token: &str) -> (StatusCode, Option<TokenErrorKind>) {
    let service = BearerAuthLayer::new(verifiers).layer(Echo::default());
    let request = Request::get("/").header("authorization", format!("Bearer {token}"));
    let response = service.oneshot(request.body(()).unwrap()).await.unwrap();
    let rejection = response.extensions().get::<Rejection>();
    let error = rejection.and_then(Rejection::token_error);
    (response.status(), error.map(|error| error.kind()))
}

#[tokio::test]
async fn one_layer_takes_the_tokens_of_all() {
    let shapes = shapes();
    for shape in &shapes {
        let answer = ask(verifiers(&shapes), &shape.token).await;
        assert_eq!(answer, (StatusCode::OK, None), "{}", shape.name);
    }
    let token = ours("ours", OURS, "api")
        .mint("user-1", &NoClaims {})
        .unwrap();
    let answer = ask(verifiers(&shapes), token.as_str()).await;
    assert_eq!(answer, (StatusCode::OK, None));
}

/// A key that the layer trusts for its own issuer vouches for no other, whatever name it goes by.
#[tokio::test]
async fn the_key_of_one_never_vouches_for_another() {
    let shapes = shapes();
    for shape in &shapes {
        for key in shape.jwks["keys"].as_array().unwrap() {
            for kid in [key["kid"].as_str().unwrap(), "ours"] {
                let forger = ours(kid, &shape.issuer, &shape.audience);
                let forged = forger.mint("admin", &NoClaims {}).unwrap();
                let (status, kind) = ask(verifiers(&shapes), forged.as_str()).await;
                assert_eq!(status, StatusCode::UNAUTHORIZED, "{}", shape.name);
                let kinds = [
                    TokenErrorKind::Algorithm,
                    TokenErrorKind::Key,
                    TokenErrorKind::Signature,
                ];
                assert!(kind.is_some_and(|kind| kinds.contains(&kind)), "{kind:?}");
            }
        }
    }
}
