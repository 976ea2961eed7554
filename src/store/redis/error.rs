//! What a failed request says about the server, and what follows from it.

use redis::{ErrorKind, RedisError, ServerErrorKind, Value};

use crate::store::{StoreError, StoreErrorKind};

/// Why a request has no result.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: FaultKind,
    error: RedisError,
}

/// What is to be done about a [`Fault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// The server is not ready yet, or the slot is on its way to another one: a moment later it works.
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

    /// Nothing came back: `what` says of what.
    pub(super) fn silent(what: &'static str) -> Self {
        Self {
            kind: FaultKind::Silent,
            error: std::io::Error::new(std::io::ErrorKind::TimedOut, what).into(),
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

    /// Whether the server has said anything.
    pub(super) fn is_answer(&self) -> bool {
        !matches!(self.kind, FaultKind::Silent | FaultKind::Dropped)
    }
}

impl From<Fault> for StoreError {
    fn from(Fault { kind, error }: Fault) -> Self {
        let kind = match (error.code(), kind) {
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
        ErrorKind::Io if error.is_timeout() => FaultKind::Silent,
        ErrorKind::Io | ErrorKind::Parse | ErrorKind::ClusterConnectionNotFound => {
            FaultKind::Dropped
        }
        ErrorKind::MasterNameNotFoundBySentinel => FaultKind::Busy,
        ErrorKind::Server(kind) => match kind {
            ServerErrorKind::BusyLoading
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::Moved
            | ServerErrorKind::Ask
            | ServerErrorKind::TryAgain => FaultKind::Busy,
            ServerErrorKind::NoScript => FaultKind::NoScript,
            // Only a replica has a master to miss.
            ServerErrorKind::MasterDown | ServerErrorKind::ReadOnly => FaultKind::Replica,
            _ => FaultKind::Refused,
        },
        _ => FaultKind::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(error: &str) -> Fault {
        let value = redis::parse_redis_value(format!("-{error}\r\n").as_bytes()).unwrap();
        Fault::among(&[Value::Okay, value]).unwrap()
    }

    #[test]
    fn what_a_server_says_decides_what_follows() {
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
        ] {
            let fault = reply(error);
            assert_eq!(fault.kind, kind, "{error}");
            assert!(fault.is_answer(), "{error}");
            assert_eq!(StoreError::from(fault).kind(), store, "{error}");
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
