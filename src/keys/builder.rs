//! A ring built key by key.

use std::{fmt, sync::Arc};

use super::{
    ContentEncryption, EncryptionKey, KeyRing, Keys, SessionKeys, SignatureAlgorithm, SigningKey,
    jwk::{Jwk, Purpose, bytes},
    strength,
};
use crate::{
    config::ConfigError,
    secret::{KEY_WORK, Secret, derive, extract, on_wiped_stack},
};

/// Builds a [`KeyRing`]. Every setter may be called several times: the first key of a purpose
/// mints, all are accepted.
///
/// ```
/// use tower_bearer::KeyRing;
///
/// # let random = |n: u8| -> Vec<u8> { (0..32).map(|i| i * 7 + n).collect() };
/// # let (new_secret, old_secret, encryption_key, refresh_secret) = (random(1), random(2), random(3), random(4));
/// let keys = KeyRing::builder()
///     .access_secret(&new_secret)
///     .access_secret(&old_secret)
///     .encryption_key(&encryption_key)
///     .refresh_secret(&refresh_secret)
///     .build()?;
/// # let _ = keys;
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Default)]
#[must_use]
pub struct KeyRingBuilder {
    signing: Vec<Arc<SigningKey>>,
    encryption: Vec<Arc<EncryptionKey>>,
    sessions: Vec<Secret<Vec<u8>>>,
    /// Digests of what was given, by purpose: one secret for two purposes is refused.
    given: Vec<([u8; 32], &'static str)>,
    /// Whether secrets that are plainly not random are taken.
    weak_secrets: bool,
    /// Whether keys use the fully-specified names of their algorithms.
    fully_specified: bool,
    /// The first setting that was wrong; setters do not fail in the middle of a chain.
    error: Option<ConfigError>,
}

impl KeyRingBuilder {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Derives a key for every purpose from one secret of at least 32 random bytes. The derivation is HKDF (RFC 5869)
    /// with a label for each purpose.
    pub fn master(self, secret: &[u8]) -> Self {
        self.then("master secret", |builder| {
            strength::check_len(secret, 32).map_err(|p| ConfigError::new("master secret", p))?;
            builder.check_random(secret)?;
            let prk = extract(b"tower-bearer master v1", secret);
            let key = |label: &[u8]| derive(&prk, &[label]).map_err(underived);
            builder.add_access_secret(key(b"access signing")?.expose())?;
            builder.add_encryption_key(key(b"access encryption")?.expose())?;
            builder.add_refresh_secret(key(b"refresh secret")?.expose())
        })
    }

    /// Adds a secret of at least 32 random bytes that signs access tokens with HS256. Its `kid` is derived from it.
    pub fn access_secret(self, secret: &[u8]) -> Self {
        self.then("access secret", |b| b.add_access_secret(secret))
    }

    /// Adds a key of exactly 32 random bytes that encrypts access tokens with A256GCM. Its `kid` is derived from it.
    pub fn encryption_key(self, key: &[u8]) -> Self {
        self.then("encryption key", |b| b.add_encryption_key(key))
    }

    /// Adds a secret of at least 32 random bytes for the refresh cookie.
    pub fn refresh_secret(self, secret: &[u8]) -> Self {
        self.then("refresh secret", |b| b.add_refresh_secret(secret))
    }

    /// Adds a key as JWK (RFC 7517), by its `use` or, without one, its `alg`:
    ///
    /// * signing keys: `oct`, `RSA`, `EC` (P-256, P-384) and `OKP` (Ed25519). `alg` is required
    ///   for `oct` and `RSA` and follows from the curve for the others. Without private members
    ///   the key only verifies.
    /// * encryption keys: `alg` is `dir` (or `A128GCM`, `A256GCM`). With the `josekit` feature it may be `A256KW`,
    ///   `RSA-OAEP-256` or `ECDH-ES+A256KW` too. The member `enc` names the content encryption and is `A256GCM` when
    ///   absent.
    /// * `"use": "refresh"` marks an `oct` key as a secret of the refresh cookie.
    ///
    /// `key_ops` (RFC 7517 section 4.3) are honoured. A shared secret with `["sign"]` mints and does not verify. One
    /// with `["encrypt"]` or `["wrapKey"]` mints and does not decrypt. A private key with `["sign"]` verifies all the
    /// same, with its public half.
    pub fn jwk(self, json: &str) -> Self {
        self.then("JWK", |builder| builder.add_jwk(&Jwk::parse(json)?))
    }

    /// Adds every key of a JWK Set, in its order, each as in [`KeyRingBuilder::jwk`].
    pub fn jwks(self, json: &str) -> Self {
        self.then("JWK Set", |builder| builder.add_jwks(json))
    }

