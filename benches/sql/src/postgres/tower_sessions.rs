//! tower-sessions with its store in PostgreSQL, set up as its documentation does.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use time::OffsetDateTime;
use tower_sessions_core::{
    SessionStore as _,
    session::{Id, Record},
};
use tower_sessions_sqlx_store::{PostgresStore, sqlx::postgres::PgPoolOptions};

use crate::work::{CLIENTS, pair, together};

pub struct TowerSessions {
    store: PostgresStore,
    sessions: Vec<Record>,
}

impl TowerSessions {
    pub async fn new(url: &str) -> Self {
        let clients = u32::try_from(CLIENTS).unwrap();
        let pool = PgPoolOptions::new().max_connections(clients);
        let store = PostgresStore::new(pool.connect(url).await.unwrap());
        store.migrate().await.unwrap();
        let mut sessions = Vec::new();
        for client in 0..CLIENTS {
            let mut record = record(client);
            store.create(&mut record).await.unwrap();
            sessions.push(record);
        }
        Self { store, sessions }
    }

    /// Counts the sessions that are loaded, changed and saved in a second.
    pub async fn rate(&self, turn: Duration) -> f64 {
        let client = |record: &Record| {
            let (store, id) = (self.store.clone(), record.id);
            move |end| rotating(store, id, end)
        };
        together(self.sessions.iter().map(client), turn).await
    }
}

async fn rotating(store: PostgresStore, id: Id, end: Instant) -> u64 {
    let mut count = 0;
    while Instant::now() < end {
        let mut record = store.load(&id).await.unwrap().unwrap();
        record.data.insert("seen".to_owned(), count.into());
        record.expiry_date += Duration::from_millis(1);
        store.save(&record).await.unwrap();
        count += 1;
    }
    count
}

/// A session of about as many bytes as ours.
fn record(client: u64) -> Record {
    let size = pair(client)[0].encode().len();
    let data = HashMap::from([("data".to_owned(), "x".repeat(size - 60).into())]);
    Record {
        id: Id::default(),
        data,
        expiry_date: OffsetDateTime::now_utc() + Duration::from_secs(365 * 24 * 3600),
    }
}
