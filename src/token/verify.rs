//! From a token to its claims.

use serde::de::DeserializeOwned;

use super::{
    Claims, TokenCodec, TokenError, TokenErrorKind,
    base64::Scratch,
    claims::Judged,
    codec::{CodecConfig, Profile},
    jwe, jws,
    private_claims::{Members, from_members},
    registered_claims::Registered,
    token_type::Purpose,
};
use crate::{clock::Timestamp, keys::Keys};

impl<C: DeserializeOwned> TokenCodec<C> {
    /// Verifies `token` by the codec's clock.
    ///
    /// # Errors
    ///
    /// See [`TokenErrorKind`]. The reason is for logs; a client gets `invalid_token`
    /// (RFC 6750 section 3.1) and no more.
    pub fn verify(&self, token: &str) -> Result<Claims<C>, TokenError> {
        self.verify_at(token, self.clock().now())
    }

    /// Verifies `token` as of `now`.
    ///
    /// # Errors
    ///
    /// As [`TokenCodec::verify`].
    pub fn verify_at(&self, token: &str, now: Timestamp) -> Result<Claims<C>, TokenError> {
        self.verify_bytes(token.as_bytes(), now)
    }

    /// The same for a token that was not checked to be text yet: when it verifies, it is.
    pub(crate) fn verify_bytes(
        &self,
        token: &[u8],
        now: Timestamp,
    ) -> Result<Claims<C>, TokenError> {
        let inner = &*self.config;
        if token.len() > inner.max_token_bytes {
            return Err(TokenError::TOO_LARGE);
        }
        let cached = inner.cache.as_ref().map(|cache| (cache, cache.key(token)));
        // One snapshot for the look-up, the verification and the entry: a rotation in between makes
        // the entry stale.
        inner.with_keys(now, |keys| {
            let generation = keys.generation;
            let known = cached.and_then(|(cache, key)| cache.get(key, generation));
            if let Some(claims) = known {
                // The cryptography alone is spared: the answer is the same as without a cache. A
                // remembered token was found to be an access token.
                return inner.read(&claims, token, Purpose::Typed, now);
            }
            let (mut outer, mut scratch) = (Scratch::new(), Scratch::new());
            let (text, purpose) = inner.open(keys, token, &mut outer, &mut scratch)?;
            let claims = inner.read(text, token, purpose, now)?;
            if let Some((cache, key)) = cached {
                cache.put(key, generation, text);
            }
            Ok(claims)
        })
    }
}

impl CodecConfig {
    /// Lets `verify` judge a token with the keys that are good as of `now`. When they are replaced meanwhile and the
    /// token was refused, it is judged again. With its own key gone or come, the answer may be another.
    #[inline]
    pub(super) fn with_keys<T>(
        &self,
        now: Timestamp,
        verify: impl Fn(&Keys) -> Result<T, TokenError>,
    ) -> Result<T, TokenError> {
        let keys = self.keys.load_at(now);
        match verify(&keys) {
            Err(error) if depends_on_keys(&error) => {
                self.verify_again(now, keys.generation, error, verify)
            }
            outcome => outcome,
        }
    }

    /// Judges a token again that was refused by the keys of `generation`, if there are others now.
    #[cold]
    fn verify_again<T>(
        &self,
        now: Timestamp,
        generation: u64,
        error: TokenError,
        verify: impl Fn(&Keys) -> Result<T, TokenError>,
    ) -> Result<T, TokenError> {
        let current = self.keys.load_at(now);
        match current.generation == generation {
            true => Err(error),
            false => verify(&current),
        }
    }

    /// Reads and judges the authentic text of the claims of `token`.
    #[inline]
    pub(super) fn read<C: DeserializeOwned>(
        &self,
        text: &str,
        token: &[u8],
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Claims<C>, TokenError> {
        let (mut registered, mut members) = (Registered::default(), Members::new());
        registered.read(text, &self.rules, &mut members)?;
        let expires_at = registered.check(&self.rules, now, purpose, &members)?;
        let custom = from_members(&members).map_err(|_| {
            TokenError::new(
                TokenErrorKind::Claims,
                "a claim does not fit the application's own type, or is missing from the token. The claim scope \
                 may be an array, which Claims::scope() reads as well",
            )
        })?;
        let judged = Judged {
            at: now,
            leeway: self.rules.leeway,
        };
        let scope_claims = self.rules.scope_claims.clone();
        Ok(Claims::new(
            &registered,
            text,
            token,
            expires_at,
            judged,
            scope_claims,
            custom,
        ))
    }

    /// The authentic text of the claims, and the purpose that their type states. Independent of the application's type,
    /// so that it is compiled once.
    fn open<'s>(
        &self,
        keys: &Keys,
        token: &[u8],
        outer: &'s mut Scratch,
        inner: &'s mut Scratch,
    ) -> Result<(&'s str, Purpose), TokenError> {
        let (json, purpose) = match self.profile {
            Profile::Nested => {
                let (nested, _) = jwe::open(self, keys, token, outer)?;
                let (payload, purpose) = jws::open(self, keys, nested)?;
                (jws::payload(payload, inner)?, purpose)
            }
            Profile::Encrypted => jwe::open(self, keys, token, outer)?,
            Profile::Signed => {
                let (payload, purpose) = jws::open(self, keys, token)?;
                (jws::payload(payload, inner)?, purpose)
            }
        };
        let text = std::str::from_utf8(json)
            .map_err(|_| TokenError::new(TokenErrorKind::Claims, "not utf-8"))?;
        Ok((text, purpose))
    }
}

/// Whether other keys could have given another verdict.
fn depends_on_keys(error: &TokenError) -> bool {
    matches!(
        error.kind(),
        TokenErrorKind::Algorithm
            | TokenErrorKind::Key
            | TokenErrorKind::KeysUnavailable
            | TokenErrorKind::Signature
    )
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::{keys::KeyRing, token::NoClaims};

    /// A look-up in the keys from before is no word on those of now.
    #[test]
    fn a_token_that_is_refused_while_the_keys_change_is_judged_again() {
        let ring = KeyRing::generate().unwrap();
        let codec = TokenCodec::<NoClaims>::signed(&ring)
            .issuer("i")
            .audience("a")
            .build()
            .unwrap();
        let now = Timestamp::from_secs(1_800_000_000);
        let refused = TokenError::new(TokenErrorKind::Key, "no key has this kid");
        for changes in [false, true] {
            let seen = Cell::new(Vec::new());
            let outcome = codec.config.with_keys(now, |keys| {
                let mut generations = seen.take();
                generations.push(keys.generation);
                let again = generations.len() > 1;
                seen.set(generations);
                if changes && !again {
                    ring.rotate(KeyRing::generate().unwrap()).unwrap();
                }
                if again { Ok(()) } else { Err(refused.clone()) }
            });
            assert_eq!(outcome.is_ok(), changes);
            assert_eq!(seen.take().len(), 1 + usize::from(changes));
        }
    }
}
