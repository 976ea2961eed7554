//! Facts about a whole process: its memory, and what becomes of that in a fork.
//!
//! Each case runs in a process of its own, on the only thread of it. The program starts itself again with the case's
//! name.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a case fails by panicking"
)]

mod cache;
#[cfg(unix)]
mod fork;
mod memory;
#[cfg(unix)]
mod secrets;

#[allow(dead_code, reason = "each of the test programs uses a part of it")]
#[path = "../it/support/faults.rs"]
mod faults;
#[allow(dead_code, reason = "each of the test programs uses a part of it")]
#[path = "../common/profile.rs"]
mod profile;
#[allow(dead_code, reason = "each of the test programs uses a part of it")]
#[path = "../it/support/world.rs"]
mod world;

use std::{env, process::Command};

use libtest_mimic::{Arguments, Failed, Trial};

/// The variable that names the one case to run.
const CASE: &str = "TOWER_BEARER_CASE";

type Case = (&'static str, fn());

/// For every system.
const EVERYWHERE: &[Case] = &[
    #[cfg(unix)]
    ("fork::nothing_is_drawn_twice", fork::nothing_is_drawn_twice),
];

/// For systems that show a process its own memory as Linux does.
const ON_LINUX: &[Case] = &[
    ("cache::of_nothing", cache::of_nothing),
    ("cache::of_small_numbers", cache::of_small_numbers),
    ("cache::of_empty_objects", cache::of_empty_objects),
    ("cache::of_what_unfolds", cache::of_what_unfolds),
    ("cache::of_maps", cache::of_maps),
    ("cache::of_long_texts", cache::of_long_texts),
    #[cfg(unix)]
    (
        "secrets::are_found_where_they_are",
        secrets::are_found_where_they_are,
    ),
    #[cfg(unix)]
    ("secrets::of_a_master", secrets::of_a_master),
    #[cfg(unix)]
    ("secrets::of_three_keys", secrets::of_three_keys),
    #[cfg(unix)]
    ("secrets::of_jwks", secrets::of_jwks),
    #[cfg(unix)]
    ("secrets::of_refresh_cookies", secrets::of_refresh_cookies),
];

fn main() {
    let cases = || EVERYWHERE.iter().chain(ON_LINUX);
    if let Ok(name) = env::var(CASE) {
        let case = cases().find(|(known, _)| *known == name);
        return case.expect("a case of this name").1();
    }
    let arguments = Arguments::from_args();
    let talks = arguments.nocapture;
    let trials = cases().map(|(name, _)| {
        let elsewhere = !cfg!(target_os = "linux") && ON_LINUX.iter().any(|(n, _)| n == name);
        // The report then counts it as ignored.
        Trial::test(*name, move || alone(name, talks)).with_ignored_flag(elsewhere)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

/// Runs the case `name` in a process of its own.
fn alone(name: &str, talks: bool) -> Result<(), Failed> {
    let mut program = Command::new(env::current_exe()?);
    let output = program.env(CASE, name).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    if output.status.success() {
        if talks {
            print!("{name}: {said}");
        }
        return Ok(());
    }
    let complained = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}\n{said}{complained}", output.status).into())
}
