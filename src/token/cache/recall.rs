//! Verifying with a cache: what is remembered and still holds, or else everything.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::{
    TokenCache,
    digest::Digester,
    entry::{Entry, Terms},
    revoked::Ended,
};
use crate::{
    clock::Timestamp,
    keys::Keys,
    token::{Claims, TokenError, codec::Inner},
};

/// A codec's cache, if it has one. Clones share it.
pub(in crate::token) struct Slot<C>(Option<Arc<Memory<C>>>);

/// The cache, and what its verdicts are told apart and judged by.
pub(super) struct Memory<C> {
    pub(super) cache: TokenCache<C>,
    pub(super) digester: Digester,
    pub(super) ended: Ended,
}

impl<C> Slot<C> {
    pub(super) fn new(memory: Option<Memory<C>>) -> Self {
        Self(memory.map(Arc::new))
    }

    pub(super) fn memory(&self) -> Option<&Memory<C>> {
        self.0.as_deref()
    }
}

impl<C> Clone for Slot<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C: DeserializeOwned> Slot<C> {
    pub(in crate::token) fn verify(
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

impl<C: DeserializeOwned> Memory<C> {
    fn verify(
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
        if let Some(entry) = found.filter(|e| e.holds(keys.generation, now, &self.ended)) {
            return Ok(entry.claims);
        }
        // Before the verification: a session that ends while it runs makes the entry stale.
        let ended = self.ended.last();
        let mut terms = None;
        let outcome = inner.verify(keys, token, now, |registered, members| {
            terms = Some(Terms::of::<C>(
                registered,
                members,
                &inner.rules,
                &self.ended,
            ));
        });
        match (&outcome, terms) {
            (Ok(claims), Some(terms)) => {
                let entry = Entry::new(claims.clone(), keys.generation, ended, terms);
                table.insert(digest, entry);
            }
            // Nothing is written for a token that was never good.
            _ if stale => table.remove(&digest),
            _ => {}
        }
        outcome
    }
}
