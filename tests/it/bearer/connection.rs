//! Connections that outlive the request they began with.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use tower_bearer::{
    BearerAuthLayer, Claims, Event, EventSink, KeyRing, ManualClock, NoClaims, TokenCodec,
    TokenErrorKind, Verifiers,
    bearer::CheckError,
    rejection::{Rejection, RejectionKind},
    token::Grant,
};

use crate::support::tokens::NOW;

const LIFETIME: Duration = Duration::from_secs(900);
const LEEWAY: Duration = Duration::from_secs(60);
const MOMENT: Duration = Duration::from_millis(100);

fn codec(issuer: &str, clock: &ManualClock) -> TokenCodec {
    TokenCodec::signed(&KeyRing::generate().unwrap())
        .issuer(issuer)
        .audience("api")
        .lifetime(LIFETIME)
        .leeway(LEEWAY)
        .clock(clock.clone())
        .build()
        .unwrap()
}

/// A token of this user's session.
fn token(codec: &TokenCodec, user: &str, session: &str) -> String {
    let grant = Grant::new(user, &NoClaims {}).session(session);
    let minted = codec.mint_at(&grant, codec.clock().now()).unwrap();
    minted.as_str().to_owned()
}

/// A layer, and the names of what it tells its sink.
fn telling(codec: &TokenCodec) -> (BearerAuthLayer, Arc<Mutex<Vec<&'static str>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = told.clone();
    let layer = BearerAuthLayer::new(codec.clone()).events(EventSink::new(move |event| {
        if let Event::Rejected(rejection) = event {
            sink.lock().unwrap().push(rejection.reason());
        }
    }));
    (layer, told)
}

/// How a connection with a fresh token has ended after so long, if it has.
fn ended_after(
    layer: &BearerAuthLayer,
    text: &str,
    clock: &ManualClock,
    wait: Duration,
) -> Option<TokenErrorKind> {
    let connection = layer.connect(text).unwrap();
    clock.advance(wait);
    let is_refused = layer.connect(text).is_err();
    let ended = connection.ended().now_or_never();
    assert_eq!(ended.is_some(), is_refused, "as a request with this token");
    ended.map(|rejection| rejection.token_error().unwrap().kind())
}

fn is_expired(rejection: &Rejection) -> bool {
    rejection.token_error().map(|error| error.kind()) == Some(TokenErrorKind::Expired)
}

#[tokio::test]
async fn a_token_in_a_message_is_judged_as_one_in_a_header() {
    let clock = ManualClock::new(NOW);
    let codec = codec("https://id.example", &clock);
    let (layer, told) = telling(&codec);
    let good = token(&codec, "alice", "s1");
    let connection = layer.connect(&good).unwrap();
    assert_eq!(connection.claims().subject(), "alice");
    assert!(told.lock().unwrap().is_empty());

    let refused = |text: &str| {
        let refused = layer.connect(text).unwrap_err();
        (refused.kind(), refused.reason(), refused.close_code())
    };
    let long = "a".repeat(9 * 1024);
    let invalid = RejectionKind::InvalidToken;
    assert_eq!(refused(&long), (invalid, "too_large", 4401));
    assert_eq!(refused("a.b.c"), (invalid, "encoding", 4401));
    let malformed = RejectionKind::InvalidRequest;
    for text in ["", " ", "Bearer a.b.c", "{\"token\":\"a.b.c\"}", "ä"] {
        assert_eq!(
            refused(text),
            (malformed, "invalid_request", 4400),
            "{text}"
        );
    }
    clock.advance(LIFETIME + LEEWAY);
    assert_eq!(refused(&good), (invalid, "expired", 4401));
    assert_eq!(told.lock().unwrap().len(), 8, "each is told once");
}

#[tokio::test]
async fn a_connection_ends_when_its_token_is_no_longer_taken() {
    let clock = ManualClock::new(NOW);
    let codec = codec("https://id.example", &clock);
    let (layer, told) = telling(&codec);
    let text = token(&codec, "alice", "s1");
    let connection = layer.connect(&text).unwrap();
    let of_a_request = layer.connection(codec.verify(&text).unwrap());

    // By the clock of the codec and with its leeway, as for a request.
    clock.advance(LIFETIME + LEEWAY - MOMENT);
    assert!(layer.connect(&text).is_ok());
    let mut ended = Box::pin(connection.ended());
    assert!(ended.as_mut().now_or_never().is_none());
    clock.advance(MOMENT);
    assert!(layer.connect(&text).is_err());
    let ended = ended.await;
    assert!(is_expired(&ended));
    assert_eq!(ended.close_code(), 4401);
    assert!(is_expired(&of_a_request.ended().await));
    assert_eq!(*told.lock().unwrap(), ["expired"; 3]);
}

#[tokio::test]
async fn a_connection_ends_when_its_token_is_too_old_for_a_request() {
    let max_age = Duration::from_secs(60);
    for (max_age, leeway, wait, expected) in [
        (max_age, Duration::ZERO, max_age, None),
        (
            max_age,
            Duration::ZERO,
            max_age + MOMENT,
            Some(TokenErrorKind::TooOld),
        ),
        (max_age, LEEWAY, max_age + LEEWAY, None),
        (
            max_age,
            LEEWAY,
            max_age + LEEWAY + MOMENT,
            Some(TokenErrorKind::TooOld),
        ),
        // The token ends first, or both at one time.
        (
            LIFETIME * 2,
            LEEWAY,
            LIFETIME + LEEWAY,
            Some(TokenErrorKind::Expired),
        ),
        (
            LIFETIME,
            LEEWAY,
            LIFETIME + LEEWAY + MOMENT,
            Some(TokenErrorKind::Expired),
        ),
    ] {
        let clock = ManualClock::new(NOW);
        let codec: TokenCodec = TokenCodec::signed(&KeyRing::generate().unwrap())
            .issuer("https://id.example")
            .audience("api")
            .lifetime(LIFETIME)
            .max_age(max_age)
            .leeway(leeway)
            .clock(clock.clone())
            .build()
            .unwrap();
        let (layer, _) = telling(&codec);
        let text = token(&codec, "alice", "s1");
        let ended = ended_after(&layer, &text, &clock, wait);
        assert_eq!(ended, expected, "{max_age:?} {leeway:?} {wait:?}");
    }
}

