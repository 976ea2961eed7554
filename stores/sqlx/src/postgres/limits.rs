//! The time that a call may take, and the way it asks.

use std::time::Duration;

/// The settings that each connection on loan goes by.
#[derive(Debug)]
pub(super) struct Limits {
    /// For a call as a whole.
    pub(super) call: Duration,
    /// Whether statements are prepared once a connection, or each time within a transaction.
    pub(super) prepared: bool,
    /// Whether a note may be answered before it is on disk.
    pub(super) asynchronous_notes: bool,
    /// The beginning of a transaction.
    opening: String,
    opening_of_notes: String,
}

/// When a write has to be on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// Before it is answered.
    Kept,
    /// Within a second: the server may answer first.
    Soon,
}

/// Sets `synchronous_commit` for the transaction, so that its commit waits for the disk. The server's own setting stays
/// where it also waits, since some ask for more than `on`. But an end of a session must not be lost because an account
/// has a setting for speed.
macro_rules! set_kept {
    () => {
        "set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' \
         ELSE current_setting('synchronous_commit') END, true)"
    };
}
/// Sets it so that its commit may be answered first.
macro_rules! set_soon {
    () => {
        "set_config('synchronous_commit', 'off', true)"
    };
}
pub(super) use {set_kept, set_soon};

impl Limits {
    pub(super) fn new(call: Duration, prepared: bool, asynchronous_notes: bool) -> Self {
        Self {
            call,
            prepared,
            asynchronous_notes,
            opening: opening(call, Durability::Kept),
            opening_of_notes: opening(call, Durability::Soon),
        }
    }

    /// How long the server may wait for one lock, in milliseconds.
    pub(super) fn lock_millis(&self) -> u64 {
        lock_limit(self.call)
    }

    /// How long the server may take for one statement, in milliseconds.
    pub(super) fn statement_millis(&self) -> u64 {
        statement_limit(self.call)
    }

    pub(super) fn opening(&self, durability: Durability) -> &str {
        match durability {
            Durability::Kept => &self.opening,
            Durability::Soon => &self.opening_of_notes,
        }
    }
}

/// Less than the statement, which is less than the call. So the server says which it was, and the connection is fit for
/// the next call.
fn lock_limit(call: Duration) -> u64 {
    part(call, 4)
}

fn statement_limit(call: Duration) -> u64 {
    part(call, 8)
}

/// All but one of so many parts, in milliseconds; zero would be no limit.
fn part(call: Duration, parts: u64) -> u64 {
    let millis = u64::try_from(call.as_millis()).unwrap_or(u64::MAX);
    (millis - millis / parts).max(1)
}

/// These are settings of the transaction alone, so nothing remains on a connection that the application shares. They
/// are in one statement, since each costs an answer of its own. Each statement has to see everything that was committed
/// before it. Above all it has to see the writes that held the lock. The last limit is for a process or a network that
/// goes away in the middle. The lock goes with the transaction.
fn opening(call: Duration, durability: Durability) -> String {
    let (lock, statement) = (lock_limit(call), statement_limit(call));
    let setting = match durability {
        Durability::Kept => set_kept!(),
        Durability::Soon => set_soon!(),
    };
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED;\
         SELECT set_config('lock_timeout', '{lock}', true), \
         set_config('statement_timeout', '{statement}', true), \
         set_config('idle_in_transaction_session_timeout', '{statement}', true), {setting};"
    )
}
