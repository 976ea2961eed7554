//! The cache of verified tokens, for those that are sent again and again.

use std::{
    fmt,
    hash::RandomState,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::available_parallelism,
};

use quick_cache::{
    OptionsBuilder, Weighter,
    sync::{Cache, DefaultLifecycle},
};
use ring::digest::{Context, SHA256, SHA256_OUTPUT_LEN};

use crate::{config::ConfigError, random, secret::Secret};

/// More is a slip: at 400 bytes an entry these are a hundred million tokens.
const MOST: u64 = 64 * 1024 * 1024 * 1024;

/// One block of the hash, so that the secret is taken in once and not for each token.
const SECRET_BYTES: usize = 64;

/// Room in the table for one entry: the entry, its links and its share of the index.
const PLACE: usize = size_of::<(Key, Entry)>() + 32;

/// Bytes that an `Arc` and the allocator add to a text: two counts, a header, and rounding up.
const PER_TEXT: usize = 40;

/// The text of an entry counts at least this much. A token with few claims of the application's has about this length.
/// So the number of places is bounded, and all of them are laid out at once. A table that grew would hold two copies of
/// itself while it grows.
const LEAST: usize = 224;

/// The smallest part that a table is divided into: far more than the claims of the longest token.
const SMALLEST_SHARD: usize = 512 * 1024;

/// Remembers tokens that have been verified, so that the same token costs a look-up the next time. Off
/// by default; [`TokenCodecBuilder::cache`] gives a codec its own.
///
/// It is there for public-key algorithms, whose verification costs at least thirty times as much as a look-up. With a
/// shared secret (`HS256`, `A256GCM`) a verification costs about as much as a look-up. See [the
/// manual](crate::manual::access_tokens#remember-verified-tokens) for figures, and for when to leave it off.
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
/// # Unchanged by the cache
///
/// The answer. A token gets the claims or the error that it would get without a cache. A look-up spares
/// the cryptography; the same code reads and judges the text of the claims each time:
///
/// * **Successes only.** A refused token is verified again each time it comes, and takes no room.
/// * **The time is checked each time**: `exp`, `nbf`, `iat` and [`max_age`](crate::token::TokenCodecBuilder::max_age),
///   with the codec's leeway, whichever way the clock goes.
/// * **A verdict lives as long as the keys it was reached with.** [`KeyRing::rotate`] makes all of
///   them stale at once.
/// * **A revoked session is not its business**, with or without a cache: an access token is good until
///   it expires. [`BearerAuthLayer::check`](crate::BearerAuthLayer::check) refuses it earlier, and runs for
///   every request, remembered or not.
/// * **A cache belongs to one codec** and its clones. A verdict is by one issuer, one audience, one set of rules. This
///   type cannot be cloned, so no other codec can take it over.
///
/// # The key
///
/// The codec finds a token by its digest and keeps no token. The digest is SHA-256 over 64 random bytes and all bytes
/// of the token. The codec draws the random bytes when it is built.
///
/// * **Collisions.** A token that passes for another one is a collision of SHA-256.
/// * **Timing.** Only a holder of the secret knows a digest, so the time of a comparison tells nothing. The
///   time does show to the holder of a token that the token was seen before.
/// * **Secrets in memory.** A resource server that verifies with public keys holds nothing that a thief of
///   its memory could use. Were tokens themselves the keys, it would hold every token in use. The claims
///   are kept, as the requests have them.
///
/// # Memory
///
/// `max_bytes` bounds everything: the table, which is laid out when the codec is built, and the claims. The cache keeps
/// the text of a token's claims, whose length is known. It keeps nothing that the application's type makes of it. So
/// the bound holds for every type. A token takes 130 bytes and its claims, and some 310 at least. When the cache is
/// full, tokens that were asked for once make room before those that were asked for twice. A flood of distinct tokens
/// evicts, and never grows. Expired tokens go in the same way; no thread sweeps.
///
/// A look-up takes the read lock of one shard, and never waits for a verification.
///
/// [`KeyRing::rotate`]: crate::KeyRing::rotate
/// [`TokenCodecBuilder::cache`]: crate::token::TokenCodecBuilder::cache
#[must_use]
pub struct TokenCache {
    max_bytes: usize,
    table: Table,
    /// Has taken in the secret.
    digest: Context,
    hits: AtomicU64,
}

type Table = Cache<Key, Entry, Weigh, RandomState, DefaultLifecycle<Key, Entry>>;

/// The key of a token: its digest under the secret of the codec.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; SHA256_OUTPUT_LEN]);

#[derive(Clone)]
struct Entry {
    /// As the token has them. Read into the application's type they may take any amount of memory;
    /// the text takes what its length says.
    claims: Arc<str>,
    /// The keys that they were opened and verified with.
    generation: u64,
}

