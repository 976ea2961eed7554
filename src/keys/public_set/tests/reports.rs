//! The public look at each key.

use super::*;
use crate::{Timestamp, TokenCodec, TokenErrorKind, keys::KeyRing};

/// Every key in the set's order, with what its issuer wrote and what follows.
#[test]
fn every_key_in_the_order_of_the_set() {
    use KeyState::*;
    let public = with(rsa(), json!({ "kid": "r", "use": "sig" }));
    let text = json!({ "keys": [
        with(rsa(), json!({ "kid": "enc", "use": "enc", "alg": "RSA-OAEP" })),
        public.clone(),
        private(2, "gone"),
        with(named(1, "new"), json!({ "alg": "Ed25519" })),
        named(2, "again"),
        public,
        with(named(3, "odd"), json!({ "alg": "x".repeat(65) })),
        { "kty": "AKP", "kid": "pq", "alg": "ML-DSA-65", "pub": "AAAA" },
        7,
    ]})
    .to_string();
    let reports = KeyRing::published(&text).unwrap().key_reports();
    let rows: Vec<_> = reports
        .iter()
        .map(|report| {
            let algorithm = report.algorithm().map(SignatureAlgorithm::as_str);
            (report.kid(), report.alg(), algorithm, report.state())
        })
        .collect();
    assert_eq!(
        rows,
        [
            (Some("enc"), Some("RSA-OAEP"), None, PassedOver),
            (Some("r"), None, Some("RS256"), Usable),
            (Some("gone"), None, None, Poisoned),
            (Some("new"), Some("Ed25519"), Some("EdDSA"), Usable),
            (Some("again"), None, None, Poisoned),
            (Some("r"), None, Some("RS256"), Usable),
            (Some("odd"), None, None, PassedOver),
            (Some("pq"), Some("ML-DSA-65"), None, PassedOver),
            (None, None, None, PassedOver),
        ]
    );
    for (index, report) in reports.iter().enumerate() {
        assert_eq!(report.index(), index);
        assert_eq!(report.reason().is_none(), report.state() == Usable);
        assert_eq!(report.unusable().is_none(), report.state() == Usable);
        let printed = format!("{report:?}");
        let secret = base64(&[2; 32]);
        assert!(!printed.contains(&secret), "{printed}");
    }
    assert_eq!(reports[8].reason(), Some("is not a JSON object"));
}

/// A set without a usable key is no error for a tool, and no reason to accept a token.
#[test]
fn a_set_without_a_usable_key_is_reported_and_refuses_every_token() {
    let token = |ring: &KeyRing| {
        let codec: TokenCodec = TokenCodec::signed(ring)
            .issuer("i")
            .audience("a")
            .build()
            .unwrap();
        // {"alg":"EdDSA","typ":"at+jwt","kid":"a"}
        let token = format!(
            "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImEifQ.e30.{}",
            "A".repeat(86)
        );
        let refused = codec.verify_at(&token, Timestamp::from_secs(1_800_000_000));
        refused.unwrap_err().kind()
    };
    for (text, kind) in [
        (json!({ "keys": [] }), TokenErrorKind::KeysUnavailable),
        (
            json!({ "keys": [private(1, "a")] }),
            TokenErrorKind::KeysUnavailable,
        ),
        (json!({ "keys": [named(2, "b"), 1] }), TokenErrorKind::Key),
    ] {
        let text = text.to_string();
        let ring = KeyRing::published(&text).unwrap();
        assert_eq!(token(&ring), kind, "{text}");
        // Where there is none, a service gets an error when it starts.
        let none = kind == TokenErrorKind::KeysUnavailable;
        assert_eq!(KeyRing::verifier(&text).is_err(), none, "{text}");
    }
    assert!(KeyRing::published("{}").is_err());
}
