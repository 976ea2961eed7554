//! The records of a recorder.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
};

use http::{Request, Response};
use metrics_util::{
    MetricKind,
    debugging::{DebugValue, DebuggingRecorder},
};

use tower::{Layer, ServiceExt, service_fn};
use tower_bearer::{
    BearerAuthLayer, CsrfLayer, CsrfToken, KeyRing, ManualClock, NoClaims, Timestamp, TokenCodec,
    csrf::CsrfSession,
};

use crate::{day, manual};

/// Everything that a recorder has heard, by name and then by labels.
type Heard = BTreeMap<String, BTreeMap<Vec<(String, String)>, DebugValue>>;

fn heard_of_a_day() -> (Heard, BTreeMap<String, MetricKind>, BTreeSet<String>) {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    ::metrics::with_local_recorder(&recorder, || {
        tower_bearer::describe_metrics();
        day::run(day::day());
    });
    let (mut heard, mut kinds) = (Heard::new(), BTreeMap::new());
    let mut described = BTreeSet::new();
    for (key, unit, text, value) in snapshotter.snapshot().into_vec() {
        let (kind, key) = key.into_parts();
        let labels = key.labels();
        let labels = labels.map(|label| (label.key().to_owned(), label.value().to_owned()));
        kinds.insert(key.name().to_owned(), kind);
        if unit.is_some() && text.is_some() {
            described.insert(key.name().to_owned());
        }
        let of_name = heard.entry(key.name().to_owned()).or_default();
        of_name.insert(labels.collect(), value);
    }
    (heard, kinds, described)
}

fn count(heard: &Heard, name: &str, labels: &[(&str, &str)]) -> u64 {
    let wanted = labels.iter().map(|(k, v)| ((*k).into(), (*v).into()));
    match heard[name].get(&wanted.collect::<Vec<_>>()) {
        Some(DebugValue::Counter(count)) => *count,
        None => 0,
        other => panic!("{name} is no counter: {other:?}"),
    }
}

#[test]
fn the_manual_lists_what_a_recorder_hears_and_nothing_else() {
    let (heard, kinds, described) = heard_of_a_day();
    let kind_of = manual::table("Metrics").into_iter().map(|row| {
        let name = manual::quoted(&row[0]).into_iter().next().unwrap();
        (name, row[1].clone())
    });
    let listed: BTreeMap<String, String> = kind_of.collect();
    let kinds: BTreeMap<String, String> = kinds
        .into_iter()
        .map(|(name, kind)| (name, format!("{kind:?}").to_lowercase()))
        .collect();
    assert_eq!(kinds, listed);
    let all: BTreeSet<String> = listed.keys().cloned().collect();
    assert_eq!(described, all, "each has a unit and a help text");

    let labels = manual::names("Metrics", 2);
    for (name, values) in &heard {
        for found in values.keys() {
            let keys: BTreeSet<String> = found.iter().map(|(key, _)| key.clone()).collect();
            assert_eq!(keys, labels[name], "{name}");
        }
    }
}

#[test]
fn refreshes_are_counted_by_what_was_decided() {
    let (heard, ..) = heard_of_a_day();
    let outcomes: BTreeMap<&str, u64> = heard["tower_bearer_refreshes_total"]
        .iter()
        .map(|(labels, value)| match value {
            DebugValue::Counter(count) => (labels[0].1.as_str(), *count),
            other => panic!("no counter: {other:?}"),
        })
        .collect();
    let expected = BTreeMap::from([
        ("coalesced", 2),
        ("denied", 1),
        ("expired", 1),
        ("foreign_jar", 1),
        ("invalid", 1),
        ("no_session", 1),
        ("recovered", 1),
        ("replayed", 2),
        ("reuse", 1),
        ("revoked", 1),
        ("rotated", 5),
        // A confirmation, and the tab that was late behind it.
        ("superseded", 2),
        ("unavailable", 1),
        ("unknown", 1),
    ]);
    assert_eq!(outcomes, expected);
}

#[test]
fn events_of_a_session_are_counted() {
    let (heard, ..) = heard_of_a_day();
    for event in ["foreign_jar", "new_fingerprint", "old_token"] {
        let labels = [("event", event)];
        assert_eq!(
            count(&heard, "tower_bearer_events_total", &labels),
            1,
            "{event}"
        );
    }
}

#[test]
fn verifications_are_counted_by_outcome() {
    let (heard, ..) = heard_of_a_day();
    let name = "tower_bearer_verifications_total";
    for outcome in [
        "accepted",
        "anonymous",
        "expired",
        "invalid_request",
        "missing_credentials",
    ] {
        assert_eq!(count(&heard, name, &[("outcome", outcome)]), 1, "{outcome}");
    }
    assert_eq!(heard[name].len(), 5);
    let rejected = |kind, reason| {
        let labels = [("kind", kind), ("reason", reason)];
        count(&heard, "tower_bearer_rejections_total", &labels)
    };
    assert_eq!(rejected("invalid_token", "expired"), 1);
    assert_eq!(rejected("foreign_origin", "unlisted_origin"), 1);
    assert_eq!(rejected("csrf_failed", "cookie_missing"), 1);
}

