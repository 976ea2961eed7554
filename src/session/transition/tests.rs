use std::time::Duration;

use super::*;
use crate::session::fixture::{BROWSER, NEW, NOW, OLD, STRANGER, World, fresh, keys, opening};
use crate::{keys::SessionKeys, session::SessionPolicy};

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
    assert!(record.is_live());
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
fn a_privilege_change_draws_everything_anew_and_keeps_the_end() {
    let (mut world, _, current) = World::rotated();
    world.wait_ms(90_000);
    let before = world.record.clone();
    let keys = SessionKeys::new([NEW, OLD]).unwrap();
    let active = keys.active().unwrap();
    let (record, token) = before.elevated(&fresh(2), STRANGER, world.now, &world.policy, active);
    assert_eq!(record.generation, before.generation + 1);
    assert_eq!(record.current, token.hash());
    assert_eq!(record.previous, Some(current.hash()));
    assert!(record.barrier);
    assert_ne!(record.seed, before.seed);
    assert_eq!(record.key(), before.key());
    assert_eq!(record.absolute_expires_at, before.absolute_expires_at);
    assert_eq!(record.client, STRANGER);
    assert_eq!((record.rotated_at, record.presented_at), (world.now, None));
    assert_eq!(
        token.key_id,
        active.id(),
        "derived with the active key from here on"
    );
    // The old token, the old seed and every key still do not lead to the new token.
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
