//! How long a read may wait.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use tower_bearer::store::SessionKey;

use crate::support::{
    memory::Store,
    run::{Run, timed},
    sessions::session,
};

/// Sessions of this share have expired when the reading begins: one of these.
const EXPIRED: u64 = 5;
const READS: usize = 20_000_000;
/// No read should wait longer, in nanoseconds.
const GOAL: u32 = 500_000;

/// One thread reads live sessions while another one signs users in. The second also sweeps the expired ones and makes
/// every table of the map grow. The store begins below the size at which its tables double and ends above it, near its
/// capacity.
///
/// Between any two reads the reader reads a store without a writer. The worst time of that is the machine's part, which
/// gives the processor to another process.
pub fn report(run: &Run, name: &str) {
    for _ in 0..run.size(3, 1) {
        once(run, name);
    }
}

fn once(run: &Run, name: &str) {
    let (begin, more): (u64, u64) = run.size((850_000, 310_000), (1_000, 300));
    let (store, clock) = Store::new();
    let (quiet, _) = Store::new();
    for n in 0..begin {
        let seconds = if n % EXPIRED == 0 { 60 } else { 36_000 };
        store.insert(&session(n, 1, seconds));
        if n % 100 == 1 {
            quiet.insert(&session(n, 1, 36_000));
        }
    }
    clock.advance(Duration::from_secs(60));

    let keys: Vec<SessionKey> = (0..begin)
        .filter(|n| n % 100 == 1)
        .map(|n| session(n, 1, 36_000).key())
        .collect();
    let done = AtomicBool::new(false);
    let mut busy_reads = Waits::new(run.size(READS, 1_000));
    let mut quiet_reads = Waits::new(run.size(READS, 1_000));
    let mut insertions = Waits::new(more as usize);
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in begin..begin + more {
                let record = session(n, 1, 36_000);
                insertions.add(timed(|| store.insert(&record)).1);
            }
            done.store(true, Ordering::Release);
        });
        for key in keys.iter().cycle() {
            if done.load(Ordering::Acquire) || busy_reads.are_full() {
                break;
            }
            let (loaded, took) = timed(|| store.load(key));
            assert!(loaded.record().is_some());
            busy_reads.add(took);
            let (loaded, took) = timed(|| quiet.load(key));
            assert!(loaded.record().is_some());
            quiet_reads.add(took);
        }
    });

    let left = store.0.len();
    println!("{name}: {more} insertions into {begin} sessions, {left} left");
    busy_reads.print(name, "read of this store");
    quiet_reads.print(name, "read of a quiet store");
    insertions.print(name, "insertion");
}

/// How long each of many operations took.
struct Waits(Vec<u32>);

impl Waits {
    /// For at most `most`, with the room taken beforehand.
    fn new(most: usize) -> Self {
        Self(Vec::with_capacity(most))
    }

    fn are_full(&self) -> bool {
        self.0.len() == self.0.capacity()
    }

    fn add(&mut self, took: Duration) {
        self.0.push(took.as_nanos() as u32);
    }

    fn print(mut self, name: &str, what: &str) {
        self.0.sort_unstable();
        let count = self.0.len();
        let above = self.0.iter().filter(|took| **took > GOAL).count();
        let micros = |at: usize| f64::from(self.0[at.min(count - 1)]) / 1000.0;
        println!(
            "{name}: {what}: median {:.2} µs, 99.99 % {:.1} µs, longest {:.1} µs, {above} above {} µs, of {count}",
            micros(count / 2),
            micros(count - count / 10_000 - 1),
            micros(count - 1),
            GOAL / 1000,
        );
    }
}
