//! The ring itself: a snapshot that is replaced as a whole.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;

use super::{
    KeyReport, KeyRingBuilder, Keys, UnusableKey,
    encryption::SEAL_LIMIT,
    public_set::{Compromised, PublicSet, unusable},
    remote::Source,
};
use crate::{clock::Timestamp, config::ConfigError, random, secret::Secret};

/// All keys of a service, replaced as a whole while it serves. Clones share the keys.
///
/// Each purpose (signing access tokens, encrypting them, refresh cookies) has its own list. The first key of a list
/// mints, and every key of it is accepted. So rotate in two steps: no instance then meets a token that it does not
/// know yet. First add the new key *behind* the old one everywhere. Then move it to the front. Remove the old one
/// when the last token made with it has expired.
///
/// ```
/// use tower_bearer::KeyRing;
///
/// let keys = KeyRing::generate()?;
/// // Later, in every clone at once:
/// keys.rotate(KeyRing::generate()?)?;
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct KeyRing {
    pub(super) keys: Arc<ArcSwap<Keys>>,
    /// The source that fills the ring, when it is not this process's own. Asked only when a key is missing.
    pub(super) source: Source,
    /// Whether it is an issuer's set as it was published, usable or not.
    pub(super) published: bool,
}

impl KeyRing {
    /// How many tokens one shared encryption key may encrypt: 2^32. Each token gets a random 96-bit IV (NIST SP
    /// 800-38D section 8.3). Minting fails from there on.
    pub const ENCRYPTION_LIMIT: u64 = SEAL_LIMIT;

    /// Derives every symmetric key from one secret of at least 32 random bytes. The keys are HS256 for signing,
    /// A256GCM for encryption, and those of the refresh cookie.
    ///
    /// # Errors
    ///
    /// When the secret is too short or plainly not random.
    pub fn from_master(secret: &[u8]) -> Result<Self, ConfigError> {
        Self::builder().master(secret).build()
    }

    /// Generates a ring of fresh random keys, for development and tests.
    ///
    /// Every process gets its own: after a restart, and on another instance, all tokens and
    /// refresh cookies are refused.
    ///
    /// # Errors
    ///
    /// When the operating system gives no random bytes.
    pub fn generate() -> Result<Self, ConfigError> {
        let mut master = Secret::new([0; 32]);
        random::fill(master.expose_mut())
            .map_err(|error| ConfigError::new("master secret", error.to_string()))?;
        Self::from_master(master.expose())
    }

    /// Reads the keys from the environment. Either
    ///
    /// * `ACCESS_SECRET` (signs access tokens with HS256), `ENCRYPTION_KEY` (encrypts them with A256GCM) and
    ///   `REFRESH_SECRET` (refresh cookies). Each is base64url, base64 or hexadecimal of at least 32 random bytes, of
    ///   exactly 32 for `ENCRYPTION_KEY`. Several are separated by commas: the first mints and all are accepted. Or
    /// * `TOWER_BEARER_KEYS`, a JWK Set as in [`KeyRingBuilder::jwks`].
    ///
    /// With `_FILE` behind a name, it is the path of a file that holds the value. A service
    /// leaves out what it does not need: one that only verifies needs no `REFRESH_SECRET`.
    ///
    /// # Errors
    ///
    /// When values are unusable: one error names every such variable, and how to make a good value. When
    /// nothing is set at all, [`ConfigError::is_missing`] is true, and the error has the one line that makes
    /// all three.
    ///
    /// ```
    /// use tower_bearer::KeyRing;
    ///
    /// let keys = match KeyRing::from_env() {
    ///     Err(error) if error.is_missing() => KeyRing::generate()?, // development
    ///     keys => keys?,
    /// };
    /// # let _ = keys;
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    pub fn from_env() -> Result<Self, ConfigError> {
        super::env::from_env()
    }

    /// Reads the JWK Set of another service, for a ring that verifies what it signed (RFC 7517
    /// section 5). The ring has public keys only, mints nothing and has no keys for refresh cookies.
    ///
    /// Each key is judged alone. An unusable one never affects the others: [`unusable_keys`](Self::unusable_keys)
    /// says which and why. A key whose private half is in the set is not used either: log
    /// [`UnusableKey::is_compromised`] as an error. An RSA key without `alg` is for RS256, or for the one RSA
    /// algorithm that [`algorithms`](crate::token::TokenCodecBuilder::algorithms) names.
    ///
    /// With the feature `jwks`, `RemoteJwks` fetches the set and keeps such a ring current.
    ///
    /// # Errors
    ///
    /// When the text is no JSON object with an array `keys`, or no key of it verifies signatures. The
    /// error says what is wrong with each key.
    pub fn verifier(jwks: &str) -> Result<Self, ConfigError> {
        let set = PublicSet::read(jwks.as_bytes(), &mut Compromised::default())?;
        Ok(Self::new(Keys::of_set(set.not_empty()?)))
    }

