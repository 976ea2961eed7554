//! Where sessions live: in this process, or in a Redis that outlives it.

use std::error::Error as _;

use tower_bearer::{EventSink, MemoryStore, RedisStore, SharedStore};

use crate::Error;

/// The Redis at `REDIS_URL`, or without one the memory of this process.
pub(crate) async fn open(redis_url: Option<&str>, events: EventSink) -> Result<SharedStore, Error> {
    let Some(url) = redis_url else {
        println!("Sessions live in this process, and end with it; REDIS_URL keeps them in Redis.");
        return Ok(SharedStore::new(MemoryStore::new()));
    };
    let store = RedisStore::builder(url)
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
        // No reason not to start: after a power cut Redis may be the slower of the two, and whoever
        // starts us again and again until it is there gains nothing over the 503 that clients get.
        Err(error) => {
            let why = error.source().map(ToString::to_string).unwrap_or_default();
            eprintln!("WARNING: Redis cannot be used ({why}): until it can, nobody signs in.");
        }
    }
    Ok(SharedStore::new(store))
}
