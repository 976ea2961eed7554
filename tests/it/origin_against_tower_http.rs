//! The origin guard beside `tower_http::csrf`, row by row. Where the two differ, the row stands in a list with the
//! reason. A difference that is not listed fails, and so does a listed one that is gone.

use std::collections::{BTreeMap, BTreeSet};

use tower::{Layer, ServiceExt};
use tower_http::csrf::CsrfLayer;

use crate::support::{
    echo::Echo,
    origin_rows::{self, Row},
};

/// Why the two differ, whether tower-http lets the request through, and on which rows.
const DIFFERENT: &[(&str, bool, &[&str])] = &[
    (
        "`Sec-Fetch-Site: same-origin` and `none` pass without a look at `Origin`",
        true,
        &[
            "sfs-same-origin-with-foreign-origin",
            "null-uppercase-sfs-same-origin",
            "origin-empty-sfs-same-origin",
            "origin-empty-missing-allowed",
            "host-derived-rebinding",
            "origin-nearly-null",
            "site-none-foreign-origin",
            "own-host-proxy-changed-host-none",
            "own-host-foreign-none",
            "own-host-same-origin-origin-empty",
            "own-host-same-origin-slash",
            "own-host-same-origin-default-port",
            "own-host-same-origin-capitals",
            "own-host-same-origin-scheme-in-capitals",
            "own-host-same-origin-user-name",
            "own-host-same-origin-list",
            "own-host-same-origin-comma",
            "own-host-same-origin-no-scheme",
            "own-host-same-origin-host-alone",
            "own-host-same-origin-ipv4-short",
            "own-host-same-origin-ipv6-long",
            "own-host-same-origin-port-zero",
            "own-host-same-origin-null-in-capitals",
            "own-host-same-origin-custom-scheme",
            "own-host-same-origin-websocket-scheme",
            "own-host-same-origin-obs-text",
            "own-host-same-origin-two-final-dots",
            "null-uppercase-with-none",
            "origin-empty-with-none",
            "development-server-unlisted",
        ],
    ),
    (
        "of repeated lines the first one counts alone",
        true,
        &[
            "sfs-duplicate-lines-agree",
            "two-origins-both-listed",
            "two-origins-good-first",
            "empty-then-evil",
            "empty-then-good",
            "repeated-site-listed-origin",
            "repeated-site-no-origin",
            "repeated-empty-site",
            "repeated-referer-listed-origin",
            "repeated-referer-same-origin",
            "repeated-origin-null",
            "repeated-origin-missing-allowed",
            "own-host-repeated-host",
            "own-host-same-origin-repeated-origin",
            "own-host-same-origin-repeated-site",
        ],
    ),
    (
        "an empty header is taken for an absent one",
        true,
        &["origin-empty", "origin-empty-listed-referer", "site-empty"],
    ),
    (
        "without `Sec-Fetch-Site`, the request's own host passes with any list, scheme, path and spelling",
        true,
        &[
            "trailing-slash",
            "with-path",
            "with-fragment",
            "downgrade-http-origin-on-https",
            "origin-scheme-in-capitals",
            "origin-query",
            "own-host-ipv4-short",
            "own-host-userinfo-in-both",
            "own-host-http-page-on-https",
            "rebinding-as-browsers-send-it",
            "own-host-trailing-dots",
            "own-host-trailing-dot-address",
            "trailing-dot-listed-other",
        ],
    ),
    (
        "`Host` is not read beside the authority of the target",
        true,
        &["own-host-host-against-authority"],
    ),
    (
        "`Host` is compared byte by byte",
        false,
        &[
            "host-derived-default-port-in-host",
            "host-derived-uppercase-host",
            "own-host-ipv6-long",
            "own-host-space-in-host",
            "own-host-trailing-dot-in-both-port",
        ],
    ),
    (
        "beside an unknown `Sec-Fetch-Site` the request's own host does not count",
        false,
        &["own-host-own-origin-unknown-site"],
    ),
    (
        "`Referer` is not read, so the request says nothing about where it comes from",
        true,
        &[
            "referer-http-downgrade",
            "referer-lookalike-prefix",
            "referer-userinfo-same-host",
            "referer-relative",
            "referer-scheme-relative",
            "referer-missing-host",
            "referer-non-ascii",
            "referer-uppercase-host",
            "referer-port-mismatch",
            "referer-explicit-443",
            "referer-duplicate",
            "comma-joined-referers",
            "wildcard-referer-userinfo",
            "referer-empty",
            "referer-about-blank",
            "referer-two-schemes",
            "referer-one-slash",
            "referer-backslash",
            "referer-origin-in-query",
            "referer-leading-text",
            "referer-obs-text-in-host",
            "referer-foreign-missing-allowed",
            "own-host-referer-foreign",
            "any-port-referer-foreign",
        ],
    ),
    (
        "credentials do not matter to a request that says nothing about where it comes from",
        true,
        &[
            "missing-all-with-cookie",
            "missing-all-with-unrelated-cookie",
            "missing-all-basic-auth",
            "missing-all-client-cert",
            "missing-bearer-and-cookie",
            "missing-bearer-and-basic",
            "missing-basic-and-bearer",
            "missing-negotiate",
            "missing-digest",
            "missing-csrf-cookie-and-another",
            "missing-csrf-cookie-of-another-prefix",
            "missing-ntlm",
            "missing-bearer-joined-with-basic",
            "missing-bearer-denied",
            "missing-bearer-ambient",
            "missing-requested-with",
            "missing-json",
            "missing-forwarded-origin",
            "missing-host-alone",
        ],
    ),
    (
        "a `GET` is safe even if it opens a WebSocket",
        true,
        &[
            "ws-get-foreign-origin",
            "ws-upgrade-mixed-case",
            "ws-upgrade-list",
            "secure-websocket-scheme-origin",
            "websocket-versioned",
            "websocket-versioned-in-list",
            "websocket-second-line",
            "websocket-empty-members",
            "websocket-tabs-around",
            "websocket-with-parameter",
            "websocket-with-obs-text",
            "websocket-key-without-upgrade",
            "websocket-without-connection",
            "websocket-null-origin",
            "websocket-no-origin-cookie",
            "websocket-cross-site-no-origin",
            "websocket-repeated-origin",
            "own-host-websocket",
            "own-host-cross-site-websocket",
            "null-websocket-cross-site",
            "websocket-http-page",
            "own-host-websocket-proxy-changed-host",
        ],
    ),
    (
        "a safe method is safe even if another one overrides it",
        true,
        &[
            "method-override-on-get",
            "method-override-x-http-method-get",
            "method-override-x-http-method-head",
            "method-override-x-http-method-options",
            "method-override-x-method-override-get",
            "method-override-x-method-override-head",
            "method-override-x-method-override-options",
            "method-override-x-http-method-override-get",
            "method-override-x-http-method-override-head",
            "method-override-x-http-method-override-options",
        ],
    ),
    (
        "there are no wildcards, of labels or of ports",
        false,
        &[
            "wildcard-one-label",
            "wildcard-double-star-two-labels",
            "wildcard-port-listed",
            "wildcard-longest-label",
            "wildcard-punycode-label",
            "wildcards-deep-one",
            "trailing-dot-wildcard-listed",
            "any-port-port-listed",
            "any-port-no-port",
            "any-port-highest",
            "any-port-other-default",
            "any-port-ipv4",
            "any-port-ipv6",
            "any-port-name-below",
            "any-port-wildcard",
        ],
    ),
    (
        "there are no schemes but http and https",
        false,
        &[
            "chrome-extension-listed",
            "capacitor-listed",
            "opaque-host-in-capitals",
            "opaque-host-dash",
            "opaque-host-empty",
            "opaque-host-dot",
        ],
    ),
    (
        "white space around a value that no HTTP parser has taken off is part of it",
        false,
        &[
            "sfs-leading-trailing-space",
            "origin-space-around",
            "origin-tab-around",
        ],
    ),
];