    /// Reads the published JWK Set of another service, as [`verifier`](Self::verifier) does. It accepts a set without
    /// a usable key too. A codec over its ring then rejects every token with
    /// [`KeysUnavailable`](crate::TokenErrorKind::KeysUnavailable), as one over a `RemoteJwks` does. Use it for tools
    /// that [report](Self::key_reports) on a set. A service needs an error when it starts.
    ///
    /// # Errors
    ///
    /// When the text is no JSON object with an array `keys`.
    pub fn published(jwks: &str) -> Result<Self, ConfigError> {
        let set = PublicSet::read(jwks.as_bytes(), &mut Compromised::default())?;
        Ok(Self {
            published: true,
            ..Self::new(Keys::of_set(set))
        })
    }

    /// Returns the verdict on each key of an issuer's JWK Set, in the set's order. The set is that of
    /// [`verifier`](Self::verifier) or [`published`](Self::published), or the current one of a `RemoteJwks`. It lists
    /// at most 64 that are poisoned, and 64 that are passed over. A ring of keys of one's own has none.
    pub fn key_reports(&self) -> Vec<KeyReport> {
        self.load().reports.to_vec()
    }

    /// Returns the unused keys of an issuer's JWK Set, in the set's order, and why. The set is that of
    /// [`verifier`](Self::verifier), or the current one of a `RemoteJwks`. It lists at most 64 that are compromised,
    /// and 64 that are passed over. A ring of keys of one's own has none.
    pub fn unusable_keys(&self) -> Vec<UnusableKey> {
        unusable(&self.load().reports)
    }

    /// Starts a ring of keys given one by one.
    pub fn builder() -> KeyRingBuilder {
        KeyRingBuilder::new()
    }

    /// Replaces all keys, in every clone of this ring, with those of `next`.
    ///
    /// # Errors
    ///
    /// Returns an error when `next` lacks a purpose that is in use. A service that encrypts its tokens cannot
    /// continue without an encryption key. Returns one too when a remote issuer fills this ring, or `next`. The keys
    /// are then left as they are.
    pub fn rotate(&self, next: KeyRing) -> Result<(), ConfigError> {
        if self.is_remote() {
            return Err(ConfigError::new(
                "keys",
                "are those of a remote issuer, which replaces them itself",
            ));
        }
        if next.is_remote() {
            return Err(ConfigError::new(
                "keys",
                "are those of a remote issuer, and stay in a ring of their own. Give its codec to \
                 Verifiers::new([...]) beside that of this ring",
            ));
        }
        let next = next.keys.load_full();
        loop {
            let current = self.keys.load_full();
            current.check_successor(&next)?;
            // Another rotation may have come in between; the check is then done again.
            let previous = self.keys.compare_and_swap(&current, next.clone());
            if Arc::ptr_eq(&previous, &current) {
                return Ok(());
            }
        }
    }

    /// Returns how many tokens this process has encrypted with the active shared key. The limit is
    /// [`KeyRing::ENCRYPTION_LIMIT`], divided by the number of instances that share the key. Replace the key with a
    /// fresh one before that.
    pub fn encryptions(&self) -> u64 {
        self.load().active_encryption().map_or(0, |k| k.sealed())
    }

    /// Returns the public signing keys as a JWK Set (RFC 7517 section 5), for services that verify the tokens. It
    /// never has a shared secret or a private member.
    pub fn jwks(&self) -> String {
        super::jwks::jwks(&self.load().signing)
    }

    /// Whether both are clones of one ring.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.keys, &other.keys)
    }

    /// Whether its keys are taken as their issuer publishes them, which may be none.
    pub(crate) fn is_foreign(&self) -> bool {
        self.published || self.is_remote()
    }

    pub(super) fn new(keys: Keys) -> Self {
        Self {
            keys: Arc::new(ArcSwap::from_pointee(keys)),
            source: Source::default(),
            published: false,
        }
    }

    /// The keys that are good as of `now`: none of them, once their issuer has been silent for too
    /// long. No lock is taken.
    pub(crate) fn load_at(&self, now: Timestamp) -> arc_swap::Guard<Arc<Keys>> {
        let keys = self.keys.load();
        if keys.validity.is_settled(now) {
            return keys;
        }
        self.ensure_running();
        match keys.validity.holds(now) {
            true => keys,
            false => arc_swap::Guard::from_inner(Keys::none()),
        }
    }

    /// The keys as they are now. No lock is taken.
    pub(crate) fn load(&self) -> arc_swap::Guard<Arc<Keys>> {
        self.keys.load()
    }

    /// The same for keeping: for tests and for code that outlives a request.
    #[cfg(test)]
    pub(crate) fn load_full(&self) -> Arc<Keys> {
        self.keys.load_full()
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            keys: _,
            source: _,
            published: _,
        } = self;
        let keys = self.load();
        f.debug_struct("KeyRing")
            .field("signing", &keys.signing)
            .field("encryption", &keys.encryption)
            .field("sessions", &keys.sessions)
            .finish()
    }
}
