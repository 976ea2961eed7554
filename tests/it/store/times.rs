//! When sessions expire, where that is a column of its own.

use tower_bearer::{
    SessionId, Timestamp,
    store::{Inserted, Loaded, SessionKey, SessionRecord, StoreError, SubjectTag, Swap},
};

use super::{
    refuses,
    table::{Backend, Broken, Row, address},
};

/// Judges by a column of its own what has expired, in each of its operations.
#[derive(Debug)]
struct Column {
    backend: Backend,
    /// The column after the record of a session was replaced.
    moved: fn(&Row, &SessionRecord) -> Timestamp,
    /// The part of a time that it keeps.
    kept: fn(Timestamp) -> i128,
}

impl Column {
    fn new(backend: Backend, moved: fn(&Row, &SessionRecord) -> Timestamp) -> Self {
        let kept = |time: Timestamp| time.as_millis().into();
        Self {
            backend,
            moved,
            kept,
        }
    }

    fn narrow(backend: Backend, kept: fn(Timestamp) -> i128) -> Self {
        let moved = |_: &Row, next: &SessionRecord| next.expires_at();
        Self {
            backend,
            moved,
            kept,
        }
    }

    /// Clears away what has expired by the column, as a database does by itself.
    fn clear(&self) {
        let now = (self.kept)(self.backend.now());
        self.backend
            .rows()
            .retain(|_, row| now < (self.kept)(row.expires_at));
    }

    fn move_all(&self, before: Vec<Row>) {
        let mut rows = self.backend.rows();
        for before in before {
            if let Some(row) = rows.get_mut(&address(&before.record.key())) {
                row.expires_at = match row.record == before.record {
                    true => before.expires_at,
                    false => (self.moved)(&before, &row.record),
                };
            }
        }
    }

    fn before(&self, subject: &SubjectTag) -> Vec<Row> {
        self.clear();
        let rows = self.backend.rows();
        let of_subject = rows.iter().filter(|((tag, _), _)| tag == subject);
        of_subject.map(|(_, row)| row.clone()).collect()
    }
}

impl Broken for Column {
    fn backend(&self) -> &Backend {
        &self.backend
    }

    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        let before = self.before(record.key().subject());
        let inserted = self.backend.insert(record, limit).await;
        self.move_all(before);
        inserted
    }

    async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        self.clear();
        self.backend.load(key).await
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        let before = self.before(current.key().subject());
        let swap = self.backend.swap(current, next).await;
        self.move_all(before);
        swap
    }

    async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
        self.clear();
        // By the column alone.
        Ok(self.backend.all(subject))
    }

    async fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let before = self.before(subject);
        let revoked = self.backend.revoke_all(subject, keep).await;
        self.move_all(before);
        revoked
    }
}

/// Lists what `shows` says.
#[derive(Debug)]
struct Shows(Backend, fn(&SessionRecord, Timestamp) -> bool);

impl Broken for Shows {
    fn backend(&self) -> &Backend {
        &self.0
    }

    async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
        let mut sessions = self.0.all(subject);
        sessions.retain(|session| self.1(session, self.0.now()));
        Ok(sessions)
    }
}

/// Loads what has expired, and does not find it to replace it.
#[derive(Debug)]
struct SwapsWhatLives(Backend);

impl Broken for SwapsWhatLives {
    fn backend(&self) -> &Backend {
        &self.0
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        match self.0.get(&current.key()) {
            Some(found) if found.expires_at() <= self.0.now() => Ok(self.0.conflict(None)),
            _ => self.0.swap(current, next).await,
        }
    }
}

/// Counts and revokes whatever is there, expired or not.
#[derive(Debug)]
struct CountsExpired(Backend);

impl Broken for CountsExpired {
    fn backend(&self) -> &Backend {
        &self.0
    }

    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        let mut expired = self.0.all(record.key().subject());
        expired.retain(|session| session.is_live() && session.expires_at() <= self.0.now());
        self.0
            .insert(record, limit.saturating_sub(expired.len()))
            .await
    }
}

#[derive(Debug)]
struct RevokesExpired(Backend);

impl Broken for RevokesExpired {
    fn backend(&self) -> &Backend {
        &self.0
    }

    async fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let mut expired = self.0.all(subject);
        expired.retain(|session| session.is_live() && session.expires_at() <= self.0.now());
        Ok([expired, self.0.revoke_all(subject, keep).await?].concat())
    }
}

/// Ends what is not over by now, and leaves what has been idle for too long.
#[derive(Debug)]
struct LeavesIdle(Backend);

impl LeavesIdle {
    fn is_idle(&self, session: &SessionRecord) -> bool {
        session.is_live() && session.expires_at() <= self.0.now()
    }
}

