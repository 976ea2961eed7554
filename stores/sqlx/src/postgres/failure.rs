//! Errors of the server: whether the connection is fit, whether another attempt helps, and which cure there is.

use sqlx::postgres::{PgDatabaseError, PgSeverity};
use tower_bearer::store::{DecodeError, StoreError, StoreErrorKind};

use crate::fault::Fault;

/// An attempt that did not succeed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) class: Class,
    pub(super) error: StoreError,
}

/// The consequence of a [`Failure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Another transaction was in the way and the server gave up this one: it may work at once.
    Contended,
    /// The server answered, and another attempt would be answered likewise.
    Final,
    /// The connection is of no use any more. The server may or may not have carried out the call. Every operation may
    /// be done twice, so another connection finds out.
    Lost,
    /// The same, and connections that were opened before are useless too: the server ends, or it takes no writes. Where
    /// the socket broke, that is likely: most break because the server or the way to it has gone.
    Gone,
    /// The server was not asked: there was no connection to ask it by.
    Unasked,
}

impl Failure {
    pub(super) fn last(error: StoreError) -> Self {
        Self {
            class: Class::Final,
            error,
        }
    }

    pub(super) fn lost(error: StoreError) -> Self {
        Self {
            class: Class::Lost,
            error,
        }
    }

    pub(super) fn unasked(why: impl Into<String>) -> Self {
        Self {
            class: Class::Unasked,
            error: Fault::new(why).unavailable(),
        }
    }

    /// The server is a replica: its answer may be old.
    pub(super) fn replica() -> Self {
        Self::gone(Fault::new(NO_WRITES).unavailable())
    }

    fn gone(error: StoreError) -> Self {
        Self {
            class: Class::Gone,
            error,
        }
    }
}

impl Class {
    /// Whether the connection is not to be used again.
    pub(super) fn ends_the_connection(self) -> bool {
        matches!(self, Self::Lost | Self::Gone)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::last(error)
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Self::last(error.into())
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error::{
            ColumnDecode, Configuration, Database, Decode, Io, PoolClosed, PoolTimedOut, Tls,
        };
        match error {
            Database(error) => match error.try_downcast_ref::<PgDatabaseError>() {
                Some(said) => said_by_the_server(said),
                None => Self::last(StoreError::unavailable(error.message().to_owned())),
            },
            Configuration(error) => Self::last(
                Fault::from(
                    error,
                    "the address cannot be used: postgres://user@host/database",
                )
                .refused(),
            ),
            Tls(error) => Self::last(
                Fault::from(
                    error,
                    "no TLS with this server: look at sslmode and sslrootcert in the address",
                )
                .refused(),
            ),
            PoolTimedOut => Self::unasked(
                "every connection of the pool was in use: allow more, or return them sooner",
            ),
            PoolClosed => Self::unasked(CLOSED),
            ColumnDecode { .. } | Decode(_) => Self::last(StoreError::new(
                StoreErrorKind::Corrupt,
                Fault::from(
                    error,
                    "the tables have columns of other types than schema/postgres.sql",
                ),
            )),
            Io(error) => Self::gone(Fault::from(error, UNREACHED).unavailable()),
            // An answer that makes no sense: later answers are not to be trusted.
            error => Self::lost(Fault::from(error, UNREACHED).unavailable()),
        }
    }
}

pub(super) const CLOSED: &str = "the store is closed";

const UNREACHED: &str =
    "the server cannot be reached: look whether it runs, and at host and port of the address";

/// No connection came about.
pub(super) fn away() -> Failure {
    Failure::lost(
        Fault::new("no connection in time: the server is away, or overloaded").unavailable(),
    )
}

const NO_WRITES: &str = "this server takes no writes: it is a replica, or a failover made it one. The address has \
     to lead to the primary";

const NOT_KEPT: &str = "the server does not take or does not keep the connection";

const OTHER_PREPARED: &str = "the server does not know what this connection has prepared, as behind pgbouncer: set \
                              `prepared_statements(false)`";

