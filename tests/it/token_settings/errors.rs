//! The words of a refusal: which claim or header member is wrong, and the line that takes it.

use super::*;

/// The line of the log about a refusal: the reason, and each cause behind it.
async fn line(codec: TokenCodec<Anything>, token: &str) -> (StatusCode, String) {
    let service = ServiceBuilder::new()
        .layer(BearerAuthLayer::new(codec))
        .service(RequireScopeLayer::new("read".parse().unwrap()).layer(Echo::default()));
    let response = service.oneshot(with_token(token)).await.unwrap();
    let rejection = response.extensions().get::<Rejection>();
    let mut line = rejection.map(ToString::to_string).unwrap_or_default();
    let mut source = rejection.and_then(|rejection| rejection.source());
    while let Some(cause) = source {
        line += &format!(": {cause}");
        source = cause.source();
    }
    let outside = format!("{:?}{}", response.headers(), response.body());
    assert!(
        !outside.contains('.') && !outside.contains("typ"),
        "{outside}"
    );
    (response.status(), line)
}

#[tokio::test]
async fn the_log_names_the_line_that_takes_the_token() {
    let scoped = json!({ "scope": "read" });
    let with = |changes: Value| {
        let mut all = scoped.clone();
        all.as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        all
    };
    type Change = fn(Builder) -> Builder;
    let rows: [(Option<&str>, Value, &[&str], Change); 10] = [
        (
            Some("JWT"),
            with(json!({})),
            &[r#"typ is "JWT": .token_types([TokenType::AccessToken, TokenType::Jwt])"#],
            |b| b.token_types([TokenType::AccessToken, TokenType::Jwt]),
        ),
        (
            None,
            with(json!({})),
            &["typ is missing: .token_types([TokenType::AccessToken, TokenType::Absent])"],
            |b| b.token_types([TokenType::AccessToken, TokenType::Absent]),
        ),
        (
            AT,
            with(json!({ "aud": null, "client_id": "api" })),
            &[
                "aud has to be `api`",
                "aud is missing",
                r#".audience_claim("client_id")"#,
            ],
            |b| b.audience_claim("client_id"),
        ),
        (
            AT,
            with(json!({ "aud": null, "azp": "api" })),
            &["aud is missing: .audience_claim(...)"],
            |b| b.audience_claim("azp"),
        ),
        (
            AT,
            with(json!({ "aud": "orders" })),
            &[
                "aud has to be `api`: aud names other audiences",
                ".audience(...)",
            ],
            |b| b.audience("orders"),
        ),
        (
            AT,
            with(json!({ "iss": "https://id.example/" })),
            &[
                "iss has to be `https://id.example`: iss names another issuer",
                ".issuer(...)",
            ],
            |b| b.issuer("https://id.example/"),
        ),
        (
            AT,
            with(json!({ "sub": null })),
            &["sub is missing: .subject_optional()"],
            |b| b.subject_optional(),
        ),
        (
            AT,
            with(json!({ "exp": 1_799_999_800 })),
            &["exp has just passed", ".leeway(...)"],
            |b| b.leeway(Duration::from_secs(300)),
        ),
        (
            AT,
            with(json!({ "nbf": 1_800_000_200 })),
            &["nbf lies just ahead", ".leeway(...)"],
            |b| b.leeway(Duration::from_secs(300)),
        ),
        (
            AT,
            json!({ "scp": ["read"] }),
            &["Scopes were read from scope, .scope_claims([...])"],
            |b| b.scope_claims(["scope", "scp"]),
        ),
    ];
    for (typ, claims, words, cure) in rows {
        let token = token(typ, claims);
        let (status, line) = self::line(builder().build().unwrap(), &token).await;
        assert!(matches!(status.as_u16(), 401 | 403), "{line}");
        for word in words {
            assert!(line.contains(word), "`{word}` is not said by: {line}");
        }
        let (status, line) = self::line(cure(builder()).build().unwrap(), &token).await;
        assert_eq!(status, StatusCode::OK, "{line}");
    }
    let codec = builder()
        .scope_claims(["scp", "permissions"])
        .build()
        .unwrap();
    let (status, line) = self::line(codec, &token(AT, scoped)).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(
        line.contains("Scopes were read from scp, permissions"),
        "{line}"
    );
}

#[test]
fn an_error_names_the_setting_or_that_there_is_none() {
    let secs = Duration::from_secs;
    let error = |builder: Builder, token: &str| builder.build().unwrap().verify(token).unwrap_err();
    for (builder, changes, setting, words) in [
        (
            builder(),
            json!({ "iss": null }),
            Some("dangerous_any_issuer"),
            "iss is missing",
        ),
        (
            builder(),
            json!({ "exp": 1_799_999_700 }),
            None,
            "exp has passed",
        ),
        (
            builder(),
            json!({ "iat": 1_800_000_061 }),
            Some("leeway"),
            "iat lies just ahead",
        ),
        (
            builder(),
            json!({ "iat": 1_800_000_301 }),
            None,
            "iat lies in the future",
        ),
        (builder(), json!({ "exp": null }), None, "exp is missing"),
        (
            builder(),
            json!({ "exp": "1800000300" }),
            None,
            "exp is not a number",
        ),
        (
            builder(),
            json!({ "nbf": 1e12 }),
            None,
            "nbf lies behind the year 9999",
        ),
        (builder(), json!({ "sub": 7 }), None, "sub is not a string"),
        (
            builder(),
            json!({ "aud": [7] }),
            None,
            "aud is not a string",
        ),
        (builder(), json!({ "cnf": {} }), None, "cnf binds"),
        (
            builder().max_age(secs(60)),
            json!({}),
            Some("max_age"),
            "iat is missing",
        ),
        (
            builder().max_age(secs(60)),
            json!({ "iat": 1_700_000_000 }),
            Some("max_age"),
            "iat lies longer ago",
        ),
        (
            builder().max_token_bytes(64),
            json!({}),
            Some("max_token_bytes"),
            "longer",
        ),
    ] {
        let error = error(builder, &token(AT, changes.clone()));
        assert_eq!(error.setting(), setting, "{error} {changes}");
        assert!(error.to_string().contains(words), "{error}");
    }
    let forged = error(
        builder(),
        &(token(AT, json!({}))[..100].to_owned() + ".AAAA"),
    );
    assert_eq!(forged.setting(), None, "{forged}");
}

#[test]
fn an_algorithm_is_named_where_naming_it_helps() {
    use tower_bearer::SignatureAlgorithm::{Es256, Hs256, Rs256};
    let two = KeyRing::builder()
        .jwk(&json!({ "kty": "oct", "alg": "HS256", "kid": "a", "k": base64url(KEY) }).to_string())
        .jwk(&json!({ "kty": "oct", "alg": "HS384", "kid": "b", "k": base64url([KEY, KEY].concat()) }).to_string())
        .build()
        .unwrap();
    let codec = TokenCodec::<NoClaims>::signed(&two)
        .issuer("https://id.example")
        .audience("api");
    let codec = codec.algorithms([Hs256, Rs256, Es256]).build().unwrap();
    let input = sign_hs256(KEY, r#"{"alg":"HS384","typ":"at+jwt","kid":"b"}"#, "{}");
    let error = codec.verify(&input).unwrap_err();
    assert_eq!(
        (error.kind(), error.setting()),
        (TokenErrorKind::Algorithm, Some("algorithms")),
        "{error}"
    );
}

/// The text that its issuer has signed helps to compare. Text of a stranger is not repeated.
#[test]
fn an_error_shows_the_issuer_and_the_audiences_of_a_genuine_token() {
    let codec = builder().build().unwrap();
    let error = |token: &str| codec.verify(token).unwrap_err().to_string();
    let other = token(AT, json!({ "iss": "https://ID.example\n" }));
    let shown = r#"; the token has "https://ID.example\n""#;
    assert!(error(&other).ends_with(shown), "{}", error(&other));
    let long = "x".repeat(121);
    for (audiences, shown) in [
        (json!([]), "none".to_owned()),
        (json!("Api"), r#""Api""#.to_owned()),
        (
            json!(["a\"b", long, "c", "d", "e"]),
            format!(r#""a\"b", "{}"..., "c", "d""#, &long[1..]),
        ),
    ] {
        let found = error(&token(AT, json!({ "aud": audiences })));
        assert!(
            found.ends_with(&format!("; the token has {shown}")),
            "{found}"
        );
    }
    let (input, _) = other.rsplit_once('.').unwrap();
    let forged = error(&format!("{input}.{}", base64url([0; 32])));
    assert!(
        forged.starts_with("the signature") && !forged.contains("ID.example"),
        "{forged}"
    );
}

/// A service that holds keys of its own looks for its secret; one with an issuer's keys has none.
#[test]
fn an_unknown_key_and_an_opaque_token_lead_to_the_issuer() {
    let set = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    let keys = KeyRing::published(set).unwrap();
    let codec = TokenCodec::<Anything>::signed(&keys).issuer("https://id.example");
    let codec = codec.audience("api").build().unwrap();
    let header = base64url(r#"{"alg":"EdDSA","kid":"b","typ":"at+jwt"}"#);
    let unknown = codec
        .verify(&format!("{header}.e30.{}", base64url([0; 64])))
        .unwrap_err();
    assert_eq!(unknown.kind(), TokenErrorKind::Key);
    assert!(unknown.to_string().contains("another tenant"), "{unknown}");
    let opaque = codec.verify("8Qx1c2F0aXNmaWVk").unwrap_err();
    assert_eq!(opaque.kind(), TokenErrorKind::Segments);
    assert!(
        opaque.to_string().contains("ask that for a JWT"),
        "{opaque}"
    );
}