#[tokio::test]
async fn the_next_token_of_the_same_session_prolongs_it() {
    let clock = ManualClock::new(NOW);
    let codec = codec("https://id.example", &clock);
    let (layer, _) = telling(&codec);
    let mut connection = layer.connect(&token(&codec, "alice", "s1")).unwrap();
    let first = connection.claims().expires_at();
    clock.advance(LIFETIME);
    connection.renew(&token(&codec, "alice", "s1")).unwrap();
    assert_eq!(connection.claims().expires_at(), first + LIFETIME);
    clock.advance(LEEWAY);
    assert!(connection.ended().now_or_never().is_none());
    clock.advance(LIFETIME);
    assert!(is_expired(&connection.ended().await));
}

#[tokio::test]
async fn a_token_of_another_user_session_or_issuer_does_not() {
    let clock = ManualClock::new(NOW);
    let (own, other) = (
        codec("https://id.example", &clock),
        codec("https://other.example", &clock),
    );
    let verifiers = Verifiers::new([own.clone(), other.clone()]).unwrap();
    let layer = BearerAuthLayer::new(verifiers);
    let mut connection = layer.connect(&token(&own, "alice", "s1")).unwrap();
    let before = connection.claims().token_id().map(str::to_owned);
    let no_session = own.mint("alice", &NoClaims {}).unwrap();
    for (text, kind, code) in [
        (token(&own, "bob", "s1"), RejectionKind::Forbidden, 4403),
        (token(&own, "alice", "s2"), RejectionKind::Forbidden, 4403),
        (token(&other, "alice", "s1"), RejectionKind::Forbidden, 4403),
        (no_session.as_str().into(), RejectionKind::Forbidden, 4403),
        ("a.b.c".into(), RejectionKind::InvalidToken, 4401),
    ] {
        let refused = connection.renew(&text).unwrap_err();
        assert_eq!((refused.kind(), refused.close_code()), (kind, code));
        assert_eq!(connection.claims().token_id(), before.as_deref());
    }
}

/// A layer whose check answers by a number that a test sets.
fn checked(codec: &TokenCodec) -> (BearerAuthLayer, Arc<AtomicU8>) {
    let says = Arc::new(AtomicU8::new(0));
    let asked = says.clone();
    let layer = BearerAuthLayer::new(codec.clone()).check(move |token| {
        assert_eq!(token.subject(), "alice");
        match asked.load(Ordering::SeqCst) {
            0 => Ok(()),
            1 => Err(CheckError::Revoked),
            2 => Err(CheckError::Unavailable),
            _ => Err(CheckError::Internal),
        }
    });
    (layer, says)
}

#[tokio::test]
async fn a_revoked_token_opens_no_connection_and_ends_the_open_one() {
    let clock = ManualClock::new(NOW);
    let codec = codec("https://id.example", &clock);
    let (layer, says) = checked(&codec);
    let text = token(&codec, "alice", "s1");
    let mut connection = layer.connect(&text).unwrap();
    says.store(1, Ordering::SeqCst);
    assert_eq!(layer.connect(&text).unwrap_err().reason(), "revoked");
    assert_eq!(connection.renew(&text).unwrap_err().reason(), "revoked");
    let ended = connection.ended().await;
    assert_eq!((ended.reason(), ended.close_code()), ("revoked", 4401));
}

#[tokio::test]
async fn a_check_that_cannot_tell_opens_no_connection_and_ends_none() {
    let clock = ManualClock::new(NOW);
    let codec = codec("https://id.example", &clock);
    let (layer, says) = checked(&codec);
    let text = token(&codec, "alice", "s1");
    let connection = layer.connect(&text).unwrap();
    for (answer, code) in [(2, 4503), (3, 4500)] {
        says.store(answer, Ordering::SeqCst);
        assert_eq!(layer.connect(&text).unwrap_err().close_code(), code);
        assert!(connection.ended().now_or_never().is_none());
    }
    clock.advance(LIFETIME + LEEWAY);
    assert!(is_expired(&connection.ended().await), "it still expires");
}

#[tokio::test]
async fn claims_of_any_type_go_along_and_stay_out_of_debug() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Role {
        role: String,
    }
    let codec: TokenCodec<Role> = TokenCodec::nested(&KeyRing::generate().unwrap())
        .issuer("https://id.example")
        .audience("api")
        .build()
        .unwrap();
    let role = "admin".into();
    let minted = codec.mint("alice", &Role { role }).unwrap();
    let connection = BearerAuthLayer::new(codec)
        .connect(minted.as_str())
        .unwrap();
    let claims: &Claims<Role> = connection.claims();
    assert_eq!(claims.custom().role, "admin");
    let shown = format!("{connection:?}");
    assert!(!shown.contains("alice") && !shown.contains(minted.as_str()));
}
