//! Minting and verifying through the public interface, in every profile.

use std::time::Duration;

use crate::support::profile::Profile;
use serde::{Deserialize, Serialize};
use tower_bearer::{
    KeyRing, NoClaims, SignatureAlgorithm, Timestamp, TokenCodec, TokenErrorKind,
    token::{Grant, TokenCodecBuilder, TokenType},
};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const PROFILES: [Profile; 3] = [Profile::Nested, Profile::Encrypted, Profile::Signed];

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Role {
    role: String,
    scope: String,
}

fn role() -> Role {
    Role {
        role: "editor \"é\"".into(),
        scope: "read write".into(),
    }
}

/// Test-only keys.
fn keys() -> KeyRing {
    KeyRing::from_master(b"lplPUnQqX9XxKHRz_J---KhhMOQ-LI53EpIQ1PPf07o").unwrap()
}

fn builder<C>(profile: Profile, keys: &KeyRing) -> TokenCodecBuilder<C> {
    profile
        .codec(keys)
        .issuer("https://id.example")
        .audience("api")
}

fn named(typ: &'static str) -> TokenType {
    TokenType::Named(typ.into())
}

fn grant(custom: &Role) -> Grant<'_, Role> {
    Grant::new("user-1", custom).session("s-1")
}

#[test]
fn a_minted_token_verifies_and_says_the_same() {
    for profile in PROFILES {
        let codec: TokenCodec<Role> = builder(profile, &keys()).build().unwrap();
        let token = codec.mint_at(&grant(&role()), NOW).unwrap();
        assert_eq!(token.expires_in(), Duration::from_secs(900));
        let dots = token.as_str().matches('.').count();
        assert_eq!(dots, if profile == Profile::Signed { 2 } else { 4 });

        let claims = codec.verify_at(token.as_str(), NOW).unwrap();
        assert_eq!(claims.subject(), "user-1");
        assert_eq!(claims.issuer(), Some("https://id.example"));
        assert_eq!(claims.session(), Some("s-1"));
        assert_eq!(claims.scope(), Some("read write"));
        assert_eq!(claims.issued_at(), Some(NOW));
        assert_eq!(claims.expires_at(), NOW + Duration::from_secs(900));
        assert_eq!(*claims.custom(), role());
        let context = claims.context();
        assert_eq!(context.subject(), "user-1");
        assert_eq!(context.token_id(), claims.token_id());
        assert_eq!(context.token_id().unwrap().len(), 22);

        let other = codec.mint_at(&grant(&role()), NOW).unwrap();
        let other = codec.verify_at(other.as_str(), NOW).unwrap();
        assert_ne!(other.token_id(), claims.token_id());
    }
}

#[test]
fn no_two_tokens_share_an_initialisation_vector() {
    for profile in [Profile::Nested, Profile::Encrypted] {
        let codec: TokenCodec = builder(profile, &keys()).build().unwrap();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..200 {
            let token = codec.mint("u", &NoClaims {}).unwrap();
            assert!(seen.insert(token.as_str().split('.').nth(2).unwrap().to_owned()));
        }
    }
}

#[test]
fn a_token_is_good_until_the_leeway_after_its_end() {
    let codec: TokenCodec = builder(Profile::Nested, &keys())
        .leeway(Duration::from_secs(10))
        .lifetime(Duration::from_secs(100))
        .build()
        .unwrap();
    let grant = Grant::new("u", &NoClaims {});
    let token = codec.mint_at(&grant, NOW).unwrap();
    let kind = |at| {
        let verified = codec.verify_at(token.as_str(), at);
        verified.err().map(|error| error.kind())
    };
    assert_eq!(kind(NOW + Duration::from_millis(109_999)), None);
    assert_eq!(
        kind(NOW + Duration::from_secs(110)),
        Some(TokenErrorKind::Expired)
    );
    assert_eq!(kind(NOW - Duration::from_secs(10)), None);
    assert_eq!(
        kind(NOW - Duration::from_millis(10_001)),
        Some(TokenErrorKind::NotYetValid)
    );
}

