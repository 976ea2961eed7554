//! Histories of concurrent clients over one file: no forks, no lost updates, no survivors.
//!
//! Bounded: two seconds, or as many as `TOWER_BEARER_STORM_SECONDS` says.

#[path = "../../../../tests/it/history/checker.rs"]
mod checker;
#[path = "../../../../tests/it/history/clients.rs"]
mod clients;

use std::{env, time::Duration};

use tokio::time::Instant;

use self::checker::Checked;
use crate::place::Place;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_forks_no_lost_updates_no_survivors() {
    let seconds = env::var("TOWER_BEARER_STORM_SECONDS").map_or(2, |text| text.parse().unwrap());
    let end = Instant::now() + Duration::from_secs(seconds);
    let place = Place::new();
    let (one, other) = (place.open().await, place.open().await);
    let stores = [
        one.clone(),
        other.clone(),
        one.clone(),
        other.clone(),
        one,
        other,
    ];
    let (mut sum, mut seed) = (Checked::default(), 0);
    while Instant::now() < end {
        sum += clients::act(&stores, seed, false).await;
        seed += 1;
    }
    println!("{seed} subjects in SQLite: {sum:?}");
    assert!(sum.applied > 100 && sum.conflicts > 10, "{sum:?}");
    assert!(sum.revocations > 5 && sum.unknown == 0, "{sum:?}");
}
