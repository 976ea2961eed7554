//! The walks share the examples' programs, and a browser that asks them.

mod browser;
#[path = "../it/support/redis/port.rs"]
mod port;
mod program;
mod programs;
#[path = "../common/proxies.rs"]
mod proxies;
mod proxy;
mod redis;

use std::process::Command;

pub(crate) use self::{
    browser::{Answer, Ask, Browser},
    port::Port,
    program::{Ended, PATIENCE, Program},
    programs::example,
    proxy::{Proxy, Upstream},
    redis::Redis,
};

/// The user that the examples know.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// Any port that is free.
pub(crate) const LOCAL: &str = "127.0.0.1:0";

/// How a service that signs in by itself ends what it prints at its start.
pub(crate) const READY: &str = "Sign in as ";

/// Keys for the environment of a service, as `keygen` prints them.
pub(crate) fn keys() -> Vec<(String, String)> {
    let printed = Ended::of(&mut example("keygen"));
    assert!(printed.success, "{printed:?}");
    let pairs = printed.out.lines().map(|line| {
        let (name, value) = line.split_once('=').expect("NAME=VALUE");
        (name.to_owned(), value.to_owned())
    });
    pairs.collect()
}

/// Starts an example that listens at `ADDR`, and has a browser for it.
pub(crate) async fn serve(command: &mut Command) -> (Program, Browser) {
    let program = Program::start(command.env("ADDR", LOCAL), READY).await;
    let browser = Browser::new(program.url(0));
    (program, browser)
}