impl Broken for LeavesIdle {
    fn backend(&self) -> &Backend {
        &self.0
    }

    async fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let mut idle = self.0.all(subject);
        idle.retain(|session| self.is_idle(session));
        let mut revoked = self.0.revoke_all(subject, keep).await?;
        idle.iter().for_each(|session| self.0.put(session));
        revoked.retain(|record| !idle.iter().any(|session| session.id() == record.id()));
        Ok(revoked)
    }
}

/// The same where it ends everything.
#[derive(Debug)]
struct LeavesIdleOfAll(LeavesIdle);

impl Broken for LeavesIdleOfAll {
    fn backend(&self) -> &Backend {
        &self.0.0
    }

    async fn revoke_everything(&self, before: Timestamp) -> Result<u64, StoreError> {
        let backend = self.backend();
        let rows: Vec<_> = backend.rows().values().cloned().collect();
        let mut idle: Vec<_> = rows.into_iter().map(|row| row.record).collect();
        idle.retain(|session| self.0.is_idle(session) && session.created_at() <= before);
        let revoked = backend.revoke_everything(before).await?;
        idle.iter().for_each(|session| backend.put(session));
        Ok(revoked - idle.len() as u64)
    }
}

/// Clears away what has expired, and writes a session anew that a swap does not find.
#[derive(Debug)]
struct BringsBack(Backend);

impl Broken for BringsBack {
    fn backend(&self) -> &Backend {
        &self.0
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        let now = self.0.now();
        self.0.rows().retain(|_, row| now < row.record.expires_at());
        if self.0.get(&current.key()).is_none() && current.expires_at() <= now {
            self.0.put(next);
        }
        self.0.swap(current, next).await
    }

    async fn load(&self, key: &SessionKey) -> Result<Loaded, StoreError> {
        let now = self.0.now();
        self.0.rows().retain(|_, row| now < row.record.expires_at());
        self.0.load(key).await
    }
}

fn millis(time: Timestamp) -> u64 {
    time.as_millis()
}

refuses! {
    an_expiry_that_swaps_do_not_move: |backend| Column::new(backend, |row, _| row.expires_at) => "prolongs lives on";
    an_expiry_that_swaps_only_shorten:
        |backend| Column::new(backend, |row, next| row.expires_at.min(next.expires_at())) => "prolongs lives on";
    an_expiry_that_swaps_only_prolong:
        |backend| Column::new(backend, |row, next| row.expires_at.max(next.expires_at())) => "shortens expires";
    ended_sessions_that_never_expire:
        |backend| Column::new(backend, |_, next| match next.is_live() {
            true => next.expires_at(),
            false => Timestamp::from_millis(u64::MAX),
        }) => "until it expires, and no longer";
    ended_sessions_that_are_listed_for_ever:
        |backend| Shows(backend, |session, now| !session.is_live() || now < session.expires_at()) => "until it expires, and no longer";
    expired_sessions_that_are_listed: |backend| Shows(backend, |_, _| true) => "an expired session is neither";
    expired_sessions_that_swaps_do_not_find: SwapsWhatLives => "compares with an expired session";
    expired_sessions_that_count: CountsExpired => "an expired session is neither";
    expired_sessions_that_are_revoked: RevokesExpired => "an expired session is neither";
    idle_sessions_that_are_not_revoked: LeavesIdle => "outlives revoke_all by a swap that was decided";
    idle_sessions_that_an_end_of_everything_leaves:
        |backend| LeavesIdleOfAll(LeavesIdle(backend)) => "outlives revoke_everything by a swap that was decided";
    expired_sessions_that_swaps_bring_back: BringsBack => "by a swap that was decided before its idle end";
    seconds_in_i32: |backend| Column::narrow(backend, |time| time.as_secs().cast_signed() as i32 as i128) => "in a distant future";
    seconds_in_u32: |backend| Column::narrow(backend, |time| time.as_secs() as u32 as i128) => "in a distant future";
    milliseconds_in_i32: |backend| Column::narrow(backend, |time| millis(time) as i32 as i128) => "in a distant future";
    milliseconds_in_u32: |backend| Column::narrow(backend, |time| millis(time) as u32 as i128) => "in a distant future";
    milliseconds_in_i64: |backend| Column::narrow(backend, |time| millis(time) as i64 as i128) => "in a distant future";
    microseconds_in_i64:
        |backend| Column::narrow(backend, |time| millis(time).wrapping_mul(1000) as i64 as i128) => "in a distant future";
    nanoseconds_in_i64:
        |backend| Column::narrow(backend, |time| millis(time).wrapping_mul(1_000_000) as i64 as i128) => "in a distant future";
    nanoseconds_in_u64:
        |backend| Column::narrow(backend, |time| millis(time).wrapping_mul(1_000_000).into()) => "in a distant future";
}
