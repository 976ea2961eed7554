//! One good key beside odd ones, and one key under two names.

use std::time::Duration;

use http::Request;
use serde_json::Value;
use tower::{Layer, ServiceExt};
use tower_bearer::{
    BearerAuthLayer, KeyRing, ManualClock, NoClaims, SignatureAlgorithm, TokenCodec,
    jwks::RemoteJwks, keys::UnusableReason,
};

use super::{
    Api, START, both, codec_builder,
    issuer::{Issuer, Reply},
    private_jwk, signer,
};
use crate::support::echo::Echo;

/// The sets of `tests/data/cases/issuers.json`: in each the good key verifies, and where its neighbour
/// is given away, that is said.
#[tokio::test]
async fn every_neighbour_of_the_table() {
    let text = std::fs::read_to_string("tests/data/cases/issuers.json").unwrap();
    let cases: Value = serde_json::from_str(&text).unwrap();
    let neighbours = cases["neighbours"].as_array().unwrap();
    assert_eq!(neighbours.len(), 26);
    for case in neighbours {
        let name = case["name"].as_str().unwrap();
        let (jwks, token) = (case["jwks"].to_string(), case["token"].as_str().unwrap());
        let given_away = case["neighbour"].as_str().unwrap().starts_with("poisoned");
        let clock = ManualClock::new(START);
        let codec = |keys: &KeyRing| -> TokenCodec {
            TokenCodec::signed(keys)
                .issuer("i")
                .audience("a")
                .clock(clock.clone())
                .build()
                .unwrap()
        };
        // As a text that the service has, and fetched.
        let ring = KeyRing::verifier(&jwks).unwrap();
        codec(&ring)
            .verify(token)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let compromised = |keys: &[tower_bearer::keys::UnusableKey]| {
            keys.iter().filter(|key| key.is_compromised()).count()
        };
        assert_eq!(
            compromised(&ring.unusable_keys()),
            usize::from(given_away),
            "{name}"
        );

        let issuer = Issuer::start(Reply::set(jwks)).await;
        let events = super::Events::default();
        let remote = RemoteJwks::builder(issuer.url())
            .clock(clock.clone())
            .events(events.sink())
            .build()
            .unwrap();
        remote.refresh().await.unwrap();
        let service = BearerAuthLayer::new(codec(&remote.keys())).layer(Echo::default());
        let request = Request::get("/").header("authorization", format!("Bearer {token}"));
        let response = service.oneshot(request.body(()).unwrap()).await.unwrap();
        assert_eq!(response.status(), 200, "{name}");
        let health = remote.health();
        assert_eq!(compromised(health.unusable_keys()), usize::from(given_away));
        let said = events.take().contains(&"compromised 1".to_owned());
        assert_eq!(said, given_away, "{name}");
    }
}

/// The reasons reach the operator: by event, by health, and as text.
#[tokio::test]
async fn keys_that_are_passed_over_are_reported() {
    let key = signer("a", 1);
    let weak = r#"{"kty":"RSA","kid":"old","alg":"RS256","n":"AQAB","e":"AQAB"}"#;
    let list = key
        .jwks()
        .replace("]}", &format!(",{weak},{}]}}", private_jwk("b", 2)));
    let issuer = Issuer::start(Reply::set(list)).await;
    let api = Api::ready(&issuer).await;
    assert_eq!(api.status(&api.token(&key)).await, 200);
    assert_eq!(
        api.events.take(),
        ["compromised 1", "passed over 1", "fetched 1"]
    );
    let health = api.keys.health();
    let [weak, given_away] = health.unusable_keys() else {
        panic!("{health:?}");
    };
    assert_eq!(
        (weak.kid(), weak.reason()),
        (Some("old"), UnusableReason::Weak)
    );
    assert_eq!(
        weak.to_string(),
        r#"keys[1] (kid "old") is an RSA key of less than 2048 bits"#
    );
    assert!(given_away.is_compromised());
    let states: Vec<_> = health
        .key_reports()
        .iter()
        .map(|key| key.state().as_str())
        .collect();
    assert_eq!(states, ["usable", "passed over", "poisoned"]);
    // Not again while the set stays the same.
    api.keys.refresh().await.unwrap();
    assert!(api.events.take().is_empty());
    // An error names them, and no secret.
    issuer.says(Reply::set(format!(
        r#"{{"keys":[{}]}}"#,
        private_jwk("c", 3)
    )));
    let error = api.keys.refresh().await.unwrap_err();
    let text = format!("{error} {error:?} {:?}", api.keys.health());
    assert!(
        text.contains(r#"keys[0] (kid \"c\")"#) || text.contains(r#"keys[0] (kid "c")"#),
        "{text}"
    );
    assert!(!text.contains(&base64_simd::URL_SAFE_NO_PAD.encode_to_string([3; 32])));
}

fn header(token: &str) -> String {
    let encoded = token.split('.').next().unwrap();
    let decoded = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(encoded).unwrap();
    String::from_utf8(decoded).unwrap()
}

/// RFC 9864: `Ed25519` and `EdDSA` are one algorithm, in keys and in headers.
#[tokio::test]
async fn the_two_names_of_ed25519() {
    let old = || KeyRing::builder().jwk(&private_jwk("a", 1));
    let new = || old().fully_specified_algorithms();
    let by_jwk = private_jwk("a", 1).replace(r#""kid""#, r#""alg":"Ed25519","kid""#);
    let by_jwk = KeyRing::builder().jwk(&by_jwk).build().unwrap();
    let (old, new) = (old().build().unwrap(), new().build().unwrap());
    for (ring, name) in [(&old, "EdDSA"), (&new, "Ed25519"), (&by_jwk, "Ed25519")] {
        // The minted name and the published one agree.
        let alg = format!(r#""alg":"{name}""#);
        assert!(ring.jwks().contains(&alg), "{}", ring.jwks());
        let issuer = Issuer::start(Reply::set(ring.jwks())).await;
        let api = Api::ready(&issuer).await;
        assert!(header(&api.token(ring)).contains(&alg));
        for minted in [&old, &new] {
            assert_eq!(api.status(&api.token(minted)).await, 200);
        }
    }
    let clock = ManualClock::new(START);
    let only =
        |alg: SignatureAlgorithm, ring: &KeyRing| codec_builder(&clock, ring).algorithms([alg]);
    let codec: TokenCodec = only("Ed25519".parse().unwrap(), &new).build().unwrap();
    let token = codec.mint("alice", &NoClaims {}).unwrap();
    assert!(
        only(SignatureAlgorithm::EdDsa, &old)
            .build()
            .unwrap()
            .verify(token.as_str())
            .is_ok()
    );
    assert!(only(SignatureAlgorithm::Es256, &old).build().is_err());
}

/// Two keys of one name, while an issuer replaces the one by the other.
#[tokio::test]
async fn two_keys_of_one_name() {
    let (one, two, three) = (signer("a", 1), signer("a", 2), signer("a", 3));
    let issuer = Issuer::start(Reply::set(both(&one, &two))).await;
    let api = Api::ready(&issuer).await;
    for (ring, status) in [(&one, 200), (&two, 200), (&three, 401)] {
        assert_eq!(api.status(&api.token(ring)).await, status);
    }
    let ring = KeyRing::verifier(&both(&one, &two)).unwrap();
    let codec: TokenCodec = codec_builder(&api.clock, &ring).build().unwrap();
    assert!(codec.verify(&api.token(&two)).is_ok());
    assert!(codec.verify(&api.token(&three)).is_err());
    api.skip(Duration::from_secs(1)).await;
}
