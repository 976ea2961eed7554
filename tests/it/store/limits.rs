//! How many sessions a subject has.

use std::{collections::BTreeMap, sync::Mutex};

use tower_bearer::{
    RevokeReason, SessionId, Timestamp,
    store::{Inserted, SessionRecord, StoreError},
};

use super::{
    refuses,
    table::{Backend, Broken, mistake},
};

/// Reads the limit as another number.
#[derive(Debug)]
struct LimitAs(Backend, fn(usize) -> usize);

impl Broken for LimitAs {
    fn backend(&self) -> &Backend {
        &self.0
    }

    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        self.0.insert(record, self.1(limit)).await
    }
}

/// As a signed number: below zero nothing is left of it.
fn as_i32(limit: usize) -> usize {
    usize::try_from(limit as i32).unwrap_or(0)
}

/// Drops sessions in an order of its own.
#[derive(Debug)]
struct Drops(Backend, fn(&SessionRecord) -> Vec<u8>);

impl Broken for Drops {
    fn backend(&self) -> &Backend {
        &self.0
    }

    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        let key = record.key();
        let mut live = self.0.all(key.subject());
        live.retain(|session| session.is_live() && self.0.now() < session.expires_at());
        live.sort_by_key(self.1);
        if live.iter().any(|session| session.id() == record.id()) {
            return self.0.insert(record, limit).await;
        }
        live.truncate((live.len() + 1).saturating_sub(limit.max(1)));
        self.0.put(record);
        Ok(Inserted::new(revoke(&self.0, &live)))
    }
}

/// Keeps the time of the rotation in a column that `insert` alone writes.
#[derive(Debug)]
struct StaleOrder(Backend, Mutex<BTreeMap<SessionId, Timestamp>>);

impl Broken for StaleOrder {
    fn backend(&self) -> &Backend {
        &self.0
    }

    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        let key = record.key();
        let mut rotated = self.1.lock().unwrap();
        rotated
            .entry(record.id())
            .or_insert(record.last_rotated_at());
        let mut live = self.0.all(key.subject());
        live.retain(|session| session.is_live() && session.id() != record.id());
        live.sort_by_key(|session| rotated.get(&session.id()).copied());
        live.truncate((live.len() + 1).saturating_sub(limit.max(1)));
        if self.0.get(&key).is_none() {
            self.0.put(record);
        }
        Ok(Inserted::new(revoke(&self.0, &live)))
    }
}

/// Ends each of these, and returns them as they are then.
fn revoke(backend: &Backend, live: &[SessionRecord]) -> Vec<SessionRecord> {
    let ended = live
        .iter()
        .map(|session| session.revoked(RevokeReason::Limit));
    ended.inspect(|session| backend.put(session)).collect()
}

mistake! {
    SaysNothingOfDrops {
        async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
            self.0.insert(record, limit).await?;
            Ok(Inserted::new(vec![]))
        }
    }
}

mistake! {
    /// Counts what has ended, too.
    CountsEnded {
        async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
            let all = self.0.all(record.key().subject());
            let ended = all.iter().filter(|session| !session.is_live()).count();
            self.0.insert(record, limit.saturating_sub(ended)).await
        }
    }
}

mistake! {
    /// Counts the session itself when it is added again.
    CountsTwice {
        async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
            let is_there = self.0.get(&record.key()).is_some();
            let inserted = self.0.insert(record, limit).await?;
            Ok(match is_there {
                true => Inserted::new(vec![record.clone()]),
                false => inserted,
            })
        }
    }
}

mistake! {
    /// `INSERT OR REPLACE`.
    Overwrites {
        async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
            self.0.rows().remove(&(*record.key().subject(), record.id()));
            self.0.insert(record, limit).await
        }
    }
}

mistake! {
    /// Says who goes, and lets them stay.
    ReportsAndKeeps {
        async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
            let mut before = self.0.all(record.key().subject());
            let inserted = self.0.insert(record, limit).await?;
            before.retain(|session| super::names(inserted.dropped(), &session.id()));
            before.iter().for_each(|session| self.0.put(session));
            Ok(inserted)
        }
    }
}

mistake! {
    /// Hands out what it read before it wrote.
    ReportsTheLiveOnes {
        async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
            let mut before = self.0.all(record.key().subject());
            let inserted = self.0.insert(record, limit).await?;
            before.retain(|session| super::names(inserted.dropped(), &session.id()));
            Ok(Inserted::new(before))
        }
    }
}

refuses! {
    no_limit_at_all: |backend| LimitAs(backend, |_| usize::MAX) => "the least recently rotated";
    a_limit_of_one_more: |backend| LimitAs(backend, |limit| limit.saturating_add(1)) => "the least recently rotated";
    a_limit_as_i32: |backend| LimitAs(backend, as_i32) => "a limit of any size";
    a_limit_as_u32: |backend| LimitAs(backend, |limit| limit as u32 as usize) => "a limit of any size";
    a_limit_as_i64: |backend| LimitAs(backend, |limit| usize::try_from(limit as i64).unwrap_or(0)) => "a limit of any size";
    a_limit_as_u16: |backend| LimitAs(backend, |limit| limit as u16 as usize) => "a limit of any size";
    a_limit_as_u8: |backend| LimitAs(backend, |limit| limit as u8 as usize) => "a limit of any size";
    a_limit_that_overflows:
        |backend| LimitAs(backend, |limit| limit.checked_add(1).expect("attempt to add with overflow") - 1) => "a limit of any size";
    no_limit_that_is_none: |backend| LimitAs(backend, |limit| if limit == 0 { usize::MAX } else { limit }) => "a limit of any size";
    the_oldest_sign_in_goes:
        |backend| Drops(backend, |session| session.created_at().as_millis().to_be_bytes().into()) => "the least recently rotated";
    the_one_that_was_seen_least_recently_goes:
        |backend| Drops(backend, |session| session.last_seen().as_millis().to_be_bytes().into()) => "the least recently rotated";
    the_one_with_the_lowest_id_goes: |backend| Drops(backend, |session| session.id().as_bytes().to_vec()) => "the least recently rotated";
    the_one_that_expires_first_goes:
        |backend| Drops(backend, |session| session.expires_at().as_millis().to_be_bytes().into()) => "the least recently rotated";
    the_most_recently_rotated_goes:
        |backend| Drops(backend, |session| (u64::MAX - session.last_rotated_at().as_millis()).to_be_bytes().into()) => "the least recently rotated";
    an_order_that_swaps_do_not_move: |backend| StaleOrder(backend, Mutex::default()) => "the least recently rotated";
    drops_that_are_not_reported: SaysNothingOfDrops => "the least recently rotated";
    drops_that_are_reported_only: ReportsAndKeeps => "the least recently rotated";
    drops_that_are_reported_as_they_were: ReportsTheLiveOnes => "the least recently rotated";
    ended_sessions_that_count: CountsEnded => "do not count towards the limit";
    an_insertion_that_counts_twice: CountsTwice => "applied twice counts once";
    an_insertion_that_overwrites: Overwrites => "does not overwrite";
}
