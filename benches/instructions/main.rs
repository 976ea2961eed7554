//! How many instructions the hot paths take: the same at every run, which time is not.
//!
//! `cargo bench -p instructions` runs this program again under Valgrind's Callgrind and compares its counts with
//! `benches/instructions.baseline`. It fails when a case has become more than 5 % dearer. With `-- --update` it writes
//! the file anew. Without Valgrind it says so and is done.
//!
//! Counts depend on the compiler and on the C library. They also depend on Valgrind's report of the processor (AVX2,
//! but no instructions for SHA-256). So they are for comparing with each other. The other benches tell how long the
//! same takes on a real processor.

#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot be set up has nothing to measure"
)]

mod baseline;
mod callgrind;
mod case;
mod foreign;
mod layers;
mod scale;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each bench uses a part of it")]
mod support;
mod tokens;

use std::{env, io, process::ExitCode};

use baseline::Baseline;
use case::Case;
use support::run::Run;

/// Says to the program that it runs under Callgrind.
const COUNTED: &str = "--counted";
const UPDATE: &str = "--update";

/// The aim for verifying a nested token, apart from its MAC.
const AIM: u64 = 8_700;

fn main() -> io::Result<ExitCode> {
    let run = Run::from_args();
    let has = |flag: &str| env::args().any(|arg| arg == flag);
    let mut cases = tokens::cases();
    cases.extend(foreign::cases());
    cases.extend(layers::cases());
    cases.extend(scale::cases());
    // The file is written whole or not at all.
    if !has(UPDATE) {
        cases.retain(|case| run.wants(case.name()));
    }
    if cases.is_empty() {
        // The filter of a run of all benches names something else.
    } else if has(COUNTED) {
        cases
            .iter_mut()
            .for_each(|case| case.count(callgrind::counted));
    } else if !run.in_full {
        cases.iter_mut().for_each(Case::try_out);
    } else if cfg!(not(target_arch = "x86_64")) {
        println!("instructions are not counted: the baseline is for x86-64");
    } else if let Some(version) = callgrind::version() {
        println!("instructions, counted with {version}:");
        return judge(&cases, has(UPDATE), &version);
    } else {
        println!("instructions are not counted: valgrind is not installed");
    }
    Ok(ExitCode::SUCCESS)
}

/// Counts all cases, and compares or keeps what comes out.
fn judge(cases: &[Case], update: bool, version: &str) -> io::Result<ExitCode> {
    let mut args: Vec<_> = env::args().skip(1).collect();
    args.push(COUNTED.to_owned());
    let counts = callgrind::counts(&args)?;
    if counts.len() != cases.len() {
        let (found, wanted) = (counts.len(), cases.len());
        return Err(io::Error::other(format!(
            "callgrind has counted {found} cases instead of {wanted}"
        )));
    }
    let counts: Vec<_> = cases.iter().map(Case::name).zip(counts).collect();
    let of = |name| counts.iter().find(|(other, _)| *other == name);
    let mut wrong = if update {
        Baseline::write(&counts, version)?;
        vec![]
    } else {
        Baseline::read()?.compare(&counts)
    };
    if let (Some((_, nested)), Some((_, hmac))) = (of(tokens::NESTED), of(tokens::ONE_HMAC)) {
        let rest = nested - hmac;
        println!("{} without one HMAC: {rest} (aim {AIM})", tokens::NESTED);
    }
    wrong.extend(foreign::compare(&counts));
    if wrong.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    for problem in wrong {
        eprintln!("{problem}");
    }
    eprintln!("if that is meant to be, write the baseline anew and commit it:");
    eprintln!("    cargo bench -p instructions -- {UPDATE}");
    Ok(ExitCode::FAILURE)
}
