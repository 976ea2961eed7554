//! Tokens that real issuers write in other ways than RFC 9068. The tests cover the settings that take them, and the
//! words of a refusal that name these.

mod errors;

use std::{error::Error, time::Duration};

use http::StatusCode;
use serde_json::{Map, Value, json};
use tower::{Layer, ServiceBuilder, ServiceExt};
use tower_bearer::{
    BearerAuthLayer, Claims, KeyRing, ManualClock, NoClaims, RequireScopeLayer, Timestamp,
    TokenCache, TokenCodec, TokenErrorKind,
    rejection::Rejection,
    token::{Grant, TokenCodecBuilder, TokenType},
};

use crate::{
    support::{echo::Echo, profile::Profile, tokens::with_token},
    token_support::{base64url, sign_hs256},
};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const PROFILES: [Profile; 3] = [Profile::Nested, Profile::Encrypted, Profile::Signed];
const AT: Option<&str> = Some("at+jwt");

/// A test-only key.
const KEY: &[u8] = b"wE7nq2LzR9mWc4YhN1sKd8uJb3aGf6Tx";

type Anything = Map<String, Value>;
type Builder = TokenCodecBuilder<Anything>;

fn builder() -> Builder {
    let key = json!({ "kty": "oct", "alg": "HS256", "k": base64url(KEY) });
    let keys = KeyRing::builder().jwk(&key.to_string()).build().unwrap();
    let codec = TokenCodec::signed(&keys).clock(ManualClock::new(NOW));
    codec.issuer("https://id.example").audience("api")
}

/// A good token with `changes` made to its claims; null takes one away.
fn token(typ: Option<&str>, changes: Value) -> String {
    let mut claims =
        json!({ "iss": "https://id.example", "sub": "user-1", "aud": "api", "exp": 1_800_000_300 });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    raw_token(typ, &claims.to_string())
}

fn raw_token(typ: Option<&str>, claims: &str) -> String {
    let mut header = json!({ "alg": "HS256" });
    if let Some(typ) = typ {
        header["typ"] = typ.into();
    }
    sign_hs256(KEY, &header.to_string(), claims)
}

fn kind(builder: Builder, token: &str) -> Option<TokenErrorKind> {
    let verified = builder.build().unwrap().verify(token);
    verified.err().map(|error| error.kind())
}

#[test]
fn the_listed_types_are_taken_and_no_others() {
    use TokenType::{Absent, AccessToken, Jwt};
    let x = TokenType::Named("x+jwt".into());
    let types = [
        (
            AccessToken,
            vec![AT, Some("AT+JWT"), Some("application/at+jwt")],
        ),
        (Jwt, vec![Some("JWT"), Some("jwt"), Some("Application/JWT")]),
        (Absent, vec![None]),
        (x, vec![Some("x+jwt"), Some("application/X+JWT")]),
    ];
    for list in 1..1_usize << types.len() {
        let listed = |at: usize| list >> at & 1 == 1;
        let names = (0..types.len())
            .filter(|at| listed(*at))
            .map(|at| types[at].0.clone());
        let codec = builder().token_types(names).build().unwrap();
        for (at, (_, written)) in types.iter().enumerate() {
            for typ in written {
                let found = codec.verify(&token(*typ, json!({})));
                assert_eq!(found.is_ok(), listed(at), "{list:b} {typ:?}");
                if let Err(error) = found {
                    assert_eq!(error.kind(), TokenErrorKind::HeaderParameter);
                    assert_eq!(error.setting(), Some("token_types"), "{error}");
                }
            }
        }
        for typ in ["logout+jwt", "application/DPOP+JWT", "secevent+jwt"] {
            let error = codec.verify(&token(Some(typ), json!({}))).unwrap_err();
            assert_eq!(
                (error.kind(), error.setting()),
                (TokenErrorKind::HeaderParameter, None)
            );
        }
        assert!(codec.verify(&token(Some(""), json!({}))).is_err());
    }
}

