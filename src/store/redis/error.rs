//! Conclusions from a failed request about the server.

use redis::{ErrorKind, RedisError, Value};

use crate::store::{StoreError, StoreErrorKind};

/// Why a request has no result.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: FaultKind,
    error: RedisError,
}

/// The action after a [`Fault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// The server is not ready or busy, or the slot is on its way to another one. A moment later it works.
    Busy,
    /// The connection is gone and the request with it: it may or may not have been carried out. The
    /// same request over a new connection finds out, since every one may be carried out twice.
    Dropped,
    /// A script that the server does not have (any more): it is sent along.
    NoScript,
    /// The server answered, and will answer so again.
    Refused,
    /// A replica answered: the master is somewhere else by now.
    Replica,
    /// Nothing came back within the time-out.
    Silent,
}

impl Fault {
    pub(super) fn new(error: RedisError) -> Self {
        Self {
            kind: kind(&error),
            error,
        }
    }

    /// No reply came: `what` names the request.
    pub(super) fn silent(what: &'static str) -> Self {
        Self {
            kind: FaultKind::Silent,
            error: std::io::Error::new(std::io::ErrorKind::TimedOut, what).into(),
        }
    }

    /// Another server answered than the one that was meant.
    pub(super) fn misdirected(what: &'static str) -> Self {
        Self {
            kind: FaultKind::Replica,
            error: (ErrorKind::UnexpectedReturnType, what).into(),
        }
    }

    /// A connection could not be opened. Whatever the reason, no request got anywhere.
    pub(super) fn no_connection(error: RedisError) -> Self {
        let kind = match kind(&error) {
            // The server takes connections, and wants others than this one.
            FaultKind::Refused if !error.is_io_error() => FaultKind::Refused,
            FaultKind::Busy => FaultKind::Busy,
            _ => FaultKind::Silent,
        };
        Self { kind, error }
    }

    /// The first error among the replies to a pipeline.
    pub(super) fn among(replies: &[Value]) -> Option<Self> {
        replies.iter().find_map(|reply| match reply {
            Value::ServerError(error) => Some(Self::new(error.clone().into())),
            _ => None,
        })
    }

    /// Whether the wording of a script may be what the server did not understand: it names no other reason.
    pub(super) fn is_unnamed(&self) -> bool {
        self.kind == FaultKind::Refused && code(&self.error) == Some(UNNAMED)
    }

    /// Whether the server's memory is full.
    pub(super) fn is_full(&self) -> bool {
        code(&self.error) == Some("OOM")
    }

    /// Whether the server has said anything.
    pub(super) fn is_answer(&self) -> bool {
        !matches!(self.kind, FaultKind::Silent | FaultKind::Dropped)
    }
}

impl From<Fault> for StoreError {
    fn from(Fault { kind, error }: Fault) -> Self {
        let kind = match (code(&error), kind) {
            (Some("OOM"), _) => StoreErrorKind::Full,
            // Something else than sessions lies under the key.
            (Some("WRONGTYPE"), _) => StoreErrorKind::Corrupt,
            (_, FaultKind::Refused) => StoreErrorKind::Refused,
            _ => StoreErrorKind::Unavailable,
        };
        Self::new(kind, error)
    }
}

/// A reply that no server gives to this request: another script, or something in between.
pub(super) fn unexpected() -> StoreError {
    StoreError::unavailable("an unexpected reply from Redis")
}

fn kind(error: &RedisError) -> FaultKind {
    match error.kind() {
        ErrorKind::Io if error.is_timeout() => return FaultKind::Silent,
        ErrorKind::Io | ErrorKind::Parse | ErrorKind::ClusterConnectionNotFound => {
            return FaultKind::Dropped;
        }
        ErrorKind::MasterNameNotFoundBySentinel => return FaultKind::Busy,
        _ => {}
    }
    match code(error).unwrap_or_default() {
        // The server does something that takes its time, or a replica is missing: both pass.
        "ASK" | "BUSY" | "CLUSTERDOWN" | "LOADING" | "MOVED" | "NOREPLICAS" | "TRYAGAIN" => {
            FaultKind::Busy
        }
        "NOSCRIPT" => FaultKind::NoScript,
        // Only a replica has a master to miss.
        "MASTERDOWN" | "READONLY" => FaultKind::Replica,
        // The one refusal that passes and has no code: said to a connection that is then closed.
        UNNAMED if detail(error).starts_with("max number of clients") => FaultKind::Busy,
        _ => FaultKind::Refused,
    }
}

/// The code of errors that have none of their own.
const UNNAMED: &str = "ERR";

fn detail(error: &RedisError) -> &str {
    error.detail().unwrap_or_default()
}

