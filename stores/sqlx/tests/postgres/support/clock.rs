//! A server whose time is the test's.
//!
//! The store asks for `clock_timestamp()`. PostgreSQL looks that up in `pg_catalog` first, unless the search_path names
//! it later. A function of that name in a schema before it answers then.

use std::time::Duration;

use super::server::Database;

/// The clock of a database. It stands still until it is moved.
#[derive(Clone, Debug)]
pub(crate) struct ServerClock(Database);

impl ServerClock {
    /// Gives the database a clock that stands at `millis` since 1970, for connections from now on.
    pub(crate) async fn of(database: &Database, millis: u64) -> Self {
        let name = &database.name;
        database
            .execute(&format!(
                "CREATE SCHEMA fake; CREATE TABLE fake.time (millis BIGINT NOT NULL); \
                 INSERT INTO fake.time VALUES ({millis}); \
                 CREATE FUNCTION fake.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE \
                 AS $$ SELECT 'epoch'::timestamptz + millis * interval '1 millisecond' FROM fake.time $$; \
                 ALTER DATABASE {name} SET search_path = public, fake, pg_catalog"
            ))
            .await;
        Self(database.clone())
    }

    /// The same clock on another server: that of a replica goes with the primary's.
    pub(crate) fn on(&self, database: Database) -> Self {
        Self(database)
    }

    pub(crate) async fn advance(&self, by: Duration) {
        let millis = by.as_millis();
        let sql = format!("UPDATE fake.time SET millis = millis + {millis}");
        self.0.execute(&sql).await;
    }
}