/// Many issuers type a logout token `JWT` or not at all. They sign it with the very key of the access tokens.
#[test]
fn a_token_of_events_is_an_access_token_only_where_its_type_says_so() {
    let all = [
        TokenType::AccessToken,
        TokenType::Jwt,
        TokenType::Absent,
        TokenType::Named("x+jwt".into()),
    ];
    for cached in [false, true] {
        let codec = builder().token_types(all.clone());
        let codec = if cached {
            codec.cache(TokenCache::new(1 << 20))
        } else {
            codec
        };
        let codec = codec.build().unwrap();
        for events in [json!({}), json!(null), json!(1)] {
            for (typ, taken) in [
                (None, false),
                (Some("JWT"), false),
                (AT, true),
                (Some("x+jwt"), true),
            ] {
                let claims = format!(
                    r#"{{"iss":"https://id.example","sub":"u","aud":"api","exp":1800000300,"events":{events}}}"#
                );
                let token = raw_token(typ, &claims);
                // The second time it may be remembered.
                for _ in 0..2 {
                    let refused = codec.verify(&token).err().map(|error| error.kind());
                    assert_eq!(
                        refused,
                        (!taken).then_some(TokenErrorKind::Claims),
                        "{typ:?} {events}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_first_type_is_minted_in_every_form() {
    let keys = KeyRing::generate().unwrap();
    for profile in PROFILES {
        for (first, events) in [
            (TokenType::AccessToken, true),
            (TokenType::Jwt, false),
            (TokenType::Absent, false),
            (TokenType::Named("x+jwt".into()), true),
        ] {
            let others = [TokenType::Named("y+jwt".into()), first.clone()];
            let codec = |types: Vec<TokenType>| {
                let codec = profile
                    .codec::<Anything>(&keys)
                    .issuer("https://id.example");
                codec.audience("api").token_types(types).build().unwrap()
            };
            let minting = codec(vec![first.clone(), TokenType::Named("y+jwt".into())]);
            let token = minting.mint("u", &Anything::new()).unwrap();
            assert!(codec(others.to_vec()).verify(token.as_str()).is_ok());
            assert!(
                codec(others[..1].to_vec()).verify(token.as_str()).is_err(),
                "{first:?}"
            );
            let custom = Anything::from_iter([("events".to_owned(), json!({}))]);
            let token = minting.mint("u", &custom).unwrap();
            assert_eq!(
                minting.verify(token.as_str()).is_ok(),
                events,
                "{profile:?} {first:?}"
            );
        }
    }
}

#[test]
fn scopes_are_read_from_the_named_claims_however_they_are_written() {
    let both: &[&str] = &["scope", "scp"];
    for (named, claims, expected) in [
        (&both[..1], json!({ "scope": "a  b" }), Some("a  b")),
        (&both[..1], json!({ "scope": ["a", "b"] }), Some("a b")),
        (
            &both[..1],
            json!({ "scope": ["a", 1, null, ["x"], { "y": 1 }, "b c", "", "d"] }),
            Some("a d"),
        ),
        (&both[..1], json!({ "scope": [] }), Some("")),
        (&both[..1], json!({ "scope": "" }), Some("")),
        (&both[..1], json!({ "scope": 5 }), None),
        (&both[..1], json!({ "scope": { "a": 1 } }), None),
        (&both[..1], json!({ "scope": false }), None),
        (&both[..1], json!({ "scp": "a" }), None),
        (both, json!({ "scp": ["a", "b"] }), Some("a b")),
        (both, json!({ "scp": "a b" }), Some("a b")),
        (
            both,
            json!({ "scope": "a", "scp": ["b", "c"] }),
            Some("a b c"),
        ),
        (both, json!({ "scope": ["a"], "scp": 7 }), Some("a")),
        (both, json!({ "scope": "", "scp": "b" }), Some("b")),
        (&both[1..], json!({ "scope": "a", "scp": "b" }), Some("b")),
        (
            &["permissions"],
            json!({ "permissions": ["a\"b", "\u{e9}"] }),
            Some("a\"b \u{e9}"),
        ),
    ] {
        let codec = builder()
            .scope_claims(named.iter().copied())
            .build()
            .unwrap();
        let verified = codec.verify(&token(AT, claims.clone())).unwrap();
        assert_eq!(verified.scope(), expected, "{named:?} {claims}");
        // The application's own type sees what the token says.
        for (name, value) in claims.as_object().unwrap() {
            assert_eq!(verified.custom()[name], *value);
        }
    }
    let base = r#"{"iss":"https://id.example","sub":"u","aud":"api","exp":1800000300,"#;
    for rest in [r#""scope":null}"#, r#""scope":[null]}"#] {
        let verified = builder()
            .build()
            .unwrap()
            .verify(&raw_token(AT, &format!("{base}{rest}")));
        assert_eq!(verified.unwrap().scope().unwrap_or_default(), "");
    }
    // No patience with what is no JSON, or says two things.
    for rest in [
        r#""scope":[1,]}"#,
        r#""scope":"a","scope":"b"}"#,
        r#""scope":{"a":1,"a":1}}"#,
    ] {
        let refused = kind(builder(), &raw_token(AT, &format!("{base}{rest}")));
        assert_eq!(refused, Some(TokenErrorKind::Claims), "{rest}");
    }
}

#[test]
fn the_named_claim_is_the_audience_and_aud_is_not() {
    let named = || builder().audience_claim("client_id");
    let verify = |changes| named().build().unwrap().verify(&token(AT, changes));
    for (aud, client_id) in [
        (json!(null), json!("api")),
        (json!("other"), json!("api")),
        (json!(7), json!(["x", "api"])),
    ] {
        let claims = verify(json!({ "aud": aud, "client_id": client_id })).unwrap();
        let names = client_id
            .as_array()
            .cloned()
            .unwrap_or(vec![client_id.clone()]);
        assert!(
            claims
                .audiences()
                .eq(names.iter().map(|name| name.as_str().unwrap()))
        );
        assert_eq!(claims.custom()["client_id"], client_id);
        assert_eq!(
            claims.custom().get("aud"),
            Some(&aud).filter(|aud| !aud.is_null())
        );
    }
    for (changes, kind, setting) in [
        (
            json!({ "client_id": "other" }),
            TokenErrorKind::Audience,
            Some("audience"),
        ),
        (json!({}), TokenErrorKind::Audience, Some("audience_claim")),
        (json!({ "client_id": 7 }), TokenErrorKind::Claims, None),
        (
            json!({ "client_id": ["api", 7] }),
            TokenErrorKind::Claims,
            None,
        ),
    ] {
        let error = verify(changes.clone()).unwrap_err();
        assert_eq!(
            (error.kind(), error.setting()),
            (kind, setting),
            "{changes}"
        );
    }
    // It is minted, and read again, by the codec that writes it; the application cannot.
    let codec = named().build().unwrap();
    let minted = codec
        .mint("u", &Anything::from_iter([("aud".to_owned(), json!(5))]))
        .unwrap();
    let claims = codec.verify(minted.as_str()).unwrap();
    assert_eq!(claims.custom()["client_id"], "api");
    assert_eq!(claims.custom()["aud"], 5);
    assert!(
        claims
            .raw()
            .starts_with(r#"{"iss":"https://id.example","client_id":"api","#),
        "{}",
        claims.raw()
    );
    assert!(
        codec
            .mint(
                "u",
                &Anything::from_iter([("client_id".to_owned(), json!("x"))])
            )
            .is_err()
    );
    assert!(builder().build().unwrap().verify(minted.as_str()).is_err());
}

#[test]
fn a_renamed_issuer_is_accepted_and_never_minted() {
    let renamed = || builder().also_issuer("https://old.example");
    let codec = renamed().build().unwrap();
    let old = token(AT, json!({ "iss": "https://old.example" }));
    assert_eq!(
        codec.verify(&old).unwrap().issuer(),
        Some("https://old.example")
    );
    assert!(codec.verify(&token(AT, json!({}))).is_ok());
    assert_eq!(
        kind(
            renamed(),
            &token(AT, json!({ "iss": "https://old.example/" }))
        ),
        Some(TokenErrorKind::Issuer)
    );
    assert_eq!(codec.issuer(), "https://id.example");
    let minted = codec.mint("u", &Anything::new()).unwrap();
    assert_eq!(
        codec.verify(minted.as_str()).unwrap().issuer(),
        Some("https://id.example")
    );
}

/// Everything that claims say, twice: by themselves and without the application's type.
fn said(claims: &Claims<Anything>) -> String {
    let context = claims.context();
    let whole = format!(
        "{:?}",
        (
            (
                claims.subject(),
                claims.issuer(),
                claims.audiences().collect::<Vec<_>>()
            ),
            (claims.session(), claims.token_id(), claims.scope()),
            (claims.issued_at(), claims.not_before(), claims.expires_at()),
            (
                claims.raw(),
                claims.token().as_str(),
                claims.token().authorization().as_bytes()
            ),
        )
    );
    let part = format!(
        "{:?}",
        (
            (
                context.subject(),
                context.issuer(),
                context.audiences().collect::<Vec<_>>()
            ),
            (context.session(), context.token_id(), context.scope()),
            (
                context.issued_at(),
                context.not_before(),
                context.expires_at()
            ),
            (
                context.raw(),
                context.token().as_str(),
                context.token().authorization().as_bytes()
            ),
        )
    );
    assert_eq!(whole, part);
    whole
}

#[test]
fn every_member_is_there_escaped_or_not_remembered_or_not() {
    let plain = r#"{"iss":"https://id.example","aud":["x","api"],"sub":"u","exp":1800000300,"iat":1800000000,"nbf":1799999999,"jti":"j","sid":"s","scope":"a b","é":1}"#;
    let escaped = r#"{"iss":"https:\/\/id.example","aud":["\u0078","ap\u0069"],"sub":"\u0075","exp":1800000300,"iat":1800000000.0,"nbf":1799999999,"jti":"\u006a","sid":"\u0073","scope":["a","\u0062"],"é":1}"#;
    let expected = [
        r#"("u", Some("https://id.example"), ["x", "api"])"#,
        r#"(Some("s"), Some("j"), Some("a b"))"#,
        "(Some(Timestamp(1800000000000)), Some(Timestamp(1799999999000)), Timestamp(1800000300000))",
    ];
    let known = builder().build().unwrap();
    let remembering = builder().cache(TokenCache::new(1 << 20)).build().unwrap();
    for json in [plain, escaped] {
        let token = raw_token(AT, json);
        let claims = known.verify(&token).unwrap();
        assert_eq!((claims.raw(), claims.token().as_str()), (json, &*token));
        let once = said(&claims);
        assert!(
            once.starts_with(&format!("({}", expected.join(", "))),
            "{once}"
        );
        for _ in 0..2 {
            assert_eq!(said(&remembering.verify(&token).unwrap()), once);
        }
    }
    assert_eq!(remembering.cache().unwrap().hits(), 2);
    // A minted one, whose beginning is known by its bytes: with an issuer that is escaped there, too.
    for issuer in ["https://id.example", "a \"b\" \\ \u{e9}\n"] {
        let codec = builder()
            .also_issuer("x")
            .dangerous_any_issuer()
            .build()
            .unwrap();
        let minting = TokenCodec::<Anything>::signed(codec.keys())
            .issuer(issuer)
            .audience("api");
        let minting = minting.clock(ManualClock::new(NOW)).build().unwrap();
        let token = minting
            .mint_at(&Grant::new("u", &Anything::new()), NOW)
            .unwrap();
        let claims = minting.verify(token.as_str()).unwrap();
        assert_eq!(claims.issuer(), Some(issuer));
        assert!(claims.audiences().eq(["api"]));
        assert_eq!(said(&claims), said(&codec.verify(token.as_str()).unwrap()));
    }
}

#[test]
fn the_presented_token_is_a_secret() {
    let token = token(AT, json!({}));
    let claims = builder().build().unwrap().verify(&token).unwrap();
    let value = claims.token().authorization();
    assert_eq!(value, format!("Bearer {token}"));
    assert!(value.is_sensitive());
    let shown = format!(
        "{:?} {:#?} {claims:?} {value:?}",
        claims.token(),
        claims.token()
    );
    assert!(
        !token.split('.').any(|segment| shown.contains(segment)),
        "{shown}"
    );
}

#[test]
fn settings_that_cannot_be_meant_are_refused() {
    let setting = |builder: Builder| builder.build().unwrap_err().setting().to_owned();
    assert_eq!(setting(builder().token_types([])), "token_types");
    assert_eq!(
        setting(builder().token_types([TokenType::Named("logout+jwt".into())])),
        "token_types"
    );
    assert_eq!(setting(builder().scope_claims([""; 0])), "scope_claims");
    for claims in [&[""][..], &["scp", "scp"], &["aud"], &["sub"], &["events"]] {
        assert_eq!(
            setting(builder().scope_claims(claims.iter().copied())),
            "scope_claims",
            "{claims:?}"
        );
    }
    for claim in ["", "iss", "sub", "exp", "cnf", "events"] {
        assert_eq!(
            setting(builder().audience_claim(claim)),
            "audience_claim",
            "{claim}"
        );
    }
    assert_eq!(setting(builder().audience_claim("scope")), "scope_claims");
    assert_eq!(
        setting(builder().audience_claim("scp").scope_claims(["scp"])),
        "scope_claims"
    );
    assert_eq!(setting(builder().also_issuer("")), "also_issuer");
    assert!(
        builder()
            .audience_claim("aud")
            .scope_claims(["scope"])
            .build()
            .is_ok()
    );
    assert!(
        builder()
            .audience_claim("scope")
            .scope_claims(["scp"])
            .build()
            .is_ok()
    );
}
