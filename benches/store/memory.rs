//! The store in memory.

mod bytes;
mod reads;
mod threads;

use criterion::Criterion;

pub use threads::load_swap;

use crate::support::run::Run;

pub fn reports(_: &mut Criterion) {
    let run = Run::from_args();
    run.report("store/memory/bytes", bytes::report);
    run.report("store/memory/reads", reads::report);
    run.report("store/memory/threads", threads::report);
}