/// tower-http's layer with what it can be told of the row's list. It takes neither wildcards (it
/// would compare them letter by letter) nor custom schemes.
fn theirs(row: &Row) -> CsrfLayer {
    row.entries()
        .iter()
        .filter(|entry| !entry.contains('*'))
        .fold(CsrfLayer::new(), |layer, entry| {
            layer.clone().add_trusted_origin(entry).unwrap_or(layer)
        })
}

#[tokio::test]
async fn every_difference_has_its_reason() {
    let mut listed: BTreeMap<&str, bool> = BTreeMap::new();
    for (_, passes, names) in DIFFERENT {
        for name in *names {
            assert!(
                listed.insert(name, *passes).is_none(),
                "{name} is listed twice"
            );
        }
    }
    let rows = origin_rows::committed();
    let names: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    let mut wrong = Vec::new();
    for row in &rows {
        let Some(request) = row.request() else {
            continue;
        };
        let echo = Echo::default();
        let response = theirs(row)
            .layer(echo.clone())
            .oneshot(request)
            .await
            .unwrap();
        let passes = echo.calls() == 1;
        assert_eq!(passes, response.status() == 200);
        let expected = listed.get(row.name.as_str()).copied();
        match (passes == row.allowed, expected) {
            (true, None) => {}
            (false, Some(listed)) if listed == passes => {}
            (same, _) => wrong.push(format!(
                "{} same: {same}, theirs passes: {passes}",
                row.name
            )),
        }
    }
    let unknown: Vec<_> = listed
        .keys()
        .filter(|name| !names.contains(*name))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!(
        "{} rows, {} differences, all listed",
        rows.len(),
        listed.len()
    );
}