#[test]
fn a_token_of_one_profile_is_none_of_another() {
    for minted in PROFILES {
        let mints: TokenCodec<Role> = builder(minted, &keys()).build().unwrap();
        let token = mints.mint_at(&grant(&role()), NOW).unwrap();
        for accepted in PROFILES {
            let codec: TokenCodec<Role> = builder(accepted, &keys()).build().unwrap();
            let verified = codec.verify_at(token.as_str(), NOW);
            assert_eq!(verified.is_ok(), minted == accepted);
        }
    }
}

#[test]
fn issuer_audience_and_type_are_compared() {
    for profile in PROFILES {
        let mints: TokenCodec<Role> = builder(profile, &keys()).build().unwrap();
        let token = mints.mint_at(&grant(&role()), NOW).unwrap();
        let kind = |builder: TokenCodecBuilder<Role>| {
            let codec = builder.build().unwrap();
            let verified = codec.verify_at(token.as_str(), NOW);
            verified.err().map(|error| error.kind())
        };
        let any = || profile.codec(&keys());
        assert_eq!(
            kind(any().issuer("https://x.example").audience("api")),
            Some(TokenErrorKind::Issuer)
        );
        assert_eq!(
            kind(any().issuer("https://id.example").audience("x")),
            Some(TokenErrorKind::Audience)
        );
        assert_eq!(
            kind(builder(profile, &keys()).token_types([named("other+jwt")])),
            Some(TokenErrorKind::HeaderParameter)
        );
        assert_eq!(
            kind(builder(profile, &keys()).max_token_bytes(token.as_str().len() - 1)),
            Some(TokenErrorKind::TooLarge)
        );
        assert_eq!(
            kind(builder(profile, &keys()).token_types([named("Application/AT+JWT")])),
            None
        );
        assert_eq!(
            kind(any().dangerous_any_issuer().dangerous_any_audience()),
            None
        );
        let several = any().issuer("x").issuer("https://id.example");
        assert_eq!(kind(several.audience("y").audience("api")), None);
    }
}

#[test]
fn other_token_types_are_minted_and_verified() {
    for profile in PROFILES {
        let codec: TokenCodec<Role> = builder(profile, &keys())
            .token_types([named("x+jwt")])
            .build()
            .unwrap();
        let token = codec.mint_at(&grant(&role()), NOW).unwrap();
        assert!(codec.verify_at(token.as_str(), NOW).is_ok());
        let usual: TokenCodec<Role> = builder(profile, &keys()).build().unwrap();
        let refused = usual.verify_at(token.as_str(), NOW).unwrap_err();
        assert_eq!(refused.kind(), TokenErrorKind::HeaderParameter);
        let any: TokenCodec<Role> = builder(profile, &keys())
            .token_types([TokenType::AccessToken, named("x+jwt")])
            .build()
            .unwrap();
        assert!(any.verify_at(token.as_str(), NOW).is_ok());
    }
}

#[test]
fn waived_names_may_be_absent() {
    for profile in PROFILES {
        let codec: TokenCodec = profile
            .codec(&keys())
            .dangerous_any_issuer()
            .dangerous_any_audience()
            .subject_optional()
            .build()
            .unwrap();
        let token = codec.mint("", &NoClaims {}).unwrap();
        let claims = codec.verify(token.as_str()).unwrap();
        assert_eq!((claims.subject(), claims.issuer()), ("", None));
    }
}

