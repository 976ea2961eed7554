//! What is asked of a server: one pipeline, or one script.

use std::{sync::LazyLock, time::Duration};

use redis::{Cmd, Pipeline, Script, cmd};

use crate::clock::Timestamp;

/// Lets a script write though `maxmemory` is reached: revocations must not wait for room, and change
/// nothing in the size of a record.
macro_rules! revoking {
    ($text:expr) => {
        concat!("#!lua flags=allow-oom\n", $text)
    };
}

/// A script, and the digest that servers know it by once they have seen it.
pub(super) struct KnownScript {
    text: &'static str,
    digest: LazyLock<String>,
}

macro_rules! script {
    ($name:ident, $text:expr) => {
        static $name: KnownScript = KnownScript {
            text: $text,
            digest: LazyLock::new(|| Script::new($text).get_hash().to_owned()),
        };
    };
}

script!(SWAP, include_str!("swap.lua"));
script!(SWAP_REVOKING, revoking!(include_str!("swap.lua")));
script!(REPLACE, include_str!("replace.lua"));
script!(REPLACE_REVOKING, revoking!(include_str!("replace.lua")));

/// How a script is named. Servers forget scripts when they restart and with `SCRIPT FLUSH`, and a node
/// that a slot has moved to may never have had them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// By its digest: 40 bytes.
    Digest,
    /// By its text, which teaches the server the digest.
    Text,
}

/// Acknowledgement by replicas, as `WAIT` asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) replicas: u32,
    pub(super) at_most: Duration,
}

/// A session as the store has it: its name and its bytes.
pub(super) type Stored = (Vec<u8>, Vec<u8>);

/// What goes over the wire at once. One command alone is less work than a pipeline of one.
pub(super) enum Commands {
    One(Cmd),
    Many(Pipeline),
}

/// What is asked. `key` names a subject's sessions.
pub(super) enum Request<'a> {
    /// What the server says of itself.
    Info,
    /// One session, and the time.
    Read { key: &'a str, session: &'a str },
    /// All sessions of the subject, and the time.
    ReadAll { key: &'a str },
    /// One session for another version of it.
    Swap {
        key: &'a str,
        session: &'a str,
        current: &'a [u8],
        next: &'a [u8],
        /// Where the session lives longer than before, until when.
        extends_to: Option<Timestamp>,
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
    /// Several sessions, if all are as they were read. A change without bytes removes a session.
    Replace {
        key: &'a str,
        read: &'a [Stored],
        changes: &'a [Stored],
        lives_until: Timestamp,
        revokes: bool,
    },
}

impl Request<'_> {
    /// The commands.
    pub(super) fn commands(&self, naming: Naming) -> Commands {
        match self {
            Self::Info => {
                let mut pipeline = Pipeline::with_capacity(2);
                pipeline.cmd("TIME").cmd("INFO");
                Commands::Many(pipeline)
            }
            Self::Read { key, session } => {
                let mut read = cmd("HGET");
                read.arg(key).arg(session);
                and_time(read)
            }
            Self::ReadAll { key } => {
                let mut read = cmd("HGETALL");
                read.arg(key);
                and_time(read)
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
                let mut script = known.call(naming, key, 4, bytes);
                script.arg(session).arg(current).arg(next);
                if let Some(until) = extends_to {
                    script.arg(milliseconds(*until));
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
                let mut script = SWAP_REVOKING.call(naming, key, 3, bytes);
                script.arg(session).arg(record).arg(record);
                let millis = u64::try_from(at_most.as_millis()).unwrap_or(u64::MAX);
                let mut pipeline = Pipeline::with_capacity(2);
                pipeline.add_command(script);
                pipeline.cmd("WAIT").arg(replicas).arg(millis);
                Commands::Many(pipeline)
            }
            Self::Replace {
                key,
                read,
                changes,
                lives_until,
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
                let count = 2 + 2 * (read.len() + changes.len());
                let mut script = known.call(naming, key, count, bytes + 2 * DIGITS);
                script.arg(milliseconds(*lives_until)).arg(read.len());
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
            Self::Read { .. } | Self::ReadAll { .. } => 2,
            // The time alone shows that the server answers; an account may be kept from the rest.
            Self::Info | Self::Swap { .. } | Self::Confirm { .. } | Self::Replace { .. } => 1,
        }
    }
}

impl KnownScript {
    /// The beginning of a call: arguments follow, of so many bytes.
    fn call(&self, naming: Naming, key: &str, count: usize, bytes: usize) -> Cmd {
        let (command, name) = match naming {
            Naming::Digest => ("EVALSHA", self.digest.as_str()),
            Naming::Text => ("EVAL", self.text),
        };
        // Room for all of it at once: records are large, and would be moved whenever it grows.
        let own = command.len() + name.len() + 1 + key.len();
        let mut call = Cmd::with_capacity(4 + count, own + bytes);
        call.arg(command).arg(name).arg(1).arg(key);
        call
    }
}

/// The most digits of a number.
const DIGITS: usize = 20;

/// The read comes first: in a cluster, what a node lets through that is giving the slot away is the first
/// command only.
fn and_time(read: Cmd) -> Commands {
    let mut pipeline = Pipeline::with_capacity(2);
    pipeline.add_command(read);
    pipeline.cmd("TIME");
    Commands::Many(pipeline)
}

/// What `PEXPIREAT` takes: the server counts with a sign, and adds to it.
fn milliseconds(at: Timestamp) -> u64 {
    const LATEST: u64 = u64::MAX / 4;
    at.as_millis().min(LATEST)
}
