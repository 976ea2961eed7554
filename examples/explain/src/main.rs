//! Says of each token why a service takes or refuses it, and which setting takes it.
//!
//! ```text
//! cargo run -p explain -- --jwks FILE-or-URL --issuer I --audience A [--now SECONDS]
//!     [--token-types at+jwt,JWT,absent] [--scope-claims scope,scp] [--audience-claim client_id]
//! ```
//!
//! Tokens come from standard input, one a line, with or without `Bearer ` in front. The first line that it prints has
//! the issuer's keys and the verdict on each. Then comes a line for each token. Both are JSON.
//!
//! `--issuer` may stand there again, for an issuer that was renamed, and `--audience` too. Every verdict, reason and
//! setting is the crate's own. A service with the same lines accepts the same tokens.
//!
//! It ends with 1 when the keys cannot be had, and with 2 when its arguments make no sense.

mod args;
mod keys;
mod lines;
mod report;

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use tower_bearer::{ConfigError, ManualClock, NoClaims, SystemClock, Timestamp, TokenCodec};

use self::{args::Args, keys::IssuerKeys, lines::Lines};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = match args::parse(std::env::args_os().skip(1)) {
        Ok(args) => args,
        Err(problem) => return misused(&problem),
    };
    let keys = match IssuerKeys::load(&args.jwks, args.now).await {
        Ok(keys) => keys,
        Err(error) => return unreadable(&args.jwks, &*error),
    };
    let codec = match codec(&args, &keys) {
        Ok(codec) => codec,
        Err(error) => return misused(&error.to_string()),
    };
    match explain(&keys, &codec) {
        Ok(()) => ExitCode::SUCCESS,
        // Whatever reads the lines wants no more of them.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("explain: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The codec of a service with these lines.
fn codec(args: &Args, keys: &IssuerKeys) -> Result<TokenCodec<NoClaims>, ConfigError> {
    let mut builder = TokenCodec::signed(keys.ring());
    builder = match args.now {
        Some(now) => builder.clock(ManualClock::new(Timestamp::from_secs(now))),
        None => builder.clock(SystemClock),
    };
    for (at, issuer) in args.issuers.iter().enumerate() {
        builder = match at {
            0 => builder.issuer(issuer),
            _ => builder.also_issuer(issuer),
        };
    }
    for audience in &args.audiences {
        builder = builder.audience(audience);
    }
    if let Some(types) = &args.token_types {
        builder = builder.token_types(types.iter().cloned());
    }
    if let Some(claims) = &args.scope_claims {
        builder = builder.scope_claims(claims);
    }
    if let Some(claim) = &args.audience_claim {
        builder = builder.audience_claim(claim);
    }
    builder.build()
}

fn explain(keys: &IssuerKeys, codec: &TokenCodec<NoClaims>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", report::keys(&keys.reports()))?;
    let mut lines = Lines::new(io::stdin().lock());
    while let Some(token) = lines.read()? {
        let verdict = codec.verify(&token);
        writeln!(out, "{}", report::token(&verdict))?;
        out.flush()?;
    }
    Ok(())
}

fn misused(problem: &str) -> ExitCode {
    eprintln!("explain: {problem}\n\n{}", args::USAGE);
    ExitCode::from(2)
}

fn unreadable(source: &str, error: &dyn Error) -> ExitCode {
    eprint!("explain: the keys of {source:?} cannot be had: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprint!(": {error}");
        cause = error.source();
    }
    eprintln!();
    ExitCode::from(1)
}