#[test]
fn unusable_settings_are_refused_when_building() {
    let setting = |builder: TokenCodecBuilder| {
        let built = builder.build();
        built.err().map(|error| error.setting().to_owned())
    };
    let new = || TokenCodec::nested(&keys());
    let good = || builder(Profile::Nested, &keys());
    let secs = Duration::from_secs;
    assert_eq!(setting(good()), None);
    assert_eq!(setting(new().audience("a")).as_deref(), Some("issuer"));
    assert_eq!(setting(new().issuer("a")).as_deref(), Some("audience"));
    assert_eq!(setting(good().issuer("")).as_deref(), Some("issuer"));
    assert_eq!(setting(good().audience("")).as_deref(), Some("audience"));
    assert_eq!(setting(good().leeway(secs(301))).as_deref(), Some("leeway"));
    for lifetime in [Duration::ZERO, Duration::from_millis(999), secs(86_401)] {
        assert_eq!(
            setting(good().lifetime(lifetime)).as_deref(),
            Some("lifetime")
        );
    }
    for bytes in [0, 65_537] {
        assert_eq!(
            setting(good().max_token_bytes(bytes)).as_deref(),
            Some("max_token_bytes")
        );
    }
    for typ in ["", "a b", "é"] {
        assert_eq!(
            setting(good().token_types([named(typ)])).as_deref(),
            Some("token_types")
        );
    }
    assert_eq!(
        setting(good().algorithms([])).as_deref(),
        Some("algorithms")
    );
    assert_eq!(
        setting(good().algorithms([SignatureAlgorithm::Es256])).as_deref(),
        Some("signing keys")
    );
}

