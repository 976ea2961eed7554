//! Lost responses, failing stores, failovers.

use std::sync::{Arc, Mutex, atomic::Ordering};

use http::Method;
use tower_bearer::MemoryStore;

use crate::support::{
    faults::Fault,
    world::{Browser, World},
};

const LONG: std::time::Duration = std::time::Duration::from_secs(20);

/// A browser whose last refresh rotated and whose response was lost.
async fn lost_rotation(world: &World) -> (Browser, Option<String>) {
    let mut browser = world.signed_in("ada").await;
    browser.refresh(world).await;
    world.secs(120);
    let lost = browser.refresh_lost(world).await;
    (browser, lost.set_cookie())
}

/// A token that was copied before is theft from now on, wherever it comes from.
async fn two_generations_on(world: &World, browser: &mut Browser) {
    for _ in 0..2 {
        browser.refresh(world).await;
        world.secs(61);
    }
}

#[tokio::test]
async fn response_lost_retry_an_hour_later_same_client_is_recovered() {
    let world = World::new();
    let (mut browser, burned) = lost_rotation(&world).await;
    world.secs(3600);
    assert_eq!(browser.refresh(&world).await.status, 200);
    assert_eq!(world.count("Recovered"), 1);
    // The successor that was lost on the way is burned. For a moment its answer may still be under way; later the
    // client that comes with it has intercepted it.
    let mut holder = browser.clone();
    holder.cookie = burned;
    world.secs(30);
    let reply = holder.refresh_lost(&world).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (409, "superseded"));
    assert_eq!(world.count("OldToken"), 1);
    world.secs(1);
    let reply = holder.refresh(&world).await;
    assert_eq!(reply.status, 401);
    assert!(reply.cleared());
    assert_eq!(world.count("ReuseDetected"), 1);
    assert_eq!(
        browser.refresh(&world).await.status,
        401,
        "the session is revoked"
    );
}

#[tokio::test]
async fn losses_in_a_row_are_recovered_and_too_many_are_no_theft() {
    let world = World::new();
    let (mut browser, _) = lost_rotation(&world).await;
    for round in 1..=255 {
        world.secs(600);
        assert_eq!(
            browser.refresh_lost(&world).await.status,
            200,
            "recovery {round}"
        );
    }
    assert_eq!(world.count("Recovered"), 255);
    world.secs(600);
    let reply = browser.refresh(&world).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (401, "invalid_session")
    );
    assert!(reply.set_cookie().is_none());
    assert_eq!(world.count("ReuseDetected") + world.count("Revoked"), 0);
}

#[tokio::test]
async fn two_tabs_recover_at_once_and_get_the_same_new_token() {
    let world = World::new();
    let (mut one, _) = lost_rotation(&world).await;
    let mut two = one.clone();
    world.secs(600);
    assert_eq!(one.refresh(&world).await.status, 200);
    assert_eq!(two.refresh(&world).await.status, 200);
    assert_eq!(world.count("Recovered"), 1);
    assert_eq!(world.outcomes("replayed"), 1);
    world.secs(5);
    assert_eq!(one.refresh(&world).await.status, 200);
    assert_eq!(two.refresh(&world).await.status, 200);
    assert_eq!(
        world.outcomes("coalesced"),
        2,
        "both hold the current token"
    );
}

#[tokio::test]
async fn store_times_out_after_applying_the_retry_is_answered_with_one_generation() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    world.store.fail_swap(Fault::ApplyThenLose);
    let reply = browser.refresh(&world).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (503, "unavailable"));
    assert!(reply.headers.contains_key("retry-after"));
    assert!(reply.set_cookie().is_none());
    assert_eq!(world.store.last().await.generation(), 1);
    assert_eq!(browser.refresh(&world).await.status, 200);
    assert_eq!(world.store.last().await.generation(), 1);
}

#[tokio::test]
async fn store_down_is_503_without_a_cookie_and_the_same_cookie_works_afterwards() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    world.store.down(true);
    let reply = browser.refresh(&world).await;
    assert_eq!(reply.status, 503);
    assert_eq!(reply.headers["retry-after"], "1");
    assert!(reply.set_cookie().is_none());
    let mut stranger = world.browser();
    let login = stranger.login(&world, "bob").await;
    assert_eq!(login.status, 503);
    assert!(
        login.set_cookie().is_none(),
        "nothing leaves a sign-in that failed"
    );
    world.store.down(false);
    assert_eq!(browser.refresh(&world).await.status, 200);
}

#[tokio::test]
async fn logout_while_the_store_is_down_clears_the_cookie_and_revokes_when_it_is_back() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let mut copy = browser.clone();
    world.store.down(true);
    let reply = browser.logout(&world).await;
    assert_eq!(reply.status, 503);
    assert!(reply.cleared());
    assert_eq!(world.count("RevocationQueued"), 1);
    world.store.down(false);
    assert_eq!(world.layer.drain(LONG).await, 0);
    assert_eq!(copy.refresh(&world).await.status, 401);
    assert!(!world.store.last().await.is_live());
    assert_eq!(world.count("RevocationLost"), 0);
}

