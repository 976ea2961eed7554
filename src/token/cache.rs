//! The cache of verified tokens, for those that are sent again and again.

mod digest;
mod entry;
mod recall;
mod revoked;
mod table;

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

pub(super) use self::recall::Slot;
use self::{digest::Digester, recall::Memory, revoked::Ended, table::Table};
use super::{TokenCodec, TokenCodecBuilder};
use crate::{config::ConfigError, session::SessionId};

/// More is a slip: at 400 bytes an entry these are a hundred million tokens.
const MOST: u64 = 64 * 1024 * 1024 * 1024;

/// Remembers tokens that have been verified, so that the same token costs a look-up the next time. Off
/// by default; [`TokenCodecBuilder::cache`] gives a codec its own.
///
/// It is there for public-key algorithms, whose verification costs fifty times and more of what a
/// look-up does. With a shared secret (`HS256`, `A256GCM`) a verification costs about as much as
/// a look-up: see [the manual](crate::manual::performance#the-verified-token-cache) for figures,
/// and for when to leave it off.
///
/// ```
/// use tower_bearer::{KeyRing, NoClaims, TokenCache, TokenCodec};
///
/// let codec: TokenCodec = TokenCodec::nested(&KeyRing::generate()?)
///     .issuer("https://id.example")
///     .audience("api")
///     .cache(TokenCache::new(16 * 1024 * 1024))
///     .build()?;
///
/// let token = codec.mint("user-1", &NoClaims {})?;
/// for _ in 0..3 {
///     assert_eq!(codec.verify(token.as_str())?.subject(), "user-1");
/// }
/// assert_eq!(codec.cache().map(TokenCache::len), Some(1));
/// assert_eq!(codec.cache().map(TokenCache::hits), Some(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What it never changes
///
/// The answer. A token gets the claims or the error that it would get without a cache. A look-up spares
/// the cryptography; the text of the claims is read and judged each time, by the same code:
///
/// * **Successes only.** What was refused is verified again each time it comes, and takes no room.
/// * **The time is looked at each time**: `exp`, `nbf`, `iat` and
///   [`max_age`](TokenCodecBuilder::max_age), with the codec's leeway, whichever way the clock goes.
/// * **A verdict lives as long as the keys it was reached with.** [`KeyRing::rotate`] makes all of
///   them stale at once.
/// * **It ends with its session.** When a session is signed out, revoked or replaced through a
///   [`RefreshCookieLayer`](crate::RefreshCookieLayer) with this codec or a clone of it, the tokens
///   with its `sid` are verified anew; elsewhere [`TokenCodec::forget_session`] does it. That is *not* a
///   revocation of the access token: it passes the new verification too, as it does without a cache,
///   until it expires. What refuses it is [`BearerAuthLayer::check`](crate::BearerAuthLayer::check),
///   which runs for every request, remembered or not.
/// * **A cache belongs to one codec** and its clones. A verdict is by one issuer, one audience, one set
///   of rules; this type cannot be cloned, so no other codec can take it over.
///
/// # The key
///
/// A token is found by its digest, and no token is kept. The digest is NH, the universal hash of UMAC, over
/// all bytes of the token with 64-bit words, twice, under random words that the codec draws from the operating
/// system when it is built, beside the token's length.
///
/// * **Collisions.** Two different tokens have the same digest with a probability of at most 2^-128, which
///   is a theorem about NH and no assumption. It is about tokens chosen without knowledge of the
///   secret, and there is none to be had: digests never leave the cache, and a guess that fails
///   shows nothing but that it failed. Who tries 2^40 tokens against a million entries has a chance of 2^-68.
/// * **Timing.** A digest takes as long as any other for a token of that length; two are compared in constant time;
///   and the place in the table comes from another hash, SipHash-1-3, under another secret. That
///   a token was seen before does show in the time, to who holds the token.
/// * **Secrets in memory.** A resource server that verifies with public keys holds nothing that a thief of
///   its memory could use. Were tokens themselves the keys, it would hold every token in use; a digest has
///   256 bits, and the signature that it would have to tell has 512 or more. The claims are kept, as the
///   requests have them.
///
/// SHA-256 would do as well and takes longer than the whole look-up may; a MAC by AES-GCM takes as long as that.
///
/// # Memory
///
/// `max_bytes` bounds everything: the table, which is laid out when the codec is built, the claims, and
/// the secret. Kept of a token is the text of its claims, whose length is known, and nothing that the
/// application's type makes of it: so the bound holds for every type. A token takes 110 bytes and its
/// claims, and some 330 at least. When the cache is full, tokens that
/// were asked for once make room before those that were asked for twice: a flood of distinct tokens
/// evicts, and never grows. Expired tokens go when they come again or in the same way; no thread sweeps.
///
/// A look-up takes the read lock of one shard, and never waits for a verification.
///
/// [`KeyRing::rotate`]: crate::KeyRing::rotate
#[must_use]
pub struct TokenCache {
    max_bytes: usize,
    /// What is left of it for the secret and the counters.
    table: Table,
    hits: AtomicU64,
}