#[test]
fn keys_of_other_algorithms_than_the_accepted_verify_nothing() {
    let jwk = |alg: &str, text: &str| {
        let k = base64_simd::URL_SAFE_NO_PAD.encode_to_string(text);
        format!(r#"{{"kty":"oct","alg":"{alg}","kid":"{alg}","k":"{k}"}}"#)
    };
    let short = jwk("HS256", "wIqtVOdBhoDoR5l792jqAmCfITGmH93E9KZIWrpf4uk");
    let long = jwk(
        "HS384",
        "l7ov_h7lG1BACMsyRinW-j5rZOyGhZLgjp9-pFxOHq8_9KZIWrpf4uk",
    );
    let ring = |first: &str, second: &str| {
        let builder = KeyRing::builder().jwk(first).jwk(second);
        builder.build().unwrap()
    };
    let other: TokenCodec = builder(Profile::Signed, &ring(&long, &short))
        .build()
        .unwrap();
    let token = other.mint("u", &NoClaims {}).unwrap();
    let keys = ring(&short, &long);
    let all: TokenCodec = builder(Profile::Signed, &keys).build().unwrap();
    assert!(all.verify(token.as_str()).is_ok());
    let one = builder::<NoClaims>(Profile::Signed, &keys).algorithms([SignatureAlgorithm::Hs256]);
    let one = one.build().unwrap();
    assert!(
        one.verify(one.mint("u", &NoClaims {}).unwrap().as_str())
            .is_ok()
    );
    let refused = one.verify(token.as_str()).unwrap_err();
    assert_eq!(refused.kind(), TokenErrorKind::Algorithm);
}

#[test]
fn a_token_that_would_not_verify_is_not_minted() {
    fn minted<C: Serialize>(custom: C) -> Result<(), String> {
        let codec: TokenCodec<C> = builder(Profile::Signed, &keys()).build().unwrap();
        codec
            .mint("u", &custom)
            .map(drop)
            .map_err(|e| e.to_string())
    }
    let object = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
    assert_eq!(minted(object(r#"{"a":{"exp":1},"scope":"x"}"#)), Ok(()));
    for name in [
        "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid", "cnf",
    ] {
        assert!(
            minted(object(&format!("{{\"{name}\":1}}"))).is_err(),
            "{name}"
        );
    }
    assert!(minted(object("[]")).is_err());
    assert!(minted(object("null")).is_err());
    assert!(minted(()).is_err());
    assert!(minted("text").is_err());
    assert!(minted(object(r#"{"scope":["a"]}"#)).is_err());
    assert!(minted(object(&format!("{{\"a\":\"{}\"}}", "x".repeat(8192)))).is_err());
    let codec: TokenCodec = builder(Profile::Signed, &keys()).build().unwrap();
    assert!(codec.mint("", &NoClaims {}).is_err());
}

#[test]
fn large_tokens_work_as_small_ones_do() {
    for profile in PROFILES {
        for len in [0, 1, 2, 3, 1000, 1400, 2047, 2048, 2049, 4000] {
            let codec: TokenCodec<Role> = builder(profile, &keys()).build().unwrap();
            let custom = Role {
                role: "x".repeat(len),
                scope: String::new(),
            };
            let token = codec.mint_at(&grant(&custom), NOW).unwrap();
            let claims = codec.verify_at(token.as_str(), NOW).unwrap();
            assert_eq!(*claims.custom(), custom);
        }
    }
}

#[test]
fn a_subject_of_any_text_comes_back() {
    let codec: TokenCodec = builder(Profile::Nested, &keys()).build().unwrap();
    for subject in [
        "a\"b\\c",
        "\n\t\u{0}\u{1f}",
        "é😀",
        "{\"sub\":\"x\"}",
        "a.b",
    ] {
        let token = codec.mint(subject, &NoClaims {}).unwrap();
        assert_eq!(codec.verify(token.as_str()).unwrap().subject(), subject);
    }
}

#[test]
fn tokens_of_the_old_key_verify_until_it_goes() {
    let a = b"wIqtVOdBhoDoR5l792jqAmCfITGmH93E9KZIWrpf4uk";
    let b = b"l7ov_h7lG1BACMsyRinW-j5rZOyGhZLgjp9-pFxOHq8";
    let ring = |first: &[u8], second: Option<&[u8]>| {
        let mut builder = KeyRing::builder().master(first);
        if let Some(second) = second {
            builder = builder.master(second);
        }
        builder.build().unwrap()
    };
    for profile in PROFILES {
        let keys = ring(a, None);
        let codec: TokenCodec = builder(profile, &keys).build().unwrap();
        let old = codec.mint("u", &NoClaims {}).unwrap();
        keys.rotate(ring(a, Some(b))).unwrap();
        let still_old = codec.mint("u", &NoClaims {}).unwrap();
        keys.rotate(ring(b, Some(a))).unwrap();
        let new = codec.mint("u", &NoClaims {}).unwrap();
        for token in [&old, &still_old, &new] {
            assert!(codec.verify(token.as_str()).is_ok());
        }
        keys.rotate(ring(b, None)).unwrap();
        assert!(codec.verify(new.as_str()).is_ok());
        for token in [&old, &still_old] {
            let refused = codec.verify(token.as_str()).unwrap_err();
            assert_eq!(refused.kind(), TokenErrorKind::Key);
        }
    }
}

#[test]
fn debug_shows_no_claims_and_no_token() {
    let codec: TokenCodec<Role> = builder(Profile::Nested, &keys()).build().unwrap();
    let custom = role();
    let token = codec.mint_at(&grant(&custom), NOW).unwrap();
    let claims = codec.verify_at(token.as_str(), NOW).unwrap();
    let shown = format!(
        "{codec:?} {token:?} {claims:?} {:?} {:?}",
        claims.context(),
        grant(&custom)
    );
    for hidden in [token.as_str(), "user-1", "editor", "read write"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}

/// Claims that are JSON already are written as they are, and spaces make no member of nothing.
#[test]
fn claims_with_spaces_in_them_are_read_again() {
    let keys = KeyRing::generate().unwrap();
    let mints = TokenCodec::<Box<serde_json::value::RawValue>>::signed(&keys)
        .issuer("https://id.example")
        .audience("api")
        .build()
        .unwrap();
    let reads: TokenCodec<serde_json::Value> = TokenCodec::signed(&keys)
        .issuer("https://id.example")
        .audience("api")
        .build()
        .unwrap();
    for text in ["{}", "{ }", "{\n}", "{ \"role\" : 1 }"] {
        let custom = serde_json::value::RawValue::from_string(text.to_owned()).unwrap();
        let token = mints.mint("user-1", &custom).unwrap();
        let claims = reads.verify(token.as_str()).unwrap();
        let expected: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(claims.custom(), &expected, "{text}");
    }
}
