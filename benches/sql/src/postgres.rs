//! Over PostgreSQL: the store, `pgbench` with the store's own statements, and tower-sessions.

mod pgbench;
mod servers;
mod tower_sessions;

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, query_scalar, raw_sql};
use tower_bearer::store::RefreshStore;
use tower_bearer_sqlx::PostgresStore;

use self::{pgbench::Script, servers::Server, tower_sessions::TowerSessions};
use crate::{
    Length,
    report::{Rates, Report},
    work::{CLIENTS, pair, rotate, runtime},
};

/// The servers' settings, and a name for each.
const SERVERS: [(&str, &[&str]); 2] = [
    ("each commit waits for the disk", &["fsync=on"]),
    ("no commit waits for the disk", &["fsync=off"]),
];

pub fn run(length: Length, report: &mut Report) {
    for (name, settings) in SERVERS {
        runtime().block_on(over(name, settings, length, report));
    }
}

async fn over(name: &str, settings: &[&str], length: Length, report: &mut Report) {
    let server = Server::with(settings).await;
    let url = server.database().await.url;
    let ours = store(&url).await;
    ours.migrate().await.unwrap();
    for client in 0..CLIENTS {
        ours.insert(&pair(client)[0], 9).await.unwrap();
    }
    let script = Script::of_the_store(&server, &url).await;
    let theirs = TowerSessions::new(&url).await;

    let rates = |name| Rates {
        name,
        per_second: Vec::new(),
    };
    let mut tool = rates("pgbench, the same statements");
    let mut store = rates("PostgresStore");
    let mut peer = rates("tower-sessions-sqlx-store, load and save");
    // It does what the store does, and not a statement that finds nothing.
    let before = updates(&url).await;
    let tried = script.rate(&url, Duration::from_secs(1));
    let wrote = updates(&url).await - before;
    assert!(
        wrote as f64 > tried / 2.0,
        "pgbench wrote {wrote} rows at {tried} a second"
    );
    for _ in 0..length.rounds {
        tool.per_second.push(script.rate(&url, length.turn));
        store
            .per_second
            .push(rotate(&ours, CLIENTS, length.turn).await);
        peer.per_second.push(theirs.rate(length.turn).await);
    }
    let what = format!("PostgreSQL, {CLIENTS} clients, {name}");
    report.rates(&what, &[&tool, &store, &peer]);
    let ratio = |of: &str| format!("postgres/{of}, {name}");
    report.ratio(&ratio("pgbench"), &store, &tool, Some(0.8));
    report.ratio(&ratio("tower_sessions"), &store, &peer, Some(1.0));
}

async fn store(url: &str) -> PostgresStore {
    let connections = usize::try_from(CLIENTS).unwrap();
    let builder = PostgresStore::builder().connections(connections);
    // Longer than a disk hesitates that has other work.
    builder
        .timeout(Duration::from_secs(30))
        .connect(url)
        .await
        .unwrap()
}

/// How many rows of the store were written so far.
async fn updates(url: &str) -> i64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let question =
        "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'tower_bearer_sessions'";
    let updates = query_scalar(question).fetch_one(&mut connection).await;
    connection.close().await.unwrap();
    updates.unwrap()
}

async fn execute(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}
