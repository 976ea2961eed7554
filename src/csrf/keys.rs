//! The keys of the MAC.

use std::fmt;

use ring::hmac;

use super::token::{Class, Token};
use crate::{
    config::ConfigError,
    csrf_session::CsrfSession,
    keys::{KeyRing, check_key},
    random::RandomError,
    secret::{KEY_WORK, on_wiped_stack},
};

/// The keys that CSRF tokens are made and checked with: the first one makes, all of them check.
///
/// A [`KeyRing`] with a refresh secret is enough. Each secret yields a separate key for this purpose, and tokens
/// follow the ring's rotation. [`CsrfKeys::new`] takes separate keys.
///
/// ```
/// use tower_bearer::{KeyRing, csrf::CsrfKeys};
///
/// let ring = KeyRing::generate()?;
/// let keys = CsrfKeys::from(&ring);
///
/// // Read from a secret store: the newest first, the one before until the sessions of its time have ended.
/// # let secret = |name: u8| std::array::from_fn::<u8, 32, _>(|i| i as u8 ^ name);
/// let (newest, before): ([u8; 32], [u8; 32]) = (secret(2), secret(1));
/// let keys = CsrfKeys::new([newest, before])?;
///
/// let error = CsrfKeys::new([[0; 32]]).unwrap_err();
/// assert_eq!(error.setting(), "CSRF keys");
/// # let _ = keys;
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct CsrfKeys(Source);

#[derive(Clone)]
enum Source {
    Own(std::sync::Arc<[hmac::Key]>),
    Ring(KeyRing),
}

impl CsrfKeys {
    /// Creates keys from HMAC-SHA-256 keys of at least 32 random bytes each, used as they are.
    ///
    /// # Errors
    ///
    /// When there is none, when one is too short or plainly not random, such as all zeros.
    pub fn new<K: AsRef<[u8]>>(keys: impl IntoIterator<Item = K>) -> Result<Self, ConfigError> {
        let mut own = Vec::new();
        for key in keys {
            check_key(key.as_ref()).map_err(|problem| {
                ConfigError::new("CSRF keys", format!("keys[{}]: {problem}", own.len()))
            })?;
            own.push(on_wiped_stack::<KEY_WORK, _>(|| {
                hmac::Key::new(hmac::HMAC_SHA256, key.as_ref())
            }));
        }
        if own.is_empty() {
            return Err(ConfigError::new("CSRF keys", "must have one key at least"));
        }
        Ok(Self(Source::Own(own.into())))
    }

    /// Whether there is a key to make tokens with. A ring never loses a purpose that it has.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let usable = match &self.0 {
            Source::Own(keys) => !keys.is_empty(),
            Source::Ring(ring) => ring.load().sessions.is_some(),
        };
        if !usable {
            return Err(ConfigError::new(
                "CSRF keys",
                "the key ring has no refresh secret (REFRESH_SECRET) to derive them from; add one, or \
                 use CsrfKeys::new",
            ));
        }
        Ok(())
    }

    /// Completes a token with the MAC of the first key.
    pub(super) fn sign(
        &self,
        binding: &CsrfSession,
        nonce: [u8; 32],
    ) -> Result<Token, RandomError> {
        let mut token = Token {
            class: class_of(binding),
            nonce,
            mac: [0; 32],
        };
        let message = Message::new(binding, &token);
        let mac = match &self.0 {
            Source::Own(keys) => keys.first().map(|key| message.mac(key)),
            Source::Ring(ring) => {
                let keys = ring.load();
                let active = keys.sessions.as_ref().and_then(|keys| keys.active());
                active.map(|set| message.mac(set.csrf()))
            }
        };
        // Both kinds were checked when the layer was built.
        token.mac = mac.ok_or(RandomError)?;
        Ok(token)
    }

    /// Which of the keys made `token` for `binding`. All of them are tried, so that the time
    /// does not tell which.
    pub(super) fn verify(&self, binding: &CsrfSession, token: &Token) -> Option<Made> {
        if token.class != class_of(binding) {
            return None;
        }
        let message = Message::new(binding, token);
        let (mut found, mut made) = (None, Made::ByFirst);
        let mut judge = |key: &hmac::Key| {
            if message.is_under(key, &token.mac) {
                found = found.or(Some(made));
            }
            made = Made::Before;
        };
        match &self.0 {
            Source::Own(keys) => keys.iter().for_each(&mut judge),
            Source::Ring(ring) => {
                let keys = ring.load();
                let sets = keys.sessions.iter().flat_map(|keys| keys.iter());
                sets.for_each(|set| judge(set.csrf()));
            }
        }
        found
    }
}

/// Which key made a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// The one that makes tokens now.
    ByFirst,
    /// One that is kept until the tokens it made have gone.
    Before,
}

fn class_of(binding: &CsrfSession) -> Class {
    match binding.digest() {
        Some(_) => Class::Session,
        None => Class::Anonymous,
    }
}

impl From<&KeyRing> for CsrfKeys {
    fn from(ring: &KeyRing) -> Self {
        Self(Source::Ring(ring.clone()))
    }
}

impl fmt::Debug for CsrfKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Own(keys) => write!(f, "CsrfKeys({})", keys.len()),
            Source::Ring(_) => f.write_str("CsrfKeys(ring)"),
        }
    }
}

/// The input of the MAC: label, class, digest, nonce and an empty field. Each has its length in front (32 bits,
/// big-endian). So no two readings of the fields give the same bytes.
struct Message {
    bytes: [u8; Self::LONGEST],
    len: usize,
}

/// The fields that do not vary, together with the length of the one that follows them.
const ANONYMOUS: &[u8; 29] = b"\0\0\0\x0dcsrf-token/v1\0\0\0\x04anon\0\0\0\0";
const SESSION: &[u8; 29] = b"\0\0\0\x0dcsrf-token/v1\0\0\0\x04sess\0\0\0\x20";
const NONCE: &[u8; 4] = b"\0\0\0\x20";
const EMPTY: &[u8; 4] = b"\0\0\0\0";

impl Message {
    const LONGEST: usize = SESSION.len() + 32 + NONCE.len() + 32 + EMPTY.len();

    fn new(binding: &CsrfSession, token: &Token) -> Self {
        let mut message = Self {
            bytes: [0; Self::LONGEST],
            len: 0,
        };
        match binding.digest() {
            Some(digest) => {
                message.push(SESSION);
                message.push(digest);
            }
            None => message.push(ANONYMOUS),
        }
        message.push(NONCE);
        message.push(&token.nonce);
        message.push(EMPTY);
        message
    }

    #[inline]
    fn push<const N: usize>(&mut self, bytes: &[u8; N]) {
        let end = self.len + N;
        if let Some(place) = self.bytes.get_mut(self.len..end) {
            place.copy_from_slice(bytes);
            self.len = end;
        }
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    fn mac(&self, key: &hmac::Key) -> [u8; 32] {
        let mut mac = [0; 32];
        mac.copy_from_slice(hmac::sign(key, self.bytes()).as_ref());
        mac
    }

    /// Whether `mac` is right, compared in constant time.
    fn is_under(&self, key: &hmac::Key, mac: &[u8; 32]) -> bool {
        hmac::verify(key, self.bytes(), mac).is_ok()
    }
}
