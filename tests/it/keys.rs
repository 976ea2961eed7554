//! Keys as an application sees them: where they come from, rotation, what is published.

use crate::support::profile::Profile;
use tower_bearer::{
    KeyRing, NoClaims, SignatureAlgorithm, Timestamp, TokenCodec, TokenErrorKind, token::Grant,
};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// Test-only secrets.
const OLD: &[u8] = b"7c1e0b9fd25a4836b8e1f0c3a59d7264";
const NEW: &[u8] = b"e92b57a0c6d1483f9a07b5e2d83c641f";
const OLD_KEY: &[u8; 32] = b"41f0e7b92c6d5a83f2e19b0d7c84a356";
const NEW_KEY: &[u8; 32] = b"b5d28e7f03a9c164e8f7250a9bd6c13e";

fn codec(profile: Profile, keys: &KeyRing) -> TokenCodec {
    let builder = profile.codec(keys).issuer("https://id.example");
    builder.audience("api").build().unwrap()
}

fn mint(codec: &TokenCodec) -> String {
    let grant = Grant::new("user-1", &NoClaims {});
    codec.mint_at(&grant, NOW).unwrap().as_str().to_owned()
}

fn refusal(codec: &TokenCodec, token: &str) -> Option<TokenErrorKind> {
    codec.verify_at(token, NOW).err().map(|error| error.kind())
}

fn ring(secrets: &[&[u8]], keys: &[&[u8]]) -> KeyRing {
    let mut builder = KeyRing::builder();
    for secret in secrets {
        builder = builder.access_secret(secret);
    }
    for key in keys {
        builder = builder.encryption_key(key);
    }
    builder.build().unwrap()
}

#[test]
fn rotation_in_two_steps_refuses_no_token_in_between() {
    // Two instances, whose operators never act at the same time.
    let stages = [
        ring(&[OLD], &[OLD_KEY]),
        ring(&[OLD, NEW], &[OLD_KEY, NEW_KEY]),
        ring(&[NEW, OLD], &[NEW_KEY, OLD_KEY]),
    ];
    for pair in stages.windows(2) {
        let [before, after] = pair else { continue };
        let (one, two) = (
            codec(Profile::Nested, before),
            codec(Profile::Nested, after),
        );
        assert_eq!(refusal(&one, &mint(&two)), None);
        assert_eq!(refusal(&two, &mint(&one)), None);
    }
}

#[test]
fn a_codec_follows_its_ring_and_the_dropped_key_is_refused() {
    let keys = ring(&[OLD], &[OLD_KEY]);
    let codec = codec(Profile::Nested, &keys);
    let old = mint(&codec);
    assert_eq!(refusal(&codec, &old), None);

    keys.rotate(ring(&[NEW, OLD], &[NEW_KEY, OLD_KEY])).unwrap();
    let new = mint(&codec.clone());
    assert_eq!(refusal(&codec, &old), None);
    assert_eq!(refusal(&codec, &new), None);

    keys.rotate(ring(&[NEW], &[NEW_KEY])).unwrap();
    assert_eq!(refusal(&codec, &old), Some(TokenErrorKind::Key));
    assert_eq!(refusal(&codec, &new), None);
}

#[test]
fn rotation_never_takes_a_purpose_away() {
    let keys = KeyRing::generate().unwrap();
    let token = mint(&codec(Profile::Nested, &keys));
    let error = keys.rotate(ring(&[NEW], &[])).unwrap_err();
    assert_eq!(error.setting(), "encryption keys");
    let error = keys.rotate(ring(&[NEW], &[NEW_KEY])).unwrap_err();
    assert_eq!(error.setting(), "refresh secrets");
    assert_eq!(refusal(&codec(Profile::Nested, &keys), &token), None);
}

#[test]
fn encryptions_are_counted() {
    let keys = KeyRing::generate().unwrap();
    let codec = codec(Profile::Nested, &keys);
    for _ in 0..3 {
        mint(&codec);
    }
    assert_eq!(keys.encryptions(), 3);
    assert!(keys.encryptions() < KeyRing::ENCRYPTION_LIMIT);
}

