use std::time::Duration;

use super::*;
use crate::session::fixture::{
    BROWSER, NEW, NOW, OLD, STRANGER, World, fresh, from_jar, keys, opening,
};

#[test]
fn a_session_starts_at_generation_zero_with_its_whole_life_ahead() {
    let keys = keys();
    let active = keys.active().unwrap();
    let policy = SessionPolicy {
        idle: Duration::from_secs(60),
        absolute: Duration::from_secs(600),
        ..SessionPolicy::default()
    };
    let (record, token) = SessionRecord::start(&opening(), &fresh(1), NOW, &policy, active);
    assert_eq!(record.current, token.hash());
    assert_eq!(token.parent, [0; 16]);
    assert_eq!((record.generation, token.generation), (0, 0));
    assert_eq!(token.subject, active.subject_tag("ada"));
    assert_eq!(token.expires_at, NOW + Duration::from_secs(600));
    assert_eq!(record.expires_at(), NOW + Duration::from_secs(60));
    assert_eq!((record.subject(), record.label()), ("ada", "Browser/1.0"));
    assert_eq!((record.created_at(), record.last_seen()), (NOW, NOW));
    assert_eq!(record.context(), b"context");
    assert_eq!(record.client(), BROWSER);
    assert_eq!(record.fingerprints, Fingerprints::one(BROWSER));
    assert_eq!(record.fields, Fields::default());
    assert!(record.is_live() && record.ended_at.is_none());
    // The cookies leave with the answer: only a later request can show the jar.
    assert!(!record.bound);
}

#[test]
fn a_sign_in_may_say_how_long_its_session_lasts() {
    let policy = SessionPolicy {
        idle: Duration::from_secs(60),
        absolute: Duration::from_secs(600),
        ..SessionPolicy::default()
    };
    let presenter = Presenter {
        version: 7,
        ..from_jar(BROWSER)
    };
    let started = |absolute: Option<u64>, idle: Option<u64>| {
        let opening = SignIn {
            lasts: Lasts {
                absolute: absolute.map(Duration::from_secs),
                idle: idle.map(Duration::from_secs),
                until_closed: true,
            },
            presenter,
            ..opening()
        };
        let keys = keys();
        let active = keys.active().unwrap();
        let (record, token) = SessionRecord::start(&opening, &fresh(1), NOW, &policy, active);
        assert_eq!(token.expires_at, record.absolute_expires_at);
        assert!(record.fields.until_closed);
        assert_eq!(record.fields.fingerprint_version, 7);
        let end = |at: Timestamp| at.since(NOW).as_secs();
        (end(record.absolute_expires_at), end(record.idle_expires_at))
    };
    assert_eq!(started(None, None), (600, 60));
    assert_eq!(started(Some(3_000), None), (3_000, 60));
    assert_eq!(started(Some(3_000), Some(400)), (3_000, 400));
    assert_eq!(started(None, Some(4_000)), (600, 600), "within its end");
    assert_eq!(started(Some(30), None), (30, 30));
}

/// A rotation keeps what the sign-in has said.
#[test]
fn the_idle_lifetime_of_a_session_goes_before_that_of_the_policy() {
    let (mut world, first) = World::new(SessionPolicy::default());
    world.record.fields = Fields::of(true, Some(Duration::from_secs(90)));
    world.wait_ms(1_000);
    world.take(&first);
    let idle = world.record.idle_expires_at;
    assert_eq!(idle, NOW + Duration::from_secs(91));
    assert!(world.record.fields.until_closed);
}

#[test]
fn a_label_is_cut_at_a_character() {
    let cut_to = |label: &str| {
        let keys = keys();
        let opening = SignIn { label, ..opening() };
        let policy = SessionPolicy::default();
        let active = keys.active().unwrap();
        let (record, _) = SessionRecord::start(&opening, &fresh(1), NOW, &policy, active);
        assert!(label.starts_with(record.label()));
        record.label().len()
    };
    assert_eq!(cut_to(""), 0);
    assert_eq!(cut_to(&"a".repeat(200)), 200);
    assert_eq!(cut_to(&"a".repeat(5_000)), 200);
    assert_eq!(cut_to(&format!("{}é", "a".repeat(199))), 199);
    assert_eq!(cut_to(&"漢".repeat(100)), 198);
}

