//! What is true of a whole process or not at all: what becomes of it in a fork.
//!
//! Each case runs in a process of its own, on the only thread of it: the program starts itself again
//! with the case's name.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a case fails by panicking"
)]

#[cfg(unix)]
mod fork;

use std::{env, process::Command};

use libtest_mimic::{Arguments, Failed, Trial};

/// The variable that names the one case to run.
const CASE: &str = "TOWER_BEARER_CASE";

type Case = (&'static str, fn());

const CASES: &[Case] = &[
    #[cfg(unix)]
    ("fork::nothing_is_drawn_twice", fork::nothing_is_drawn_twice),
];

fn main() {
    let cases = || CASES.iter();
    if let Ok(name) = env::var(CASE) {
        let case = cases().find(|(known, _)| *known == name);
        return case.expect("a case of this name").1();
    }
    let arguments = Arguments::from_args();
    let talks = arguments.nocapture;
    let trials = cases().map(|(name, _)| Trial::test(*name, move || alone(name, talks)));
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
