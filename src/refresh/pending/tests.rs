use std::sync::atomic::Ordering;

use super::*;
use crate::{
    ClaimsError, ClaimsRequest, EventSink, KeyRing, NoClaims, RefreshCookieLayer, TokenCodec,
    refresh::revoke::{self, Revocation},
    session::{Activity, JarProof, Presenter, ReusePolicy, RevokeReason, SessionRecord},
    store::RefreshStore,
};

mod world;

use world::{Fault, World};

/// Far longer than a look at the store, whose time has whole milliseconds.
async fn a_while() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_revocation_whose_store_fails_hangs_or_panics_is_written_when_it_is_well() {
    for fault in [Fault::Refuses, Fault::Hangs, Fault::Panics] {
        for all in [false, true] {
            let world = World::new();
            let record = world.session().await;
            world.fault(fault);
            let ending = match all {
                true => world.all(),
                false => world.ending(&record),
            };
            let failed = revoke::run(world.config(), ending).await;
            assert!(failed.is_err(), "{fault:?}");
            assert_eq!(world.count("RevocationQueued"), 1, "{fault:?}");
            world.fault(None);
            assert_eq!(world.layer.drain(LONG).await, 0);
            assert!(!world.is_live(&record).await, "{fault:?}");
            assert_eq!(world.count("Revoked"), 1);
            assert_eq!(world.count("RevocationLost"), 0);
        }
    }
}

#[tokio::test]
async fn a_revocation_that_is_given_up_is_told_once() {
    for fault in [Fault::Refuses, Fault::Hangs, Fault::Panics] {
        let world = World::new();
        let record = world.session().await;
        world.fault(fault);
        for ending in [world.ending(&record), world.all()] {
            let failed = revoke::run(world.config(), ending).await;
            assert!(failed.is_err());
        }
        let mut open = world.config().queue.open.subscribe();
        open.wait_for(|open| *open == 0).await.unwrap();
        assert_eq!(world.count("RevocationLost"), 2, "{fault:?}");
        assert!(world.store.tries.load(Ordering::SeqCst) > 4, "{fault:?}");
        let told = world.events.lock().unwrap().join("\n");
        let (own, all) = (
            format!(
                "RevocationLost {{ session: Some({:?}), several: false, .. }}",
                record.id()
            ),
            "RevocationLost { session: None, several: true, .. }",
        );
        assert!(told.contains(&own) && told.contains(all), "{told}");
        // Its place is free: the same is tried again when it is asked for again.
        world.fails(world.ending(&record)).await;
        assert_eq!(world.count("RevocationQueued"), 3, "{fault:?}");
    }
}

/// At a shutdown: the runtime ends while some wait, and while others are tried for the first time.
#[test]
fn a_runtime_that_ends_tells_of_every_revocation_that_it_takes_along() {
    for fault in [Fault::Refuses, Fault::Hangs] {
        let mut world = World::new();
        let config = Arc::get_mut(&mut world.layer.config).unwrap();
        config.queue.patience = Queue::default().patience;
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.unwrap();
        runtime.block_on(async {
            for _ in 0..3 {
                world.fault(None);
                let record = world.session().await;
                world.fault(fault);
                let ending = revoke::run(world.config(), world.ending(&record));
                let _ = spawn::within(Some(Duration::from_millis(5)), ending).await;
            }
            assert_eq!(world.layer.drain(Duration::from_millis(20)).await, 3);
        });
        assert_eq!(world.count("RevocationLost"), 0, "{fault:?}");
        drop(runtime);
        assert_eq!(world.count("RevocationLost"), 3, "{fault:?}");
        assert_eq!(*world.config().queue.open.borrow(), 0);
    }
}