#[test]
fn sessions_begin_and_end_and_the_store_is_timed() {
    let (heard, ..) = heard_of_a_day();
    assert_eq!(
        count(&heard, "tower_bearer_sessions_started_total", &[]),
        12
    );
    let ended = |reason| {
        let labels = [("reason", reason)];
        count(&heard, "tower_bearer_sessions_ended_total", &labels)
    };
    for reason in [
        "denied",
        "limit",
        "reuse",
        "revoked_by_operator",
        "signed_out",
    ] {
        assert_eq!(ended(reason), 1, "{reason}");
    }
    // Two by its user, one by an operator, and one with all.
    assert_eq!(ended("revoked_all"), 4);
    for operation in [
        "insert",
        "load",
        "swap",
        "list",
        "revoke_all",
        "revoke_everything",
    ] {
        let labels =
            [("operation", operation), ("outcome", "ok")].map(|(k, v)| (k.into(), v.into()));
        let times = &heard["tower_bearer_store_duration_seconds"][&labels.to_vec()];
        let DebugValue::Histogram(times) = times else {
            panic!("{operation}: {times:?}");
        };
        assert!(
            times.iter().all(|seconds| (0.0..5.0).contains(&seconds.0)),
            "{times:?}"
        );
    }
    let failed = [("operation", "load"), ("outcome", "error")].map(|(k, v)| (k.into(), v.into()));
    assert!(heard["tower_bearer_store_duration_seconds"].contains_key(failed.as_slice()));
    let DebugValue::Gauge(sessions) = heard["tower_bearer_sessions"][&Vec::new()] else {
        panic!("the number of sessions is a gauge");
    };
    assert!(sessions.0 >= 1.0, "{sessions}");
}

#[test]
fn labels_are_words_of_ours() {
    let (heard, ..) = heard_of_a_day();
    for (name, values) in heard {
        for (label, value) in values.into_keys().flatten() {
            let ours = value.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            assert!(ours, "{name}: {label}={value}");
        }
    }
}

/// The handler's answer and the layer's are one refusal.
#[test]
fn a_token_that_the_handler_refuses_is_counted_once() {
    let answer = |request: Request<()>| async move {
        let token = CsrfToken::from_extensions(request.extensions()).unwrap();
        Ok::<_, Infallible>(match token.verify("m1.no.copy") {
            Ok(()) => Response::new(String::new()),
            Err(rejection) => rejection.response(),
        })
    };
    let keys = KeyRing::generate().unwrap();
    let layer = CsrfLayer::builder(&keys)
        .session(|_| CsrfSession::ANONYMOUS)
        .handler_verifies();
    let service = layer.build().unwrap().layer(service_fn(answer));
    let send = |request| day::run(service.clone().oneshot(request)).unwrap();
    let cookie = send(Request::get("/").body(()).unwrap());
    let cookie = cookie.headers()["set-cookie"].to_str().unwrap();
    let pair = cookie.split(';').next().unwrap().to_owned();

    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let post = Request::post("/").header("cookie", pair).body(()).unwrap();
    let response = ::metrics::with_local_recorder(&recorder, || send(post));
    assert_eq!(response.status(), 403);
    let counted = snapshotter.snapshot().into_vec();
    let rejections = counted
        .iter()
        .filter(|(key, ..)| key.key().name() == "tower_bearer_rejections_total")
        .map(|(.., value)| value)
        .collect::<Vec<_>>();
    assert!(
        matches!(rejections[..], [DebugValue::Counter(1)]),
        "{rejections:?}"
    );
}

/// A refusal of an open connection is one, as that of a request is.
#[test]
fn refusals_of_a_connection_are_counted_as_of_a_request() {
    let clock = ManualClock::new(Timestamp::from_secs(1_800_000_000));
    let codec: TokenCodec = TokenCodec::nested(&KeyRing::generate().unwrap())
        .issuer("https://id.example")
        .audience("api")
        .clock(clock.clone())
        .build()
        .unwrap();
    let layer = BearerAuthLayer::new(codec.clone());
    let of = |user| codec.mint(user, &NoClaims {}).unwrap();
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    ::metrics::with_local_recorder(&recorder, || {
        let mut connection = layer.connect(of("ada").as_str()).unwrap();
        connection.renew(of("bob").as_str()).unwrap_err();
        connection.renew("a.b.c").unwrap_err();
        clock.advance(codec.lifetime() * 2);
        day::run(connection.ended());
    });
    let mut counted = Vec::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        if key.key().name() == "tower_bearer_verifications_total" {
            let outcome = key.key().labels().next().unwrap().value().to_owned();
            counted.push((outcome, value));
        }
    }
    counted.sort_by(|(one, _), (other, _)| one.cmp(other));
    let one = |outcome: &str| (outcome.to_owned(), DebugValue::Counter(1));
    let expected = ["accepted", "expired", "forbidden", "segments"].map(one);
    assert_eq!(counted, expected);
}
