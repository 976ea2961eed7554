//! Several issuers behind one layer: each is judged by its own codec, and by no other key.

use std::{collections::BTreeSet, time::Duration};

use http::{Method, Request, Response, StatusCode, Version, header};
use ring::signature::{Ed25519KeyPair, KeyPair};
use tower::{Layer, ServiceExt};
use tower_bearer::{
    BearerAuthLayer, Claims, ConfigError, GrpcLayer, KeyRing, ManualClock, NoClaims, Timestamp,
    TokenCache, TokenCodec, TokenErrorKind, Verifiers,
    jwks::{RemoteIssuer, RemoteJwks},
    rejection::{Rejection, RejectionKind},
    token::TokenCodecBuilder,
};

use crate::support::{echo::Echo, tokens::with_token};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const A: &str = "https://a.example";
const B: &str = "https://b.example";

fn text(bytes: impl AsRef<[u8]>) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

/// The public half, as its issuer publishes it.
fn public(seed: u8, kid: &str) -> String {
    let x = text(pair(seed).public_key());
    format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"{x}"}}]}}"#)
}

/// A token with these claims, by the key of this seed.
fn sign(seed: u8, kid: &str, claims: &str) -> String {
    let header = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{kid}"}}"#);
    let input = format!("{}.{}", text(header), text(claims));
    let signature = pair(seed).sign(input.as_bytes());
    format!("{input}.{}", text(signature))
}

