//! A header that a key of ours writes is recognised by its bytes; every other one is parsed. Both ways must have the
//! same result, whatever keys are in the ring and however the header is spelled. Each header is tried as our keys write
//! it and in other spellings, against a model of the rules.

use ring::{
    aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hmac,
};
use serde_json::json;
use tower_bearer::{KeyRing, Timestamp, TokenCodec, TokenErrorKind, token::TokenType};

use crate::support::profile::Profile;
use crate::token_support::base64url;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const CLAIMS: &str = r#"{"iss":"https://id.example","sub":"user-1","aud":"api","exp":1800000300}"#;

/// Test-only secrets.
const SECRETS: [&[u8; 48]; 2] = [
    b"u2Kq9ZfX7sLw3VbTn6RcYp0EhJ8mGdAa5iOkQxWz1MyBvNtC",
    b"cT5nHw8yPq2LrXz7KbVd0MfJ4sGeUa9WiZoQhE3xYkR6jBmS",
];
const KIDS: [Option<&str>; 4] = [None, Some("a"), Some("b"), Some("unknown")];

/// A key of the ring: its secret, whether it is for the longer algorithm, and its name.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Key {
    secret: usize,
    long: bool,
    kid: Option<&'static str>,
}

/// A token's header, and the key it was really made with.
#[derive(Clone, Copy, Debug)]
struct Made {
    secret: usize,
    long: bool,
    kid: Option<&'static str>,
    typ: Option<&'static str>,
}

/// Every ring of one or two such keys, those included that cannot be built.
fn rings() -> Vec<Vec<Key>> {
    let mut keys = Vec::new();
    for (long, kid) in [false, true]
        .into_iter()
        .flat_map(|l| KIDS[..3].iter().map(move |k| (l, *k)))
    {
        keys.push((long, kid));
    }
    let key = |secret, (long, kid)| Key { secret, long, kid };
    let one = keys.iter().map(|k| vec![key(0, *k)]);
    let pairs = keys.iter().flat_map(|a| keys.iter().map(move |b| (a, b)));
    let two = pairs.map(|(a, b)| vec![key(0, *a), key(1, *b)]);
    one.chain(two).collect()
}

/// The rule in other words. A known name stands for its key alone. A token without one, or whose name may be that of a
/// nameless key, needs exactly one key that fits.
fn expected(keys: &[Key], made: Made, signed: bool) -> Option<TokenErrorKind> {
    let named: Vec<_> = keys
        .iter()
        .filter(|k| k.kid.is_some() && k.kid == made.kid)
        .collect();
    let candidates = match named.is_empty() {
        false => named,
        true if made.kid.is_some() => keys.iter().filter(|k| k.kid.is_none()).collect(),
        true => keys.iter().collect(),
    };
    let of_alg: Vec<_> = candidates.iter().filter(|k| k.long == made.long).collect();
    let known = candidates
        .iter()
        .any(|k| k.kid.is_some() && k.kid == made.kid);
    match of_alg[..] {
        [] if made.kid.is_some() && !known => Some(TokenErrorKind::Key),
        [] => Some(TokenErrorKind::Algorithm),
        [key] if key.secret == made.secret => None,
        [_] => Some(TokenErrorKind::Signature),
        // Signing keys without a name are tried.
        _ if signed && of_alg.iter().any(|k| k.kid.is_none()) => {
            let mut nameless = of_alg.iter().filter(|k| k.kid.is_none());
            match nameless.any(|k| k.secret == made.secret) {
                true => None,
                false => Some(TokenErrorKind::Signature),
            }
        }
        _ => Some(TokenErrorKind::Key),
    }
}

/// The same header as our keys write it, reversed, spaced, escaped, and with a foreign member.
fn spellings(members: &[(&str, Option<&str>)]) -> Vec<String> {
    let members: Vec<_> = members
        .iter()
        .filter_map(|(n, v)| Some((*n, (*v)?)))
        .collect();
    let write = |members: &[(&str, &str)], comma: &str| {
        let members = members
            .iter()
            .map(|(n, v)| format!("{}:{}", json!(n), json!(v)));
        format!("{{{}}}", members.collect::<Vec<_>>().join(comma))
    };
    let ours = write(&members, ",");
    let reversed: Vec<_> = members.iter().rev().copied().collect();
    vec![
        write(&reversed, ","),
        write(&members, " ,\n\t"),
        ours.replace("\"alg\"", "\"\\u0061lg\"")
            .replace("\"kid\"", "\"k\\u0069d\""),
        ours.replace(
            "{",
            "{\"jku\":\"https://evil.example\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"},",
        ),
        ours,
    ]
}

fn sign(made: Made, header: &str) -> String {
    let algorithm = if made.long {
        hmac::HMAC_SHA384
    } else {
        hmac::HMAC_SHA256
    };
    let input = format!("{}.{}", base64url(header), base64url(CLAIMS));
    let mac = hmac::sign(
        &hmac::Key::new(algorithm, SECRETS[made.secret]),
        input.as_bytes(),
    );
    format!("{input}.{}", base64url(mac))
}

fn content_key(secret: usize, long: bool) -> &'static [u8] {
    &SECRETS[secret][..if long { 32 } else { 16 }]
}

fn encrypt(made: Made, header: &str, content: &str) -> String {
    let algorithm = if made.long {
        &AES_256_GCM
    } else {
        &AES_128_GCM
    };
    let key = UnboundKey::new(algorithm, content_key(made.secret, made.long)).unwrap();
    let (header, iv) = (base64url(header), [7; 12]);
    let mut content = content.as_bytes().to_vec();
    let tag = LessSafeKey::new(key)
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(iv),
            Aad::from(header.as_bytes()),
            &mut content,
        )
        .unwrap();
    format!(
        "{header}..{}.{}.{}",
        base64url(iv),
        base64url(content),
        base64url(tag)
    )
}