/// By the SQLSTATE: the texts are translated.
fn said_by_the_server(said: &PgDatabaseError) -> Failure {
    // Code and message alone: the detail of some errors repeats a row.
    let text = format!("{}: {}", said.code(), said.message());
    let is_fatal = matches!(said.severity(), PgSeverity::Fatal | PgSeverity::Panic);
    let lost = |cure: &str| Failure::lost(Fault::from(text.clone(), cure).unavailable());
    let gone = |cure: &str| Failure::gone(Fault::from(text.clone(), cure).unavailable());
    let refused = |cure: &str| Failure::last(Fault::from(text.clone(), cure).refused());
    let unavailable = |cure: &str| Failure::last(Fault::from(text.clone(), cure).unavailable());
    let contended = |cure: &str| Failure {
        class: Class::Contended,
        error: Fault::from(text.clone(), cure).unavailable(),
    };
    match said.code() {
        "40001" | "40P01" => contended(
            "other transactions were in the way: run this one again, and make those of the application shorter",
        ),
        "25006" => gone(NO_WRITES),
        "57P01" | "57P02" | "57P03" => gone(NOT_KEPT),
        "55P03" => unavailable(
            "another session holds a lock on these rows or on the table: find it with `SELECT * FROM pg_locks`",
        ),
        "57014" => unavailable(
            "the statement took longer than it may: look at the server's load, or raise `timeout`",
        ),
        "42501" => refused(
            "the account may not do this. GRANT SELECT, INSERT, UPDATE, DELETE ON tower_bearer_sessions to it, and \
             SELECT ON tower_bearer_schema. To migrate() it needs CREATE on the schema",
        ),
        "42P01" => refused(
            "the tables are missing: call migrate(), or run schema/postgres.sql; in another schema they have to be on \
             the search_path",
        ),
        "42P07" => refused(
            "a table of that name is there, and no row of tower_bearer_schema tells its version. Run the rest of \
             schema/postgres.sql by hand, or move the table out of the way",
        ),
        "42703" | "42804" | "42883" | "42846" => refused(
            "the tables are not those of schema/postgres.sql: compare them, or migrate() into an empty schema",
        ),
        "53100" => refused("the server's disk is full: make room; what was stored stays"),
        "28000" | "28P01" | "3D000" => refused(
            "the server refuses this account or database: look at user, password and database of the address, and at \
             pg_hba.conf",
        ),
        "26000" | "42P05" => refused(OTHER_PREPARED),
        // Of a server it is about statements that were mixed up; pgbouncer says so about almost anything.
        "08P01" if !is_fatal => refused(OTHER_PREPARED),
        "08P01" if said.message().contains("startup parameter") => refused(
            "the pooler takes none of the settings that a connection begins with: set `prepared_statements(false)`",
        ),
        "XX001" | "XX002" => Failure::last(StoreError::new(
            StoreErrorKind::Corrupt,
            Fault::from(
                text,
                "the server's files are damaged: restore it from a backup",
            ),
        )),
        // A plan of before a change of the table, or a transaction that an error has ended. It does not work on this
        // connection.
        "0A000" | "25P02" => lost("the connection is not in the state that it was left in"),
        // Any other error of these classes passes: connections, resources, an operator's doing, the system.
        code if is_fatal
            || ["08", "53", "57", "58"].contains(&code.get(..2).unwrap_or_default()) =>
        {
            lost(NOT_KEPT)
        }
        _ => refused("the server refuses the statement"),
    }
}

#[cfg(test)]
mod tests {
    use std::{error::Error as _, io};

    use super::*;

    #[test]
    fn a_broken_connection_is_no_answer_and_another_one_is_tried() {
        let failure = Failure::from(sqlx::Error::Io(io::ErrorKind::ConnectionReset.into()));
        assert_eq!(failure.class, Class::Gone);
        assert_eq!(failure.error.kind(), StoreErrorKind::Unavailable);
    }

    #[test]
    fn an_answer_that_makes_no_sense_says_nothing_of_other_connections() {
        let failure = Failure::from(sqlx::Error::Protocol("unexpected message".into()));
        assert_eq!(failure.class, Class::Lost);
        assert_eq!(failure.error.kind(), StoreErrorKind::Unavailable);
    }

    #[test]
    fn a_pool_without_a_connection_passes_and_a_bad_address_does_not() {
        let failure = Failure::from(sqlx::Error::PoolTimedOut);
        assert_eq!(failure.class, Class::Unasked);
        assert_eq!(failure.error.kind(), StoreErrorKind::Unavailable);
        let failure = Failure::from(sqlx::Error::Configuration("no host".into()));
        assert_eq!(failure.error.kind(), StoreErrorKind::Refused);
        let source = failure.error.source().unwrap().to_string();
        assert!(source.contains("postgres://"), "{source}");
    }

    #[test]
    fn a_column_of_another_type_is_damage() {
        let error = sqlx::Error::ColumnDecode {
            index: "record".into(),
            source: "text".into(),
        };
        assert_eq!(Failure::from(error).error.kind(), StoreErrorKind::Corrupt);
    }
}