#[test]
fn a_privilege_change_puts_a_barrier_before_a_new_token_and_keeps_the_end() {
    let (mut world, _, current) = World::rotated();
    world.wait_ms(90_000);
    world.record.recoveries = 4;
    let before = world.record.clone();
    let keys = SessionKeys::new([NEW, OLD]).unwrap();
    let presenter = Presenter {
        version: 3,
        ..from_jar(STRANGER)
    };
    let (record, token) = before
        .elevated(&current, &presenter, world.now, &world.policy, &keys)
        .unwrap();
    let idle = world.policy.idle;
    let elevated = SessionRecord {
        generation: before.generation + 1,
        recoveries: 0,
        current: token.hash(),
        previous: Some(current.hash()),
        barrier: true,
        handed_out_at: world.now,
        presented_at: None,
        rotated_at: world.now,
        idle_expires_at: (world.now + idle).min(before.absolute_expires_at),
        fingerprints: Fingerprints::one(STRANGER),
        fields: Fields::default().with_version(3),
        ..before.clone()
    };
    assert_eq!(record, elevated);
    assert_eq!(token.generation, record.generation);
    assert_eq!(token.expires_at, before.absolute_expires_at);
    assert_eq!(token.key_id, current.key_id, "whatever key is active now");
    // No refresh leads from the old token to the new one.
    for recoveries in 0..=u8::MAX {
        for record in [&before, &record] {
            let derived = current
                .successor(&current.hash(), record, recoveries, &keys)
                .unwrap();
            assert_ne!(derived.hash(), token.hash());
        }
    }
}

#[test]
fn the_client_that_asks_for_a_privilege_change_holds_the_new_token_and_shows_its_jar() {
    let (mut world, first) = World::new(SessionPolicy::default());
    assert!(!world.record.bound);
    let World {
        record,
        policy,
        keys,
        ..
    } = &mut world;
    let elevated = |record: &SessionRecord, presenter: &Presenter| {
        let (record, _) = record
            .elevated(&first, presenter, NOW, policy, keys)
            .unwrap();
        record
    };
    let from_another = elevated(record, &from_jar(STRANGER));
    assert!(!from_another.bound, "a newcomer binds nothing");
    assert!(elevated(record, &from_jar(BROWSER)).bound);
    assert_eq!(from_another.client(), STRANGER);
    assert!(!from_another.fingerprints.is_known(STRANGER));
    for jar in [JarProof::Missing, JarProof::Waived] {
        let presenter = Presenter {
            jar,
            ..from_jar(BROWSER)
        };
        assert!(!elevated(record, &presenter).bound);
    }
}

/// A lost answer costs no sign-in. The same change leads to the same token, by the old cookie too.
#[test]
fn a_privilege_change_that_is_asked_for_again_leads_to_the_same_token() {
    let (mut world, previous, current) = World::rotated();
    let World {
        record,
        policy,
        keys,
        now,
    } = &mut world;
    let browser = from_jar(BROWSER);
    assert!(
        record.elevated_again(&current, keys).is_none(),
        "none was made"
    );
    let (elevated, token) = record
        .elevated(&current, &browser, *now, policy, keys)
        .unwrap();
    let (_, twice) = record
        .elevated(&current, &browser, *now, policy, keys)
        .unwrap();
    assert_eq!(twice.hash(), token.hash());
    let again = elevated.elevated_again(&current, keys).unwrap();
    assert_eq!((again.hash(), again.parent), (token.hash(), token.parent));
    // Neither an older token leads there, nor the new one, nor any once it has rotated.
    for token in [&previous, &token] {
        assert!(elevated.elevated_again(token, keys).is_none());
    }
    world.record = elevated;
    world.wait_ms(60_000);
    world.take(&token);
    assert!(world.record.elevated_again(&current, &world.keys).is_none());
}

#[test]
fn a_privilege_change_needs_the_key_of_the_session_and_one_more_generation() {
    let (world, _, current) = World::rotated();
    let elevated = |token: &RefreshToken, keys: &SessionKeys| {
        let browser = from_jar(BROWSER);
        let World { record, policy, .. } = &world;
        record
            .elevated(token, &browser, NOW, policy, keys)
            .is_some()
    };
    assert!(elevated(&current, &world.keys));
    assert!(!elevated(&current, &SessionKeys::new([NEW]).unwrap()));
    let mut last = current.clone();
    last.generation = u64::MAX;
    assert!(!elevated(&last, &world.keys));
}

#[test]
fn a_token_that_goes_out_again_opens_its_window_anew_and_is_a_use() {
    let (mut world, _, _) = World::rotated();
    world.policy.idle = Duration::from_secs(60);
    let later = world.now + Duration::from_secs(5);
    let expected = SessionRecord {
        handed_out_at: later,
        idle_expires_at: later + world.policy.idle,
        ..world.record.clone()
    };
    assert_eq!(
        world.record.handed_out_again(later, &world.policy),
        expected
    );
}

#[test]
fn fresh_bytes_differ() {
    let (a, b) = (
        NewSecrets::generate().unwrap(),
        NewSecrets::generate().unwrap(),
    );
    assert_ne!(a.id, b.id);
    assert_ne!(a.seed.expose(), b.seed.expose());
    assert_ne!(a.secret.expose(), b.secret.expose());
    assert_ne!(a.secret.expose(), a.seed.expose());
}
