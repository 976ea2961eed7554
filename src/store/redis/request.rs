//! A request to a server: one pipeline, or one script.

use std::time::Duration;

use redis::{Cmd, Pipeline, cmd};

use super::script::{Form, INSERT, REPLACE, REPLACE_REVOKING, SWAP, SWAP_REVOKING};
use crate::{clock::Timestamp, session::SessionRecord};

/// Acknowledgement by replicas, as `WAIT` asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) replicas: u32,
    pub(super) at_most: Duration,
}

/// A session as the store has it: its name and its bytes.
pub(super) type Stored = (String, Vec<u8>);

/// The commands that go over the wire at once. One command alone is less work than a pipeline of one.
pub(super) enum Commands {
    One(Cmd),
    Many(Pipeline),
}

/// Until when a session lives, in the two forms that servers take.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Expiry {
    at: Timestamp,
    /// Counted from the last time in the record: at least what is left of it.
    within: Duration,
}

impl Expiry {
    /// That of the last of `sessions`, as seen from `now`.
    pub(super) fn of_all(sessions: &[SessionRecord], now: Timestamp) -> Self {
        let at = sessions.iter().map(SessionRecord::expires_at).max();
        let at = at.unwrap_or_default();
        let within = at.since(now);
        Self { at, within }
    }

    pub(super) fn of(record: &SessionRecord) -> Self {
        let at = record.expires_at();
        Self {
            at,
            within: at.since(record.last_seen()),
        }
    }

    /// As the wording has it.
    fn argument(self, plain: bool) -> u64 {
        if plain {
            // Zero would remove all sessions.
            u64::try_from(self.within.as_millis()).map_or(LATEST, |left| left.clamp(1, LATEST))
        } else {
            milliseconds(self.at)
        }
    }
}

/// A request. `key` names a subject's sessions.
pub(super) enum Request<'a> {
    /// The server's word of itself, and whether it would show the names of keys, and of `nodes`.
    Info { pattern: &'a str, nodes: bool },
    /// All nodes of a cluster, as one of them sees them.
    Nodes,
    /// Which server it is; of a cluster the master of `slot`, and which slots are its own.
    Identify { slot: Option<u16> },
    /// Some keys with a name like `pattern` from `cursor` on, and which server has them.
    Scan {
        slot: Option<u16>,
        pattern: &'a str,
        cursor: &'a [u8],
    },
    /// One session, and the time.
    Read { key: &'a str, session: &'a str },
    /// Some [`PAGE`] sessions of the subject from `cursor` on, and the time.
    ReadPage { key: &'a str, cursor: &'a [u8] },
    /// A session more, if there are fewer than `limit`.
    Insert {
        key: &'a str,
        session: &'a str,
        record: &'a [u8],
        limit: usize,
        expiry: Expiry,
    },
    /// One session for another version of it.
    Swap {
        key: &'a str,
        session: &'a str,
        current: &'a [u8],
        next: &'a [u8],
        /// Where the session lives longer than before, until when.
        extends_to: Option<Expiry>,
        revokes: bool,
    },
    /// How many replicas have this record and all before it. It is written once more, as it is, so that
    /// the connection has a write to wait for.
    Confirm {
        key: &'a str,
        session: &'a str,
        record: &'a [u8],
        wait: Wait,
    },
    /// Several sessions, if there are `count` of which those in `read` are as they were read. A change
    /// without bytes removes a session.
    Replace {
        key: &'a str,
        /// How many there are, where that counts.
        count: Option<usize>,
        read: &'a [Stored],
        changes: &'a [Stored],
        expiry: Expiry,
        revokes: bool,
    },
}

