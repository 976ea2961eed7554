//! What is asked of a server: one pipeline, or one script.

use std::{sync::LazyLock, time::Duration};

use redis::{Cmd, Pipeline, Script, cmd};

use crate::{clock::Timestamp, session::SessionRecord};

/// Lets a script write though `maxmemory` is reached: revocations must not wait for room, and change
/// nothing in the size of a record.
macro_rules! revoking {
    ($text:expr) => {
        concat!("#!lua flags=allow-oom\n", $text)
    };
}

/// A script, and the digest that servers know it by once they have seen it.
struct Text {
    text: &'static str,
    digest: LazyLock<String>,
}

/// A script in two wordings that do the same.
struct KnownScript {
    /// For Redis 7 and Valkey: with flags, `GT`, and the time within a script.
    full: Text,
    /// For servers that lack one of these.
    plain: Text,
}

macro_rules! script {
    ($name:ident, $full:expr, $plain:expr) => {
        static $name: KnownScript = KnownScript {
            full: script!($full),
            plain: script!($plain),
        };
    };
    ($text:expr) => {
        Text {
            text: $text,
            digest: LazyLock::new(|| Script::new($text).get_hash().to_owned()),
        }
    };
}

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("scripts/", $name, ".lua"))
    };
}

script!(INSERT, file!("insert"), file!("plain_insert"));
script!(SWAP, file!("swap"), file!("plain_swap"));
script!(SWAP_REVOKING, revoking!(file!("swap")), file!("plain_swap"));
script!(REPLACE, file!("replace"), file!("replace"));
script!(
    REPLACE_REVOKING,
    revoking!(file!("replace")),
    file!("replace")
);

/// How a script is sent. Servers forget scripts when they restart and with `SCRIPT FLUSH`, and a node
/// that a slot has moved to may never have had them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// By its text, which teaches the server the digest; else by the digest, which is 40 bytes.
    text: bool,
    /// In the wording that every server understands.
    plain: bool,
}

impl Form {
    /// The form for a connection whose server is known to understand the `plain` wording only, or is not.
    pub(super) fn new(wording: Wording, plain: bool) -> Self {
        Self {
            text: wording != Wording::Known,
            plain: match wording {
                Wording::Known => plain,
                Wording::Full => false,
                Wording::Plain => true,
            },
        }
    }
}

/// The choice of what a script is sent as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wording {
    /// By the digest of the wording that this connection's server was found to understand.
    Known,
    /// By its text, with what Redis 7 has.
    Full,
    /// By its text, without.
    Plain,
}

impl Wording {
    /// The next to try. A server that does not know a script may be another one than before, so it is asked in
    /// full first, unless the plain wording is `settled`: by scripts that need no flag nothing is learnt.
    pub(super) fn next(self, settled: bool) -> Option<Self> {
        match self {
            Self::Known if settled => Some(Self::Plain),
            Self::Known => Some(Self::Full),
            Self::Full => Some(Self::Plain),
            Self::Plain => None,
        }
    }
}

/// Acknowledgement by replicas, as `WAIT` asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) replicas: u32,
    pub(super) at_most: Duration,
}

/// A session as the store has it: its name and its bytes.
pub(super) type Stored = (String, Vec<u8>);

/// What goes over the wire at once. One command alone is less work than a pipeline of one.
pub(super) enum Commands {
    One(Cmd),
    Many(Pipeline),
}

/// Until when a session lives, in the two ways that servers are told.
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

/// What is asked. `key` names a subject's sessions.
pub(super) enum Request<'a> {
    /// What the server says of itself.
    Info,
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
            Self::Read { .. } | Self::ReadPage { .. } => 2,
            // The time alone shows that the server answers; an account may be kept from the rest.
            _ => 1,
        }
    }

    /// Whether a script is run.
    pub(super) fn is_script(&self) -> bool {
        !matches!(self, Self::Info | Self::Read { .. } | Self::ReadPage { .. })
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

impl KnownScript {
    /// The beginning of a call: arguments follow, of so many bytes.
    fn call(&self, form: Form, key: &str, count: usize, bytes: usize) -> Cmd {
        let script = if form.plain { &self.plain } else { &self.full };
        let (command, name) = if form.text {
            ("EVAL", script.text)
        } else {
            ("EVALSHA", script.digest.as_str())
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

/// How many sessions are read at once. A server does nothing else meanwhile: this takes it half a
/// millisecond. Up to here a subject's sessions are read as they are at one moment.
pub(super) const PAGE: usize = 512;

/// The server counts with a sign, and adds to it.
const LATEST: u64 = u64::MAX / 4;

/// The read comes first: in a cluster, what a node lets through that is giving the slot away is the first
/// command only.
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
