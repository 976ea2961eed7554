//! Servers on loopback, as the tests of the store have them.
#![allow(dead_code, reason = "the tests use more of it")]

#[path = "../../../../stores/sqlx/tests/postgres/support/process.rs"]
mod process;
#[path = "../../../../stores/sqlx/tests/postgres/support/scratch.rs"]
mod scratch;
#[path = "../../../../stores/sqlx/tests/postgres/support/server.rs"]
mod server;

#[path = "../../../../tests/it/support/redis/port.rs"]
mod port;
#[path = "../../../../tests/it/support/redis/wait.rs"]
mod wait;

pub(crate) use self::server::Server;

/// Returns the path of a program of PostgreSQL.
pub fn program(name: &str) -> std::path::PathBuf {
    process::program(name)
}
