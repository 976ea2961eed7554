//! The cost of tower-bearer, beside a floor written by hand and beside other crates.
//!
//! Every case takes a token of the same claims from its text to claims with types. It checks the token's issuer, its
//! audience and its dates by the system's clock. Each case is done in batches. Rounds visit the batches of all cases in
//! another order each, and ratios are taken within a round. `--help` tells the rest.

mod aims;
mod allocations;
mod args;
mod bare;
#[cfg(feature = "cache")]
mod cached;
mod case;
mod claims;
mod floor;
mod http;
mod keys;
mod ours;
mod peers;
#[path = "../../../tests/common/profile.rs"]
mod profile;
mod refused;
mod report;
mod rounds;
mod statistics;
mod tokens;
mod web;
mod worker;

use std::{process::ExitCode, time::Duration};

use crate::{
    args::{Args, Mode, USAGE},
    case::{Case, Problem},
    peers::jsonwebtoken::Backend,
    rounds::Length,
    tokens::Tokens,
};

/// Leaves a minute of the five for starting and for machines slower than usual.
const USUAL_LENGTH: Length = Length::Time(Duration::from_secs(220));

fn main() -> ExitCode {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(error) => {
            eprintln!("{error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<(), Problem> {
    if args.mode == Mode::Help {
        println!("{USAGE}");
        return Ok(());
    }
    let tokens = Tokens::mint();
    if let Mode::Worker(backend) = args.mode {
        backend.install();
        return worker::serve(of_backend(&tokens, backend));
    }
    let seed = args.seed.unwrap_or_else(rand::random);
    if args.mode == Mode::Http {
        println!("seed {seed}\n");
        Backend::AwsLc.install();
        return http::run(&tokens, &args, seed);
    }
    floor::trial::run()?;
    let mut cases = cases(&tokens)?;
    cases.retain(|case| args.wants(case.name()));
    if args.mode == Mode::Check {
        rounds::check(&mut cases)?;
        println!("{} cases do what they should", cases.len());
        return Ok(());
    }
    let length = args.length.unwrap_or(USUAL_LENGTH);
    let series = rounds::run(&mut cases, length, seed)?;
    let rounds = series.first().map_or(0, |one| one.nanos.len());
    println!("seed {seed}, {rounds} rounds\n");
    report::print(&series);
    Ok(())
}

/// All cases: those of this process, and those of the others.
///
/// axum has processes of its own because of the allocator. Among all these cases the heap gets into a bad state. In it
/// the large futures that some layers box cost microseconds.
fn cases(tokens: &Tokens) -> Result<Vec<Box<dyn Case>>, Problem> {
    let mut cases = ours::shared(tokens);
    cases.extend(ours::pairs(tokens));
    #[cfg(feature = "cache")]
    cases.extend(cached::cases());
    cases.extend(refused::cases(tokens));
    cases.extend(bare::cases(tokens));
    cases.extend(peers::josekit::cases(tokens));
    cases.extend(peers::jwt_simple::cases(tokens));
    for backend in Backend::ALL {
        cases.extend(worker::start(backend)?);
    }
    Ok(cases)
}

/// The cases of a process that has this backend of jsonwebtoken. One of the two has those of axum, too.
fn of_backend(tokens: &Tokens, backend: Backend) -> Vec<Box<dyn Case>> {
    let mut cases = peers::jsonwebtoken::cases(tokens, backend);
    cases.extend(web::of_backend(tokens, backend));
    if backend == Backend::AwsLc {
        cases.extend(web::cases(tokens));
    }
    cases
}
