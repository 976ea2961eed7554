//! Where sessions live: in this process, or in a Redis that outlives it.

use tower_bearer::{EventSink, MemoryStore, store::SharedStore};

use crate::Error;

/// The Redis at `REDIS_URL`, or without one the memory of this process.
pub(crate) async fn open(redis_url: Option<&str>, events: EventSink) -> Result<SharedStore, Error> {
    match redis_url {
        Some(url) => in_redis(url, events).await,
        None => {
            println!(
                "Sessions live in this process, and end with it; REDIS_URL keeps them in Redis."
            );
            Ok(SharedStore::new(MemoryStore::new()))
        }
    }
}

#[cfg(feature = "redis")]
async fn in_redis(url: &str, events: EventSink) -> Result<SharedStore, Error> {
    use std::error::Error as _;

    let store = tower_bearer::RedisStore::builder(url)
        .events(events)
        .build()
        // The URL may hold a password: what is wrong with it is said, and it is not.
        .map_err(|error| format!("REDIS_URL: {}", error.problem()))?;
    println!("Sessions live in the Redis at REDIS_URL.");
    match store.health().await {
        Ok(health) => {
            for warning in health.warnings() {
                eprintln!("WARNING: {warning}");
            }
        }
        // No reason not to start: after a power cut Redis may be the slower of the two, and starting again
        // and again until it is there gains nothing over the 503 that clients get.
        Err(error) => {
            let why = error.source().map(ToString::to_string).unwrap_or_default();
            eprintln!("WARNING: Redis cannot be used ({why}): until it can, no user signs in.");
        }
    }
    Ok(SharedStore::new(store))
}

/// A setting that cannot be followed keeps the demo from starting.
#[cfg(not(feature = "redis"))]
async fn in_redis(_url: &str, _events: EventSink) -> Result<SharedStore, Error> {
    Err("REDIS_URL: this build knows no Redis: `cargo run -p demo --features redis` does".into())
}
