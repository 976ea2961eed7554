use super::*;
use crate::session::{
    FingerprintPolicy, JarProof, SessionPolicy,
    fixture::{BROWSER, STRANGER, World, from_jar},
};

const LATER: Timestamp = Timestamp::from_secs(1_800_000_100);

fn live() -> SessionRecord {
    let (world, _, _) = World::rotated();
    world.record
}

#[test]
fn a_client_that_ends_its_session_is_noted_with_the_time() {
    let record = live();
    for reason in [
        RevokeReason::SignedOut,
        RevokeReason::RevokedAll,
        RevokeReason::Replaced,
        RevokeReason::RevokedByOwner,
    ] {
        let ended = record.ended(reason, Some(&from_jar(STRANGER)), LATER);
        let expected = SessionRecord {
            state: SessionState::Revoked(reason),
            fingerprints: record.fingerprints.with_end_by(STRANGER),
            ended_at: Some(LATER),
            ..record.clone()
        };
        assert_eq!(ended, expected);
        assert_eq!(ended.fingerprints.ended_by(), Some(STRANGER));
        assert_eq!(ended.client(), BROWSER, "it holds nothing");
    }
}

#[test]
fn an_end_by_no_client_is_a_revocation() {
    let record = live();
    for reason in [RevokeReason::Denied, RevokeReason::Limit] {
        let ended = record.ended(reason, None, LATER);
        assert_eq!(ended, record.revoked(reason));
        assert_eq!(
            (ended.ended_at, ended.fingerprints.ended_by()),
            (None, None)
        );
    }
}

/// A record that an earlier release could not read would sign its user out of every instance of that.
#[test]
fn an_end_by_an_operator_is_kept_as_one_that_earlier_releases_know() {
    let record = live();
    let ended = record.revoked(RevokeReason::RevokedByOperator);
    assert_eq!(ended, record.revoked(RevokeReason::RevokedByOwner));
    assert_eq!(
        ended,
        record.ended(RevokeReason::RevokedByOperator, None, LATER)
    );
    assert_eq!(SessionRecord::decode(&ended.encode()), Ok(ended));
}

#[test]
fn the_first_end_stays() {
    let browser = from_jar(BROWSER);
    let ended = live().ended(RevokeReason::SignedOut, Some(&browser), LATER);
    let much_later = LATER + Duration::from_secs(60);
    let again = ended.ended(
        RevokeReason::Replaced,
        Some(&from_jar(STRANGER)),
        much_later,
    );
    assert_eq!(again, ended);
    assert_eq!(ended.revoked(RevokeReason::Denied), ended);
}

#[test]
fn an_alarm_changes_the_reason_of_an_end_and_nothing_else() {
    let record = live();
    let ended = record.ended(RevokeReason::SignedOut, Some(&from_jar(STRANGER)), LATER);
    for before in [record, ended] {
        let expected = SessionRecord {
            state: SessionState::Revoked(RevokeReason::Reuse),
            ..before.clone()
        };
        assert_eq!(before.alarmed(), expected);
        assert_eq!(expected.alarmed(), expected);
    }
}

#[test]
fn fingerprints_of_another_version_do_not_compare() {
    let mut record = live();
    record.fingerprints = record.fingerprints.held_by(STRANGER);
    let of = |version| Presenter {
        version,
        ..from_jar(BROWSER)
    };
    assert_eq!(record.fingerprints_for(&of(0)), record.fingerprints);
    assert_eq!(record.fingerprints_for(&of(1)), Fingerprints::one(BROWSER));
    record.fields.fingerprint_version = 1;
    assert_eq!(record.fingerprints_for(&of(1)), record.fingerprints);
    assert_eq!(record.fingerprints_for(&of(0)), Fingerprints::one(BROWSER));
    // An end by such a client is one of the only client that the session knows.
    let ended = record.ended(RevokeReason::SignedOut, Some(&of(0)), LATER);
    assert_eq!(ended.fields.fingerprint_version, 0);
    assert_eq!(
        ended.fingerprints,
        Fingerprints::one(BROWSER).with_end_by(BROWSER)
    );
}

#[test]
fn only_a_jar_that_is_shown_binds() {
    let mut record = live();
    for (bound, jar, expected) in [
        (false, JarProof::Shown, true),
        (false, JarProof::Missing, false),
        (false, JarProof::Waived, false),
        (true, JarProof::Missing, true),
        (true, JarProof::Waived, true),
    ] {
        record.bound = bound;
        let presenter = Presenter {
            jar,
            ..from_jar(BROWSER)
        };
        let policy = SessionPolicy::default();
        let binds = |presenter: &Presenter| record.is_bound_by(presenter, &policy);
        assert_eq!(binds(&presenter), expected, "{bound} {jar:?}");
        // A newcomer binds nothing, unless all of a jar is one client.
        let newcomer = Presenter {
            fingerprint: STRANGER,
            ..presenter
        };
        assert_eq!(binds(&newcomer), bound, "{bound} {jar:?}");
        let ignored = SessionPolicy {
            fingerprints: FingerprintPolicy::Ignored,
            ..policy.clone()
        };
        assert_eq!(record.is_bound_by(&newcomer, &ignored), expected);
    }
}

#[test]
fn another_token_of_the_current_generation_is_not_the_current_one() {
    let (world, previous, current) = World::rotated();
    let sibling = previous.successor(&previous.hash(), &world.record, 1, &world.keys);
    assert!(world.record.is_current(&current));
    assert!(!world.record.is_current(&sibling.unwrap()));
}
