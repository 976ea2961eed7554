//! Verifying with a cache: the claims that are remembered, judged anew, or else everything.

use std::sync::{Arc, atomic::Ordering};

use serde::de::DeserializeOwned;

use super::{TokenCache, digest::Digester, entry::Entry, revoked::Ended};
use crate::{
    clock::Timestamp,
    keys::Keys,
    token::{Claims, TokenError, codec::Inner},
};

/// A codec's cache, if it has one. Clones share it.
#[derive(Clone)]
pub(in crate::token) struct Slot(Option<Arc<Memory>>);

/// The cache, and what its verdicts are told apart and judged by.
pub(super) struct Memory {
    pub(super) cache: TokenCache,
    pub(super) digester: Digester,
    pub(super) ended: Ended,
}

impl Slot {
    pub(super) fn new(memory: Option<Memory>) -> Self {
        Self(memory.map(Arc::new))
    }

    pub(super) fn memory(&self) -> Option<&Memory> {
        self.0.as_deref()
    }

    pub(in crate::token) fn verify<C: DeserializeOwned>(
        &self,
        inner: &Inner,
        token: &[u8],
        now: Timestamp,
    ) -> Result<Claims<C>, TokenError> {
        // One snapshot for the look-up, the verification and the entry: a rotation in between makes
        // the entry stale.
        inner.with_keys(now, |keys| match self.memory() {
            // One that is too long is refused before anything is done with it.
            Some(memory) if token.len() <= inner.max_token_bytes => {
                memory.verify(inner, keys, token, now)
            }
            _ => inner.verify(keys, token, now, |_, _| ()),
        })
    }
}

impl Memory {
    fn verify<C: DeserializeOwned>(
        &self,
        inner: &Inner,
        keys: &Keys,
        token: &[u8],
        now: Timestamp,
    ) -> Result<Claims<C>, TokenError> {
        let Some(digest) = self.digester.digest(token) else {
            return inner.verify(keys, token, now, |_, _| ());
        };
        let table = &self.cache.table;
        let found = table.get(&digest);
        let stale = found.is_some();
        if let Some(entry) = found.filter(|e| e.holds(keys.generation, &self.ended)) {
            self.cache.hits.fetch_add(1, Ordering::Relaxed);
            // The cryptography alone is spared: times, issuer and the application's type are judged by
            // the same code as without a cache, so that the answer is the same.
            let read = inner.read(&entry.claims, now, |_| ());
            if read.is_err() {
                table.remove(&digest);
            }
            return read;
        }
        // Before the verification: a session that ends while it runs makes the entry stale.
        let ended = self.ended.last();
        let mut entry = None;
        let outcome = inner.verify(keys, token, now, |text, registered| {
            let session = registered.session.as_deref();
            let session = session.map(|session| self.ended.slot(session));
            entry = Some(Entry::new(text, keys.generation, ended, session));
        });
        match entry {
            Some(entry) => table.insert(digest, entry),
            // Nothing is written for a token that was never good.
            None if stale => table.remove(&digest),
            None => {}
        }
        outcome
    }
}
