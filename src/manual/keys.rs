//! Keys: where they come from, how to replace one, and what to do when one leaks.
//!
//! You want keys for a new service. Print a set, and read it with [`KeyRing::from_env`](crate::KeyRing::from_env):
//!
//! ```sh
//! cargo run -p keygen        # in a copy of the repository: a whole set
//! openssl rand -base64 32    # one secret
//! ```
//!
//! Each purpose has its own list of keys. The first key of a list mints, and every key of it is accepted.
//!
//! | purpose | variable | [builder](crate::keys::KeyRingBuilder) | needed by | users notice a replacement |
//! |---|---|---|---|---|
//! | signing access tokens | `ACCESS_SECRET` | `access_secret`, `jwk`, `pem`, `der` | services that mint or verify | no, in two steps |
//! | encrypting access tokens | `ENCRYPTION_KEY` | `encryption_key`, `jwk` | the same (profiles nested and encrypted) | no, in two steps |
//! | refresh cookies, jar cookies, subject tags, CSRF tokens | `REFRESH_SECRET` | `refresh_secret` | services with session endpoints | no, in two steps |
//! | CSRF tokens, kept apart | none | [`CsrfKeys::new`](crate::csrf::CsrfKeys::new) | services with the CSRF layer | one rejected request a page |
//! | the first three, derived from one | none | `master` | small services | all three change |
//!
//! The ring rejects one secret for two purposes.
//!
//! # Replacing a key: two steps and a wait
//!
//! Every instance must accept the new key before any instance mints with it:
//!
//! | step | the variable | continue when |
//! |---|---|---|
//! | 0 | `old` | |
//! | 1. accept | `old,new` | **Every** instance and verifier runs with it. Caches of your JWK Set have expired. |
//! | 2. mint | `new,old` | Every instance runs with it, and the wait is over. |
//! | | | For signing and encryption: access lifetime + leeway (15 min + 60 s by default). |
//! | | | For refresh: the absolute lifetime of a session (7 days by default). |
//! | 3. forget | `new` | |
//!
//! * **Without step 1**, old instances answer new access tokens with 401. Pages refresh until they reach a new
//!   instance. Old instances also reject new refresh cookies, but keep them, so they work again later.
//! * **Without the wait**, the service rejects issued tokens. Each access token costs one refresh, each refresh cookie
//!   one sign-in.
//!
//! Replace signing and refresh keys once a year, for practice, and when a person leaves who could read them. The
//! [encryption key](#the-limit-of-an-encryption-key) has a limit; the refresh secret has none.
//!
//! # Replacing a key without a restart
//!
//! [`KeyRing::rotate`](crate::KeyRing::rotate) takes the same steps in a running process:
//!
//! ```
//! use tower_bearer::{KeyRing, NoClaims, TokenCodec};
//!
//! # let random = |n: u8| -> Vec<u8> { (0..32).map(|i: u8| i.wrapping_mul(7).wrapping_add(n)).collect() };
//! # let (old, new) = (random(1), random(2));
//! let ring = |secrets: &[&[u8]]| {
//!     let add = |builder: tower_bearer::keys::KeyRingBuilder, secret: &&[u8]| builder.access_secret(secret);
//!     secrets.iter().fold(KeyRing::builder(), add).build()
//! };
//! let keys = ring(&[&old])?;
//! let codec = TokenCodec::signed(&keys)
//!     .issuer("https://id.example")
//!     .audience("api")
//!     .build()?;
//! let before = codec.mint("user-1", &NoClaims {})?;
//!
//! keys.rotate(ring(&[&old, &new])?)?; // 1. accept
//! keys.rotate(ring(&[&new, &old])?)?; // 2. mint
//! let after = codec.mint("user-1", &NoClaims {})?;
//! assert!(codec.verify(before.as_str()).is_ok() && codec.verify(after.as_str()).is_ok());
//!
//! keys.rotate(ring(&[&new])?)?; // 3. forget
//! assert!(codec.verify(before.as_str()).is_err() && codec.verify(after.as_str()).is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `rotate` replaces the keys of all purposes, so pass the unchanged ones too. If the new ring lacks a purpose in use,
//! `rotate` changes nothing and returns an error. Every clone, codec and layer changes at once.
//!
//! # Public keys
//!
//! Serve [`KeyRing::jwks`](crate::KeyRing::jwks) at a URL that the other services know. It has the public half of every
//! signing key, so step 1 publishes the next one. Step 2 comes after the longest time that a verifier caches the set.
//! If a verifier reads a *file*, deploy it between the steps.
//!
//! Name each PEM key. Two unnamed keys of one algorithm are an error if one of them mints: a token without `kid` fits
//! both. A ring that only verifies tries up to four unnamed keys. Minted tokens say `EdDSA`, unless you call
//! [`fully_specified_algorithms`](crate::keys::KeyRingBuilder::fully_specified_algorithms).
//!
//! # The refresh secret
//!
//! * A session derives its successors from the secret that it began with. From step 2 on, the new secret *seals* its
//!   cookies. [`Session::elevate`](crate::Session::elevate) moves a session over completely.
//! * Lists and sign-outs find a subject's sessions under all secrets. The limit of sessions counts only under the
//!   first. Until the old sessions end, a subject can have twice as many.
//! * The layers accept old CSRF tokens until step 3.
//!
//! Step 3 before the old sessions end signs their users out: 401 `invalid_session`, and the browser keeps the cookie.
//! To undo it, put the secret back.
//!
//! # The limit of an encryption key
//!
//! `ENCRYPTION_KEY` encrypts at most 2^32 tokens ([`KeyRing::ENCRYPTION_LIMIT`](crate::KeyRing::ENCRYPTION_LIMIT)),
//! with a random 96-bit IV for each (NIST SP 800-38D section 8.3). After that, minting fails: sign-in and refresh
//! answer 500, and issued tokens stay valid. At 100 tokens a second, of all instances together, that is after 497 days,
//! at 1 000 after 49. Each process counts only its own tokens since its start
//! ([`KeyRing::encryptions`](crate::KeyRing::encryptions)), and emits
//! [`EncryptionKeyNearLimit`](crate::Event::EncryptionKeyNearLimit) at a quarter. With more than four instances, or
//! with restarts, go by the calendar. `A256KW`, `RSA-OAEP-256` and `ECDH-ES+A256KW` have no limit: each token has its
//! own content key.
//!
//! # When a key has leaked
//!
//! An attacker with a minting key can act as any user. Skip steps 1 and 2:
//!
//! | leaked | do | users notice |
//! |---|---|---|
//! | signing secret, profile signed | Use the new one **alone**, on all instances at once. | Pages refresh once. |
//! | signing secret, profile nested | The same. Do not rely on the encryption key. | the same |
//! | encryption key, profile encrypted | The same: an attacker can forge tokens. | the same |
//! | encryption key, profile nested | The same. An attacker can read recorded tokens, but forge none. | the same |
//! | refresh secret | Use the new one alone. | All users sign in. |
//! | refresh secret **and** a dump of the store | The same. With a used token, an attacker derives its successors: inform these users. | All users sign in. |
//! | master secret, or all keys | Replace all. | All users sign in. |
//! | a private key that others verify with | Publish the set without it. Verifiers accept it until their caches expire: inform them. | Meanwhile requests with new tokens fail there. |
//! | a CSRF key | Use the new one alone. | A page fetches a new token. |
//!
//! Then:
//!
//! * To make every user sign in, [end every session](super::operations#ending-every-session-on-purpose) too.
//! * Old instances accept forged tokens until they restart. If that is worse than an outage, take them out of the load
//!   balancer first.
//! * Find out how the key leaked. A forged token leaves no session: search the API's logs for subjects and `sid`s
//!   without a [`Started`](crate::Event::Started).
