//! A whole refresh in memory. It includes cookie, layer, endpoint, two trips to the store, the access token, the new
//! cookie and the JSON answer. The application's claims take no time here.
//!
//! Minting the access token is most of it and has its own benches. `without_access_token` is a
//! report that says what the rest takes: the difference of two figures of one run.

use std::{hint::black_box, time::Duration};

use criterion::Criterion;

use crate::support::profile::Profile;
use crate::support::{
    keys,
    refreshing::Refreshing,
    run::{Run, timed},
    sessions::NOW,
    tokens::{Custom, codec, custom, grant},
};

/// So many are refreshed one after another before all of them are put back.
const BROWSERS: usize = 8;
const ROTATIONS: usize = 3;

pub fn whole(c: &mut Criterion) {
    let mut refreshing = Refreshing::new(BROWSERS, ROTATIONS);
    refreshing.check();
    c.bench_function("layers/refresh/whole", |b| {
        b.iter_custom(|count| refreshing.time(count));
    });
}

/// Both in turn, and of each the fastest round: what makes others slower is the machine.
pub fn report(_: &mut Criterion) {
    let run = Run::from_args();
    run.report("layers/refresh/without_access_token", |run, name| {
        let mut refreshing = Refreshing::new(BROWSERS, ROTATIONS);
        let codec = codec::<Custom>(Profile::Nested, &keys::shared());
        let custom = custom();
        let each = run.size(500, 1);
        let [mut whole, mut mint] = [Duration::MAX; 2];
        for _ in 0..run.size(500, 1) {
            whole = whole.min(refreshing.time(each));
            let mints = || {
                for _ in 0..each {
                    black_box(codec.mint_at(black_box(&grant(&custom)), NOW).unwrap());
                }
            };
            mint = mint.min(timed(mints).1);
        }
        let [whole, mint] = [whole, mint].map(|took| took.as_secs_f64() * 1e6 / each as f64);
        println!(
            "{name}: {:.2} µs, of {whole:.2} µs for all of it and {mint:.2} µs for the access token",
            whole - mint
        );
    });
}
