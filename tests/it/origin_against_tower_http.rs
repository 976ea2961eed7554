//! The origin guard beside `tower_http::csrf`, row by row. Where the two differ, the row stands in
//! a list with the reason; a difference that is not listed fails, and so does a listed one that is
//! gone.

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
            "null-with-none",
            "site-none-foreign-origin",
            "own-host-same-origin-foreign-origin",
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
        ],
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
            "missing-empty-cookie",
            "missing-bearer-and-cookie",
            "missing-bearer-and-basic",
            "missing-basic-and-bearer",
            "missing-negotiate",
            "missing-digest",
            "missing-bearer-lookalike",
            "missing-bearer-tab",
            "missing-authorization-empty",
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
        "there are no wildcards",
        false,
        &[
            "wildcard-one-label",
            "wildcard-double-star-two-labels",
            "wildcard-port-listed",
            "wildcard-longest-label",
            "wildcard-punycode-label",
            "wildcards-deep-one",
        ],
    ),
    (
        "there are no schemes but http and https",
        false,
        &[
            "chrome-extension-listed",
            "capacitor-listed",
            "opaque-host-in-capitals",
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