#[tokio::test]
async fn draining_waits_out_no_pause_and_nothing_that_is_not_open() {
    let mut world = World::new();
    let config = Arc::get_mut(&mut world.layer.config).unwrap();
    config.queue.patience.pause = LONG;
    assert_eq!(world.layer.drain(LONG).await, 0);
    let record = world.session().await;
    world.fault(Fault::Refuses);
    let failed = revoke::run(world.config(), world.ending(&record)).await;
    assert!(failed.is_err());
    tokio::task::yield_now().await;
    world.fault(None);
    let drained = spawn::within(Some(LONG / 2), world.layer.drain(LONG)).await;
    assert_eq!(drained, Some(0), "tried at once");
    assert!(!world.is_live(&record).await);
}

/// The first alarm waits, and the second leaves its work to it. It had been written, and its answer was lost. The first
/// finds a mark that is not its own, and reports the theft all the same.
#[tokio::test]
async fn an_alarm_tells_of_what_another_has_written_that_left_its_work_to_it() {
    let world = World::patient();
    let record = world.session().await;
    world.fault(Fault::Refuses);
    world.fails(world.theft(&record)).await;
    world.fault(Fault::Loses);
    world.fails(world.theft(&record)).await;
    assert!(!world.is_live(&record).await);
    assert_eq!(world.count("ReuseDetected"), 0);
    world.recovers().await;
    assert_eq!(world.count("ReuseDetected"), 1);
    assert_eq!(world.count("Revoked"), 1);
    assert_eq!(world.count("RevocationQueued"), 1);
    // A later alarm finds that it is told.
    let later = revoke::run(world.config(), world.theft(&record)).await;
    assert_eq!(later.unwrap(), []);
    assert_eq!(world.count("ReuseDetected"), 1);
}

/// Only a further try ends sessions that began between the first request and the second.
#[tokio::test]
async fn an_ending_that_is_asked_for_again_during_its_try_is_tried_again() {
    let queue = Queue::default();
    let target = World::new().all().target();
    let first = RuntimeClock::start();
    assert!(matches!(queue.join(&target, first, None), Joined::Waits));
    a_while().await;
    let second = RuntimeClock::start();
    assert!(matches!(queue.join(&target, second, None), Joined::Covered));
    assert!(!queue.leave(&target, first), "it is to be done again");
    assert!(queue.leave(&target, second));
    assert!(matches!(queue.join(&target, second, None), Joined::Waits));
}

/// Without tokio nothing goes on in the background.
#[test]
fn without_a_runtime_a_revocation_that_fails_is_told_at_once() {
    for fault in [Fault::Refuses, Fault::Hangs, Fault::Panics] {
        let world = World::new();
        futures_executor::block_on(async {
            let record = world.session().await;
            world.fault(fault);
            let failed = revoke::run(world.config(), world.ending(&record)).await;
            assert!(failed.is_err());
            assert_eq!(world.layer.drain(LONG).await, 0);
        });
        assert_eq!(world.count("RevocationLost"), 1, "{fault:?}");
    }
}