impl Request<'_> {
    /// The commands.
    pub(super) fn commands(&self, form: Form) -> Commands {
        match self {
            Self::Info { pattern, nodes } => {
                let mut pipeline = Pipeline::with_capacity(4);
                pipeline.cmd("TIME").cmd("INFO");
                pipeline.add_command(scan(b"0", pattern, 1));
                if *nodes {
                    pipeline.cmd("CLUSTER").arg("NODES");
                }
                Commands::Many(pipeline)
            }
            Self::Nodes => {
                let mut pipeline = Pipeline::with_capacity(1);
                pipeline.cmd("CLUSTER").arg("NODES");
                Commands::Many(pipeline)
            }
            Self::Identify { slot } => {
                let mut pipeline = Pipeline::with_capacity(2);
                pipeline.cmd("INFO");
                if slot.is_some() {
                    pipeline.cmd("CLUSTER").arg("NODES");
                }
                Commands::Many(pipeline)
            }
            Self::Scan {
                slot: _,
                pattern,
                cursor,
            } => {
                let mut pipeline = Pipeline::with_capacity(2);
                pipeline.add_command(scan(cursor, pattern, KEYS));
                pipeline.cmd("INFO");
                Commands::Many(pipeline)
            }
            Self::Read { key, session } => {
                let mut read = cmd("HGET");
                read.arg(key).arg(session);
                and_time(read)
            }
            Self::ReadPage { key, cursor } => {
                let mut read = cmd("HSCAN");
                read.arg(key).arg(cursor).arg("COUNT").arg(PAGE);
                and_time(read)
            }
            Self::Insert {
                key,
                session,
                record,
                limit,
                expiry,
            } => {
                let bytes = session.len() + record.len() + 2 * DIGITS;
                let mut script = INSERT.call(form, key, 4, bytes);
                script.arg(session).arg(record).arg(limit);
                script.arg(expiry.argument(form.plain));
                Commands::One(script)
            }
            Self::Swap {
                key,
                session,
                current,
                next,
                extends_to,
                revokes,
            } => {
                let known = if *revokes { &SWAP_REVOKING } else { &SWAP };
                let bytes = session.len() + current.len() + next.len() + DIGITS;
                let mut script = known.call(form, key, 4, bytes);
                script.arg(session).arg(current).arg(next);
                if let Some(expiry) = extends_to {
                    script.arg(expiry.argument(form.plain));
                }
                Commands::One(script)
            }
            Self::Confirm {
                key,
                session,
                record,
                wait: Wait { replicas, at_most },
            } => {
                let bytes = session.len() + 2 * record.len();
                let mut script = SWAP_REVOKING.call(form, key, 3, bytes);
                script.arg(session).arg(record).arg(record);
                let millis = u64::try_from(at_most.as_millis()).unwrap_or(u64::MAX);
                let mut pipeline = Pipeline::with_capacity(2);
                pipeline.add_command(script);
                pipeline.cmd("WAIT").arg(replicas).arg(millis);
                Commands::Many(pipeline)
            }
            Self::Replace {
                key,
                count,
                read,
                changes,
                expiry,
                revokes,
            } => {
                let known = if *revokes {
                    &REPLACE_REVOKING
                } else {
                    &REPLACE
                };
                let sessions = || read.iter().chain(*changes);
                let bytes: usize = sessions()
                    .map(|(name, bytes)| name.len() + bytes.len())
                    .sum();
                let arguments = 4 + 2 * (read.len() + changes.len());
                let mut script = known.call(form, key, arguments, bytes + 4 * DIGITS);
                script.arg(expiry.argument(false));
                script.arg(or_none(form.plain.then(|| expiry.argument(true))));
                script.arg(or_none(*count)).arg(read.len());
                for (session, bytes) in sessions() {
                    script.arg(session).arg(bytes);
                }
                Commands::One(script)
            }
        }
    }

    /// How many replies the request cannot do without. The one to `WAIT` is not among them: the write
    /// before it has happened.
    pub(super) fn essential(&self) -> usize {
        match self {
            Self::Read { .. } | Self::ReadPage { .. } | Self::Scan { .. } => 2,
            Self::Identify { slot } => 1 + usize::from(slot.is_some()),
            // The time alone shows that the server answers; an account may be kept from the rest.
            _ => 1,
        }
    }

    /// The slot of a cluster whose master is asked, where no key tells.
    pub(super) fn slot(&self) -> Option<u16> {
        match self {
            Self::Identify { slot } | Self::Scan { slot, .. } => *slot,
            _ => None,
        }
    }

    /// Whether a script is run.
    pub(super) fn is_script(&self) -> bool {
        match self {
            Self::Confirm { .. }
            | Self::Insert { .. }
            | Self::Replace { .. }
            | Self::Swap { .. } => true,
            Self::Identify { .. }
            | Self::Info { .. }
            | Self::Nodes
            | Self::Read { .. }
            | Self::ReadPage { .. }
            | Self::Scan { .. } => false,
        }
    }

    /// Whether the script may write though the server's memory is full.
    pub(super) fn is_revoking(&self) -> bool {
        match self {
            Self::Swap { revokes, .. } | Self::Replace { revokes, .. } => *revokes,
            Self::Confirm { .. } => true,
            _ => false,
        }
    }
}

/// The most digits of a number.
const DIGITS: usize = 20;

/// How many sessions are read at once. A server does nothing else meanwhile: this takes it half a
/// millisecond. Up to here a subject's sessions are read as they are at one moment.
pub(super) const PAGE: usize = 512;

/// How many keys are looked at for one page of names. It takes a server less time than such a page of sessions.
const KEYS: usize = 1000;

/// The server counts with a sign, and adds to it.
const LATEST: u64 = u64::MAX / 4;

fn scan(cursor: &[u8], pattern: &str, count: usize) -> Cmd {
    let mut scan = cmd("SCAN");
    scan.arg(cursor).arg("MATCH").arg(pattern);
    scan.arg("COUNT").arg(count);
    scan
}

/// The read comes first. In a cluster, a node that is giving the slot away lets only the first command through.
fn and_time(read: Cmd) -> Commands {
    let mut pipeline = Pipeline::with_capacity(2);
    pipeline.add_command(read);
    pipeline.cmd("TIME");
    Commands::Many(pipeline)
}

/// As the scripts take what may be left out.
fn or_none(number: Option<impl ToString>) -> String {
    number.map_or_else(String::new, |number| number.to_string())
}

/// A time as `PEXPIREAT` takes it.
fn milliseconds(at: Timestamp) -> u64 {
    at.as_millis().min(LATEST)
}
