//! Choosing a store, and writing one.
//!
//! You want sessions that outlive a restart, and that all instances share. Take the first row that fits:
//!
//! | you have | store | lines |
//! |---|---|---|
//! | a test, or a demo | [`MemoryStore`](crate::MemoryStore): a restart signs every user out, and each process has its own sessions | `MemoryStore::new()` |
//! | one machine | [`SqliteStore`](https://docs.rs/tower-bearer-sqlx) | `SqliteStore::open("sessions.db").await?` |
//! | PostgreSQL, any number of machines | [`PostgresStore`](https://docs.rs/tower-bearer-sqlx) | `PostgresStore::connect(url).await?`, then `migrate().await?` |
//! | Redis or Valkey, any number of machines | [`RedisStore`](https://docs.rs/tower-bearer/latest/tower_bearer/struct.RedisStore.html) | [below](#redis) |
//! | another database | [your own](#a-store-of-your-own) | |
//!
//! With a store in SQL, a changed password and the end of the user's sessions can be one commit. Redis does more
//! refreshes a second, and has no such transaction. [Sizing](super::operations#sizing) has the figures.
//!
//! The README of [`tower-bearer-sqlx`](https://docs.rs/tower-bearer-sqlx) has the lines for SQLite, a whole program for
//! PostgreSQL, rights, time-outs and failures.
//!
//! # Redis
//!
//! Add the feature `redis`, or `redis-cluster` for Cluster.
//!
//! ```no_run
//! # #[cfg(feature = "redis")]
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! use tower_bearer::RedisStore;
//!
//! let store = RedisStore::builder("rediss://app:secret@redis.internal:6380/").prefix("shop:").build()?;
//! match store.health().await {
//!     Ok(health) => health.warnings().iter().for_each(|warning| eprintln!("WARNING: {warning}")),
//!     // Start all the same: requests get 503 until the server answers.
//!     Err(error) => eprintln!("WARNING: {error}: {:?}", std::error::Error::source(&error)),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! * Set `maxmemory-policy noeviction` and `appendonly yes` on the server. Other policies sign users out, and forget
//!   revoked sessions.
//! * Give each service its own `prefix`, unless services share their users.
//! * With replicas, set `wait_for_replicas(1, Duration::from_millis(100))`, or a failover may lose a revocation.
//! * Behind Sentinel, write `RedisStore::sentinel("sessions", [the sentinels' URLs])` in place of `builder(url)`. With
//!   Cluster, write `RedisStore::cluster([the servers' URLs])`.
//! * If a process forks, build the store in each worker.
//!
//! [The reference](https://docs.rs/tower-bearer/latest/tower_bearer/struct.RedisStore.html#requirements) has the ACL
//! line and the settings of the server. It also has sizing, the result of each failure, and the servers that were
//! tested.
//!
//! # A store of your own
//!
//! Implement [`RefreshStore`](crate::store::RefreshStore): five operations, and two optional ones. Each of the five is
//! one atomic step. The store decides nothing: one function above it judges every token, for all stores.
//!
//! Save one row for each session: subject tag, session id, the bytes of
//! [`encode`](crate::store::SessionRecord::encode), and [`expires_at`](crate::store::SessionRecord::expires_at). Three
//! operations read all sessions of a subject, so put the subject first in the key.
//!
//! * Size the column by [`LARGEST`](crate::store::SessionRecord::LARGEST). No record is longer, and today's are
//!   shorter.
//! * Keep the bytes as they are, and never build a record from its parts. They open no session, but contain subject and
//!   label in clear.
//! * Keep revoked records until they expire: the server recognises stolen tokens by them.
//! * Write an end beyond the type of the column as its largest value.
//!
//! | operation | rule | if it breaks the rule |
//! |---|---|---|
//! | `insert` | Counts live sessions and adds one in one step. | Two sign-ins exceed the limit, or one escapes a `revoke_all`. |
//! | `load` | Returns the last write and the *store's* time. | The server revokes the session of an honest user. |
//! | `swap` | Compares the *whole* record and replaces it in one step. Returns [`Applied`](crate::store::Swap::Applied) again if it already holds `next`. Rejects a `next` with another key. | Two tokens of one session, and thefts without an alarm |
//! | `list` | Leaves out expired sessions. | The user sees sessions that are over. |
//! | `revoke_all` | Runs wholly before or after each `insert` and `swap` of the subject. Revokes idle sessions too. Returns the revoked records. | A session survives a changed password. |
//! | `revoke_older`, optional | As `revoke_all`, for sessions that began by `before`. | A retry of `revoke_all` may miss an idle session. |
//! | `revoke_everything`, optional | Revokes each session that began by `before`, and counts them. Not one step. | [`end_everything`](crate::SessionAdmin::end_everything) fails. |
//!
//! This is a whole store over a map of bytes. It passes the suite:
//!
//! ```
//! use std::{collections::BTreeMap, sync::{Arc, Mutex, MutexGuard}};
//!
//! use tower_bearer::{
//!     Clock, ManualClock, SessionId, Timestamp,
//!     store::{self, Inserted, Loaded, RefreshStore, SessionKey, SessionRecord, StoreError, SubjectTag, Swap},
//! };
//!
//! /// The table: subject tag and session id, and the bytes of the record.
//! type Rows = BTreeMap<([u8; 16], [u8; 16]), Vec<u8>>;
//!
//! #[derive(Clone, Debug)]
//! struct TableStore {
//!     rows: Arc<Mutex<Rows>>,
//!     /// The clock of the database. Never use the instance's.
//!     clock: ManualClock,
//! }
//!
//! fn address(key: &SessionKey) -> ([u8; 16], [u8; 16]) {
//!     (*key.subject().as_bytes(), *key.id().as_bytes())
//! }
//!
//! impl TableStore {
//!     /// Begins a transaction. Give it a time limit, and return failures as `StoreError::unavailable(error)`.
//!     fn begin(&self) -> Result<(MutexGuard<'_, Rows>, Timestamp), StoreError> {
//!         let rows = self.rows.lock().map_err(|_| StoreError::unavailable("poisoned"))?;
//!         Ok((rows, self.clock.now()))
//!     }
//!
//!     /// Returns the subject's unexpired sessions.
//!     fn of(rows: &Rows, subject: &SubjectTag, now: Timestamp) -> Result<Vec<SessionRecord>, StoreError> {
//!         let tag = *subject.as_bytes();
//!         let records = rows.range((tag, [0; 16])..=(tag, [255; 16])).map(|(_, bytes)| {
//!             // An unreadable record is an error. `None` would sign the user out.
//!             SessionRecord::decode(bytes)
//!         });
//!         let records: Vec<_> = records.collect::<Result<_, _>>()?;
//!         Ok(records.into_iter().filter(|record| now < record.expires_at()).collect())
//!     }
//!
//!     /// Replaces the rows of the subject.
//!     fn put(rows: &mut Rows, subject: &SubjectTag, sessions: &[SessionRecord]) {
//!         rows.retain(|(tag, _), _| tag != subject.as_bytes());
//!         rows.extend(sessions.iter().map(|record| (address(&record.key()), record.encode())));
//!     }
//! }
//!
//! impl RefreshStore for TableStore {
//!     async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
//!         let (mut rows, now) = self.begin()?;
//!         let key = record.key();
//!         let mut sessions = Self::of(&rows, key.subject(), now)?;
//!         // The crate's own rule: the limit, a call that was sent twice, ended sessions that stay.
//!         let dropped = store::admit(&mut sessions, record, limit, now)?;
//!         Self::put(&mut rows, key.subject(), &sessions);
//!         Ok(Inserted::new(dropped))
//!     }
//!
//!     async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
//!         let (rows, now) = self.begin()?;
//!         let record = rows.get(&address(key)).map(|bytes| SessionRecord::decode(bytes)).transpose()?;
//!         Ok(Loaded::new(record, now))
//!     }
//!
//!     async fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Result<Swap, StoreError> {
//!         let (mut rows, now) = self.begin()?;
//!         let Some(bytes) = rows.get_mut(&address(&current.key())) else {
//!             return Ok(Swap::Conflict(Loaded::new(None, now)));
//!         };
//!         // Compare records: an earlier release may have written other bytes.
//!         let stored = SessionRecord::decode(bytes)?;
//!         // A record never changes its key.
//!         let moves = next.key() != current.key();
//!         if stored == *current && !moves {
//!             *bytes = next.encode();
//!         } else if stored != *next || moves {
//!             return Ok(Swap::Conflict(Loaded::new(Some(stored), now)));
//!         } // Otherwise the client library sent this call twice.
//!         Ok(Swap::Applied)
//!     }
//!
//!     async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
//!         let (rows, now) = self.begin()?;
//!         Self::of(&rows, subject, now)
//!     }
//!
//!     /// Drops expired sessions, so that a late swap finds no row.
//!     async fn revoke_all(
//!         &self,
//!         subject: &SubjectTag,
//!         keep: Option<&SessionId>,
//!     ) -> Result<Vec<SessionRecord>, StoreError> {
//!         let (mut rows, now) = self.begin()?;
//!         let mut sessions = Self::of(&rows, subject, now)?;
//!         let revoked = store::revoke_all(&mut sessions, keep, now);
//!         Self::put(&mut rows, subject, &sessions);
//!         Ok(revoked)
//!     }
//!
//!     async fn revoke_everything(&self, before: Timestamp) -> Result<u64, StoreError> {
//!         let (mut rows, now) = self.begin()?;
//!         // An unreadable record signs no user in, and must not stop the others' end.
//!         let sessions = rows.values().filter_map(|bytes| SessionRecord::decode(bytes).ok());
//!         let mut sessions: Vec<_> = sessions.collect();
//!         let revoked = store::revoke_before(&mut sessions, before, now);
//!         rows.extend(revoked.iter().map(|record| (address(&record.key()), record.encode())));
//!         Ok(revoked.len() as u64)
//!     }
//! }
//! # tokio::runtime::Builder::new_multi_thread().enable_time().build()?.block_on(async {
//! # let clock = ManualClock::new(Timestamp::from_secs(1_800_000_000));
//! # let store = TableStore { rows: Arc::default(), clock: clock.clone() };
//! # tower_bearer::store::conformance::run(async || store.clone(), async |by| clock.advance(by)).await?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A real database adds this:
//!
//! * **Time limits** for connection, statement and lock. An operation that fails returns
//!   [`StoreError::unavailable`](crate::store::StoreError::unavailable), and the request gets 503. A retry arrives at
//!   the same token. Do not retry in the store for longer than a user waits.
//! * **A lock for each subject**, also one without a row. Take it before the rows: `FOR UPDATE` locks no missing row.
//!   PostgreSQL has `pg_advisory_xact_lock`, SQLite has `BEGIN IMMEDIATE`. Or use serialisable transactions and try
//!   again after a conflict.
//! * **The database's time**: `clock_timestamp()` in PostgreSQL. `now()` stands still in a transaction.
//! * **The primary.** Never `load` from a replica.
//! * **Deletion** of expired rows, in small batches. Each rotation moves `expires_at`, so write it with the record.
//!
//! # Comparing
//!
//! `swap` compares records: `SessionRecord::decode(bytes)? == *current`. Bytes alone are not enough: an earlier release
//! may have written another layout. Each refresh of such a session would then get 503. In SQL:
//!
//! 1. Check that `next` has the key of `current`.
//! 2. `UPDATE sessions SET record = $next, expires_at = … WHERE subject = … AND id = … AND record = $expected`, with
//!    `current.encode()` as `$expected`. One row: `Applied`.
//! 3. No row: read and decode. Equal to `next`: `Applied`. Equal to `current`: an older layout. Repeat step 2 with the
//!    bytes that you read, and read again if no row matches. Otherwise: `Conflict` with the last record read.
//!
//! A conflict may hide a swap that was applied, because its answer was lost. [`swap`](crate::store::RefreshStore::swap)
//! says what code above a store must do.
//!
//! # Running the suite
//!
//! ```toml
//! [dev-dependencies]
//! tower-bearer = { version = "0.1", features = ["store-tests"] }
//! ```
//!
//! ```no_run
//! # use tower_bearer::MemoryStore as TableStore;
//! use tower_bearer::store::conformance::{self, Violation};
//!
//! #[tokio::test(flavor = "multi_thread")]
//! async fn the_store_passes_the_suite() -> Result<(), Violation> {
//!     // One database, and each time a new instance over it, as another server would have.
//!     let instance = async || TableStore::new();
//!     // A real clock is waited for, once, for six seconds.
//!     conformance::run(instance, async |by| tokio::time::sleep(by).await).await
//! }
//! ```
//!
//! Run it against the real server, with production's isolation level. Subjects are random, so other data stays. The
//! [`Violation`](https://docs.rs/tower-bearer/latest/tower_bearer/store/conformance/struct.Violation.html) names the
//! broken rule.
//!
//! | it tries | it finds |
//! |---|---|
//! | the largest record; records that differ in one field; names that differ in one byte | short columns, text instead of bytes, comparisons of a part |
//! | expiries after 2038, 2106, 2554 and without an end; limits of any size | narrow integers |
//! | a swap that prolongs or shortens a session, then time that passes | an expiry apart from the record |
//! | two instances in turn | a cache, a lock or a clock of the instance |
//! | two calls, the second between any two steps of the first | operations of more than one step |
//! | futures dropped after each step | operations that leave a half |
//! | calls that take over ten seconds | a store that hangs |
//!
//! On one machine it cannot tell the instance's clock from the database's. Then stop the server while requests run, and
//! start it again. Expect 503, then 200 with the same cookie.
//!
//! # Mistakes that your own tests miss
//!
//! | mistake | result |
//! |---|---|
//! | `SELECT`, then `UPDATE` without comparing | Under load, two tokens of one session and no alarm |
//! | comparing a version column | Correct until a backup restores one without the other. Compare the record. |
//! | `now` from the instance | Instances judge the grace differently and sign honest users out. |
//! | `swap` ignores an expired row that `load` returns | Endless conflicts: 503 |
//! | deleting a session at sign-out | A thief who signs out is never found. |
//! | a column as long as today's records | A longer label is cut: 503 for that subject |
//! | revoking a subject's sessions one by one, without a transaction | A client that disconnects leaves some live. |
//! | `revoke_all` skips rows with `expires_at <= now` and leaves them | A refresh that waited for the lock prolongs the session. |
//! | an ORM that trims or re-encodes bytes | Every swap is a conflict. |
//! | an error returned as `None` | 401 for all users while the database is down |
//!
//! `tower-bearer-sqlx` contains two complete stores to read.
