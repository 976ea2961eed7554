//! Fifty origins that are misspelled or foreign, with everything else that a request may say about
//! where it comes from. A list lets none of them in; `same_origin` lets in those that are written here.

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderValue, Method, Uri};
use tower_bearer::OriginGuardLayer;

/// The list. Requests go to `https://app.example`, and `Host` says so.
const LISTED: [&str; 3] = [
    "https://app.example",
    "https://*.team.example",
    "http://localhost:*",
];

/// None of these is on the list, though each is close to it or what an attacker would try.
const ORIGINS: [&str; 50] = [
    "null",
    "",
    // The listed host, spelled as no browser spells it.
    "https://app.example/",
    "https://app.example/settings",
    "https://app.example?x",
    "https://app.example#x",
    "https://app.example:",
    "https://app.example:443",
    "https://app.example:0443",
    "https://app.example:99999",
    "https://APP.example",
    "HTTPS://app.example",
    "https://app.example..",
    "https://.app.example",
    "https://app..example",
    "https://app%2eexample",
    "https://app\u{3002}example",
    "https://user@app.example",
    "https://app.example,https://app.example",
    "https://app.example https://app.example",
    "https:app.example",
    "https:///app.example",
    "https:\\\\app.example",
    "//app.example",
    "app.example",
    "https://",
    "https://*",
    "https://*.team.example",
    "https://A.team.example",
    "http://localhost:*",
    "http://localhost:80",
    "http://localhost:05173",
    "http://127.1:5173",
    "http://[0:0:0:0:0:0:0:1]:5173",
    "NULL",
    "wss://app.example",
    "tauri://localhost",
    "file://",
    // Another host behind the listed one.
    "https://app.example@evil.example",
    "https://app.example\\.evil.example",
    // Well formed and foreign.
    "http://app.example",
    "https://app.example:8443",
    "https://app.example.",
    "https://app.example.evil.example",
    "https://evilapp.example",
    "https://blog.app.example",
    "https://a.b.team.example",
    "https://localhost:5173",
    "http://[::1]:5173",
    "https://evil.example",
];

/// The requests that `same_origin` lets in where the browser says `Sec-Fetch-Site: same-origin`. These are all that a
/// browser could have sent, because it says that this is the origin of the address.
const WELL_FORMED: [&str; 10] = [
    "http://app.example",
    "https://app.example:8443",
    "https://app.example.",
    "https://app.example.evil.example",
    "https://evilapp.example",
    "https://blog.app.example",
    "https://a.b.team.example",
    "https://localhost:5173",
    "http://[::1]:5173",
    "https://evil.example",
];

/// The requests that `same_origin` lets in by `Host`, which names no scheme, where the browser does not say more.
const ON_THE_OWN_HOST: [&str; 1] = ["http://app.example"];

const SITES: [Option<&str>; 7] = [
    None,
    Some("same-origin"),
    Some("same-site"),
    Some("cross-site"),
    Some("none"),
    Some("same-party"),
    Some(""),
];

const REFERERS: [Option<&str>; 3] = [
    None,
    Some("https://app.example/settings"),
    Some("https://evil.example/"),
];

const METHODS: [&str; 7] = [
    "POST", "PUT", "PATCH", "DELETE", "CONNECT", "TRACE", "QUERY",
];

/// Each origin and value of `Sec-Fetch-Site` that passes. Method and referrer change nothing.
fn accepted(
    guard: &OriginGuardLayer,
    origins: &[&'static str],
) -> BTreeSet<(&'static str, Option<&'static str>)> {
    let (mut accepted, mut judged) = (BTreeSet::new(), 0);
    for origin in origins {
        for site in SITES {
            let mut passed = 0;
            for referer in REFERERS {
                let mut headers = HeaderMap::new();
                let lines = [
                    ("host", Some("app.example")),
                    ("cookie", Some("__Secure-refresh_token=abc")),
                    ("origin", Some(*origin)),
                    ("sec-fetch-site", site),
                    ("referer", referer),
                ];
                for (name, value) in lines {
                    if let Some(value) = value {
                        headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
                    }
                }
                for method in METHODS {
                    let method: Method = method.parse().unwrap();
                    let verdict = guard.check(&method, &Uri::from_static("/transfer"), &headers);
                    passed += usize::from(verdict.is_ok());
                    judged += 1;
                }
            }
            let all = REFERERS.len() * METHODS.len();
            assert!([0, all].contains(&passed), "{origin} {site:?}: {passed}");
            if passed == all {
                accepted.insert((*origin, site));
            }
        }
    }
    assert_eq!(judged, origins.len() * 7 * 3 * 7);
    accepted
}

/// A form that has lost its page, which no page can imitate.
const WITHOUT_A_PAGE: [(&str, Option<&str>); 2] =
    [("null", Some("same-origin")), ("null", Some("none"))];

#[test]
fn a_list_lets_no_misspelled_origin_in() {
    let guard = OriginGuardLayer::new(LISTED.map(|entry| entry.parse().unwrap())).unwrap();
    assert_eq!(
        accepted(&guard, &ORIGINS),
        BTreeSet::from(WITHOUT_A_PAGE),
        "with a list"
    );
    // A listed origin passes, whatever else the request says.
    let listed = [
        "https://app.example",
        "https://blue.team.example",
        "http://localhost:5173",
    ];
    assert_eq!(accepted(&guard, &listed).len(), listed.len() * SITES.len());
}

#[test]
fn same_origin_lets_in_what_browsers_write() {
    let mut expected = BTreeSet::from(WITHOUT_A_PAGE);
    expected.extend(WELL_FORMED.map(|origin| (origin, Some("same-origin"))));
    for site in [None, Some("none"), Some("same-party"), Some("")] {
        expected.extend(ON_THE_OWN_HOST.map(|origin| (origin, site)));
    }
    assert_eq!(
        accepted(&OriginGuardLayer::same_origin(), &ORIGINS),
        expected,
        "with same_origin"
    );
}

/// The judge of what is well formed is another implementation of the URL standard.
#[test]
fn an_accepted_origin_is_written_as_the_url_standard_writes_it() {
    let browser_writes = |origin: &str| {
        let url = reqwest::Url::parse(origin).ok();
        url.map(|url| url.origin().ascii_serialization())
    };
    for origin in WELL_FORMED.iter().chain(&ON_THE_OWN_HOST) {
        assert_eq!(browser_writes(origin).as_deref(), Some(*origin));
        assert!(ORIGINS.contains(origin), "{origin}");
    }
    // The standard leaves labels without a character, and stars, to the name servers.
    let is_no_name = |origin: &str| ["..", "//.", "*"].iter().any(|part| origin.contains(part));
    for origin in ORIGINS.into_iter().filter(|o| o.starts_with("http")) {
        let is_written = browser_writes(origin).as_deref() == Some(origin);
        let expected = is_written && !is_no_name(origin);
        assert_eq!(WELL_FORMED.contains(&origin), expected, "{origin}");
    }
}
