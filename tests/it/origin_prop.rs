//! Properties of every origin and every request, not of the examples alone.

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use proptest::prelude::*;
use tower::{Layer, ServiceExt};
use tower_bearer::{
    Event, EventSink, OriginGuardLayer,
    origin::{MissingOrigin, Origin},
    rejection::OriginReason,
};

use crate::support::echo::Echo;

/// The parts of a tuple origin.
type Tuple = (&'static str, String, Option<u16>);

/// As browsers serialise an origin (RFC 6454 section 6.2).
fn serialise((scheme, host, port): &Tuple) -> String {
    let default = if *scheme == "https" { 443 } else { 80 };
    match port.filter(|port| *port != default) {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    }
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        // Few and close to each other, so that lists and requests meet.
        "(a|b|ab|app)(\\.(a|b|x-y))?\\.(example|test)",
        "[a-z0-9_]([a-z0-9_-]{0,10}[a-z0-9_])?(\\.[a-z]{2,8}){1,3}\\.?",
        any::<std::net::Ipv4Addr>().prop_map(|address| address.to_string()),
        any::<std::net::Ipv6Addr>()
            .prop_filter("browsers write these otherwise", |a| a
                .to_ipv4_mapped()
                .is_none())
            .prop_map(|address| format!("[{address}]")),
    ]
}

fn port() -> impl Strategy<Value = Option<u16>> {
    prop_oneof![
        Just(None),
        prop_oneof![Just(80), Just(443), Just(8080)].prop_map(Some),
        (1..=u16::MAX).prop_map(Some),
    ]
}

fn tuple() -> impl Strategy<Value = Tuple> {
    (prop_oneof![Just("http"), Just("https")], host(), port())
}

fn verdict(layer: &OriginGuardLayer, origin: &str) -> Result<(), OriginReason> {
    let mut headers = HeaderMap::new();
    headers.insert("origin", HeaderValue::from_str(origin).unwrap());
    layer.check(&Method::POST, &Uri::from_static("/"), &headers)
}

const NAMES: [&str; 14] = [
    "authorization",
    "content-type",
    "cookie",
    "host",
    "origin",
    "origin",
    "referer",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-websocket-key",
    "upgrade",
    "x-forwarded-host",
    "x-http-method-override",
    "x-requested-with",
];

/// Any bytes, or something close to what the rules look for.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..80),
        "[a-z]{0,6}:?/{0,3}[\\[\\]:@.*a-zA-Z0-9%-]{0,40}".prop_map(String::into_bytes),
        tuple().prop_map(|tuple| serialise(&tuple).into_bytes()),
        proptest::sample::select(vec![
            "null",
            "same-origin",
            "same-site",
            "cross-site",
            "none",
            "websocket",
            "https://app.example",
            "https://app.example/x",
            "app.example",
            "Bearer abc",
            "application/grpc-web",
        ])
        .prop_map(|text: &str| text.as_bytes().to_vec()),
    ]
}

