//! The conformance suite: over the stores of this crate, which pass, and over stores that it must refuse.
//!
//! Each of those is the table of `table` with one mistake, and is tried ten times. A refusal by luck does not count.

mod clocks;
mod columns;
mod dropped;
mod everything;
mod instances;
mod limits;
mod lists;
mod names;
mod older;
mod races;
mod silent;
mod swaps;
mod table;
mod times;

use std::time::Duration;

use tower_bearer::{
    ManualClock, MemoryStore, SessionId, Timestamp,
    store::{
        SessionRecord, SharedStore,
        conformance::{self, Violation},
    },
};

use table::{Backend, Broken, Mistaken};

const RUNS: usize = 10;

fn clock() -> ManualClock {
    ManualClock::new(Timestamp::from_secs(1_800_000_000))
}

/// Every store of these tests is one type to the suite, which is large. Otherwise the compiler would build it for each.
fn shared(store: impl Broken) -> SharedStore {
    SharedStore::new(Mistaken(store))
}

async fn verdict(
    make: &dyn Fn() -> SharedStore,
    advance: &dyn Fn(Duration),
) -> Result<(), Violation> {
    conformance::run(async || make(), async |by| advance(by)).await
}

async fn passes(make: &dyn Fn(ManualClock) -> SharedStore) {
    for run in 0..RUNS {
        let clock = clock();
        let store = make(clock.clone());
        let verdict = verdict(&|| store.clone(), &|by| clock.advance(by)).await;
        assert!(verdict.is_ok(), "run {run}: {verdict:?}");
    }
}

/// Runs the suite over instances that `make` returns, and asks for the rule that has these words.
async fn refused(
    rule: &str,
    make: &dyn Fn(Backend) -> SharedStore,
    advance: &dyn Fn(&Backend, Duration),
) {
    for run in 0..RUNS {
        let backend = Backend::new(clock());
        let verdict = verdict(&|| make(backend.clone()), &|by| advance(&backend, by)).await;
        let violation = verdict.expect_err("a broken store passed");
        let told = violation.rule().contains(rule);
        assert!(told, "run {run}: {violation}");
        assert!(!violation.detail().is_empty());
    }
}

/// Time passes.
fn advances(backend: &Backend, by: Duration) {
    backend.clock.advance(by);
}

/// A test of its own for each store: its name, the store over a backend, and words of the rule.
macro_rules! refuses {
    ($($name:ident: $make:expr => $rule:literal;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $name() {
            let make = |backend| crate::store::shared(crate::store::over($make, backend));
            crate::store::refused($rule, &make, &crate::store::advances).await;
        }
    )*};
}
use refuses;

/// Tells the compiler what `make` takes.
fn over<S>(make: impl Fn(Backend) -> S, backend: Backend) -> S {
    make(backend)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_memory_store_conforms() {
    for run in 0..RUNS {
        let clock = clock();
        let store = MemoryStore::builder().clock(clock.clone()).build().unwrap();
        let advance = async |by| clock.advance(by);
        let verdict = conformance::run(async || store.clone(), advance).await;
        assert!(verdict.is_ok(), "run {run}: {verdict:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_shared_store_conforms() {
    passes(&|clock| {
        let store = MemoryStore::builder().clock(clock).build().unwrap();
        SharedStore::new(SharedStore::new(store))
    })
    .await;
}

/// The table without a mistake, or none of those below would be about theirs.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_table_conforms() {
    passes(&|clock| shared(Backend::new(clock))).await;
}

/// Whether the session `id` is among them.
fn names(records: &[SessionRecord], id: &SessionId) -> bool {
    records.iter().any(|record| record.id() == *id)
}

/// Two steps with a pause in between are allowed where a lock is held.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_locks_conforms() {
    passes(&|clock| shared(races::Locked::new(Backend::new(clock)))).await;
}
