//! josekit on the other side. It verifies and opens our tokens, and we verify its tokens, for every algorithm that both
//! have.

use crate::support::profile::Profile;
use josekit::{
    jwe::{
        self, JweDecrypter, JweEncrypter, JweHeader,
        alg::{
            aeskw::AeskwJweAlgorithm, direct::DirectJweAlgorithm, ecdh_es::EcdhEsJweAlgorithm,
            rsaes::RsaesJweAlgorithm,
        },
    },
    jwk::{
        Jwk, KeyPair,
        alg::{
            ec::{EcCurve, EcKeyPair},
            ecx::EcxCurve,
            ed::{EdCurve, EdKeyPair},
            rsa::RsaKeyPair,
        },
    },
    jws::{self, JwsHeader, JwsSigner, JwsVerifier},
};
use serde_json::{Value, json};
use tower_bearer::{
    KeyRing, NoClaims, SignatureAlgorithm, Timestamp, TokenCodec, TokenError, TokenErrorKind,
    token::Grant,
};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const SIGNING: [&str; 12] = [
    "HS256", "HS384", "HS512", "EdDSA", "ES256", "ES384", "RS256", "RS384", "RS512", "PS256",
    "PS384", "PS512",
];
const CONTENT: [&str; 2] = ["A128GCM", "A256GCM"];

/// A key pair for signing with `alg`.
fn signing_key(alg: &str, rsa: &Jwk) -> Jwk {
    let mut jwk = match alg {
        "HS256" => Jwk::generate_oct_key(32).unwrap(),
        "HS384" => Jwk::generate_oct_key(48).unwrap(),
        "HS512" => Jwk::generate_oct_key(64).unwrap(),
        "EdDSA" => Jwk::generate_ed_key(EdCurve::Ed25519).unwrap(),
        "ES256" => Jwk::generate_ec_key(EcCurve::P256).unwrap(),
        "ES384" => Jwk::generate_ec_key(EcCurve::P384).unwrap(),
        _ => rsa.clone(),
    };
    jwk.set_algorithm(alg);
    jwk.set_key_id("sig-1");
    jwk
}

/// A key for each way to agree on a content key; the curve tells the agreements apart.
fn encryption_keys(enc: &str, rsa: &Jwk) -> Vec<Jwk> {
    let len = if enc == "A128GCM" { 16 } else { 32 };
    let agreement = "ECDH-ES+A256KW";
    let keys = [
        ("dir", Jwk::generate_oct_key(len).unwrap()),
        ("A256KW", Jwk::generate_oct_key(32).unwrap()),
        ("RSA-OAEP-256", rsa.clone()),
        (agreement, Jwk::generate_ec_key(EcCurve::P256).unwrap()),
        (agreement, Jwk::generate_ec_key(EcCurve::P384).unwrap()),
        (agreement, Jwk::generate_ecx_key(EcxCurve::X25519).unwrap()),
    ];
    keys.map(|(alg, mut jwk)| {
        jwk.set_algorithm(alg);
        jwk.set_key_id("enc-1");
        jwk.set_parameter("enc", Some(enc.into())).unwrap();
        jwk
    })
    .into()
}

fn signer(jwk: &Jwk) -> (Box<dyn JwsSigner>, Box<dyn JwsVerifier>) {
    macro_rules! both {
        ($alg:expr) => {
            (
                Box::new($alg.signer_from_jwk(jwk).unwrap()),
                Box::new($alg.verifier_from_jwk(jwk).unwrap()),
            )
        };
    }
    match jwk.algorithm().unwrap() {
        "HS256" => both!(jws::HS256),
        "HS384" => both!(jws::HS384),
        "HS512" => both!(jws::HS512),
        "EdDSA" => both!(jws::EdDSA),
        "ES256" => both!(jws::ES256),
        "ES384" => both!(jws::ES384),
        "RS256" => both!(jws::RS256),
        "RS384" => both!(jws::RS384),
        "RS512" => both!(jws::RS512),
        "PS256" => both!(jws::PS256),
        "PS384" => both!(jws::PS384),
        "PS512" => both!(jws::PS512),
        other => unreachable!("{other} is not in the list"),
    }
}

