//! A question of each kind, made from its predicates.

use std::time::Duration;

use super::{
    predicates::{Expected, Is, Jar, Predicates, Session, Token},
    rule::{OTHER, Question, Visitor, ours},
};
use crate::session::{
    fingerprints::Fingerprints,
    fixture::{NOW, keys, start},
    policy::SessionPolicy,
    presenter::{Activity, JarProof},
    record::{RevokeReason, SessionRecord, SessionState},
    refresh_token::RefreshToken,
};

/// Asks the decision function a question with these predicates.
pub(super) fn put(predicates: &Predicates) -> Expected {
    let is = |predicate| predicates.is.contains(&predicate);
    let keys = keys();
    let mut policy = SessionPolicy {
        confirms: predicates.jar != Jar::None,
        idle: Duration::from_secs(3600),
        ..SessionPolicy::default()
    };
    if is(Is::UsedUp) {
        policy.rotation.recoveries = 1;
    }
    let (grace, interval) = (policy.rotation.grace, policy.rotation.interval);
    let chain = Chain::new(&policy, predicates);
    let visitor = Visitor {
        jar: match predicates.jar {
            Jar::Shown => JarProof::Shown,
            Jar::Missing => JarProof::Missing,
            Jar::None => JarProof::Waived,
        },
        activity: match is(Is::Active) {
            true => Activity::Active,
            false => Activity::Passive,
        },
        ..Visitor::browser(if is(Is::Known) { 0 } else { OTHER })
    };
    // Where it has not been handed out within `G`, the window is open because it was presented within it.
    let handed_out = match (is(Is::Fresh), is(Is::NoteDue), is(Is::Window)) {
        (true, _, _) | (_, false, true) => Duration::ZERO,
        (_, true, true) => grace / 8,
        _ => interval,
    };
    let ago = |holds, short: Duration| NOW - if holds { short } else { interval };
    let ended = predicates.session == Session::SignedOut;
    let record = SessionRecord {
        bound: is(Is::Bound),
        handed_out_at: NOW - handed_out,
        presented_at: is(Is::Seen).then(|| ago(is(Is::Window), grace)),
        rotated_at: ago(is(Is::New), grace),
        idle_expires_at: ago(!is(Is::IdleDue), Duration::ZERO) + policy.idle,
        fingerprints: fingerprints(predicates, visitor),
        state: match predicates.session {
            Session::Live => SessionState::Live,
            Session::Alarmed => SessionState::Revoked(RevokeReason::Reuse),
            Session::SignedOut => SessionState::Revoked(RevokeReason::SignedOut),
            Session::Revoked => SessionState::Revoked(RevokeReason::Denied),
        },
        ended_at: ended.then(|| ago(!is(Is::Late), grace)),
        ..chain.record
    };
    let question = Question {
        token: &chain.token,
        record: &record,
        now: NOW,
        worked: Duration::ZERO,
        presenter: visitor.presenter(),
        policy: &policy,
        keys: &keys,
    };
    // The question that was built is the one that was meant.
    assert_eq!(Predicates::of(&question), *predicates);
    Expected::of(&question, &ours(&question))
}

/// The fingerprint of the sign-in is that of the request where it is known, and the first one else.
fn fingerprints(predicates: &Predicates, visitor: Visitor) -> Fingerprints {
    let is = |predicate| predicates.is.contains(&predicate);
    let own = visitor.fingerprint();
    let first = Visitor::browser(0).fingerprint();
    let another = Visitor::browser(1).fingerprint();
    let met = Fingerprints::one(first);
    let held = match (is(Is::Holder), is(Is::HolderKnown)) {
        (true, _) => met.held_by(own),
        (false, true) if own == first => met.held_by(another).with_known_holder(),
        (false, true) => met,
        (false, false) => met.held_by(another),
    };
    let held = if is(Is::Met) { held.met(own) } else { held };
    match predicates.session {
        Session::SignedOut if is(Is::Ender) => held.with_end_by(own),
        Session::SignedOut => held.with_end_by(another),
        _ => held,
    }
}

/// Some generations of a session, and the token that is presented.
struct Chain {
    record: SessionRecord,
    token: RefreshToken,
}

impl Chain {
    fn new(policy: &SessionPolicy, predicates: &Predicates) -> Self {
        let is = |predicate| predicates.is.contains(&predicate);
        let keys = keys();
        let (begun, older) = start(policy, &keys);
        let next = |token: &RefreshToken, recoveries| {
            let successor = token.successor(&token.hash(), &begun, recoveries, &keys);
            successor.expect("the key is there")
        };
        let previous = next(&older, 0);
        let changed = previous.elevated(&begun, &keys);
        let recoveries = u8::from(is(Is::UsedUp) || predicates.token == Token::Burned);
        let current = match predicates.token {
            Token::Current if !is(Is::Rotated) => older.clone(),
            _ if is(Is::Changed) => changed.expect("the key is there"),
            _ => next(&previous, recoveries),
        };
        let record = SessionRecord {
            generation: current.generation,
            recoveries: current.recoveries,
            current: current.hash(),
            previous: (current.generation > 0).then(|| previous.hash()),
            barrier: is(Is::Changed),
            ..begun.clone()
        };
        let token = match predicates.token {
            Token::Current => current,
            Token::Older => older,
            Token::Burned => next(&previous, 0),
            Token::LostRotation => next(&current, 0),
            Token::LostChange => current.elevated(&record, &keys).expect("the key is there"),
            Token::LostRecovery => next(&previous, recoveries + 1),
            Token::Ahead => next(&next(&current, 0), 0),
            Token::Previous => previous,
        };
        Self { record, token }
    }
}
