//! Rotations: a load and a swap each.

use std::{mem::swap, sync::Barrier, thread, time::Duration};

use criterion::{Criterion, Throughput};
use tower_bearer::store::{SessionRecord, Swap};

use crate::support::{
    memory::Store,
    run::{Run, timed},
    sessions::session,
};

/// Sessions that rotate to and fro between two records, which are made beforehand.
struct Rotating {
    store: Store,
    pairs: Vec<[SessionRecord; 2]>,
}

impl Rotating {
    fn new(run: &Run) -> Self {
        let (store, _) = Store::new();
        let count = run.size(100_000, 1_000);
        let pairs: Vec<_> = (0..count)
            .map(|n| [session(n, 1, 3600), session(n, 2, 3600)])
            .collect();
        for [first, _] in &pairs {
            store.insert(first);
        }
        Self { store, pairs }
    }

    /// How long `threads` take for `rotations` altogether, each with sessions of its own.
    fn time(&self, threads: usize, rotations: u64) -> Duration {
        let barrier = Barrier::new(threads + 1);
        let each = rotations / threads as u64;
        thread::scope(|scope| {
            for own in self.pairs.chunks(self.pairs.len() / threads).take(threads) {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    for (_, pair) in (0..each).zip(own.iter().cycle()) {
                        self.rotate(pair);
                    }
                    barrier.wait();
                });
            }
            barrier.wait();
            timed(|| barrier.wait()).1
        })
    }

    fn rotate(&self, [first, second]: &[SessionRecord; 2]) {
        let loaded = self.store.load(&first.key()).into_record().unwrap();
        let next = if loaded == *first { second } else { first };
        let swap = self.store.swap(&loaded, next);
        assert!(matches!(swap, Swap::Applied));
    }
}

/// One thread and two in turn, so that what the machine does meanwhile concerns both.
pub fn report(run: &Run, name: &str) {
    let rotating = Rotating::new(run);
    let rotations = run.size(1_000_000, 1_000);
    let mut took = [Duration::ZERO; 2];
    let turns = run.size(6, 1);
    for _ in 0..turns {
        for (threads, took) in (1..).zip(&mut took) {
            *took += rotating.time(threads, rotations);
        }
    }
    let [one, two] = took.map(|took| (rotations * turns) as f64 / took.as_secs_f64());
    println!(
        "{name}: {one:.0} rotations a second on one thread, {two:.0} on two: {:.2} times as many",
        two / one
    );
}

pub fn load_swap(c: &mut Criterion) {
    let run = Run::from_args();
    let rotating = Rotating::new(&run);
    let mut group = c.benchmark_group("store/memory");
    group.throughput(Throughput::Elements(1));
    for (name, threads) in [("load_swap", 1), ("load_swap/two_threads", 2)] {
        group.bench_function(name, |b| {
            // An even number, so that two threads do what is counted.
            b.iter_custom(|count| rotating.time(threads, count.next_multiple_of(2)));
        });
    }
    // The two halves of a rotation.
    let [first, second] = &rotating.pairs[0];
    group.bench_function("load", |b| b.iter(|| rotating.store.load(&first.key())));
    let stored = rotating.store.load(&first.key()).into_record();
    let (mut current, mut next) = (first, second);
    if stored.as_ref() == Some(second) {
        swap(&mut current, &mut next);
    }
    group.bench_function("swap", |b| {
        b.iter(|| {
            let done = rotating.store.swap(current, next);
            assert!(matches!(done, Swap::Applied));
            swap(&mut current, &mut next);
        });
    });
    group.finish();
}