fn jwk(alg: &str, key: &[u8], kid: Option<&str>) -> String {
    let mut jwk = json!({ "kty": "oct", "alg": alg, "k": base64url(key) });
    if let Some(kid) = kid {
        jwk["kid"] = kid.into();
    }
    jwk.to_string()
}

fn x() -> TokenType {
    TokenType::Named("x+jwt".into())
}

fn codecs(profile: Profile, ring: &KeyRing) -> [(TokenCodec, Option<&'static str>); 3] {
    let builder = || {
        profile
            .codec(ring)
            .issuer("https://id.example")
            .audience("api")
    };
    [
        (builder().build().unwrap(), Some("at+jwt")),
        (builder().token_types([x()]).build().unwrap(), Some("x+jwt")),
        (
            builder()
                .token_types([TokenType::AccessToken, TokenType::Absent, x()])
                .build()
                .unwrap(),
            None,
        ),
    ]
}

/// Every token that can be made with these keys, under every name and type.
fn every_token() -> impl Iterator<Item = Made> {
    let names = KIDS
        .iter()
        .flat_map(|kid| [None, Some("at+jwt"), Some("x+jwt")].map(|typ| (*kid, typ)));
    let keys = [(0, false), (0, true), (1, false), (1, true)];
    names.flat_map(move |(kid, typ)| {
        keys.map(|(secret, long)| Made {
            secret,
            long,
            kid,
            typ,
        })
    })
}

#[test]
fn every_spelling_of_a_signed_header_comes_to_the_same_end() {
    let (mut accepted, mut refused) = (0, 0);
    for keys in rings() {
        let mut builder = KeyRing::builder();
        for key in &keys {
            let alg = if key.long { "HS384" } else { "HS256" };
            builder = builder.jwk(&jwk(alg, SECRETS[key.secret], key.kid));
        }
        let Ok(ring) = builder.build() else { continue };
        for (codec, typ) in codecs(Profile::Signed, &ring) {
            for made in every_token() {
                let mut wanted = expected(&keys, made, true);
                let lookup = matches!(
                    wanted,
                    Some(TokenErrorKind::Key | TokenErrorKind::Algorithm)
                );
                if !lookup && typ.is_some() && made.typ != typ {
                    wanted = Some(TokenErrorKind::HeaderParameter);
                }
                let alg = if made.long { "HS384" } else { "HS256" };
                for header in spellings(&[("alg", Some(alg)), ("typ", made.typ), ("kid", made.kid)])
                {
                    let verified = codec.verify_at(&sign(made, &header), NOW);
                    let found = verified.err().map(|error| error.kind());
                    assert_eq!(found, wanted, "{keys:?} {typ:?} {made:?} {header}");
                    *(if found.is_none() {
                        &mut accepted
                    } else {
                        &mut refused
                    }) += 1;
                }
            }
        }
    }
    println!("signed headers: {accepted} accepted, {refused} refused");
    assert!(accepted > 1_000 && refused > 10_000);
}

#[test]
fn every_spelling_of_an_encrypted_header_comes_to_the_same_end() {
    let inner = SECRETS.map(|s| s.iter().rev().copied().collect::<Vec<u8>>());
    let inner_header = base64url(r#"{"alg":"HS256","typ":"at+jwt","kid":"in"}"#);
    let input = format!("{inner_header}.{}", base64url(CLAIMS));
    let mac = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, &inner[0]),
        input.as_bytes(),
    );
    let nested = format!("{input}.{}", base64url(mac));
    let (mut accepted, mut refused) = (0, 0);
    for keys in rings() {
        let mut builder = KeyRing::builder().jwk(&jwk("HS256", &inner[0], Some("in")));
        for key in &keys {
            let alg = if key.long { "A256GCM" } else { "A128GCM" };
            builder = builder.jwk(&jwk(alg, content_key(key.secret, key.long), key.kid));
        }
        let Ok(ring) = builder.build() else { continue };
        let outer = codecs(Profile::Encrypted, &ring)
            .into_iter()
            .map(|c| (c, CLAIMS, None));
        let [around, ..] = codecs(Profile::Nested, &ring);
        let around = [((around.0, None), nested.as_str(), Some("JWT"))];
        for ((codec, typ), content, cty) in outer.chain(around) {
            for made in every_token() {
                let mut wanted = match expected(&keys, made, false) {
                    Some(TokenErrorKind::Signature) => Some(TokenErrorKind::Decryption),
                    other => other,
                };
                // The header's type is judged before a key is looked for.
                if typ.is_some() && made.typ != typ {
                    wanted = Some(TokenErrorKind::HeaderParameter);
                }
                let enc = if made.long { "A256GCM" } else { "A128GCM" };
                let (alg, enc) = (("alg", Some("dir")), ("enc", Some(enc)));
                for header in
                    spellings(&[alg, enc, ("typ", made.typ), ("cty", cty), ("kid", made.kid)])
                {
                    let verified = codec.verify_at(&encrypt(made, &header, content), NOW);
                    let found = verified.err().map(|error| error.kind());
                    assert_eq!(found, wanted, "{keys:?} {typ:?} {made:?} {header}");
                    *(if found.is_none() {
                        &mut accepted
                    } else {
                        &mut refused
                    }) += 1;
                }
            }
        }
    }
    println!("encrypted headers: {accepted} accepted, {refused} refused");
    assert!(accepted > 1_000 && refused > 10_000);
}
