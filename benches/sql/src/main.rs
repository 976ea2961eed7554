//! Rotations a second over PostgreSQL and SQLite. The stores of tower-bearer-sqlx stand beside tools that do the same
//! work.
//!
//! A rotation is two statements: one reads the session, one replaces it. `pgbench` and a bare loop over rusqlite run
//! the very statements of the stores. tower-sessions loads and saves a session of the same size. All of them take turns
//! in rounds, over one server or one disk, and ratios are taken within a round.

mod postgres;
mod report;
#[path = "../../support/sessions.rs"]
#[allow(dead_code, reason = "another bench uses the rest")]
mod sessions;
mod sqlite;
mod work;

use std::{process::ExitCode, time::Duration};

use crate::report::Report;

const USAGE: &str = "\
Usage: cargo run --release --manifest-path benches/sql/Cargo.toml [-- [--check] [postgres | sqlite]]

Prints rotations a second and their ratios. It takes four minutes and needs PostgreSQL's server and pgbench
(Debian: postgresql). Where the machine has more to do, only the ratios say something.

--check  tries everything once, and measures nothing";

/// How often and for how long each part runs.
#[derive(Clone, Copy)]
struct Length {
    rounds: usize,
    /// Of one part in one round, in whole seconds, as pgbench wants it.
    turn: Duration,
}

fn main() -> ExitCode {
    let mut length = Length {
        rounds: 9,
        turn: Duration::from_secs(2),
    };
    let mut only = None;
    for arg in std::env::args().skip(1) {
        match arg.as_str() {
            "--check" => {
                length = Length {
                    rounds: 1,
                    turn: Duration::from_secs(1),
                };
            }
            "postgres" | "sqlite" => only = Some(arg),
            _ => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        }
    }
    let wants = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let mut report = Report::default();
    if wants("postgres") {
        postgres::run(length, &mut report);
    }
    if wants("sqlite") {
        sqlite::run(length, &mut report);
    }
    report.print();
    ExitCode::SUCCESS
}