fn encrypter(jwk: &Jwk) -> (Box<dyn JweEncrypter>, Box<dyn JweDecrypter>) {
    match jwk.algorithm().unwrap() {
        "dir" => (
            Box::new(DirectJweAlgorithm::Dir.encrypter_from_jwk(jwk).unwrap()),
            Box::new(DirectJweAlgorithm::Dir.decrypter_from_jwk(jwk).unwrap()),
        ),
        "A256KW" => (
            Box::new(AeskwJweAlgorithm::A256kw.encrypter_from_jwk(jwk).unwrap()),
            Box::new(AeskwJweAlgorithm::A256kw.decrypter_from_jwk(jwk).unwrap()),
        ),
        "RSA-OAEP-256" => {
            let alg = RsaesJweAlgorithm::RsaOaep256;
            (
                Box::new(alg.encrypter_from_jwk(jwk).unwrap()),
                Box::new(alg.decrypter_from_jwk(jwk).unwrap()),
            )
        }
        _ => {
            let alg = EcdhEsJweAlgorithm::EcdhEsA256kw;
            let mut encrypter = alg.encrypter_from_jwk(jwk).unwrap();
            // Both parties named: the key derivation has to take them in as well.
            encrypter.set_agreement_partyuinfo("Alice");
            encrypter.set_agreement_partyvinfo("Bob");
            let decrypter = alg.decrypter_from_jwk(jwk).unwrap();
            (Box::new(encrypter), Box::new(decrypter))
        }
    }
}

fn ring(keys: &[&Jwk]) -> KeyRing {
    let mut builder = KeyRing::builder();
    for key in keys {
        builder = builder.jwk(&Value::Object(key.as_ref().clone()).to_string());
    }
    builder.build().unwrap()
}

fn codec(profile: Profile, ring: &KeyRing) -> TokenCodec {
    let builder = profile.codec(ring).issuer("https://id.example");
    builder.audience("api").build().unwrap()
}

fn mint(codec: &TokenCodec) -> String {
    let grant = Grant::new("user-1", &NoClaims {});
    codec.mint_at(&grant, NOW).unwrap().as_str().to_owned()
}

fn claims() -> Vec<u8> {
    json!({
        "iss": "https://id.example", "aud": "api", "sub": "user-1",
        "iat": NOW.as_secs(), "exp": NOW.as_secs() + 900,
    })
    .to_string()
    .into_bytes()
}

#[track_caller]
fn assert_ours(payload: &[u8]) {
    let claims: Value = serde_json::from_slice(payload).unwrap();
    assert_eq!(claims["sub"], "user-1");
    assert_eq!(claims["exp"], NOW.as_secs() + 900);
}

fn subject(codec: &TokenCodec, token: &str) -> Result<String, TokenError> {
    let claims = codec.verify_at(token, NOW)?;
    Ok(claims.subject().to_owned())
}

fn sign(jwk: &Jwk, typ: &str) -> String {
    let mut header = JwsHeader::new();
    header.set_token_type(typ);
    jws::serialize_compact(&claims(), &header, &*signer(jwk).0).unwrap()
}

fn encrypt(jwk: &Jwk, header: &JweHeader, content: &[u8]) -> String {
    let mut header = header.clone();
    let enc = jwk.parameter("enc").and_then(Value::as_str).unwrap();
    header.set_content_encryption(enc);
    jwe::serialize_compact(content, &header, &*encrypter(jwk).0).unwrap()
}

/// The same key under no name: a token without `kid` is taken when one key fits.
fn nameless(jwk: &Jwk) -> Jwk {
    let mut jwk = jwk.clone();
    jwk.set_parameter("kid", None).unwrap();
    jwk
}

#[test]
fn signed_tokens_go_both_ways() {
    let rsa = Jwk::generate_rsa_key(2048).unwrap();
    for alg in SIGNING {
        let jwk = signing_key(alg, &rsa);
        let ring = ring(&[&jwk]);
        let codec = codec(Profile::Signed, &ring);
        let verifier = signer(&jwk).1;
        let (payload, header) = jws::deserialize_compact(mint(&codec), &*verifier).unwrap();
        assert_ours(&payload);
        assert_eq!(header.token_type(), Some("at+jwt"));

        let token = sign(&jwk, "at+jwt");
        assert_eq!(subject(&codec, &token).unwrap(), "user-1", "{alg}");
        assert!(subject(&codec, &sign(&nameless(&jwk), "application/at+jwt")).is_ok());
        if !alg.starts_with("HS") {
            let public = KeyRing::verifier(&ring.jwks()).unwrap();
            let codec = self::codec(Profile::Signed, &public);
            assert_eq!(subject(&codec, &token).unwrap(), "user-1", "{alg}");
        }

        let other_rsa = Jwk::generate_rsa_key(2048).unwrap();
        let error = subject(&codec, &sign(&signing_key(alg, &other_rsa), "at+jwt")).unwrap_err();
        assert_eq!(error.kind(), TokenErrorKind::Signature, "{alg}");
    }
}