/// A sink that panics neither ends the process nor keeps the store from being written, nor has it written again.
#[tokio::test]
async fn a_sink_that_panics_loses_no_revocation() {
    let world = World::new();
    let keys = KeyRing::generate().unwrap();
    let codec = TokenCodec::nested(&keys).issuer("https://id.example");
    let codec = codec.audience("api").build().unwrap();
    let claims = |_: ClaimsRequest| async { Ok::<_, ClaimsError>(NoClaims {}) };
    let sink = EventSink::new(|_: &Event<'_>| panic!("the sink panics for the test"));
    let builder = RefreshCookieLayer::builder(codec, world.store.clone(), claims);
    let layer = builder.events(sink).build().unwrap();
    let (at_once, later) = (world.session().await, world.session().await);
    let ended = revoke::run(&layer.config, world.ending(&at_once)).await;
    assert_eq!(ended.unwrap(), [at_once.id()]);
    assert!(!world.is_live(&at_once).await);
    assert_eq!(world.store.tries.load(Ordering::SeqCst), 1);
    world.fault(Fault::Refuses);
    let failed = revoke::run(&layer.config, world.ending(&later)).await;
    assert!(failed.is_err());
    world.fault(None);
    assert_eq!(layer.drain(LONG).await, 0);
    assert!(
        !world.is_live(&later).await,
        "told as queued, and tried again"
    );
    assert_eq!(world.store.tries.load(Ordering::SeqCst), 3);
}

/// A user who signs in again after the call is signed out by no later try of it.
#[tokio::test]
async fn an_end_of_all_that_is_tried_again_spares_the_sessions_that_began_later() {
    for fault in [Fault::Refuses, Fault::Panics, Fault::Down] {
        for world in World::wide_and_narrow() {
            let before = world.session().await;
            world.fault(fault);
            world.fails(world.all()).await;
            a_while().await;
            let later = world.session().await;
            world.recovers().await;
            assert!(!world.is_live(&before).await, "{fault:?}");
            assert!(world.is_live(&later).await, "{fault:?}");
            assert_eq!(world.count("Revoked"), 1);
        }
    }
}

#[tokio::test]
async fn an_end_of_all_others_that_is_tried_again_keeps_its_session() {
    for world in World::wide_and_narrow() {
        let (own, other) = (world.session().await, world.session().await);
        world.fault(Fault::Refuses);
        let ending = Ending::Subject {
            subject: "ada".to_owned(),
            keep: Some(own.id()),
            own: None,
        };
        world.fails(ending).await;
        a_while().await;
        world.recovers().await;
        assert!(world.is_live(&own).await && !world.is_live(&other).await);
    }
}

/// A refresh of it may be under way, and would set a new idle end. A store that has the list alone does not show it.
#[tokio::test]
async fn an_end_of_all_that_is_tried_again_ends_what_is_idle() {
    for world in World::wide_and_narrow() {
        let idle = world
            .session_with(|record| record.idle_expires_at = record.created_at)
            .await;
        world.fault(Fault::Refuses);
        world.fails(world.all()).await;
        world.recovers().await;
        assert_eq!(world.is_live(&idle).await, world.is_narrow());
    }
}

#[tokio::test]
async fn an_end_of_all_that_follows_a_theft_spares_the_sessions_that_began_later() {
    for first in [Fault::Refuses, Fault::Loses] {
        let mut world = World::patient();
        let config = Arc::get_mut(&mut world.layer.config).unwrap();
        config.policy.reuse = ReusePolicy::Subject;
        let (robbed, other) = (world.session().await, world.session().await);
        world.fault(first);
        world.fails(world.theft(&robbed)).await;
        a_while().await;
        let later = world.session().await;
        world.recovers().await;
        assert!(!world.is_live(&robbed).await && !world.is_live(&other).await);
        assert!(world.is_live(&later).await, "{first:?}");
        assert_eq!(world.count("ReuseDetected"), 1);
    }
}

/// It takes the place of the one that waits, and adds the sessions that began between the two.
#[tokio::test]
async fn an_end_of_all_that_is_asked_for_again_counts_from_then() {
    let world = World::patient();
    let before = world.session().await;
    world.fault(Fault::Refuses);
    world.fails(world.all()).await;
    a_while().await;
    let between = world.session().await;
    a_while().await;
    world.fails(world.all()).await;
    a_while().await;
    let later = world.session().await;
    world.recovers().await;
    assert!(!world.is_live(&before).await && !world.is_live(&between).await);
    assert!(world.is_live(&later).await);
    assert_eq!(world.count("RevocationQueued"), 1);
}

/// Two requests read the session before either has written: their alarms are one.
#[tokio::test]
async fn one_theft_is_told_once_whichever_answers_are_lost() {
    for lost in [false, true] {
        let world = World::patient();
        let record = world.session().await;
        if lost {
            world.fault(Fault::Loses);
            world.fails(world.theft(&record)).await;
            world.fault(None);
        } else {
            let ended = revoke::run(world.config(), world.theft(&record)).await;
            assert_eq!(ended.unwrap(), [record.id()]);
        }
        let second = revoke::run(world.config(), world.theft(&record)).await;
        assert_eq!(second.unwrap(), [], "another request was quicker");
        world.recovers().await;
        assert_eq!(world.count("ReuseDetected"), 1, "{lost}");
        assert_eq!(world.count("Revoked"), 1, "{lost}");
    }
}

#[tokio::test]
async fn one_client_fills_no_queue() {
    let world = World::patient();
    let (loud, other) = (world.session().await, world.session().await);
    world.fault(Fault::Refuses);
    for _ in 0..MOST_WAITING {
        world.fails(world.ending(&loud)).await;
        world.fails(world.all()).await;
    }
    world.fails(world.ending(&other)).await;
    assert_eq!(world.count("RevocationQueued"), 3);
    // Alarms have more to do than the sign-out that waits.
    world.fails(world.theft(&other)).await;
    assert_eq!(world.count("RevocationQueued"), 4);
    tokio::task::yield_now().await;
    assert_eq!(world.layer.drain(Duration::ZERO).await, 4);
    world.recovers().await;
    assert!(!world.is_live(&loud).await && !world.is_live(&other).await);
}

/// A store that is slow has many first tries under way. None of them waits yet.
#[tokio::test]
async fn first_tries_that_are_under_way_take_no_place_in_the_queue() {
    let world = World::patient();
    let (slow, other) = (world.session().await, world.session().await);
    world.fault(Fault::Hangs);
    for _ in 0..=MOST_WAITING {
        let (config, ending) = (world.config().clone(), world.ending(&slow));
        tokio::spawn(async move { revoke::run(&config, ending).await });
    }
    while world.store.tries.load(Ordering::SeqCst) <= MOST_WAITING {
        tokio::task::yield_now().await;
    }
    world.fault(Fault::Refuses);
    world.fails(world.ending(&other)).await;
    assert_eq!(world.count("RevocationQueued"), 1);
    assert_eq!(world.count("RevocationLost"), 0);
}

/// A copied refresh cookie without its jar ends nothing. Its sign-out stands for the owner's in no queue.
#[tokio::test]
async fn a_sign_out_without_the_jar_does_not_stand_for_the_owners() {
    let world = World::patient();
    let record = world.session_with(|record| record.bound = true).await;
    world.fault(Fault::Down);
    for jar in [JarProof::Missing, JarProof::Shown] {
        let by = Presenter {
            fingerprint: record.client(),
            version: 0,
            jar,
            activity: Activity::Active,
        };
        let ending = Revocation::at(record.key(), RevokeReason::SignedOut).by(by);
        world.fails(Ending::Session(ending)).await;
    }
    world.recovers().await;
    assert!(!world.is_live(&record).await);
}

#[tokio::test]
async fn an_expired_session_is_over_and_neither_written_nor_told_of_but_for_a_theft() {
    let world = World::new();
    let brief = |record: &mut SessionRecord| record.absolute_expires_at = record.created_at();
    let record = world.session_with(brief).await;
    let found = world.store.load(&record.key()).await.unwrap();
    assert!(found.record().is_some(), "the store has it still");
    let ending = Revocation::at(record.key(), RevokeReason::SignedOut);
    let ended = revoke::run(world.config(), Ending::Session(ending)).await;
    assert_eq!(ended.unwrap(), []);
    assert_eq!(world.store.tries.load(Ordering::SeqCst), 0);
    assert_eq!(world.count("Revoked"), 0);
    // A theft is told of all the same: the session was live when its old token came.
    let ended = revoke::run(world.config(), world.theft(&record)).await;
    assert_eq!(ended.unwrap(), [record.id()]);
    assert_eq!(world.count("ReuseDetected"), 1);
}