#[tokio::test]
async fn failing_claims_leave_the_generation_unchanged() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    world.claims_down.store(true, Ordering::SeqCst);
    let reply = browser.refresh(&world).await;
    assert_eq!(reply.status, 503);
    assert!(reply.set_cookie().is_none());
    assert_eq!(world.store.last().await.generation(), 0);
    world.claims_down.store(false, Ordering::SeqCst);
    assert_eq!(browser.refresh(&world).await.status, 200);
}

/// The closure answers, and what it answers cannot go into a token: the member is the codec's.
#[tokio::test]
async fn claims_that_cannot_be_minted_are_the_servers_fault_and_change_nothing() {
    for name in [
        "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid", "cnf",
    ] {
        let member = Arc::new(Mutex::new(Some(name)));
        let world = World::new().claiming(&member);
        let mut browser = world.browser();
        let reply = browser.login(&world, "ada").await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (500, "internal"),
            "{name}"
        );
        assert!(reply.set_cookie().is_none());
        assert_eq!(world.count("Started"), 0, "{name}");

        *member.lock().unwrap() = None;
        let mut browser = world.signed_in("ada").await;
        *member.lock().unwrap() = Some(name);
        let reply = browser.refresh(&world).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (500, "internal"),
            "{name}"
        );
        assert!(reply.set_cookie().is_none());
        assert_eq!(world.store.last().await.generation(), 0);
        let events = world.events.lock().unwrap().join("\n");
        for call in ["start", "refresh"] {
            let told = events
                .lines()
                .find(|line| line.contains(&format!("call: \"{call}\"")))
                .unwrap();
            let cure = format!("have the member `{name}`, which only the codec writes: rename it");
            assert!(
                told.starts_with("SessionRefused") && told.contains(&cure),
                "{told}"
            );
        }
        *member.lock().unwrap() = None;
        assert_eq!(browser.refresh(&world).await.status, 200);
    }
}

/// A call that fails for want of claims has ended nothing, and can be made again.
#[tokio::test]
async fn the_other_sessions_are_ended_only_once_the_claims_are_there() {
    let member = Arc::<Mutex<Option<&'static str>>>::default();
    let world = World::new().claiming(&member);
    let mut other = world.signed_in("ada").await;
    let mut own = world.signed_in("ada").await;
    *member.lock().unwrap() = Some("exp");
    let end_others = async |own: &mut Browser| own.call(&world, Method::POST, "/end-others").await;
    let reply = end_others(&mut own).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (500, "internal"));
    assert_eq!(world.count("Revoked"), 0);
    *member.lock().unwrap() = None;
    assert_eq!(other.refresh(&world).await.status, 200);
    assert_eq!(end_others(&mut own).await.status, 200);
    assert_eq!(other.refresh(&world).await.status, 401);
    assert_eq!(own.refresh(&world).await.status, 200);

    // A refused subject keeps none.
    let world = World::new();
    let mut other = world.signed_in("ada").await;
    let mut own = world.signed_in("ada").await;
    world.claims_down.store(true, Ordering::SeqCst);
    let reply = own.call(&world, Method::POST, "/end-others").await;
    assert_eq!((reply.status.as_u16(), world.count("Revoked")), (503, 0));
    world.claims_down.store(false, Ordering::SeqCst);
    world.denied.store(true, Ordering::SeqCst);
    let reply = own.call(&world, Method::POST, "/end-others").await;
    assert_eq!((reply.status.as_u16(), world.count("Revoked")), (401, 2));
    world.denied.store(false, Ordering::SeqCst);
    for browser in [&mut other, &mut own] {
        assert_eq!(browser.refresh(&world).await.status, 401);
    }
}

/// So is every other fault of minting: here the token is too long for those who verify it.
#[tokio::test]
async fn claims_that_are_too_long_are_the_servers_fault() {
    let world = World::new().claiming(&Arc::new(Mutex::new(Some(&*"x".repeat(9000).leak()))));
    let reply = world.browser().login(&world, "ada").await;
    assert_eq!((reply.status.as_u16(), reply.code()), (500, "internal"));
    let events = world.events.lock().unwrap().join("\n");
    assert!(events.contains("longer than max_token_bytes"), "{events}");
}

#[tokio::test]
async fn client_that_hangs_up_after_a_stale_token_is_revoked_all_the_same() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let thief = browser.thief();
    two_generations_on(&world, &mut browser).await;
    let (inner, hung_up) = (world.clone(), thief.clone());
    let request = tokio::spawn(async move { hung_up.refresh_lost(&inner).await });
    tokio::task::yield_now().await;
    request.abort();
    let _ = request.await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!world.store.last().await.is_live());
    assert_eq!(browser.refresh(&world).await.status, 401);
}