impl TokenCache {
    /// A cache of `max_bytes` bytes for one codec; 16 MiB hold some 40 000 tokens. Whether it is a
    /// good number is told by [`TokenCodecBuilder::build`].
    pub fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            table: Table::new(),
            hits: AtomicU64::new(0),
        }
    }

    /// How many tokens it remembers, those that have expired since or whose keys are gone among them.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether it remembers none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many look-ups have taken the place of a verification since the codec was built. Beside the number
    /// of requests it tells whether the cache is worth its memory.
    pub fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    /// How many bytes it takes now: the empty table and what its entries hold.
    pub fn bytes(&self) -> usize {
        self.table.bytes()
    }

    /// The most bytes it may take, as given to [`TokenCache::new`].
    pub fn max_bytes(&self) -> usize {
        self.max_bytes
    }
}

impl<C> TokenCodecBuilder<C> {
    /// Remembers verified tokens in `cache`. Off by default; see [`TokenCache`] for an example.
    ///
    /// [`build`](Self::build) refuses a cache that has no room for a token of
    /// [`max_token_bytes`](Self::max_token_bytes), and one of more than 64 GiB.
    pub fn cache(mut self, cache: TokenCache) -> Self {
        self.cache = Plan(Some(cache));
        self
    }
}

impl<C> TokenCodec<C> {
    /// The cache of verified tokens, where the codec has one.
    pub fn cache(&self) -> Option<&TokenCache> {
        self.cache.memory().map(|memory| &memory.cache)
    }

    /// Forgets the tokens of a session, given as the `sid` claim has it: the next time they come they
    /// are verified in full. Takes one step, however many there are.
    ///
    /// A [`RefreshCookieLayer`](crate::RefreshCookieLayer) with this codec or a clone of it calls it for
    /// every session that ends. It is for those that end elsewhere, on another instance say. It
    /// revokes nothing: the tokens are authentic until they expire, and pass. Refuse them in
    /// [`BearerAuthLayer::check`](crate::BearerAuthLayer::check).
    ///
    /// ```
    /// use tower_bearer::{Event, EventSink, NoClaims, TokenCodec};
    ///
    /// /// For a codec that was built apart from the one that the layer mints with.
    /// fn forgetful(codec: TokenCodec<NoClaims>) -> EventSink {
    ///     EventSink::new(move |event: &Event<'_>| {
    ///         if let Event::Revoked { session, .. } = event {
    ///             codec.forget_session(&session.to_string());
    ///         }
    ///     })
    /// }
    /// # let _ = forgetful;
    /// ```
    pub fn forget_session(&self, session: &str) {
        if let Some(memory) = self.cache.memory() {
            memory.ended.end(session);
        }
    }

    /// Forgets every token: the next time it comes, it is verified in full. Takes one step; the
    /// room is given to others as they come.
    pub fn forget_all(&self) {
        if let Some(memory) = self.cache.memory() {
            memory.ended.end_all();
        }
    }

    /// A session has ended, or several and it is not known which: nothing is kept that is about them.
    pub(crate) fn ended(&self, session: Option<&SessionId>) {
        match session {
            Some(session) if self.cache.memory().is_some() => {
                self.forget_session(&session.to_string());
            }
            Some(_) => {}
            None => self.forget_all(),
        }
    }
}

/// The cache that is to be built, if any.
#[derive(Default)]
pub(super) struct Plan(Option<TokenCache>);

impl Plan {
    pub(super) fn build(self, max_token_bytes: usize) -> Result<Slot, ConfigError> {
        let Some(mut cache) = self.0 else {
            return Ok(Slot::new(None));
        };
        let fixed = Digester::memory(max_token_bytes) + Ended::MEMORY;
        // Far more than the claims of the longest token, which have to fit into the part of the table
        // that only newcomers have.
        let least = fixed + 4 * max_token_bytes + 4096;
        if cache.max_bytes < least || cache.max_bytes as u64 > MOST {
            return Err(ConfigError::new(
                "cache",
                format!("must be between {least} bytes and 64 GiB for these tokens"),
            ));
        }
        cache.table.lay_out(cache.max_bytes - fixed)?;
        let digester = Digester::new(max_token_bytes)
            .map_err(|error| ConfigError::new("cache", error.to_string()))?;
        let ended = Ended::new();
        Ok(Slot::new(Some(Memory {
            cache,
            digester,
            ended,
        })))
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(cache) = self;
        cache.fmt(f)
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            max_bytes,
            table,
            hits,
        } = self;
        f.debug_struct("TokenCache")
            .field("max_bytes", max_bytes)
            .field("bytes", &table.bytes())
            .field("len", &table.len())
            .field("hits", hits)
            .finish()
    }
}