    /// Adds a signing key in PEM (RFC 7468), for one algorithm:
    ///
    /// * a private key: PKCS#8 (`BEGIN PRIVATE KEY`), or the older RSA (PKCS#1) and EC (SEC 1) forms;
    /// * a public key: SubjectPublicKeyInfo (`BEGIN PUBLIC KEY`), or the older RSA form (PKCS#1), which only
    ///   verifies. A ring of such keys alone is like that of [`KeyRing::verifier`]. It accepts tokens that their
    ///   owner signed, with the same `kid`, and mints nothing.
    ///
    /// The key is RSA of 2048 bits or more for `RS256` to `PS512`. It is EC for `ES256` (P-256) and `ES384` (P-384),
    /// and Ed25519 for `EdDSA`. A private RSA key has 4096 bits at the most. A private EC key has its public half
    /// beside it, which `openssl ec` adds where it lacks. Certificates, encrypted keys and files with more than one
    /// key are rejected.
    ///
    /// ```
    /// use tower_bearer::{KeyRing, SignatureAlgorithm};
    ///
    /// // The public key of RFC 8037 appendix A.2.
    /// let pem = "-----BEGIN PUBLIC KEY-----
    /// MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
    /// -----END PUBLIC KEY-----";
    /// let keys = KeyRing::builder()
    ///     .pem(SignatureAlgorithm::EdDsa, Some("ed-1"), pem)
    ///     .build()?;
    /// assert!(keys.jwks().contains("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    pub fn pem(self, alg: SignatureAlgorithm, kid: Option<&str>, pem: &str) -> Self {
        self.then("PEM key", |builder| {
            builder
                .signing
                .push(Arc::new(super::key_file::read_pem(alg, kid, pem)?));
            Ok(())
        })
    }

    /// Adds a signing key in DER, private or public, in the same forms as [`KeyRingBuilder::pem`].
    pub fn der(self, alg: SignatureAlgorithm, kid: Option<&str>, der: &[u8]) -> Self {
        self.then("DER key", |builder| {
            builder
                .signing
                .push(Arc::new(super::key_file::read_der(alg, kid, der)?));
            Ok(())
        })
    }

    /// Accepts secrets that are long enough and yet plainly not random, when they are given after this call. Examples
    /// are a repeated byte and a sample's words. Use it for tests with published keys. A service that needs it has a
    /// secret that others know.
    pub fn dangerous_weak_secrets(mut self) -> Self {
        self.weak_secrets = true;
        self
    }

    /// Names Ed25519 keys `Ed25519` in the tokens they sign and in [`KeyRing::jwks`] (RFC 9864 section 2.2). Without
    /// it they are named `EdDSA` (RFC 8037 section 3.1). Verifiers of this crate accept both names; check other
    /// verifiers. A JWK whose `alg` is `Ed25519` is named so without this setting.
    ///
    /// ```
    /// use tower_bearer::KeyRing;
    ///
    /// // The key pair of RFC 8037 appendix A.1.
    /// let keys = KeyRing::builder()
    ///     .jwk(
    ///         r#"{"kty":"OKP","crv":"Ed25519",
    ///             "d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    ///             "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
    ///     )
    ///     .fully_specified_algorithms()
    ///     .build()?;
    /// assert!(keys.jwks().contains(r#""alg":"Ed25519""#));
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    pub fn fully_specified_algorithms(mut self) -> Self {
        self.fully_specified = true;
        self
    }

    /// Returns the ring.
    ///
    /// # Errors
    ///
    /// Returns an error when a setting was wrong (the first is named), or a `kid` occurs twice in one purpose.
    /// Returns one too when one secret was given for two purposes, or nothing was given at all.
    pub fn build(self) -> Result<KeyRing, ConfigError> {
        let Self {
            signing,
            encryption,
            sessions,
            given: _,
            weak_secrets: _,
            fully_specified,
            error,
        } = self;
        if let Some(error) = error {
            return Err(error);
        }
        if signing.is_empty() && encryption.is_empty() && sessions.is_empty() {
            return Err(ConfigError::new(
                "key ring",
                "has no keys at all: give it some, or read them with KeyRing::from_env",
            ));
        }
        let secrets = sessions.iter().map(|secret| secret.expose().as_slice());
        let sessions = (!sessions.is_empty())
            .then(|| on_wiped_stack::<KEY_WORK, _>(|| SessionKeys::new(secrets)))
            .transpose()
            .map_err(underived)?;
        let signing = match fully_specified {
            true => signing.into_iter().map(renamed).collect(),
            false => signing,
        };
        let keys = Keys::new(signing, encryption, sessions);
        keys.check()?;
        Ok(KeyRing::new(keys))
    }

    /// The fault of the last step. The builder then continues.
    pub(super) fn take_error(&mut self) -> Option<ConfigError> {
        self.error.take()
    }