#[derive(Clone)]
struct Weigh;

impl TokenCache {
    /// Returns a cache of `max_bytes` bytes for one codec; 16 MiB hold some 50 000 tokens.
    /// [`build`](crate::token::TokenCodecBuilder::build) returns an error if it is too small or too large.
    pub fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            // Without any room until it is laid out.
            table: Cache::with(0, 0, Weigh, RandomState::new(), DefaultLifecycle::default()),
            digest: Context::new(&SHA256),
            hits: AtomicU64::new(0),
        }
    }

    /// Returns how many tokens it remembers. It counts also those that have expired since, and those whose keys are
    /// gone.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Returns whether it remembers none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many look-ups have taken the place of a verification since the codec was built. Compare it with the
    /// number of requests to see whether the cache is worth its memory.
    pub fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    /// Returns how many bytes its entries take now, with the index of the table. Places that are laid out and empty are
    /// not counted.
    pub fn bytes(&self) -> usize {
        let claims = usize::try_from(self.table.weight()).unwrap_or(usize::MAX);
        self.table.memory_used().total().saturating_add(claims)
    }

    /// Returns the most bytes it may take, as given to [`TokenCache::new`].
    pub fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Lays out the table and draws the secret.
    pub(super) fn lay_out(mut self, max_token_bytes: usize) -> Result<Self, ConfigError> {
        // Far more than the claims of the longest token. They have to fit into the part of the table that only
        // newcomers have.
        let least = 4 * max_token_bytes + 4096;
        if self.max_bytes < least || self.max_bytes as u64 > MOST {
            return Err(ConfigError::about(
                "cache",
                self.max_bytes,
                format!("must be between {least} bytes and 64 GiB for these tokens"),
            ));
        }
        let mut secret = Secret::new([0; SECRET_BYTES]);
        random::fill(secret.expose_mut())
            .map_err(|error| ConfigError::new("cache", error.to_string()))?;
        self.digest.update(secret.expose());
        self.table = table(self.max_bytes)?;
        Ok(self)
    }

    pub(super) fn key(&self, token: &[u8]) -> Key {
        let mut digest = self.digest.clone();
        digest.update(token);
        let mut key = [0; SHA256_OUTPUT_LEN];
        key.copy_from_slice(digest.finish().as_ref());
        Key(key)
    }

    /// The claims of a token that passed, if it did with these keys.
    pub(super) fn get(&self, key: Key, generation: u64) -> Option<Arc<str>> {
        let entry = self.table.get(&key)?;
        if entry.generation != generation {
            return None;
        }
        self.hits.fetch_add(1, Ordering::Relaxed);
        Some(entry.claims)
    }

    pub(super) fn put(&self, key: Key, generation: u64, claims: &str) {
        let claims = claims.into();
        self.table.insert(key, Entry { claims, generation });
    }
}

/// A table that takes at most `bytes` bytes in all, and has room for as many entries as they allow.
fn table(bytes: usize) -> Result<Table, ConfigError> {
    let entries = bytes / (PLACE + LEAST);
    // Two threads seldom meet in four shards for each.
    let shards = available_parallelism().map_or(1, usize::from) * 4;
    let shards = shards.min(bytes / SMALLEST_SHARD).max(1);
    let options = OptionsBuilder::new()
        // Down to a power of two; the table would go up.
        .shards(1 << shards.ilog2())
        .estimated_items_capacity(entries)
        .weight_capacity((entries * LEAST) as u64)
        // A tenth for newcomers that have not been asked for twice. A flood of tokens that are never seen again passes
        // through it, and those in use stay.
        .hot_allocation(0.9)
        // An evicted token is forgotten: a memory of it takes places, too.
        .ghost_allocation(0.0)
        .build()
        .map_err(|error| ConfigError::new("cache", error.to_string()))?;
    let (hasher, lifecycle) = (RandomState::new(), DefaultLifecycle::default());
    let table = Cache::with_options(options, Weigh, hasher, lifecycle);
    table.reserve(entries);
    Ok(table)
}

impl Weighter<Key, Entry> for Weigh {
    /// The bytes that hang on the entry; the entry itself lies in the table.
    fn weight(&self, _: &Key, entry: &Entry) -> u64 {
        (entry.claims.len() + PER_TEXT).max(LEAST) as u64
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            max_bytes,
            table: _,
            digest: _,
            hits,
        } = self;
        f.debug_struct("TokenCache")
            .field("max_bytes", max_bytes)
            .field("bytes", &self.bytes())
            .field("len", &self.len())
            .field("hits", hits)
            .finish_non_exhaustive()
    }
}
