//! Keys: what there is, how to replace them, and what to do when one has leaked.
//!
//! # What there is
//!
//! Every purpose has keys of its own. In every list the first one mints and all are accepted.
//!
//! | purpose | variable | [builder](crate::keys::KeyRingBuilder) | who needs it | replacing it means |
//! |---|---|---|---|---|
//! | signing access tokens | `ACCESS_SECRET` | `access_secret`, `jwk`, `pem`, `der` | who mints and who verifies; of public keys verifiers have the public half | nothing for users, in two steps |
//! | encrypting access tokens | `ENCRYPTION_KEY` | `encryption_key`, `jwk` | who mints and who verifies (profiles nested and encrypted) | nothing for users, in two steps |
//! | refresh cookie: sealing it, deriving successors, naming subjects, jar cookies, CSRF tokens | `REFRESH_SECRET` | `refresh_secret` | who serves `/auth` | nothing for users, in two steps; the last one waits for the end of the sessions |
//! | CSRF tokens, kept apart | none | [`CsrfKeys::new`](crate::csrf::CsrfKeys::new) | who serves what the layer guards | one refused request a page, which asks for a new token |
//! | all of the first three, derived from one | none | `master` | a small service | all three at once |
//!
//! `cargo run -p keygen` prints a fresh set, `openssl rand -base64 32` one secret. The `*_FILE` variables read
//! mounted files. No secret may serve two purposes: the ring refuses it.
//!
//! # How often
//!
//! | key | replace it | why |
//! |---|---|---|
//! | encryption, used directly (`dir`, which `ENCRYPTION_KEY` is) | before 2^32 tokens, together for all instances; see [below](#the-limit-of-an-encryption-key) | random 96-bit IVs (NIST SP 800-38D section 8.3) |
//! | signing, refresh | once a year, and when a person leaves who could read them | so that it is practised when it is urgent |
//! | any | at once, when it may have leaked | |
//!
//! There is no arithmetic limit for the refresh secret: each cookie is sealed under a key of its own.
//!
//! # Replacing a key: two steps and a wait
//!
//! A fleet does not restart in one moment. Between the first instance and the last, tokens of both kinds come to
//! both kinds of instances, so every instance learns to *accept* before any begins to *mint*.
//!
//! | step | the variable | go on when |
//! |---|---|---|
//! | 0 | `old` | |
//! | 1. accept | `old,new` | **every** instance runs with it, verifiers elsewhere too. With a JWK Set that others fetch: when their caches have expired as well. |
//! | 2. mint | `new,old` | every instance runs with it, and the wait is over: |
//! | | | signing, encryption: access lifetime + leeway (15 min + 60 s by default) |
//! | | | refresh: the absolute lifetime of a session (7 days by default) |
//! | 3. forget | `new` | |
//!
//! What skipping a step costs: without step 1, instances that still have the old list answer 401 to new tokens, and
//! pages of honest users refresh in circles until they meet the right one; refresh cookies that they do not know
//! are *kept* and work again later. Without the wait, tokens that are out are refused: access tokens cause one
//! refresh each, refresh cookies one sign-in each.
//!
//! A process that does not restart does the same with [`KeyRing::rotate`](crate::KeyRing::rotate):
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
//! `rotate` replaces the keys of all purposes: give it the others as they were. A ring that lacks a purpose which is
//! in use is refused, and nothing changes. Every clone of the ring, every codec and layer over it, changes at once.
//! A [`TokenCache`](https://docs.rs/tower-bearer/latest/tower_bearer/struct.TokenCache.html) verifies everything anew.
//!
//! ## Public keys
//!
//! Serve [`KeyRing::jwks`](crate::KeyRing::jwks) at an address that the other services know; it has the public halves
//! of every signing key of the ring, the one that is to come as well. So step 1 publishes, and step 2 comes when
//! every verifier has fetched: the longest time that one of them keeps a set. A verifier of a *file* is deployed
//! between the steps.
//!
//! Keys in PEM have to have a name, as soon as there are two of one algorithm and one of them mints: a token without
//! `kid` fits both. A ring that only verifies tries keys without a name, four at most.
//!
//! Ed25519 has two names in JOSE. Minted and published is `EdDSA`, which every library knows;
//! [`fully_specified_algorithms`](crate::keys::KeyRingBuilder::fully_specified_algorithms) makes it `Ed25519` (RFC 9864). Verifiers
//! of this crate accept both.
//!
//! ## The refresh secret
//!
//! * A session keeps deriving its successors under the secret that it began with, so that two instances in the middle
//!   of a change give the same successor; its cookies are *sealed* under the new one from step 2 on.
//!   [`Session::elevate`](crate::Session::elevate) moves a session over completely.
//! * A subject has one tag for each secret: lists and sign-outs look under all of them. The limit of sessions counts
//!   under the active one, so until the old sessions have ended a subject can have twice as many.
//! * CSRF tokens from the ring follow: old ones are accepted until step 3.
//!
//! Step 3 before the sessions have ended signs out those who began under the old secret: 401 `invalid_session`, cookie
//! kept. Putting the secret back brings them back.
//!
//! # The limit of an encryption key
//!
//! A key that encrypts tokens directly (`dir`) does so at most 2^32 times ([`KeyRing::ENCRYPTION_LIMIT`](crate::KeyRing::ENCRYPTION_LIMIT));
//! minting fails from there on, which means 503 at sign-in and refresh, and tokens that are out stay good. Each process
//! counts what it has encrypted since it started ([`KeyRing::encryptions`](crate::KeyRing::encryptions)), and cannot
//! know of others or of its own past:
//!
//! > tokens a second, of all instances together × seconds since the key was made < 4 294 967 296
//!
//! At 100 tokens a second that is 497 days, at 1 000 it is 49. [`EncryptionKeyNearLimit`](crate::Event::EncryptionKeyNearLimit)
//! comes at a quarter of the limit in *one* process. With more than four instances, or restarts, go by the calendar.
//! With `A256KW`, `RSA-OAEP-256` and `ECDH-ES+A256KW` each token
//! has a content key of its own, and nothing is counted.
//!
//! # When a key has leaked
//!
//! A minting key makes its holder any user. Skip steps 1 and 2:
//!
//! | leaked | do | what users see |
//! |---|---|---|
//! | signing secret, profile signed | the new one **alone**, on all instances as fast as they restart | pages refresh once |
//! | signing secret, profile nested | the same. A forger needs the encryption key too; do not count on it. | the same |
//! | encryption key, profile encrypted | the same: its holder forges tokens | the same |
//! | encryption key, profile nested | the same. Tokens that were recorded can be read, but none can be forged. | the same |
//! | refresh secret | the new one alone | all users sign in |
//! | refresh secret **and** a dump of the store | the same. Together with a token that was used they give its successors: tell those whose sessions were in the dump. | all users sign in |
//! | master secret, or all of them | all new | all users sign in |
//! | a private key that others verify with | publish the new set without it, and tell them: they go on believing it until their caches expire | refreshes fail at those services in between |
//! | a CSRF key | the new one alone | a page asks for a new token |
//!
//! Where every user is to sign in, [end every session](super::runbooks#ending-every-session-on-purpose) too.
//!
//! Then: how did it get out, and what was signed meanwhile? A forged token leaves no session behind. Look in the
//! API's logs for subjects and `sid`s of which no [`Started`](crate::Event::Started) is known.
//!
//! **While the fleet restarts** the old instances still believe the forger. Take them out of the balancer first where
//! that matters more than being reachable.
