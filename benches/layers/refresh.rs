//! A whole refresh in memory: cookie, layer, endpoint, two trips to the store, the application's
//! claims (which take no time here), the access token, the new cookie and the JSON answer.
//!
//! Minting the access token is most of it and has its own benches. `without_access_token` is a
//! report that says what the rest takes: the difference of two figures of one run.

use std::hint::black_box;

use criterion::Criterion;
use tower_bearer::Profile;

use crate::support::{
    keys,
    refreshing::Refreshing,
    run::{Run, timed},
    sessions::NOW,
    tokens::{Custom, codec, custom, grant},
};

/// So many are refreshed one after another before all of them are put back.
const BROWSERS: usize = 64;
const ROTATIONS: usize = 3;

pub fn whole(c: &mut Criterion) {
    let mut refreshing = Refreshing::new(BROWSERS, ROTATIONS);
    refreshing.check();
    c.bench_function("layers/refresh/whole", |b| {
        b.iter_custom(|count| refreshing.time(count));
    });
}

/// Both in turn, so that what the machine does meanwhile concerns both.
pub fn report(_: &mut Criterion) {
    let run = Run::from_args();
    run.report("layers/refresh/without_access_token", |run, name| {
        let mut refreshing = Refreshing::new(BROWSERS, ROTATIONS);
        let codec = codec::<Custom>(Profile::Nested, &keys::shared());
        let custom = custom();
        let each = run.size(2_000, 1);
        let mut rounds: Vec<_> = (0..run.size(101, 1))
            .map(|_| {
                let whole = refreshing.time(each);
                let mint = || codec.mint_at(black_box(&grant(&custom)), NOW).unwrap();
                let (_, mint) = timed(|| (0..each).for_each(|_| drop(black_box(mint()))));
                [whole, mint].map(|took| took.as_secs_f64() * 1e6 / each as f64)
            })
            .collect();
        let [whole, mint] = [0, 1].map(|part| {
            rounds.sort_by(|a, b| a[part].total_cmp(&b[part]));
            rounds[rounds.len() / 2][part]
        });
        println!(
            "{name}: {:.2} µs, of {whole:.2} µs for all of it and {mint:.2} µs for the access token",
            whole - mint
        );
    });
}
