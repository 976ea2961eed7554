//! The work that must cost no allocation, counted.

use allocation_counter::measure;
use http::{HeaderMap, Method, Request, Response, Uri};
use tower::{Layer, Service, service_fn};
use tower_bearer::{
    Claims, KeyRing, OriginGuardLayer, RequireClaimsLayer, RequireRecentAuth, RequireScopeLayer,
    Timestamp, TokenCodec, token::Grant,
};

use crate::support::csrf::{self, Fixtures};
use crate::support::profile::Profile;
use crate::support::tokens::{self, Scoped, verified};

/// A request as browsers send it from `origin`.
fn headers(origin: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let lines = [
        ("host", "app.example"),
        (
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0",
        ),
        ("content-type", "application/json"),
        ("cookie", "__Secure-refresh_token=abc; theme=dark"),
        ("sec-fetch-site", "same-site"),
    ];
    for (name, value) in lines {
        headers.insert(name, value.parse().unwrap());
    }
    if let Some(origin) = origin {
        headers.insert("origin", origin.parse().unwrap());
    }
    headers
}

#[test]
fn judging_an_origin() {
    let listed = OriginGuardLayer::new([
        "https://www.example".parse().unwrap(),
        "https://app.example".parse().unwrap(),
        "https://*.app.example".parse().unwrap(),
        "https://**.example.net".parse().unwrap(),
        "http://localhost:*".parse().unwrap(),
    ])
    .unwrap();
    let own = OriginGuardLayer::same_origin();
    let from = |origin: &str| headers(Some(origin));
    let saying = |site: Option<&str>, origin: &str| {
        let mut headers = from(origin);
        headers.remove("sec-fetch-site");
        if let Some(site) = site {
            headers.insert("sec-fetch-site", site.parse().unwrap());
        }
        headers
    };
    let mut on_ipv6 = saying(None, "http://[::1]:3000");
    on_ipv6.insert("host", "[0::1]:3000".parse().unwrap());
    let mut by_referer = headers(None);
    by_referer.remove("sec-fetch-site");
    by_referer.insert("referer", "https://app.example/a".parse().unwrap());
    let mut socket = from("https://evil.example");
    socket.insert("upgrade", "websocket".parse().unwrap());

    let cases = [
        (
            "exact",
            &listed,
            Method::POST,
            from("https://app.example"),
            true,
        ),
        (
            "wildcard",
            &listed,
            Method::POST,
            from("https://a.app.example"),
            true,
        ),
        (
            "deep wildcard",
            &listed,
            Method::POST,
            from("https://a.b.example.net"),
            true,
        ),
        (
            "foreign",
            &listed,
            Method::POST,
            from("https://evil.example"),
            false,
        ),
        (
            "any port",
            &listed,
            Method::POST,
            from("http://localhost:5173"),
            true,
        ),
        ("null", &listed, Method::POST, from("null"), false),
        (
            "null without a page",
            &listed,
            Method::POST,
            saying(Some("none"), "null"),
            true,
        ),
        (
            "metadata alone",
            &listed,
            Method::POST,
            headers(None),
            false,
        ),
        ("referrer", &listed, Method::POST, by_referer, true),
        (
            "safe",
            &listed,
            Method::GET,
            from("https://evil.example"),
            true,
        ),
        ("socket", &listed, Method::GET, socket, false),
        (
            "own",
            &own,
            Method::POST,
            saying(None, "https://app.example"),
            true,
        ),
        (
            "own behind a proxy",
            &own,
            Method::POST,
            saying(Some("same-origin"), "https://[::1]:8443"),
            true,
        ),
        (
            "sibling",
            &own,
            Method::POST,
            from("https://app.example"),
            false,
        ),
        ("own on IPv6", &own, Method::POST, on_ipv6, true),
        (
            "not the own",
            &own,
            Method::POST,
            saying(None, "https://evil.example"),
            false,
        ),
    ];
    let uri = Uri::from_static("/transfer");
    for (name, layer, method, headers, passes) in cases {
        let counted = measure(|| {
            assert_eq!(
                layer.check(&method, &uri, &headers).is_ok(),
                passes,
                "{name}"
            );
        });
        assert_eq!(counted.count_total, 0, "{name}: {counted:?}");
    }
    // The counter does count.
    assert!(measure(|| drop(headers(None))).count_total > 0);
}

