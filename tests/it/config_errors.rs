//! A configuration error says which entry, value or key it means, and never repeats a secret.

use std::{error::Error, time::Duration};

use tower_bearer::{
    ClaimsError, ConfigError, CsrfLayer, KeyRing, MemoryStore, NoClaims, RedisStore,
    RefreshCookieLayer, RequireHttpsLayer, RotationPolicy, TokenCodec,
    bearer::{Realm, Scope},
    csrf::CsrfKeys,
    headers::{HttpsHost, ReferrerPolicy, StrictTransportSecurity},
    jwks::RemoteJwks,
    origin::Origin,
    refresh::RefreshCookieBuilder,
    resource::MetadataUrl,
    token::{TokenCodecBuilder, TokenType},
};

use crate::support::tokens;

/// A password, or another secret that stands in a refused value.
const SECRET: &str = "hunter2";

fn codec(
    set: fn(TokenCodecBuilder<NoClaims>) -> TokenCodecBuilder<NoClaims>,
) -> Option<ConfigError> {
    let keys = KeyRing::generate().unwrap();
    let builder = TokenCodec::nested(&keys)
        .issuer("https://id.example")
        .audience("api");
    set(builder).build().err()
}

fn sessions(set: fn(RefreshCookieBuilder) -> RefreshCookieBuilder) -> Option<ConfigError> {
    let claims = |_| async { Ok::<_, ClaimsError>(NoClaims {}) };
    let builder = RefreshCookieLayer::builder(tokens::codec(), MemoryStore::new(), claims);
    set(builder).build().err()
}

fn jwks(url: &str) -> Option<ConfigError> {
    RemoteJwks::builder(url).build().err()
}

fn csrf(names: [&str; 3]) -> Option<ConfigError> {
    let keys = KeyRing::generate().unwrap();
    CsrfLayer::builder(&keys)
        .session_cookies(names)
        .build()
        .err()
}

fn text<T: std::str::FromStr<Err = ConfigError>>(text: &str) -> Option<ConfigError> {
    text.parse::<T>().err()
}

#[test]
fn a_configuration_error_says_which_entry_it_means() {
    let hour = Duration::from_secs(3600);
    let cases = [
        (text::<Realm>("my \"realm\""), r#"realm: "my \"realm\"" must"#),
        (text::<Scope>("read  write"), r#"scope: "read  write" must"#),
        (text::<Origin>("https://app.example/"), r#"origin: "https://app.example/" must not end in a slash"#),
        (text::<Origin>("app.example"), r#"origin: "app.example" must start"#),
        (text::<ReferrerPolicy>("unsafe-url"), r#"referrer_policy: "unsafe-url" must not"#),
        (text::<HttpsHost>("https://app.example"), r#"redirect_to: "https://app.example" must"#),
        (
            text::<MetadataUrl>("https://u:hunter2@api.example/#a"),
            r##"resource_metadata: "@api.example/#" must"##,
        ),
        (
            RequireHttpsLayer::behind_proxy("x-https").unwrap().value("on,off").err(),
            r#"value: "on,off" must"#,
        ),
        (StrictTransportSecurity::new(Duration::ZERO).err(), "strict_transport_security: 0ns must"),
        (
            RotationPolicy::builder().grace(hour).interval(hour).build().err(),
            "interval: 3600s must be at least twice the grace",
        ),
        (codec(|b| b.leeway(Duration::from_secs(301))), "leeway: 301s must be at most 300"),
        (codec(|b| b.lifetime(Duration::from_secs(108_000))), "lifetime: 108000s must be between"),
        (codec(|b| b.max_token_bytes(70_000)), "max_token_bytes: 70000 must be between 1 and 65536"),
        (
            codec(|b| b.token_types([TokenType::Named("a b".into())])),
            r#"token_types: "a b" must"#,
        ),
        (sessions(|b| b.cookie_name("a b")), r#"cookie_name: "a b" must"#),
        (sessions(|b| b.cookie_path("auth")), r#"cookie_path: "auth" must"#),
        (
            sessions(|b| b.idle_lifetime(Duration::from_secs(800_000))),
            "idle_lifetime: 800000s must not be longer than the absolute lifetime, 604800s",
        ),
        (
            sessions(|b| b.idle_lifetime(Duration::from_secs(900))),
            "idle_lifetime: 900s must be longer than 990s, the lifetime of an access token, the interval and the grace together",
        ),
        (
            sessions(|b| {
                let rotation = RotationPolicy::builder().interval(Duration::from_secs(3600));
                let b = b.rotation(rotation.build().unwrap());
                b.idle_lifetime(Duration::from_secs(3600))
            }),
            "idle_lifetime: 3600s must be longer than 4530s, the lifetime",
        ),
        (
            sessions(|b| b.claims_timeout(Duration::from_secs(8))),
            "claims_timeout: 8s must not be longer than a quarter of the grace, 7.5s",
        ),
        (csrf(["a", "b;c", "d"]), r#"session_cookies: "b;c" must"#),
        (csrf(["a", "b", "__Host-csrf"]), r#"session_cookies: "__Host-csrf" must not"#),
        (CsrfKeys::new([&*vec![7; 32], b"hunter2"]).err(), "CSRF keys: keys[0]: "),
        (
            RedisStore::sentinel("main", ["redis://a:1", "redis://:hunter2@b:x"]).build().err(),
            "sentinel: urls[1] must be like",
        ),
        (jwks("http://id.example/keys?code=hunter2"), r#"url: "http://id.example/keys?" must be https"#),
        (jwks("id.example/keys"), r#"url: "id.example/keys" must"#),
        (
            KeyRing::builder()
                .jwks(r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
                    {"kty":"oct","alg":"HS256","k":"aHVudGVyMg"}]}"#)
                .build()
                .err(),
            "JWK Set: keys[1]: must have at least 32 bytes and has 7",
        ),
        (KeyRing::from_master(b"hunter2").err(), "master secret: must have at least 32 bytes and has 7"),
    ];
    for (error, expected) in cases {
        let Some(error) = error else {
            panic!("accepted: {expected}")
        };
        let said = error.to_string();
        assert!(said.starts_with(expected), "{said}\n{expected}");
        for secret in [SECRET, "aHVudGVyMg"] {
            assert!(!said.contains(secret), "{said}");
        }
    }
}

/// `main` prints the error that it returns with `Debug`.
#[test]
fn main_prints_the_sentence() {
    let error: Box<dyn Error> = KeyRing::from_master(b"hunter2").unwrap_err().into();
    assert_eq!(format!("{error:?}"), error.to_string());
    assert!(error.to_string().starts_with("master secret: must"));
}
