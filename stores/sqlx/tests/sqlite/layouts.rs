//! Records that an earlier release has written.

use tower_bearer::{
    RevokeReason,
    store::{RefreshStore, SessionRecord, Swap},
};

use crate::place::Place;

/// A live session as version 1 of the layout has it. The crate reads that version and does not write it any more.
const VERSION_1: &str = "\
    0101010101010101010101010101010101846a56d3fa3fd270c3f5f3a762e9b2e0000000000000000000000eac34541a\
    5b6cec817c3d63490902c9104e7f47ae92583828f035d58463acf2000000000000000000000000000000000000000000\
    00000000000000000000005454545454545454545454545454545454545454545454545454545454545454000001a318\
    5c50000000000000000000000001a3185c5000000001a3185c5000000001a33c68d400000001a327cf640062726f7773\
    65722e0000000003616461000b42726f777365722f312e3000000007636f6e74657874";

#[tokio::test]
async fn a_record_of_an_older_layout_is_replaced_once() {
    let place = Place::new();
    let store = place.open().await;
    let bytes = (0..VERSION_1.len()).step_by(2);
    let bytes: Vec<u8> = bytes
        .map(|at| u8::from_str_radix(&VERSION_1[at..at + 2], 16).unwrap())
        .collect();
    let current = SessionRecord::decode(&bytes).unwrap();
    assert_ne!(current.encode(), bytes);
    let key = current.key();
    sqlx::query(
        "INSERT INTO tower_bearer_sessions (subject_tag, session_id, record, expires_at, rotated_at, live)
         VALUES (?, ?, ?, ?, 0, 1)",
    )
    .bind(&key.subject().as_bytes()[..])
    .bind(&key.id().as_bytes()[..])
    .bind(bytes)
    .bind(i64::MAX)
    .execute(&mut place.connection().await)
    .await
    .unwrap();

    let next = current.revoked(RevokeReason::SignedOut);
    for _ in 0..2 {
        let swapped = store.swap(&current, &next).await.unwrap();
        assert!(matches!(swapped, Swap::Applied), "{swapped:?}");
        let stored = store.load(&key).await.unwrap();
        assert_eq!(stored.record(), Some(&next));
    }
    let late = current.revoked(RevokeReason::Reuse);
    let lost = store.swap(&current, &late).await.unwrap();
    assert!(matches!(lost, Swap::Conflict(_)), "{lost:?}");
}