/// The code that names the fault. Redis 6 and its relatives name none for a fault within a script. They put it behind
/// the place in the script: `ERR Error running script (call to f_…):
/// @user_script:3: @user_script: 3: -OOM command not allowed`.
fn code(error: &RedisError) -> Option<&str> {
    let code = error.code()?;
    let detail = detail(error);
    if code != UNNAMED {
        return Some(code);
    }
    // Dragonfly has no code for it.
    if detail.contains("Out of memory") {
        return Some("OOM");
    }
    let within = detail.strip_prefix("Error running script").map(|detail| {
        let words = detail.split(' ').map(|word| word.trim_start_matches('-'));
        let is_code = |word: &&str| word.len() > 2 && word.bytes().all(|b| b.is_ascii_uppercase());
        words.into_iter().find(is_code)
    });
    within.flatten().or(Some(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(error: &str) -> Fault {
        let value = redis::parse_redis_value(format!("-{error}\r\n").as_bytes()).unwrap();
        Fault::among(&[Value::Okay, value]).unwrap()
    }

    #[test]
    fn the_servers_error_decides_the_next_action() {
        for (error, kind, store) in [
            (
                "LOADING Redis is loading the dataset in memory",
                FaultKind::Busy,
                StoreErrorKind::Unavailable,
            ),
            (
                "CLUSTERDOWN The cluster is down",
                FaultKind::Busy,
                StoreErrorKind::Unavailable,
            ),
            (
                "TRYAGAIN Multiple keys request during rehashing of slot",
                FaultKind::Busy,
                StoreErrorKind::Unavailable,
            ),
            (
                "MASTERDOWN Link with MASTER is down",
                FaultKind::Replica,
                StoreErrorKind::Unavailable,
            ),
            (
                "MOVED 1 127.0.0.1:7000",
                FaultKind::Busy,
                StoreErrorKind::Unavailable,
            ),
            (
                "NOSCRIPT No matching script",
                FaultKind::NoScript,
                StoreErrorKind::Unavailable,
            ),
            (
                "READONLY You can't write against a read only replica.",
                FaultKind::Replica,
                StoreErrorKind::Unavailable,
            ),
            (
                "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
                FaultKind::Busy,
                StoreErrorKind::Unavailable,
            ),
            (
                "NOREPLICAS Not enough good replicas to write.",
                FaultKind::Busy,
                StoreErrorKind::Unavailable,
            ),
            (
                "ERR max number of clients reached",
                FaultKind::Busy,
                StoreErrorKind::Unavailable,
            ),
            (
                "MISCONF Redis is configured to save RDB snapshots",
                FaultKind::Refused,
                StoreErrorKind::Refused,
            ),
            (
                "NOPERM this user has no permissions",
                FaultKind::Refused,
                StoreErrorKind::Refused,
            ),
            (
                "ERR unknown command",
                FaultKind::Refused,
                StoreErrorKind::Refused,
            ),
            (
                "OOM command not allowed when used memory > 'maxmemory'.",
                FaultKind::Refused,
                StoreErrorKind::Full,
            ),
            (
                "WRONGTYPE Operation against a key",
                FaultKind::Refused,
                StoreErrorKind::Corrupt,
            ),
            // As Redis 6.2 says it of a command within a script.
            (
                "ERR Error running script (call to f_a38b): @user_script:1: WRONGTYPE Operation against",
                FaultKind::Refused,
                StoreErrorKind::Corrupt,
            ),
            (
                "ERR Error running script (call to f_fb86): @user_script:1: @user_script: 1: -OOM command",
                FaultKind::Refused,
                StoreErrorKind::Full,
            ),
            (
                "ERR Error running script (call to f_fb86): @user_script:1: @user_script: 1: -READONLY You",
                FaultKind::Replica,
                StoreErrorKind::Unavailable,
            ),
            // As Dragonfly says it.
            (
                "ERR Out of memory",
                FaultKind::Refused,
                StoreErrorKind::Full,
            ),
        ] {
            let fault = reply(error);
            assert_eq!(fault.kind, kind, "{error}");
            assert!(fault.is_answer(), "{error}");
            assert_eq!(StoreError::from(fault).kind(), store, "{error}");
        }
    }

    #[test]
    fn only_an_error_without_a_name_may_be_about_the_wording() {
        for (error, unnamed) in [
            (
                "ERR Error compiling script (new function): user_script:1: unexpected symbol near '#'",
                true,
            ),
            (
                "ERR Error running script (call to f_58e7): @user_script:1: @user_script: 1: Wrong number of args",
                true,
            ),
            ("ERR Invalid flag: allow-oom", true),
            (
                "ERR Error running script (call to f_a38b): @user_script:1: WRONGTYPE Operation against",
                false,
            ),
            ("ERR max number of clients reached", false),
            ("NOPERM this user has no permissions", false),
            (
                "OOM command not allowed when used memory > 'maxmemory'.",
                false,
            ),
        ] {
            assert_eq!(reply(error).is_unnamed(), unnamed, "{error}");
        }
    }

    #[test]
    fn a_connection_that_breaks_is_not_an_answer() {
        use std::io;
        for (error, kind) in [
            (io::ErrorKind::TimedOut, FaultKind::Silent),
            (io::ErrorKind::BrokenPipe, FaultKind::Dropped),
            (io::ErrorKind::ConnectionReset, FaultKind::Dropped),
            (io::ErrorKind::UnexpectedEof, FaultKind::Dropped),
        ] {
            let fault = Fault::new(io::Error::from(error).into());
            assert_eq!(fault.kind, kind);
            assert!(!fault.is_answer());
        }
        let refused =
            Fault::no_connection(io::Error::from(io::ErrorKind::ConnectionRefused).into());
        assert_eq!(refused.kind, FaultKind::Silent);
        let password = Fault::no_connection((ErrorKind::AuthenticationFailed, "no").into());
        assert_eq!(password.kind, FaultKind::Refused);
    }
}