#[test]
fn passing_the_rules_over_a_token() {
    let admins = |claims: &Claims<Scoped>| claims.custom().scope == "admin";
    let inner = service_fn(|_: Request<String>| {
        std::future::ready(Ok::<_, std::convert::Infallible>(Response::new(())))
    });
    let scope = RequireScopeLayer::new("admin".parse().unwrap());
    let mut service = RequireClaimsLayer::new(admins).layer(scope.layer(inner));
    let request = verified("admin");
    let counted = measure(|| {
        let answer = futures_util::FutureExt::now_or_never(service.call(request));
        assert_eq!(answer.unwrap().unwrap().status(), 200);
    });
    assert_eq!(counted.count_total, 0, "{counted:?}");
}

#[test]
fn passing_as_recent() {
    let inner = service_fn(|_: Request<String>| {
        std::future::ready(Ok::<_, std::convert::Infallible>(Response::new(())))
    });
    let recent = RequireRecentAuth::max_age(std::time::Duration::from_secs(300));
    let recent = recent.acr_values(["other".parse().unwrap(), "phr".parse().unwrap()]);
    let mut service = recent.layer(inner);
    let request = tokens::authenticated(tokens::NOW);
    let counted = measure(|| {
        let answer = futures_util::FutureExt::now_or_never(service.call(request));
        assert_eq!(answer.unwrap().unwrap().status(), 200);
    });
    assert_eq!(counted.count_total, 0, "{counted:?}");
}

#[test]
fn verifying_a_csrf_token() {
    let fixtures = Fixtures::load();
    let binding = fixtures.binding_of("S1");
    let one = csrf::layer(fixtures.keys(&["K1"]), binding);
    let several = csrf::layer(fixtures.keys(&["K2", "K1"]), binding);
    let vector = &fixtures.vectors()[0];
    let (raw, masked) = (
        vector["raw"].as_str().unwrap(),
        vector["masked"].as_str().unwrap(),
    );
    for (name, layer, cookie, copy, passes) in [
        ("raw", &one, raw, raw, true),
        ("masked", &one, raw, masked, true),
        ("second key", &several, raw, masked, true),
        ("malformed", &one, raw, "junk", false),
        ("mismatch", &one, raw, &masked.replace('A', "B"), false),
    ] {
        let request = csrf::post(cookie, copy);
        let counted = measure(|| {
            let verdict = layer.verify(request.headers(), &binding);
            assert_eq!(verdict.is_ok(), passes, "{name}");
        });
        assert_eq!(counted.count_total, 0, "{name}: {counted:?}");
    }
}

/// Claims as most services have them, with a scope and a role that the codec passes on or over.
#[derive(serde::Serialize)]
struct Usual {
    scope: &'static str,
    role: &'static str,
}

#[test]
fn verifying_a_token() {
    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    let keys = KeyRing::generate().unwrap();
    for profile in [Profile::Nested, Profile::Encrypted, Profile::Signed] {
        let codec: TokenCodec = builder(profile, &keys).build().unwrap();
        let mints: TokenCodec<Usual> = builder(profile, &keys).build().unwrap();
        let grant = Grant::new(
            "5f0c2f4e9b3a4d7c",
            &Usual {
                scope: "read write",
                role: "editor",
            },
        )
        .session("Zk3J8qLxR2uV0wYt5aBcDg");
        let good = mints.mint_at(&grant, NOW).unwrap().as_str().to_owned();
        // Work that a thread does once does not count as a cost of a token.
        codec.verify_at(&good, NOW).unwrap();
        let counted = measure(|| drop(codec.verify_at(&good, NOW).unwrap()));
        // The claims, and the texts that they name.
        assert_eq!(counted.count_total, 2, "{profile:?}: {counted:?}");

        let later = NOW + std::time::Duration::from_secs(3600);
        let (rest, _) = good.rsplit_once('.').unwrap();
        let end = "A".repeat(good.len() - rest.len() - 1);
        for (name, token, now) in [
            ("forged", format!("{rest}.{end}"), NOW),
            ("of another shape", format!("{good}.x"), NOW),
            ("cut", rest.to_owned(), NOW),
            ("expired", good.clone(), later),
        ] {
            let counted = measure(|| assert!(codec.verify_at(&token, now).is_err(), "{name}"));
            assert_eq!(counted.count_total, 0, "{profile:?} {name}: {counted:?}");
        }
    }
}

fn builder<C>(profile: Profile, keys: &KeyRing) -> tower_bearer::token::TokenCodecBuilder<C> {
    profile
        .codec(keys)
        .issuer("https://id.example")
        .audience("https://api.example")
}
