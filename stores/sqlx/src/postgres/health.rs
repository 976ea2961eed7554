//! The state of the server, in its own words.

use std::time::Duration;

use sqlx::Row as _;
use tokio::time::Instant;
use tower_bearer::{Clock, SystemClock, Timestamp, store::StoreError};

use super::{
    PostgresStore,
    call::Operation,
    failure::Failure,
    lease::Lease,
    load::{now, time},
    schema::{VERSION, version},
};

/// The answer of [`PostgresStore::health`].
///
/// ```no_run
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// use tower_bearer_sqlx::PostgresStore;
///
/// let store = PostgresStore::connect("postgres://app@db/app").await?;
/// let health = store.health().await?;
/// println!("PostgreSQL {} answers within {:?}", health.version(), health.round_trip());
/// for warning in health.warnings() {
///     eprintln!("WARNING: {warning}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PostgresHealth {
    now: Timestamp,
    clock_skew_millis: i64,
    round_trip: Duration,
    version: String,
    version_number: i64,
    is_primary: bool,
    fsync: bool,
    full_page_writes: bool,
    synchronous_commit: String,
    schema_version: Option<i64>,
}

/// The oldest that knows every word of the statements, as its five digits.
const OLDEST: i64 = 12_00_00;
/// An access token is judged by the clock of the instance, and sessions by that of the server. Further apart they tell
/// the user two ends.
const MOST_SKEW: Duration = Duration::from_secs(5);

const TIME: &str = concat!("SELECT ", now!());

const SETTINGS: &str = "SELECT current_setting('server_version'), current_setting('server_version_num')::bigint, \
                        pg_is_in_recovery(), current_setting('fsync')::boolean, \
                        current_setting('full_page_writes')::boolean, current_setting('synchronous_commit')";

/// The least that shows that the server is there and takes the account.
pub(super) struct Greet;

impl Operation for Greet {
    type Answer = ();

    async fn attempt(&mut self, lease: &mut Lease) -> Result<(), Failure> {
        lease.plain("SELECT 1".to_owned()).await?;
        Ok(())
    }
}

struct Ask;

impl Operation for Ask {
    type Answer = PostgresHealth;

    async fn attempt(&mut self, lease: &mut Lease) -> Result<PostgresHealth, Failure> {
        let answer = lease.plain(SETTINGS.to_owned()).await?;
        let settings = answer.rows.first().ok_or(sqlx::Error::RowNotFound)?;
        // One round trip on a connection that is open, or its middle would not be when the server looked.
        let (begin, before) = (Instant::now(), SystemClock.now());
        let answer = lease.plain(TIME.to_owned()).await?;
        let (after, round_trip) = (SystemClock.now(), begin.elapsed());
        let now = time(answer.rows.first().ok_or(sqlx::Error::RowNotFound)?, 0)?;
        Ok(PostgresHealth {
            now,
            clock_skew_millis: skew(before, now, after),
            round_trip,
            version: settings.try_get(0)?,
            version_number: settings.try_get(1)?,
            is_primary: !settings.try_get::<bool, _>(2)?,
            fsync: settings.try_get(3)?,
            full_page_writes: settings.try_get(4)?,
            synchronous_commit: settings.try_get(5)?,
            schema_version: version(lease).await?,
        })
    }
}

fn skew(before: Timestamp, there: Timestamp, after: Timestamp) -> i64 {
    let millis = |time: Timestamp| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let middle = millis(before).midpoint(millis(after));
    millis(there).saturating_sub(middle)
}

impl PostgresStore {
    /// Asks the server for its state, before the service starts and from time to time.
    ///
    /// # Errors
    ///
    /// When the server does not answer, or refuses the account.
    ///
    /// # Cancel safety
    ///
    /// It only reads.
    pub async fn health(&self) -> Result<PostgresHealth, StoreError> {
        self.call(Ask).await
    }
}

impl PostgresHealth {
    /// Returns the server's time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns how far the server's clock is ahead of this machine's, in milliseconds; negative where it is behind. It
    /// is exact to half of the [round trip](Self::round_trip).
    pub fn clock_skew_millis(&self) -> i64 {
        self.clock_skew_millis
    }

