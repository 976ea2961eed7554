//! Rows 3 and 3a: sessions that are over.

use super::*;
use crate::session::{
    fixture::{BROWSER, from_jar},
    presenter::Presenter,
};

const BY_A_CLIENT: [RevokeReason; 3] = [
    RevokeReason::SignedOut,
    RevokeReason::RevokedAll,
    RevokeReason::Replaced,
];
const OVER: (&str, Outcome, bool) = ("3", Outcome::Revoked, false);
const ALARM: (&str, Outcome, bool) = ("3a", Outcome::Reuse, false);

fn end(world: &mut World, reason: RevokeReason, by: ClientFingerprint) {
    world.record = world.record.ended(reason, Some(&from_jar(by)), world.now);
}

/// A thief has refreshed with the stolen token and ended the session: the world, the victim's token and the thief's.
fn after_a_thief(reason: RevokeReason) -> (World, RefreshToken, RefreshToken) {
    let (mut world, victims, thiefs) = with_newcomer();
    world.take_from(&thiefs, STRANGER);
    end(&mut world, reason, STRANGER);
    (world, victims, thiefs)
}

#[test]
fn row_3_a_revoked_session_answers_every_token_the_same() {
    let (mut world, previous, current) = World::rotated();
    let future = current
        .successor(&current.hash(), &world.record, 0, &world.keys)
        .unwrap();
    let live = world.record.clone();
    for reason in [
        RevokeReason::Denied,
        RevokeReason::Limit,
        RevokeReason::RevokedAll,
        RevokeReason::RevokedByOwner,
        RevokeReason::Reuse,
        RevokeReason::Replaced,
        RevokeReason::SignedOut,
    ] {
        world.record = live.revoked(reason);
        for token in [&previous, &current, &future] {
            for client in [BROWSER, STRANGER] {
                world.wait_ms(G + 1);
                let decision = world.ask(token, client);
                assert_eq!(told(&decision), OVER);
                assert!(is_mere_refusal(&decision), "no second event or write");
            }
        }
    }
}

#[test]
fn row_3a_a_thief_who_ends_the_session_is_told_of_once() {
    for reason in BY_A_CLIENT {
        let (mut world, victims, _) = after_a_thief(reason);
        world.wait_ms(G);
        assert_eq!(told(&world.ask(&victims, BROWSER)), OVER, "{reason:?}");
        world.wait_ms(1);
        let before = world.record.clone();
        let decision = world.take(&victims);
        assert_eq!(told(&decision), ALARM, "{reason:?}");
        assert!(decision.successor.is_none());
        // By whom and when stays on record.
        let alarmed = SessionRecord {
            state: SessionState::Revoked(RevokeReason::Reuse),
            ..before
        };
        assert_eq!(world.record, alarmed);
        let again = world.ask(&victims, BROWSER);
        assert_eq!(told(&again), OVER);
        assert!(is_mere_refusal(&again));
    }
}

/// As where the victim signs out and the thief comes with what it stole before.
#[test]
fn row_3a_older_and_burned_tokens_are_as_telling() {
    let (mut world, oldest, previous) = World::rotated();
    world.wait_ms(M);
    let burned = world.take(&previous).successor.unwrap();
    world.wait_ms(G + 1);
    world.take(&previous);
    end(&mut world, RevokeReason::SignedOut, BROWSER);
    world.wait_ms(G + 1);
    for token in [&oldest, &previous, &burned] {
        assert_eq!(told(&world.ask(token, STRANGER)), ALARM);
        assert_eq!(told(&world.ask(token, BROWSER)), OVER);
    }
}

#[test]
fn row_3_a_token_that_was_not_replaced_raises_no_alarm() {
    let (mut world, _, thiefs) = after_a_thief(RevokeReason::SignedOut);
    let ahead = thiefs
        .successor(&thiefs.hash(), &world.record, 0, &world.keys)
        .unwrap();
    world.wait_ms(G + 1);
    for token in [&thiefs, &ahead] {
        for client in [BROWSER, STRANGER, OTHER] {
            assert_eq!(told(&world.ask(token, client)), OVER);
        }
    }
}

#[test]
fn row_3_the_client_that_ended_the_session_raises_no_alarm_nor_does_one_that_is_known_with_it() {
    let (mut world, victims, _) = after_a_thief(RevokeReason::SignedOut);
    world.wait_ms(G + 1);
    assert_eq!(told(&world.ask(&victims, STRANGER)), OVER);

    let (mut world, previous, current) = with_newcomer();
    world.take(&current);
    assert!(world.record.fingerprints.is_known(STRANGER));
    end(&mut world, RevokeReason::SignedOut, STRANGER);
    world.wait_ms(G + 1);
    assert_eq!(told(&world.ask(&previous, BROWSER)), OVER);
    assert_eq!(told(&world.ask(&previous, OTHER)), ALARM);
}

#[test]
fn row_3a_without_the_jar_it_is_not_the_same_client() {
    let (mut world, previous, _) = World::rotated();
    end(&mut world, RevokeReason::SignedOut, BROWSER);
    world.wait_ms(G + 1);
    assert_eq!(told(&world.ask(&previous, BROWSER)), OVER);
    let copied = Presenter {
        jar: JarProof::Missing,
        ..from_jar(BROWSER)
    };
    assert_eq!(told(&world.ask_as(&previous, &copied)), ALARM);
    world.record.bound = false;
    assert_eq!(told(&world.ask_as(&previous, &copied)), OVER);
}

/// A second tab of the browser that has just signed in again: the new session's cookie is on its way.
#[test]
fn row_3_a_session_that_was_just_replaced_is_superseded_for_the_same_client() {
    let (mut world, previous, current) = World::rotated();
    end(&mut world, RevokeReason::Replaced, BROWSER);
    world.wait_ms(G);
    for token in [&previous, &current] {
        let decision = world.ask(token, BROWSER);
        assert_eq!(told(&decision), ("3", Outcome::Superseded, false));
        assert!(is_mere_refusal(&decision));
        assert_eq!(told(&world.ask(token, STRANGER)), OVER);
    }
    world.wait_ms(1);
    assert_eq!(told(&world.ask(&current, BROWSER)), OVER);
}

/// A browser that signed in again has the jar cookie of its new session. A second tab still has the old token.
#[test]
fn row_3_a_replaced_session_asks_for_no_jar_within_the_grace() {
    let (mut world, _, current) = World::rotated();
    world.record.bound = true;
    end(&mut world, RevokeReason::Replaced, BROWSER);
    let tab = Presenter {
        jar: JarProof::Missing,
        ..from_jar(BROWSER)
    };
    let ask = |world: &World| told(&world.ask_as(&current, &tab));
    assert_eq!(ask(&world), ("3", Outcome::Superseded, false));
    world.wait_ms(G + 1);
    assert_eq!(ask(&world), OVER);
}
