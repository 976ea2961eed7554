//! Writing a store of your own, and what the stores in PostgreSQL and SQLite do.
//!
//! Both of those are in [`tower-bearer-sqlx`](https://docs.rs/tower-bearer-sqlx). A store of your own is for another
//! database.
//!
//! A store implements [`RefreshStore`](crate::store::RefreshStore): five operations, each one atomic step, and two that
//! it may leave out. It decides nothing. Whether a token is current, old or stolen is judged by one pure function above the
//! store, which is the same for all stores and is the part that is proven.
//!
//! # What it keeps
//!
//! One [`SessionRecord`](crate::store::SessionRecord) a session, of bounded size, opaque but for a few questions:
//! [`key`](crate::store::SessionRecord::key), [`is_live`](crate::store::SessionRecord::is_live),
//! [`expires_at`](crate::store::SessionRecord::expires_at) and
//! [`last_rotated_at`](crate::store::SessionRecord::last_rotated_at). All sessions of a subject belong together,
//! because three of the five operations are about all of them; the key starts with the subject for that reason. A store
//! outside the process keeps the bytes of [`encode`](crate::store::SessionRecord::encode);
//! [`decode`](crate::store::SessionRecord::decode) reads them back. They are version 2 of a layout; bytes of version 1
//! are read too, and a later release may bring a version 3. Two records may thus be equal and their bytes not: see
//! [comparing](#comparing). No record is longer than
//! [`LARGEST`](crate::store::SessionRecord::LARGEST): size a column or a buffer by that constant, and not by what you
//! see today. [Tagged fields](super::rotation#the-record) at the end may be those of a newer release: keep the bytes as
//! they are, and never build a record from its parts. They are no secret that opens a session, but they hold the
//! subject and the label in clear.
//!
//! # What each operation owes
//!
//! | operation | must | or else |
//! |---|---|---|
//! | `insert` | count the subject's live sessions and add the new one in one step | two sign-ins at once exceed the limit, or one of them escapes a `revoke_all` |
//! | `load` | return the record as last written, and the *store's* time | a stale record makes an honest token look old: a session revoked for nothing. Several application clocks would disagree about the grace |
//! | `swap` | compare the *whole* record and replace it in one step; report [`Applied`](crate::store::Swap::Applied) again when it already holds `next`; write nothing where `next` has another key than `current` | two rotations from one token: two branches, and a theft that is never noticed. A client library that resends after a dropped connection would see a conflict with itself |
//! | `list` | leave out what has expired | expired sessions in the user's list |
//! | `revoke_all` | happen entirely before or entirely after any `insert` and `swap` of the subject; revoke what was idle for too long as well, where it is still there; return the records as they are now | a session that survives a changed password |
//! | `revoke_older` | as `revoke_all`, for the sessions that began at `before` or earlier, by [`revoke_older`](crate::store::revoke_older). A store that cannot leaves it out | a further try of `revoke_all` goes by `list`, and a refresh that was under way may bring an idle session back |
//! | `revoke_everything` | revoke each live session of any subject that began at `before` or earlier, each as by a `swap`, and count them. It need not be one step. A store that cannot leaves it out | [`end_everybody`](crate::SessionAdmin::end_everybody) says that this store cannot; sessions of a leaked key live on |
//!
//! Revoked records stay until they expire, so that a token that comes late is recognised. A
//! store may drop a record once its [`expires_at`](crate::store::SessionRecord::expires_at) has passed, never
//! before.
//!
//! # Comparing
//!
//! `swap` compares records: `SessionRecord::decode(bytes)? == *current`. The bytes of
//! [`encode`](crate::store::SessionRecord::encode) are those of this release's layout. Compared alone, they never match
//! a record that an earlier release wrote, and each refresh of that session is answered 503 until it expires.
//!
//! A store that reads and writes in one step (a lock, a transaction that holds the row) compares what it has read, as
//! the skeleton below does. SQL that compares in the statement itself takes two steps, after it has looked that `next`
//! has the key of `current`. An end beyond the column's type (`BIGINT`) is written as the largest value:
//!
//! 1. `UPDATE sessions SET record = $next, expires_at = … WHERE subject = … AND id = … AND record = $expected`, where
//!    `$expected` is `current.encode()`. One row: `Applied`.
//! 2. No row: read and decode. The record equals `next`: `Applied`. It equals `current`: the bytes are of an older
//!    layout, so run the statement once more with the bytes that were read as `$expected`; where that finds no row
//!    either, read again. Anything else: `Conflict`, with what was read last.
//!
//! # A conflict after a lost answer
//!
//! An answer is lost, the swap is sent again, and in between another request has swapped its `next` for a third
//! record. The second answer is a `Conflict`, though the first swap was applied. A store cannot tell, and need not:
//! it returns what it holds. The layers judge by that record anew, and arrive at the same successor. The rule is
//! for code of your own above a store: after a conflict go by the record in it, and never conclude that `next` was
//! not stored. See [`swap`](crate::store::RefreshStore::swap).
//!
//! # Failing
//!
//! Return [`StoreError::unavailable`](crate::store::StoreError::unavailable) with the cause. The request is
//! answered 503, the cookie stays as it is, and nothing is lost: because successors are derived and not
//! drawn, a retry after an operation that did happen arrives at the same token. Do not retry inside the
//! store for longer than a user would wait, and give every operation a time limit.
//!
//! Never read from a replica that may lag. How the store in Redis does all of this, and what it does when
//! a server has forgotten a write, is in [`operations`](super::operations).
//!
//! # PostgreSQL and SQLite
//!
//! The columns are those that a database needs to find, purge and list rows without reading a record. Times are
//! milliseconds since 1970; neither database has unsigned integers, so a later end is written as the largest value.
//!
//! | | PostgreSQL | SQLite |
//! |---|---|---|
//! | `subject_tag`, `session_id` | `BYTEA`, together the primary key | `BLOB`, together the primary key, `WITHOUT ROWID` |
//! | `record` | `BYTEA` | `BLOB` |
//! | `expires_at`, `rotated_at` | `BIGINT`, the former with an index | `INTEGER`, the former with an index |
//! | `live` | `BOOLEAN` | `INTEGER` |
//! | the time | `clock_timestamp()`: not `now()`, which stands still in a transaction | the machine's, which all processes share |
//! | one step over a subject | a transaction that begins with `pg_advisory_xact_lock`, by a hash of the tag | a transaction that begins with `BEGIN IMMEDIATE` |
//! | isolation | `READ COMMITTED`: each statement behind the lock sees what was committed before it | a writer sees all that was committed |
//! | to set | `synchronous_commit = on`; time-outs for connection, statement and lock; the primary, never a replica | `journal_mode = WAL`, `synchronous = FULL`, `busy_timeout`; the file for its user alone |
//!
//! | operation | statements |
//! |---|---|
//! | `insert` | one step over the subject: read its unexpired rows, [`admit`](crate::store::admit), delete the rows that it took out, update those that it revoked, insert the new one. PostgreSQL counts first. Where there is room, it reads no record and inserts; else it reads all rows of the subject `FOR UPDATE` |
//! | `load` | `SELECT record … WHERE subject_tag = $1 AND session_id = $2`, with the time |
//! | `swap` | `UPDATE … SET record = $next, expires_at = …, rotated_at = …, live = … WHERE subject_tag = … AND session_id = … AND record = $current`. No row: see [comparing](#comparing) |
//! | `list` | `SELECT record … WHERE subject_tag = $1 AND expires_at > $now` |
//! | `revoke_all`, `revoke_older` | one step over the subject: read all of its rows, expired or not, [`revoke_all`](crate::store::revoke_all) or [`revoke_older`](crate::store::revoke_older), update those that it returns. PostgreSQL reads them `FOR UPDATE`, because of `swap` |
//! | `revoke_everything` | `SELECT subject_tag, session_id, CASE WHEN live THEN record END … WHERE (subject_tag, session_id) > ($1, $2) ORDER BY subject_tag, session_id LIMIT …`, [`revoke_before`](crate::store::revoke_before), update those that it returns. SQLite: a transaction for each batch of 200. PostgreSQL: pages of 500, read without a lock and written by one `UPDATE … AND record = $expected`; a page that others changed is read again. Both go through every row: a search for live ones would go past all that have ended while it holds the lock |
//! | purging | `DELETE … WHERE (subject_tag, session_id) IN (SELECT … WHERE expires_at <= $now ORDER BY expires_at LIMIT …)`, until fewer go. SQLite: `LIMIT 100`, and each sign-in deletes up to 100 as well. PostgreSQL: by `ctid`, with `LIMIT 250` and `FOR UPDATE SKIP LOCKED` |
//!
//! `FOR UPDATE` alone is no lock on a subject that has no row yet: a sign-in would escape a `revoke_all`.
//! Both take the subject's lock first and its rows after it, in one order. So a sign-in waits while a `revoke_all` of its
//! subject is under way, and neither can hold what the other waits for.
//!
//! # A skeleton
//!
//! Whole and small: one map of bytes behind one lock, in place of a database. The operations that concern several
//! sessions follow the crate's own rules. Every operation is one step because the lock is held throughout. It passes
//! the suite.
//!
//! ```
//! use std::{collections::BTreeMap, sync::{Arc, Mutex, MutexGuard}};
//!
//! use tower_bearer::{
//!     Clock, ManualClock, SessionId, Timestamp,
//!     store::{self, Inserted, Loaded, RefreshStore, SessionKey, SessionRecord, StoreError, SubjectTag, Swap},
//! };
//!
//! /// The table: a subject's tag and a session's id, and the bytes of its record.
//! type Rows = BTreeMap<([u8; 16], [u8; 16]), Vec<u8>>;
//!
//! #[derive(Clone, Debug)]
//! struct TableStore {
//!     rows: Arc<Mutex<Rows>>,
//!     /// The database's clock, and not that of the instance.
//!     clock: ManualClock,
//! }
//!
//! fn address(key: &SessionKey) -> ([u8; 16], [u8; 16]) {
//!     (*key.subject().as_bytes(), *key.id().as_bytes())
//! }
//!
//! impl TableStore {
//!     /// Begins a transaction. Give it a time limit, and turn what fails into `StoreError::unavailable(error)`.
//!     fn begin(&self) -> Result<(MutexGuard<'_, Rows>, Timestamp), StoreError> {
//!         let rows = self.rows.lock().map_err(|_| StoreError::unavailable("poisoned"))?;
//!         Ok((rows, self.clock.now()))
//!     }
//!
//!     /// The sessions of a subject, without what has expired.
//!     fn of(rows: &Rows, subject: &SubjectTag, now: Timestamp) -> Result<Vec<SessionRecord>, StoreError> {
//!         let tag = *subject.as_bytes();
//!         let records = rows.range((tag, [0; 16])..=(tag, [255; 16])).map(|(_, bytes)| {
//!             // An error, and never "not there": that would sign a user out for a broken disk.
//!             SessionRecord::decode(bytes)
//!         });
//!         let records: Vec<_> = records.collect::<Result<_, _>>()?;
//!         Ok(records.into_iter().filter(|record| now < record.expires_at()).collect())
//!     }
//!
//!     /// Writes all sessions of a subject in place of what was there.
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
//!         // The crate's own rules: the limit, the same call sent twice, what is kept of ended sessions.
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
//!         // Records and not bytes: an earlier release may have written them in another layout.
//!         let stored = SessionRecord::decode(bytes)?;
//!         // At another address it would be another session.
//!         let moves = next.key() != current.key();
//!         if stored == *current && !moves {
//!             *bytes = next.encode();
//!         } else if stored != *next || moves {
//!             return Ok(Swap::Conflict(Loaded::new(Some(stored), now)));
//!         } // else it is this very call, sent twice.
//!         Ok(Swap::Applied)
//!     }
//!
//!     async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
//!         let (rows, now) = self.begin()?;
//!         Self::of(&rows, subject, now)
//!     }
//!
//!     /// Expired sessions go here: a swap that comes late finds nothing to prolong.
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
//!         // One that cannot be read signs no user in, and must not keep the others alive.
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
//! The skeleton leaves to you:
//!
//! * **Deleting.** Rows that have expired go, in bounded batches. A row's time moves with each rotation, so write it with the
//!   record.
//! * **Bounded waiting.** Time-outs for connection, statement and lock.
//! * **Locks.** As [in PostgreSQL and SQLite](#postgresql-and-sqlite), or serialisable transactions that are tried
//!   again after a conflict.
//! * **One primary.** Never a replica for `load`.
//!
//! # Running the suite
//!
//! With the feature `store-tests` the module `conformance` runs the cases that the crate's own stores
//! pass over yours. In `Cargo.toml`, for tests alone:
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
//! async fn the_store_keeps_its_promises() -> Result<(), Violation> {
//!     // One database, and each time a new instance over it, as another server would have.
//!     let instance = async || TableStore::new();
//!     // A real clock is waited for, once, for six seconds.
//!     conformance::run(instance, async |by| tokio::time::sleep(by).await).await
//! }
//! ```
//!
//! Against the real server, with the isolation level of production: a fake has no races. The
//! [`Violation`](https://docs.rs/tower-bearer/latest/tower_bearer/store/conformance/struct.Violation.html) names the rule
//! that is broken. Subjects are drawn at random, so other data is left alone.
//!
//! | what is tried | what it finds |
//! |---|---|
//! | the largest record; records that differ in one field; names that differ in one byte | columns that are too short, text where bytes belong, comparisons of a part |
//! | expiries beyond 2038, 2106, 2554 and without an end; limits of any size | narrow integers |
//! | a swap that prolongs or shortens a session, and then time that passes | an expiry kept apart from the record |
//! | two instances in turn | a cache, a memory, a lock or a clock of the instance |
//! | two calls of which the second comes between any two steps of the first | operations that are not one step |
//! | futures that are dropped after each of their steps | operations that leave a half behind |
//! | calls that do not answer within ten seconds | a store that hangs |
//!
//! The suite cannot tell the clock of an instance from that of the database where one machine has both. Then pull
//! the plug: stop the server while requests run and start it again. You have to see 503 and, with the same cookie,
//! 200 afterwards.
//!
//! The source of `tower-bearer-sqlx` is two complete stores, with that test and their faults.
//!
//! # Mistakes that tests of one's own do not find
//!
//! | mistake | what happens, and when |
//! |---|---|
//! | `SELECT`, then `UPDATE` without comparing | two branches of one session, under load alone; a theft that is never noticed |
//! | comparing a version column that is counted apart from the record | right until a backup restores one without the other. Compare the record. |
//! | comparing `encode()` with the stored bytes, and nothing more | right until the release that brings a new layout: sessions of before it answer every refresh with 503. See [comparing](#comparing). |
//! | `now` from the instance | instances that differ by seconds judge the grace differently: honest users are signed out |
//! | an expired row that is missing from `swap`'s comparison, but there for `load` | endless conflicts, 503 |
//! | deleting a session at sign-out | works, and a thief who signed out behind itself is never found: the user's replaced token is `unknown` then. With deletion at *reuse* no trace is left. |
//! | a column of a fixed length for today's records | a longer label or a field of a newer release is cut off: 503 for that subject |
//! | sessions of a subject that are all revoked one after the other, without a transaction | a request that the client gave up leaves some of them live |
//! | a `revoke_all` that passes over rows with `expires_at <= now` and leaves them | a refresh that waited for the lock past the idle end writes a new one, and the session lives on |
//! | reading from a replica after a failover of the primary only | a token that was replaced looks current: the next honest request raises the alarm |
//! | an ORM that trims or re-encodes bytes | every swap is a conflict |
//! | an error that is swallowed and returned as `None` | 401 for all users while the database is away, instead of 503 |
