//! The tables, and their versions.

use std::time::Duration;

use sqlx::Row as _;
use tower_bearer::store::StoreError;

use super::{PostgresStore, call::Operation, failure::Failure, lease::Lease};
use crate::schema::lacking;

/// One a version. The first is the file that is copied by hand.
const MIGRATIONS: &[&str] = &[include_str!("../../schema/postgres.sql")];

/// The version that this release knows.
pub(super) const VERSION: usize = MIGRATIONS.len();

/// Instances that start at once wait for each other, and an index of a later version may take its time.
const LIMIT: Duration = Duration::from_secs(60);

/// Whatever it locks is ours: "towerber" in ASCII.
const LOCK: i64 = i64::from_be_bytes(*b"towerber");

struct Migrate;

impl Operation for Migrate {
    type Answer = ();

    async fn attempt(&mut self, lease: &mut Lease) -> Result<(), Failure> {
        let limit = LIMIT.as_millis();
        lease
            .begin(&format!(
                "SET LOCAL lock_timeout = {limit}; SET LOCAL statement_timeout = {limit}; \
                 SELECT pg_advisory_xact_lock({LOCK})"
            ))
            .await?;
        let found = version(lease).await?.unwrap_or(0);
        for migration in lacking(found, MIGRATIONS)? {
            lease.plain((*migration).to_owned()).await?;
        }
        lease.commit().await
    }
}

/// Asked of the table of tables, and not by `to_regclass`. That may answer from the connection's knowledge before it
/// waited for the lock.
const EXISTS: &str = "SELECT count(*) > 0 FROM pg_catalog.pg_class \
                      WHERE relname = 'tower_bearer_schema' AND pg_catalog.pg_table_is_visible(oid)";

/// The version of the tables that the search_path leads to; none where there are none.
pub(super) async fn version(lease: &mut Lease) -> Result<Option<i64>, Failure> {
    let answer = lease.plain(EXISTS.to_owned()).await?;
    let row = answer.rows.first().ok_or(sqlx::Error::RowNotFound)?;
    if !row.try_get::<bool, _>(0)? {
        return Ok(None);
    }
    let asked = lease.plain("SELECT max(version)::bigint FROM tower_bearer_schema".to_owned());
    let answer = asked.await?;
    let row = answer.rows.first().ok_or(sqlx::Error::RowNotFound)?;
    Ok(row.try_get(0)?)
}

impl PostgresStore {
    /// Makes the tables, or brings those of an earlier release up to date. It is one transaction, with one migration
    /// for each missing version.
    ///
    /// Call it when the service starts. Instances that do so at once wait for each other. It keeps the version in a
    /// table of its own, `tower_bearer_schema`, and leaves those of the application's migrations alone. The tables go
    /// where the `search_path` of the account leads first. The account needs the right to create there, and no more.
    /// One without it finds the tables that another account has made with `schema/postgres.sql`.
    ///
    /// It may take a minute, whatever the setting of [`timeout`](super::PostgresStoreBuilder::timeout).
    ///
    /// ```no_run
    /// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
    /// use tower_bearer_sqlx::PostgresStore;
    ///
    /// let store = PostgresStore::connect("postgres://app@db/app").await?;
    /// store.migrate().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Refused`](tower_bearer::store::StoreErrorKind::Refused) when a newer release has made the tables. Also when a
    /// table of such a name is not ours, or when the account may not create. The error's source names the cure.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped leaves all or nothing.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.call_within(LIMIT, Migrate).await
    }
}