fn claims(issuer: &str) -> String {
    let exp = NOW.as_secs() + 600;
    format!(r#"{{"aud":"api","sub":"alice","exp":{exp},"iss":"{issuer}"}}"#)
}

fn over(keys: &KeyRing, issuer: &str) -> TokenCodecBuilder<NoClaims> {
    TokenCodec::signed(keys)
        .issuer(issuer)
        .audience("api")
        .clock(ManualClock::new(NOW))
}

/// The codec of `A`, whose key is 1, or of `B`, whose key is 2.
fn of(issuer: &str) -> TokenCodecBuilder<NoClaims> {
    let set = match issuer {
        A => public(1, "key-a"),
        _ => public(2, "key-b"),
    };
    over(&KeyRing::verifier(&set).unwrap(), issuer)
}

fn nested() -> TokenCodecBuilder<NoClaims> {
    TokenCodec::nested(&KeyRing::generate().unwrap())
        .issuer("https://own.example")
        .audience("api")
        .clock(ManualClock::new(NOW))
}

fn both() -> Verifiers {
    Verifiers::new([of(A), of(B)].map(|codec| codec.build().unwrap())).unwrap()
}

fn refusal(verifiers: &Verifiers, token: &str) -> TokenErrorKind {
    verifiers.verify(token).unwrap_err().kind()
}

/// The answer of a layer of these, and whether the service inside was called.
async fn ask(verifiers: &Verifiers, token: &str) -> (Response<String>, usize) {
    let echo = Echo::default();
    let service = BearerAuthLayer::new(verifiers.clone()).layer(echo.clone());
    let response = service.oneshot(with_token(token)).await.unwrap();
    (response, echo.calls())
}

#[tokio::test]
async fn each_issuer_is_judged_by_its_own_codec() {
    let own = nested().build().unwrap();
    let minted = own.mint("alice", &NoClaims {}).unwrap();
    let codecs = [of(A).build().unwrap(), own, of(B).build().unwrap()];
    let verifiers = Verifiers::new(codecs).unwrap();
    for (token, issuer) in [
        (sign(1, "key-a", &claims(A)), A),
        (sign(2, "key-b", &claims(B)), B),
        (
            sign(2, "key-b", &claims(&B.replace('/', "\\/"))),
            B, // the same text, escaped
        ),
        (minted.as_str().to_owned(), "https://own.example"),
    ] {
        let claims = verifiers.verify(&token).unwrap();
        assert_eq!((claims.issuer(), claims.subject()), (Some(issuer), "alice"));
        let later = Timestamp::from_secs(NOW.as_secs() + 5000);
        let late = verifiers.verify_at(&token, later).unwrap_err();
        assert_eq!(late.kind(), TokenErrorKind::Expired);
        let (response, calls) = ask(&verifiers, &token).await;
        assert_eq!((response.status(), calls), (StatusCode::OK, 1), "{issuer}");
    }
}

/// RFC 8725 section 3.8.
#[tokio::test]
async fn the_key_of_one_never_vouches_for_the_other() {
    let verifiers = both();
    for (seed, issuer, other) in [(1, A, B), (2, B, A)] {
        // The other's name, by this one's key, under every name that a key can have.
        for kid in ["key-a", "key-b", "key-c"] {
            let forged = sign(seed, kid, &claims(other));
            let kind = refusal(&verifiers, &forged);
            assert!(
                matches!(kind, TokenErrorKind::Key | TokenErrorKind::Signature),
                "{issuer} {kid}: {kind:?}"
            );
            let (response, calls) = ask(&verifiers, &forged).await;
            assert_eq!((response.status(), calls), (StatusCode::UNAUTHORIZED, 0));
        }
        // Two names: the first one chooses, and the chosen codec reads both.
        let kid = ["key-a", "key-b"][usize::from(issuer == B)];
        for (first, second) in [(issuer, other), (other, issuer)] {
            let twice = claims(second).replacen('{', &format!(r#"{{"iss":"{first}","#), 1);
            let kind = refusal(&verifiers, &sign(seed, kid, &twice));
            let expected = [TokenErrorKind::Key, TokenErrorKind::Claims];
            assert_eq!(kind, expected[usize::from(first == issuer)]);
        }
        // A name that is no text chooses nothing, and a text behind it does not help.
        let odd = claims(issuer).replacen('{', r#"{"iss":["x"],"#, 1);
        assert_eq!(
            refusal(&verifiers, &sign(seed, kid, &odd)),
            TokenErrorKind::Claims
        );
    }
}

/// Refused before any key is looked at, and with the kind that a codec has for it.
#[tokio::test]
async fn a_token_without_an_issuer_is_for_none_of_them() {
    use TokenErrorKind::*;
    let (verifiers, deep) = (both(), format!(r#"{{"a":{}"#, "[".repeat(100)));
    let payload = |json: &str| sign(1, "key-a", json);
    for (token, kind) in [
        (payload(&claims("https://c.example")), Issuer),
        (payload(&claims("https://a.example/")), Issuer),
        (payload(&claims("https://A.example")), Issuer),
        (payload(&claims("")), Issuer),
        (payload("{}"), Issuer),
        (payload(r#"{"iss":null}"#), Issuer),
        (payload(r#"{"a":{"iss":"https://a.example"}}"#), Issuer),
        (payload("[]"), Claims),
        (payload(""), Claims),
        (payload(&deep), Claims),
        (payload(r#"{"a":1"iss":"https://a.example"}"#), Claims),
        (format!("e30.{}.AAAA", text([0xff])), Claims),
        ("e30.e3.AAAA".into(), Encoding),
        ("e30.e30=.AAAA".into(), Encoding),
        ("a".into(), Segments),
        ("a.b".into(), Segments),
        ("a.b.c.d".into(), Segments),
        ("a.b.c.d.e".into(), Segments), // none of them decrypts
        ("a.b.c.d.e.f".into(), Segments),
        ("a".repeat(8193), TooLarge),
    ] {
        assert_eq!(refusal(&verifiers, &token), kind, "{token}");
        let (response, calls) = ask(&verifiers, &token).await;
        let rejection = response.extensions().get::<Rejection>().unwrap();
        let malformed = token.contains('=');
        let expected = if malformed { 400 } else { 401 };
        assert_eq!((response.status().as_u16(), calls), (expected, 0));
        let inside = rejection.token_error().map(|error| error.kind());
        assert_eq!(inside, (!malformed).then_some(kind));
    }
}

#[tokio::test]
async fn the_log_names_the_issuers_and_the_setting() {
    let codecs = [of(A).also_issuer("https://old.example"), of(B)];
    let verifiers = Verifiers::new(codecs.map(|codec| codec.build().unwrap())).unwrap();
    let (response, _) = ask(&verifiers, &sign(1, "key-a", &claims("https://c.example"))).await;
    let rejection = response.extensions().get::<Rejection>().unwrap();
    let line = rejection.to_string();
    for part in [A, B, "https://old.example", "also_issuer", "Verifiers"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    // And the client learns no more than with one issuer.
    assert_eq!(
        response.headers()[header::WWW_AUTHENTICATE],
        r#"Bearer realm="api", error="invalid_token""#
    );
    assert_eq!(response.body(), "");
    // An audience is what the chosen codec accepts.
    let audience = claims(B).replace("\"api\"", "\"other\"");
    let (response, _) = ask(&verifiers, &sign(2, "key-b", &audience)).await;
    let rejection = response.extensions().get::<Rejection>().unwrap();
    let line = rejection.to_string();
    assert!(line.contains("aud has to be `api`"), "{line}");
}

#[tokio::test]
async fn grpc_is_refused_in_grpc() {
    let layer = (GrpcLayer::new(), BearerAuthLayer::<NoClaims>::new(both()));
    let mut call = with_token(&sign(1, "key-a", &claims(B)));
    *call.method_mut() = Method::POST;
    *call.version_mut() = Version::HTTP_2;
    let grpc = header::HeaderValue::from_static("application/grpc");
    call.headers_mut().insert(header::CONTENT_TYPE, grpc);
    let response = layer.layer(Echo::default()).oneshot(call).await.unwrap();
    assert_eq!(response.headers()["grpc-status"], "16");
}

#[test]
fn each_keeps_its_own_rules() {
    let (a, b) = (of(A), of(B));
    let later = ManualClock::new(Timestamp::from_secs(NOW.as_secs() + 700));
    let (token_a, token_b) = (sign(1, "key-a", &claims(A)), sign(2, "key-b", &claims(B)));
    let long = claims(A).replacen('{', &format!(r#"{{"x":"{}","#, "x".repeat(900)), 1);
    let verifiers = Verifiers::new([
        a.max_token_bytes(1000).build().unwrap(),
        b.clock(later).audience("b-api").build().unwrap(),
    ])
    .unwrap();
    assert_eq!(verifiers.verify(&token_a).unwrap().subject(), "alice");
    // The other's clock, ...
    assert_eq!(refusal(&verifiers, &token_b), TokenErrorKind::Expired);
    let only_b = claims(B).replace("\"api\"", "\"b-api\"");
    let at = |claims: &str, key| {
        verifiers.verify_at(
            &sign(key, ["", "key-a", "key-b"][usize::from(key)], claims),
            NOW,
        )
    };
    assert!(at(&only_b, 2).is_ok());
    // ... audiences ...
    let only_b = only_b.replace(B, A);
    assert_eq!(at(&only_b, 1).unwrap_err().kind(), TokenErrorKind::Audience);
    // ... and size. The largest is what the layer reads at all.
    assert_eq!(at(&long, 1).unwrap_err().kind(), TokenErrorKind::TooLarge);
    assert!(at(&long.replace(A, B), 2).is_ok());
}

#[tokio::test]
async fn caches_stay_apart() {
    let cached = |issuer| of(issuer).cache(TokenCache::new(1 << 20)).build().unwrap();
    let codecs = [A, B].map(cached);
    let kept = codecs.clone();
    let hits = || [0, 1].map(|at: usize| kept[at].cache().unwrap().hits());
    let verifiers = Verifiers::new(codecs).unwrap();
    let tokens = [sign(1, "key-a", &claims(A)), sign(2, "key-b", &claims(B))];
    for (token, seen) in [(0, [0, 0]), (0, [1, 0]), (1, [1, 0]), (1, [1, 1])] {
        verifiers.verify(&tokens[token]).unwrap();
        assert_eq!(hits(), seen);
    }
    // The one remembers nothing for the other: the same signature over another name.
    let forged = sign(1, "key-a", &claims(B));
    assert_eq!(refusal(&verifiers, &forged), TokenErrorKind::Key);
    assert_eq!(hits(), [1, 1]);
    let (response, calls) = ask(&verifiers, &tokens[0]).await;
    assert_eq!(
        (response.status(), calls, hits()),
        (StatusCode::OK, 1, [2, 1])
    );
}

#[tokio::test]
async fn an_issuer_that_is_away_is_away_for_its_own_tokens_alone() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    let route = axum::routing::get(async || public(2, "key-b"));
    let app = axum::Router::new().route("/jwks", route);
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let remote = |url: &str| {
        let remote = RemoteJwks::builder(url).clock(ManualClock::new(NOW));
        remote.timeout(Duration::from_secs(5)).build().unwrap()
    };
    let (away, here) = (remote("http://127.0.0.1:9/jwks"), remote(&url));
    here.refresh().await.unwrap();
    let codecs = [over(&away.keys(), A), over(&here.keys(), B)];
    let verifiers = Verifiers::new(codecs.map(|codec| codec.build().unwrap())).unwrap();

    let (unsure, calls) = ask(&verifiers, &sign(1, "key-a", &claims(A))).await;
    assert_eq!(
        (unsure.status(), calls),
        (StatusCode::SERVICE_UNAVAILABLE, 0)
    );
    assert!(!unsure.headers().contains_key(header::WWW_AUTHENTICATE));
    assert!(unsure.headers().contains_key(header::RETRY_AFTER));
    // The log says which issuer it is, and the client learns nothing of it.
    let line = unsure.extensions().get::<Rejection>().unwrap().to_string();
    assert_eq!(
        line,
        format!("the keys of `{A}` to verify the access token with are unavailable")
    );
    assert!(!format!("{:?}{}", unsure.headers(), unsure.body()).contains(A));
    for (key, kid) in [(1, "key-a"), (1, "key-b")] {
        let (response, _) = ask(&verifiers, &sign(key, kid, &claims(B))).await;
        let rejection = response.extensions().get::<Rejection>().unwrap();
        let text = format!("the access token is not acceptable by the keys of `{B}`");
        assert_eq!(rejection.to_string(), text, "{kid}");
    }
    for (token, status) in [
        (sign(2, "key-b", &claims(B)), StatusCode::OK),
        (sign(1, "key-a", &claims(B)), StatusCode::UNAUTHORIZED),
        (
            sign(1, "key-a", &claims("https://c.example")),
            StatusCode::UNAUTHORIZED,
        ),
    ] {
        assert_eq!(ask(&verifiers, &token).await.0.status(), status);
    }
    server.abort();
}

fn wrong(codecs: impl IntoIterator<Item = TokenCodecBuilder<NoClaims>>) -> ConfigError {
    let codecs: Vec<TokenCodec> = codecs.into_iter().map(|c| c.build().unwrap()).collect();
    Verifiers::new(codecs).unwrap_err()
}

#[test]
fn codecs_that_cannot_be_told_apart_are_configuration_errors() {
    // One codec that names its issuer twice is no two codecs.
    let twice = of(A).also_issuer(A).build().unwrap();
    assert!(Verifiers::new([twice, of(B).build().unwrap()]).is_ok());
    let any = || {
        TokenCodec::signed(&KeyRing::verifier(&public(1, "key-a")).unwrap())
            .dangerous_any_issuer()
            .audience("api")
    };
    for (error, part) in [
        (wrong([]), "one codec at least"),
        (
            wrong([of(A), of(B), of(A)]),
            "\"https://a.example\" is accepted by two",
        ),
        (
            wrong([of(A), of(B).also_issuer(A)]),
            "\"https://a.example\" is accepted by two",
        ),
        (wrong([of(A), any()]), "accepts every issuer"),
        (wrong([any(), of(A)]), "accepts every issuer"),
        (
            wrong([
                nested(),
                TokenCodec::encrypted(&KeyRing::generate().unwrap())
                    .issuer(A)
                    .audience("api"),
            ]),
            "two decrypt",
        ),
    ] {
        assert_eq!(error.setting(), "verifiers");
        assert!(error.problem().contains(part), "{error}");
    }
    // One alone may accept every issuer: there is nothing to choose.
    let one = Verifiers::new([any().clock(ManualClock::new(NOW)).build().unwrap()]).unwrap();
    let token = sign(1, "key-a", &claims("https://c.example"));
    assert_eq!(
        one.verify(&token).unwrap().issuer(),
        Some("https://c.example")
    );
}

#[tokio::test]
async fn keys_of_an_issuer_elsewhere_are_for_that_one_alone() {
    let remote = || RemoteJwks::new("http://127.0.0.1:9/jwks").unwrap().keys();
    let error = over(&remote(), A).issuer(B).build().unwrap_err();
    assert_eq!(error.setting(), "issuer");
    for part in ["https://b.example", "also_issuer", "Verifiers"] {
        assert!(error.problem().contains(part), "{part}: {error}");
    }
    assert!(over(&remote(), A).issuer(A).build().is_ok()); // said twice
    assert!(over(&remote(), A).also_issuer(B).build().is_ok());
    assert!(of(A).issuer(B).build().is_ok()); // keys of one's own
    let error = of(A).also_issuer("").build().unwrap_err();
    assert_eq!(error.setting(), "also_issuer");

    // And no ring takes them in beside those of another, whichever way round.
    let local = KeyRing::verifier(&public(2, "key-b")).unwrap();
    let [into_local, into_remote, between] = [
        local.rotate(remote()).unwrap_err(),
        remote().rotate(local.clone()).unwrap_err(),
        remote().rotate(remote()).unwrap_err(),
    ];
    assert!(into_local.problem().contains("Verifiers"), "{into_local}");
    for error in [into_local, into_remote, between] {
        assert!(
            error.problem().starts_with("are those of a remote issuer"),
            "{error}"
        );
    }
    let codec = over(&local, B).build().unwrap();
    assert!(codec.verify(&sign(2, "key-b", &claims(B))).is_ok());
}

/// One ring in two codecs would let the keys of the one vouch for the other (RFC 8725 section 3.8).
#[test]
fn codecs_that_share_a_ring_are_a_configuration_error() {
    let partner = RemoteJwks::new("http://127.0.0.1:9/jwks").unwrap();
    let local = KeyRing::verifier(&public(1, "key-a")).unwrap();
    let own = KeyRing::generate().unwrap();
    let encrypted = TokenCodec::nested(&own).issuer(A).audience("api");
    for codecs in [
        [over(&partner.keys(), A), over(&partner.keys(), B)],
        [over(&local, A), over(&local.clone(), B)],
        [encrypted, over(&own, B)],
    ] {
        let error = wrong(codecs.into_iter().chain([of("https://c.example")]));
        assert_eq!(error.setting(), "verifiers");
        for part in ["share one key ring", "keys of its own", ".also_issuer"] {
            assert!(error.problem().contains(part), "{part}: {error}");
        }
    }
}

/// A ring that was found by an issuer's name is for that name.
#[test]
fn the_ring_of_an_issuer_is_for_no_other_name() {
    let partner = RemoteIssuer::discover("http://127.0.0.1:9/partner").unwrap();
    let clock = || ManualClock::new(NOW);
    for codec in [
        over(&partner.keys(), A),
        partner.codec().audience("api").issuer(A).clock(clock()),
        over(&partner.keys(), A).dangerous_any_issuer(),
    ] {
        let error = codec.build().unwrap_err();
        assert_eq!(error.setting(), "issuer");
        for part in [A, "\"http://127.0.0.1:9/partner\"", ".also_issuer"] {
            assert!(error.problem().contains(part), "{part}: {error}");
        }
    }
    let named = over(&partner.keys(), partner.issuer()).also_issuer(A);
    assert!(named.build().is_ok());
}

#[test]
fn a_renamed_issuer_has_both_names_and_mints_the_new_one() {
    let keys = KeyRing::generate().unwrap();
    let codec = over(&keys, B).also_issuer(A).build().unwrap();
    let old = over(&keys, A).build().unwrap();
    let mint = |codec: &TokenCodec| codec.mint("alice", &NoClaims {}).unwrap();
    let issuers = [&codec, &old].map(|minting| {
        let claims: Claims = codec.verify(mint(minting).as_str()).unwrap();
        claims.issuer().unwrap().to_owned()
    });
    assert_eq!(issuers, [B, A]);
    assert!(old.verify(mint(&codec).as_str()).is_err());
    assert_eq!(codec.issuer(), B);
}

#[tokio::test]
async fn one_codec_is_asked_as_before() {
    // Without `iss`, which it was told to accept: nothing is looked at before.
    let codec: TokenCodec = TokenCodec::signed(&KeyRing::verifier(&public(1, "key-a")).unwrap())
        .dangerous_any_issuer()
        .audience("api")
        .clock(ManualClock::new(NOW))
        .build()
        .unwrap();
    let nameless = claims(A).replace(&format!(r#","iss":"{A}""#), "");
    let layer = BearerAuthLayer::new(codec);
    let service = layer.layer(Echo::default());
    let request: Request<String> = with_token(&sign(1, "key-a", &nameless));
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[test]
fn debug_shows_issuers_and_no_key() {
    let shown = format!("{:?}", both());
    assert!(shown.contains(A) && shown.contains(B), "{shown}");
    assert!(!shown.contains(&text(pair(1).public_key())));
}

#[tokio::test]
async fn a_refusal_is_of_one_kind_outwards() {
    let verifiers = both();
    let mut kinds = BTreeSet::new();
    for token in [
        sign(1, "key-a", &claims(B)),
        sign(1, "key-a", &claims("https://c.example")),
        "a.b.c.d.e".into(),
    ] {
        let (response, _) = ask(&verifiers, &token).await;
        let rejection = response.extensions().get::<Rejection>().unwrap();
        assert_eq!(rejection.kind(), RejectionKind::InvalidToken);
        kinds.insert(format!("{:?}{:?}", response.status(), response.headers()));
    }
    assert_eq!(kinds.len(), 1, "{kinds:?}");
}

#[test]
fn choosing_costs_no_allocation() {
    let (codec, verifiers) = (of(B).build().unwrap(), both());
    let token = sign(2, "key-b", &claims(B));
    let count = |verify: &dyn Fn() -> bool| {
        assert!(verify()); // what is made once is made
        allocation_counter::measure(|| assert!(verify())).count_total
    };
    let alone = count(&|| codec.verify(&token).is_ok());
    assert_eq!(count(&|| verifiers.verify(&token).is_ok()), alone);
}