    /// Returns how long the answer to one statement took.
    pub fn round_trip(&self) -> Duration {
        self.round_trip
    }

    /// Returns the server's version, as it names itself.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns whether the server takes writes, and is not a replica.
    pub fn is_primary(&self) -> bool {
        self.is_primary
    }

    /// Returns the version of the tables, or `None` where there are none.
    pub fn schema_version(&self) -> Option<i64> {
        self.schema_version
    }

    /// Returns the changes that the operator should make, in sentences. Empty when all is well.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let mut warn = |when: bool, text: String| {
            if when {
                warnings.push(text);
            }
        };
        warn(
            !self.is_primary,
            "this PostgreSQL is a replica: it takes no writes, and what it says may be old. Every request is \
             answered 503 until the address leads to the primary"
                .into(),
        );
        warn(
            !self.fsync || !self.full_page_writes,
            "fsync or full_page_writes is off. A crash of the machine may damage the tables, and bring back \
             sessions that were ended: set both to on"
                .into(),
        );
        warn(
            self.synchronous_commit == "off",
            "synchronous_commit is off for this account. The store raises it where a session ends or a token goes \
             out. A crash may lose what the application writes elsewhere, such as a changed password: set it to on"
                .into(),
        );
        let skew = Duration::from_millis(self.clock_skew_millis.unsigned_abs());
        warn(
            skew > MOST_SKEW,
            format!(
                "the server's clock and this machine's differ by {skew:?}. Sessions end by the one and access \
                 tokens by the other: keep both with NTP"
            ),
        );
        let known = VERSION;
        warn(
            self.schema_version.is_none(),
            "the tables are missing: call migrate(), or run schema/postgres.sql".into(),
        );
        let is_newer = |version: i64| usize::try_from(version).is_ok_and(|version| version > known);
        warn(
            self.schema_version.is_some_and(is_newer),
            format!("a newer release made the tables: this one knows versions up to {known}"),
        );
        warn(
            self.version_number < OLDEST,
            format!(
                "PostgreSQL {} is older than 12, the oldest that knows every statement of the store",
                self.version
            ),
        );
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> PostgresHealth {
        PostgresHealth {
            now: Timestamp::from_secs(1_800_000_000),
            clock_skew_millis: 4_999,
            round_trip: Duration::from_millis(1),
            version: "15.8".into(),
            version_number: 15_00_08,
            is_primary: true,
            fsync: true,
            full_page_writes: true,
            synchronous_commit: "on".into(),
            schema_version: Some(1),
        }
    }

    #[test]
    fn a_server_as_it_should_be_gives_no_warning() {
        assert!(good().warnings().is_empty(), "{:?}", good().warnings());
    }

    #[test]
    fn each_mistake_has_its_own_warning() {
        let one = |health: PostgresHealth, word: &str| {
            let warnings = health.warnings();
            assert_eq!(warnings.len(), 1, "{warnings:?}");
            assert!(warnings[0].contains(word), "{warnings:?}");
        };
        let (mut replica, mut no_fsync, mut torn, mut soon) = (good(), good(), good(), good());
        replica.is_primary = false;
        one(replica, "replica");
        no_fsync.fsync = false;
        one(no_fsync, "fsync");
        torn.full_page_writes = false;
        one(torn, "full_page_writes");
        soon.synchronous_commit = "off".into();
        one(soon, "synchronous_commit");
        let (mut ahead, mut behind, mut bare, mut newer, mut old) =
            (good(), good(), good(), good(), good());
        ahead.clock_skew_millis = 5_001;
        one(ahead, "NTP");
        behind.clock_skew_millis = -5_001;
        one(behind, "NTP");
        bare.schema_version = None;
        one(bare, "migrate()");
        newer.schema_version = Some(2);
        one(newer, "newer release");
        old.version_number = 11_00_22;
        one(old, "older than 12");
    }

    #[test]
    fn the_skew_is_taken_from_the_middle_of_the_round_trip() {
        let at = Timestamp::from_millis;
        assert_eq!(skew(at(1_000), at(1_050), at(1_100)), 0);
        assert_eq!(skew(at(1_000), at(8_050), at(1_100)), 7_000);
        assert_eq!(skew(at(9_000), at(2_050), at(9_100)), -7_000);
    }
}
