//! Where sessions live: in this process, or in a Redis or a file that outlives it.

use tower_bearer::{EventSink, MemoryStore, store::SharedStore};

use crate::{Error, settings::Settings};

/// The Redis at `REDIS_URL`, the file at `DATABASE`, or without either the memory of this process.
pub(crate) async fn open(settings: &Settings, events: EventSink) -> Result<SharedStore, Error> {
    match (&settings.redis_url, &settings.database) {
        (Some(_), Some(_)) => {
            Err("DATABASE: REDIS_URL is set too, and sessions live in one place".into())
        }
        (Some(url), None) => in_redis(url, events).await,
        (None, Some(path)) => in_sqlite(path, events).await,
        (None, None) => {
            println!(
                "Sessions live in this process, and end with it; REDIS_URL keeps them in Redis, DATABASE in a file."
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
        // No reason not to start: after a power cut Redis may be the slower of the two. Restarting until it is there is
        // no better than the 503 that clients get.
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

#[cfg(feature = "sqlite")]
async fn in_sqlite(path: &str, events: EventSink) -> Result<SharedStore, Error> {
    use std::{error::Error as _, time::Duration};

    let store = tower_bearer_sqlx::SqliteStore::builder().events(events);
    let store = store.open(path).await.map_err(|error| {
        let why = error.source().map(ToString::to_string);
        format!("DATABASE: `{path}`: {}", why.unwrap_or_default())
    })?;
    println!("Sessions live in {path}.");
    for warning in store.health().await?.warnings() {
        eprintln!("WARNING: {warning}");
    }
    tokio::spawn(store.purge_every(Duration::from_secs(3600)));
    Ok(SharedStore::new(store))
}

/// A setting that cannot be followed keeps the demo from starting.
#[cfg(not(feature = "sqlite"))]
async fn in_sqlite(_path: &str, _events: EventSink) -> Result<SharedStore, Error> {
    Err("DATABASE: this build knows no SQLite: `cargo run -p demo --features sqlite` does".into())
}
