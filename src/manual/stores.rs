//! Writing a store of your own.
//!
//! A store implements [`RefreshStore`](crate::RefreshStore): five operations, each one atomic step. It
//! decides nothing. Whether a token is current, old or stolen is judged by one pure function above the
//! store, which is the same for all stores and is the part that is proven.
//!
//! # What it keeps
//!
//! One [`SessionRecord`](crate::SessionRecord) a session, of bounded size, opaque but for a few questions:
//! [`key`](crate::SessionRecord::key), [`is_live`](crate::SessionRecord::is_live),
//! [`expires_at`](crate::SessionRecord::expires_at) and
//! [`last_rotated_at`](crate::SessionRecord::last_rotated_at). All sessions of a subject belong together,
//! because three of the five operations are about all of them; the key starts with the subject for that
//! reason.
//!
//! A store outside the process keeps the bytes of [`encode`](crate::SessionRecord::encode), which are
//! equal when records are, and so may be compared in their place; [`decode`](crate::SessionRecord::decode)
//! reads them back. They are no secret that opens a session, but they hold the subject and the label in
//! clear.
//!
//! # What each operation owes
//!
//! | operation | must | or else |
//! |---|---|---|
//! | `insert` | count the subject's live sessions and add the new one in one step | two sign-ins at once exceed the limit, or one of them escapes a `revoke_all` |
//! | `load` | return the record as last written, and the *store's* time | a stale record makes an honest token look old: a session revoked for nothing. Several application clocks would disagree about the grace |
//! | `swap` | compare the *whole* record and replace it in one step; report [`Applied`](crate::Swap::Applied) again when it already holds `next` | two rotations from one token: two branches, and a theft that is never noticed. A client library that resends after a dropped connection would see a conflict with itself |
//! | `list` | leave out what has expired | expired sessions in the user's list |
//! | `revoke_all` | happen entirely before or entirely after any `insert` and `swap` of the subject | a session that survives a changed password |
//!
//! Revoked records stay until they expire, so that a token that comes late is recognised. A
//! store may drop a record once its [`expires_at`](crate::SessionRecord::expires_at) has passed, never
//! before.
//!
//! # Failing
//!
//! Return [`StoreError::unavailable`](crate::StoreError::unavailable) with the cause. The request is
//! answered 503, the cookie stays as it is, and nothing is lost: because successors are derived and not
//! drawn, a retry after an operation that did happen arrives at the same token. Do not retry inside the
//! store for longer than a user would wait, and give every operation a time limit.
//!
//! Never read from a replica that may lag. How the store in Redis does all of this, and what it does when
//! a server has forgotten a write, is in [`operations`](super::operations).
//!
//! # Proving it
//!
//! With the feature `store-tests` the module `conformance` runs the cases that the crate's own stores
//! pass over yours: races, the same swap twice, `insert` against `revoke_all`, the edges of expiry,
//! bounded size. Call it from a test of your crate, against the real server.
