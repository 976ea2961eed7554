//! The short ways of the verify path and the general one have the same result on every token. That includes the reason
//! of a refusal.

use std::sync::LazyLock;

use proptest::{prelude::*, sample::Index};

use super::super::{
    Claims, Grant, TokenCodec, TokenCodecBuilder, TokenError, TokenErrorKind,
    base64::{Scratch, encode_append},
    claims::Judged,
    codec::Profile,
    jwe, jws,
    private_claims::{Members, from_members},
    registered_claims::{Preamble, Registered},
    token_type::Purpose,
};
use crate::{clock::Timestamp, keys::KeyRing};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const PROFILES: [Profile; 3] = [Profile::Nested, Profile::Encrypted, Profile::Signed];

type Object = serde_json::Map<String, serde_json::Value>;

/// Test-only keys: several, so that the first is not found by accident.
fn ring() -> KeyRing {
    let key = |alg: &str, kid: &str, k: &str| {
        format!(r#"{{"kty":"oct","alg":"{alg}","kid":"{kid}","k":"{k}"}}"#)
    };
    KeyRing::builder()
        .jwk(&key(
            "HS256",
            "s1",
            "LZ0wq3vYdR7mXcT5sKfB9hJ2nUeG8aPtVbCxQyWiEoM",
        ))
        .jwk(&key(
            "HS256",
            "s2",
            "w3kR8vYdR7mXcT5sKfB9hJ2nUeG8aPtVbCxQyWiEoLM",
        ))
        .jwk(&key(
            "A256GCM",
            "e1",
            "Q3uVx8kTfS5gZrE1wLpA7yHjD0cNmbLZ0wq3vYdR7mU",
        ))
        .jwk(&key(
            "A256GCM",
            "e2",
            "bR8vYdR7mXcT5sKfB9hJ2nUeG8aPtVbCxQyWiEoLMc4",
        ))
        .build()
        .unwrap()
}

/// The codecs of all profiles.
static CODECS: LazyLock<[TokenCodec<Object>; 3]> = LazyLock::new(|| PROFILES.map(codec));

/// One that reads other claims for audience and scopes.
static OTHER: LazyLock<TokenCodec<Object>> = LazyLock::new(|| {
    let builder = builder(Profile::Signed).audience_claim("client_id");
    builder.scope_claims(["scp", "scope"]).build().unwrap()
});

fn builder(profile: Profile) -> TokenCodecBuilder<Object> {
    let builder = TokenCodecBuilder::new(profile, &ring()).issuer("https://id.example");
    builder.audience("api")
}

fn codec(profile: Profile) -> TokenCodec<Object> {
    builder(profile).build().unwrap()
}

fn minted(codec: &TokenCodec<Object>, subject: &str, session: Option<&str>) -> String {
    let custom = Object::from_iter([("role".to_owned(), "editor".into())]);
    let grant = session
        .into_iter()
        .fold(Grant::new(subject, &custom), Grant::session);
    codec.mint_at(&grant, NOW).unwrap().as_str().to_owned()
}

/// The claims text of a token by the general way alone.
fn opened_in_general(
    codec: &TokenCodec<Object>,
    token: &str,
) -> Result<(String, Purpose), TokenError> {
    let (codec, token) = (&codec.config, token.as_bytes());
    let keys = &codec.keys.load();
    let (mut outer, mut inner) = (Scratch::new(), Scratch::new());
    let signed = match codec.profile {
        Profile::Nested => jwe::open_any(codec, keys, token, &mut outer)?.0,
        Profile::Encrypted | Profile::Signed => token,
    };
    let (json, purpose) = match codec.profile {
        Profile::Encrypted => jwe::open_any(codec, keys, token, &mut outer)?,
        Profile::Nested | Profile::Signed => {
            let (payload, purpose) = jws::open_any(codec, keys, signed)?;
            (jws::payload(payload, &mut inner)?, purpose)
        }
    };
    let text = String::from_utf8(json.to_vec())
        .map_err(|_| TokenError::new(TokenErrorKind::Claims, "the claims are not utf-8"))?;
    Ok((text, purpose))
}

/// Reads and judges a claims text, with the beginning that the codec mints known to it or not.
fn judged(
    codec: &TokenCodec<Object>,
    (text, purpose): (&str, Purpose),
    token: &str,
    known: bool,
) -> Result<Claims<Object>, TokenError> {
    let mut rules = codec.config.rules.clone();
    if !known {
        rules.preamble = Preamble::default();
    }
    let (mut claims, mut members) = (Registered::default(), Members::new());
    claims.read(text, &rules, &mut members)?;
    let expires_at = claims.check(&rules, NOW, purpose, &members)?;
    let custom = from_members(&members)
        .map_err(|_| TokenError::new(TokenErrorKind::Claims, "the claims do not fit"))?;
    let scope_claims = rules.scope_claims.clone();
    let judged = Judged {
        at: NOW,
        leeway: rules.leeway,
    };
    Ok(Claims::new(
        &claims,
        text,
        token.as_bytes(),
        expires_at,
        judged,
        scope_claims,
        custom,
    ))
}

fn in_general(codec: &TokenCodec<Object>, token: &str) -> Result<Claims<Object>, TokenError> {
    let (text, purpose) = opened_in_general(codec, token)?;
    judged(codec, (&text, purpose), token, false)
}

/// Everything that a caller can see.
fn outcome(verified: Result<Claims<Object>, TokenError>) -> Result<String, TokenErrorKind> {
    let claims = verified.map_err(|error| error.kind())?;
    Ok(format!(
        "{:?}",
        (
            claims.subject(),
            claims.issuer(),
            claims.session(),
            claims.token_id(),
            claims.scope(),
            claims.audiences().collect::<Vec<_>>(),
            (claims.issued_at(), claims.not_before(), claims.expires_at()),
            claims.raw(),
            claims.token().as_str(),
            claims.custom(),
        )
    ))
}

/// A change to a token on its way.
#[derive(Clone, Debug)]
enum Change {
    Replace(Index, char),
    Insert(Index, char),
    Remove(Index),
    Cut(Index),
    Append(String),
    Repeat,
}

fn change() -> impl Strategy<Value = Change> {
    let letter = || {
        prop_oneof![
            Just('.'),
            Just('A'),
            Just('_'),
            Just('='),
            Just('+'),
            any::<char>()
        ]
    };
    prop_oneof![
        (any::<Index>(), letter()).prop_map(|(at, c)| Change::Replace(at, c)),
        (any::<Index>(), letter()).prop_map(|(at, c)| Change::Insert(at, c)),
        any::<Index>().prop_map(Change::Remove),
        any::<Index>().prop_map(Change::Cut),
        "[.A-Za-z0-9_-]{0,4}".prop_map(Change::Append),
        Just(Change::Repeat),
    ]
}

fn changed(token: &str, changes: &[Change]) -> String {
    let mut token: Vec<char> = token.chars().collect();
    for change in changes {
        let len = token.len();
        match change {
            Change::Insert(at, c) => token.insert(at.index(len + 1), *c),
            Change::Append(text) => token.extend(text.chars()),
            Change::Repeat => token.extend_from_within(..),
            _ if len == 0 => {}
            Change::Replace(at, c) => token[at.index(len)] = *c,
            Change::Remove(at) => drop(token.remove(at.index(len))),
            Change::Cut(at) => token.truncate(at.index(len)),
        }
    }
    token.into_iter().collect()
}

/// A member as the codec writes it, or as others do.
fn member() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        4 => prop::sample::select(vec!["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "sid", "scope", "scp", "client_id", "events", "role"])
            .prop_map(str::to_owned),
        1 => "[a-z]{1,3}",
        1 => Just("s\\u0075b".to_owned()),
    ];
    let value = prop_oneof![
        3 => Just("\"user-1\"".to_owned()),
        3 => Just("1800000300".to_owned()),
        1 => Just("\"https://id.example\"".to_owned()),
        1 => Just("\"api\"".to_owned()),
        1 => prop::sample::select(vec![
            "\"a\\\"b\"", "\"\\u00e9\"", "\"é\"", "\"\"", "\"a\nb\"", "\"open", "1800000300.5", "18e8", "01", "-1",
            "253402300799", "253402300800", "9999999999999999", "null", "true", "[\"api\"]", "{\"a\":{}}", "[1,]", "",
        ]).prop_map(str::to_owned),
    ];
    let space = prop_oneof![8 => Just(""), 1 => Just(" "), 1 => Just("\n")];
    (name, value, space).prop_map(|(name, value, space)| format!("\"{name}\":{space}{value}"))
}

/// Claims that begin as the codec's own do, and go on in some other way.
fn claims() -> impl Strategy<Value = String> {
    const OWN: [&str; 10] = [
        "\"iss\":\"https://id.example\"",
        "\"aud\":\"api\"",
        "\"client_id\":\"api\"",
        "\"sub\":\"user-1\"",
        "\"exp\":1800000900",
        "\"iat\":1800000000",
        "\"jti\":\"Zk3J8qLxR2uV0wYt5aBcDg\"",
        "\"sid\":\"s-1\"",
        "\"scope\":\"a b\"",
        "\"role\":\"editor\"",
    ];
    let own = prop::collection::vec(any::<Index>(), 0..3).prop_map(|left_out| {
        let mut own = OWN.map(str::to_owned).to_vec();
        for index in left_out {
            own.remove(index.index(own.len()));
        }
        own
    });
    let more = prop::collection::vec((any::<Index>(), member()), 0..3);
    let separator = prop::sample::select(vec![",", ",", ",", ",", ",", ",", ", ", " ,", ",,", ""]);
    let end = prop::sample::select(vec!["}", "}", "}", "}", "}", "} ", "", "}}", ",}", "}x"]);
    (own, more, any::<Index>(), separator, end).prop_map(
        |(mut members, more, at, separator, end)| {
            for (place, member) in more {
                members.insert(place.index(members.len() + 1), member);
            }
            let (head, tail) = members.split_at(at.index(members.len()));
            format!("{{{}{separator}{}{end}", head.join(","), tail.join(","))
        },
    )
}

#[test]
fn the_short_way_is_taken_and_agrees() {
    for profile in PROFILES {
        let codec = codec(profile);
        let token = minted(&codec, "user-1", Some("s-1"));
        let known = outcome(codec.verify_at(&token, NOW));
        assert!(known.is_ok());
        assert_eq!(known, outcome(in_general(&codec, &token)));
        let (text, _) = opened_in_general(&codec, &token).unwrap();
        assert!(
            text.starts_with(codec.config.rules.preamble.as_str()),
            "{text}"
        );
    }
}

/// The same header in another spelling is one that no key writes; it names the same keys.
#[test]
fn a_header_of_another_spelling_is_read() {
    let codec = codec(Profile::Signed);
    let token = minted(&codec, "user-1", None);
    let (input, _) = token.rsplit_once('.').unwrap();
    let mut spelled = String::new();
    encode_append(
        br#"{ "kid":"s1", "typ":"application/at+jwt", "alg":"HS256" }"#,
        &mut spelled,
    );
    let input = input
        .split_once('.')
        .map(|(_, payload)| format!("{spelled}.{payload}"))
        .unwrap();
    let keys = codec.config.keys.load();
    let mac = keys
        .active_signing()
        .unwrap()
        .sign(input.as_bytes())
        .unwrap();
    let mut other = input + ".";
    encode_append(mac.as_ref(), &mut other);
    assert!(outcome(codec.verify_at(&other, NOW)).is_ok());
    let (found, known) = (codec.verify_at(&other, NOW), codec.verify_at(&token, NOW));
    assert_eq!(found.unwrap().raw(), known.unwrap().raw());
}

/// A signature that is right over one dot too many. The payload cannot be decoded, and the fault is the number of
/// segments.
#[test]
fn a_signed_dot_too_many_is_a_wrong_number_of_segments() {
    let codec = codec(Profile::Signed);
    let keys = codec.config.keys.load();
    let key = keys.active_signing().unwrap();
    let mut token = format!("{}.eyJ.9", key.encoded_header());
    let mac = key.sign(token.as_bytes()).unwrap();
    token.push('.');
    encode_append(mac.as_ref(), &mut token);
    for verified in [codec.verify_at(&token, NOW), in_general(&codec, &token)] {
        assert_eq!(
            verified.err().map(|e| e.kind()),
            Some(TokenErrorKind::Segments)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn on_tokens_that_were_changed(
        changes in prop::collection::vec(change(), 0..3),
        subject in "[a-z\"\\\\é]{1,8}",
        session in prop::option::of("[a-z0-9]{0,30}"),
    ) {
        for codec in CODECS.iter().chain([&*OTHER]) {
            let token = changed(&minted(codec, &subject, session.as_deref()), &changes);
            let found = outcome(codec.verify_at(&token, NOW));
            prop_assert_eq!(found, outcome(in_general(codec, &token)), "{:?} {}", codec, token);
        }
    }

    #[test]
    fn on_claims_of_any_shape(text in claims()) {
        let [codec, ..] = &*CODECS;
        for codec in [codec, &*OTHER] {
            for purpose in [Purpose::Typed, Purpose::Open] {
                let claims = (&*text, purpose);
                let known = outcome(judged(codec, claims, "a.b.c", true));
                prop_assert_eq!(known, outcome(judged(codec, claims, "a.b.c", false)), "{}", text);
            }
        }
    }
}