fn layers() -> impl Strategy<Value = OriginGuardLayer> {
    let list = || {
        OriginGuardLayer::new([
            "https://app.example".parse().unwrap(),
            "https://*.app.example".parse().unwrap(),
            "http://**.a.test:8080".parse().unwrap(),
            "http://localhost:*".parse().unwrap(),
            Origin::custom_scheme("app://").unwrap(),
        ])
        .unwrap()
    };
    prop_oneof![
        Just(list()),
        Just(
            list()
                .missing_origin(MissingOrigin::Refuse)
                .method_override()
        ),
        Just(list().missing_origin(MissingOrigin::DangerousAllow)),
        Just(OriginGuardLayer::same_origin()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1024) })]

    /// Nothing that HTTP can carry brings the guard down. The inner service runs exactly when the verdict is to let it.
    #[test]
    fn the_layer_follows_the_verdict(
        layer in layers(),
        report_only: bool,
        method in "GET|POST|HEAD|OPTIONS|CONNECT|[A-Za-z]{1,8}",
        target in prop_oneof![Just("/x"), Just("https://app.example/x"), Just("http://[::1]:3000/")],
        lines in proptest::collection::vec((0..NAMES.len(), value()), 0..7),
    ) {
        let mut request = Request::new(String::new());
        *request.method_mut() = method.parse().unwrap();
        *request.uri_mut() = target.parse().unwrap();
        for (name, value) in &lines {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                request.headers_mut().append(NAMES[*name], value);
            }
        }
        let verdict = layer.check(request.method(), request.uri(), request.headers());
        let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let sink = told.clone();
        let events = EventSink::new(move |event: &Event<'_>| sink.lock().unwrap().push(match event {
            Event::Rejected(rejection) => (false, rejection.origin_reason()),
            Event::WouldReject(rejection) => (true, rejection.origin_reason()),
            other => panic!("{other:?}"),
        }));
        let layer = if report_only { layer.report_only() } else { layer };
        let echo = Echo::default();
        let service = layer.events(events).layer(echo.clone());
        let response = futures_util::FutureExt::now_or_never(service.oneshot(request));
        let response = response.expect("guards do not wait").unwrap();

        let passes = verdict.is_ok() || report_only;
        prop_assert_eq!(echo.calls(), usize::from(passes));
        prop_assert_eq!(response.body() == "inner", passes);
        prop_assert_eq!(response.status() == 403, !passes);
        prop_assert!(!response.headers().contains_key("grpc-status"));
        let expected: Vec<_> = verdict.err().map(|reason| (report_only, Some(reason))).into_iter().collect();
        prop_assert_eq!(&*told.lock().unwrap(), &expected);
    }

    #[test]
    fn origins_of_browsers_are_canonical(tuple in tuple()) {
        let text = serialise(&tuple);
        let origin: Origin = text.parse().unwrap();
        prop_assert_eq!(origin.as_str(), &text);
    }

    #[test]
    fn normalising_twice_changes_nothing(
        text in prop_oneof![
            "\\PC{0,40}",
            "(?i:https?)://(\\*\\*?\\.)?[a-zA-Z0-9.:_\\[\\]-]{0,30}",
            "(?i:https?|app)://(\\*\\*?\\.)?([a-zA-Z]{0,3}\\.)?(?i:localhost)\\.?(:\\*)?",
            "[aA]pp://[!-~]{0,8}",
            "(?i:https?)://[a-zA-Z]{1,5}\\.[a-zA-Z]{1,5}(:[0-9]{1,5})?",
            tuple().prop_map(|tuple| serialise(&tuple).to_uppercase()),
        ],
    ) {
        for parse in [str::parse::<Origin>, Origin::custom_scheme] {
            if let Ok(origin) = parse(&text) {
                prop_assert_eq!(&parse(&origin.to_string()).unwrap(), &origin);
                prop_assert_eq!(origin.to_string(), origin.as_str());
            }
        }
    }

    #[test]
    fn only_listed_tuples_pass(
        pool in proptest::collection::vec(tuple(), 2..12),
        listed in proptest::collection::vec(any::<bool>(), 12),
    ) {
        let pool: Vec<String> = pool.iter().map(serialise).collect();
        let list: BTreeSet<&String> = pool.iter().zip(&listed).filter(|(_, l)| **l).map(|(o, _)| o).collect();
        prop_assume!(!list.is_empty());
        let layer = OriginGuardLayer::new(list.iter().map(|o| o.parse().unwrap())).unwrap();
        for origin in &pool {
            let expected = if list.contains(origin) { Ok(()) } else { Err(OriginReason::UnlistedOrigin) };
            prop_assert_eq!(verdict(&layer, origin), expected, "{}", origin);
        }
    }

    /// The guard reads an origin from the wire as `Origin` reads an entry, which has no wildcard then.
    #[test]
    fn a_well_formed_origin_is_what_could_be_listed(
        origin in prop_oneof![
            tuple().prop_map(|tuple| serialise(&tuple)),
            "(?i:https?)://[a-zA-Z0-9.:_\\[\\]*-]{0,20}",
            "https?://[a-z]{1,3}(\\.[a-z]{1,3}){0,2}\\.?(:[0-9]{0,5})?",
            "https?://[0-9a-fx]{1,3}(\\.[0-9]{1,3}){0,3}\\.?",
            "https?://\\[[0-9a-f:.]{0,12}\\](:[0-9]{1,5})?",
            "[!-~]([ -~]{0,28}[!-~])?",
        ],
        host in tuple(),
    ) {
        let mut headers = HeaderMap::new();
        headers.insert("origin", origin.parse().unwrap());
        headers.insert("host", serialise(&host).split_once("://").unwrap().1.parse().unwrap());
        headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
        let verdict = OriginGuardLayer::same_origin().check(&Method::POST, &Uri::from_static("/"), &headers);
        let entry = origin.parse::<Origin>().ok();
        let could_be_listed = entry.is_some_and(|entry| entry.as_str() == origin && !origin.contains('*'));
        prop_assert_eq!(verdict.is_ok(), could_be_listed || origin == "null", "{}", origin);
    }

    /// The own host is found by another way than a list's entry, with the same result.
    #[test]
    fn the_own_host_passes_alone(own in tuple(), other in tuple()) {
        let layer = OriginGuardLayer::same_origin();
        let authority = serialise(&own).split_once("://").unwrap().1.to_owned();
        for candidate in [&own, &other] {
            let mut headers = HeaderMap::new();
            headers.insert("origin", serialise(candidate).parse().unwrap());
            headers.insert("host", authority.parse().unwrap());
            let verdict = layer.check(&Method::POST, &Uri::from_static("/"), &headers);
            // `Host` has no scheme, so its port alone says which origins it may belong to.
            let same = serialise(&(candidate.0, own.1.clone(), authority_port(&authority)));
            prop_assert_eq!(verdict.is_ok(), serialise(candidate) == same, "{:?} on {}", candidate, authority);
        }
    }

    #[test]
    fn one_changed_character_is_another_origin(
        list in proptest::collection::vec(tuple(), 1..4),
        at: prop::sample::Index,
        change in prop_oneof![
            "[ -~]".prop_map(Change::Replace),
            "[ -~]".prop_map(Change::Insert),
            Just(Change::Remove),
        ],
    ) {
        let list: Vec<String> = list.iter().map(serialise).collect();
        let layer = OriginGuardLayer::new(list.iter().map(|o| o.parse().unwrap())).unwrap();
        let mut changed = list[0].clone();
        let at = at.index(changed.len());
        match change {
            Change::Replace(c) => changed.replace_range(at..=at, &c),
            Change::Insert(c) => changed.insert_str(at, &c),
            Change::Remove => { changed.remove(at); }
        }
        // White space around a value is not part of it.
        let listed = list.iter().any(|origin| origin == changed.trim());
        prop_assert_eq!(verdict(&layer, &changed).is_ok(), listed, "{:?}", changed);
    }

    #[test]
    fn a_wildcard_is_one_label(label in "[!-~]{1,12}") {
        let layer = OriginGuardLayer::new(["https://*.app.example".parse().unwrap()]).unwrap();
        let legal = label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
            && !label.starts_with('-') && !label.ends_with('-');
        let origin = format!("https://{label}.app.example");
        prop_assert_eq!(verdict(&layer, &origin).is_ok(), legal);
        // An origin that passes could have been listed.
        if legal {
            let parsed: Origin = origin.parse().unwrap();
            prop_assert_eq!(parsed.as_str(), &origin);
        }
    }
}

fn authority_port(authority: &str) -> Option<u16> {
    authority
        .parse::<http::uri::Authority>()
        .unwrap()
        .port_u16()
}

#[derive(Clone, Debug)]
enum Change {
    Insert(String),
    Remove,
    Replace(String),
}
