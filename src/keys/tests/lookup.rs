//! Which keys a token of another service may be of.

use ::ring::signature::{Ed25519KeyPair, KeyPair};

use super::*;

#[test]
fn a_kid_selects_and_never_overrides_the_algorithm() {
    let ring = KeyRing::builder().jwk(ED25519).jwk(P256).build().unwrap();
    let keys = ring.load();
    use SignatureAlgorithm as Alg;
    let find = |kid, alg| keys.signing_by(kid, alg, None);
    assert!(find(Some("ed"), Alg::EdDsa).is_ok());
    let wrong = find(Some("ed"), Alg::Es256).unwrap_err();
    assert_eq!(wrong, LookupError::Algorithm);
    let unknown = find(Some("x"), Alg::EdDsa).unwrap_err();
    assert_eq!(unknown, LookupError::Unknown);
    assert_eq!(find(None, Alg::EdDsa).unwrap()[0].kid(), Some("ed"));
    let none = find(None, Alg::Hs256).unwrap_err();
    assert_eq!(none, LookupError::Algorithm);
}

fn ed_public(seed: u8, members: &str) -> String {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
    let x = base64_simd::URL_SAFE_NO_PAD.encode_to_string(pair.public_key());
    format!(r#"{{"kty":"OKP","crv":"Ed25519",{members}"x":"{x}"}}"#)
}

fn verifier(keys: &[String]) -> KeyRing {
    KeyRing::verifier(&format!(r#"{{"keys":[{}]}}"#, keys.join(","))).unwrap()
}

/// How many keys a token of this header is tried with.
fn tried(ring: &KeyRing, kid: Option<&str>) -> usize {
    let alg = SignatureAlgorithm::EdDsa;
    let keys = ring.load();
    keys.signing_by(kid, alg, None).map_or(0, |keys| keys.len())
}

#[test]
fn keys_of_one_name_or_none_are_tried_up_to_four() {
    let named: Vec<_> = (0..9).map(|n| ed_public(n, r#""kid":"a","#)).collect();
    let nameless: Vec<_> = (0..9).map(|n| ed_public(n, "")).collect();
    for keys in [&named, &nameless] {
        for count in [1, 2, 4, 5, 9] {
            let ring = verifier(&keys[..count]);
            assert_eq!(tried(&ring, Some("a")), count.min(4));
            // Between several names the issuer has to choose.
            let without = if keys[0].contains("kid") {
                usize::from(count == 1)
            } else {
                count.min(4)
            };
            assert_eq!(tried(&ring, None), without);
            // The header that keys write is a short cut to one key alone.
            let keys = ring.load();
            let token = format!("{}.e30.x", keys.signing[0].encoded_header());
            assert_eq!(
                keys.signing_by_header(token.as_bytes()).is_some(),
                count == 1
            );
        }
    }
    assert_eq!(tried(&verifier(&named[..2]), Some("b")), 0);
    assert_eq!(tried(&verifier(&nameless[..2]), Some("b")), 2);
}

/// RFC 7517 section 4.5 names this use of one `kid`, and some issuers publish it.
#[test]
fn one_name_for_several_algorithms() {
    let (ed, ec) = (
        ed_public(1, r#""kid":"a","#),
        public(P256).replace("\"ec\"", "\"a\""),
    );
    let ring = verifier(&[ed, ec]);
    let keys = ring.load();
    use SignatureAlgorithm as Alg;
    for alg in [Alg::EdDsa, Alg::Es256] {
        let found = keys.signing_by(Some("a"), alg, None).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].algorithm(), alg);
    }
    let none = keys.signing_by(Some("a"), Alg::Rs256, None);
    assert_eq!(none.unwrap_err(), LookupError::Algorithm);
}

#[test]
fn an_rsa_key_without_an_algorithm_is_for_what_the_verifier_says() {
    let bare = RSA.replace(r#""alg":"RS256","#, "");
    assert_ne!(bare, RSA);
    use SignatureAlgorithm as Alg;
    let found = |jwk: &str, alg, rsa| {
        let ring = verifier(&[jwk.to_owned()]);
        let keys = ring.load();
        keys.signing_by(None, alg, Some(rsa)).is_ok()
    };
    assert!(found(&bare, Alg::Rs256, Alg::Rs256) && found(&bare, Alg::Ps384, Alg::Ps384));
    assert!(!found(&bare, Alg::Ps384, Alg::Rs256) && !found(&bare, Alg::Rs256, Alg::Ps384));
    assert!(found(RSA, Alg::Rs256, Alg::Ps384) && !found(RSA, Alg::Ps384, Alg::Ps384));
}

/// The private half taken off.
fn public(jwk: &str) -> String {
    jwk.split(",\"d\"").next().unwrap().to_owned() + "}"
}