#[test]
fn nested_tokens_go_both_ways() {
    let rsa = Jwk::generate_rsa_key(2048).unwrap();
    let signing = [signing_key("HS256", &rsa), signing_key("ES256", &rsa)];
    for enc in CONTENT {
        for outer in encryption_keys(enc, &rsa) {
            for inner in &signing {
                let name = (outer.algorithm().unwrap(), enc, inner.algorithm().unwrap());
                let codec = codec(Profile::Nested, &ring(&[inner, &outer]));
                let (decrypter, verifier) = (encrypter(&outer).1, signer(inner).1);
                let (content, header) =
                    jwe::deserialize_compact(&mint(&codec), &*decrypter).unwrap();
                assert_eq!(header.content_type(), Some("JWT"));
                let (payload, _) = jws::deserialize_compact(&content, &*verifier).unwrap();
                assert_ours(&payload);

                let mut header = JweHeader::new();
                header.set_content_type("JWT");
                let token = encrypt(&outer, &header, sign(inner, "at+jwt").as_bytes());
                assert_eq!(subject(&codec, &token).unwrap(), "user-1", "{name:?}");
                let inner = sign(&nameless(inner), "at+jwt");
                let token = encrypt(&nameless(&outer), &header, inner.as_bytes());
                assert_eq!(subject(&codec, &token).unwrap(), "user-1", "{name:?}");
            }
        }
    }
}

#[test]
fn encrypted_claims_go_both_ways_under_a_shared_key() {
    let rsa = Jwk::generate_rsa_key(2048).unwrap();
    for enc in CONTENT {
        for jwk in encryption_keys(enc, &rsa) {
            let ring = ring(&[&jwk]);
            if !matches!(jwk.algorithm().unwrap(), "dir" | "A256KW") {
                // Every client can encrypt to a public key, so nothing would be authenticated.
                let builder = TokenCodec::<NoClaims>::encrypted(&ring);
                assert!(builder.issuer("i").audience("a").build().is_err());
                continue;
            }
            let codec = codec(Profile::Encrypted, &ring);
            let decrypter = encrypter(&jwk).1;
            let (payload, _) = jwe::deserialize_compact(&mint(&codec), &*decrypter).unwrap();
            assert_ours(&payload);
            let mut header = JweHeader::new();
            header.set_token_type("at+jwt");
            let token = encrypt(&jwk, &header, &claims());
            assert_eq!(subject(&codec, &token).unwrap(), "user-1");
        }
    }
}

#[test]
fn a_changed_token_is_refused_wherever_it_is_changed() {
    let rsa = Jwk::generate_rsa_key(2048).unwrap();
    let inner = signing_key("HS256", &rsa);
    for outer in encryption_keys("A256GCM", &rsa) {
        let codec = codec(Profile::Nested, &ring(&[&inner, &outer]));
        let token = mint(&codec);
        assert!(subject(&codec, &token).is_ok());
        let mut bytes = token.clone().into_bytes();
        // Public-key unwrapping is slow; every part is still met many times.
        for at in (0..bytes.len()).step_by(3) {
            let kept = bytes[at];
            bytes[at] = if kept == b'A' { b'B' } else { b'A' };
            let changed = std::str::from_utf8(&bytes).unwrap();
            assert!(subject(&codec, changed).is_err(), "{at} of {token}");
            bytes[at] = kept;
        }
        // A part that is missing, shorter or longer is refused and never a panic.
        let parts: Vec<&str> = token.split('.').collect();
        for index in 0..parts.len() {
            for part in ["", "A", "AA", "AAAA", "AAAAAAAAAAA", &"A".repeat(4000)] {
                let mut parts = parts.clone();
                if parts[index] == part {
                    continue;
                }
                parts[index] = part;
                assert!(subject(&codec, &parts.join(".")).is_err());
            }
        }
    }
}

#[test]
fn key_files_that_it_writes_are_read() {
    let pairs: [(&str, Box<dyn KeyPair>); 4] = [
        (
            "EdDSA",
            Box::new(EdKeyPair::generate(EdCurve::Ed25519).unwrap()),
        ),
        (
            "ES256",
            Box::new(EcKeyPair::generate(EcCurve::P256).unwrap()),
        ),
        (
            "ES384",
            Box::new(EcKeyPair::generate(EcCurve::P384).unwrap()),
        ),
        ("PS256", Box::new(RsaKeyPair::generate(2048).unwrap())),
    ];
    for (name, pair) in pairs {
        let alg: SignatureAlgorithm = name.parse().unwrap();
        let mut jwk = pair.to_jwk_key_pair();
        jwk.set_algorithm(name);
        jwk.set_key_id("k");
        let jwk = KeyRing::builder().jwk(&jwk.to_string()).build().unwrap();
        for pem in [pair.to_pem_private_key(), pair.to_pem_public_key()] {
            let pem = String::from_utf8(pem).unwrap();
            let ring = KeyRing::builder().pem(alg, Some("k"), &pem).build();
            assert_eq!(ring.unwrap().jwks(), jwk.jwks(), "{name}");
        }
        for der in [pair.to_der_private_key(), pair.to_der_public_key()] {
            let ring = KeyRing::builder().der(alg, Some("k"), &der).build();
            assert_eq!(ring.unwrap().jwks(), jwk.jwks(), "{name}");
        }
    }
}