/// The theft by a client that disconnects is reported, and ends the subject's other sessions. So does that by a client
/// that waits.
#[tokio::test]
async fn thief_who_hangs_up_is_told_of_and_followed_up_all_the_same() {
    let world = World::with(|b| b.reuse(tower_bearer::ReusePolicy::Subject));
    let mut elsewhere = world.signed_in("ada").await;
    let mut victim = world.signed_in("ada").await;
    let thief = victim.thief();
    two_generations_on(&world, &mut victim).await;
    // One poll: far enough for the theft to be seen, and then the connection is gone.
    let mut request = Box::pin(thief.refresh_lost(&world));
    std::future::poll_fn(|cx| {
        assert!(request.as_mut().poll(cx).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    drop(request);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.count("ReuseDetected"), 1);
    assert_eq!(elsewhere.refresh(&world).await.status, 401);
}

#[tokio::test]
async fn a_theft_whose_revocation_had_to_wait_is_told_and_followed_up_once() {
    for fault in [Fault::Refuse, Fault::ApplyThenLose] {
        let world = World::with(|b| b.reuse(tower_bearer::ReusePolicy::Subject));
        let mut elsewhere = world.signed_in("ada").await;
        let mut victim = world.signed_in("ada").await;
        let mut thief = victim.thief();
        two_generations_on(&world, &mut victim).await;
        world.store.fail_swap(fault);
        assert_eq!(thief.refresh(&world).await.status, 503);
        assert_eq!(world.layer.drain(LONG).await, 0);
        assert_eq!(world.count("ReuseDetected"), 1, "{fault:?}");
        assert_eq!(victim.refresh(&world).await.status, 401);
        assert_eq!(elsewhere.refresh(&world).await.status, 401);
        assert_eq!(world.count("ReuseDetected"), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn failover_lost_the_last_rotation_newest_first_is_adopted_then_predecessor_replayed() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    browser.refresh(&world).await;
    world.secs(120);
    let before = world.store.last().await;
    let mut late = browser.clone();
    browser.refresh(&world).await;
    world.store.roll_back_to(&before).await;
    let reply = browser.refresh(&world).await;
    assert_eq!(reply.status, 200);
    assert!(reply.set_cookie().is_none());
    assert_eq!(world.count("WriteRestored"), 1);
    assert_eq!(late.refresh(&world).await.status, 200);
    assert_eq!(world.outcomes("replayed"), 1);
    assert_eq!(world.count("ReuseDetected"), 0);
}

#[tokio::test]
async fn failover_lost_the_last_rotation_predecessor_first_derives_the_identical_token() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    browser.refresh(&world).await;
    world.secs(120);
    let before = world.store.last().await;
    let mut late = browser.clone();
    browser.refresh(&world).await;
    world.store.roll_back_to(&before).await;
    assert_eq!(late.refresh(&world).await.status, 200);
    assert_eq!(world.outcomes("rotated"), 3);
    // The other tab holds the token that the store has just derived again.
    assert_eq!(browser.refresh(&world).await.status, 200);
    assert_eq!(world.outcomes("coalesced"), 1);
    assert_eq!(
        world.count("WriteRestored") + world.count("ReuseDetected"),
        0
    );
}

#[tokio::test]
async fn failover_right_after_a_recovery_is_adopted() {
    let world = World::new();
    let (mut browser, _) = lost_rotation(&world).await;
    world.secs(600);
    let before = world.store.last().await;
    browser.refresh(&world).await;
    world.store.roll_back_to(&before).await;
    assert_eq!(browser.refresh(&world).await.status, 200);
    assert_eq!(world.count("WriteRestored"), 1);
}

#[tokio::test]
async fn two_generations_behind_means_sign_in_without_alarm() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    browser.refresh(&world).await;
    let before = world.store.last().await;
    for _ in 0..2 {
        world.secs(120);
        browser.refresh(&world).await;
    }
    world.store.roll_back_to(&before).await;
    let reply = browser.refresh(&world).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (401, "invalid_session")
    );
    assert!(reply.set_cookie().is_none());
    assert_eq!(world.count("StateLost"), 1);
    assert!(world.store.last().await.is_live(), "nothing is revoked");
}

#[tokio::test]
async fn empty_promoted_store_is_401_without_clearing_and_cookies_work_after_restore() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let full = world.store.replace(
        MemoryStore::builder()
            .clock(world.clock.clone())
            .build()
            .unwrap(),
    );
    let reply = browser.refresh(&world).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (401, "invalid_session")
    );
    assert!(reply.set_cookie().is_none());
    world.store.replace(full);
    assert_eq!(browser.refresh(&world).await.status, 200);
}

/// Without the note the window would end too early, and the next late tab would be taken for a thief.
#[tokio::test]
async fn a_note_that_fails_is_tried_again_by_the_client() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let mut late = browser.clone();
    browser.refresh(&world).await;
    world.secs(10);
    for tab in [&mut late, &mut browser] {
        world.store.fail_swap(Fault::Refuse);
        let reply = tab.refresh(&world).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (503, "unavailable"));
        assert!(reply.set_cookie().is_none());
        assert_eq!(tab.refresh(&world).await.status, 200);
    }
    assert_eq!(
        world.outcomes("replayed") + world.outcomes("coalesced"),
        2,
        "the refused ones are not told as refreshes"
    );
}
