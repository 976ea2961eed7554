//! One refresh after few rotations and after many, through layer, endpoint and store. A session does
//! not grow, so the two should take the same time.

use criterion::Criterion;

use crate::support::{refreshing::Refreshing, run::Run};

/// So many are refreshed one after another before all of them are put back.
const BROWSERS: usize = 8;

pub fn after_rotations(c: &mut Criterion) {
    let run = Run::from_args();
    for rotations in [10, 10_000] {
        let mut refreshing = None;
        c.bench_function(&format!("store/refresh/after_{rotations}_rotations"), |b| {
            // Only when it is asked for: it has all those rotations behind it.
            let refreshing = refreshing.get_or_insert_with(|| {
                let mut new = Refreshing::new(BROWSERS, run.size(rotations, 10));
                new.check();
                new
            });
            b.iter_custom(|count| refreshing.time(count));
        });
    }
}