    /// Runs one fallible step, unless an earlier one has failed; errors carry the setting's name. Keys are
    /// read and expanded in steps, and nothing of that is left but the keys.
    pub(super) fn then(
        mut self,
        setting: &'static str,
        step: impl FnOnce(&mut Self) -> Result<(), ConfigError>,
    ) -> Self {
        if self.error.is_none()
            && let Err(error) = on_wiped_stack::<KEY_WORK, _>(|| step(&mut self))
        {
            self.error = Some(ConfigError::new(setting, error.problem().to_owned()));
        }
        self
    }

    pub(super) fn add_access_secret(&mut self, secret: &[u8]) -> Result<(), ConfigError> {
        let kid = name(secret, b"access")?;
        let key = SigningKey::hmac(SignatureAlgorithm::Hs256, Some(&kid), secret)?;
        self.note(secret, "signing")?;
        self.signing.push(Arc::new(key));
        Ok(())
    }

    pub(super) fn add_encryption_key(&mut self, key: &[u8]) -> Result<(), ConfigError> {
        let kid = name(key, b"encryption")?;
        let expanded = EncryptionKey::direct(ContentEncryption::A256Gcm, Some(&kid), key)?;
        self.note(key, "encryption")?;
        self.encryption.push(Arc::new(expanded));
        Ok(())
    }

    pub(super) fn add_refresh_secret(&mut self, secret: &[u8]) -> Result<(), ConfigError> {
        let short = |problem| ConfigError::new("refresh secret", problem);
        strength::check_len(secret, 32).map_err(short)?;
        self.note(secret, "refresh cookies")?;
        self.sessions.push(Secret::new(secret.to_vec()));
        Ok(())
    }

    pub(super) fn add_jwks(&mut self, json: &str) -> Result<(), ConfigError> {
        for (index, jwk) in Jwk::parse_set(json)?.iter().enumerate() {
            let named = |error: ConfigError| {
                ConfigError::new("JWK Set", format!("keys[{index}]: {}", error.problem()))
            };
            self.add_jwk(jwk).map_err(named)?;
        }
        Ok(())
    }

    fn add_jwk(&mut self, jwk: &Jwk) -> Result<(), ConfigError> {
        let secret = match &jwk.k {
            Some(_) => Some(bytes("k", &jwk.k)?),
            None => None,
        };
        let purpose = match jwk.read()? {
            Purpose::Signing(key) => {
                self.signing.push(key);
                "signing"
            }
            Purpose::Encryption(key) => {
                self.encryption.push(key);
                "encryption"
            }
            // Noted where it is added.
            Purpose::Refresh(secret) => return self.add_refresh_secret(secret.expose()),
        };
        match secret {
            Some(secret) => self.note(secret.expose(), purpose),
            None => Ok(()),
        }
    }

    fn check_random(&self, secret: &[u8]) -> Result<(), ConfigError> {
        if self.weak_secrets {
            return Ok(());
        }
        strength::check(secret).map_err(|problem| ConfigError::new("secret", problem))
    }

    /// Checks a secret and remembers it by its digest, so that one secret never serves two purposes.
    pub(super) fn note(&mut self, secret: &[u8], purpose: &'static str) -> Result<(), ConfigError> {
        self.check_random(secret)?;
        let digest = crate::secret::sha256(&[secret]);
        let mut given = self.given.iter();
        if let Some((_, other)) = given.find(|(d, _)| *d == digest) {
            return Err(ConfigError::new(
                "secret",
                if *other == purpose {
                    "is given twice".to_owned()
                } else {
                    format!("is the one given for {other}; every purpose needs its own")
                },
            ));
        }
        self.given.push((digest, purpose));
        Ok(())
    }
}

/// The key under the fully-specified name of its algorithm. A ring that is being built shares none.
fn renamed(key: Arc<SigningKey>) -> Arc<SigningKey> {
    match Arc::try_unwrap(key) {
        Ok(key) => Arc::new(key.fully_specified()),
        Err(shared) => shared,
    }
}

/// A public name for a shared secret: a truncated HMAC, from which nothing leads back.
fn name(secret: &[u8], purpose: &[u8]) -> Result<String, ConfigError> {
    let prk = extract(b"tower-bearer key name v1", secret);
    let digest = derive(&prk, &[purpose]).map_err(underived)?;
    let [a, b, c, d, e, f, ..] = digest.expose();
    Ok(base64_simd::URL_SAFE_NO_PAD.encode_to_string([*a, *b, *c, *d, *e, *f]))
}

fn underived(_: ring::error::Unspecified) -> ConfigError {
    ConfigError::new("secret", "yields no key")
}

impl fmt::Debug for KeyRingBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            signing,
            encryption,
            sessions,
            given: _,
            weak_secrets: _,
            fully_specified,
            error,
        } = self;
        f.debug_struct("KeyRingBuilder")
            .field("signing", signing)
            .field("encryption", encryption)
            .field("refresh_secrets", &sessions.len())
            .field("fully_specified", fully_specified)
            .field("error", error)
            .finish_non_exhaustive()
    }
}
