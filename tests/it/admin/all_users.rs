//! The end of every session of every subject.

use std::{error::Error, time::Duration};

use tower_bearer::{
    ClaimsError, ClaimsRequest, KeyRing, MemoryStore, NoClaims, RefreshCookieLayer,
    SessionErrorKind, SessionId, Timestamp, TokenCodec,
    store::{
        Inserted, Loaded, RefreshStore, SessionKey, SessionRecord, StoreError, StoreErrorKind,
        SubjectTag, Swap,
    },
};

use super::{Heard, leave, world};
use crate::{
    scenarios::{ONE, TWO, ring},
    support::world::{MASTER, START, World},
};

#[tokio::test]
async fn every_session_that_had_begun_ends_and_one_event_tells_of_all() {
    let heard = Heard::default();
    let base = World::new();
    let server = |first, second| {
        World::over(
            ring(first, second),
            base.clock.clone(),
            base.app_clock.clone(),
            base.store.clone(),
            |builder| builder.events(heard.sink()),
        )
    };
    let (one, two) = (server(ONE, TWO), server(TWO, ONE));
    let mut before = [
        one.signed_in("ada").await,
        one.signed_in("ada").await,
        two.signed_in("bob").await,
    ];
    one.signed_in("eve").await.logout(&one).await;
    base.secs(10);
    heard.take();
    assert_eq!(one.layer.admin().end_everything().await.unwrap(), 3);
    let at = START.as_secs() + 10;
    assert_eq!(heard.take(), [format!("everything_revoked: 3 by {at}")]);
    base.secs(1);
    let mut after = one.signed_in("ada").await;
    for browser in &mut before {
        assert_eq!(browser.refresh(&one).await.status, 401);
    }
    assert_eq!(after.refresh(&one).await.status, 200);
    heard.take();
    let admin = one.layer.admin();
    base.secs(1);
    assert_eq!(admin.end_everything().await.unwrap(), 1, "it has begun too");
    assert_eq!(admin.end_everything().await.unwrap(), 0);
    assert_eq!(after.refresh(&one).await.status, 401);
}

#[tokio::test]
async fn a_store_that_does_not_answer_ends_nothing_later() {
    let (world, heard) = world();
    let mut browser = world.signed_in("ada").await;
    world.store.down(true);
    heard.take();
    let error = world.layer.admin().end_everything().await.unwrap_err();
    assert_eq!(error.kind(), SessionErrorKind::Unavailable);
    let refused = "session_refused: admin_end_everything, unavailable";
    assert_eq!(heard.take(), [refused]);
    world.store.down(false);
    assert_eq!(world.layer.drain(Duration::from_secs(20)).await, 0);
    assert_eq!(browser.refresh(&world).await.status, 200);
}

#[tokio::test]
async fn it_goes_on_and_is_told_of_though_its_caller_goes_away() {
    let (world, heard) = world();
    let mut browser = world.signed_in("ada").await;
    // A session begins when its sign-in is done, and this clock stands still meanwhile.
    world.secs(1);
    let (go, went) = tokio::sync::oneshot::channel::<()>();
    world.store.hold_swap(went);
    heard.take();
    leave(world.layer.admin().end_everything()).await;
    tokio::task::yield_now().await;
    go.send(()).unwrap();
    while heard.0.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    let told = format!("everything_revoked: 1 by {}", START.as_secs() + 1);
    assert_eq!(heard.take(), [told]);
    assert_eq!(browser.refresh(&world).await.status, 401);
}

/// A store as an application had it before there was such an end.
#[derive(Debug)]
struct Narrow(MemoryStore);

impl RefreshStore for Narrow {
    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        self.0.insert(record, limit).await
    }

    async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        self.0.load(key).await
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        self.0.swap(current, next).await
    }

    async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
        self.0.list(subject).await
    }

    async fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        self.0.revoke_all(subject, keep).await
    }
}

#[tokio::test]
async fn a_store_that_does_not_offer_it_is_named_with_the_cure() {
    let heard = Heard::default();
    let keys = KeyRing::from_master(MASTER).unwrap();
    let codec = TokenCodec::nested(&keys).issuer("https://id.example");
    let codec = codec.audience("api").build().unwrap();
    let claims = |_: ClaimsRequest| async { Ok::<_, ClaimsError>(NoClaims {}) };
    let builder = RefreshCookieLayer::builder(codec, Narrow(MemoryStore::new()), claims);
    let layer = builder.events(heard.sink()).build().unwrap();
    let error = layer.admin().end_everything().await.unwrap_err();
    assert_eq!(error.kind(), SessionErrorKind::Internal);
    let source = error.source().unwrap().to_string();
    for part in ["Narrow", "revoke_everything", "refresh secret"] {
        assert!(source.contains(part), "{source}");
    }
    assert!(!source.contains("MemoryStore"), "{source}");
    let refused = "session_refused: admin_end_everything, internal";
    assert_eq!(heard.take(), [refused]);
}

/// One that is asked for its time, and for the end of everything.
#[derive(Debug)]
struct Elsewhere(MemoryStore);

impl RefreshStore for Elsewhere {
    async fn insert(&self, _: &SessionRecord, _: usize) -> Result<Inserted, StoreError> {
        unreachable!()
    }

    async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        self.0.load(key).await
    }

    async fn swap(&self, _: &SessionRecord, _: &SessionRecord) -> Result<Swap, StoreError> {
        unreachable!()
    }

    async fn list(&self, _: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
        unreachable!()
    }

    async fn revoke_all(
        &self,
        _: &SubjectTag,
        _: Option<&SessionId>,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        unreachable!()
    }

    async fn revoke_everything(&self, _: Timestamp) -> Result<u64, StoreError> {
        let why = "use the other address";
        Err(StoreError::new(StoreErrorKind::Unsupported, why))
    }
}

/// A store that could offer it under another setting says which, and the operator reads it.
#[tokio::test]
async fn the_stores_own_reason_is_not_lost() {
    let keys = KeyRing::from_master(MASTER).unwrap();
    let codec = TokenCodec::nested(&keys).issuer("https://id.example");
    let codec = codec.audience("api").build().unwrap();
    let claims = |_: ClaimsRequest| async { Ok::<_, ClaimsError>(NoClaims {}) };
    let layer = RefreshCookieLayer::new(codec, Elsewhere(MemoryStore::new()), claims).unwrap();
    let error = layer.admin().end_everything().await.unwrap_err();
    assert_eq!(error.kind(), SessionErrorKind::Internal);
    let source = error.source().unwrap().to_string();
    assert!(source.starts_with("use the other address, or "), "{source}");
    assert!(source.contains("refresh secret"), "{source}");
}
