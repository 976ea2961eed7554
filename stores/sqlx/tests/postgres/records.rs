//! Bytes that are no record, or one of an earlier layout.

use tower_bearer::{
    RevokeReason,
    store::{RefreshStore as _, SessionKey, SessionRecord, StoreErrorKind, Swap},
};

use crate::{
    stage::{assert_ok, assert_unavailable, instance, migrated, told},
    support::Database,
};

const STORED: &str = "SELECT record FROM tower_bearer_sessions";

async fn write(database: &Database, key: &SessionKey, bytes: &[u8]) {
    let mut connection = database.connection().await;
    let statement = "INSERT INTO tower_bearer_sessions VALUES ($1, $2, $3, 9000000000000, 0, true) \
                     ON CONFLICT (subject_tag, session_id) DO UPDATE SET record = EXCLUDED.record";
    let write = sqlx::query(statement)
        .bind(*key.subject().as_bytes())
        .bind(*key.id().as_bytes())
        .bind(bytes);
    write.execute(&mut connection).await.unwrap();
}

#[tokio::test]
async fn a_record_of_an_unknown_version_is_an_error_that_touches_nothing() {
    let (database, store) = migrated().await;
    let world = instance(store);
    let mut browser = world.signed_in("ada").await;
    let key = world.store.last_key();
    let good: Vec<u8> = database.value(STORED).await;
    let mut bytes = good.clone();
    bytes[0] = 3;
    write(&database, &key, &bytes).await;

    assert_unavailable(&browser.refresh(&world).await);
    let subject = key.subject();
    for error in [
        world.store.load(&key).await.unwrap_err(),
        world.store.list(subject).await.unwrap_err(),
        world.store.revoke_all(subject, None).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        assert!(told(&error).contains("version 3"), "{}", told(&error));
    }
    assert_eq!(database.value::<Vec<u8>>(STORED).await, bytes, "untouched");
    write(&database, &key, &good).await;
    assert_ok(&browser.refresh(&world).await);
}

/// The bytes of an older layout are not those that this release writes of the same record.
#[tokio::test]
async fn a_record_of_version_1_is_swapped_for_one_of_version_2() {
    let (database, store) = migrated().await;
    let golden = include_str!("../../../../src/session/record_codec/tests/version1.json");
    let golden: serde_json::Value = serde_json::from_str(golden).unwrap();
    let hex = golden["records"][1]["record"].as_str().unwrap();
    let bytes = (0..hex.len()).step_by(2);
    let bytes: Vec<u8> = bytes
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect();
    assert_eq!(bytes[0], 1);
    let key = SessionRecord::decode(&bytes).unwrap().key();
    write(&database, &key, &bytes).await;

    let current = store.load(&key).await.unwrap().into_record().unwrap();
    assert_eq!(current.generation(), 1);
    let next = current.revoked(RevokeReason::SignedOut);
    let other = current.revoked(RevokeReason::Denied);
    // The second time it is recognised as applied; what is no longer there is a conflict.
    for _ in 0..2 {
        assert!(matches!(
            store.swap(&current, &next).await.unwrap(),
            Swap::Applied
        ));
    }
    let swap = store.swap(&current, &other).await.unwrap();
    assert!(matches!(swap, Swap::Conflict(loaded) if loaded.record() == Some(&next)));
    let stored: Vec<u8> = database.value(STORED).await;
    assert_eq!(stored, next.encode());
    assert_eq!(stored[0], 2);
}