#[test]
fn one_secret_for_two_purposes_is_refused() {
    let builder = KeyRing::builder().access_secret(OLD);
    let error = builder.encryption_key(OLD).build().unwrap_err();
    assert_eq!(error.setting(), "encryption key");
    // Through a JWK too.
    let k = base64_simd::URL_SAFE_NO_PAD.encode_to_string(OLD);
    let jwk = format!(r#"{{"kty":"oct","alg":"dir","k":"{k}"}}"#);
    let builder = KeyRing::builder().access_secret(OLD).jwk(&jwk);
    let error = builder.build().unwrap_err();
    assert_eq!(error.setting(), "JWK");
    assert!(!error.to_string().contains(&k));
}

#[test]
fn weak_and_missing_keys_are_errors_that_name_the_setting() {
    let refused = [
        (KeyRing::from_master(b"too short"), "master secret"),
        (KeyRing::from_master(&[7; 32]), "master secret"),
        (KeyRing::builder().build(), "key ring"),
        (
            KeyRing::builder().access_secret(&OLD[1..]).build(),
            "access secret",
        ),
        (
            KeyRing::builder().encryption_key(&OLD[1..]).build(),
            "encryption key",
        ),
        (
            KeyRing::builder().refresh_secret(b"").build(),
            "refresh secret",
        ),
        (KeyRing::builder().jwk("{}").build(), "JWK"),
        (KeyRing::builder().jwks("[]").build(), "JWK Set"),
        (KeyRing::verifier(r#"{"keys":[]}"#), "JWK Set"),
    ];
    for (result, setting) in refused {
        assert_eq!(result.unwrap_err().setting(), setting);
    }
}

#[test]
fn wrapped_keys_are_refused_by_name_when_the_feature_is_off() {
    let k = base64_simd::URL_SAFE_NO_PAD.encode_to_string(OLD_KEY);
    let jwk = format!(r#"{{"kty":"oct","alg":"A256KW","k":"{k}"}}"#);
    let refused = KeyRing::builder().jwk(&jwk).build().err();
    assert_eq!(refused.is_none(), cfg!(feature = "josekit"));
    assert!(refused.is_none_or(|error| error.problem().contains("josekit")));
}

#[test]
fn a_verifier_accepts_what_the_published_set_signs_and_mints_nothing() {
    // RFC 8037 appendix A.1.
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","kid":"ed-1","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let issuer = KeyRing::builder()
        .jwk(jwk)
        .access_secret(OLD)
        .build()
        .unwrap();
    let published = issuer.jwks();
    assert_eq!(
        published,
        r#"{"keys":[{"kty":"OKP","use":"sig","alg":"EdDSA","kid":"ed-1","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#
    );
    let token = mint(&codec(Profile::Signed, &issuer));
    let verifier = codec(Profile::Signed, &KeyRing::verifier(&published).unwrap());
    assert_eq!(refusal(&verifier, &token), None);
    let grant = Grant::new("user-1", &NoClaims {});
    assert!(verifier.mint_at(&grant, NOW).is_err());
}

#[test]
fn nothing_public_prints_a_key() {
    let builder = KeyRing::builder()
        .access_secret(OLD)
        .encryption_key(OLD_KEY);
    let mut texts = vec![format!("{builder:?}")];
    let ring = builder.refresh_secret(NEW).build().unwrap();
    texts.push(format!("{ring:?} {ring:#?}"));
    texts.push(format!("{:?}", codec(Profile::Nested, &ring)));
    texts.push(format!("{:?}", SignatureAlgorithm::Hs256));
    for text in texts {
        for secret in [OLD, OLD_KEY.as_slice(), NEW] {
            let plain = std::str::from_utf8(secret).unwrap();
            let encoded = base64_simd::URL_SAFE_NO_PAD.encode_to_string(secret);
            let bytes = format!("{secret:?}");
            for form in [plain, &encoded, &bytes] {
                assert!(!text.contains(&form[1..16]), "{text}");
            }
        }
    }
}

#[test]
fn a_key_of_zeros_is_taken_only_by_name() {
    let k = base64_simd::URL_SAFE_NO_PAD.encode_to_string([0; 32]);
    let jwk = format!(r#"{{"kty":"oct","alg":"HS256","k":"{k}"}}"#);
    let error = KeyRing::builder().jwk(&jwk).build().unwrap_err();
    assert!(error.problem().contains("random"), "{error}");
    let ring = KeyRing::builder().dangerous_weak_secrets().jwk(&jwk);
    assert!(ring.build().is_ok());
    // Length is never waived.
    let short = KeyRing::builder().dangerous_weak_secrets();
    assert!(short.access_secret(&OLD[1..]).build().is_err());
}
