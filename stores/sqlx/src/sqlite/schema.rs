//! The tables, and the mode of the file.

use sqlx::SqliteConnection;
use tokio::time::sleep;
use tower_bearer::store::StoreError;

use super::{
    SqliteStore,
    fault::{failed, is_busy},
};
use crate::{fault::Fault, schema::lacking};

/// One a version.
const MIGRATIONS: &[&str] = &[include_str!("../../schema/sqlite.sql")];

/// How often the switch to WAL is tried within a time-out.
const TRIES: u32 = 40;

impl SqliteStore {
    /// Makes the tables, or brings those of an earlier release up to date. Where there is nothing to do it writes
    /// nothing. [`open`](Self::open) does so by itself.
    ///
    /// The tables are `tower_bearer_sessions` and `tower_bearer_schema`. No other table is touched. So migrations of
    /// the application's own, by sqlx or by another tool, may live in the same database. A team that makes tables by
    /// hand runs `schema/sqlite.sql` of this crate instead. Any number of processes may call it at one time.
    ///
    /// # Errors
    ///
    /// [`Refused`](tower_bearer::store::StoreErrorKind::Refused) when a newer release has made the tables, or when the
    /// database cannot be written.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped leaves each version made as a whole or not at all.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.within(migrate(self)).await
    }

    /// Switches the file to WAL, which it stays in.
    pub(super) async fn switch_to_wal(&self) -> Result<(), StoreError> {
        let switch = async {
            let mut lease = self.0.connections.writer().await?;
            for tries in (0..TRIES).rev() {
                let mode = sqlx::query_scalar("PRAGMA journal_mode = WAL");
                let mode: Result<String, _> = mode.fetch_one(lease.connection()?).await;
                match mode {
                    Ok(mode) if mode == "wal" => {
                        lease.done();
                        return Ok(());
                    }
                    Ok(mode) => {
                        let cure =
                            "the file cannot be switched to WAL: put it on a disk of this machine";
                        let fault = Fault::from(format!("its journal mode stays {mode}"), cure);
                        return Err(fault.refused());
                    }
                    // The process that switches a new file lets no other one wait for it.
                    Err(error) if is_busy(&error) && tries > 0 => {
                        sleep(self.0.timeout / TRIES).await;
                    }
                    Err(error) => return Err(failed(error)),
                }
            }
            Ok(())
        };
        self.within(switch).await
    }
}

async fn migrate(store: &SqliteStore) -> Result<(), StoreError> {
    let mut reader = store.reader().await?;
    let found = version(reader.connection()?).await?;
    reader.done();
    if lacking(found.unwrap_or(0), MIGRATIONS)?.is_empty() {
        return Ok(());
    }
    // Another process may have been faster: look again, now that no other one writes.
    let mut writer = store.writer().await?;
    let tx = writer.begin().await?;
    let found = version(tx).await?;
    for migration in lacking(found.unwrap_or(0), MIGRATIONS)? {
        let made = sqlx::raw_sql(*migration).execute(&mut *tx).await;
        made.map_err(failed)?;
    }
    writer.commit().await
}

/// The version of the tables. None: there are none.
pub(super) async fn version(on: &mut SqliteConnection) -> Result<Option<i64>, StoreError> {
    let tables =
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'tower_bearer_schema'";
    let tables: i64 = sqlx::query_scalar(tables)
        .fetch_one(&mut *on)
        .await
        .map_err(failed)?;
    if tables == 0 {
        return Ok(None);
    }
    sqlx::query_scalar("SELECT max(version) FROM tower_bearer_schema")
        .fetch_one(on)
        .await
        .map_err(failed)
}
